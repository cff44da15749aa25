"""Halving and doubling of feature maps that neither alias nor leave a checkerboard.

A strided convolution lets fine detail through as false coarse detail, and a transposed one paints
every second pixel stronger (Zhang 2019, "Making convolutional networks shift-invariant again";
Odena et al. 2016). R3GAN (Huang et al. 2024) filters with [1, 2, 1]. **Differs**: [1, 3, 3, 1],
which is [1, 2, 1] for even sizes: it weighs both halves of a picture alike, and moves nothing by
half a pixel.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Downsample", "Upsample", "downsample", "resample", "soften", "upsample"]

_TAPS = (1.0, 3.0, 3.0, 1.0)
_LOBES = 3  # of Lanczos' filter
_SOFT = 0.15  # of each neighbour, by eye


def downsample(x: Tensor) -> Tensor:
    """(N, C, H, W) → (N, C, ⌈H/2⌉, ⌈W/2⌉), filtered; edges are repeated.

    Two products with a band matrix, because a convolution of single channels has a backward pass
    that is many times slower than that in bfloat16 on processors, and cannot be repeated on CUDA.
    """
    count, channels, height, width = x.shape
    down, right = (_halving(side, x) for side in (height, width))
    x = x.permute(0, 2, 3, 1)  # (N, H, W, C), as channels-last tensors lie
    x = down @ x.reshape(count, height, width * channels)  # (N, H/2, W·C)
    x = right @ x.reshape(-1, width, channels)  # (N·H/2, W/2, C)
    return x.reshape(count, len(down), len(right), channels).permute(0, 3, 1, 2)


def _halving(side: int, like: Tensor) -> Tensor:
    """The matrix (⌈side/2⌉, side) that filters and takes every second place."""
    matrix = torch.zeros(-(-side // 2), side)
    places = torch.arange(len(matrix))
    for offset, tap in enumerate(_TAPS, -1):
        source = (2 * places + offset).clamp(0, side - 1)
        matrix[places, source] += tap / sum(_TAPS)
    return matrix.to(like)


def resample(x: Tensor, side: int) -> Tensor:
    """(N, C, S, S) → (N, C, side, side), larger by any factor, with Lanczos' filter; beyond edges,
    the edge. It keeps more detail than `upsample`; as products, like `downsample`."""
    count, channels, height, width = x.shape
    matrix = _enlarging(int(width), side, x)
    x = x.permute(0, 2, 3, 1)  # (N, H, W, C)
    x = matrix @ x.reshape(count, height, width * channels)
    x = matrix @ x.reshape(-1, width, channels)
    return x.reshape(count, side, side, channels).permute(0, 3, 1, 2)


def soften(x: Tensor) -> Tensor:
    """(N, C, H, W), filtered with [3, 14, 3]: of the finest stripes two fifths are left."""
    wide = F.pad(x, (1, 1, 0, 0), mode="replicate")
    x = _SOFT * (wide[..., :-2] + wide[..., 2:]) + (1 - 2 * _SOFT) * x
    tall = F.pad(x, (0, 0, 1, 1), mode="replicate")
    return _SOFT * (tall[..., :-2, :] + tall[..., 2:, :]) + (1 - 2 * _SOFT) * x


def _enlarging(side: int, target: int, like: Tensor) -> Tensor:
    """The matrix (target, side) of what each new place takes of the old ones."""
    position = (np.arange(target) + 0.5) * side / target - 0.5  # ONNX has no sinc: numbers
    taps = np.floor(position).astype(np.int64)[:, None] + np.arange(1 - _LOBES, 1 + _LOBES)
    distance = position[:, None] - taps
    kernel = np.sinc(distance) * np.sinc(distance / _LOBES)
    matrix = np.zeros((target, side))
    np.add.at(matrix, (np.arange(target)[:, None], taps.clip(0, side - 1)), kernel)
    return torch.from_numpy(matrix / matrix.sum(1, keepdims=True)).to(like)


def upsample(x: Tensor) -> Tensor:
    """(N, C, H, W) → (N, C, 2H, 2W), bilinear: [1, 3, 3, 1] over zeros between the places."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class Downsample(nn.Module):
    """`downsample` as a layer."""

    def forward(self, x: Tensor) -> Tensor:
        return downsample(x)


class Upsample(nn.Module):
    """`upsample` as a layer."""

    def forward(self, x: Tensor) -> Tensor:
        return upsample(x)
