"""Noise on translations before they go back."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from belamy.devices import make_rng
from belamy.engines.translate.api import TranslateConfig
from belamy.engines.translate.cycle_noise import add_cycle_noise
from belamy.engines.translate.methods import GENERATOR_LOSSES, Batch
from belamy.errors import OptionError

GREY = torch.full((24, 3, 32, 48), 0.5)


def test_noise_is_of_every_scale_and_of_another_strength_for_each_picture() -> None:
    noise = add_cycle_noise(GREY, 0.1, make_rng(0)) - GREY
    assert abs(float(noise.mean())) < 0.03
    # a deviation drawn evenly from 0 to d has a mean square of d²/3; four scales, less what is
    # lost between the random values where they are enlarged
    assert 0.1**2 < float(noise.square().mean()) < 4 * 0.1**2 / 3
    flat = noise.mean((2, 3))
    assert float(flat.std()) > 0.03  # whole pictures are tinted
    regions = torch.nn.functional.avg_pool2d(noise, 8) - flat[..., None, None]
    assert float(regions.std()) > 0.03
    pixels = noise - torch.nn.functional.avg_pool2d(noise, 3, 1, 1)
    strengths = pixels.std((1, 2, 3))
    assert float(strengths.min()) < 0.02 < 0.05 < float(strengths.max())


def test_noise_is_repeatable_and_lets_gradients_through() -> None:
    image = GREY[:1].clone().requires_grad_()
    one, other = (add_cycle_noise(image, 0.1, make_rng(3)) for _ in range(2))
    assert torch.equal(one, other)
    one.sum().backward()
    assert image.grad is not None
    torch.testing.assert_close(image.grad, torch.ones_like(image))


def test_without_it_nothing_is_drawn() -> None:
    rng = make_rng(1)
    assert add_cycle_noise(GREY, 0.0, rng) is GREY
    assert torch.equal(torch.rand(3, generator=rng), torch.rand(3, generator=make_rng(1)))


def test_only_what_goes_back_has_it() -> None:
    class Seen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shown: list[torch.Tensor] = []

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            self.shown.append(image)
            return image

    judged: list[torch.Tensor] = []

    def adversarial(domain: str, fake: torch.Tensor) -> torch.Tensor:
        judged.append(fake)
        return fake.mean()

    forth, back = Seen(), Seen()
    config = TranslateConfig("a", "b", cycle_noise=0.1, identity_weight=0)
    networks: dict[str, nn.Module] = {"a-to-b": forth, "b-to-a": back}
    made = Batch(config, networks, GREY[:1], GREY[:1], adversarial, make_rng(0))
    next(GENERATOR_LOSSES["cyclegan"](made))
    assert torch.equal(forth.shown[0], GREY[:1])
    assert torch.equal(judged[0], GREY[:1])
    assert float((back.shown[0] - GREY[:1]).abs().mean()) > 0.005


def test_methods_that_do_not_come_back_refuse_it() -> None:
    with pytest.raises(OptionError, match="cut does not come back; leave out cycle-noise"):
        TranslateConfig("a", "b", method="cut", cycle_noise=0.1)


@pytest.mark.parametrize("taught", ["both", "back"])
def test_whom_the_way_home_teaches(taught: str) -> None:
    """Of `back` the first generator has no gradient but that of passing for real."""

    class Scale(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.tensor(0.5))

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return image * self.weight

    forth, back = Scale(), Scale()
    config = TranslateConfig("a", "b", cycle_gradient=taught, identity_weight=0)
    networks: dict[str, nn.Module] = {"a-to-b": forth, "b-to-a": back}

    def adversarial(_: str, fake: torch.Tensor) -> torch.Tensor:
        return fake.mean()

    made = Batch(config, networks, GREY[:1], GREY[:1], adversarial, make_rng(0))
    next(GENERATOR_LOSSES["cyclegan"](made)).total.backward()
    assert forth.weight.grad is not None
    assert back.weight.grad is not None
    cycle = 10 * 2 * -0.5 * 0.5  # λ, in levels from -1 to 1, times the slope of |½ - ½·forth·back|
    torch.testing.assert_close(back.weight.grad, torch.tensor(cycle))
    own = 0.5 + (cycle if taught == "both" else 0)
    torch.testing.assert_close(forth.weight.grad, torch.tensor(own))


def test_a_method_that_does_not_come_back_has_no_gradient_to_choose() -> None:
    with pytest.raises(OptionError, match="cut does not come back; leave out cycle-gradient"):
        TranslateConfig("a", "b", method="cut", cycle_gradient="back")
