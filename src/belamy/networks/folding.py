"""Batch norm as part of the convolution before it: the same function in fewer passes over memory.

A frozen batch norm multiplies each channel by a number and adds another, which the convolution can
do itself: y = γ(Wx − μ)/σ + β is a convolution with other weights and a bias. Looking through
EfficientNet-Lite 2 and back then takes two thirds of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from belamy.networks.sequential import Stages

__all__ = ["fold_norms"]


def fold_norms(stages: Stages, keep: frozenset[str] = frozenset()) -> frozenset[str]:
    """Fold every frozen batch norm that directly follows a convolution into it, in place.

    The norm's place is taken by an identity, so that all paths stay; what the norm gave is given
    there still. What the convolution itself gives is another thing afterwards.

    Args:
        stages: of a network in evaluation mode, with its weights; changed, as are their modules.
            A batch norm that is registered next after a convolution is taken to be fed by it, as
            in every network of `belamy.networks.registry` (a test runs them all).
        keep: layers, by their dotted paths, that shall go on giving what they gave.

    Returns:
        the layers that give something else now.
    """
    changed: list[str] = []
    for path, convolution, norm, replace in list(_pairs(stages)):
        if path not in keep:
            _fold(convolution, norm)
            replace(nn.Identity())
            changed.append(path)
    return frozenset(changed)


_Pair = tuple[str, nn.Conv2d, nn.BatchNorm2d, Callable[[nn.Module], None]]


def _pairs(stages: Stages) -> Iterator[_Pair]:
    """(path, convolution, the norm after it, what puts another module in the norm's place)."""

    def put_stage(index: int, module: nn.Module) -> None:
        stages[index] = (stages[index][0], module)

    for index, ((name, first), (_, second)) in enumerate(pairwise(stages), start=1):
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
            yield name, first, second, partial(put_stage, index)
    for stage, module in stages:
        for path, parent in module.named_modules(prefix=stage):
            for (name, first), (norm, second) in pairwise(parent.named_children()):
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    yield f"{path}.{name}", first, second, partial(setattr, parent, norm)


def _fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    weight, bias = fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )
    convolution.weight = nn.Parameter(weight.detach(), requires_grad=False)
    convolution.bias = nn.Parameter(bias.detach(), requires_grad=False)
