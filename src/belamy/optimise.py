"""Gradient descent on pictures: an objective's gradient for the pixels, and two ways to follow it.

Everything is minimised: an objective that excites something is a negative one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from belamy.errors import Diverged
from belamy.networks.backbone import Backbone
from belamy.objectives.objective import IMAGE, Activations, Objective, scale_crop_gradients
from belamy.pixels.tiles import apply_tiled

_SINGLE_BYTES = 4

GradientFunction = Callable[[Tensor, int], tuple[Tensor, float]]
"""(image, step) → the objective's gradient for the image, and its value."""


@dataclass(frozen=True)
class Tiling:
    """How a large picture is cut into tiles: see `belamy.pixels.tiles.plan`."""

    tile: int
    margin: int
    align: int


def activations_of(backbone: Backbone, image: Tensor, layers: Iterable[str]) -> Activations:
    """A network's activations for a picture, and the picture itself for objectives on its pixels.

    Args:
        image: (N, 3, H, W), sRGB in [0, 1].
        layers: names of the network's layers, and `IMAGE`.

    Returns:
        layer → (N, C, H', W'), or (N, classes), in float32 or better: sums over places are not for
        halves; `IMAGE` → the picture.
    """
    names = set(layers)
    activations = {name: _in_single(x) for name, x in backbone(image, names - {IMAGE}).items()}
    return {**activations, IMAGE: image} if IMAGE in names else activations


def _in_single(activation: Tensor) -> Tensor:
    return activation.float() if activation.element_size() < _SINGLE_BYTES else activation


def gradient_of(
    backbone: Backbone,
    objective: Objective,
    image: Tensor,
    positions: Mapping[str, float] | None = None,
) -> tuple[Tensor, float]:
    """The gradient (1, 3, H, W) of an objective for the pixels, and its value.

    Args:
        positions: layer → positions in the whole picture, when `image` is a crop of it.
    """
    with torch.enable_grad():  # whoever calls may have switched gradients off
        pixels = image.detach().requires_grad_(True)
        activations = activations_of(backbone, pixels, objective.layers)
        loss = objective(
            activations if positions is None else scale_crop_gradients(activations, positions)
        )
        (gradient,) = torch.autograd.grad(loss, pixels)
    return gradient, float(loss.detach())


def tiled_gradient_of(
    backbone: Backbone,
    objective: Objective,
    image: Tensor,
    tiling: Tiling,
    offset: tuple[int, int],
    shift: tuple[int, int] = (0, 0),
) -> tuple[Tensor, float]:
    """Like `gradient_of`, in the memory of one tile; the value is the mean over the crops.

    Args:
        shift: the network sees the picture rolled down and right by so many pixels; the gradient
            is that of the picture as it is.
    """
    positions = _count_positions(backbone, objective, image)
    values: list[tuple[float, int]] = []

    def gradient_of_crop(crop: Tensor) -> Tensor:
        gradient, value = gradient_of(backbone, objective, crop, positions)
        values.append((value, crop.shape[-2] * crop.shape[-1]))
        return gradient

    gradient = apply_tiled(
        gradient_of_crop, image, tiling.tile, tiling.margin, offset, tiling.align, shift
    )
    total = sum(pixels for _, pixels in values)
    return gradient, sum(value * pixels for value, pixels in values) / total


def _count_positions(backbone: Backbone, objective: Objective, image: Tensor) -> dict[str, float]:
    """Layer → spatial positions of the whole picture; layers without positions are left out."""
    area = image.shape[-2] * image.shape[-1]
    names = objective.layers - {IMAGE}
    strides = {name: backbone.layers[backbone.resolve(name)].stride for name in names}
    strides |= dict.fromkeys(objective.layers & {IMAGE}, 1)
    return {name: area / stride**2 for name, stride in strides.items() if stride is not None}


def descend(
    image: Tensor,
    gradient_at: GradientFunction,
    *,
    steps: int,
    step_size: float,
    smooth: Callable[[Tensor], Tensor],
    mask: Tensor | None = None,
) -> Iterator[tuple[Tensor, float]]:
    """Gradient descent on the pixels, with normalised gradients.

    Args:
        image: (1, 3, H, W) in [0, 1]; not changed in place.
        gradient_at: called once a step.
        steps: how many.
        step_size: mean change of a value in one step: the gradient is divided by its own mean
            magnitude, as in Google's notebook, so that deep and shallow layers move alike.
        smooth: gradient → gradient; it may write over what it is given.
        mask: (1, 1, H, W) in [0, 1], multiplied into each change; None moves everything.

    Yields:
        the image after each step, and the objective's value before it.

    Raises:
        Diverged: the gradient is no longer a number.
    """
    for index in range(steps):
        gradient, value = gradient_at(image, index)
        gradient = smooth(gradient)
        size = float(gradient.abs().mean())
        if not size < float("inf"):  # catches NaN too
            raise Diverged(f"the gradient is {size} at step {index + 1}; try a smaller step size")
        change = gradient.mul_(-step_size / size) if size > 0 else gradient
        if mask is not None:
            change = change.mul_(mask)
        image = change.add_(image).clamp_(0, 1)
        yield image, value


def fit(
    canvas: nn.Module, loss_of: Callable[[Tensor, int], Tensor], *, steps: int, step_size: float
) -> Iterator[tuple[Tensor, float]]:
    """Minimise a loss over a canvas' parameters, by Adam.

    Args:
        canvas: `forward()` gives a picture (1, 3, H, W) in [0, 1].
        loss_of: (picture, step) → scalar.
        steps, step_size: Adam's.

    Yields:
        the picture after each step, and the loss before it.

    Raises:
        Diverged: the loss is no longer a number.
    """
    optimizer = torch.optim.Adam(canvas.parameters(), lr=step_size)
    for index in range(steps):
        optimizer.zero_grad(set_to_none=True)
        with torch.enable_grad():
            loss = loss_of(canvas(), index)
            value = float(loss.detach())
            if not abs(value) < float("inf"):
                raise Diverged(f"the loss is {value} at step {index + 1}; try a smaller step size")
            loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        with torch.no_grad():
            image = canvas()
        yield image, value
