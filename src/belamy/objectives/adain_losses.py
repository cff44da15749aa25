"""How far a batch of paintings is from a style each, and from what each is to show.

For training, where every picture of every step has another style: each distance is divided by what
is aimed at, and a dark or plain style, whose numbers are small, is kept from outweighing all others
by a logarithm.

Source: Huang & Belongie 2017, equations 12 and 13. **Differs**: covariances instead of deviations,
since features that go together are what strokes are made of; content without its own means and
deviations, which are the style's to give.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from belamy.objectives.style_losses import Moments

__all__ = ["bare", "content_distance", "manner_distance"]

_NOTHING = 1e-6  # a target as weak as this is black; it is not divided by
_QUIET = 0.05  # of a layer's own deviation: features that stray less are hardly there. By eye


def manner_distance(found: Mapping[str, Moments], wanted: Mapping[str, Moments]) -> Tensor:
    """Mean over pictures and layers of ln(1 + d), d the distances of means and of covariances.

    Args:
        found: layer → moments, the paintings'; may have more layers.
        wanted: layer → moments, the styles'; these layers are compared.
    """
    parts = [
        _relative(getattr(found[layer], kind), getattr(target, kind))
        for layer, target in wanted.items()
        for kind in ("mean", "covariance")
    ]
    return torch.stack(parts).mean()


def _relative(found: Tensor, wanted: Tensor) -> Tensor:
    """Of each picture |F − F̂|² / |F̂|²; the mean of their logarithms, 0 at the best."""
    off = (found - wanted).square().flatten(1).sum(dim=1)
    size = wanted.square().flatten(1).sum(dim=1)
    return (off / size.clamp_min(_NOTHING)).log1p().mean()


def content_distance(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> Tensor:
    """Mean over layers of the squared differences between `bare` features: 2 for unrelated ones.

    Args:
        found: layer → (N, C, H, W), the paintings'; may have more layers.
        wanted: layer → (N, C, H, W), the photographs'; these layers are compared.
    """
    return torch.stack(
        [(bare(found[layer]) - bare(target)).square().mean() for layer, target in wanted.items()]
    ).mean()


def bare(features: Tensor) -> Tensor:
    """Features (N, C, H, W) without each one's own mean and deviation over all places."""
    number = torch.finfo(features.dtype)
    centred = features - features.mean(dim=(2, 3), keepdim=True)
    # A feature that is the same everywhere, as half precision often rounds it, would have a slope
    # of 0 · ∞ at the root.
    spread, quiet = (
        centred.square().mean(dim=places, keepdim=True).clamp_min(number.tiny).sqrt()
        for places in ((2, 3), (1, 2, 3))
    )
    return centred / (spread + _QUIET * quiet + number.eps)
