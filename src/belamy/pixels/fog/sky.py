"""Sky segmentation by rule: smooth, bright or blue, and connected to the upper border."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.pixels.guided import box_filter, guided_upsample

__all__ = ["segment_sky"]

_SIDE = 160  # pixels of the longer side that the sky is looked for at
_SMOOTH = 0.025  # the largest step between neighbours there, in [0, 1]. By eye
_LIGHT = 0.55  # grey from which on a place may be sky; and for its blue, where blue leads
_BLUE = 0.4
_RADIUS, _EPSILON = 8, 1e-4  # of the guided filter that gives it the picture's edges


def segment_sky(image: Tensor) -> Tensor:
    """Soft sky mask.

    Args:
        image: (1, 3, H, W) in [0, 1].

    Returns:
        (1, 1, H, W) in [0, 1]; 0 everywhere in a picture without any.
    """
    height, width = image.shape[-2:]
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    small = F.interpolate(image, size, mode="area")
    found = _connect_to_top(_candidates(small))
    return guided_upsample(image, found, radius=_RADIUS, epsilon=_EPSILON).clamp(0, 1)


def _candidates(image: Tensor) -> Tensor:
    """1 where a place could be sky by its own looks."""
    grey = box_filter(image.mean(1, keepdim=True), 1)
    # the spread within 3×3: how steep it is there, in any direction
    steep = F.max_pool2d(grey, 3, 1, 1) + F.max_pool2d(-grey, 3, 1, 1)
    red, green, blue = (image[:, channel : channel + 1] for channel in range(3))
    leads = (blue > _BLUE) & (blue >= green) & (green >= red)
    found: Tensor = (steep < 2 * _SMOOTH) & ((grey > _LIGHT) | leads)
    return found.float()


def _connect_to_top(candidates: Tensor) -> Tensor:
    """Those that candidates join to the upper border, step by step."""
    reached = torch.zeros_like(candidates)
    reached[..., 0, :] = candidates[..., 0, :]
    while True:
        grown = F.max_pool2d(reached, 3, 1, 1) * candidates
        if torch.equal(grown, reached):
            return reached
        reached = grown
