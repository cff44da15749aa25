"""The gradient of a style transfer for the pixels: of the whole picture at once, or by tiles.

Content and style losses are functions of sums over positions. So a picture in tiles goes through
the network twice: once to add up the sums, from which the losses and their gradients follow, and
once more to carry these gradients back to the pixels, one tile at a time. A tile counts only the
positions that it sees fully; its crop reaches far enough around them. The result is exact.
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
from belamy.objectives.statistics import Statistics, StatisticsLoss, Window
from belamy.optimise import Tiling
from belamy.pixels.tiles import Tile, plan

__all__ = [
    "BackwardPass",
    "FeatureExtractor",
    "GradientHook",
    "LossTerm",
    "features_by_tile",
    "style_gradient",
]


@dataclass(frozen=True)
class LossTerm:
    """A weighted part of what is minimised.

    Args:
        kind: what it is reported as; terms of one kind are added.
    """

    kind: str
    weight: float
    loss: StatisticsLoss


@dataclass(frozen=True)
class FeatureExtractor:
    """A frozen network that gives the features of pictures, whole or by tiles.

    Args:
        tiling: None takes pictures whole.
    """

    backbone: Backbone
    tiling: Tiling | None = None

    def tiles(self, image: Tensor, offset: tuple[int, int]) -> list[Tile]:
        """The tiles of a picture (1, 3, H, W); a single one where it is taken whole."""
        height, width = image.shape[-2:]
        if self.tiling is None:
            return plan(height, width, max(height, width), 0, (0, 0))
        tiling = self.tiling
        return plan(height, width, tiling.tile, tiling.margin, offset, tiling.align)

    def features(self, crop: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """Layer → features (1, C, h, w) of a picture or a crop, in the network's own precision.

        What is too small for the network goes on, to the right and below, as its last pixels.
        """
        return self.backbone(self._input(crop, layers), layers, lean=True)  # type: ignore[no-any-return]

    def forward_with_hooks(self, crop: Tensor, hooks: Mapping[str, Tap]) -> Tensor:
        """A forward pass with a hook at each layer named: see `Backbone.through`."""
        return self.backbone.through(self._input(crop, hooks), hooks, lean=True)

    def _input(self, crop: Tensor, layers: Iterable[str]) -> Tensor:
        side = self.backbone.smallest(layers)
        right, below = (max(0, side - crop.shape[axis]) for axis in (-1, -2))
        if right or below:
            crop = F.pad(crop, (0, right, 0, below), mode="replicate")
        return crop.to(self.backbone.mean.dtype)

    def grids(self, image: Tensor, layers: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Layer → rows and columns of positions of the whole picture, without computing any."""
        with torch.no_grad():
            empty = self.features(image.new_empty(0, *image.shape[1:]), layers)
        return {name: (x.shape[-2], x.shape[-1]) for name, x in empty.items()}

    def windows(
        self, image: Tensor, tile: Tile, grids: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[Window, Window]]:
        """Layer → the positions that the tile counts: in the whole picture, and in its crop."""
        return {
            name: _windows(tile, _stride(self.backbone, name), (image.shape[-2:]), grid)
            for name, grid in grids.items()
        }


def _stride(backbone: Backbone, layer: str) -> int:
    stride = backbone.layers[backbone.resolve(layer)].stride
    assert stride is not None, "a layer of style has positions"
    return stride


def _windows(
    tile: Tile, stride: int, size: Sequence[int], grid: tuple[int, int]
) -> tuple[Window, Window]:
    spans = [
        _span(keep, crop.start, stride, length, count)
        for keep, crop, length, count in zip(tile.keep, tile.crop, size, grid, strict=True)
    ]
    (rows, inner_rows), (columns, inner_columns) = spans
    positions = grid[0] * grid[1]
    return Window(rows, columns, positions), Window(inner_rows, inner_columns, positions)


def _span(keep: slice, start: int, stride: int, length: int, count: int) -> tuple[slice, slice]:
    """The positions whose pixel, `stride` apart, is kept; the last tile has what is left."""
    first = min(count, -(-keep.start // stride))
    last = count if keep.stop == length else min(count, -(-keep.stop // stride))
    shift = start // stride  # crops start at multiples of every stride
    return slice(first, last), slice(first - shift, last - shift)


def features_by_tile(
    extractor: FeatureExtractor, image: Tensor, layers: Sequence[str]
) -> Iterator[tuple[Tensor, str, Window]]:
    """The features of a picture, a tile and a layer at a time: (features, layer, window)."""
    with torch.no_grad():
        grids = extractor.grids(image, layers)
        for tile in extractor.tiles(image, (0, 0)):
            features = extractor.features(_crop(image, tile), layers)
            for name, (window, inner) in extractor.windows(image, tile, grids).items():
                yield inner.of(features[name]), name, window


def style_gradient(
    extractor: FeatureExtractor,
    terms: Sequence[LossTerm],
    image: Tensor,
    offset: tuple[int, int],
    scale: float = 1.0,
) -> tuple[Tensor, dict[str, float]]:
    """The gradient (1, 3, H, W) of the sum of all terms, and the loss of each kind.

    Args:
        image: (1, 3, H, W) in [0, 1].
        offset: of the tiles.
        scale: the gradient is so many times larger on its way through the network, lest half
            precision round it to nothing.

    Raises:
        Diverged: the features are no longer numbers.
    """
    tiles = extractor.tiles(image, offset)
    if len(tiles) == 1:
        single = BackwardPass(extractor, terms)
        backward = single.forward(image)
        single.gradients, losses = _losses_and_gradients(terms, single.statistics, scale)
        return backward() / scale, losses
    grids = extractor.grids(image, sorted({term.loss.layer for term in terms}))
    parts = [(tile, extractor.windows(image, tile, grids)) for tile in tiles]
    statistics = _add_up_statistics(extractor, terms, image, parts)
    gradients, losses = _losses_and_gradients(terms, statistics, scale)
    gradient = torch.zeros_like(image)
    for tile, windows in parts:
        backward = BackwardPass(extractor, terms, windows, gradients).forward(_crop(image, tile))
        gradient[..., tile.crop[0], tile.crop[1]] += backward() / scale
    return gradient, losses


_Windows = Mapping[str, tuple[Window, Window]]


def _crop(image: Tensor, tile: Tile) -> Tensor:
    return image[..., tile.crop[0], tile.crop[1]]


class BackwardPass:
    """A picture or crop on its way through the network, and its gradient on the way back.

    Statistics of the features are taken as these come by, and the losses' gradients for them are
    added to the gradient of the features as it comes by: never is there a gradient of more than one
    layer at a time, and no features are kept for longer than the network itself needs them.

    Args:
        windows: layer → the positions that count, in the whole picture and in the crop; None for
            all.
        gradients: of the losses for each term's statistics, a row for each term, if they are known
            beforehand: then no statistics are taken. Else they are set before the way back.

    Attributes:
        statistics: a row for each term, of the positions that count here.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        terms: Sequence[LossTerm],
        windows: _Windows | None = None,
        gradients: Sequence[Statistics] | None = None,
    ) -> None:
        self.extractor, self.terms = extractor, terms
        self.windows, self.gradients = windows, gradients
        self.statistics: list[Statistics] = [()] * len(terms)

    def forward(self, image: Tensor) -> Callable[[], Tensor]:
        """Send (1, 3, H, W) through the network; the result computes its gradient."""
        with torch.enable_grad():  # whoever calls may have switched gradients off
            pixels = image.detach().requires_grad_(True)
            deepest = self.extractor.forward_with_hooks(pixels, self._hooks())

            end = _End.apply(deepest)  # type: ignore[no-untyped-call]

        def backward() -> Tensor:
            (gradient,) = torch.autograd.grad(end, pixels)
            return gradient

        return backward

    def measure(self, image: Tensor) -> list[Statistics]:
        """The statistics alone, without a way back."""
        with torch.no_grad():
            self.extractor.forward_with_hooks(image, self._hooks())
        return self.statistics

    def _hooks(self) -> dict[str, Tap]:
        resolve = self.extractor.backbone.resolve
        return {resolve(term.loss.layer): self._hook(term.loss.layer) for term in self.terms}

    def _hook(self, layer: str) -> Tap:
        backbone = self.extractor.backbone
        own = backbone.resolve(layer)
        indices = [i for i, t in enumerate(self.terms) if backbone.resolve(t.loss.layer) == own]
        # All that is upstream of a whole stage has been dealt with when its gradient comes by; that
        # of a layer within one may be another branch's too.
        alone = backbone.layers[own].stage == own

        def hook(features: Tensor) -> Tensor:
            if self.gradients is None:
                self._take_statistics(features.detach(), layer, indices)
            if not features.requires_grad:
                return features
            return GradientHook.apply(features, self, layer, indices, alone)  # type: ignore[no-any-return, no-untyped-call]

        return hook

    def _windows_of(self, features: Tensor, layer: str) -> tuple[Window, Window]:
        if self.windows is not None:
            return self.windows[layer]
        return (Window.whole(features),) * 2

    def _take_statistics(self, features: Tensor, layer: str, indices: Sequence[int]) -> None:
        window, inner = self._windows_of(features, layer)
        for index in indices:
            self.statistics[index] = self.terms[index].loss.statistics(inner.of(features), window)

    def add_gradient(
        self, features: Tensor, layer: str, indices: Sequence[int], gradient: Tensor
    ) -> None:
        """Add the gradient of the terms of a layer to that of its features, in place."""
        assert self.gradients is not None, "the gradients are set before the way back"
        window, inner = self._windows_of(features, layer)
        for index in indices:
            self.terms[index].loss.backward(
                inner.of(features), window, self.gradients[index], inner.of(gradient)
            )


class _End(torch.autograd.Function):
    """A zero from which the way back begins, with a gradient of zero for the deepest features.

    Handing autograd that gradient itself loads torch's symbolic shapes, half a second of start.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        ctx.shape = features.shape
        wide = features.is_contiguous(memory_format=torch.channels_last)
        ctx.memory_format = torch.channels_last if wide else torch.contiguous_format
        return features.new_zeros(())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        empty = torch.empty(
            ctx.shape,
            dtype=gradient.dtype,
            device=gradient.device,
            memory_format=ctx.memory_format,
        )
        return empty.zero_()


class GradientHook(torch.autograd.Function):
    """The identity; on the way back the gradient gets what `BackwardPass` adds to it."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        work: BackwardPass,
        layer: str,
        indices: Sequence[int],
        alone: bool,
    ) -> Tensor:
        ctx.save_for_backward(features)
        ctx.work, ctx.layer, ctx.indices, ctx.alone = work, layer, indices, alone
        return features.view_as(features)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        (features,) = ctx.saved_tensors
        gradient = gradient if ctx.alone else gradient.clone()
        ctx.work.add_gradient(features, ctx.layer, ctx.indices, gradient)
        return gradient, None, None, None, None


def _add_up_statistics(
    extractor: FeatureExtractor,
    terms: Sequence[LossTerm],
    image: Tensor,
    parts: Sequence[tuple[Tile, _Windows]],
) -> list[Statistics]:
    """The statistics of the whole picture, a tile at a time."""
    total: list[Statistics] | None = None
    for tile, windows in parts:
        own = BackwardPass(extractor, terms, windows).measure(_crop(image, tile))
        total = own if total is None else list(map(_add, total, own))
    assert total is not None
    return total


def _add(before: Statistics, now: Statistics) -> Statistics:
    return tuple(a + b for a, b in zip(before, now, strict=True))


def _losses_and_gradients(
    terms: Sequence[LossTerm], statistics: Sequence[Statistics], scale: float
) -> tuple[list[Statistics], dict[str, float]]:
    """The gradient of each term for its statistics, times `scale`; and the losses by kind."""
    if not all(bool(part.isfinite().all()) for one in statistics for part in one):
        raise Diverged("the features are no longer numbers; try a smaller step size or adam")
    gradients: list[Statistics] = []
    losses: dict[str, float] = {}
    for term, one in zip(terms, statistics, strict=True):
        with torch.enable_grad():
            free = tuple(part.detach().requires_grad_(True) for part in one)
            value = term.weight * term.loss.loss(free)
            gradients.append(torch.autograd.grad(scale * value, free, materialize_grads=True))
        losses[term.kind] = losses.get(term.kind, 0.0) + float(value.detach())
    return gradients, losses
