"""What a dream computes, against the formulas written out once more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import belamy
from belamy.devices import make_rng
from belamy.engines.dream.api import dream, dream_steps
from belamy.engines.dream.objective import objective_for, read_target
from belamy.engines.dream.options import (
    NOISE_SIDE,
    DreamOptions,
    FourierSettings,
    PixelSettings,
    settings_of,
)
from belamy.engines.dream.render import SMOOTHERS, Dreamer
from belamy.errors import OptionError
from belamy.networks.backbone import load_backbone
from belamy.objectives.features import energy, guide, neuron, strongest, weakest
from belamy.objectives.objective import Activations, Objective
from belamy.objectives.priors import total_variation
from belamy.pixels.augment import random_shift, robust_same_size
from belamy.pixels.canvas import FourierCanvas
from belamy.pixels.colors import luma
from belamy.pixels.images import resize, save_image
from belamy.pixels.pyramid import gaussian_smooth, laplacian_smooth, octave_sizes

PLAIN: dict[str, Any] = {"octaves": 1, "steps": 2, "jitter": 0, "smooth": "none"}
CLOSE = 1e-5


def gradient_of(eye: Path, image: Tensor, score: Callable[[Activations], Tensor]) -> Tensor:
    """The gradient of what is to grow, by autograd alone."""
    pixels = image.clone().requires_grad_(True)
    score(load_backbone(eye)(pixels, ["mixed3a", "mixed3b", "logits"])).backward()
    assert pixels.grad is not None
    return pixels.grad


def climb(image: Tensor, gradient: Tensor, step_size: float = 1.5, mask: Any = 1.0) -> Tensor:
    """A step of the notebook: as many levels of 255 in the mean, up the gradient."""
    change = gradient / gradient.abs().mean() * step_size / 255
    return (image + mask * change).clamp(0, 1)


def layer_energy(activations: Activations) -> Tensor:
    return activations["mixed3a"].square().mean()


def test_two_steps_of_one_layer(eye: Path, photo: Tensor) -> None:
    expected = photo
    for _ in range(2):
        expected = climb(expected, gradient_of(eye, expected, layer_energy))
    made = dream(photo, model=eye, layer="mixed3a", **PLAIN).image
    assert (made - expected).abs().max() < CLOSE
    assert (made - photo).abs().max() > 100 * CLOSE


def test_the_step_size_is_in_levels(eye: Path, photo: Tensor) -> None:
    grey = 0.25 + 0.5 * photo  # nothing is cut off at black or white
    made = dream(grey, model=eye, layer="mixed3a", **{**PLAIN, "steps": 1}, step_size=4.0).image
    assert float((made - grey).abs().mean()) * 255 == pytest.approx(4.0, rel=1e-3)


def test_several_layers_are_each_divided_by_their_size_at_first(eye: Path, photo: Tensor) -> None:
    with torch.no_grad():
        first = load_backbone(eye)(photo, ["mixed3a", "mixed3b", "logits"])
    sizes = {name: float(first[name].square().mean()) for name in ("mixed3a", "mixed3b")}
    of_class = abs(float(first["logits"][0, 3]))

    def score(activations: Activations) -> Tensor:
        return (
            0.5 / max(sizes["mixed3a"], 1e-3) * activations["mixed3a"].square().mean()
            - 2.0 / max(sizes["mixed3b"], 1e-3) * activations["mixed3b"].square().mean()
            + 1.0 / max(of_class, 1e-3) * activations["logits"][0, 3]
        )

    expected = climb(photo, gradient_of(eye, photo, score))
    layers = ["mixed3a*0.5", "mixed3b*-2"]
    made = dream(photo, model=eye, layer=layers, class_="thing 3", **{**PLAIN, "steps": 1}).image
    assert (made - expected).abs().max() < CLOSE


def test_a_part_next_to_nothing_is_not_blown_up(eye: Path, photo: Tensor) -> None:
    silent = Objective(lambda a: 1e-9 * a["mixed3a"].mean(), frozenset({"mixed3a"}), "silent")
    target = read_target(["mixed3a", silent], None, None)
    backbone = load_backbone(eye, layers=["mixed3a"])
    with torch.no_grad():
        activations = backbone(photo, ["mixed3a"])
        value = float(objective_for(target, backbone, photo, None)(activations))
        size = float(activations["mixed3a"].square().mean())
        small = float(activations["mixed3a"].mean()) * 1e-6
    assert value == pytest.approx(-size / max(size, 1e-3) + small, rel=1e-4)


def test_octaves_carry_their_detail_up(eye: Path) -> None:
    torch.manual_seed(0)
    photo = F.interpolate(torch.rand(1, 3, 6, 7), (90, 110), mode="bicubic").clamp(0.2, 0.8)
    sizes, _ = octave_sizes(90, 110, 3, 1.4, 32)
    detail = torch.zeros(1, 3, *sizes[0])
    for size in sizes:
        detail = F.interpolate(
            detail, size=size, mode="bicubic", align_corners=False, antialias=True
        )
        ground = resize(photo, size)
        start = (ground + detail).clamp(0, 1)
        expected = climb(start, gradient_of(eye, start, layer_energy))
        detail = expected - ground
    options = {**PLAIN, "octaves": 3, "steps": 1}
    steps = list(dream_steps(photo, model=eye, layer="mixed3a", **options))
    assert [tuple(step.image.shape[-2:]) for step in steps] == sizes
    assert (steps[-1].image - expected).abs().max() < 10 * CLOSE


def test_a_fourier_canvas_begins_as_the_photo(eye: Path, photo: Tensor) -> None:
    options: dict[str, Any] = {"model": eye, "layer": "mixed3a", "canvas": "fourier"}
    made = dream(photo, **options, steps=1, step_size=1e-6).image
    assert (made - photo).abs().mean() < 0.01


def test_jitter_shifts_and_shifts_back(eye: Path, photo: Tensor) -> None:
    shift = random_shift(9, make_rng(5, "jitter", 0, 0))
    assert shift != (0, 0)
    rolled = torch.roll(photo, shift, dims=(-2, -1))
    gradient = torch.roll(
        gradient_of(eye, rolled, layer_energy), (-shift[0], -shift[1]), dims=(-2, -1)
    )
    options = {**PLAIN, "jitter": 9, "steps": 1}
    made = dream(photo, model=eye, layer="mixed3a", seed=5, **options).image
    assert (made - climb(photo, gradient)).abs().max() < CLOSE


@pytest.mark.parametrize(
    ("smooth", "reference"),
    [
        ("laplacian", lambda gradient: laplacian_smooth(gradient, 2)),
        ("gaussian", lambda gradient: gaussian_smooth(gradient, 1.0)),
    ],
)
def test_the_gradient_is_smoothed(
    eye: Path, photo: Tensor, smooth: str, reference: Callable[[Tensor], Tensor]
) -> None:
    gradient = reference(gradient_of(eye, photo, layer_energy))
    options = {**PLAIN, "smooth": smooth, "steps": 1}
    made = dream(photo, model=eye, layer="mixed3a", **options).image
    assert (made - climb(photo, gradient)).abs().max() < CLOSE
    assert torch.equal(SMOOTHERS["none"](gradient), gradient)


def test_the_mask_holds_each_step_and_the_end(eye: Path, photo: Tensor) -> None:
    mask = torch.linspace(0, 1, photo.shape[-1]).expand(1, 1, photo.shape[-2], -1)
    expected = climb(photo, gradient_of(eye, photo, layer_energy), mask=mask)
    expected = photo + mask * (expected - photo)
    options = {**PLAIN, "steps": 1}
    made = dream(photo, model=eye, layer="mixed3a", mask=mask, **options).image
    assert (made - expected).abs().max() < CLOSE


@pytest.mark.parametrize("canvas", ["pixels", "fourier"])
def test_what_is_kept_of_the_photo(eye: Path, photo: Tensor, canvas: str) -> None:
    """Mask, strength and colours act on either canvas, by these formulas."""
    options: dict[str, Any] = {"model": eye, "layer": "mixed3a", "canvas": canvas, "steps": 3}
    options |= {"octaves": 1, "jitter": 0} if canvas == "pixels" else {"step_size": 0.2}
    free = dream(photo, **options).image
    assert (free - photo).abs().max() > 0.02
    weak = dream(photo, strength=0.3, **options).image
    assert (weak - (photo + 0.3 * (free - photo))).abs().max() < CLOSE
    colours = dream(photo, keep_colors=True, **options).image
    assert (luma(colours) - luma(free)).abs().max() < 1e-3
    mask = torch.zeros(1, 1, *photo.shape[-2:])
    mask[..., :40] = 1
    half = dream(photo, mask=mask, **options).image
    assert torch.equal(half[..., 40:], photo[..., 40:])
    assert (half[..., :40] - photo[..., :40]).abs().max() > 0.01
    if canvas == "fourier":  # whose steps know nothing of the mask
        assert (half[..., :40] - free[..., :40]).abs().max() < CLOSE


def test_transparency_is_carried_through(eye: Path, photo: Tensor, tmp_path: Path) -> None:
    alpha = torch.linspace(0, 1, 83).expand(1, 1, 61, -1)
    save_image(photo, tmp_path / "in.png", alpha=alpha)
    made = dream(tmp_path / "in.png", model=eye, layer="mixed3a", size=60, **PLAIN)
    assert made.alpha is not None
    assert (made.alpha - resize(alpha, (44, 60))).abs().max() < 2 / 255
    assert made.alpha.min() < 0.05


def test_a_fourier_dream_fits_augmented_pictures(eye: Path) -> None:
    canvas = FourierCanvas.from_noise(48, 48, make_rng(7, "canvas"))
    optimizer = torch.optim.Adam(canvas.parameters(), lr=0.05)
    backbone, augment = load_backbone(eye, layers=["mixed3a"]), robust_same_size()
    for index in range(2):
        optimizer.zero_grad()
        changed = augment(canvas(), make_rng(7, "changes", index))
        (-layer_energy(backbone(changed, ["mixed3a"]))).backward()
        optimizer.step()
    with torch.no_grad():
        expected = canvas()
    made = dream(model=eye, layer="mixed3a", size=48, steps=2, seed=7).image
    assert (made - expected).abs().max() < CLOSE


@pytest.mark.parametrize("canvas", ["pixels", "fourier"])
def test_noise_comes_from_the_seed(eye: Path, canvas: str) -> None:
    options: dict[str, Any] = {"model": eye, "canvas": canvas, "size": 48, "layer": "mixed3a"}
    first, again, other = (
        next(dream_steps(**options, steps=1, step_size=1e-6, seed=seed)).image for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert (first - other).abs().mean() > 0.001  # far more than such a step moves


def test_a_guide_and_a_choice_of_channels(eye: Path, photo: Tensor) -> None:
    backbone = load_backbone(eye, layers=["mixed3a"])
    other = photo.flip(-1).flip(1)
    with torch.no_grad():
        here, there = (backbone(image, ["mixed3a"])["mixed3a"] for image in (photo, other))
    for options, objective in (
        ({"guide": other}, guide("mixed3a", there)),
        ({"channels": "strongest:2"}, strongest("mixed3a", here, 2)),
        ({"channels": "weakest:3"}, weakest("mixed3a", here, 3)),
    ):
        expected = climb(photo, gradient_of(eye, photo, objective))
        given: dict[str, Any] = {**PLAIN, "steps": 1, **options}
        made = dream(photo, model=eye, layer="mixed3a", **given).image
        assert (made - expected).abs().max() < CLOSE, options


def test_open_options_mean_what_the_literature_says() -> None:
    assert settings_of(DreamOptions()) == PixelSettings(4, 1.4, 10, 1.5, 32, "laplacian")
    assert settings_of(DreamOptions(canvas="fourier")) == FourierSettings(256, 0.05)
    assert NOISE_SIDE == 384


def test_tiles_come_to_nearly_the_same_dream(eye: Path, photo: Tensor) -> None:
    options: dict[str, Any] = {**PLAIN, "steps": 1, "model": eye, "layer": "mixed3a", "size": 200}
    whole, tiles = (dream(photo, tile=tile, **options).image for tile in ("none", 96))
    change = (whole - resize(photo, (147, 200))).abs().mean()
    assert 0 < (tiles - whole).abs().mean() < 0.2 * change


def test_a_neuron_of_the_user_s_choice(eye: Path, photo: Tensor) -> None:
    chosen = neuron("mixed3a", 4, 3, 5)
    expected = climb(photo, gradient_of(eye, photo, chosen))
    made = belamy.dream(photo, model=eye, layer=-chosen, **{**PLAIN, "steps": 1}).image
    assert (made - expected).abs().max() < CLOSE


def test_a_function_of_the_user_s_own(eye: Path, photo: Tensor) -> None:
    def contrast(activations: Activations) -> Tensor:
        return activations["mixed3a"].std()

    mine = Objective(contrast, frozenset({"mixed3a"}), "contrast")
    expected = climb(photo, gradient_of(eye, photo, contrast))
    made = dream(photo, model=eye, layer=-mine, **{**PLAIN, "steps": 1})
    assert (made.image - expected).abs().max() < CLOSE
    assert made.recipe is not None
    assert made.recipe.options["layer"] == ["objective -contrast"]
    with pytest.raises(OptionError, match="somebody's program"):
        dream(photo, model=eye, layer=["objective -contrast"])


def test_pixels_can_be_an_objective_too(eye: Path, photo: Tensor) -> None:
    """What is added is minimised: total variation falls, whole and in tiles."""
    rough = (photo + 0.2 * torch.rand_like(photo)).clamp(0, 1)
    prior = total_variation()
    for tile in ("none", 64):
        made = dream(rough, model=eye, layer=[prior], tile=tile, **PLAIN).image  # type: ignore[arg-type]
        assert prior({"image": made}) < prior({"image": rough})
    both = dream(rough, model=eye, layer=["mixed3a", 50 * prior], **PLAIN).image
    alone = dream(rough, model=eye, layer="mixed3a", **PLAIN).image
    assert prior({"image": both}) < prior({"image": alone})


def test_a_dreamer_loads_once_and_dreams_the_same(eye: Path, photo: Tensor) -> None:
    options = DreamOptions(model=eye, layer="mixed3a", octaves=1, steps=2)
    dreamer = Dreamer(options)
    loaded = dreamer.backbone
    for image in (photo, photo.flip(-1)):
        plain = dream(image, model=eye, layer="mixed3a", octaves=1, steps=2)
        made = dreamer(image)
        assert torch.equal(made.image, plain.image)
        assert made.recipe == plain.recipe
    assert dreamer.backbone is loaded
    assert energy("mixed3a").name in "".join(next(dreamer.steps(photo)).losses)
