"""Losses for training arbitrary style transfer: each picture of a batch has a style of its own.

Each distance is divided by the size of its target, and a logarithm keeps a dark or plain style,
whose numbers are small, from outweighing all others.

Source: Huang & Belongie 2017, equations 12 and 13. **Differs**: covariances instead of deviations,
since features that go together are what strokes are made of; content without its own means and
deviations, which are the style's to give.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from belamy.objectives.style_losses import Moments

__all__ = ["instance_normalize", "log_moment_loss", "normalized_content_loss"]

_NOTHING = 1e-6  # a target as weak as this is black; it is not divided by
_QUIET = 0.05  # of a layer's own deviation: features that stray less are hardly there. By eye


def log_moment_loss(actual: Mapping[str, Moments], target: Mapping[str, Moments]) -> Tensor:
    """Style loss: mean over pictures and layers of ln(1 + d), d the relative squared errors.

    d is taken of the means and of the covariances.

    Args:
        actual: layer → moments of the generated pictures; may have more layers.
        target: layer → moments of the styles; these layers are compared.
    """
    parts = [
        _log_relative_error(getattr(actual[layer], kind), getattr(target, kind))
        for layer, target in target.items()
        for kind in ("mean", "covariance")
    ]
    return torch.stack(parts).mean()


def _log_relative_error(actual: Tensor, target: Tensor) -> Tensor:
    """Mean of ln(1 + |F − F̂|² / |F̂|²) over the pictures; 0 at best."""
    off = (actual - target).square().flatten(1).sum(dim=1)
    size = target.square().flatten(1).sum(dim=1)
    return (off / size.clamp_min(_NOTHING)).log1p().mean()


def normalized_content_loss(actual: Mapping[str, Tensor], target: Mapping[str, Tensor]) -> Tensor:
    """Content loss: mean squared error between instance-normalised features, averaged over layers.

    Features that have nothing to do with each other are about 2 apart.

    Args:
        actual: layer → (N, C, H, W), of the generated pictures; may have more layers.
        target: layer → (N, C, H, W), of the photographs; these layers are compared.
    """
    return torch.stack(
        [
            (instance_normalize(actual[layer]) - instance_normalize(target)).square().mean()
            for layer, target in target.items()
        ]
    ).mean()


def instance_normalize(features: Tensor) -> Tensor:
    """Instance normalisation: features (N, C, H, W) less their mean, over their deviation."""
    number = torch.finfo(features.dtype)
    centred = features - features.mean(dim=(2, 3), keepdim=True)
    # A feature that is the same everywhere, as half precision often rounds it, would have a
    # gradient of 0 · ∞ at the root.
    spread, quiet = (
        centred.square().mean(dim=positions, keepdim=True).clamp_min(number.tiny).sqrt()
        for positions in ((2, 3), (1, 2, 3))
    )
    return centred / (spread + _QUIET * quiet + number.eps)
