"""A picture laid out of pieces of another: each place gets what stands where that resembles it.

Moments know which features there are, not how they stand together: a smooth sky stays smooth,
whatever its moments are moved to. Pieces bring the strokes themselves.

Source: Chen & Schmidt 2016, "Fast patch-based style transfer of arbitrary style", and Sheng et al.
2018, "Avatar-Net", who compare after taking the moments away, as here. **Differs**: places are
compared by a few combinations of features, and found once, on the deepest layer; the pieces of
finer layers, and of the picture itself, follow them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.objectives.styles import Moments

__all__ = ["PIECE", "Pieces", "coordinates", "laid", "pieces_of"]

PIECE = 3
"""Places on a side of what is compared and laid. With five, contours were lost. By eye."""

_MOST = 4096  # pieces that are compared with: those of 512 px at a stride of 8
_AT_ONCE = 4096  # places that look for theirs together: 64 MiB of likenesses
_FLAT = 1e-3  # a combination of features that strays less is rounding


@dataclass(frozen=True)
class Pieces:
    """What a picture can be laid of.

    Args:
        likeness: (M, K·9), what a place must resemble, of length 1.
        places: (M,), where that stands, counted along the rows of the grid.
        grid: rows and columns of the deepest layer.
        values: layer → (rows·columns, C·f²), all that stands on a place; and f, how many of the
            layer's own places that is on a side.
    """

    likeness: Tensor
    places: Tensor
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
    step = max(1, -(-round((height * width) ** 0.5) // round(_MOST**0.5)))
    chosen = torch.zeros(height, width, dtype=torch.bool, device=found.device)
    chosen[step // 2 :: step, step // 2 :: step] = True
    if allowed is not None:
        chosen = chosen & allowed if bool((chosen & allowed).any()) else allowed
    places = chosen.flatten().nonzero()[:, 0]
    values = {}
    for layer, x in features.items():
        factor = x.shape[-1] // width
        values[layer] = F.pixel_unshuffle(x, factor)[0].flatten(1).T.contiguous(), factor
    return Pieces(F.normalize(_patches(found)[places]), places, (height, width), values)


def _patches(found: Tensor) -> Tensor:
    """(1, K, H, W) → (H·W, K·9); the last places go on beyond the edge."""
    beyond = F.pad(found, [PIECE // 2] * 4, mode="replicate")
    return F.unfold(beyond, PIECE)[0].T


def laid(pieces: Pieces, found: Tensor) -> dict[str, Tensor]:
    """Layer → (1, C, f·H, f·W), pieces laid where they are resembled; overlaps are averaged.

    Args:
        pieces: the style's.
        found: (1, K, H, W), the content's `coordinates`.
    """
    height, width = found.shape[-2:]
    nearest = [
        pieces.places[(part @ pieces.likeness.T).argmax(dim=1)]
        for part in _patches(found).split(_AT_ONCE)
    ]
    covering = _covering(torch.cat(nearest).view(height, width), pieces.grid)
    made = {}
    for layer, (values, factor) in pieces.values.items():
        flat = F.embedding_bag(covering, values, mode="mean")  # (H·W, C·f²)
        made[layer] = F.pixel_shuffle(flat.T.unflatten(1, (height, width))[None], factor)
    return made


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
    reach = PIECE // 2
    return itertools.product(range(-reach, reach + 1), repeat=2)
