"""A picture's colours by the size of what has them: grain, strokes, shapes, each with its moments.

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
from belamy.objectives.whitening import transport

__all__ = ["BANDS", "band_moments", "bands", "joined", "recoloured"]

BANDS = 5
"""Bands of details, each twice as coarse as the one before; what is larger than about 2^5 pixels is
the last one, with the mean colour. By eye."""

# How much a band's contrasts may grow and shrink, whatever the style has: a plain one does not wipe
# out what is shown, and what is nearly flat has no grain blown up. By eye.
_LEAST_GAIN, _MOST_GAIN = 0.5, 2.5


def bands(image: Tensor) -> list[Tensor]:
    """A picture (N, 3, H, W) as a Laplacian pyramid, the finest band first.

    Band k is (N, 3, ⌈H⌉/2^k, ⌈W⌉/2^k), the sides rounded up to multiples of 2^`BANDS`: beyond its
    edge the picture goes on as its last pixels.
    """
    below, right = (-side % 2**BANDS for side in image.shape[-2:])
    rest, found = F.pad(image, (0, right, 0, below), mode="replicate"), []
    for _ in range(BANDS):
        halved = F.avg_pool2d(rest, 2)
        found.append(rest - _doubled(halved))
        rest = halved
    return [*found, rest]


def joined(found: Sequence[Tensor], size: Sequence[int]) -> Tensor:
    """The picture of these `bands`, (N, 3, *size)."""
    image = found[-1]
    for band in reversed(found[:-1]):
        image = _doubled(image).add_(band)
    return image[..., : size[0], : size[1]]


def _doubled(image: Tensor) -> Tensor:
    return F.interpolate(image, scale_factor=2, mode="bilinear")


def band_moments(image: Tensor, mask: Tensor | None = None) -> list[Moments]:
    """The moments of each band of a picture.

    Args:
        image: (1, 3, H, W) in [0, 1].
        mask: (1, 1, H, W), what counts of it; None for all.
    """
    found = bands(image)
    shown = torch.ones_like(image[:, :1]) if mask is None else mask
    below, right = (-side % 2**BANDS for side in image.shape[-2:])
    places = F.pad(shown, (0, right, 0, below))[0]  # nothing counts beyond the edge
    return [moments_of(band, F.avg_pool2d(places, 2**level)[0]) for level, band in enumerate(found)]


def recoloured(image: Tensor, own: Sequence[Moments], wanted: Sequence[Moments]) -> Tensor:
    """A picture with other moments in each band, as far as they are within reach.

    Args:
        image: (1, 3, H, W) in [0, 1].
        own: its `band_moments`, or those of the part of it that counts.
        wanted: those that it shall have.

    Returns:
        (1, 3, H, W), not clamped.
    """
    made = []
    for band, before, after in zip(bands(image), own, wanted, strict=True):
        centred = band - before.mean[:, :, None, None]
        moved = torch.einsum("ncd,ndhw->nchw", _gain(before, after), centred)
        made.append(moved + after.mean[:, :, None, None])
    return joined(made, image.shape[-2:])


def _gain(own: Moments, wanted: Moments) -> Tensor:
    """(1, 3, 3), symmetric: how contrasts grow, along some three colours."""
    values, vectors = torch.linalg.eigh(transport(own, wanted, 1.0).matrix)
    limited = values.clamp(_LEAST_GAIN, _MOST_GAIN)
    return (vectors * limited[:, None, :]) @ vectors.mT  # type: ignore[no-any-return]
