"""The gradient of a style for the pixels: of the whole picture at once, or exactly by tiles.

Content and style are sums over places. So the tiles are looked at twice: once to add up the sums,
from which the losses and their slopes follow, and once more to carry these slopes back to the
pixels, one tile at a time. A tile counts only the places that it sees fully; its crop reaches far
enough around them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.errors import Diverged
from belamy.networks.backbone import Backbone
from belamy.objectives.styles import Pooled, Sums, Window
from belamy.optimise import Tiling
from belamy.pixels.tiles import Tile, plan


@dataclass(frozen=True)
class Term:
    """A weighted part of what is minimised.

    Args:
        kind: what it is reported as; terms of one kind are added.
    """

    kind: str
    weight: float
    pooled: Pooled


@dataclass(frozen=True)
class View:
    """How a network looks at pictures.

    Args:
        tiling: None sees all at once.
    """

    backbone: Backbone
    tiling: Tiling | None = None

    def tiles(self, image: Tensor, offset: tuple[int, int]) -> list[Tile]:
        """The tiles of a picture (1, 3, H, W); one alone where it is seen whole."""
        height, width = image.shape[-2:]
        if self.tiling is None:
            return plan(height, width, max(height, width), 0, (0, 0))
        tiling = self.tiling
        return plan(height, width, tiling.tile, tiling.margin, offset, tiling.align)

    def see(self, crop: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """Layer → features (1, C, h, w) of a picture or a crop, in the network's own precision.

        What is too small for the network goes on, to the right and below, as its last pixels.
        """
        side = self.backbone.smallest(layers)
        right, below = (max(0, side - crop.shape[axis]) for axis in (-1, -2))
        if right or below:
            crop = F.pad(crop, (0, right, 0, below), mode="replicate")
        return self.backbone(crop.to(self.backbone.mean.dtype), layers)  # type: ignore[no-any-return]

    def grids(self, image: Tensor, layers: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Layer → rows and columns of places that the whole picture has, without seeing it."""
        with torch.no_grad():
            hollow = self.see(image.new_empty(0, *image.shape[1:]), layers)
        return {name: (x.shape[-2], x.shape[-1]) for name, x in hollow.items()}

    def windows(
        self, image: Tensor, tile: Tile, grids: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[Window, Window]]:
        """Layer → the places that the tile counts: in the whole picture, and in its crop."""
        return {
            name: _windows(tile, _stride(self.backbone, name), (image.shape[-2:]), grid)
            for name, grid in grids.items()
        }


def _stride(backbone: Backbone, layer: str) -> int:
    stride = backbone.layers[backbone.resolve(layer)].stride
    assert stride is not None, "a layer of style has places"
    return stride


def _windows(
    tile: Tile, stride: int, size: Sequence[int], grid: tuple[int, int]
) -> tuple[Window, Window]:
    spans = [
        _span(keep, crop.start, stride, length, count)
        for keep, crop, length, count in zip(tile.keep, tile.crop, size, grid, strict=True)
    ]
    (rows, inner_rows), (columns, inner_columns) = spans
    places = grid[0] * grid[1]
    return Window(rows, columns, places), Window(inner_rows, inner_columns, places)


def _span(keep: slice, start: int, stride: int, length: int, count: int) -> tuple[slice, slice]:
    """The places whose pixel, `stride` apart, is kept; the last tile has what is left."""
    first = min(count, -(-keep.start // stride))
    last = count if keep.stop == length else min(count, -(-keep.stop // stride))
    shift = start // stride  # crops start at multiples of every stride
    return slice(first, last), slice(first - shift, last - shift)


def seen(view: View, image: Tensor, layers: Sequence[str]) -> Iterator[tuple[Tensor, str, Window]]:
    """The features of a picture, a tile and a layer at a time: (features, layer, window)."""
    with torch.no_grad():
        grids = view.grids(image, layers)
        for tile in view.tiles(image, (0, 0)):
            found = view.see(image[..., tile.crop[0], tile.crop[1]], layers)
            for name, (window, inner) in view.windows(image, tile, grids).items():
                yield inner.of(found[name]), name, window


def style_slope(
    view: View, terms: Sequence[Term], image: Tensor, offset: tuple[int, int], scale: float = 1.0
) -> tuple[Tensor, dict[str, float]]:
    """The gradient (1, 3, H, W) of all terms together, and the value of each kind.

    Args:
        image: (1, 3, H, W) in [0, 1].
        offset: of the tiles.
        scale: the gradient is so many times larger on its way through the network, lest half
            precision round it to nothing.

    Raises:
        Diverged: the features are no longer numbers.
    """
    layers = sorted({term.pooled.layer for term in terms})
    tiles = view.tiles(image, offset)
    if len(tiles) == 1:
        return _whole(view, terms, layers, image, scale)
    grids = view.grids(image, layers)
    parts = [(tile, view.windows(image, tile, grids)) for tile in tiles]
    slopes, losses = _judged(terms, _summed(view, terms, image, parts))
    gradient = torch.zeros_like(image)
    for tile, windows in parts:
        with torch.enable_grad():
            crop = image[..., tile.crop[0], tile.crop[1]].detach().requires_grad_(True)
            sums = _gathered(terms, view.see(crop, layers), windows)
            pairs = zip(itertools.chain(*slopes), itertools.chain(*sums), strict=True)
            share = torch.stack([(slope * part).sum() for slope, part in pairs]).sum()
            (back,) = torch.autograd.grad(scale * share, crop)
        gradient[..., tile.crop[0], tile.crop[1]] += back / scale
    return gradient, losses


def _whole(
    view: View, terms: Sequence[Term], layers: Sequence[str], image: Tensor, scale: float
) -> tuple[Tensor, dict[str, float]]:
    with torch.enable_grad():
        pixels = image.detach().requires_grad_(True)
        features = view.see(pixels, layers)
        windows = {name: (Window.whole(x), Window.whole(x)) for name, x in features.items()}
        loss, losses = _losses(terms, _gathered(terms, features, windows))
        (gradient,) = torch.autograd.grad(scale * loss, pixels)
    return gradient / scale, losses


_Windows = Mapping[str, tuple[Window, Window]]


def _gathered(
    terms: Sequence[Term], features: Mapping[str, Tensor], windows: _Windows
) -> list[Sums]:
    sums = []
    for term in terms:
        window, inner = windows[term.pooled.layer]
        sums.append(term.pooled.gather(inner.of(features[term.pooled.layer]), window))
    return sums


def _summed(
    view: View, terms: Sequence[Term], image: Tensor, parts: Sequence[tuple[Tile, _Windows]]
) -> list[Sums]:
    """The sums of the whole picture, a tile at a time."""
    total: list[Sums] | None = None
    with torch.no_grad():
        for tile, windows in parts:
            features = view.see(image[..., tile.crop[0], tile.crop[1]], list(windows))
            found = _gathered(terms, features, windows)
            total = found if total is None else list(map(_added, total, found))
    assert total is not None
    return total


def _added(before: Sums, now: Sums) -> Sums:
    return tuple(a + b for a, b in zip(before, now, strict=True))


def _judged(terms: Sequence[Term], sums: Sequence[Sums]) -> tuple[list[Sums], dict[str, float]]:
    """What each sum's change would change, and the losses."""
    with torch.enable_grad():
        free = [tuple(part.detach().requires_grad_(True) for part in one) for one in sums]
        loss, losses = _losses(terms, free)
        flat = torch.autograd.grad(loss, list(itertools.chain(*free)), materialize_grads=True)
    slopes = iter(flat)
    return [tuple(itertools.islice(slopes, len(one))) for one in sums], losses


def _losses(terms: Sequence[Term], sums: Sequence[Sums]) -> tuple[Tensor, dict[str, float]]:
    if not all(bool(part.isfinite().all()) for one in sums for part in one):
        raise Diverged("the features are no longer numbers; try a smaller step size or adam")
    losses: dict[str, float] = {}
    parts = []
    for term, one in zip(terms, sums, strict=True):
        part = term.weight * term.pooled.judge(one)
        parts.append(part)
        losses[term.kind] = losses.get(term.kind, 0.0) + float(part.detach())
    return torch.stack(parts).sum(), losses
