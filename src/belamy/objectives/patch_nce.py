"""Patches that must be recognised: what a translation keeps of its picture, without a way back."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["TEMPERATURE", "patch_contrast"]

TEMPERATURE = 0.07  # of the softmax (Park et al. 2020)


def patch_contrast(queries: Tensor, keys: Tensor, *, temperature: float = TEMPERATURE) -> Tensor:
    """How hard it is to find each patch's own key among those of the same picture.

    −E log (exp(q·k⁺/τ) / Σ exp(q·k/τ)), at best 0.

    Args:
        queries: (N, P, D) of unit length: P patches of each translation.
        keys: (N, P, D) of unit length: the same places of the pictures.
        temperature: τ.

    Source: Park, Efros, Zhang and Zhu 2020, "Contrastive learning for unpaired image-to-image
    translation" (PatchNCE).
    """
    likeness = queries @ keys.mT / temperature  # (N, P, P)
    own = torch.arange(queries.shape[1], device=queries.device).expand(queries.shape[:2])
    return F.cross_entropy(likeness.flatten(0, 1), own.flatten())
