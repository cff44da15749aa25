"""Differentiable augmentation (DiffAugment) of what a discriminator sees, real and generated.

Differentiable, so that the generator learns through them; each picture of a batch gets its own.

Source: Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training" (their
picture values run from −1 to 1, ours from 0 to 1: brightness is halved, gaps are mid-grey).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

__all__ = ["AUGMENTATIONS", "diff_augment"]

_GREY = 0.5  # what lies outside a picture and in its holes
_BRIGHTNESS = 0.25  # each way
_SATURATION = (0.0, 2.0)
_CONTRAST = (0.5, 1.5)
_SHIFT = 1 / 8  # of the side, each way
_HOLE = 1 / 2  # of the side


def diff_augment(
    images: Tensor,
    rng: torch.Generator,
    *,
    probability: float = 1.0,
    policy: Sequence[str] = ("color", "translation", "cutout"),
) -> Tensor:
    """Augment pictures (N, 3, H, W) in [0, 1], each in its own way.

    Args:
        images: of any device.
        rng: on the CPU; the same state gives the same changes.
        probability: that a picture is changed, drawn for each augmentation.
        policy: some of `AUGMENTATIONS`, in this order.
    """
    for name in policy:
        touched = torch.rand(len(images), 1, 1, 1, generator=rng) < probability
        if not bool(touched.any()):
            continue
        changed = AUGMENTATIONS[name](images, rng)
        if bool(touched.all()):
            images = changed
        else:
            images = torch.where(touched.to(images.device), changed, images)
    return images


def _color(images: Tensor, rng: torch.Generator) -> Tensor:
    """Brightness, then saturation, then contrast."""
    draws = torch.rand(3, len(images), 1, 1, 1, generator=rng).to(images)
    images = images + (2 * draws[0] - 1) * _BRIGHTNESS
    images = _scale_around(
        images.mean(dim=1, keepdim=True), images, _interpolate(_SATURATION, draws[1])
    )
    return _scale_around(
        images.mean(dim=(1, 2, 3), keepdim=True), images, _interpolate(_CONTRAST, draws[2])
    )


def _scale_around(centre: Tensor, images: Tensor, factor: Tensor) -> Tensor:
    return centre + (images - centre) * factor


def _interpolate(limits: tuple[float, float], fraction: Tensor) -> Tensor:
    return limits[0] + (limits[1] - limits[0]) * fraction


def _translation(images: Tensor, rng: torch.Generator) -> Tensor:
    for dim in (-2, -1):
        side = images.shape[dim]
        limit = round(side * _SHIFT)
        shifts = torch.randint(-limit, limit + 1, (len(images), 1), generator=rng)
        images = _translate(images, shifts.to(images.device), dim)
    return images


def _translate(images: Tensor, shifts: Tensor, dim: int) -> Tensor:
    """Each picture moved by its own number of pixels (N, 1) along one dimension."""
    side = images.shape[dim]
    source = torch.arange(side, device=images.device) - shifts  # (N, side)
    shape = [len(images), 1, 1, 1]
    shape[dim] = side
    inside = ((source >= 0) & (source < side)).reshape(shape)
    taken = source.clamp(0, side - 1).reshape(shape).expand(images.shape)
    return torch.where(inside, images.gather(dim, taken), _GREY)


def _cutout(images: Tensor, rng: torch.Generator) -> Tensor:
    """A grey square, half as wide as the picture; its centre may lie on the edge."""
    holes = []
    for dim in (-2, -1):
        side = images.shape[dim]
        size = round(side * _HOLE)
        centres = torch.randint(side + (size + 1) % 2, (len(images), 1), generator=rng)
        first = centres - size // 2
        positions = torch.arange(side)
        holes.append((positions >= first) & (positions < first + size))  # (N, side)
    hole = (holes[0][:, None, :, None] & holes[1][:, None, None, :]).to(images.device)
    return torch.where(hole, _GREY, images)


AUGMENTATIONS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "color": _color,
    "translation": _translation,
    "cutout": _cutout,
}
"""Name → augmentation of a batch."""
