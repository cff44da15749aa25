"""Repainting: any size, tiles against the whole, colours, strength, transparency, recipes."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines import feedforward
from belamy.engines.faststyle.api import ApplyStyleOptions, apply_style, apply_style_steps
from belamy.engines.faststyle.apply import StyleApplier
from belamy.errors import (
    BelamyError,
    OptionError,
    PictureWarning,
    UnknownName,
    WeightsError,
)
from belamy.networks.image_to_image.load import save_image_net
from belamy.networks.image_to_image.network import (
    ImageTransformNet,
    build_johnson_net,
    build_translation_net,
    initialise,
)
from belamy.networks.image_to_image.runtime import OnnxRuntime, TorchRuntime
from belamy.pixels.colors import luma
from belamy.pixels.images import save_image

ARGUMENTS: dict[str, Any] = {"widths": [4, 5, 6], "blocks": 1}


def painter() -> ImageTransformNet:
    made = build_johnson_net(**ARGUMENTS)
    initialise(made, make_rng(3, "weights"))
    return made.eval()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("style") / "wave.safetensors"
    told = {"network": "johnson", "style": "a wave", "trained_on": "nothing"}
    save_image_net(path, painter(), arguments=ARGUMENTS, **told)
    return str(path)


def smooth(height: int, width: int) -> Tensor:
    rough = torch.rand((1, 3, 6, 6), generator=make_rng(0, "picture"))
    return torch.nn.functional.interpolate(rough, (height, width), mode="bicubic").clamp(0, 1)


@pytest.mark.parametrize("size", [(61, 83), (1, 1), (1, 90), (64, 64), (130, 3)])
def test_pictures_of_any_size_keep_it(size: tuple[int, int], network: str) -> None:
    made = apply_style(smooth(*size), network=network)
    assert made.image.shape == (1, 3, *size)
    assert 0 <= float(made.image.min()) <= float(made.image.max()) <= 1


def test_a_size_that_fits_is_painted_as_it_is(network: str) -> None:
    image = smooth(64, 72)
    with torch.inference_mode():
        wanted = painter().half().float()(image).clamp(0, 1)
    made = apply_style(image, network=network, border=0).image
    torch.testing.assert_close(made, wanted)


@pytest.mark.parametrize("size", [(61, 83), (1, 90), (7, 5), (130, 300)])
@pytest.mark.parametrize("tile", [None, 256])
def test_what_a_picture_shows_stays_where_it_is(size: tuple[int, int], tile: int | None) -> None:
    image = smooth(*size)
    nothing = TorchRuntime(ImageTransformNet([], "levels"))
    torch.testing.assert_close(feedforward.repaint(nothing, image, tile), image)


def test_strength_blends(network: str) -> None:
    image = smooth(64, 64)
    full = apply_style(image, network=network).image
    half = apply_style(image, network=network, strength=0.5).image
    torch.testing.assert_close(half, (image + full) / 2)
    assert torch.equal(apply_style(image, network=network, strength=0.0).image, image)


def test_colours_can_be_kept(network: str) -> None:
    image = smooth(64, 64)
    full = apply_style(image, network=network).image
    kept = apply_style(image, network=network, keep_colors=True).image
    torch.testing.assert_close(luma(kept), luma(full), atol=1e-4, rtol=0)
    assert (kept - full).abs().max() > 0.01


def test_transparency_and_size_are_carried(network: str) -> None:
    alpha = torch.linspace(0, 1, 80).expand(1, 1, 40, 80)
    both = torch.cat([smooth(40, 80), alpha], dim=1)
    made = apply_style(both, network=network, size=50)
    assert made.image.shape == (1, 3, 25, 50)
    assert made.alpha is not None
    assert made.alpha.shape == (1, 1, 25, 50)


def test_tiles_of_fixed_statistics_are_exact() -> None:
    image, whole = smooth(256, 320), painter()
    fixed = TorchRuntime(whole).fix_statistics(image)
    with torch.inference_mode():  # of the whole picture they are what an instance norm finds
        torch.testing.assert_close(fixed(image), whole(image), atol=1e-5, rtol=1e-4)
    tiled = feedforward.repaint(fixed, image, 192)
    torch.testing.assert_close(tiled, fixed(image), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("height", "width", "tile"),
    [(157, 311, 160), (193, 301, 192), (70, 390, 256), (150, 90, 141), (64, 65, 160)],
)
def test_tiles_are_within_a_level_of_the_whole(height: int, width: int, tile: int) -> None:
    image = smooth(height, width)
    image[..., : width // 2] *= 0.3
    runtime = TorchRuntime(painter())
    whole = feedforward.repaint(runtime, image, None)
    assert (feedforward.repaint(runtime, image, tile) - whole).abs().max() * 255 < 0.5


@pytest.mark.parametrize("shape", ["resnet", "residual", "unet"])
@pytest.mark.parametrize("sampling", ["antialiased", "resize", "transposed"])
def test_translators_tiles_are_within_a_level_of_the_whole(shape: str, sampling: str) -> None:
    network = build_translation_net(shape, 2, 1, sampling)
    initialise(network, make_rng(1))
    runtime = TorchRuntime(network.eval().requires_grad_(False))
    sides = (33, 1500, 1100) if shape == "unet" else (131, 277, 160)
    image = smooth(*sides[:2])
    image[..., : sides[1] // 3] *= 0.3
    whole = feedforward.repaint(runtime, image, None)
    assert (feedforward.repaint(runtime, image, sides[2]) - whole).abs().max() * 255 < 0.5


def test_tiles_of_an_onnx_file_have_their_own_statistics_and_this_is_said() -> None:
    runtime = OnnxRuntime(lambda image: image, None)
    image = smooth(300, 200)
    with pytest.warns(PictureWarning, match="--tile none"):
        painted = feedforward.repaint(runtime, image, 200)
    torch.testing.assert_close(painted, image)


def test_tiles_know_the_whole_picture(network: str) -> None:
    """Half dark, half light: by itself each tile would be painted as if it were grey."""
    image = smooth(256, 512)
    image[..., :256] *= 0.3
    whole = apply_style(image, network=network, tile="none").image
    tiled = apply_style(image, network=network, tile=256).image
    alone = torch.cat([apply_style(x, network=network).image for x in image.split(256, -1)], -1)
    assert (whole - tiled).abs().mean() < 0.5 * (whole - alone).abs().mean()


def test_mirroring_goes_on_as_in_mirrors() -> None:
    row = torch.arange(3.0).view(1, 1, 1, 3)
    made = feedforward.extend_by_mirroring(row, (1, 11), (0, 4))
    assert made.flatten().tolist() == [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2]
    assert feedforward.extend_by_mirroring(row[..., :1], (2, 4)).shape == (1, 1, 2, 4)


def test_the_recipe_makes_the_same_picture(network: str, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    save_image(smooth(61, 83), path)
    made = apply_style(path, network=network, strength=0.7, keep_colors=True)
    assert made.recipe is not None
    assert made.recipe.engine == "faststyle"
    (weights,) = made.recipe.weights
    assert weights == "wave.safetensors"
    options = json.loads(made.recipe.to_json())["options"]
    assert options.keys() == inspect.signature(apply_style_steps).parameters.keys() - {"image"}
    assert torch.equal(apply_style(made.recipe.inputs[0].path, **options).image, made.image)


def test_a_stylist_paints_many(network: str) -> None:
    applier = StyleApplier(ApplyStyleOptions(network=network, strength=0.5))
    for size in ((64, 64), (30, 41)):
        wanted = apply_style(smooth(*size), network=network, strength=0.5)
        assert torch.equal(applier(smooth(*size)).image, wanted.image)


BAD: list[tuple[dict[str, Any], type[BelamyError], str]] = [
    ({"strength": 1.5}, OptionError, "strength is 1.5"),
    ({"strength": float("nan")}, OptionError, "strength"),
    ({"size": 0}, OptionError, "size is 0"),
    ({"tile": 100}, OptionError, "tile is 100"),
    ({"runtime": "cuda"}, UnknownName, "runtime"),
    ({"network": "wav"}, UnknownName, "starry-night"),
    ({"network": "nowhere/wave.t7"}, WeightsError, "there is no such file"),
    ({"network": "wave.exe"}, WeightsError, "known are"),
    ({"device": "abacus"}, OptionError, "abacus"),
]


@pytest.mark.parametrize(("options", "error", "cause"), BAD, ids=[str(row[0]) for row in BAD])
def test_bad_options_are_refused(
    options: dict[str, Any], error: type[BelamyError], cause: str, network: str
) -> None:
    with pytest.raises(error, match=cause):
        apply_style(smooth(64, 64), **{"network": network, **options})


def test_a_network_that_paints_no_numbers_is_refused(tmp_path: Path) -> None:
    broken = painter()
    torch.nn.init.constant_(next(broken.parameters()), float("inf"))
    path = tmp_path / "broken.safetensors"
    told = {"network": "johnson", "style": "", "trained_on": ""}
    save_image_net(path, broken, arguments=ARGUMENTS, **told)
    with pytest.raises(WeightsError, match="no numbers"):
        apply_style(smooth(64, 64), network=str(path))
