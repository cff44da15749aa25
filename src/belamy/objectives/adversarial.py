"""Adversarial losses of GANs: one row of `LOSSES` says everything of a loss.

The discriminator gives each picture a logit, high for real; D = sigmoid(logit) is the probability
in the formula that signs *Edmond de Belamy*. Everything is minimised.

This module imports no torch, so that options can read the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LOSSES", "AdversarialLoss"]


@dataclass(frozen=True)
class AdversarialLoss:
    """Two scalars to minimise, of the logits (N, …) of real pictures and of fake ones.

    Args:
        discriminator: (real logits, fake logits) → what the discriminator minimises.
        generator: the same logits → what the generator minimises.
        uses_real_logits: whether the generator's looks at the real ones; the logits have no zero
            then.
        needs_gradient_penalty: whether it holds for gradients of length 1 alone, and wants
            `gradient_penalty` instead of `zero_centred_penalty`.
        penalty: its usual weight, on pictures of 64 px.
        penalty_power: of the pictures' side, with which that weight grows.
        penalty_every: steps between penalties, usually.
        toy_penalty: the usual weight on points of a plane.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    uses_real_logits: bool = False
    needs_gradient_penalty: bool = False
    penalty: float = 0.0
    penalty_power: int = 0
    penalty_every: int = 8
    toy_penalty: float = 0.0

    def penalty_at(self, size: int) -> float:
        """Its usual weight on pictures whose side is `size` pixels."""
        return self.penalty * (size / 64) ** self.penalty_power


def _softplus(logits: Tensor) -> Tensor:
    """log(1 + eˣ) = −log sigmoid(−x)."""
    from torch.nn.functional import softplus

    return softplus(logits)


def _cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    """−E[log D(x)] − E[log(1 − D(G(z)))]."""
    return _softplus(-real).mean() + _softplus(fake).mean()


LOSSES: dict[str, AdversarialLoss] = {
    # E[softplus(−(D(x) − D(G(z))))] and its mirror. Jolicoeur-Martineau 2018 (RpGAN); no mode can
    # be dropped for free, and with penalties on both sides it converges: Huang et al. 2024 (R3GAN).
    # The penalty is by eye, on portraits; that it grows as the square is StyleGAN2-ADA's.
    "relativistic": AdversarialLoss(
        lambda real, fake: _softplus(fake - real).mean(),
        lambda real, fake: _softplus(real - fake).mean(),
        uses_real_logits=True,
        penalty=0.3,
        penalty_power=2,
        toy_penalty=0.1,
    ),
    # G minimises −E[log D(G(z))] instead: the same fixed point, strong gradients where D is sure.
    "non-saturating": AdversarialLoss(_cross_entropy, lambda real, fake: _softplus(-fake).mean()),
    # min_G max_D E[log D(x)] + E[log(1 − D(G(z)))], the signature itself. Goodfellow et al. 2014;
    # where D is sure, G learns nothing (its gradient vanishes): offered because it is history.
    "minimax": AdversarialLoss(_cross_entropy, lambda real, fake: -_softplus(fake).mean()),
    # ½E[(D(x) − 1)²] + ½E[D(G(z))²]; ½E[(D(G(z)) − 1)²]. Mao et al. 2017, equation 9.
    "least-squares": AdversarialLoss(
        lambda real, fake: ((real - 1).square().mean() + fake.square().mean()) / 2,
        lambda real, fake: (fake - 1).square().mean() / 2,
    ),
    # E[max(0, 1 − D(x))] + E[max(0, 1 + D(G(z)))]; −E[D(G(z))]. Lim and Ye 2017.
    "hinge": AdversarialLoss(
        lambda real, fake: (1 - real).relu().mean() + (1 + fake).relu().mean(),
        lambda real, fake: -fake.mean(),
    ),
    # E[D(G(z))] − E[D(x)]; −E[D(G(z))]. Arjovsky et al. 2017; the penalty is Gulrajani's.
    "wasserstein": AdversarialLoss(
        lambda real, fake: fake.mean() - real.mean(),
        lambda real, fake: -fake.mean(),
        needs_gradient_penalty=True,
        penalty=10.0,
        penalty_every=1,
        toy_penalty=0.1,
    ),
}
"""Name → loss, the usual one first."""
