"""A picture laid out of pieces of another: each place gets what stands where that resembles it.

Moments know which features there are, not how they stand together: a smooth sky stays smooth,
whatever its moments are moved to. Pieces bring the strokes themselves.

Source: Chen & Schmidt 2016, "Fast patch-based style transfer of arbitrary style", and Sheng et al.
2018, "Avatar-Net", who compare after taking the moments away, as here. **Differs**: places are
compared by a few combinations of features, and found once, on the deepest layer; the pieces of
finer layers, and of the picture itself, follow them; and where the picture is flat, what goes on as
in the style is preferred to what is most alike (Ashikhmin 2001, "Synthesizing natural textures"),
lest one piece be repeated all over a sky.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.objectives.style_losses import Moments

__all__ = ["CELL", "PIECE", "Pieces", "coordinates", "laid", "pieces_of"]

PIECE = 3
"""Places on a side of what is compared and laid. With five, contours were lost. By eye."""

CELL = 8
"""Places on a side of what may be laid in one, as a stretch of the style. By eye."""

_MOST = 4096  # pieces that are compared with: those of 512 px at a stride of 8
_AT_ONCE = 4096  # places that look for theirs together: 64 MiB of likenesses
_FLAT = 1e-3  # a combination of features that strays less is rounding
# How much less alike, in cosines, a stretch may be where the picture is quite flat; how much places
# differ from their neighbours where that has fallen to a third; and how far chance moves the
# cosines by which stretches are chosen, and how much farther where the picture is flat, lest a sky
# be laid of one alone. All by eye.
_LENIENCE, _RELIEF, _WHIM, _SKY_WHIM = 0.6, 0.6, 0.3, 0.6
_CLOSER = 0.05  # a neighbour's stretch must be so much more alike than the cell's own. By eye


@dataclass(frozen=True)
class Pieces:
    """What a picture can be laid of.

    Args:
        likeness: (rows·columns, K·9), what a place must resemble, of length 1.
        places: (M,), those that are looked through, counted along the rows of the grid.
        allowed: (rows·columns,), true where pieces may be taken.
        grid: rows and columns of the deepest layer.
        values: layer → (rows·columns, C·f²), all that stands on a place; and f, how many of the
            layer's own places that is on a side.
    """

    likeness: Tensor
    places: Tensor
    allowed: Tensor
    grid: tuple[int, int]
    values: Mapping[str, tuple[Tensor, int]]


def coordinates(features: Tensor, moments: Moments, basis: Tensor) -> Tensor:
    """Features without their picture's moments, as a few combinations: (N, K, H, W).

    Args:
        features: (N, C, H, W).
        moments: of the whole picture, (N, C) and (N, C, C).
        basis: (K, C), the combinations.
    """
    centred = features - moments.mean[:, :, None, None]
    spread = torch.einsum("kc,ncd,kd->nk", basis, moments.covariance, basis).clamp_min(0).sqrt()
    found = torch.einsum("kc,nchw->nkhw", basis, centred)
    return found / spread.clamp_min(_FLAT)[:, :, None, None]


def pieces_of(
    features: Mapping[str, Tensor], found: Tensor, allowed: Tensor | None = None
) -> Pieces:
    """A style taken to pieces.

    Args:
        features: layer → (1, C, f·H, f·W), f a whole number, 1 on the deepest.
        found: (1, K, H, W), the deepest's `coordinates`.
        allowed: (H, W), true where pieces may be taken; None for everywhere.
    """
    height, width = found.shape[-2:]
    free = torch.ones(height, width, dtype=torch.bool, device=found.device)
    free = free if allowed is None else allowed
    step = max(1, math.ceil(math.sqrt(height * width / _MOST)))
    sparse = torch.zeros_like(free)
    sparse[step // 2 :: step, step // 2 :: step] = True
    chosen = sparse & free if bool((sparse & free).any()) else free
    places = chosen.flatten().nonzero()[:, 0]
    values = {}
    for layer, x in features.items():
        factor = x.shape[-1] // width
        values[layer] = F.pixel_unshuffle(x, factor)[0].flatten(1).T.contiguous(), factor
    grid = (height, width)
    return Pieces(F.normalize(_patches(found)), places, free.flatten(), grid, values)


def laid(pieces: Pieces, found: Tensor, cells: Tensor | None = None) -> dict[str, Tensor]:
    """Layer → (1, C, f·H, f·W), pieces laid where they are resembled; overlaps are averaged.

    Args:
        pieces: the style's.
        found: (1, K, H, W), the content's `coordinates`.
        cells: a number for each `CELL` of places, int64 (⌈H / CELL⌉, ⌈W / CELL⌉), by which they
            differ in what they choose: each has a stretch of the style laid where that is alike
            enough, so that strokes go on. None lays every place by itself.
    """
    height, width = found.shape[-2:]
    patches = _patches(found)
    alike = F.normalize(patches)
    middles, likeness = _nearest(pieces, alike)
    if cells is not None:
        relief = patches.view(len(patches), -1, PIECE**2).std(dim=2, correction=0)
        flatness = (-relief.square().mean(dim=1) / _RELIEF**2).exp()
        grid = alike.view(height, width, -1)
        stretches, closeness = _stretches(pieces, grid, flatness.view(height, width), cells)
        goes_on = closeness > likeness - _LENIENCE * flatness
        middles = torch.where(goes_on, stretches, middles)
    covering = _covering(middles.view(height, width), pieces.grid)
    made = {}
    for layer, (values, factor) in pieces.values.items():
        flat = F.embedding_bag(covering, values, mode="mean")  # (H·W, C·f²)
        made[layer] = F.pixel_shuffle(flat.T.reshape(1, -1, height, width), factor)
    return made


def _nearest(pieces: Pieces, alike: Tensor) -> tuple[Tensor, Tensor]:
    """For each of (P, K·9) the most alike place, and the cosine: (P,) each."""
    searched = pieces.likeness[pieces.places].T
    found = [(part @ searched).max(dim=1) for part in torch.split(alike, _AT_ONCE)]
    middles = torch.cat([pieces.places[best.indices] for best in found])
    return middles, torch.cat([best.values for best in found])


def _stretches(
    pieces: Pieces, alike: Tensor, flatness: Tensor, cells: Tensor
) -> tuple[Tensor, Tensor]:
    """What stretches of the style lay on each place, and how alike that is: (H·W,) each.

    Each cell chooses a stretch by what stands in its middle; a place takes that of its own cell, or
    of the nearest beside, above or below it.

    Args:
        alike: (H, W, K·9), of length 1.
        flatness: (H, W), 1 where the picture is flat.
    """
    height, width = alike.shape[:2]
    down, right = (torch.arange(length, device=alike.device) for length in (height, width))
    middle_down, middle_right = (
        (torch.arange(count, device=alike.device) * CELL + CELL // 2).clamp(max=length - 1)
        for count, length in zip(cells.shape, (height, width), strict=True)
    )
    middle_alike, flat = (x[middle_down][:, middle_right] for x in (alike, flatness))
    chosen = _chosen(pieces, middle_alike, _WHIM + _SKY_WHIM * flat, cells)  # (cells down, right)
    best = alike.new_full((height, width), -2.0)
    laid_there = torch.zeros(height, width, dtype=torch.int64, device=alike.device)
    for rows, columns in itertools.product((False, True), repeat=2):
        above = _cell(down, len(middle_down), beside=rows)
        left = _cell(right, len(middle_right), beside=columns)
        start = chosen[above][:, left]
        row = start // pieces.grid[1] + (down - middle_down[above])[:, None]
        column = start % pieces.grid[1] + (right - middle_right[left])[None]
        inside = (row >= 0) & (row < pieces.grid[0]) & (column >= 0) & (column < pieces.grid[1])
        place = torch.where(inside, row * pieces.grid[1] + column, 0)
        inside &= pieces.allowed[place]
        cosine = (alike * pieces.likeness[place]).sum(dim=-1).masked_fill(~inside, -2.0)
        closer = cosine > best + (_CLOSER if rows or columns else 0.0)
        best = torch.where(closer, cosine, best)
        laid_there = torch.where(closer, place, laid_there)
    return laid_there.flatten(), best.flatten()


def _cell(place: Tensor, count: int, *, beside: bool) -> Tensor:
    """The cell that each place of an axis is in, or the nearest one beside it."""
    side = torch.where(place % CELL < CELL // 2, -1, 1) if beside else 0
    return (place // CELL + side).clamp(0, count - 1)


def _chosen(pieces: Pieces, alike: Tensor, whim: Tensor, cells: Tensor) -> Tensor:
    """The place that each cell's stretch begins with, by likeness and, so much, by chance.

    Chance is a function of the cell's number and the place's, in whole numbers: the same on a tile
    as on the whole picture.
    """
    cosine = alike @ pieces.likeness[pieces.places].T  # (cells down, cells right, M)
    mixed = (cells[..., None] * 0x9E3779B1 + pieces.places * 0x85EBCA6B) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 15)) * 0x2C1B3C6D) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 13)) * 0x297A2D39) & 0xFFFFFFFF
    chance = (mixed ^ (mixed >> 16)).to(cosine) / 2**32
    return pieces.places[(cosine + whim[..., None] * chance).argmax(dim=-1)]


def _patches(found: Tensor) -> Tensor:
    """(1, K, H, W) → (H·W, K·9); the last places go on beyond the edge."""
    beyond = F.pad(found, [PIECE // 2] * 4, mode="replicate")
    return F.unfold(beyond, PIECE)[0].T


def _covering(nearest: Tensor, grid: tuple[int, int]) -> Tensor:
    """(H·W, 9): what each of the pieces laid around a place puts on it.

    Args:
        nearest: (H, W), the middle of the piece that is laid on each place.
        grid: rows and columns of where the pieces come from.
    """
    (height, width), (rows, columns) = nearest.shape, grid
    down = torch.arange(height, device=nearest.device)[:, None]
    right = torch.arange(width, device=nearest.device)[None]
    found = []
    for y, x in _around():
        above, left = (down - y).clamp(0, height - 1), (right - x).clamp(0, width - 1)
        middle = nearest[above, left]
        row = (middle // columns + down - above).clamp(0, rows - 1)
        column = (middle % columns + right - left).clamp(0, columns - 1)
        found.append(row * columns + column)
    return torch.stack(found, dim=-1).flatten(0, 1)


def _around() -> Iterator[tuple[int, int]]:
    reach = range(-(PIECE // 2), PIECE // 2 + 1)
    return itertools.product(reach, reach)
