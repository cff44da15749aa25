"""What a forger and a critic want of each other: one row per loss, and the penalties on slopes.

The critic (discriminator) gives each picture a logit, high for real; D = sigmoid(logit) is the
chance in the formula that signs *Edmond de Belamy*. Everything is minimised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["LOSSES", "AdversarialLoss", "gradient_penalty", "zero_centred_penalty"]

_TINY = 1e-12  # under a root, whose slope at 0 is infinite


@dataclass(frozen=True)
class AdversarialLoss:
    """Two scalars to minimise, of the logits (N, …) of real pictures and of made ones.

    Args:
        discriminator: (real logits, fake logits) → what the discriminator minimises.
        generator: the same logits → what the generator minimises.
        relative: whether the generator's looks at the real ones; the logits have no zero then.
        sloped: whether it holds for slopes of length 1 alone, and wants `gradient_penalty` instead
            of `zero_centred_penalty`.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    relative: bool = False
    sloped: bool = False


def _cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    """−E[log D(x)] − E[log(1 − D(G(z)))]."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


LOSSES: dict[str, AdversarialLoss] = {
    # min_G max_D E[log D(x)] + E[log(1 − D(G(z)))], the signature itself. Goodfellow et al. 2014;
    # where D is sure, G learns nothing (its gradient vanishes): offered because it is history.
    "minimax": AdversarialLoss(_cross_entropy, lambda real, fake: -F.softplus(fake).mean()),
    # G minimises −E[log D(G(z))] instead: the same fixed point, strong gradients where D is sure.
    "non-saturating": AdversarialLoss(_cross_entropy, lambda real, fake: F.softplus(-fake).mean()),
    # ½E[(D(x) − 1)²] + ½E[D(G(z))²]; ½E[(D(G(z)) − 1)²]. Mao et al. 2017, equation 9.
    "least-squares": AdversarialLoss(
        lambda real, fake: ((real - 1).square().mean() + fake.square().mean()) / 2,
        lambda real, fake: (fake - 1).square().mean() / 2,
    ),
    # E[max(0, 1 − D(x))] + E[max(0, 1 + D(G(z)))]; −E[D(G(z))]. Lim and Ye 2017.
    "hinge": AdversarialLoss(
        lambda real, fake: F.relu(1 - real).mean() + F.relu(1 + fake).mean(),
        lambda real, fake: -fake.mean(),
    ),
    # E[D(G(z))] − E[D(x)]; −E[D(G(z))]. Arjovsky et al. 2017.
    "wasserstein": AdversarialLoss(
        lambda real, fake: fake.mean() - real.mean(), lambda real, fake: -fake.mean(), sloped=True
    ),
    # E[softplus(−(D(x) − D(G(z))))] and its mirror. Jolicoeur-Martineau 2018 (RpGAN); no mode can
    # be dropped for free, and with penalties on both sides it converges: Huang et al. 2024 (R3GAN).
    "relativistic": AdversarialLoss(
        lambda real, fake: F.softplus(fake - real).mean(),
        lambda real, fake: F.softplus(real - fake).mean(),
        relative=True,
    ),
}
"""Name → loss."""


def zero_centred_penalty(logits: Tensor, images: Tensor) -> Tensor:
    """E‖∇ₓ D(x)‖², to be weighted by γ/2: R1 where the images are real, R2 where they were made.

    Args:
        logits: (N, …), of `images`, which must require gradients.
        images: (N, …).

    Source: Mescheder, Geiger and Nowozin 2018, equation 9.
    """
    return _slopes(logits, images).square().sum(dim=1).mean()


def gradient_penalty(
    discriminator: Callable[[Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """E[(‖∇ D(x̂)‖ − 1)²] at random points x̂ between real and made pictures (N, …).

    Source: Gulrajani et al. 2017; λ = 10 there.
    """
    share = torch.rand(len(real), *[1] * (real.ndim - 1), generator=generator).to(real)
    between = torch.lerp(real.detach(), fake.detach(), share).requires_grad_()
    lengths = (_slopes(discriminator(between), between).square().sum(dim=1) + _TINY).sqrt()
    return (lengths - 1).square().mean()


def _slopes(logits: Tensor, images: Tensor) -> Tensor:
    """(N, everything else), and can be differentiated again."""
    (slopes,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return slopes.flatten(1).float() if slopes.dtype.itemsize < 4 else slopes.flatten(1)
