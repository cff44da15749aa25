"""Monitoring of translations: failures of a training that numbers do not show, in words; a sheet of
pictures."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.pixels.colors import luma
from belamy.pixels.images import contact_sheet

__all__ = ["contact_sheet_of", "find_faults"]

_GRID = 12  # cells on each side at which pictures are compared: forms, not strokes. By eye
_INVERTED = -0.3  # correlation of luma with the picture's own, below which it is a negative
_OPPOSED = -0.5  # and of colours. By eye: another domain may have other ones, but not all opposite
_COLOURLESS = 0.02  # deviation of colours from grey, in [0, 1], below which there are none. By eye
_ALIKE = 0.25  # differences between translations, in those between the pictures. By eye
_UNCHANGED = 0.01  # mean difference to the picture, in [0, 1]: two and a half levels of 255. By eye
_EARLY = 0.2  # part of the training in which nothing need have happened yet
_CELL = 160  # pixels of a picture on a sheet


def find_faults(name: str, pictures: Tensor, translations: Tensor, progress: float) -> list[str]:
    """What is wrong with translations, a line each; none if nothing is.

    Args:
        name: of the direction, for the lines.
        pictures: (N, 3, H, W) in [0, 1].
        translations: the same of them.
        progress: how far the training is, in [0, 1].
    """
    faults = []
    inverted = _find_inversion(pictures, translations)
    if inverted:
        faults.append(
            f"{name} turns {inverted}; start again with a larger identity weight, or another seed"
        )
    if len(translations) > 1 and _diversity(translations) < _ALIKE * _diversity(pictures):
        faults.append(
            f"{name} makes all pictures alike; start again with a larger cycle or identity weight, "
            "or more pictures"
        )
    if progress > _EARLY and float((translations - pictures).abs().mean()) < _UNCHANGED:
        faults.append(
            f"{name} changes nothing; start again with a smaller identity weight, or with the "
            "generator resnet instead of residual"
        )
    return faults


def _find_inversion(pictures: Tensor, translations: Tensor) -> str:
    """What has become its opposite, in words; nothing if nothing has."""
    if _correlate_luma(pictures, translations) < _INVERTED:
        return "light into dark"
    if _correlate_colors(pictures, translations) < _OPPOSED:
        return "colours into their opposites"
    return ""


def _downsample(pictures: Tensor) -> Tensor:
    """(N, 3, grid, grid)."""
    return F.adaptive_avg_pool2d(pictures, _GRID)


def _correlate_luma(pictures: Tensor, translations: Tensor) -> float:
    """Of light and dark, the mean over the pictures; those that are flat count for nothing."""
    own, other = (luma(_downsample(x)).flatten(1) for x in (pictures, translations))
    own, other = own - own.mean(dim=1, keepdim=True), other - other.mean(dim=1, keepdim=True)
    return float(F.cosine_similarity(own, other, dim=1).mean())


def _correlate_colors(pictures: Tensor, translations: Tensor) -> float:
    """Of how the cells of all pictures differ in red against green, and blue against both."""
    own, other = (_opponent_colors(x) for x in (pictures, translations))
    if min(float(own.std()), float(other.std())) < _COLOURLESS:
        return 0.0
    return float(F.cosine_similarity(own, other, dim=0))


def _opponent_colors(pictures: Tensor) -> Tensor:
    """(values,), around 0."""
    red, green, blue = _downsample(pictures).unbind(1)
    axes = torch.stack([red - green, blue - (red + green) / 2])
    return (axes - axes.flatten(1).mean(1)[:, None, None, None]).flatten()


def _diversity(pictures: Tensor) -> float:
    """How far pictures are from their mean."""
    return float(_downsample(pictures).std(dim=0).mean())


def contact_sheet_of(rows: Sequence[Tensor]) -> Tensor:
    """Pictures (N, 3, H, W) a row, on one sheet."""
    pictures = [picture[None].cpu() for row in rows for picture in row]
    return contact_sheet(pictures, columns=len(rows[0]), cell=_CELL)
