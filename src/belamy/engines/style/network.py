"""A feature extractor for style transfer: its pooling, its padding, its precision."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from belamy.devices import DTYPES
from belamy.engines.tiling import TilingHabit
from belamy.errors import OptionError
from belamy.networks.backbone import Backbone
from belamy.precision import Precision

# Tiles are exact: half a field on each side is all that a position sees, and two strides more allow
# for positions that are not in the middle of what they see (unpadded and even kernels). At most
# 768 px long: the margins are then a third of it for VGG-19's relu5_1. By trial.
TILING = TilingHabit(field=1 / 2, strides=2, largest_tile=768, exact=True)

# What brings a mean, or a root mean square, up to about what a maximum would be. Source:
# crowsonkb/style-transfer-pytorch, whose l2 is 0.78 · √(sum of 4 squares).
_AVERAGE_GAIN, _L2_GAIN = 2.0, 1.56


class AveragePool(nn.Module):
    """The mean of what a maximum would be taken of, as large as the maximum usually is.

    Args:
        pool: the maximum that it stands for.
    """

    def __init__(self, pool: nn.MaxPool2d) -> None:
        super().__init__()
        self._pool = nn.AvgPool2d(
            pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode, count_include_pad=False
        )

    def forward(self, x: Tensor) -> Tensor:
        return _AVERAGE_GAIN * self._pool(x)  # type: ignore[no-any-return]


class L2Pool(AveragePool):
    """The root mean square instead of a maximum: between it and the mean."""

    def forward(self, x: Tensor) -> Tensor:
        # The smallest number that counts keeps the root's gradient finite where nothing is seen.
        floor = torch.finfo(x.dtype).tiny ** 0.5
        return _L2_GAIN * self._pool(x.square()).clamp_min(floor).sqrt()  # type: ignore[no-any-return]


POOLINGS: dict[str, Callable[[nn.MaxPool2d], nn.Module]] = {
    "max": lambda pool: pool,
    "average": AveragePool,
    "l2": L2Pool,
}
"""Name → what a network's maximum is replaced by."""


def set_pooling_and_padding(
    backbone: Backbone, pooling: str | None, precision: Precision
) -> Backbone:
    """The same backbone, changed in place: pooling, replicate padding at the edge, precision.

    The first convolution sees the picture go on beyond its edge as its last pixels, instead of
    grey, which would show as a frame.

    Raises:
        OptionError: the network has no max pooling that could be replaced.
    """
    if pooling is not None:
        _replace_pools(backbone, pooling)
    first = next((m for m in backbone.modules() if isinstance(m, nn.Conv2d)), None)
    if first is not None and _overlaps(first):
        _replicate(first)
    return backbone.to(DTYPES[precision])


def _overlaps(convolution: nn.Conv2d) -> bool:
    """Whether its windows lie over one another; patches side by side see no edge. One that pads by
    itself, as timm's for TensorFlow's weights, is left alone."""
    steps = zip(convolution.kernel_size, convolution.stride, strict=True)
    own = type(convolution).forward is nn.Conv2d.forward
    return own and not isinstance(convolution.padding, str) and all(k > s for k, s in steps)


def _replicate(convolution: nn.Conv2d) -> None:
    """Without padding of its own it gets one: pixels at the edge would count less than others."""
    down, right = (size // 2 for size in convolution.kernel_size)
    convolution.padding = (down, right)
    convolution._reversed_padding_repeated_twice = [right, right, down, down]
    convolution.padding_mode = "replicate"


def _replace_pools(backbone: Backbone, pooling: str) -> None:
    pools = [
        (parent, name, child)
        for parent in backbone.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.MaxPool2d) and child.stride not in (1, (1, 1))
    ]
    if not pools:
        raise OptionError(
            f"{backbone.name} has no maxima that shrink its layers, so pooling {pooling!r} would "
            "change nothing; leave it out"
        )
    for parent, name, pool in pools:
        setattr(parent, name, POOLINGS[pooling](pool))
