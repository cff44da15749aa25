"""The manner in which a picture shows things, as distances.

A style is the mean and the second moment of a layer's features over all places: which features
there are and which go together, wherever they are. Both are sums over places, so that a picture too
large for memory can be seen in parts whose sums add up: every objective here is `Pooled`.

Features are (N, C, H, W); moments are taken of each picture of the batch by itself.
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

from belamy.errors import OptionError
from belamy.objectives.matmul import product
from belamy.objectives.statistics import Pooled, gather_moments, moment_sums, spread_moments


@dataclass(frozen=True)
class Moments:
    """What a style is.

    Args:
        mean: (N, C).
        second: (N, C, C), the mean of x·xᵀ, not centred, so that tiles and blends add up.
    """

    mean: Tensor
    second: Tensor

    @property
    def covariance(self) -> Tensor:
        """(N, C, C)."""
        return self.second - self.mean[:, :, None] * self.mean[:, None, :]


def moments_of(features: Tensor, weights: Tensor | None = None) -> Moments:
    """The moments of features (N, C, H, W).

    Args:
        weights: (H, W), non-negative, how much each place counts; None counts all alike.

    Raises:
        OptionError: all weights are zero.
    """
    share = None if weights is None else shares(weights)
    return Moments(*moment_sums(features, share))


def shares(weights: Tensor) -> Tensor:
    """Weights of places (H, W) that add up to 1.

    Raises:
        OptionError: all are zero.
    """
    total = weights.sum()
    if not bool(total > 0):
        raise OptionError("the mask is black all over, so no place would count; make it white")
    return weights / total


def blend(styles: Sequence[Moments], weights: Sequence[float]) -> Moments:
    """Several styles as one: the moments that places drawn from all of them would have.

    Args:
        weights: one for each, not negative; only their proportions count.

    Raises:
        OptionError: not one weight for each style, or none above zero.
    """
    if len(styles) != len(weights) or not sum(weights) > 0 or min(weights) < 0:
        raise OptionError(
            f"weights {list(weights)} for {len(styles)} styles; give one positive each"
        )
    part = [weight / sum(weights) for weight in weights]
    return Moments(
        functools.reduce(operator.add, (w * one.mean for w, one in zip(part, styles, strict=True))),
        functools.reduce(
            operator.add, (w * one.second for w, one in zip(part, styles, strict=True))
        ),
    )


def gram(layer: str, target: Moments, weights: Tensor | None = None) -> Pooled:
    """Squared difference of second moments, of Gatys' style.

    ‖G − Ĝ‖² / (C · ‖Ĝ‖): dividing by the target's own size gives it the unit of `moments` (the
    square of a feature), so that weights mean about the same for both. Zero at the target, blind
    to where things are.

    Args:
        target: one style, (1, C) and (1, C, C).
        weights: (H, W), how much each place of the whole layer counts.

    Source: Gatys, Ecker & Bethge 2016, eq. 3–5. Differs: G is a mean over places, not a sum, and
    the target's size stands in the denominator.
    """
    wanted = target.second.detach()
    size = torch.linalg.matrix_norm(wanted).clamp_min(torch.finfo(wanted.dtype).tiny)

    def judge(found: Moments) -> Tensor:
        # Divided before it is squared: the square of a second moment is a fourth power.
        off = (found.second - wanted) / size.sqrt()[:, None, None]
        squares: Tensor = off.square().sum(dim=(-2, -1))
        return (squares / wanted.shape[-1]).mean()

    return _of_moments(layer, f"gram({layer})", judge, weights)


def moments(layer: str, target: Moments, weights: Tensor | None = None) -> Pooled:
    """Squared Wasserstein-2 distance between Gaussians with the features' moments, over C.

    |μ − μ̂|² + tr(Σ + Σ̂ − 2 (Σ̂^½ Σ Σ̂^½)^½): how far the features must move, at least, to become
    the target's. Zero at the target, blind to where things are.

    Args:
        target: one style, (1, C) and (1, C, C).
        weights: (H, W), how much each place of the whole layer counts.

    Source: Olkin & Pukelsheim, "The distance between two random vectors", 1982; as a style loss
    in crowsonkb/style-transfer-pytorch. Differs: nothing is added to the covariances.
    """
    mean, covariance = target.mean.detach(), target.covariance.detach()
    factor, spread = _factor(covariance), _trace(covariance)
    strongest = torch.linalg.matrix_norm(factor, 2).square()

    def judge(found: Moments) -> Tensor:
        shift = (found.mean - mean).square().sum(dim=-1)
        now = found.covariance
        # A covariance is exact up to the rounding of the second moment that it is taken from.
        finest = torch.finfo(now.dtype).eps * found.second.detach().diagonal(dim1=1, dim2=2).amax(1)
        common = root_trace(product(product(factor.mT, now), factor), finest * strongest)
        return ((shift + _trace(now) + spread - 2 * common) / mean.shape[-1]).mean()

    return _of_moments(layer, f"moments({layer})", judge, weights)


STYLE_LOSSES: dict[str, Callable[[str, Moments, Tensor | None], Pooled]] = {
    "moments": moments,
    "gram": gram,
}


def _of_moments(
    layer: str, name: str, judge: Callable[[Moments], Tensor], weights: Tensor | None
) -> Pooled:
    share = None if weights is None else shares(weights)
    return Pooled(
        layer,
        name,
        functools.partial(gather_moments, share=share),
        lambda sums: judge(Moments(*sums)),
        functools.partial(spread_moments, share=share),
    )


def _trace(matrices: Tensor) -> Tensor:
    trace: Tensor = matrices.diagonal(dim1=-2, dim2=-1).sum(dim=-1)
    return trace


def _factor(covariance: Tensor) -> Tensor:
    """F (N, C, K) with F·Fᵀ = Σ̂, K the rank: eigenvalues of Fᵀ Σ F are those of Σ̂^½ Σ Σ̂^½.

    Few places make a low rank, and all that is done with F cheaper. In float64, for it is made once
    and used for a long time.
    """
    values, vectors = decomposed(covariance.double())
    # what the target's own numbers, of its own precision, cannot tell from zero
    floor = torch.finfo(covariance.dtype).eps * values[..., -1:].clamp_min(0)
    rank = max(1, int((values > floor).sum(dim=-1).max()))
    values = torch.where(values > floor, values, 0)
    return (vectors * values.sqrt()[:, None, :])[..., -rank:].to(covariance)


def decomposed(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues in ascending order, and eigenvectors, of symmetric matrices (N, C, C).

    MKL makes NaN of what is nearly zero all over, as the covariance of a flat picture is: numbers
    are brought to about 1, and dropped where they are smaller than any rounding.
    """
    number = torch.finfo(matrices.dtype)
    size = matrices.abs().amax(dim=(-2, -1), keepdim=True).clamp_min(number.tiny)
    scaled = matrices / size
    values, vectors = torch.linalg.eigh(scaled.masked_fill(scaled.abs() < number.eps**2, 0))
    return values * size[..., 0], vectors


# Eigenvalues are exact up to the largest one times about a unit of the last place.
_ROUNDING = 2


def _rounding(values: Tensor) -> Tensor:
    """Below this, eigenvalues (N, C) in ascending order are their decomposition's rounding."""
    number = torch.finfo(values.dtype)
    return (_ROUNDING * number.eps * values[..., -1:]).clamp_min(number.tiny)


class _RootTrace(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, matrices: Tensor, floor: Tensor) -> Tensor:
        values, vectors = decomposed(matrices)
        floor = _rounding(values).maximum(floor[..., None])
        ctx.save_for_backward(vectors, values.maximum(floor))
        return torch.where(values > floor, values, 0).sqrt().sum(dim=-1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        vectors, values = ctx.saved_tensors
        slopes = vectors * (gradient[..., None] / (2 * values.sqrt()))[..., None, :]
        return product(slopes, vectors.mT), None


def root_trace(matrices: Tensor, floor: Tensor | None = None) -> Tensor:
    """tr(A^½) of symmetric matrices (N, C, C) without negative eigenvalues: (N,).

    Its gradient, ½ A^(−½), comes from the same decomposition: nothing is differentiated through
    iterations. Of a singular A it is the shortest of all gradients, which for A = X·Xᵀ (features of
    fewer places than channels) is the gradient for X that every path agrees on: where an eigenvalue
    is zero, so is X.

    Args:
        floor: (N,), what eigenvalues must exceed to be more than rounding, if more is known of it
            than that they come from a decomposition.
    """
    least = matrices.new_zeros(len(matrices)) if floor is None else floor
    return _RootTrace.apply(matrices, least)  # type: ignore[no-any-return, no-untyped-call]
