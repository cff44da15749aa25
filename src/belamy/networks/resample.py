"""Halving and doubling of feature maps that neither alias nor leave a checkerboard.

A strided convolution lets fine detail through as false coarse detail, and a transposed one paints
every second pixel stronger (Zhang 2019, "Making convolutional networks shift-invariant again";
Odena et al. 2016). R3GAN (Huang et al. 2024) filters with [1, 2, 1]. **Differs**: [1, 3, 3, 1],
which is [1, 2, 1] for even sizes: it weighs both halves of a picture alike, and moves nothing by
half a pixel.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Downsample", "Upsample", "downsample", "upsample"]

_TAPS = (1.0, 3.0, 3.0, 1.0)


def downsample(x: Tensor) -> Tensor:
    """(N, C, H, W) → (N, C, ⌈H/2⌉, ⌈W/2⌉), filtered; edges are repeated. H and W at least 2."""
    height, width = x.shape[-2:]
    channels = x.shape[1]
    taps = torch.tensor(_TAPS, dtype=x.dtype, device=x.device)
    kernel = torch.outer(taps, taps).div_(taps.sum() ** 2).expand(channels, 1, 4, 4)
    x = F.pad(x, (1, 1 + width % 2, 1, 1 + height % 2), mode="replicate")
    return F.conv2d(x, kernel, stride=2, groups=channels)


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
