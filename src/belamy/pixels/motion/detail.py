"""How much fine detail a picture has, band by band; held, bounded, and given back after a blend.

Bands are differences of Gaussians, the finest first. What averages unlike textures loses energy in
them and looks blurred; what adds detail to each frame of a film gains more and more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from belamy.pixels.colors import color_transfer
from belamy.pixels.motion.flow import opencv
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

_LEVELS = 3  # of detail that is given back
_SMALLEST = 8  # pixels of a side below which a picture has no bands
_NEIGHBOURHOOD = 6.0  # sigma of the window in which energies are compared, in pixels
_COARSER = 4  # times, at which energies are compared
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
        blend: (1, C, H, W) in [0, 1], blurred by having been averaged.
        sharp: the same scene with all of its detail, though at other places.

    Raises:
        MissingExtra: OpenCV is not installed.
    """
    soft, model = (
        np.ascontiguousarray(one[0].permute(1, 2, 0).cpu().numpy()) for one in (blend, sharp)
    )
    restored = _restore_bands(soft, model, _LEVELS, _NEIGHBOURHOOD)
    return torch.from_numpy(restored).permute(2, 0, 1)[None].contiguous().to(blend)


def _restore_bands(blend: np.ndarray, sharp: np.ndarray, levels: int, sigma: float) -> np.ndarray:
    """Band by band of a pyramid, each half as large as the one before (H, W, C).

    Args:
        sigma: of the window in which energies are compared, in pixels of this band.
    """
    size = blend.shape[1::-1]
    if levels == 0 or min(size) < _SMALLEST:
        return blend
    cv2 = opencv()
    small, small_sharp = cv2.pyrDown(blend), cv2.pyrDown(sharp)
    band, model = (
        whole - cv2.pyrUp(part, dstsize=size)
        for whole, part in ((blend, small), (sharp, small_sharp))
    )
    ratio = (_local_energy(model, sigma) + _FAINTEST) / (_local_energy(band, sigma) + _FAINTEST)
    gain = np.sqrt(ratio).clip(1 / _MOST_GAIN, _MOST_GAIN)
    band *= cv2.resize(gain, size, interpolation=cv2.INTER_LINEAR)[..., None]
    rest = _restore_bands(small, small_sharp, levels - 1, sigma / 2)
    restored: np.ndarray = cv2.pyrUp(rest, dstsize=size)
    restored += band
    return restored


def _local_energy(band: np.ndarray, sigma: float) -> np.ndarray:
    """The mean square of a band around each place, at a fraction of its size."""
    cv2 = opencv()
    squares = cv2.transform(band * band, np.full((1, band.shape[2]), 1 / band.shape[2]))
    height, width = squares.shape[:2]
    size = -(-width // _COARSER), -(-height // _COARSER)
    coarse = cv2.resize(squares, size, interpolation=cv2.INTER_AREA)
    energy: np.ndarray = cv2.GaussianBlur(
        coarse, (0, 0), sigma / _COARSER, borderType=cv2.BORDER_REPLICATE
    )
    return energy


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
