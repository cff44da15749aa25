"""Gradients of the narrowest numbers, kept in range."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["LossScale"]

# As torch's own GradScaler has them.
_FIRST, _MOST = 2.0**16, 2.0**24
_PATIENCE = 2000  # good steps, after which it is doubled


class LossScale:
    """Keeps the gradients of float16 from vanishing: losses are multiplied, gradients divided.

    A step whose gradients are too large for float16 is left out, and the factor halved; after
    2,000 good steps it is doubled. Each optimiser has its own. For other numbers it does nothing.

    Written here, because accelerate's would know of one optimiser's step at a time, and would not
    be in the checkpoint.

    Args:
        names: of the optimisers.
        dtype: what convolutions are computed in.

    Attributes:
        memory: name of the optimiser → its factor and the good steps since it changed; empty unless
            the numbers are float16.

    Source: Micikevicius et al. 2018, "Mixed precision training", section 3.2.
    """

    def __init__(self, names: Sequence[str], dtype: torch.dtype) -> None:
        narrow = names if dtype == torch.float16 else ()
        self.memory = {f"scale {name}": torch.tensor([_FIRST, 0.0]).double() for name in narrow}

    def scaled(self, name: str, loss: Tensor) -> Tensor:
        """What to take the gradients of."""
        kept = self.memory.get(f"scale {name}")
        return loss if kept is None else loss * float(kept[0])

    def unscaled(self, name: str, slopes: Sequence[Tensor]) -> bool:
        """Divide gradients, in place; whether they can be stepped along."""
        kept = self.memory.get(f"scale {name}")
        if kept is None:
            return True
        factor, good = kept.tolist()
        for slope in slopes:
            slope.div_(factor)
        fine = bool(torch.stack([slope.isfinite().all() for slope in slopes]).all())
        if not fine:
            kept.copy_(torch.tensor([max(1.0, factor / 2), 0.0]))
        elif good + 1 >= _PATIENCE:
            kept.copy_(torch.tensor([min(_MOST, factor * 2), 0.0]))
        else:
            kept[1] += 1
        return fine

    def step(
        self, name: str, optimizer: torch.optim.Optimizer, *, steepest: float = math.inf
    ) -> None:
        """One step of an optimiser along its divided gradients, or none.

        Args:
            name: of the optimiser.
            optimizer: with gradients.
            steepest: gradients whose norm is larger are shortened to it.
        """
        weights = [one for group in optimizer.param_groups for one in group["params"]]
        if self.unscaled(name, [one.grad for one in weights if one.grad is not None]):
            if steepest < math.inf:
                nn.utils.clip_grad_norm_(weights, steepest)
            optimizer.step()
