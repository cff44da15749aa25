from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from belamy.objectives.adversarial import LOSSES

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
    gradients = {}
    for name in ("minimax", "non-saturating"):
        fake = logits(-12.0)
        (gradient,) = torch.autograd.grad(LOSSES[name].generator(logits(12.0), fake), fake)
        gradients[name] = gradient.abs().sum().item()
    assert gradients["minimax"] < 1e-4 < 0.9 < gradients["non-saturating"]


@pytest.mark.parametrize("name", LOSSES)
def test_gradients(name: str) -> None:
    rng = torch.Generator().manual_seed(1)
    real, fake = (
        torch.randn(4, generator=rng, dtype=torch.float64, requires_grad=True) for _ in "12"
    )
    assert torch.autograd.gradcheck(LOSSES[name].discriminator, (real, fake))
    assert torch.autograd.gradcheck(LOSSES[name].generator, (real, fake))
