"""Light, for recipes that render worlds: colours as tensors, blur, sRGB decoded."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["blur", "column", "to_light"]


def column(values: tuple[float, float, float]) -> Tensor:
    return torch.tensor(values).view(1, 3, 1, 1)


def blur(values: Tensor, sigma: float) -> Tensor:
    """Gaussian, of (N, C, H, W)."""
    radius = min(max(1, int(3 * sigma + 0.5)), min(values.shape[-2:]) - 1)
    kernel = torch.exp(-(torch.arange(-radius, radius + 1) ** 2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).float().view(1, 1, 1, -1).expand(values.shape[1], 1, 1, -1)
    padded = functional.pad(values, [radius] * 4, mode="reflect")
    wide = functional.conv2d(padded, kernel, groups=values.shape[1])
    return functional.conv2d(wide, kernel.mT, groups=values.shape[1])


def to_light(levels: Tensor) -> Tensor:
    """sRGB, decoded."""
    return torch.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
