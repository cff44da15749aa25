from __future__ import annotations

import torch

from belamy.networks.gan.generator import GeneratorArguments
from belamy.networks.gan.layers import NoiseInput
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
