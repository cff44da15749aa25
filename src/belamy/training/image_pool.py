"""The image pool (history buffer) of a discriminator: what the generator made some steps ago."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["ImagePool"]

_AGAIN = 0.5  # probability that an older picture stands for a new one


class ImagePool:
    """A discriminator that only sees the latest pictures forgets what it knew of earlier ones.

    Source: Shrivastava et al. 2017, "Learning from simulated and unsupervised images through
    adversarial training", as CycleGAN uses it.

    Args:
        buffers: where it lives: those of a task, saved in its checkpoints.
        name: of its entries there.
        size: pictures that it holds; 0 hands all through.
        side: of the pictures in pixels.
    """

    def __init__(self, buffers: dict[str, Tensor], name: str, size: int, side: int) -> None:
        self.size = size
        # Half precision is finer than the 8 bits of a picture.
        self.pictures = torch.zeros(max(1, size), 3, side, side, dtype=torch.float16)
        self.filled = torch.zeros(1, dtype=torch.int64)
        if size:
            buffers[f"{name}-pictures"], buffers[f"{name}-filled"] = self.pictures, self.filled

    def exchange(self, fresh: Tensor, rng: torch.Generator) -> Tensor:
        """Pictures to show: the fresh (N, 3, side, side), half of them kept for later and earlier
        ones given instead, once the pool is full."""
        if not self.size:
            return fresh
        shown = [self._exchange_one(picture, rng) for picture in fresh]
        return torch.stack(shown)

    def _exchange_one(self, fresh: Tensor, rng: torch.Generator) -> Tensor:
        filled = int(self.filled)
        if filled < self.size:
            self.pictures[filled] = fresh.cpu()
            self.filled += 1
            return fresh
        again = torch.rand(1, generator=rng).item() < _AGAIN
        index = int(torch.randint(self.size, (1,), generator=rng))
        if not again:
            return fresh
        older = self.pictures[index].to(fresh, copy=True)
        self.pictures[index] = fresh.cpu()
        return older
