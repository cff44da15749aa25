"""Style losses: distances between the first two moments of a layer's features.

A style is the mean and the second moment of a layer's features over all positions: which features
there are and which go together, wherever they are. Both are sums over positions, so that a picture
too large for memory can be read in tiles whose sums add up: every loss here is a `StatisticsLoss`.

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
from belamy.objectives.matmul import matmul
from belamy.objectives.statistics import (
    StatisticsLoss,
    differentiable_moments,
    moment_backward,
    moment_statistics,
)


@dataclass(frozen=True)
class Moments:
    """First and second moments of features, which stand for a style.

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
        weights: (H, W), non-negative, how much each position counts; None counts all alike.

    Raises:
        OptionError: all weights are zero.
    """
    position_weights = None if weights is None else normalize_weights(weights)
    return Moments(*differentiable_moments(features, position_weights))


def normalize_weights(weights: Tensor) -> Tensor:
    """Weights of positions (H, W) that add up to 1.

    Raises:
        OptionError: all are zero.
    """
    total = weights.sum()
    if not bool(total > 0):
        raise OptionError("the mask is black all over, so no place would count; make it white")
    return weights / total


def blend_moments(styles: Sequence[Moments], weights: Sequence[float]) -> Moments:
    """The moments of a mixture of styles.

    Args:
        weights: one for each, not negative; only their proportions count.

    Raises:
        OptionError: not one weight for each style, or none above zero.
    """
    if len(styles) != len(weights) or not sum(weights) > 0 or min(weights) < 0:
        raise OptionError(
            f"weights {list(weights)} for {len(styles)} styles; give one positive each"
        )
    fractions = [weight / sum(weights) for weight in weights]
    return Moments(
        functools.reduce(
            operator.add, (w * one.mean for w, one in zip(fractions, styles, strict=True))
        ),
        functools.reduce(
            operator.add, (w * one.second for w, one in zip(fractions, styles, strict=True))
        ),
    )


def gram_loss(layer: str, target: Moments, weights: Tensor | None = None) -> StatisticsLoss:
    """Gram loss: squared difference of second moments.

    ‖G − Ĝ‖² / (C · ‖Ĝ‖): dividing by the target's own size gives it the unit of `wasserstein_loss`
    (the square of a feature), so that weights mean about the same for both. Zero at the target,
    blind to where things are.

    Args:
        target: one style, (1, C) and (1, C, C).
        weights: (H, W), how much each position of the whole layer counts.

    Source: Gatys, Ecker & Bethge 2016, eq. 3–5. Differs: G is a mean over positions, not a sum, and
    the target's size stands in the denominator.
    """
    gram = target.second.detach()
    size = torch.linalg.matrix_norm(gram).clamp_min(torch.finfo(gram.dtype).tiny)

    def loss(actual: Moments) -> Tensor:
        # Divided before it is squared: the square of a second moment is a fourth power.
        error = (actual.second - gram) / size.sqrt()[:, None, None]
        squares: Tensor = error.square().sum(dim=(-2, -1))
        return (squares / gram.shape[-1]).mean()

    return _moment_loss(layer, f"gram({layer})", loss, weights)


def wasserstein_loss(layer: str, target: Moments, weights: Tensor | None = None) -> StatisticsLoss:
    """Squared Wasserstein-2 distance between Gaussians with the features' moments, over C.

    |μ − μ̂|² + tr(Σ + Σ̂ − 2 (Σ̂^½ Σ Σ̂^½)^½): how far the features must move, at least, to become
    the target's. Zero at the target, blind to where things are.

    Args:
        target: one style, (1, C) and (1, C, C).
        weights: (H, W), how much each position of the whole layer counts.

    Source: Olkin & Pukelsheim, "The distance between two random vectors", 1982; as a style loss
    in crowsonkb/style-transfer-pytorch. Differs: nothing is added to the covariances.
    """
    mean, covariance = target.mean.detach(), target.covariance.detach()
    factor, spread = _factor(covariance), _trace(covariance)
    strongest = torch.linalg.matrix_norm(factor, 2).square()

    def loss(actual: Moments) -> Tensor:
        shift = (actual.mean - mean).square().sum(dim=-1)
        now = actual.covariance
        # A covariance is exact up to the rounding of the second moment that it is taken from.
        finest = torch.finfo(now.dtype).eps * actual.second.detach().diagonal(dim1=1, dim2=2).amax(
            1
        )
        common = trace_of_sqrt(matmul(matmul(factor.mT, now), factor), finest * strongest)
        return ((shift + _trace(now) + spread - 2 * common) / mean.shape[-1]).mean()

    return _moment_loss(layer, f"moments({layer})", loss, weights)


STYLE_LOSSES: dict[str, Callable[[str, Moments, Tensor | None], StatisticsLoss]] = {
    "moments": wasserstein_loss,
    "gram": gram_loss,
}


def _moment_loss(
    layer: str, name: str, loss: Callable[[Moments], Tensor], weights: Tensor | None
) -> StatisticsLoss:
    position_weights = None if weights is None else normalize_weights(weights)
    return StatisticsLoss(
        layer,
        name,
        functools.partial(moment_statistics, position_weights=position_weights),
        lambda sums: loss(Moments(*sums)),
        functools.partial(moment_backward, position_weights=position_weights),
    )


def _trace(matrices: Tensor) -> Tensor:
    trace: Tensor = matrices.diagonal(dim1=-2, dim2=-1).sum(dim=-1)
    return trace


def _factor(covariance: Tensor) -> Tensor:
    """F (N, C, K) with F·Fᵀ = Σ̂, K the rank: eigenvalues of Fᵀ Σ F are those of Σ̂^½ Σ Σ̂^½.

    Few positions make a low rank, and all that is done with F cheaper. In float64, for it is made
    once and used for a long time.
    """
    values, vectors = eigendecompose(covariance.double())
    # what the target's own numbers, of its own precision, cannot tell from zero
    floor = torch.finfo(covariance.dtype).eps * values[..., -1:].clamp_min(0)
    rank = max(1, int((values > floor).sum(dim=-1).max()))
    values = torch.where(values > floor, values, 0)
    return (vectors * values.sqrt()[:, None, :])[..., -rank:].to(covariance)


def eigendecompose(matrices: Tensor) -> tuple[Tensor, Tensor]:
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


def _rounding_floor(values: Tensor) -> Tensor:
    """Below this, eigenvalues (N, C) in ascending order are their decomposition's rounding."""
    number = torch.finfo(values.dtype)
    return (_ROUNDING * number.eps * values[..., -1:]).clamp_min(number.tiny)


class _TraceOfSqrt(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, matrices: Tensor, floor: Tensor) -> Tensor:
        values, vectors = eigendecompose(matrices)
        floor = _rounding_floor(values).maximum(floor[..., None])
        ctx.save_for_backward(vectors, values.maximum(floor))
        return torch.where(values > floor, values, 0).sqrt().sum(dim=-1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        vectors, values = ctx.saved_tensors
        gradients = vectors * (gradient[..., None] / (2 * values.sqrt()))[..., None, :]
        return matmul(gradients, vectors.mT), None


def trace_of_sqrt(matrices: Tensor, floor: Tensor | None = None) -> Tensor:
    """tr(A^½) of symmetric matrices (N, C, C) without negative eigenvalues: (N,).

    Its gradient, ½ A^(−½), comes from the same decomposition: nothing is differentiated through
    iterations. Of a singular A it is the shortest of all gradients, which for A = X·Xᵀ (features of
    fewer positions than channels) is the gradient for X that every path agrees on: where an
    eigenvalue is zero, so is X.

    Args:
        floor: (N,), what eigenvalues must exceed to be more than rounding, if more is known of it
            than that they come from a decomposition.
    """
    least = matrices.new_zeros(len(matrices)) if floor is None else floor
    return _TraceOfSqrt.apply(matrices, least)  # type: ignore[no-any-return, no-untyped-call]
