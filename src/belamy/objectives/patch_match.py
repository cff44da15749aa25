"""Style swap: each patch of the content's features is replaced by the style's most similar patch.

Moments know which features there are, not how they stand together: a smooth sky stays smooth,
whatever its moments are moved to. Patches bring the strokes themselves.

Source: Chen & Schmidt 2016, "Fast patch-based style transfer of arbitrary style", and Sheng et al.
2018, "Avatar-Net", who compare after taking the moments away, as here. **Differs**: positions are
compared by a few combinations of features, and matched once, on the deepest layer; the patches of
finer layers, and of the picture itself, follow; and where the picture is flat, what continues the
style is preferred to what is most similar (coherence search: Ashikhmin 2001, "Synthesizing natural
textures"), lest one patch be repeated all over a sky.
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

__all__ = [
    "CELL_SIZE",
    "PATCH_SIZE",
    "PatchBank",
    "Swap",
    "extract_patches",
    "project_features",
    "swap_coherently",
    "swap_patches",
]

PATCH_SIZE = 3
"""Positions on a side of a patch. With five, contours were lost. By eye."""

CELL_SIZE = 8
"""Positions on a side of a cell, which may be filled by one stretch of the style. By eye."""

_MAX_CANDIDATES = 4096  # patches that are compared with: those of 512 px at a stride of 8
_CHUNK = 4096  # queries that are matched at a time: 64 MiB of similarities
_FLAT = 1e-3  # a combination of features that strays less is rounding
# How much less similar, in cosines, a stretch may be where the picture is quite flat; how much
# positions differ from their neighbours where that has fallen to a third; and how far noise moves
# the cosines by which stretches are chosen, and how much farther where the picture is flat, lest a
# sky be filled by one alone. All by eye.
_CONTINUITY_BONUS, _RELIEF, _JITTER, _FLAT_JITTER = 0.6, 0.6, 0.3, 0.6
_CLOSER = 0.05  # a neighbour's stretch must be so much more similar than the cell's own. By eye


@dataclass(frozen=True)
class PatchBank:
    """The patches of a style, with the keys by which they are matched.

    Args:
        keys: (rows·columns, K·9), of length 1.
        positions: (M,), the candidates, counted along the rows of the grid.
        mask: (rows·columns,), true where patches may be taken.
        grid: rows and columns of the deepest layer.
        values: layer → (rows·columns, C·f²), the features at each position; and f, how many of
            the layer's own positions that is on a side.
    """

    keys: Tensor
    positions: Tensor
    mask: Tensor
    grid: tuple[int, int]
    values: Mapping[str, tuple[Tensor, int]]


@dataclass(frozen=True)
class Swap:
    """What the patches of a style make of a picture.

    Args:
        features: layer → (1, C, f·H, f·W).
        coherence: (1, 1, H, W), the part of the nine patches laid on a position that put the same
            on it: 1 inside of a stretch of the style that was taken whole, as it was painted.
    """

    features: Mapping[str, Tensor]
    coherence: Tensor


def project_features(features: Tensor, moments: Moments, basis: Tensor) -> Tensor:
    """Features standardised by their picture's moments and projected: (N, K, H, W).

    Args:
        features: (N, C, H, W).
        moments: of the whole picture, (N, C) and (N, C, C).
        basis: (K, C), the combinations.
    """
    centred = features - moments.mean[:, :, None, None]
    spread = torch.einsum("kc,ncd,kd->nk", basis, moments.covariance, basis).clamp_min(0).sqrt()
    projected = torch.einsum("kc,nchw->nkhw", basis, centred)
    return projected / spread.clamp_min(_FLAT)[:, :, None, None]


def extract_patches(
    features: Mapping[str, Tensor], projected: Tensor, mask: Tensor | None = None
) -> PatchBank:
    """The patch bank of a style.

    Args:
        features: layer → (1, C, f·H, f·W), f a whole number, 1 on the deepest.
        projected: (1, K, H, W), the deepest's `project_features`.
        mask: (H, W), true where patches may be taken; None for everywhere.
    """
    height, width = projected.shape[-2:]
    free = torch.ones(height, width, dtype=torch.bool, device=projected.device)
    free = free if mask is None else mask
    step = max(1, math.ceil(math.sqrt(height * width / _MAX_CANDIDATES)))
    sparse = torch.zeros_like(free)
    sparse[step // 2 :: step, step // 2 :: step] = True
    chosen = sparse & free if bool((sparse & free).any()) else free
    positions = chosen.flatten().nonzero()[:, 0]
    values = {}
    for layer, x in features.items():
        factor = x.shape[-1] // width
        values[layer] = F.pixel_unshuffle(x, factor)[0].flatten(1).T.contiguous(), factor
    grid = (height, width)
    return PatchBank(F.normalize(_unfold(projected)), positions, free.flatten(), grid, values)


def swap_patches(
    bank: PatchBank, projected: Tensor, cells: Tensor | None = None
) -> Mapping[str, Tensor]:
    """Style swap: layer → (1, C, f·H, f·W), as in `swap_coherently`."""
    return swap_coherently(bank, projected, cells).features


def swap_coherently(bank: PatchBank, projected: Tensor, cells: Tensor | None = None) -> Swap:
    """Style swap: the nearest patches; overlaps are averaged.

    Args:
        bank: the style's.
        projected: (1, K, H, W), the content's `project_features`.
        cells: a number for each cell of `CELL_SIZE` positions a side, int64 (⌈H / 8⌉, ⌈W / 8⌉), the
            seed of its choice: each is filled by one stretch of the style where that is similar
            enough, so that strokes go on. None matches every position by itself.
    """
    height, width = projected.shape[-2:]
    patches = _unfold(projected)
    queries = F.normalize(patches)
    nearest, similarity = _nearest_neighbours(bank, queries)
    if cells is not None:
        relief = patches.view(len(patches), -1, PATCH_SIZE**2).std(dim=2, correction=0)
        flatness = (-relief.square().mean(dim=1) / _RELIEF**2).exp()
        grid = queries.view(height, width, -1)
        continued, closeness = _match_cells(bank, grid, flatness.view(height, width), cells)
        goes_on = closeness > similarity - _CONTINUITY_BONUS * flatness
        nearest = torch.where(goes_on, continued, nearest)
    covering = _overlaps(nearest.view(height, width), bank.grid)
    result = {}
    for layer, (values, factor) in bank.values.items():
        flat = F.embedding_bag(covering, values, mode="mean")  # (H·W, C·f²)
        result[layer] = F.pixel_shuffle(flat.T.reshape(1, -1, height, width), factor)
    own = covering[:, PATCH_SIZE**2 // 2, None]  # by the patch whose middle lies here
    coherence = (covering == own).float().mean(dim=1).view(1, 1, height, width)
    return Swap(result, coherence)


def _nearest_neighbours(bank: PatchBank, queries: Tensor) -> tuple[Tensor, Tensor]:
    """For each query (P, K·9) the most similar candidate, and the cosine: (P,) each."""
    candidates = bank.keys[bank.positions].T
    matches = [(part @ candidates).max(dim=1) for part in torch.split(queries, _CHUNK)]
    nearest = torch.cat([bank.positions[best.indices] for best in matches])
    return nearest, torch.cat([best.values for best in matches])


def _match_cells(
    bank: PatchBank, queries: Tensor, flatness: Tensor, cells: Tensor
) -> tuple[Tensor, Tensor]:
    """What stretches of the style put on each position, and how similar that is: (H·W,) each.

    Each cell chooses a stretch by what stands in its middle; a position takes that of its own cell,
    or of the nearest beside, above or below it.

    Args:
        queries: (H, W, K·9), of length 1.
        flatness: (H, W), 1 where the picture is flat.
    """
    height, width = queries.shape[:2]
    down, right = (torch.arange(length, device=queries.device) for length in (height, width))
    middle_down, middle_right = (
        (torch.arange(count, device=queries.device) * CELL_SIZE + CELL_SIZE // 2).clamp(
            max=length - 1
        )
        for count, length in zip(cells.shape, (height, width), strict=True)
    )
    middle_queries, flat = (x[middle_down][:, middle_right] for x in (queries, flatness))
    chosen = _choose_origins(
        bank, middle_queries, _JITTER + _FLAT_JITTER * flat, cells
    )  # (cells down, right)
    best = queries.new_full((height, width), -2.0)
    choice = torch.zeros(height, width, dtype=torch.int64, device=queries.device)
    for rows, columns in itertools.product((False, True), repeat=2):
        above = _cell_index(down, len(middle_down), beside=rows)
        left = _cell_index(right, len(middle_right), beside=columns)
        start = chosen[above][:, left]
        row = start // bank.grid[1] + (down - middle_down[above])[:, None]
        column = start % bank.grid[1] + (right - middle_right[left])[None]
        inside = (row >= 0) & (row < bank.grid[0]) & (column >= 0) & (column < bank.grid[1])
        position = torch.where(inside, row * bank.grid[1] + column, 0)
        inside &= bank.mask[position]
        cosine = (queries * bank.keys[position]).sum(dim=-1).masked_fill(~inside, -2.0)
        closer = cosine > best + (_CLOSER if rows or columns else 0.0)
        best = torch.where(closer, cosine, best)
        choice = torch.where(closer, position, choice)
    return choice.flatten(), best.flatten()


def _cell_index(position: Tensor, count: int, *, beside: bool) -> Tensor:
    """The cell that each position of an axis is in, or the nearest one beside it."""
    side = torch.where(position % CELL_SIZE < CELL_SIZE // 2, -1, 1) if beside else 0
    return (position // CELL_SIZE + side).clamp(0, count - 1)


def _choose_origins(bank: PatchBank, queries: Tensor, jitter: Tensor, cells: Tensor) -> Tensor:
    """The style position that each cell's stretch begins with, by similarity plus scaled noise.

    Noise is a hash of the cell's number and the position's: the same on a tile as on the whole
    picture.
    """
    cosine = queries @ bank.keys[bank.positions].T  # (cells down, cells right, M)
    hashed = (cells[..., None] * 0x9E3779B1 + bank.positions * 0x85EBCA6B) & 0xFFFFFFFF
    hashed = ((hashed ^ (hashed >> 15)) * 0x2C1B3C6D) & 0xFFFFFFFF
    hashed = ((hashed ^ (hashed >> 13)) * 0x297A2D39) & 0xFFFFFFFF
    noise = (hashed ^ (hashed >> 16)).to(cosine) / 2**32
    return bank.positions[(cosine + jitter[..., None] * noise).argmax(dim=-1)]


def _unfold(projected: Tensor) -> Tensor:
    """(1, K, H, W) → (H·W, K·9); the last positions go on beyond the edge."""
    beyond = F.pad(projected, [PATCH_SIZE // 2] * 4, mode="replicate")
    return F.unfold(beyond, PATCH_SIZE)[0].T


def _overlaps(nearest: Tensor, grid: tuple[int, int]) -> Tensor:
    """(H·W, 9): what each of the patches laid around a position puts on it.

    Args:
        nearest: (H, W), the middle of the patch that is laid on each position.
        grid: rows and columns of where the patches come from.
    """
    (height, width), (rows, columns) = nearest.shape, grid
    down = torch.arange(height, device=nearest.device)[:, None]
    right = torch.arange(width, device=nearest.device)[None]
    sources = []
    for y, x in _patch_offsets():
        above, left = (down - y).clamp(0, height - 1), (right - x).clamp(0, width - 1)
        middle = nearest[above, left]
        row = (middle // columns + down - above).clamp(0, rows - 1)
        column = (middle % columns + right - left).clamp(0, columns - 1)
        sources.append(row * columns + column)
    return torch.stack(sources, dim=-1).flatten(0, 1)


def _patch_offsets() -> Iterator[tuple[int, int]]:
    reach = range(-(PATCH_SIZE // 2), PATCH_SIZE // 2 + 1)
    return itertools.product(reach, reach)
