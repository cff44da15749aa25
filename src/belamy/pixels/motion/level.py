"""The level of a film's regions, held where the film holds its own.

A network that normalises by the mean and variance of a whole picture makes all of it darker when
something bright comes in. Only the smooth part of the change is taken back, so that nothing blurs.
"""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.pixels.pyramid import gaussian_blur

__all__ = ["hold_level", "match_level"]

_CELLS = 24  # on the long side, in which levels are measured
_SIGMA = 1.0  # cells
_LEAK = 0.002  # of what is held is let go with each frame, so that it does not stay for ever
_STIR = 1 / 255  # a change of the film's own level by so much lets go of most of it
_MOST = 0.2  # of the range; more is no breathing
_LEAST = 0.001  # part of a region that has to be known; more would let go of as much in each frame

_ROUNDS = 3  # after which what is cut off counts no more


def hold_level(painted: Tensor, moved: Tensor, likeness: Tensor, change: Tensor) -> Tensor:
    """A frame with the smooth part of its difference from the one before taken back.

    Args:
        painted: (1, 3, H, W), by itself.
        moved: the result before, moved to here.
        likeness: (1, 1, H, W) in [0, 1]: where the film shows the same, and how far that is held.
        change: (1, 3, H, W): of the film itself, from the frame before, moved, to this one.
    """
    difference = (moved.to(painted) - painted) * likeness
    sure = likeness**4  # edges of what passes are half alike, and are no change of light
    cells = _in_cells(torch.cat([difference, likeness, change * sure, sure], dim=1))
    level = cells[:, :3] / (cells[:, 3:4] + _LEAST)
    own = cells[:, 4:7] / (cells[:, 7:] + _LEAST)
    stirred = own.abs().amax(1, keepdim=True) / _STIR
    held = (level * (1 - _LEAK) * torch.exp(-stirred)).clamp(-_MOST, _MOST)
    return painted + _enlarge(held, painted)


def match_level(image: Tensor, reference: Tensor) -> Tensor:
    """The image with the smooth part of its difference from another taken back, and no more than it
    can be: what is cut off beyond black and white is made good around it.

    Args:
        image: (1, 3, H, W), any range.
        reference: likewise.

    Returns:
        in [0, 1].
    """
    image = image.clamp(0, 1)
    for _ in range(_ROUNDS):
        image = (image + _enlarge(_in_cells(reference - image), image)).clamp(0, 1)
    return image


def _in_cells(planes: Tensor) -> Tensor:
    """(1, C, h, w), smooth, of (1, C, H, W)."""
    height, width = planes.shape[-2:]
    side = max(1, max(height, width) // _CELLS)
    grid = (max(1, height // side), max(1, width // side))
    return gaussian_blur(F.adaptive_avg_pool2d(planes, grid), _SIGMA, "replicate")


def _enlarge(cells: Tensor, like: Tensor) -> Tensor:
    """Bilinear, as two products of matrices, which take a fifth of the time of torch's own."""
    sizes = zip(cells.shape[-2:], like.shape[-2:], strict=True)
    rows, columns = (_weights(*pair).to(cells) for pair in sizes)
    return rows @ cells @ columns.T


@functools.lru_cache(maxsize=8)
def _weights(cells: int, pixels: int) -> Tensor:
    """(pixels, cells): how much each cell of a row counts at each pixel."""
    return F.interpolate(torch.eye(cells)[None], pixels, mode="linear")[0].T.contiguous()
