"""Style swap: each patch of the content's features is replaced by the style's most similar patch.

Moments know which features there are, not how they stand together: a smooth sky stays smooth,
whatever its moments are moved to. Patches bring the strokes themselves.

Source: Chen & Schmidt 2016, "Fast patch-based style transfer of arbitrary style", and Sheng et al.
2018, "Avatar-Net", who compare after taking the moments away, as here. **Differs**: positions are
compared by a few combinations of features, and matched once, on the deepest layer; the patches of
finer layers, and of the picture itself, follow; and where the picture is flat, what continues the
style is preferred to what is most similar (coherence search: Ashikhmin 2001, "Synthesizing natural
textures"), lest one patch be repeated all over a sky. Where such stretches meet, the seam runs
where they are alike (Kwatra et al. 2003, "Graphcut textures"), found by messages between
neighbours (Felzenszwalb and Huttenlocher 2006, "Efficient belief propagation for early vision");
and overlapping patches are blended softly, so that no squares of theirs show.
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
    "SWAP_REACH",
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

_SEAM_ROUNDS = 1  # of messages, each from a position to the next
_AROUND = 2  # positions on each side in whose midst it is said how flat a picture is

SWAP_REACH = 2 * (PATCH_SIZE // 2) + _SEAM_ROUNDS + 3 * CELL_SIZE // 2 + _AROUND
"""Positions beyond which nothing decides what is laid on one: a patch, and what it is matched by;
the messages about seams; a cell beside, to its middle, and what is flat around that."""

_MAX_CANDIDATES = 4096  # patches that are compared with: those of 512 px at a stride of 8
_CHUNK = 4096  # queries that are matched at a time: 64 MiB of similarities
_FLAT = 1e-3  # a combination of features that strays less is rounding
# How much less similar, in cosines, a stretch may be where the picture is quite flat; how much
# positions differ from their neighbours where that has fallen to a third; and how far noise moves
# the cosines by which stretches are chosen, and how much farther where the picture is flat, lest a
# sky be filled by one alone. All by eye.
_CONTINUITY_BONUS, _RELIEF, _JITTER, _FLAT_JITTER = 0.7, 0.6, 0.3, 0.6
_CLOSER = 0.05  # a neighbour's stretch must be so much more similar than the cell's own. By eye
# How many cosines less a stretch of something is worth in the midst of nothing: it would be cut off
# there, as the crest of a wave in a calm sea. And what a seam costs where the picture is flat, in
# cosines, between stretches that have nothing in common. By eye
_RESTLESS, _SEAM = 0.1, 0.3


@dataclass(frozen=True)
class PatchBank:
    """The patches of a style, with the keys by which they are matched.

    Args:
        keys: (rows·columns, K·9), of length 1.
        positions: (M,), the candidates, counted along the rows of the grid.
        mask: (rows·columns,), true where patches may be taken.
        flatness: (rows·columns,), 1 where the style is flat around.
        grid: rows and columns of the deepest layer.
        values: layer → (rows·columns, C·f²), the features at each position; and f, how many of
            the layer's own positions that is on a side.
    """

    keys: Tensor
    positions: Tensor
    mask: Tensor
    flatness: Tensor
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
    unfolded = _unfold(projected)
    flatness = _average_around(_measure_flatness(unfolded).view(height, width)).flatten()
    keys = F.normalize(unfolded)
    return PatchBank(keys, positions, free.flatten(), flatness, (height, width), values)


def swap_patches(
    bank: PatchBank, projected: Tensor, cells: Tensor | None = None
) -> Mapping[str, Tensor]:
    """Style swap: layer → (1, C, f·H, f·W), as in `swap_coherently`."""
    return swap_coherently(bank, projected, cells).features


def swap_coherently(
    bank: PatchBank, projected: Tensor, cells: Tensor | None = None, *, soft: bool = True
) -> Swap:
    """Style swap: the nearest patches; overlaps are blended.

    Args:
        bank: the style's.
        projected: (1, K, H, W), the content's `project_features`.
        cells: a number for each cell of `CELL_SIZE` positions a side, int64 (⌈H / 8⌉, ⌈W / 8⌉), the
            seed of its choice: each is filled by one stretch of the style where that is similar
            enough, so that strokes go on. None matches every position by itself.
        soft: blend overlaps by the distance from each patch's middle; otherwise all nine count
            alike, as in the paper.
    """
    height, width = projected.shape[-2:]
    patches = _unfold(projected)
    queries = F.normalize(patches)
    nearest, similarity = _nearest_neighbours(bank, queries)
    if cells is not None:
        flatness = _measure_flatness(patches)
        grid = queries.view(height, width, -1)
        continued, closeness = _match_cells(bank, grid, flatness.view(height, width), cells)
        goes_on = closeness > similarity - _CONTINUITY_BONUS * flatness
        nearest = torch.where(goes_on, continued, nearest)
    covering = _overlaps(nearest.view(height, width), bank.grid)
    result = {}
    for layer, (values, factor) in bank.values.items():
        if soft:
            result[layer] = _blend_overlaps(covering, values, factor, (height, width))
        else:
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

    Each cell chooses a stretch by what stands in its middle, and by how flat it is around there; a
    position takes that of its own cell, or of the nearest beside, above or below it.

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
    middle_queries, flat, around = (
        x[middle_down][:, middle_right] for x in (queries, flatness, _average_around(flatness))
    )
    chosen = _choose_origins(
        bank, middle_queries, _JITTER + _FLAT_JITTER * flat, around, cells
    )  # (cells down, right)
    candidates, costs = [], []
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
        candidates.append(position)
        costs.append((_CLOSER if rows or columns else 0.0) - cosine)
    candidate, cost = torch.stack(candidates), torch.stack(costs)
    label = _cut_seams(bank, candidate, cost, flatness)[None]
    return candidate.gather(0, label).flatten(), -cost.gather(0, label).flatten()


def _cut_seams(bank: PatchBank, candidates: Tensor, costs: Tensor, flatness: Tensor) -> Tensor:
    """Which candidate each position takes, so that they are similar to the picture, and to what
    goes on from their neighbours': (H, W).

    Args:
        candidates: (L, H, W), positions of the style.
        costs: (L, H, W), of each by itself.
        flatness: (H, W); seams count where it is 1.
    """
    flat_across = torch.minimum(flatness[:, 1:], flatness[:, :-1])
    flat_down = torch.minimum(flatness[1:], flatness[:-1])
    across = _SEAM * flat_across * _seam_costs(bank, candidates, 1)
    down = _SEAM * flat_down * _seam_costs(bank, candidates.mT, bank.grid[1]).mT
    left, right, above, below = (torch.zeros_like(costs) for _ in range(4))  # where they come from
    for _ in range(_SEAM_ROUNDS):
        total = costs + left + right + above + below
        # A message leaves out what came from where it goes.
        to_right = ((total - right)[:, None, :, :-1] + across).amin(0)
        to_left = ((total - left)[None, :, :, 1:] + across).amin(1)
        to_below = ((total - below)[:, None, :-1] + down).amin(0)
        to_above = ((total - above)[None, :, 1:] + down).amin(1)
        left, right, above, below = (
            F.pad(message - message.amin(0), beyond)
            for message, beyond in (
                (to_right, (1, 0)),
                (to_left, (0, 1)),
                (to_below, (0, 0, 1, 0)),
                (to_above, (0, 0, 0, 1)),
            )
        )
    return (costs + left + right + above + below).argmin(0)


def _seam_costs(bank: PatchBank, candidates: Tensor, step: int) -> Tensor:
    """How unlike what a position's candidates go on with is to those of the next, and what those
    come from to its own, in cosines: (L, L, H, W − 1).

    Args:
        candidates: (L, H, W).
        step: from a position of the style to the next one in this direction.
    """
    here, there = candidates[..., :-1], candidates[..., 1:]
    going_on, coming_from = (
        bank.keys[(position + offset).clamp(0, len(bank.keys) - 1)]
        for position, offset in ((here, step), (there, -step))
    )
    after = torch.einsum("ahwk,bhwk->abhw", going_on, bank.keys[there])
    before = torch.einsum("ahwk,bhwk->abhw", bank.keys[here], coming_from)
    return 2 - after - before


def _measure_flatness(patches: Tensor) -> Tensor:
    """(P,) of patches (P, K·9) of projected features: 1 where neighbours are all alike."""
    relief = patches.view(len(patches), -1, PATCH_SIZE**2).std(dim=2, correction=0)
    return (-relief.square().mean(dim=1) / _RELIEF**2).exp()


def _average_around(x: Tensor) -> Tensor:
    """(H, W), the mean around each position; edges go on."""
    beyond = F.pad(x[None, None], [_AROUND] * 4, mode="replicate")
    return F.avg_pool2d(beyond, 2 * _AROUND + 1, stride=1)[0, 0]


def _cell_index(position: Tensor, count: int, *, beside: bool) -> Tensor:
    """The cell that each position of an axis is in, or the nearest one beside it."""
    side = torch.where(position % CELL_SIZE < CELL_SIZE // 2, -1, 1) if beside else 0
    return (position // CELL_SIZE + side).clamp(0, count - 1)


def _choose_origins(
    bank: PatchBank, queries: Tensor, jitter: Tensor, flatness: Tensor, cells: Tensor
) -> Tensor:
    """The style position that each cell's stretch begins with, by similarity plus scaled noise,
    less what is going on there where the picture is flat.

    Noise is a hash of the cell's number and the position's: the same on a tile as on the whole
    picture.
    """
    cosine = queries @ bank.keys[bank.positions].T  # (cells down, cells right, M)
    hashed = (cells[..., None] * 0x9E3779B1 + bank.positions * 0x85EBCA6B) & 0xFFFFFFFF
    hashed = ((hashed ^ (hashed >> 15)) * 0x2C1B3C6D) & 0xFFFFFFFF
    hashed = ((hashed ^ (hashed >> 13)) * 0x297A2D39) & 0xFFFFFFFF
    noise = (hashed ^ (hashed >> 16)).to(cosine) / 2**32
    restless = (flatness[..., None] - bank.flatness[bank.positions]).clamp_min(0)
    score = cosine + jitter[..., None] * noise - _RESTLESS * restless
    return bank.positions[score.argmax(dim=-1)]


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


def _blend_overlaps(covering: Tensor, values: Tensor, factor: int, size: tuple[int, int]) -> Tensor:
    """(1, C, f·H, f·W): what nine patches lay on each position, each patch weighted at every one of
    its parts by the distance from its middle, to nothing at its edge.

    Args:
        covering: (H·W, 9), see `_overlaps`.
        values, factor: of a layer, see `PatchBank`.
        size: H and W.
    """
    blend = values.new_zeros(len(covering), values.shape[1] // factor**2, factor**2)
    for index, weights in enumerate(_blend_weights(factor).to(values)):
        blend += weights * values[covering[:, index]].view(blend.shape)
    return F.pixel_shuffle(blend.flatten(1).T.reshape(1, -1, *size), factor)


def _blend_weights(factor: int) -> Tensor:
    """(9, f²): how much each of the patches around a position counts in each of its parts; of every
    part together 1."""
    reach = PATCH_SIZE // 2
    parts = (torch.arange(factor) + 0.5) / factor - 0.5  # from the position's middle
    offsets = torch.arange(-reach, reach + 1)[:, None]  # from the patch's middle to the position's
    axis = PATCH_SIZE / 2 - (parts + offsets).abs()
    axis = axis / axis.sum(0)
    return torch.einsum("ay,bx->abyx", axis, axis).reshape(PATCH_SIZE**2, factor**2)
