"""A style's own strokes, where a whole stretch of it is laid.

A decoder draws what it is not sure of as thin curls, most of all in skies and on walls, where there
is nothing to go by. But just there one stretch of the style is laid over many positions, and its
pixels are known: details are taken from them. Where patches of many places meet, on contours, their
mean is a blur in squares: there less is laid, and the decoder draws.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from belamy.networks.image_to_image.arbitrary_style import STRIDE
from belamy.objectives.patch_match import PATCH_SIZE

__all__ = ["STROKE_REACH", "find_stretches", "lay_strokes", "stroke_amount", "vary_fraction"]

STROKE_REACH = 24
"""Pixels beyond which nothing decides what strokes change in one."""

# What patches that meet at the edge of a stretch have in common: a row of three in nine
_EDGE = 1 / PATCH_SIZE
# Of the fraction of patches: how much is laid where none agree, and how much more in a stretch. By
# the manner and content that SqueezeNet measures (`benchmarks/style_quality.py`).
_LEAST, _MORE = 0.32, 0.7
_BROAD = 16  # pixels of the squares over which what is broader than strokes is averaged. By eye
_FULL = 0.5  # the fraction of patches from which on strokes are laid in full. By eye


def find_stretches(coherence: Tensor) -> Tensor:
    """(1, 1, h, w): 1 inside of stretches of the style that are laid whole, 0 where patches mix.

    Args:
        coherence: see `belamy.objectives.patch_match.Swap`.
    """
    whole = ((coherence - _EDGE) / (1 - _EDGE)).clamp(0, 1)
    return F.avg_pool2d(F.pad(whole, [1] * 4, mode="replicate"), 3, stride=1)


def vary_fraction(fraction: float, stretches: Tensor, strokes: float) -> Tensor:
    """(1, 1, h, w): how much is laid of patches at each position.

    Args:
        fraction: what was asked for.
        stretches: see `find_stretches`.
        strokes: 0 lays so much everywhere.
    """
    varied = fraction * (_LEAST + _MORE * stretches)
    return (fraction + strokes * (varied - fraction)).clamp(0, 1)


def lay_strokes(painted: Tensor, laid: Tensor, stretches: Tensor, amount: float) -> Tensor:
    """How a painting changes that takes its details from what is laid: (1, 3, H, W).

    Args:
        painted: (1, 3, H, W), what was drawn; sides are multiples of `STRIDE`.
        laid: (1, 3, H, W), the pixels of the patches.
        stretches: (1, 1, H/8, W/8), where.
        amount: how much of it.
    """
    where = F.interpolate(stretches, scale_factor=STRIDE, mode="bilinear")
    return amount * where * (_take_strokes(laid) - _take_strokes(painted))


def _take_strokes(image: Tensor) -> Tensor:
    """What is no broader than a stroke, (N, 3, H, W), H and W multiples of `STRIDE`."""
    height, width = image.shape[-2:]
    beyond = F.pad(image, (0, -width % _BROAD, 0, -height % _BROAD), mode="replicate")
    broad = F.interpolate(F.avg_pool2d(beyond, _BROAD), scale_factor=_BROAD, mode="bilinear")
    return image - broad[..., :height, :width]


def stroke_amount(fraction: float, strokes: float) -> float:
    """How much of the strokes is laid, by the fraction of patches that was asked for."""
    return strokes * min(1.0, fraction / _FULL)
