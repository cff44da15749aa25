"""Penalties on the gradient of a discriminator with respect to its pictures: R1, R2 and WGAN-GP."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["gradient_penalty", "zero_centred_penalty"]

_TINY = 1e-12  # under a root, whose gradient at 0 is infinite


def zero_centred_penalty(logits: Tensor, images: Tensor) -> Tensor:
    """E‖∇ₓ D(x)‖², to be weighted by γ/2: R1 where the images are real, R2 where they are fake.

    Args:
        logits: (N, …), of `images`, which must require gradients.
        images: (N, …).

    Source: Mescheder, Geiger and Nowozin 2018, equation 9.
    """
    return _gradients(logits, images).square().sum(dim=1).mean()


def gradient_penalty(
    discriminator: Callable[[Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    rng: torch.Generator,
) -> Tensor:
    """E[(‖∇ D(x̂)‖ − 1)²] at random points x̂ between real and fake pictures (N, …).

    Source: Gulrajani et al. 2017; λ = 10 there.
    """
    fraction = torch.rand(len(real), *[1] * (real.ndim - 1), generator=rng).to(real)
    between = torch.lerp(real.detach(), fake.detach(), fraction).requires_grad_()
    norms = (_gradients(discriminator(between), between).square().sum(dim=1) + _TINY).sqrt()
    return (norms - 1).square().mean()


def _gradients(logits: Tensor, images: Tensor) -> Tensor:
    """(N, everything else), and can be differentiated again."""
    (gradients,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    flat = gradients.flatten(1)
    return flat.float() if flat.dtype.itemsize < 4 else flat
