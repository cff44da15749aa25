from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from belamy.objectives.adversarial import LOSSES, gradient_penalty, zero_centred_penalty

REAL, FAKE = 5.0, -5.0


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


# loss → (the discriminator's, the generator's) at D(x) = 5 and D(G(z)) = −5, by their formulas
EXPECTED = {
    "minimax": (2 * softplus(-5), -softplus(-5)),
    "non-saturating": (2 * softplus(-5), softplus(5)),
    "least-squares": ((16 + 25) / 2, 18),
    "hinge": (0, 5),
    "wasserstein": (-10, 5),
    "relativistic": (softplus(-10), softplus(10)),
}


def logits(value: float) -> Tensor:
    return torch.full((3, 1), value, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("name", LOSSES)
def test_values_against_the_formulas(name: str) -> None:
    real, fake = logits(REAL), logits(FAKE)
    discriminator, generator = EXPECTED[name]
    assert LOSSES[name].discriminator(real, fake).item() == pytest.approx(discriminator)
    assert LOSSES[name].generator(real, fake).item() == pytest.approx(generator)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("at", [(0.5, 0.5), (-5.0, 5.0)])
def test_directions(name: str, at: tuple[float, float]) -> None:
    """The discriminator wants real up and fake down, the generator fake up; nothing is wanted of
    least squares beyond its targets, so the points lie within them."""
    real, fake = logits(at[0]), logits(at[1])
    if name == "least-squares" and at[0] < 0:
        real, fake = logits(-5.0), logits(0.9)
    of_real, of_fake = torch.autograd.grad(LOSSES[name].discriminator(real, fake), (real, fake))
    assert (of_real < 0).all()
    assert (of_fake > 0).all()
    (of_fake,) = torch.autograd.grad(LOSSES[name].generator(real, fake), fake)
    assert (of_fake < 0).all()


def test_minimax_stalls_where_the_others_do_not() -> None:
    slopes = {}
    for name in ("minimax", "non-saturating"):
        fake = logits(-12.0)
        (slope,) = torch.autograd.grad(LOSSES[name].generator(logits(12.0), fake), fake)
        slopes[name] = slope.abs().sum().item()
    assert slopes["minimax"] < 1e-4 < 0.9 < slopes["non-saturating"]


@pytest.mark.parametrize("name", LOSSES)
def test_gradients(name: str) -> None:
    chance = torch.Generator().manual_seed(1)
    real, fake = (
        torch.randn(4, generator=chance, dtype=torch.float64, requires_grad=True) for _ in "12"
    )
    assert torch.autograd.gradcheck(LOSSES[name].discriminator, (real, fake))
    assert torch.autograd.gradcheck(LOSSES[name].generator, (real, fake))


def images() -> Tensor:
    chance = torch.Generator().manual_seed(2)
    return torch.rand(5, 3, 2, 2, generator=chance, dtype=torch.float64)


def test_zero_centred_penalty_is_the_slope_squared() -> None:
    """D(x) = Σ a·x has slope a everywhere: |a|² = 12 · 0.5²."""
    pictures = images().requires_grad_()
    weight = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    penalty = zero_centred_penalty((weight * pictures).flatten(1).sum(1), pictures)
    assert penalty.item() == pytest.approx(12 * 0.25)
    (slope,) = torch.autograd.grad(penalty, weight)
    assert slope.item() == pytest.approx(12 * 2 * 0.5)


def test_zero_centred_penalty_is_free_where_the_critic_is_flat() -> None:
    pictures = images().requires_grad_()
    assert zero_centred_penalty((0 * pictures).sum((1, 2, 3)) + 3, pictures).item() == 0


@pytest.mark.parametrize("length", [1.0, 3.0])
def test_gradient_penalty_wants_slopes_of_length_one(length: float) -> None:
    def critic(x: Tensor) -> Tensor:
        return (x * (length / math.sqrt(12))).flatten(1).sum(1)

    chance = torch.Generator().manual_seed(3)
    penalty = gradient_penalty(critic, images(), images().flip(0), chance)
    assert penalty.item() == pytest.approx((length - 1) ** 2, abs=1e-9)


def test_penalties_can_be_descended() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.Softplus(), nn.Linear(8, 1)).double()
    pictures = images().requires_grad_()
    loss = zero_centred_penalty(network(pictures), pictures)
    loss = loss + gradient_penalty(network, images(), images().flip(0), torch.Generator())
    loss.backward()  # type: ignore[no-untyped-call]
    assert all(parameter.grad is not None for parameter in list(network.parameters())[:3])
