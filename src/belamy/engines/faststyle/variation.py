"""Smooth noise that is added to a picture before it is painted, at several scales.

A network does the same wherever a picture is the same: an empty sky gets one hatch all over. With
a little noise it has something to begin a stroke, a swirl or a star with.

Source: Ulyanov et al. 2016, "Texture networks", whose network is given noise beside the picture.
**Differs**: it is added to the picture, so that any network can take it.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.devices import make_rng

__all__ = ["add_variation", "vary_picture"]

_CELLS = (8, 16, 32)  # pixels between the noise's own points, at each scale. By eye
_BAND = 256  # rows to which noise is added at a time
_KEPT = 2_000_000  # pixels up to which the noise of a size is kept, for the next frame of a film


def add_variation(images: Tensor, amount: float, rng: torch.Generator) -> Tensor:
    """The pictures (N, 3, H, W) in [0, 1], lighter here and darker there.

    Args:
        amount: the standard deviation of what is added, alike for all colours.
        rng: where the noise comes from.
    """
    if amount == 0:
        return images
    height, width = images.shape[-2:]
    return _add_noise(images, amount, _draw_noise(len(images), height, width, rng))


def vary_picture(image: Tensor, amount: float, seed: int) -> Tensor:
    """A picture (1, 3, H, W) in [0, 1] with the noise of a seed, which pictures of a size share.

    Args:
        amount: see `add_variation`.
    """
    if amount == 0:
        return image
    height, width = image.shape[-2:]
    draw = _keep_noise if height * width <= _KEPT else _keep_noise.__wrapped__
    return _add_noise(image, amount, draw(height, width, seed))


@lru_cache(maxsize=3)
def _keep_noise(height: int, width: int, seed: int) -> Tensor:
    return _draw_noise(1, height, width, make_rng(seed, "variation"))


def _draw_noise(count: int, height: int, width: int, rng: torch.Generator) -> Tensor:
    """(N, 1, H, W)."""
    noise = torch.zeros(count, 1, height, width)
    for cell in _CELLS:
        rows, columns = -(-height // cell) + 1, -(-width // cell) + 1
        points = torch.randn((count, 1, rows, columns), generator=rng)
        smooth = F.interpolate(points, scale_factor=cell, mode="bicubic")[..., :height, :width]
        noise += smooth.div_(smooth.std().clamp_min(1e-6))
    return noise


def _add_noise(images: Tensor, amount: float, noise: Tensor) -> Tensor:
    factor, varied = amount * len(_CELLS) ** -0.5, torch.empty_like(images)
    bands = (torch.split(whole, _BAND, dim=-2) for whole in (varied, images, noise.to(images)))
    for out, own, added in zip(*bands, strict=True):  # pictures can be large
        torch.add(own, factor * added, out=out).clamp_(0, 1)
    return varied
