"""How far a batch of paintings is from a style and from the photographs, as a network sees it.

For training, where each step has other pictures: distances are divided by what is aimed at, so
that the weights mean the same on every layer of every network.

Source: Johnson, Alahi and Fei-Fei 2016, equations 2 to 4. **Differs**: each layer's distance is
relative to its target, where theirs is absolute and each network needs other weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import torch
from torch import Tensor

__all__ = ["content_distance", "grams", "roughness", "style_distance"]

Features: TypeAlias = "Mapping[str, Tensor]"

_NOTHING = 1e-8  # a target as weak as this is black; it is not divided by


def grams(features: Features) -> dict[str, Tensor]:
    """Layer → (N, C, C), which features go together, as a mean over places; (N, C, H, W) each."""
    flat = {layer: x.flatten(2).float() for layer, x in features.items()}  # (N, C, P)
    return {layer: x @ x.mT / x.shape[-1] for layer, x in flat.items()}


def style_distance(features: Features, targets: Features) -> Tensor:
    """Mean over pictures and layers of |G − Ĝ|² / |Ĝ|².

    Args:
        features: layer → (N, C, H, W), the paintings'.
        targets: layer → (1, C, C), the style's `grams`; these layers are compared.
    """
    found = grams({layer: features[layer] for layer in targets})
    return _mean([_relative(found[layer], target) for layer, target in targets.items()])


def content_distance(features: Features, targets: Features) -> Tensor:
    """Mean over layers of |F − F̂|² / |F̂|², over all pictures together.

    Args:
        features: layer → (N, C, H, W), the paintings'.
        targets: layer → (N, C, H, W), the photographs'; these layers are compared.
    """
    return _mean([_relative(features[layer], target) for layer, target in targets.items()])


def _relative(found: Tensor, target: Tensor) -> Tensor:
    return (found - target).square().mean() / target.square().mean().clamp_min(_NOTHING)


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean()


def roughness(images: Tensor) -> Tensor:
    """Mean square of the differences between neighbours: (N, 3, H, W) → one number."""
    down, right = images.diff(dim=-2), images.diff(dim=-1)
    return down.square().mean() + right.square().mean()
