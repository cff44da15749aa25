"""How much fine detail a picture has, band by band; held, bounded, and given back after a blend.

Bands are differences of Gaussians, the finest first. What averages unlike textures loses energy in
them and looks blurred; what adds detail to each frame of a film gains more and more.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from belamy.pixels.colors import color_transfer
from belamy.pixels.pyramid import gaussian_blur

__all__ = [
    "SIGMAS",
    "band_energies",
    "gradient_energy",
    "hold_colors",
    "hold_detail",
    "restore_detail",
    "split_bands",
]

SIGMAS = (1.0, 2.0, 4.0)
"""Of the Gaussians between the bands, in pixels."""

_NEIGHBOURHOOD = 6.0  # sigma of the window in which energies are compared, in pixels
_FAINTEST = 0.5 / 255**2  # energy that counts as none: half a squared level of 255
_MOST_GAIN = 2.0


def split_bands(image: Tensor, sigmas: Sequence[float] = SIGMAS) -> list[Tensor]:
    """Bands of detail (N, C, H, W) from the finest on, and what is left: their sum is the image."""
    bands = []
    for sigma in sigmas:
        smooth = gaussian_blur(image, sigma, "replicate")
        bands.append(image - smooth)
        image = smooth
    return [*bands, image]


def band_energies(image: Tensor, sigmas: Sequence[float] = SIGMAS) -> list[float]:
    """Mean square of each band of detail, the finest first."""
    return [float(band.square().mean()) for band in split_bands(image, sigmas)[:-1]]


def hold_detail(detail: Tensor, target: Sequence[float], most_gain: float = 1.0) -> Tensor:
    """Detail with no band stronger than its target, and none much weaker.

    Args:
        detail: (N, C, H, W); a picture, or what was added to one.
        target: mean square of each band, as `band_energies` measures it.
        most_gain: the most that a weaker band is raised by; at 1 none is.
    """
    *bands, rest = split_bands(detail)
    for band, limit in zip(bands, target, strict=True):
        energy = float(band.square().mean())
        gain = (limit / energy) ** 0.5 if energy > 0 else 1.0
        rest = rest + band * min(most_gain, gain)
    return rest


def restore_detail(blend: Tensor, sharp: Tensor) -> Tensor:
    """A blend of pictures with the detail that one of them has, place by place.

    Args:
        blend: (N, C, H, W) in [0, 1], blurred by having been averaged.
        sharp: the same scene with all of its detail, though at other places.
    """
    *soft, rest = split_bands(blend)
    for band, model in zip(soft, split_bands(sharp), strict=False):
        gain = (_local_energy(model) + _FAINTEST) / (_local_energy(band) + _FAINTEST)
        rest = rest + band * gain.sqrt_().clamp_(1 / _MOST_GAIN, _MOST_GAIN)
    return rest


def _local_energy(band: Tensor) -> Tensor:
    """(N, 1, H, W): the mean square of a band around each pixel."""
    return gaussian_blur(band.square().mean(1, keepdim=True), _NEIGHBOURHOOD, "replicate")


def gradient_energy(image: Tensor) -> float:
    """Mean squared difference between neighbours: how sharp a picture is, beside another one."""
    rows = image.diff(dim=-2).square().mean()
    return float(rows + image.diff(dim=-1).square().mean())


def hold_colors(image: Tensor, reference: Tensor, strength: float) -> Tensor:
    """The image with its colours moved a part of the way to the mean and spread of another's.

    Args:
        image: (1, 3, H, W).
        reference: (1, 3, K, L), any size.
        strength: the part, 0 to 1.

    Returns:
        not clamped.
    """
    matrix, offset = color_transfer(image, reference)
    partial = strength * matrix + (1 - strength) * torch.eye(3, dtype=matrix.dtype)
    moved = torch.einsum("ij,njhw->nihw", partial.to(image), image)
    return moved + strength * offset.to(image).view(1, 3, 1, 1)
