"""Features moved to a style in closed form: the least movement that gives them its moments.

Source: Lu et al. 2019, "A closed-form solution to universal style transfer" (the map between two
Gaussians of Olkin & Pukelsheim 1982); with variances alone it is the adaptive instance norm of
Huang & Belongie 2017. **Differs**: covariances are drawn towards their diagonals, so that a small
picture, whose places are fewer than its features, has a map too.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from belamy.objectives.style_losses import Moments, decomposed

__all__ = ["Transport", "deviations", "transport"]

# Added to each variance, of the mean of all and at least: a feature that strays less is noise, and
# a style that would have more of it shall not blow it up. Features of photographs have about 0.1,
# pixels 0.05. By eye.
_FLOOR, _LEAST = 1e-2, 1e-4


@dataclass(frozen=True)
class Transport:
    """An affine map of features.

    Args:
        matrix: (N, C, C), or (N, C) for one that keeps features apart.
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
            moved = centred * self.matrix[:, :, None, None]
        else:
            flat = centred.permute(0, 2, 3, 1).flatten(1, 2)  # (N, P, C), a view if channels-last
            moved = (flat @ self.matrix.mT).view(*centred.permute(0, 2, 3, 1).shape)
            moved = moved.permute(0, 3, 1, 2)
        return moved + self.target[:, :, None, None]


def transport(source: Moments, target: Moments, mixing: float) -> Transport:
    """The map that gives features with the moments of `source` those of `target`.

    Args:
        source, target: (N, C) and (N, C, C).
        mixing: 0 to 1, how much of the covariances between features counts; 0 moves each feature
            by itself.
    """
    if mixing == 0:
        now, wanted = (_variances(one) for one in (source, target))
        return Transport((wanted / now).sqrt(), source.mean, target.mean)
    now, wanted = (_shrunk(one, mixing) for one in (source, target))
    # With Σ = L·Lᵀ the map is L⁻ᵀ·(Lᵀ·Σ̂·L)^½·L⁻¹: symmetric, and it carries Σ to Σ̂; there is one
    # such.
    root = torch.linalg.cholesky(now)
    values, vectors = decomposed(root.mT @ wanted @ root)
    half = torch.linalg.solve_triangular(root.mT, vectors, upper=True)  # L⁻ᵀ·V
    matrix = (half * values.clamp_min(0).sqrt()[:, None, :]) @ half.mT
    return Transport(matrix, source.mean, target.mean)


def deviations(moments: Moments) -> Tensor:
    """(N, C), how far each feature strays from its mean."""
    variances: Tensor = moments.covariance.diagonal(dim1=-2, dim2=-1)
    return variances.clamp_min(torch.finfo(variances.dtype).eps).sqrt()


def _variances(moments: Moments) -> Tensor:
    variances: Tensor = moments.covariance.diagonal(dim1=-2, dim2=-1).clamp_min(0)  # (N, C)
    return variances + _FLOOR * variances.mean(dim=-1, keepdim=True) + _LEAST


def _shrunk(moments: Moments, mixing: float) -> Tensor:
    covariance = moments.covariance * mixing
    covariance.diagonal(dim1=-2, dim2=-1).copy_(_variances(moments))
    return covariance
