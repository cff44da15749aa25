"""The samples that a training shows: rows of pictures, a column for each label."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["draw_latents", "generate_rows", "label_columns", "tile_samples"]

ROWS, COLUMNS = 5, 8


def draw_latents(latent: int, rng: torch.Generator) -> Tensor:
    """(40, latent), standard normal."""
    return torch.randn(ROWS * COLUMNS, latent, generator=rng)


def label_columns(count: int) -> Tensor | None:
    """The labels of the samples, (40,), of so many; None where the generator knows none."""
    return torch.arange(ROWS * COLUMNS) % COLUMNS % count if count else None


def generate_rows(
    generator: Callable[[Tensor, Tensor | None], Tensor], z: Tensor, label: Tensor | None
) -> Tensor:
    """(40, 3, S, S) on the CPU, drawn a row at a time.

    Args:
        generator: of latents and labels.
        z: (40, latent), on its device.
        label: (40,) or None.
    """
    labels: list[Tensor | None] = [None] * ROWS
    if label is not None:
        labels = list(torch.split(label.to(z.device), COLUMNS))
    rows = zip(torch.split(z, COLUMNS), labels, strict=True)
    return torch.cat([generator(row, own).cpu() for row, own in rows])


def tile_samples(images: Tensor) -> Tensor:
    """(40, 3, S, S) → (1, 3, rows·S, columns·S), without gaps."""
    side = images.shape[-1]
    tiles = images.reshape(ROWS, COLUMNS, 3, side, side).permute(2, 0, 3, 1, 4)
    return tiles.reshape(1, 3, ROWS * side, COLUMNS * side)
