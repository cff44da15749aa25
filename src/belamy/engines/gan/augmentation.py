"""Augmentation of what a discriminator is shown, which may adapt to how far it overfits (ADA)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from belamy.pixels.diffaugment import diff_augment

__all__ = ["AdaptiveAugmentation", "sign_mean"]

_TARGET = 0.6  # of the sign mean r_t, above which the probability grows: Karras et al. 2020
_SPAN = 100_000  # pictures seen while the probability may go from 0 to 1; 500,000 there


class AdaptiveAugmentation:
    """Differentiable augmentation whose probability grows while the discriminator overfits.

    Args:
        fixed: the probability; None adapts it, from 0 on.
        batch: pictures that are seen in a step, in all processes.

    Attributes:
        buffers: the probability, which a checkpoint keeps.

    Source: Karras et al. 2020, "Training generative adversarial networks with limited data", with
    the augmentations of Zhao et al. 2020, "Differentiable augmentation".
    """

    def __init__(self, fixed: float | None, batch: int) -> None:
        self.fixed = fixed
        self._pace = batch / _SPAN
        self.buffers = {"augment": torch.tensor(fixed or 0.0, dtype=torch.float64)}

    @property
    def probability(self) -> float:
        """With which a picture undergoes each kind of change."""
        return float(self.buffers["augment"])

    def augment(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """Pictures (N, 3, S, S) as the discriminator is shown them."""
        if self.probability == 0:
            return images
        return diff_augment(images, rng, probability=self.probability)

    def adapt(self, mean: float) -> None:
        """One step of the probability: up where the sign mean r_t is above its target."""
        if self.fixed is not None:
            return
        stepped = self.probability + math.copysign(self._pace, mean - _TARGET)
        self.buffers["augment"].fill_(min(1.0, max(0.0, stepped)))

    def __str__(self) -> str:
        return "adapting" if self.fixed is None else f"{self.fixed:g}"


def sign_mean(real: Tensor, fake: Tensor, *, uses_real_logits: bool) -> Tensor:
    """r_t = E[sign D(x)] over real pictures: 0 for a discriminator that guesses, 1 for one that
    knows the pictures by heart.

    Args:
        real, fake: logits (N, …).
        uses_real_logits: of a relativistic loss, whose logits have no zero: then which of two is
            real is asked, E[sign(D(x) − D(G(z)))].
    """
    compared = real - fake if uses_real_logits else real
    return compared.detach().sign().mean()
