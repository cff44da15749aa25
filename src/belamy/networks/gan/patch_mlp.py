"""Where a generator's patches are compared: small heads on its activations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["PatchHeads"]


class PatchHeads(nn.Module):
    """Two levels of neurons for each layer, from a place's activations to a direction.

    Source: Park, Efros, Zhang and Zhu 2020 ("Contrastive learning for unpaired image-to-image
    translation").

    Args:
        channels: of each layer that is looked at.
        width: of the directions.
    """

    def __init__(self, channels: Sequence[int], width: int = 256) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(count, width), nn.ReLU(), nn.Linear(width, width))
            for count in channels
        )

    def forward(self, layers: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """Directions of unit length.

        Args:
            layers: (N, C, H, W) each.
            places: int64 (P,) each, into the H·W places of the layer.

        Returns:
            (N, P, width) each.
        """
        found = []
        for head, layer, where in zip(self.heads, layers, places, strict=True):
            patches = layer.flatten(2)[:, :, where].mT  # (N, P, C)
            found.append(F.normalize(head(patches).float(), dim=-1))
        return found

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Normal weights of deviation 0.02, no biases, from one generator."""
        for part in self.modules():
            if isinstance(part, nn.Linear):
                nn.init.normal_(part.weight, std=0.02, generator=generator)
                nn.init.zeros_(part.bias)
