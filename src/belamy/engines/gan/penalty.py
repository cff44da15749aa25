"""The penalty on a discriminator's gradient with respect to its pictures: R1 and R2, or WGAN-GP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from belamy.engines.gan.schedule import penalty_decay
from belamy.objectives.gradient_penalties import gradient_penalty, zero_centred_penalty

__all__ = ["DiscriminatorPenalty"]


@dataclass(frozen=True)
class DiscriminatorPenalty:
    """What a loss's penalty adds to the discriminator's loss, every few turns (lazily).

    Args:
        weight: γ, or λ of the gradient penalty.
        interval: turns of the discriminator between penalties.
        total_steps: of the generator, in which γ falls.
        needs_gradient_penalty: whether it is that of Gulrajani et al. 2017, whose weight neither
            falls nor grows with the interval; else R1 and R2.

    Source: R1 and R2 from Mescheder et al. 2018, both at once as in R3GAN (Huang et al. 2024); the
    interval from Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN".
    """

    weight: float
    interval: int
    total_steps: int
    needs_gradient_penalty: bool

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
        weight = self.weight * penalty_decay(step, self.total_steps) / 2 * self.interval
        return weight * total, total.detach() * self.interval / 2
