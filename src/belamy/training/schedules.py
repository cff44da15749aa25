"""Learning-rate schedules: factors on a learning rate, pure functions of the step."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

__all__ = [
    "constant_then_linear",
    "cosine_decay",
    "linear_warmup",
    "one_cycle",
    "set_learning_rate",
    "set_learning_rates",
    "warmup_cosine",
]

_ONE_CYCLE_WARMUP = 0.2  # fraction of the steps in which the learning rate rises
_ONE_CYCLE_DIVISOR, _ONE_CYCLE_END = 25, 1e-4  # of the peak: what it starts from, what it ends at


def linear_warmup(step: int, warmup_steps: int) -> float:
    """A rise in equal parts to 1, which step `warmup_steps` − 1 is the first to have: Adam's first
    steps are as long as its later ones, and would overshoot."""
    return min(1.0, (step + 1) / warmup_steps)


def cosine_decay(step: int, total_steps: int, *, final: float) -> float:
    """Half a period of a cosine: 1 at step 0, `final` once all steps are done.

    Source: Loshchilov and Hutter 2017, "SGDR", without restarts.
    """
    return final + (1 - final) * (1 + math.cos(math.pi * step / total_steps)) / 2


def warmup_cosine(step: int, total_steps: int, *, warmup_steps: int, final: float) -> float:
    """The product of `cosine_decay` and `linear_warmup`."""
    return cosine_decay(step, total_steps, final=final) * linear_warmup(step, warmup_steps)


def constant_then_linear(step: int, total_steps: int, *, constant: float) -> float:
    """1 for a fraction of the steps, then a straight line to 0 (Zhu et al. 2017, CycleGAN)."""
    return min(1.0, (1 - step / total_steps) / (1 - constant))


def one_cycle(step: int, total_steps: int, peak: float) -> float:
    """The learning rate of the one-cycle policy: a cosine up to `peak`, a cosine down to nearly 0.

    Source: Smith and Topin 2017, "Super-convergence". **Differs**: cosines for straight lines, and
    the momentum stays as it is.
    """
    top = max(1.0, _ONE_CYCLE_WARMUP * total_steps)
    if step < top:
        low, fraction = peak / _ONE_CYCLE_DIVISOR, step / top
        return peak + (low - peak) * (1 + math.cos(math.pi * fraction)) / 2
    fraction = (step - top) / max(1.0, total_steps - top)
    rest = _ONE_CYCLE_END + (1 - _ONE_CYCLE_END) * (1 + math.cos(math.pi * fraction)) / 2
    return peak * rest


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Give every parameter group of an optimiser the same learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def set_learning_rates(
    optimizers: Mapping[str, torch.optim.Optimizer], learning_rate: float
) -> None:
    """Give every parameter group of several optimisers the same learning rate."""
    for optimizer in optimizers.values():
        set_learning_rate(optimizer, learning_rate)
