"""The gradient of a style for the pixels: of the whole picture at once, or exactly by tiles.

Content and style are sums over places. So the tiles are looked at twice: once to add up the sums,
from which the losses and their slopes follow, and once more to carry these slopes back to the
pixels, one tile at a time. A tile counts only the places that it sees fully; its crop reaches far
enough around them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from belamy.errors import Diverged
from belamy.networks.backbone import Backbone, Tap
from belamy.objectives.statistics import Pooled, Sums, Window
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
        return self.backbone(self._shown(crop, layers), layers)  # type: ignore[no-any-return]

    def through(self, crop: Tensor, taps: Mapping[str, Tap]) -> Tensor:
        """The same, tapped on its way: see `Backbone.through`."""
        return self.backbone.through(self._shown(crop, taps), taps)

    def _shown(self, crop: Tensor, layers: Iterable[str]) -> Tensor:
        side = self.backbone.smallest(layers)
        right, below = (max(0, side - crop.shape[axis]) for axis in (-1, -2))
        if right or below:
            crop = F.pad(crop, (0, right, 0, below), mode="replicate")
        return crop.to(self.backbone.mean.dtype)

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
    tiles = view.tiles(image, offset)
    if len(tiles) == 1:
        look = Look(view, terms)
        back = look.at(image)
        look.slopes, losses = _judged(terms, look.sums, scale)
        return back() / scale, losses
    grids = view.grids(image, sorted({term.pooled.layer for term in terms}))
    parts = [(tile, view.windows(image, tile, grids)) for tile in tiles]
    slopes, losses = _judged(terms, _summed(view, terms, image, parts), scale)
    gradient = torch.zeros_like(image)
    for tile, windows in parts:
        look = Look(view, terms, windows, slopes)
        gradient[..., tile.crop[0], tile.crop[1]] += look.at(_crop(image, tile))() / scale
    return gradient, losses


_Windows = Mapping[str, tuple[Window, Window]]


def _crop(image: Tensor, tile: Tile) -> Tensor:
    return image[..., tile.crop[0], tile.crop[1]]


class Look:
    """A picture or crop on its way through the network, and its gradient on the way back.

    Features are summed up as they come by, and what the sums' slopes want of them is added to the
    gradient as it comes by: never is there a gradient of more than one layer at a time, and no
    features are kept for longer than the network itself needs them.

    Args:
        windows: layer → the places that count, in the whole picture and in the crop; None for all.
        slopes: what changes with each sum, a row for each term, if they are known beforehand: then
            nothing is summed up. Else they are set before the way back.

    Attributes:
        sums: a row for each term, of what counts here.
    """

    def __init__(
        self,
        view: View,
        terms: Sequence[Term],
        windows: _Windows | None = None,
        slopes: Sequence[Sums] | None = None,
    ) -> None:
        self.view, self.terms, self.windows, self.slopes = view, terms, windows, slopes
        self.sums: list[Sums] = [()] * len(terms)

    def at(self, image: Tensor) -> Callable[[], Tensor]:
        """Send (1, 3, H, W) through; the result gives its gradient."""
        with torch.enable_grad():  # whoever calls may have switched gradients off
            pixels = image.detach().requires_grad_(True)
            deepest = self.view.through(pixels, self._taps())

        def back() -> Tensor:
            (gradient,) = torch.autograd.grad(deepest, pixels, torch.zeros_like(deepest))
            return gradient

        return back

    def sum_up(self, image: Tensor) -> list[Sums]:
        """The sums alone, without a way back."""
        with torch.no_grad():
            self.view.through(image, self._taps())
        return self.sums

    def _taps(self) -> dict[str, Tap]:
        resolve = self.view.backbone.resolve
        return {resolve(term.pooled.layer): self._tap(term.pooled.layer) for term in self.terms}

    def _tap(self, layer: str) -> Tap:
        backbone = self.view.backbone
        own = backbone.resolve(layer)
        indices = [i for i, t in enumerate(self.terms) if backbone.resolve(t.pooled.layer) == own]
        # All that is upstream of a whole stage has been dealt with when its gradient comes by; that
        # of a layer within one may be another branch's too.
        alone = backbone.layers[own].stage == own

        def tap(features: Tensor) -> Tensor:
            if self.slopes is None:
                self._gather(features.detach(), layer, indices)
            if not features.requires_grad:
                return features
            return _Tap.apply(features, self, layer, indices, alone)  # type: ignore[no-any-return, no-untyped-call]

        return tap

    def _places(self, features: Tensor, layer: str) -> tuple[Window, Window]:
        if self.windows is not None:
            return self.windows[layer]
        return (Window.whole(features),) * 2

    def _gather(self, features: Tensor, layer: str, indices: Sequence[int]) -> None:
        window, inner = self._places(features, layer)
        for index in indices:
            self.sums[index] = self.terms[index].pooled.gather(inner.of(features), window)

    def spread(
        self, features: Tensor, layer: str, indices: Sequence[int], gradient: Tensor
    ) -> None:
        """Add what the terms want of a layer's features to their gradient, in place."""
        assert self.slopes is not None, "the slopes are set before the way back"
        window, inner = self._places(features, layer)
        for index in indices:
            self.terms[index].pooled.spread(
                inner.of(features), window, self.slopes[index], inner.of(gradient)
            )


class _Tap(torch.autograd.Function):
    """Features as they are; on the way back their gradient gets what `Look` adds to it."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, look: Look, layer: str, indices: Sequence[int], alone: bool
    ) -> Tensor:
        ctx.save_for_backward(features)
        ctx.look, ctx.layer, ctx.indices, ctx.alone = look, layer, indices, alone
        return features.view_as(features)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        (features,) = ctx.saved_tensors
        gradient = gradient if ctx.alone else gradient.clone()
        ctx.look.spread(features, ctx.layer, ctx.indices, gradient)
        return gradient, None, None, None, None


def _summed(
    view: View, terms: Sequence[Term], image: Tensor, parts: Sequence[tuple[Tile, _Windows]]
) -> list[Sums]:
    """The sums of the whole picture, a tile at a time."""
    total: list[Sums] | None = None
    for tile, windows in parts:
        found = Look(view, terms, windows).sum_up(_crop(image, tile))
        total = found if total is None else list(map(_added, total, found))
    assert total is not None
    return total


def _added(before: Sums, now: Sums) -> Sums:
    return tuple(a + b for a, b in zip(before, now, strict=True))


def _judged(
    terms: Sequence[Term], sums: Sequence[Sums], scale: float
) -> tuple[list[Sums], dict[str, float]]:
    """What each sum's change would change, `scale` times, and the losses."""
    if not all(bool(part.isfinite().all()) for one in sums for part in one):
        raise Diverged("the features are no longer numbers; try a smaller step size or adam")
    slopes: list[Sums] = []
    losses: dict[str, float] = {}
    for term, one in zip(terms, sums, strict=True):
        with torch.enable_grad():
            free = tuple(part.detach().requires_grad_(True) for part in one)
            loss = term.weight * term.pooled.judge(free)
            slopes.append(torch.autograd.grad(scale * loss, free, materialize_grads=True))
        losses[term.kind] = losses.get(term.kind, 0.0) + float(loss.detach())
    return slopes, losses
