"""Perceptual losses for training feed-forward networks, each relative to the size of its target.

Each step has other pictures: distances are divided by the target's size, so that the weights mean
the same on every layer of every network.

Source: Johnson, Alahi and Fei-Fei 2016, equations 2 to 4. **Differs**: each layer's distance is
relative to its target, where theirs is absolute and each network needs other weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import torch
from torch import Tensor

__all__ = ["gram_matrices", "relative_content_loss", "relative_gram_loss", "total_variation_loss"]

Features: TypeAlias = "Mapping[str, Tensor]"

_NOTHING = 1e-8  # a target as weak as this is black; it is not divided by


def gram_matrices(features: Features) -> dict[str, Tensor]:
    """Gram matrices, as a mean over positions: layer → (N, C, H, W) to layer → (N, C, C)."""
    flat = {layer: x.flatten(2).float() for layer, x in features.items()}  # (N, C, P)
    return {layer: x @ x.mT / x.shape[-1] for layer, x in flat.items()}


def relative_gram_loss(features: Features, targets: Features) -> Tensor:
    """Style loss: mean over pictures and layers of |G − Ĝ|² / |Ĝ|².

    Args:
        features: layer → (N, C, H, W), of the generated pictures.
        targets: layer → (1, C, C), the style's `gram_matrices`; these layers are compared.
    """
    actual = gram_matrices({layer: features[layer] for layer in targets})
    return _mean([_relative_error(actual[layer], target) for layer, target in targets.items()])


def relative_content_loss(features: Features, targets: Features) -> Tensor:
    """Content loss: mean over layers of |F − F̂|² / |F̂|², over all pictures together.

    Args:
        features: layer → (N, C, H, W), of the generated pictures.
        targets: layer → (N, C, H, W), of the photographs; these layers are compared.
    """
    return _mean([_relative_error(features[layer], target) for layer, target in targets.items()])


def _relative_error(actual: Tensor, target: Tensor) -> Tensor:
    return (actual - target).square().mean() / target.square().mean().clamp_min(_NOTHING)


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean()


def total_variation_loss(images: Tensor) -> Tensor:
    """Squared total variation: mean square of neighbours' differences, (N, 3, H, W) → scalar."""
    down, right = images.diff(dim=-2), images.diff(dim=-1)
    return down.square().mean() + right.square().mean()
