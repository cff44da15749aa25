"""PatchNCE: contrastive loss between patches of a picture and of its translation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["TEMPERATURE", "patch_nce_loss"]

TEMPERATURE = 0.07  # of the softmax (Park et al. 2020)


def patch_nce_loss(queries: Tensor, keys: Tensor, *, temperature: float = TEMPERATURE) -> Tensor:
    """InfoNCE over patches: each query's own key against the other patches of the same picture.

    −E log (exp(q·k⁺/τ) / Σ exp(q·k/τ)), at best 0.

    Args:
        queries: (N, P, D) of unit length: P patches of each translation.
        keys: (N, P, D) of unit length: the same positions of the pictures.
        temperature: τ.

    Source: Park, Efros, Zhang and Zhu 2020, "Contrastive learning for unpaired image-to-image
    translation" (PatchNCE).
    """
    similarity = queries @ keys.mT / temperature  # (N, P, P)
    own = torch.arange(queries.shape[1], device=queries.device).expand(queries.shape[:2])
    return F.cross_entropy(similarity.flatten(0, 1), own.flatten())
