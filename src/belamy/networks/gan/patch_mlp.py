"""CUT's projection heads: MLPs on a generator's activations, where its patches are compared."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["PatchSampleMLP"]


class PatchSampleMLP(nn.Module):
    """A two-layer MLP for each layer, from the activations at a position to a unit vector.

    Source: Park, Efros, Zhang and Zhu 2020 ("Contrastive learning for unpaired image-to-image
    translation").

    Args:
        channels: of each layer that is looked at.
        width: of the vectors.
    """

    def __init__(self, channels: Sequence[int], width: int = 256) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(count, width), nn.ReLU(), nn.Linear(width, width))
            for count in channels
        )

    def forward(self, layers: Sequence[Tensor], positions: Sequence[Tensor]) -> list[Tensor]:
        """Vectors of unit length.

        Args:
            layers: (N, C, H, W) each.
            positions: int64 (P,) each, into the H·W positions of the layer.

        Returns:
            (N, P, width) each.
        """
        embeddings = []
        for head, layer, chosen in zip(self.heads, layers, positions, strict=True):
            patches = layer.flatten(2)[:, :, chosen].mT  # (N, P, C)
            embeddings.append(F.normalize(head(patches).float(), dim=-1))
        return embeddings

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Normal weights of deviation 0.02, no biases, from one generator."""
        for part in self.modules():
            if isinstance(part, nn.Linear):
                nn.init.normal_(part.weight, std=0.02, generator=generator)
                nn.init.zeros_(part.bias)
