"""Penalties on a discriminator's gradient, against gradients that are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from belamy.objectives.gradient_penalties import gradient_penalty, zero_centred_penalty


def images() -> Tensor:
    rng = torch.Generator().manual_seed(2)
    return torch.rand(5, 3, 2, 2, generator=rng, dtype=torch.float64)


def test_zero_centred_penalty_is_the_gradient_squared() -> None:
    """D(x) = Σ a·x has gradient a everywhere: |a|² = 12 · 0.5²."""
    pictures = images().requires_grad_()
    weight = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    penalty = zero_centred_penalty((weight * pictures).flatten(1).sum(1), pictures)
    assert penalty.item() == pytest.approx(12 * 0.25)
    (gradient,) = torch.autograd.grad(penalty, weight)
    assert gradient.item() == pytest.approx(12 * 2 * 0.5)


def test_zero_centred_penalty_is_free_where_the_discriminator_is_flat() -> None:
    pictures = images().requires_grad_()
    assert zero_centred_penalty((0 * pictures).sum((1, 2, 3)) + 3, pictures).item() == 0


@pytest.mark.parametrize("length", [1.0, 3.0])
def test_gradient_penalty_wants_gradients_of_length_one(length: float) -> None:
    def discriminator(x: Tensor) -> Tensor:
        return (x * (length / math.sqrt(12))).flatten(1).sum(1)

    rng = torch.Generator().manual_seed(3)
    penalty = gradient_penalty(discriminator, images(), images().flip(0), rng)
    assert penalty.item() == pytest.approx((length - 1) ** 2, abs=1e-9)


def test_penalties_can_be_descended() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.Softplus(), nn.Linear(8, 1)).double()
    pictures = images().requires_grad_()
    loss = zero_centred_penalty(network(pictures), pictures)
    loss = loss + gradient_penalty(network, images(), images().flip(0), torch.Generator())
    loss.backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in list(network.parameters())[:3])
