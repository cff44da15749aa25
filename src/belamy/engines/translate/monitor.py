"""What goes wrong with translations, and how it is seen; a sheet of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.pixels.colors import LUMA
from belamy.pixels.images import contact_sheet

__all__ = ["complaints", "sheet"]

_COARSE = 12  # places on each side at which pictures are compared: forms, not strokes. By eye
_INVERTED = -0.3  # correlation of light with the picture's own, below which it is a negative
_OPPOSED = -0.5  # and of colours. By eye: another world may have other ones, but not all opposite
_COLOURLESS = 0.02  # deviation of colours from grey, in [0, 1], below which there are none. By eye
_ALIKE = 0.25  # differences between translations, in those between the pictures. By eye
_NOTHING = 0.01  # mean difference to the picture, in [0, 1]: two and a half levels of 255. By eye
_EARLY = 0.2  # part of the training in which nothing need have happened yet
_CELL = 160  # pixels of a picture on a sheet


def complaints(name: str, pictures: Tensor, made: Tensor, progress: float) -> list[str]:
    """What is wrong with translations, a line each; none if nothing is.

    Args:
        name: of the direction, for the lines.
        pictures: (N, 3, H, W) in [0, 1].
        made: their translations.
        progress: how far the training is, in [0, 1].
    """
    found = []
    turned = _turned(pictures, made)
    if turned:
        found.append(
            f"{name} turns {turned}; start again with a larger identity weight, or another seed"
        )
    if len(made) > 1 and _variety(made) < _ALIKE * _variety(pictures):
        found.append(
            f"{name} makes all pictures alike; start again with a larger cycle or identity weight, "
            "or more pictures"
        )
    if progress > _EARLY and float((made - pictures).abs().mean()) < _NOTHING:
        found.append(
            f"{name} changes nothing; start again with a smaller identity weight, or with the "
            "generator resnet instead of residual"
        )
    return found


def _turned(pictures: Tensor, made: Tensor) -> str:
    """What has become its opposite, in words; nothing if nothing has."""
    if _correlation(pictures, made) < _INVERTED:
        return "light into dark"
    if _correlation_of_colours(pictures, made) < _OPPOSED:
        return "colours into their opposites"
    return ""


def _forms(pictures: Tensor) -> Tensor:
    """(N, 3, coarse, coarse)."""
    return F.adaptive_avg_pool2d(pictures, _COARSE)


def _correlation(pictures: Tensor, made: Tensor) -> float:
    """Of light and dark, the mean over the pictures; those that are flat count for nothing."""
    luma = torch.tensor(LUMA).to(pictures).view(1, 3, 1, 1)
    own, other = ((_forms(x) * luma).sum(dim=1).flatten(1) for x in (pictures, made))
    own, other = own - own.mean(dim=1, keepdim=True), other - other.mean(dim=1, keepdim=True)
    return float(F.cosine_similarity(own, other, dim=1).mean())


def _correlation_of_colours(pictures: Tensor, made: Tensor) -> float:
    """Of how the places of all pictures differ in red against green, and blue against both."""
    own, other = (_colours(x) for x in (pictures, made))
    if min(float(own.std()), float(other.std())) < _COLOURLESS:
        return 0.0
    return float(F.cosine_similarity(own, other, dim=0))


def _colours(pictures: Tensor) -> Tensor:
    """(values,), around 0."""
    red, green, blue = _forms(pictures).unbind(1)
    axes = torch.stack([red - green, blue - (red + green) / 2])
    return (axes - axes.flatten(1).mean(1)[:, None, None, None]).flatten()


def _variety(pictures: Tensor) -> float:
    """How far pictures are from their mean."""
    return float(_forms(pictures).std(dim=0).mean())


def sheet(rows: Sequence[Tensor]) -> Tensor:
    """Pictures (N, 3, H, W) a row, on one sheet."""
    pictures = [picture[None].cpu() for row in rows for picture in row]
    return contact_sheet(pictures, columns=len(rows[0]), cell=_CELL)
