"""Dynamic loss scaling, for training in float16."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["LossScale"]

# As torch's own GradScaler has them.
_FIRST, _MOST = 2.0**16, 2.0**24
_GROWTH_INTERVAL = 2000  # good steps, after which it is doubled


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
        buffers: name of the optimiser → its factor, and the good steps since it changed; empty
            unless the numbers are float16.

    Source: Micikevicius et al. 2018, "Mixed precision training", section 3.2.
    """

    def __init__(self, names: Sequence[str], dtype: torch.dtype) -> None:
        narrow = names if dtype == torch.float16 else ()
        self.buffers = {f"scale {name}": torch.tensor([_FIRST, 0.0]).double() for name in narrow}

    def scale(self, name: str, loss: Tensor) -> Tensor:
        """What to take the gradients of."""
        kept = self.buffers.get(f"scale {name}")
        return loss if kept is None else loss * float(kept[0])

    def unscale(self, name: str, gradients: Sequence[Tensor]) -> bool:
        """Divide gradients, in place; whether they can be stepped along."""
        kept = self.buffers.get(f"scale {name}")
        if kept is None:
            return True
        factor, good = kept.tolist()
        for gradient in gradients:
            gradient.div_(factor)
        finite = bool(torch.stack([one.isfinite().all() for one in gradients]).all())
        if not finite:
            kept.copy_(torch.tensor([max(1.0, factor / 2), 0.0]))
        elif good + 1 >= _GROWTH_INTERVAL:
            kept.copy_(torch.tensor([min(_MOST, factor * 2), 0.0]))
        else:
            kept[1] += 1
        return finite

    def step(
        self, name: str, optimizer: torch.optim.Optimizer, *, max_norm: float = math.inf
    ) -> None:
        """One step of an optimiser along its divided gradients, or none.

        Args:
            name: of the optimiser.
            optimizer: with gradients.
            max_norm: gradients whose norm is larger are shortened to it.
        """
        weights = [one for group in optimizer.param_groups for one in group["params"]]
        if self.unscale(name, [one.grad for one in weights if one.grad is not None]):
            if max_norm < math.inf:
                nn.utils.clip_grad_norm_(weights, max_norm)
            optimizer.step()
