"""Losses on a layer's statistics: sums over positions, which may be taken tile by tile.

A picture too large for memory is read a tile at a time: the sums of the tiles add up. The gradient
for each position follows from the sums alone, so that no graph through them is kept: it is added in
place to the gradient that comes back through the network.

Features are (N, C, H, W); sums are taken of each picture of the batch by itself.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from belamy.objectives.matmul import matmul, scatter_matrix
from belamy.objectives.objective import Activations, Objective

__all__ = [
    "Statistics",
    "StatisticsBackward",
    "StatisticsFunction",
    "StatisticsLoss",
    "Window",
    "content_loss",
    "differentiable_moments",
    "moment_backward",
    "moment_statistics",
]

Statistics = tuple[Tensor, ...]

# Positions that are worked on at a time: what is made of them stays in the cache between two sums.
_BLOCK = 8192
_HALVES = (torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class Window:
    """Part of a layer's grid: rows, columns, and how many positions the whole layer has."""

    rows: slice
    columns: slice
    positions: int

    @classmethod
    def whole(cls, features: Tensor) -> Window:
        """All positions of features (N, C, H, W)."""
        height, width = features.shape[-2:]
        return cls(slice(0, height), slice(0, width), height * width)

    def of(self, whole: Tensor) -> Tensor:
        """The window's crop of something (…, H, W)."""
        return whole[..., self.rows, self.columns]


StatisticsFunction = Callable[[Tensor, Window], Statistics]
"""(features of the positions in a window, the window) → sums over these positions."""

StatisticsBackward = Callable[[Tensor, Window, Statistics, Tensor], None]
"""(features, window, gradient of the loss for each sum, gradient for the features): the chain rule,
added in place to the last."""


@dataclass(frozen=True)
class StatisticsLoss:
    """A loss that depends on a layer through sums over its positions alone.

    Args:
        layer: whose features it looks at.
        name: how a person reads it.
        statistics: see `StatisticsFunction`. The sums of windows that cover the layer once add up
            to those of the whole.
        loss: the sums of the whole → tensor without dimensions.
        backward: see `StatisticsBackward`, the derivative of `statistics`.
    """

    layer: str
    name: str
    statistics: StatisticsFunction
    loss: Callable[[Statistics], Tensor]
    backward: StatisticsBackward

    @property
    def objective(self) -> Objective:
        """The loss as an `Objective` on the whole picture."""

        def score(activations: Activations) -> Tensor:
            sums = _StatisticsAutograd.apply(  # type: ignore[no-untyped-call]
                activations[self.layer], self.statistics, self.backward
            )
            return self.loss(sums)

        return Objective(score, frozenset({self.layer}), self.name)


class _StatisticsAutograd(torch.autograd.Function):
    """The sums of all positions as a node of autograd's graph."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, statistics: StatisticsFunction, backward: StatisticsBackward
    ) -> Statistics:
        ctx.save_for_backward(features)
        ctx.statistics_backward = backward
        return statistics(features, Window.whole(features))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *statistics_gradient: Tensor) -> tuple[Tensor, None, None]:
        (features,) = ctx.saved_tensors
        gradient = torch.zeros_like(features)
        ctx.statistics_backward(features, Window.whole(features), statistics_gradient, gradient)
        return gradient, None, None


def content_loss(layer: str, target: Tensor) -> StatisticsLoss:
    """Content loss: mean squared error between a layer's features and a target's.

    Zero at the target; sensitive to where things are.

    Args:
        target: (1, C, H, W), the features of the whole picture.

    Source: Gatys, Ecker & Bethge 2016, "Image style transfer using convolutional neural networks",
    eq. 1. Differs: a mean, not half a sum, so that weights mean the same at every size.
    """
    target = target.detach()

    def difference(features: Tensor, window: Window) -> Tensor:
        return features.to(target.dtype) - window.of(target)

    def statistics(features: Tensor, window: Window) -> Statistics:
        return (difference(features, window).square().sum() / (len(features) * target.numel()),)

    def backward(
        features: Tensor, window: Window, statistics_gradient: Statistics, gradient: Tensor
    ) -> None:
        factor = 2 * statistics_gradient[0] / (len(features) * target.numel())
        gradient.add_(difference(features, window).mul_(factor))

    return StatisticsLoss(layer, f"content({layer})", statistics, lambda sums: sums[0], backward)


def moment_statistics(
    features: Tensor, window: Window, position_weights: Tensor | None = None
) -> Statistics:
    """A window's contribution to mean and second moment: (N, C) and (N, C, C), in float32 or finer.

    Half precision would overflow in the second moment, so it is left before the products.

    Args:
        features: (N, C, h, w), those of the window.
        position_weights: (H, W) of the whole layer, adding up to 1; None where all positions
            count alike.
    """
    flat = _flatten_positions(features)  # (N, P, C)
    block = _BLOCK if flat.dtype in _HALVES else max(1, flat.shape[1])  # (N, block, C) at a time
    if position_weights is None:
        parts = [
            (x.sum(dim=1), scatter_matrix(x, x))
            for x in map(_at_least_float32, torch.split(flat, block, dim=1))
        ]
        first, second = map(_add_up, zip(*parts, strict=True))
        return first / window.positions, second / window.positions
    x = _at_least_float32(flat)
    weighted = x * _window_weights(position_weights, window, x)
    return weighted.sum(dim=1), scatter_matrix(weighted, x)


def _add_up(parts: Sequence[Tensor]) -> Tensor:
    return functools.reduce(operator.add, parts)


def moment_backward(
    features: Tensor,
    window: Window,
    statistics_gradient: Statistics,
    gradient: Tensor,
    position_weights: Tensor | None = None,
) -> None:
    """The derivative of `moment_statistics`, added to the gradient in place.

    Args:
        features, window, position_weights: as there.
        statistics_gradient: (N, C) and (N, C, C), of the mean and of the second moment.
        gradient: (N, C, h, w), changed in place.
    """
    shift, both = (
        statistics_gradient[0][:, None],
        statistics_gradient[1] + statistics_gradient[1].mT,
    )
    weights = None if position_weights is None else _window_weights(position_weights, window, both)
    if weights is None:
        shift, both = shift / window.positions, both / window.positions
    # a copy, where the gradient is not stored channels-last
    flat, seen = _flatten_positions(gradient), _flatten_positions(features)
    for start in range(0, flat.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        rows, x = flat[:, block], seen[:, block]
        if weights is None and rows.dtype == x.dtype == torch.bfloat16:
            _add_in_bfloat16(rows, x, both, shift)
            continue
        change = matmul(_at_least_float32(x), both).add_(shift)
        rows.add_(change if weights is None else change.mul_(weights[block]))
    if flat.data_ptr() != gradient.data_ptr():
        channels, height, width = gradient.shape[1:]
        gradient.copy_(flat.view(-1, height, width, channels).permute(0, 3, 1, 2))


def _add_in_bfloat16(rows: Tensor, x: Tensor, both: Tensor, shift: Tensor) -> None:
    """Add x·both + shift to a gradient that is rounded to bfloat16 anyway: rounding the matrix
    too, once, is as much again."""
    for own, features, matrix in zip(rows, x, both.to(rows.dtype), strict=True):
        own.addmm_(features, matrix)
    rows.add_(shift.to(rows.dtype))


def differentiable_moments(
    features: Tensor, position_weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Mean (N, C) and second moment (N, C, C) over all positions, differentiable.

    Args:
        position_weights: as in `moment_statistics`.
    """
    mean, second = _StatisticsAutograd.apply(  # type: ignore[no-untyped-call]
        features,
        functools.partial(moment_statistics, position_weights=position_weights),
        functools.partial(moment_backward, position_weights=position_weights),
    )
    return mean, second


def _flatten_positions(features: Tensor) -> Tensor:
    """(N, C, H, W) → (N, H·W, C), a view of channels-last features."""
    return features.permute(0, 2, 3, 1).flatten(1, 2)


def _at_least_float32(x: Tensor) -> Tensor:
    return x.float() if x.dtype in _HALVES else x


def _window_weights(position_weights: Tensor, window: Window, like: Tensor) -> Tensor:
    return window.of(position_weights).to(like).reshape(-1, 1)  # (P, 1)
