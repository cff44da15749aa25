"""Objectives that know a layer by sums over its places, in parts if need be.

A picture too large for memory is seen a tile at a time: the sums of the tiles add up. And what such
an objective wants of each place follows from the sums alone, so that no graph through it is kept:
it is added to the gradient in place, when that comes by on its way back through the network.

Features are (N, C, H, W); sums are taken of each picture of the batch by itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from belamy.objectives.matmul import product, scatter
from belamy.objectives.objective import Activations, Objective

__all__ = [
    "Gather",
    "Pooled",
    "Spread",
    "Sums",
    "Window",
    "content",
    "gather_moments",
    "moment_sums",
    "spread_moments",
]

Sums = tuple[Tensor, ...]

# Places that are worked on at a time on the way back: their gradient stays in the cache from the
# first sum to the second.
_BLOCK = 8192


@dataclass(frozen=True)
class Window:
    """Which of a layer's places are looked at: rows, columns, and how many places there are."""

    rows: slice
    columns: slice
    places: int

    @classmethod
    def whole(cls, features: Tensor) -> Window:
        """All places of features (N, C, H, W)."""
        height, width = features.shape[-2:]
        return cls(slice(0, height), slice(0, width), height * width)

    def of(self, whole: Tensor) -> Tensor:
        """Its part of something (…, H, W)."""
        return whole[..., self.rows, self.columns]


Gather = Callable[[Tensor, Window], Sums]
"""(features of the places in a window, the window) → sums over these places."""

Spread = Callable[[Tensor, Window, Sums, Tensor], None]
"""(features, window, what changes with each sum, gradient of the features): add to the gradient, in
place, what changes with the features."""


@dataclass(frozen=True)
class Pooled:
    """A scalar to minimise that knows a layer by sums over its places alone.

    Args:
        layer: whose features it looks at.
        name: how a person reads it.
        gather: see `Gather`. The sums of windows that cover the layer once add up to those of the
            whole.
        judge: the sums of the whole → tensor without dimensions.
        spread: see `Spread`, the derivative of `gather`.
    """

    layer: str
    name: str
    gather: Gather
    judge: Callable[[Sums], Tensor]
    spread: Spread

    @property
    def objective(self) -> Objective:
        """The same of a picture that is seen whole, for the algebra of objectives."""

        def score(activations: Activations) -> Tensor:
            sums = _Gathered.apply(activations[self.layer], self.gather, self.spread)  # type: ignore[no-untyped-call]
            return self.judge(sums)

        return Objective(score, frozenset({self.layer}), self.name)


class _Gathered(torch.autograd.Function):
    """The sums of all places, as autograd knows it."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, gather: Gather, spread: Spread) -> Sums:
        ctx.save_for_backward(features)
        ctx.spread = spread
        return gather(features, Window.whole(features))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None, None]:
        (features,) = ctx.saved_tensors
        gradient = torch.zeros_like(features)
        ctx.spread(features, Window.whole(features), slopes, gradient)
        return gradient, None, None


def content(layer: str, target: Tensor) -> Pooled:
    """Mean of the squared differences to what a picture shows in a layer.

    Zero at the target; sees where things are.

    Args:
        target: (1, C, H, W), the features of the whole picture.

    Source: Gatys, Ecker & Bethge 2016, "Image style transfer using convolutional neural networks",
    eq. 1. Differs: a mean, not half a sum, so that weights mean the same at every size.
    """
    target = target.detach()

    def off(features: Tensor, window: Window) -> Tensor:
        return features.to(target.dtype) - window.of(target)

    def gather(features: Tensor, window: Window) -> Sums:
        return (off(features, window).square().sum() / (len(features) * target.numel()),)

    def spread(features: Tensor, window: Window, slopes: Sums, gradient: Tensor) -> None:
        part = 2 * slopes[0] / (len(features) * target.numel())
        gradient.add_(off(features, window).mul_(part))

    return Pooled(layer, f"content({layer})", gather, lambda sums: sums[0], spread)


def gather_moments(features: Tensor, window: Window, share: Tensor | None = None) -> Sums:
    """A window's part of mean and second moment: (N, C) and (N, C, C), in float32 or finer.

    Half precision would overflow in the second moment, so it is left before the products.

    Args:
        features: (N, C, h, w), those of the window.
        share: (H, W) of the whole layer, adding up to 1; None where all places count alike.
    """
    x = _wide(_by_place(features))  # (N, P, C)
    if share is None:
        return x.sum(dim=1) / window.places, scatter(x, x) / window.places
    weighted = x * _weights(share, window, x)
    return weighted.sum(dim=1), scatter(weighted, x)


def spread_moments(
    features: Tensor, window: Window, slopes: Sums, gradient: Tensor, share: Tensor | None = None
) -> None:
    """The derivative of `gather_moments`, added to the gradient in place.

    Args:
        features, window, share: as there.
        slopes: (N, C) and (N, C, C), what changes with the mean and with the second moment.
        gradient: (N, C, h, w), changed.
    """
    shift, both = slopes[0][:, None], slopes[1] + slopes[1].mT
    weights = None if share is None else _weights(share, window, both)
    if weights is None:
        shift, both = shift / window.places, both / window.places
    # where the gradient cannot be seen place by place as it lies, this is a copy
    flat = _by_place(gradient)
    for start in range(0, flat.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        part, x = flat[:, block], _wide(_by_place(features)[:, block])
        wanted = product(x, both).add_(shift)
        part.add_(wanted if weights is None else wanted.mul_(weights[block]))
    if flat.data_ptr() != gradient.data_ptr():
        channels, height, width = gradient.shape[1:]
        gradient.copy_(flat.view(-1, height, width, channels).permute(0, 3, 1, 2))


def moment_sums(features: Tensor, share: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Mean (N, C) and second moment (N, C, C) of all places, through which gradients flow.

    Args:
        share: as in `gather_moments`.
    """
    mean, second = _Gathered.apply(  # type: ignore[no-untyped-call]
        features,
        functools.partial(gather_moments, share=share),
        functools.partial(spread_moments, share=share),
    )
    return mean, second


def _by_place(features: Tensor) -> Tensor:
    """(N, C, H, W) → (N, H·W, C), a view of channels-last features."""
    return features.permute(0, 2, 3, 1).flatten(1, 2)


def _wide(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _weights(share: Tensor, window: Window, like: Tensor) -> Tensor:
    return window.of(share).to(like).reshape(-1, 1)  # (P, 1)
