"""Translations learned with a perceptual network; starts from a file; coarse generators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.engines.translate.config import TranslateConfig
from belamy.engines.translate.methods import GENERATOR_LOSSES, Batch
from belamy.engines.translate.perceptual import (
    DomainStyle,
    PerceptualLosses,
    load_perceptual_losses,
)
from belamy.engines.translate.task import TranslateTask
from belamy.engines.translate.train import start_from
from belamy.errors import OptionError
from belamy.networks.image_to_image.load import load_image_net, save_image_net
from belamy.networks.image_to_image.network import build_translation_net, initialise
from belamy.training.domains import CROPS, DomainPair

SMALL: dict[str, Any] = {
    "size": 64,
    "generator_channels": 4,
    "blocks": 1,
    "discriminator_channels": 4,
    "discriminator_layers": 1,
    "precision": "float32",
    "steps": 40,
}
ALONE: dict[str, Any] = {  # what is learned from features alone
    "adversarial_weight": 0.0,
    "cycle_weight": 0.0,
    "identity_weight": 0.0,
    "style_weight": 1.0,
}


def stripes_and_noise() -> DomainPair:
    side = round(CROPS["jitter"][0] * 64)
    noise = torch.randint(0, 255, (6, side, side, 3), generator=make_rng(0))
    stripes = (torch.arange(side) // 3 % 2 * 255).expand(6, side, side)[..., None]
    return DomainPair(noise.to(torch.uint8), stripes.repeat(1, 1, 1, 3).to(torch.uint8))


def task(tmp_path: Path, domains: DomainPair | None = None, **options: Any) -> TranslateTask:
    config = TranslateConfig("a", "b", **{**SMALL, **options})
    domains = domains or stripes_and_noise()
    losses = load_perceptual_losses(config, domains, torch.device("cpu"))
    return TranslateTask(config, domains, tmp_path, Accelerator(cpu=True), losses)


def run(made: TranslateTask, steps: int) -> list[dict[str, float]]:
    return [
        {name: float(value.detach()) for name, value in made.step(index, _backward).items()}
        for index in range(steps)
    ]


def _backward(loss: Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]


class Luma(nn.Module):
    """A perceptual network whose only layer is the picture's light."""

    def forward(self, image: Tensor, layers: Any) -> dict[str, Tensor]:
        return {layer: image.mean(1, keepdim=True) for layer in layers}


class Shift(nn.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, image: Tensor) -> Tensor:
        return image + self.value


def test_each_loss_has_its_weight() -> None:
    """a = 0.4 → 0.5 → 0.3; Gram matrices are the squares of light."""
    config = TranslateConfig(
        "a", "b", adversarial_weight=2, style_weight=3, content_weight=5, feature_cycle_weight=7
    )
    style = DomainStyle({"light": torch.tensor([[[1.0]]])})
    losses = PerceptualLosses(Luma(), ("light",), {"a": style, "b": style})  # type: ignore[arg-type]
    networks: dict[str, nn.Module] = {"a-to-b": Shift(0.1), "b-to-a": Shift(-0.2)}
    a = torch.full((2, 3, 8, 8), 0.4)
    batch = Batch(config, networks, a, a, lambda *_: torch.tensor(0.3), make_rng(0), losses)
    part = next(GENERATOR_LOSSES["cyclegan"](batch))
    found = {name: float(value) for name, value in part.losses.items()}
    assert found["style"] == pytest.approx((0.25 - 1) ** 2)
    assert found["content"] == pytest.approx((0.1 / 0.4) ** 2)
    assert found["feature_cycle"] == pytest.approx((0.1 / 0.4) ** 2)
    own = 2 * 0.3 + 3 * found["style"] + 5 * found["content"] + 7 * found["feature_cycle"]
    cycle, identity = 10 * 2 * 0.1, 10 * 0.5 * 2 * 0.1
    assert float(part.total) == pytest.approx(own + cycle + identity)


def test_what_lies_outside_of_colours_is_asked_back() -> None:
    style = DomainStyle({"light": torch.tensor([[[1.69]]])})
    losses = PerceptualLosses(Luma(), ("light",), {"b": style})  # type: ignore[arg-type]
    pictures = torch.full((1, 3, 8, 8), 1.0)
    found = losses.compare("b", pictures + 0.3, pictures)
    assert float(found["style"]) == pytest.approx(10 * 0.3**2, rel=1e-4)


def test_a_picture_is_compared_with_those_most_like_it_however_light_they_are() -> None:
    upright, lying = torch.diag(torch.tensor([4.0, 1.0])), torch.diag(torch.tensor([1.0, 4.0]))
    style = DomainStyle({"x": torch.stack([upright] * 8 + [lying] * 8)})
    for kept in (upright, lying):
        for light in (0.01, 9.0):
            target = style.target_for({"x": light * kept[None]})["x"]
            torch.testing.assert_close(target, kept[None])


def test_stripes_are_learned_without_a_discriminator(tmp_path: Path) -> None:
    made = task(tmp_path, **ALONE, learning_rate=5e-3, generator="coarse")
    assert made.discriminators == ()
    assert "discriminator" not in made.summary
    losses = run(made, 16)
    assert losses[0].keys() == {"style", "content"}  # of both directions
    assert losses[-1]["style"] < 0.8 * losses[0]["style"]


@pytest.mark.parametrize("method", ["cut", "fastcut", "pix2pix"])
def test_every_method_has_them(method: str, tmp_path: Path) -> None:
    domains = stripes_and_noise()
    domains = DomainPair(domains.a, domains.b, method == "pix2pix")
    (losses,) = run(task(tmp_path, domains, method=method, style_weight=1.0), 1)
    assert {"style", "content", "adversarial"} <= losses.keys()


def test_the_way_back_is_not_walked_for_nothing(tmp_path: Path) -> None:
    assert "cycle" not in run(task(tmp_path, **ALONE), 1)[0]
    both = run(task(tmp_path, **{**ALONE, "feature_cycle_weight": 1.0}), 1)[0]
    assert {"cycle", "feature_cycle"} <= both.keys()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "cut", "feature_cycle_weight": 1.0}, "cut does not come back"),
        ({"adversarial_weight": 0.0}, "give style-weight"),
        ({"style_weight": 1.0, "model": "efficientnet_lite0"}, "no layers are known to suit"),
    ],
)
def test_what_cannot_be_is_said(options: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=said):
        task(tmp_path, **options)


def save_pair(path: Path, generator: str = "coarse", channels: int = 4) -> dict[str, nn.Module]:
    arguments = {"shape": generator, "channels": channels, "blocks": 1, "sampling": "antialiased"}
    networks: dict[str, nn.Module] = {
        name: build_translation_net(**arguments)  # type: ignore[arg-type]
        for name in ("a-to-b", "b-to-a")
    }
    save_image_net(
        path, networks, network="translation", arguments=arguments, style="x", trained_on="y",
        half=False,
    )  # fmt: skip
    return networks


def test_a_training_begins_with_the_weights_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    saved = save_pair(path)
    made = task(tmp_path, generator="coarse", start=str(path))
    picture = torch.rand((1, 3, 64, 64), generator=make_rng(1))
    assert not torch.allclose(made.networks["b-to-a"](picture), saved["b-to-a"](picture))
    start_from(made.networks, made.config)
    for name, network in saved.items():
        torch.testing.assert_close(made.networks[name](picture), network(picture))


@pytest.mark.parametrize("other", [{"generator": "residual"}, {"channels": 8}])
def test_another_shape_is_no_start(other: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    save_pair(path, **other)
    made = task(tmp_path, generator="coarse", start=str(path))
    with pytest.raises(OptionError, match="are built otherwise"):
        start_from(made.networks, made.config)


def test_a_coarse_generator_keeps_tones_and_no_details() -> None:
    network = build_translation_net("coarse", 4, 1)
    *_, last = (part for part in network.modules() if isinstance(part, nn.Conv2d))
    with torch.no_grad():
        last.weight.zero_()
        assert last.bias is not None
        last.bias.zero_()
        grey = torch.full((1, 3, 64, 64), 0.3)
        torch.testing.assert_close(network(grey), grey, atol=1e-5, rtol=0)
        checks = torch.ones(64, 64)
        checks[::2, ::2] = checks[1::2, 1::2] = 0
        flat = network(checks.expand(1, 3, 64, 64))
    assert float(flat.std()) < 0.02


def test_without_norms_a_generator_sees_how_light_a_picture_is(tmp_path: Path) -> None:
    made = task(tmp_path, generator="residual", generator_norm="none", blocks=2)
    picture = torch.rand((1, 3, 64, 64), generator=make_rng(2)) / 4
    added = {}
    for norm in ("instance", "none"):
        network = build_translation_net("residual", 4, 2, norm=norm)
        initialise(network, make_rng(3))
        kinds = {type(part).__name__ for part in network.modules()}
        assert ("InstanceNorm" in kinds) == (norm == "instance")
        with torch.no_grad():
            dark, light = (network(picture + x)[..., 16:-16, 16:-16] - x for x in (0.0, 0.5))
        added[norm] = float((light - dark).abs().mean())
    assert added["none"] > 3 * added["instance"]
    path = tmp_path / "network.safetensors"
    arguments = {"shape": "residual", "channels": 4, "blocks": 2, "sampling": "antialiased"}
    save_image_net(
        path,
        {"a-to-b": made.networks["a-to-b"]},
        network="translation",
        arguments={**arguments, "norm": "none"},
        style="x",
        trained_on="y",
        half=False,
    )
    loaded = load_image_net(path, "a-to-b")
    torch.testing.assert_close(loaded(picture), made.networks["a-to-b"](picture))


@pytest.mark.parametrize("method", ["cyclegan", "pix2pix"])
def test_new_discriminators_learn_alone_at_first(method: str, tmp_path: Path) -> None:
    domains = stripes_and_noise()
    domains = DomainPair(domains.a, domains.b, method == "pix2pix")
    made = task(tmp_path, domains, method=method, warm_up=2)
    weights = {name: next(iter(one.parameters())) for name, one in made.networks.items()}
    before = {name: one.detach().clone() for name, one in weights.items()}
    assert [one.keys() for one in run(made, 2)] == [{"discriminators"}] * 2
    changed = {name for name, one in weights.items() if not torch.equal(one, before[name])}
    assert changed == set(made.discriminators)
    assert "adversarial" in made.step(2, _backward)
