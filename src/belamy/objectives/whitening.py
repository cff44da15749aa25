"""Whitening and colouring of features: the optimal transport between two Gaussians.

Source: Lu et al. 2019, "A closed-form solution to universal style transfer" (the map between two
Gaussians of Olkin & Pukelsheim 1982); with variances alone it is the adaptive instance norm of
Huang & Belongie 2017. **Differs**: covariances are drawn towards their diagonals, so that a small
picture, whose positions are fewer than its features, has a map too.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from belamy.objectives.style_losses import Moments, eigendecompose

__all__ = ["FeatureTransform", "standard_deviations", "whitening_coloring"]

# Added to each variance, of the mean of all and at least: a feature that strays less is noise, and
# a style that would have more of it shall not blow it up. Features of photographs have about 0.1,
# pixels 0.05. By eye.
_FLOOR, _LEAST = 1e-2, 1e-4


@dataclass(frozen=True)
class FeatureTransform:
    """An affine map of features.

    Args:
        matrix: (N, C, C), or (N, C) for one that scales each feature by itself.
        source: (N, C), what is subtracted first.
        target: (N, C), what is added in the end.
    """

    matrix: Tensor
    source: Tensor
    target: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """(N, C, H, W) → the same shape."""
        centred = features - self.source[:, :, None, None]
        if self.matrix.dim() == 2:
            mapped = centred * self.matrix[:, :, None, None]
        else:
            flat = centred.permute(0, 2, 3, 1).flatten(1, 2)  # (N, P, C), a view if channels-last
            mapped = (flat @ self.matrix.mT).view(*centred.permute(0, 2, 3, 1).shape)
            mapped = mapped.permute(0, 3, 1, 2)
        return mapped + self.target[:, :, None, None]


def whitening_coloring(source: Moments, target: Moments, mixing: float) -> FeatureTransform:
    """The linear Monge–Kantorovich map that carries the moments of `source` to those of `target`.

    Args:
        source, target: (N, C) and (N, C, C).
        mixing: 0 to 1, how much of the covariances between features counts; 0 moves each feature
            by itself.
    """
    if mixing == 0:
        before, after = (_variances(one) for one in (source, target))
        return FeatureTransform((after / before).sqrt(), source.mean, target.mean)
    before, after = (_shrink_covariance(one, mixing) for one in (source, target))
    # With Σ = L·Lᵀ the map is L⁻ᵀ·(Lᵀ·Σ̂·L)^½·L⁻¹: symmetric, and it carries Σ to Σ̂; there is one
    # such.
    root = torch.linalg.cholesky(before)
    values, vectors = eigendecompose(root.mT @ after @ root)
    half = torch.linalg.solve_triangular(root.mT, vectors, upper=True)  # L⁻ᵀ·V
    matrix = (half * values.clamp_min(0).sqrt()[:, None, :]) @ half.mT
    return FeatureTransform(matrix, source.mean, target.mean)


def standard_deviations(moments: Moments) -> Tensor:
    """(N, C), the standard deviation of each feature."""
    variances: Tensor = moments.covariance.diagonal(dim1=-2, dim2=-1)
    return variances.clamp_min(torch.finfo(variances.dtype).eps).sqrt()


def _variances(moments: Moments) -> Tensor:
    variances: Tensor = moments.covariance.diagonal(dim1=-2, dim2=-1).clamp_min(0)  # (N, C)
    return variances + _FLOOR * variances.mean(dim=-1, keepdim=True) + _LEAST


def _shrink_covariance(moments: Moments, mixing: float) -> Tensor:
    covariance = moments.covariance * mixing
    covariance.diagonal(dim1=-2, dim2=-1).copy_(_variances(moments))
    return covariance
