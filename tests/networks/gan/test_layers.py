from __future__ import annotations

import pytest
import torch

from belamy.networks.gan.generator import GeneratorArguments
from belamy.networks.gan.layers import (
    NEGATIVE_SLOPE,
    ModulatedConv2d,
    NoiseInput,
    bent_leaky_relu,
)
from belamy.networks.registry import build_generator


def test_noise_is_new_while_training_and_afterwards_always_the_same() -> None:
    torch.manual_seed(0)
    layer = NoiseInput(3, 8)
    x = torch.zeros(2, 3, 8, 8)
    assert torch.equal(layer(x), x)  # nothing has been learned yet
    torch.nn.init.constant_(layer.strength, 0.5)
    assert not torch.equal(layer(x)[0], layer(x)[0])
    assert not torch.equal(layer(x)[0], layer(x)[1])
    layer.eval()
    assert torch.equal(layer(x), (layer.pattern / 2).expand_as(x))


def test_the_same_style_is_the_same_picture_with_noise_too() -> None:
    torch.manual_seed(0)
    made = build_generator("light", GeneratorArguments(32, 8, 0.1, noise=True)).eval()
    for name, parameter in made.named_parameters():
        if name.endswith("strength"):
            torch.nn.init.ones_(parameter)
    z = torch.randn(2, 8)
    both = made(z)
    torch.testing.assert_close(both, made(z))
    torch.testing.assert_close(both[:1], made(z[:1]))
    without = build_generator("light", GeneratorArguments(32, 8, 0.1)).state_dict()
    added = set(made.state_dict()) - set(without)
    assert added == {
        f"synthesis.levels.{n}.noise.{x}" for n in (1, 2) for x in ("strength", "pattern")
    }


def test_a_bend_is_the_kink_far_from_zero_and_has_no_corner() -> None:
    far = torch.tensor([-50.0, 50.0])
    kinked = torch.nn.functional.leaky_relu(far, NEGATIVE_SLOPE)
    torch.testing.assert_close(bent_leaky_relu(far, 0.5), kinked - 0.4 * 0.25, atol=2e-3, rtol=0)
    x = torch.linspace(-1, 1, 2001, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(bent_leaky_relu(x, 0.5).sum(), x)
    assert float(slope.diff().abs().max()) < 0.001  # of a kink it is 0.8
    assert float(slope[1000]) == pytest.approx((1 + NEGATIVE_SLOPE) / 2)


def test_only_the_last_activation_is_bent() -> None:
    made = build_generator("light", GeneratorArguments(32, 8, 0.1, smoothing=0.5))
    bent = [
        name
        for name, module in made.named_modules()
        if isinstance(module, ModulatedConv2d) and module.smoothing == 0.5
    ]
    assert bent == ["synthesis.levels.2.refine"]
    assert set(made.state_dict()) == set(
        build_generator("light", GeneratorArguments(32, 8, 0.1)).state_dict()
    )
