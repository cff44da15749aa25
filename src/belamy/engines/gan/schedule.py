"""Schedules of a GAN's training: its learning rate, and the weight of its penalty."""

from __future__ import annotations

import math

from belamy.training.schedules import cosine_decay, linear_warmup

__all__ = ["penalty_decay", "scale_learning_rate"]

WARMUP = 100  # steps until the learning rate is reached. By eye
_FINAL = 0.25  # of the learning rate, at the end; R3GAN's
_RETRY = 0.5  # factor on the learning rate after a loss was no number
_PENALTY_FINAL, _PENALTY_SPAN = 0.1, 0.25  # of the penalty, and fraction of the steps. R3GAN's


def scale_learning_rate(
    peak: float, step: int, total_steps: int, *, retries: int, warmup: int = WARMUP
) -> float:
    """The learning rate of step `step`: it rises to its peak, then falls to a quarter along a
    cosine; each time that the training was tried again halves it."""
    decay = cosine_decay(step, total_steps, final=_FINAL)
    return peak * decay * _RETRY**retries * linear_warmup(step, warmup)


def penalty_decay(step: int, total_steps: int) -> float:
    """A factor on γ: 1 at first, when the penalty keeps the discriminator calm before there is
    anything to see; from a quarter of the steps on a tenth, where more would hide detail from it.

    Source: the schedule of R3GAN (Huang et al. 2024), which has burnt in after about as much.
    """
    fraction = min(1.0, step / (_PENALTY_SPAN * total_steps))
    fallen = (1 - math.cos(math.pi * fraction)) / 2
    return 1 - (1 - _PENALTY_FINAL) * fallen
