"""The numbers that a GAN's convolutions are computed in; the narrowest are kept in range."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from belamy.engines.gan import GanConfig
from belamy.errors import OptionError

__all__ = ["LossScale", "precision_for"]

_NO_HALVES = ("cpu",)  # where float16 is slower than float32

# As torch's own GradScaler has them.
_FIRST, _MOST = 2.0**16, 2.0**24
_PATIENCE = 2000  # good steps, after which it is doubled


def precision_for(config: GanConfig, device: torch.device) -> torch.dtype | None:
    """What convolutions are computed in; None for float32.

    Raises:
        OptionError: float16 on a processor.
    """
    if config.precision == "float16" and device.type in _NO_HALVES:
        raise OptionError(
            f"precision float16 is for graphics cards, and this is {device.type}; take auto"
        )
    if config.precision != "auto":
        return _ASKED[config.precision]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else None
    # without such instructions bfloat16 is emulated, and slow
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return torch.bfloat16 if device.type == "cpu" and supported() else None


_ASKED = {"full": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


class LossScale:
    """Keeps the gradients of float16 from vanishing: losses are multiplied, gradients divided.

    A step whose gradients are too large for float16 is left out, and the factor halved; after
    2,000 good steps it is doubled. Each network has its own. For other numbers it does nothing.

    Written here, because accelerate's would know of one optimiser's step at a time, and would not
    be in the checkpoint.

    Args:
        names: of the networks.
        dtype: what convolutions are computed in; None for float32.

    Attributes:
        memory: name of the network → its factor and the good steps since it changed; empty unless
            the numbers are float16.

    Source: Micikevicius et al. 2018, "Mixed precision training", section 3.2.
    """

    def __init__(self, names: Sequence[str], dtype: torch.dtype | None) -> None:
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
