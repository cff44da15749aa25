"""Translation as a person asks for it: configurations, pictures of any size, files."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from belamy.cli.options import arguments_of
from belamy.devices import make_rng
from belamy.engines import engine
from belamy.engines.translate.api import (
    TranslateConfig,
    TranslateOptions,
    translate,
    translate_steps,
)
from belamy.engines.translate.config import METHODS
from belamy.engines.translate.methods import GENERATOR_LOSSES
from belamy.engines.translate.render import Translator
from belamy.errors import BelamyError, OptionError, WeightsError
from belamy.networks.gan.patchgan import initialise
from belamy.networks.image_to_image.architectures import SAMPLINGS, SHAPES
from belamy.networks.image_to_image.load import load_image_net, save_image_net
from belamy.networks.image_to_image.network import ImageTransformNet
from belamy.networks.image_to_image.network import build_translation_net as network_of
from belamy.pixels.images import load_picture, save_image
from belamy.training.domains import CROPS

ARGUMENTS: dict[str, Any] = {"shape": "resnet", "channels": 4, "blocks": 1, "sampling": "resize"}


def networks() -> dict[str, ImageTransformNet]:
    made = {name: network_of(**ARGUMENTS) for name in ("a-to-b", "b-to-a")}
    for name, one in made.items():
        initialise(one, make_rng(0, name))
    return made


@pytest.fixture
def network(tmp_path: Path) -> str:
    path = tmp_path / "worlds.safetensors"
    told = {"style": "sea and sky", "trained_on": "nothing"}
    both = networks()
    save_image_net(path, both, network="translation", arguments=ARGUMENTS, half=False, **told)
    return str(path)


def test_each_direction_is_its_own(network: str, photo: Tensor) -> None:
    there, back = (translate(photo, network=network, direction=d) for d in ("a-to-b", "b-to-a"))
    assert there.image.shape == photo.shape  # 61×83: no multiple of anything
    assert not torch.equal(there.image, back.image)
    assert torch.equal(translate(photo, network=network).image, there.image)


def test_a_file_says_its_own_architecture(network: str) -> None:
    image = torch.rand((1, 3, 64, 64), generator=make_rng(1))
    for name, made in networks().items():
        found = load_image_net(Path(network), name)
        assert torch.equal(found(image), made.eval()(image))


def test_a_direction_that_is_not_there(tmp_path: Path, network: str) -> None:
    with pytest.raises(WeightsError, match="no direction 'c-to-d': it has a-to-b, b-to-a"):
        load_image_net(Path(network), "c-to-d")
    path = tmp_path / "one.safetensors"
    told = {"style": "", "trained_on": "", "network": "translation", "arguments": ARGUMENTS}
    save_image_net(path, networks()["a-to-b"], **told)
    with pytest.raises(WeightsError, match="it has one network alone"):
        translate(torch.rand(1, 3, 64, 64), network=str(path))


def test_tiles_fit(network: str) -> None:
    image = torch.rand((1, 3, 8, 10), generator=make_rng(1))
    image = torch.nn.functional.interpolate(image, (420, 530), mode="bicubic").clamp(0, 1)
    whole = translate(image, network=network, tile="none").image
    tiled = translate(image, network=network, tile=320).image
    assert (whole - tiled).abs().mean() < 0.04  # statistics are of samples


def test_transparency_and_size_are_kept(network: str, photo: Tensor, tmp_path: Path) -> None:
    path = tmp_path / "clear.png"
    alpha = torch.linspace(0, 1, photo.shape[-1]).expand(1, 1, *photo.shape[-2:])
    save_image(photo, path, alpha=alpha)
    made = translate(path, network=network)
    wanted = load_picture(path).alpha
    assert made.alpha is not None
    assert wanted is not None
    assert torch.equal(made.alpha, wanted)


def test_a_recipe_makes_the_same_picture_again(network: str, photo: Tensor, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    save_image(photo, path)
    made = translate(path, network=network, direction="b-to-a", strength=0.5, size=90)
    assert max(made.image.shape[-2:]) == 90
    assert made.recipe is not None
    assert made.recipe.engine == "translate"
    assert made.recipe.options["direction"] == "b-to-a"
    (again,) = engine("translate")(path, **made.recipe.options)
    assert torch.equal(again.image, made.image)


def test_a_translator_is_the_engine_with_its_network_loaded(network: str, photo: Tensor) -> None:
    (expected,) = translate_steps(photo, network=network, direction="b-to-a")
    translator = Translator(TranslateOptions(network=network, direction="b-to-a"))
    Path(network).unlink()  # it is not needed any more
    first, second = (translator(photo).image for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(first, expected.image)


def test_every_method_is_known_everywhere() -> None:
    assert METHODS.keys() == GENERATOR_LOSSES.keys()
    options = arguments_of(TranslateConfig)
    tables = {"method": METHODS, "generator": SHAPES, "sampling": SAMPLINGS, "crop": CROPS}
    for name, table in tables.items():
        assert set(options[name].choices) == table.keys()


@pytest.mark.parametrize("method", METHODS)
def test_defaults_of_a_method_are_written_down(method: str) -> None:
    config = TranslateConfig("photos.zip", "paintings/monet", method=method)  # type: ignore[arg-type]
    assert (config.a_label, config.b_label, config.blocks) == ("photos", "monet", 9)
    for name, value in dataclasses.asdict(METHODS[method]).items():
        assert getattr(config, name) == value
    again = TranslateConfig(**dataclasses.asdict(config))
    assert again == config


def test_cyclegans_defaults_are_the_papers() -> None:
    config = TranslateConfig("a", "b")
    assert (config.cycle_weight, config.identity_weight, config.pool) == (10, 0.5, 50)
    assert (config.blocks, config.generator_channels, config.learning_rate) == (9, 64, 2e-4)
    assert (config.loss, config.batch, config.discriminator_layers) == ("least-squares", 1, 3)
    assert config.directions == ("a-to-b", "b-to-a")
    assert TranslateConfig("a", "b", method="cut").directions == ("a-to-b",)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"method": "magic"}, "magic"),
    ({"method": "cut", "cycle_weight": 1.0}, "cut has no cycle-weight"),
    ({"contrast_weight": 1.0}, "cyclegan has no contrast-weight"),
    ({"method": "pix2pix", "pool": 3}, "pix2pix has no pool"),
    ({"method": "pix2pix", "augment": "always"}, "pairs cannot be changed"),
    ({"method": "cut", "generator": "unet", "size": 64}, "looks into a resnet"),
    ({"size": 62}, "size is 62"),
    ({"size": 66}, "a multiple of 4"),
    ({"size": 100, "generator": "unet"}, "a multiple of 32"),
    ({"blocks": 99}, "blocks is 99"),
    ({"cycle_weight": float("nan")}, "cycle-weight is nan"),
    ({"identity_weight": -1.0}, "identity-weight is -1"),
    ({"steps": 0}, "steps is 0"),
    ({"learning_rate": 2.0}, "learning-rate is 2"),
    ({"ema": 1.0}, "ema is 1"),
    ({"discriminator_layers": 5}, "discriminator-layers is 5"),
]


@pytest.mark.parametrize(("options", "cause"), WRONG)
def test_bad_options_are_refused(options: dict[str, Any], cause: str) -> None:
    with pytest.raises(BelamyError, match=cause) as caught:
        TranslateConfig("a", "b", **options)
    assert isinstance(caught.value, OptionError) or options.get("method") == "magic"
