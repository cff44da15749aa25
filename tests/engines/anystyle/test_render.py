"""Any style in one pass: tiles against the whole, strength, blends, regions, colours, recipes."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.anystyle.api import any_style, any_style_steps
from belamy.engines.anystyle.encoder import count_channels, load_encoder
from belamy.errors import BelamyError, OptionError, UnknownName, WeightsError
from belamy.networks.files.cache import embedded_path
from belamy.networks.files.header import verify_sha256
from belamy.networks.files.network_file import save_network_file
from belamy.networks.image_to_image.arbitrary_style import (
    ArbitraryStyleNet,
    initialise,
)
from belamy.networks.load import load_network
from belamy.objectives.laplacian_color import band_moments
from belamy.objectives.whitening import standard_deviations
from belamy.pixels import scenes
from belamy.pixels.colors import color_moments, luma
from belamy.pixels.images import Picture, save_image


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory, eye: Path) -> str:
    """A network whose strokes and manners show, as after a training; its eye was never trained."""
    backbone = load_encoder(str(eye), (), torch.device("cpu"))
    painter = ArbitraryStyleNet(count_channels(backbone), widths=(8, 6, 4, 4), code=7)
    initialise(painter, make_rng(0, "weights"))
    for name, weight in painter.named_parameters():
        if "manner" in name or "colour" in name:
            torch.nn.init.normal_(weight, std=0.1, generator=make_rng(0, name))
    path = tmp_path_factory.mktemp("any") / "any.safetensors"
    save_network_file(
        path,
        painter.state_dict(),
        network="anystyle",
        arguments=painter.arguments,
        trained_on="nothing",
        metadata={"encoder": str(eye), "encoder_sha256": backbone.sha256},
        half=True,
    )
    return str(path)


def smooth(height: int, width: int, seed: int = 0) -> Tensor:
    rough = torch.rand((1, 3, 6, 6), generator=make_rng(seed, "picture"))
    return torch.nn.functional.interpolate(rough, (height, width), mode="bicubic").clamp(0, 1)


def noise(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand((1, 3, height, width), generator=make_rng(seed, "style"))


RED = noise(60, 70) * torch.tensor([1.0, 0.2, 0.2]).view(1, 3, 1, 1)
BLUE = noise(50, 60, 1) * torch.tensor([0.2, 0.3, 1.0]).view(1, 3, 1, 1)


def paint(network: str, content: Any, style: Any, **options: Any) -> Picture:
    return any_style(content, style, network=network, **{"size": 64, **options})


@pytest.mark.parametrize("size", [(61, 83), (1, 90), (90, 2), (8, 8)])
def test_pictures_of_any_shape(size: tuple[int, int], network: str) -> None:
    made = paint(network, smooth(*size), RED, size=max(size)).image
    assert made.shape == (1, 3, *size)
    assert bool(made.isfinite().all())
    assert 0 <= float(made.min()) <= float(made.max()) <= 1


@pytest.mark.parametrize(
    "style", [noise(1, 1), noise(1, 80), torch.zeros(1, 3, 40, 40), torch.ones(1, 3, 9, 30)]
)
def test_styles_of_any_shape_and_plain_ones(style: Tensor, network: str) -> None:
    made = paint(network, smooth(48, 64), style).image
    assert bool(made.isfinite().all())


def test_the_size_is_asked_for(network: str) -> None:
    assert paint(network, smooth(60, 80), RED, size=100).image.shape == (1, 3, 75, 100)
    assert paint(network, smooth(40, 160), RED, size="64+").image.shape == (1, 3, 32, 128)


def test_styles_show(network: str) -> None:
    content = smooth(48, 64)
    red, blue = (color_moments(paint(network, content, one).image)[0] for one in (RED, BLUE))
    assert red[0] - red[2] > 0.05 < blue[2] - blue[0]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {
            "strength": 0.5,
            "mask": smooth(61, 850, 3).mean(dim=1, keepdim=True).expand(1, 3, 61, 850),
        },
    ],
)
def test_tiles_are_exact(options: dict[str, Any]) -> None:
    content, styles = 0.5 * smooth(61, 850) + 0.5 * noise(61, 850), [RED, BLUE]
    whole = paint("anystyle", content, styles, size=850, tile="none", **options)
    tiled = paint("anystyle", content, styles, size=850, tile=704, **options)
    assert tiled.recipe is not None
    assert tiled.recipe.options["tile"] == 704
    # Half a level of 255: of two pieces that are as good, rounding may choose the other.
    torch.testing.assert_close(tiled.image, whole.image, atol=0.5 / 255, rtol=0)


def test_strength_goes_from_the_content_to_the_style(network: str) -> None:
    content = smooth(48, 64)
    made = [paint(network, content, RED, strength=s).image for s in (0.0, 0.3, 0.7, 1.0)]
    torch.testing.assert_close(made[0], content, atol=1e-5, rtol=0)
    away = [float((one - content).square().mean()) for one in made]
    assert away == sorted(away)
    assert away[1] < 0.5 * away[3]


def test_styles_are_blended_by_weight(network: str) -> None:
    content = smooth(48, 64)

    def warmth(**options: Any) -> float:
        mean, _ = color_moments(paint(network, content, [RED, BLUE], **options).image)
        return float(mean[0] - mean[2])

    assert warmth(style_weight=[1, 9]) < warmth() < warmth(style_weight=[9, 1])


def test_a_mask_leaves_the_rest_as_it_was(network: str) -> None:
    content, mask = smooth(48, 64), torch.zeros(1, 3, 48, 64)
    mask[..., :32] = 1
    made = paint(network, content, RED, mask=mask).image
    assert torch.equal(made[..., 32:], content[..., 32:])
    assert (made - content)[..., :32].abs().mean() > 0.05


def test_two_styles_divide_the_picture(network: str) -> None:
    content, mask = smooth(64, 512), torch.zeros(1, 3, 64, 512)
    mask[..., :256] = 1
    made = paint(network, content, [RED, BLUE], mask=mask, size=512).image
    left, right = (color_moments(half)[0] for half in (made[..., :256], made[..., 256:]))
    assert left[0] > left[2]
    assert right[2] > right[0]


def test_a_mask_that_leaves_nothing_to_the_second_style(network: str) -> None:
    white = torch.ones(1, 3, 37, 53)  # resized, it is white but for rounding
    with pytest.raises(OptionError, match="leaves no place to the second style"):
        paint(network, smooth(48, 64), [RED, BLUE], mask=white)


def test_a_style_mask_says_what_is_looked_at(network: str) -> None:
    both = torch.cat([RED[..., :50, :60], BLUE], dim=-1)
    mask = torch.zeros(1, 3, 50, 120)
    mask[..., 60:] = 1
    mean, _ = color_moments(paint(network, smooth(48, 64), both, style_mask=mask).image)
    assert mean[2] > mean[0]


def test_the_size_of_the_style_shows(network: str) -> None:
    content, style = smooth(48, 64), noise(256, 256)
    made = [
        paint(network, content, style, **options).image
        for options in ({}, {"style_size": 32}, {"style_scale": 0.5})
    ]
    assert (made[0] - made[1]).abs().mean() > 0.003
    assert torch.equal(made[1], made[2])


def test_colours_can_be_kept(network: str) -> None:
    content = smooth(48, 64)
    full, kept = (paint(network, content, BLUE, **o).image for o in ({}, {"keep_colors": "luma"}))
    torch.testing.assert_close(luma(kept), luma(full), atol=1e-4, rtol=0)
    matched = paint(network, content, BLUE, keep_colors="match").image
    means = [color_moments(one)[0] for one in (content, full, matched)]
    assert (means[2] - means[0]).abs().sum() < 0.7 * (means[1] - means[0]).abs().sum()


def test_transparency_is_kept(network: str) -> None:
    alpha = torch.linspace(0, 1, 64).expand(1, 1, 48, 64)
    made = paint(network, torch.cat([smooth(48, 64), alpha], dim=1), RED)
    assert made.alpha is not None
    torch.testing.assert_close(made.alpha, alpha)


def test_the_recipe_makes_the_same_picture(network: str, tmp_path: Path) -> None:
    content, style = tmp_path / "content.png", tmp_path / "style.png"
    save_image(smooth(48, 64), content)
    save_image(RED, style)
    made = paint(network, content, style, strength=0.8, style_weight=2)
    assert made.recipe is not None
    options = json.loads(made.recipe.to_json())["options"]
    pictures = {"content", "style", "mask", "style_mask"}
    assert options.keys() == inspect.signature(any_style_steps).parameters.keys() - pictures
    assert made.recipe.weights.keys() == {"any", "iris"}
    assert made.recipe.weights["any"] == load_network(Path(network), "arbitrary-style").sha256
    again = any_style(content, style, **options)
    assert torch.equal(again.image, made.image)


BAD: list[tuple[dict[str, Any], type[BelamyError], str]] = [
    ({"strength": 1.5}, OptionError, "strength is 1.5"),
    ({"size": 0}, OptionError, "size is 0"),
    ({"style_size": 3}, OptionError, "style-size is 3"),
    ({"style_weight": [1, 2]}, OptionError, "2 of style-weight for 1 styles"),
    ({"style_weight": -1}, OptionError, "style-weight is -1"),
    ({"keep_colors": "lume"}, UnknownName, "luma"),
    ({"tile": 100}, OptionError, "a tile of 100 px is too small"),
    ({"tile": "some"}, OptionError, "tile is 'some'"),
    ({"mask": torch.zeros(1, 3, 9, 9)}, OptionError, "black all over"),
    ({"network": "anystile"}, UnknownName, "anystyle"),
    ({"network": "no/such.safetensors"}, WeightsError, "there is no such file"),
]


@pytest.mark.parametrize(("options", "error", "words"), BAD, ids=lambda value: str(value)[:30])
def test_bad_input_says_why(
    options: dict[str, Any], error: type[BelamyError], words: str, network: str
) -> None:
    with pytest.raises(error, match=words):
        any_style(smooth(48, 64), RED, **{"network": network, **options})


def test_the_eye_must_be_the_one_it_learned_with(network: str, eye: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    painter = load_network(Path(network), "arbitrary-style").network
    save_network_file(
        path,
        painter.state_dict(),
        network="anystyle",
        arguments=painter.arguments,
        trained_on="nothing",
        metadata={"encoder": str(eye), "encoder_sha256": "ab" * 32},
        half=True,
    )
    with pytest.raises(WeightsError, match="another"):
        any_style(smooth(48, 64), RED, network=str(path))


def test_the_network_of_the_package() -> None:
    path = embedded_path("anystyle")
    assert path.stat().st_size < 8 * 2**20
    loaded = load_network(path, "arbitrary-style")
    assert loaded.metadata["encoder_sha256"] == verify_sha256(embedded_path("iris"))
    content = smooth(96, 128)
    painted, itself = (any_style(content, x, size=128).image for x in (noise(96, 128), content))
    assert (itself - content).abs().mean() < 0.05 < (painted - content).abs().mean()


def test_what_is_drawn_is_no_paler_than_the_style() -> None:
    """In no band of details; before colours were mended they had 0.7 to 0.85 of the style's."""
    content, style = scenes.landscape(96, 128, 0), scenes.still_life(128, 160, 1)
    pictures = paint("anystyle", content, style, size=128).image, style
    found, wanted = ([standard_deviations(one).mean() for one in band_moments(x)] for x in pictures)
    ratios = [float(now / goal) for now, goal in zip(found, wanted, strict=True)]
    assert all(0.82 < ratio < 1.2 for ratio in ratios), ratios
