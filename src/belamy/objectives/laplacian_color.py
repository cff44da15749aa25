"""Colour transfer in the bands of a Laplacian pyramid: moments matched at each scale.

A network draws paler than what it was shown, since it averages whatever it is not sure of, and the
smaller the paler: of a painting's brightness it keeps two thirds in details of a pixel or two, and
of its hues a third. One map of all colours would leave that as it is; a map for each band mends it.

Source: Heeger & Bergen 1995, "Pyramid-based texture analysis/synthesis", who match histograms in
the bands of a steerable pyramid (Burt & Adelson 1983). **Differs**: means and covariances of the
three colours together, by the least movement, within limits; bands without directions, once.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.objectives.style_losses import Moments, moments_of
from belamy.objectives.whitening import whitening_coloring

__all__ = ["BANDS", "band_moments", "merge_bands", "split_bands", "transfer_band_moments"]

BANDS = 5
"""Bands of details, each twice as coarse as the one before; what is larger than about 2^5 pixels is
the last one, with the mean colour. By eye."""

# How much a band's contrasts may grow and shrink, whatever the style has: a plain one does not wipe
# out what is shown, and what is nearly flat has no noise blown up. By eye.
_LEAST_GAIN, _MOST_GAIN = 0.5, 2.5


def split_bands(image: Tensor) -> list[Tensor]:
    """A picture (N, 3, H, W) as a Laplacian pyramid, the finest band first.

    Band k is (N, 3, ⌈H⌉/2^k, ⌈W⌉/2^k), the sides rounded up to multiples of 2^`BANDS`: beyond its
    edge the picture goes on as its last pixels.
    """
    below, right = (-side % 2**BANDS for side in image.shape[-2:])
    rest, bands = F.pad(image, (0, right, 0, below), mode="replicate"), []
    for _ in range(BANDS):
        halved = F.avg_pool2d(rest, 2)
        bands.append(rest - _upsample(halved))
        rest = halved
    return [*bands, rest]


def merge_bands(bands: Sequence[Tensor], size: Sequence[int]) -> Tensor:
    """The picture of these `split_bands` (N, 3, *size)."""
    image = bands[-1]
    for band in reversed(bands[:-1]):
        image = _upsample(image).add_(band)
    return image[..., : size[0], : size[1]]


def _upsample(image: Tensor) -> Tensor:
    return F.interpolate(image, scale_factor=2, mode="bilinear")


def band_moments(image: Tensor, mask: Tensor | None = None) -> list[Moments]:
    """The moments of each band of a picture.

    Args:
        image: (1, 3, H, W) in [0, 1].
        mask: (1, 1, H, W), what counts of it; None for all.
    """
    bands = split_bands(image)
    shown = torch.ones_like(image[:, :1]) if mask is None else mask
    below, right = (-side % 2**BANDS for side in image.shape[-2:])
    positions = F.pad(shown, (0, right, 0, below))[0]  # nothing counts beyond the edge
    return [
        moments_of(band, F.avg_pool2d(positions, 2**level)[0]) for level, band in enumerate(bands)
    ]


def transfer_band_moments(
    image: Tensor, own: Sequence[Moments], target: Sequence[Moments]
) -> Tensor:
    """Colour transfer: a picture with the target's moments in each band, within limits of gain.

    Args:
        image: (1, 3, H, W) in [0, 1].
        own: its `band_moments`, or those of the part of it that counts.
        target: `band_moments` of the style.

    Returns:
        (1, 3, H, W), not clamped.
    """
    changed = []
    for band, before, after in zip(split_bands(image), own, target, strict=True):
        centred = band - before.mean[:, :, None, None]
        scaled = torch.einsum("ncd,ndhw->nchw", _gain(before, after), centred)
        changed.append(scaled + after.mean[:, :, None, None])
    return merge_bands(changed, image.shape[-2:])


def _gain(own: Moments, target: Moments) -> Tensor:
    """(1, 3, 3), symmetric: how contrasts grow, along some three colours."""
    values, vectors = torch.linalg.eigh(whitening_coloring(own, target, 1.0).matrix)
    limited = values.clamp(_LEAST_GAIN, _MOST_GAIN)
    return (vectors * limited[:, None, :]) @ vectors.mT  # type: ignore[no-any-return]
