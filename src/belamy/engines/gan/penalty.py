"""The penalty on a discriminator's gradient with respect to its pictures (R1 and R2, or WGAN-GP),
and how it and the learning rate go over a GAN's training."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from belamy.objectives.gradient_penalties import gradient_penalty, zero_centred_penalty
from belamy.training.schedules import cosine_decay, linear_warmup

__all__ = [
    "PENALTY_FINAL",
    "WARMUP",
    "DiscriminatorPenalty",
    "penalty_decay",
    "scale_learning_rate",
]

WARMUP = 100  # steps until the learning rate is reached. By eye
_FINAL = 0.25  # of the learning rate, at the end; R3GAN's
_RETRY = 0.5  # factor on the learning rate after a loss was no number
PENALTY_FINAL = 0.1  # fraction that the penalty falls to. R3GAN's
_PENALTY_SPAN = 0.25  # fraction of the steps in which the penalty falls. R3GAN's


@dataclass(frozen=True)
class DiscriminatorPenalty:
    """What a loss's penalty adds to the discriminator's loss, every few turns (lazily).

    Args:
        weight: γ, or λ of the gradient penalty.
        interval: turns of the discriminator between penalties.
        total_steps: of the generator, in which γ falls.
        needs_gradient_penalty: whether it is that of Gulrajani et al. 2017, whose weight neither
            falls nor grows with the interval; else R1 and R2.
        final: fraction of γ that it falls to.

    Source: R1 and R2 from Mescheder et al. 2018, both at once as in R3GAN (Huang et al. 2024); the
    interval from Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN".
    """

    weight: float
    interval: int
    total_steps: int
    needs_gradient_penalty: bool
    final: float = PENALTY_FINAL

    def is_due(self, turn: int) -> bool:
        """Whether turn `turn` of the discriminator has a penalty."""
        return self.weight > 0 and turn % self.interval == 0

    def __call__(
        self,
        discriminator: Callable[[Tensor], Tensor],
        images: tuple[Tensor, Tensor],
        logits: tuple[Tensor, Tensor],
        step: int,
        rng: torch.Generator,
    ) -> tuple[Tensor, Tensor]:
        """The weighted penalty, and for the log the unweighted one as a mean over all turns.

        Args:
            discriminator: of pictures.
            images: real and fake (N, 3, S, S), which require gradients.
            logits: of them.
            step: of the generator.
            rng: of the points between real and fake pictures.
        """
        if self.needs_gradient_penalty:
            real, fake = (each.detach() for each in images)
            penalty = gradient_penalty(discriminator, real, fake, rng)
            return self.weight * penalty, penalty.detach()
        r1, r2 = (zero_centred_penalty(x, each) for x, each in zip(logits, images, strict=True))
        total = r1 + r2
        decay = penalty_decay(step, self.total_steps, self.final)
        weight = self.weight * decay / 2 * self.interval
        return weight * total, total.detach() * self.interval / 2


def scale_learning_rate(
    peak: float, step: int, total_steps: int, *, retries: int, warmup: int = WARMUP
) -> float:
    """The learning rate of step `step`: it rises to its peak, then falls to a quarter along a
    cosine; each time that the training was tried again halves it."""
    decay = cosine_decay(step, total_steps, final=_FINAL)
    return peak * decay * _RETRY**retries * linear_warmup(step, warmup)


def penalty_decay(step: int, total_steps: int, final: float = PENALTY_FINAL) -> float:
    """A factor on γ: 1 at first, when the penalty keeps the discriminator calm before there is
    anything to see; from a quarter of the steps on `final`, where more would hide detail from it.

    Source: the schedule of R3GAN (Huang et al. 2024), which has burnt in after about as much.
    """
    fraction = min(1.0, step / (_PENALTY_SPAN * total_steps))
    fallen = (1 - math.cos(math.pi * fraction)) / 2
    return 1 - (1 - final) * fallen
