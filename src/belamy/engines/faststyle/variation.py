"""Smooth noise that is added to a picture before it is painted, at several scales.

A network does the same wherever a picture is the same: an empty sky gets one hatch all over. With
a little noise it has something to begin a stroke, a swirl or a star with.

Source: Ulyanov et al. 2016, "Texture networks", whose network is given noise beside the picture.
**Differs**: it is added to the picture, so that any network can take it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["add_variation"]

_CELLS = (8, 16, 32)  # pixels between the noise's own points, at each scale. By eye


def add_variation(images: Tensor, amount: float, rng: torch.Generator) -> Tensor:
    """The pictures (N, 3, H, W) in [0, 1], lighter here and darker there.

    Args:
        amount: the standard deviation of what is added, alike for all colours.
        rng: where the noise comes from.
    """
    if amount == 0:
        return images
    count, (height, width) = len(images), images.shape[-2:]
    noise = torch.zeros(count, 1, height, width)
    for cell in _CELLS:
        rows, columns = -(-height // cell) + 1, -(-width // cell) + 1
        points = torch.randn((count, 1, rows, columns), generator=rng)
        smooth = F.interpolate(points, scale_factor=cell, mode="bicubic")[..., :height, :width]
        noise += smooth / smooth.std().clamp_min(1e-6)
    varied: Tensor = images + amount * len(_CELLS) ** -0.5 * noise.to(images)
    return varied.clamp(0, 1)
