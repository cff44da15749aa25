"""What a person would check of a painting: its manner comes closer, the content can be seen."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engines.style.plain_case import LAYERS, QUICK
from torch import Tensor

import belamy
from belamy.engines.style.api import style, style_steps
from belamy.engines.style.options import PRESETS, Preset
from belamy.errors import Diverged, ImageError, OptionError, PictureWarning, UnknownName
from belamy.networks.backbone import load_backbone
from belamy.objectives.style_losses import gram_loss, moments_of
from belamy.pixels.colors import color_moments, luma
from belamy.pixels.images import resize, save_image
from belamy.pixels.recipe import read_recipe


@pytest.fixture
def stripes() -> Tensor:
    """(1, 3, 45, 70): red and yellow stripes, as a style."""
    image = torch.zeros(1, 3, 45, 70)
    image[:, 0] = 0.9
    image[:, 1, ::6] = image[:, 1, 1::6] = image[:, 1, 2::6] = 0.8
    return image


@pytest.fixture
def dots() -> Tensor:
    """(1, 3, 40, 40): dark blue with light dots, another style."""
    image = torch.full((1, 3, 40, 40), 0.1)
    image[:, 2] = 0.5
    image[..., ::5, ::5] = 1
    return image


def gram_distance(eye: Path, image: Tensor, target: Tensor) -> float:
    with torch.no_grad():
        backbone = load_backbone(eye, layers=LAYERS)
        wanted, found = backbone(target, LAYERS), backbone(image, LAYERS)
        parts = [gram_loss(name, moments_of(wanted[name])).objective(found) for name in LAYERS]
    return float(torch.stack(parts).sum())


@pytest.mark.parametrize("loss", ["moments", "gram"])
@pytest.mark.parametrize("optimizer", ["pyramid-lbfgs", "adam", "lbfgs", "projected-lbfgs"])
def test_the_gram_distance_falls(
    eye: Path, photo: Tensor, stripes: Tensor, loss: str, optimizer: str
) -> None:
    settings = {**QUICK, "iterations": 20, "style_loss": loss, "optimizer": optimizer}
    made = style(photo, stripes, model=eye, **settings).image
    assert made.min() >= 0
    assert made.max() <= 1
    before = gram_distance(eye, photo, stripes)
    assert gram_distance(eye, made, stripes) < 0.5 * before


def test_more_content_keeps_more_of_it(eye: Path, photo: Tensor, stripes: Tensor) -> None:
    loose, close = (
        style(photo, stripes, model=eye, **{**QUICK, "content_weight": weight}).image
        for weight in (0.0, 100.0)
    )
    ground = style(photo, photo, model=eye, **QUICK).image
    assert (close - ground).abs().mean() < 0.7 * (loose - ground).abs().mean()


def test_its_own_style_leaves_a_picture_nearly_as_it_is(eye: Path, photo: Tensor) -> None:
    settings = {**QUICK, "tv": 0.0, "iterations": 2, "min_size": 48, "step_size": 1e-3}
    made = style(photo, photo, model=eye, **settings).image
    assert (made - photo_at(photo, made)).abs().mean() < 0.01


def photo_at(photo: Tensor, made: Tensor) -> Tensor:
    return resize(photo, (made.shape[-2], made.shape[-1]))


def test_scales_grow_by_the_root_of_two(eye: Path, photo: Tensor, stripes: Tensor) -> None:
    steps = list(style_steps(photo, stripes, model=eye, **{**QUICK, "size": 64}))
    widths = [step.image.shape[-1] for step in steps]
    assert widths == [32] * 4 + [45] * 2 + [64] * 2
    assert [step.index for step in steps] == list(range(1, 9))
    assert {step.total for step in steps} == {8}
    assert set(steps[0].losses) == {"content", "style", "tv"}


def test_a_plus_keeps_the_area(eye: Path, stripes: Tensor) -> None:
    wide = torch.rand(1, 3, 20, 80)
    made = style(wide, stripes, model=eye, **{**QUICK, "size": "48+"}).image
    assert made.shape[-2:] == (24, 96)


def test_the_same_seed_twice(eye: Path, photo: Tensor, stripes: Tensor) -> None:
    first, again, other = (
        style(photo, stripes, model=eye, init="noise", seed=seed, **QUICK).image
        for seed in (4, 4, 5)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


OPTIONS: dict[str, Any] = {
    "size": 40,
    "min_size": 48,
    "iterations": "5",
    "content_layer": "mixed3a",
    "style_layer": ("conv1*3", "mixed3a"),
    "style_loss": "gram",
    "content_weight": 5.0,
    "style_weight": 0.1,
    "tv": 30.0,
    "style_scale": 0.4,
    "style_size": 20,
    "init": "noise",
    "keep_colors": "luma",
    "optimizer": "lbfgs",
    "step_size": 0.1,
    "precision": "bfloat16",
}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_has_a_visible_effect(
    eye: Path, photo: Tensor, stripes: Tensor, name: str
) -> None:
    plain, changed = (
        style(photo, stripes, model=eye, **{**QUICK, **options}).image
        for options in ({}, {name: OPTIONS[name]})
    )
    least = 1e-4 if name == "precision" else 1 / 255
    assert changed.shape != plain.shape or (changed - plain).abs().max() > least


@pytest.mark.parametrize("init", ["content", "noise", "grey", "style-statistics", None])
def test_starts(eye: Path, photo: Tensor, stripes: Tensor, init: str | None) -> None:
    settings = {**QUICK, "iterations": 1, "min_size": 48, "step_size": 1e-6}
    start = torch.rand(1, 3, 9, 12) if init is None else init
    made = style(photo, stripes, model=eye, init=start, **settings).image
    mean, covariance = color_moments(made)
    if init == "content":
        assert (made - photo_at(photo, made)).abs().max() < 1e-3
    elif init == "grey":
        assert (made - 0.5).abs().max() < 1e-3
    elif init == "noise":
        assert covariance.diagonal().min() > 0.01
    elif init == "style-statistics":
        assert (mean - color_moments(stripes)[0]).abs().max() < 0.1
    else:
        assert isinstance(start, Tensor)
        assert (made - photo_at(start, made)).abs().max() < 1e-3


def test_several_styles_are_blended_by_weight(
    eye: Path, photo: Tensor, stripes: Tensor, dots: Tensor
) -> None:
    settings = {**QUICK, "iterations": 15}
    first, second = (
        style(photo, [stripes, dots], model=eye, style_weight=weights, **settings).image
        for weights in ((9.0, 1.0), (1.0, 9.0))
    )
    assert gram_distance(eye, first, stripes) < gram_distance(eye, second, stripes)
    assert gram_distance(eye, second, dots) < gram_distance(eye, first, dots)


def test_a_mask_confines_the_style(eye: Path, photo: Tensor, stripes: Tensor) -> None:
    mask = torch.zeros(1, 1, 48, 65)
    mask[..., :30] = 1
    for init in ("content", "noise"):
        made = style(photo, stripes, model=eye, mask=mask, init=init, **QUICK).image
        changed = (made - photo_at(photo, made)).abs().amax(dim=(0, 1, 2))
        assert changed[:20].mean() > 0.02
        assert changed[26:].max() < 1e-5


def test_two_styles_share_a_picture_by_one_mask(
    eye: Path, photo: Tensor, stripes: Tensor, dots: Tensor
) -> None:
    mask = torch.zeros(1, 1, *photo.shape[-2:])
    mask[..., : photo.shape[-1] // 2] = 1
    # L-BFGS enlarges how differently masks are rounded
    settings = {**QUICK, "iterations": 25, "optimizer": "adam"}
    made = style(photo, [stripes, dots], model=eye, mask=mask, **settings).image
    left, right = made[..., :20], made[..., -20:]
    assert left[:, 0].mean() > right[:, 0].mean() + 0.1  # red from the stripes
    assert right[:, 2].mean() > left[:, 2].mean() + 0.1  # blue from the dots
    both = style(photo, [stripes, dots], model=eye, mask=[mask, 1 - mask], **settings)
    assert (both.image - made).abs().mean() < 0.005


def test_a_style_mask_chooses_a_part_of_the_style(eye: Path, photo: Tensor) -> None:
    halves = torch.zeros(1, 3, 40, 40)
    halves[:, 0, :, :20] = 1  # red on the left, blue on the right
    halves[:, 2, :, 20:] = 1
    left = torch.zeros(1, 1, 40, 40)
    left[..., :18] = 1
    settings = {**QUICK, "iterations": 15}
    red, blue = (
        style(photo, halves, model=eye, style_mask=mask, **settings).image
        for mask in (left, left.flip(-1))
    )
    assert red[:, 0].mean() > blue[:, 0].mean() + 0.1
    assert blue[:, 2].mean() > red[:, 2].mean() + 0.1


def test_transparent_parts_of_a_style_do_not_count(
    eye: Path, photo: Tensor, stripes: Tensor
) -> None:
    half = torch.cat([stripes, torch.ones(1, 1, 45, 70)], dim=1)
    half[..., 35:] = torch.rand(1, 4, 45, 35)
    half[:, 3, :, 35:] = 0
    mask = torch.ones(1, 1, 45, 70)
    mask[..., 35:] = 0
    clear, masked = (
        style(photo, half, model=eye, style_mask=given, **QUICK).image for given in ((), mask)
    )
    assert torch.allclose(clear, masked, atol=1e-5)


def test_a_mask_of_another_size_is_stretched_and_said(
    eye: Path, photo: Tensor, stripes: Tensor
) -> None:
    steps = style_steps(photo, stripes, model=eye, mask=torch.ones(1, 1, 7, 9), **QUICK)
    assert next(steps).note == "a mask of 9x7 is stretched to the content's 83x61"
    steps = style_steps(photo, stripes, model=eye, style_mask=torch.ones(1, 1, 7, 9), **QUICK)
    assert "a style-mask of 9x7 is stretched to the style's" in next(steps).note


@pytest.mark.parametrize(("init", "hint"), [("gray", "did you mean grey"), ("x.png", "noise")])
def test_a_start_that_is_not_there_is_told_what_is(photo: Tensor, init: str, hint: str) -> None:
    for given in (init, Path(init)):  # the command line has a path
        with pytest.raises(OptionError, match=f"init is '{init}'.*{hint}"):
            style(photo, photo, init=given)


def test_kept_brightness_of_colours(eye: Path, photo: Tensor, stripes: Tensor) -> None:
    free, kept = (
        style(photo, stripes, model=eye, keep_colors=way, **QUICK).image for way in (None, "luma")
    )
    ground = photo_at(photo, kept)
    chroma = [image - luma(image) for image in (ground, kept, free)]
    assert (chroma[1] - chroma[0]).abs().mean() < 0.5 * (chroma[2] - chroma[0]).abs().mean()


def test_matched_colours(eye: Path, photo: Tensor, stripes: Tensor) -> None:
    settings = {**QUICK, "iterations": 15, "content_weight": 0.0}
    free, matched = (
        style(photo, stripes, model=eye, keep_colors=way, **settings).image
        for way in (None, "match")
    )
    mean = color_moments(photo)[0]
    off = [(color_moments(image)[0] - mean).abs().max() for image in (matched, free)]
    assert off[0] < 0.6 * off[1]


def test_alpha_is_carried(eye: Path, photo: Tensor, stripes: Tensor, tmp_path: Path) -> None:
    alpha = torch.linspace(0, 1, photo.shape[-1]).expand(1, 1, photo.shape[-2], -1)
    save_image(photo, tmp_path / "in.png", alpha=alpha)
    made = style(tmp_path / "in.png", stripes, model=eye, **QUICK)
    assert made.alpha is not None
    assert made.alpha.shape[-2:] == made.image.shape[-2:]


@pytest.mark.parametrize("size", [(33, 120), (1, 50), (50, 1), (7, 5), (1, 1)])
def test_odd_sizes(eye: Path, stripes: Tensor, size: tuple[int, int]) -> None:
    grey = torch.full((1, 3, *size), 0.5)
    settings = {**QUICK, "size": max(8, max(size)), "iterations": 1}
    for content, manner in ((grey, stripes), (stripes, grey)):
        made = style(content, manner, model=eye, **settings).image
        assert made.isfinite().all()


def test_grey_in_the_manner_of_grey(eye: Path) -> None:
    grey = torch.full((1, 3, 40, 40), 0.5)
    made = style(grey, grey, model=eye, **QUICK).image
    assert (made - 0.5).abs().max() < 0.1


def test_a_preset_is_size_and_iterations(
    eye: Path, photo: Tensor, stripes: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {k: v for k, v in QUICK.items() if k not in ("size", "iterations")}
    monkeypatch.setitem(PRESETS, "sketch", Preset(40, "2,1", "4,3"))
    with pytest.warns(PictureWarning, match=r"painting at 40 × \d+ \(--size full"):
        steps = list(style_steps(photo, stripes, model=eye, preset="sketch", **settings))
    assert [step.image.shape[-1] for step in steps] == [40, 40]
    recipe = steps[0].recipe
    assert recipe is not None
    assert (recipe.options["preset"], recipe.options["size"]) == ("sketch", 40)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"size": 1}, "size"),
    ({"size": "big"}, "size is 'big'"),
    ({"min_size": 0}, "min-size"),
    ({"iterations": 0}, "iterations"),
    ({"iterations": "1,2,3"}, "FIRST,NEXT"),
    ({"content_weight": -1.0}, "content-weight"),
    ({"style_weight": 0.0}, "style-weight"),
    ({"style_weight": (1.0, 2.0)}, "2 of style-weight for 1 styles"),
    ({"style_layer": "conv1*0"}, "weight 0"),
    ({"style_layer": "conv1**2"}, "cannot be read"),
    ({"style_layer": "logits"}, "no places"),
    ({"tv": float("nan")}, "tv"),
    ({"style_scale": 0.0}, "style-scale"),
    ({"style_size": 0}, "style-size"),
    ({"step_size": 0.0}, "step-size"),
    ({"tile": 3}, "tile"),
    ({"tile": 64, "style_layer": "mixed4b"}, "too small here"),
    ({"pooling": "average"}, "no maxima"),
    ({"mask": torch.zeros(1, 1, 9, 9)}, "black all over"),
    ({"style_mask": torch.zeros(1, 1, 9, 9)}, "black all over"),
    ({"mask": [torch.ones(1, 1, 9, 9)] * 2}, "2 masks for 1 styles"),
]


@pytest.mark.parametrize(("options", "words"), BAD, ids=lambda value: str(value)[:40])
def test_bad_options(
    eye: Path, photo: Tensor, stripes: Tensor, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(OptionError, match=words) as caught:
        style(photo, stripes, model=eye, **{**QUICK, **options})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "suggestion"),
    [
        ({"style_layer": "mixed3q"}, "mixed3a"),
        ({"style_loss": "grams"}, "gram"),
        ({"keep_colors": "luna"}, "luma"),
        ({"preset": "finest"}, "fine"),
        ({"optimizer": "adams"}, "adam"),
        ({"precision": "float8"}, "float"),
    ],
)
def test_unknown_names_suggest(
    eye: Path, photo: Tensor, stripes: Tensor, options: dict[str, Any], suggestion: str
) -> None:
    with pytest.raises(UnknownName, match=suggestion):
        style(photo, stripes, model=eye, **{**QUICK, **options})


def test_no_style_and_no_file(eye: Path, photo: Tensor, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no style"):
        style(photo, [], model=eye, **QUICK)
    with pytest.raises(ImageError, match=r"none\.png"):
        style(photo, tmp_path / "none.png", model=eye, **QUICK)


def test_lbfgs_that_bursts_says_so(eye: Path, photo: Tensor, stripes: Tensor) -> None:
    settings = {**QUICK, "iterations": 30, "optimizer": "lbfgs", "step_size": 100.0}
    with pytest.raises(Diverged, match="adam"):
        style(photo, stripes, model=eye, **{**settings, "precision": "float16"})


def test_the_recipe_holds_every_option(
    eye: Path, photo: Tensor, stripes: Tensor, dots: Tensor, tmp_path: Path
) -> None:
    names = ("content", "one", "two", "mask", "start")
    images = (photo, stripes, dots, torch.ones(1, 3, 61, 83), torch.rand(1, 3, 9, 9))
    files = [tmp_path / f"{name}.png" for name in names]
    for image, file in zip(images, files, strict=True):
        save_image(image, file)
    content, one, two, mask, start = files
    settings = {**QUICK, "mask": [mask, mask], "init": start, "style_weight": [1.0, 2.0]}
    made = style(content, [one, two], model=eye, **settings)
    made.save(tmp_path / "out.png")
    recipe = read_recipe(tmp_path / "out.png")
    inputs = {"content", "style", "mask", "style_mask", "init"}
    assert set(recipe.options) == set(inspect.signature(style_steps).parameters) - inputs
    assert [item.role for item in recipe.inputs] == [
        "content", "style", "style", "mask", "mask", "init"
    ]  # fmt: skip
    assert recipe.step == 6
    paths: dict[str, Any] = {"content": content, "style": [one, two], "mask": [mask, mask]}
    assert torch.equal(style(**{**recipe.options, **paths, "init": start}).image, made.image)


def test_every_step_carries_its_own_recipe(eye: Path, photo: Tensor, stripes: Tensor) -> None:
    steps = list(style_steps(photo, stripes, model=eye, **QUICK))
    assert [step.recipe.step for step in steps if step.recipe] == list(range(1, 7))


def test_the_public_names() -> None:
    assert belamy.style is style
    assert inspect.signature(style).parameters == inspect.signature(style_steps).parameters
