"""What a person would check of a dream: more of what was asked for, where it was asked for."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import belamy
from belamy.engines.dream.api import dream, dream_steps
from belamy.engines.dream.objective import Term, default_layers, read_target
from belamy.engines.dream.options import DreamOptions, settings_of
from belamy.errors import Diverged, OptionError, UnknownName
from belamy.networks.backbone import load_backbone
from belamy.objectives.features import energy
from belamy.optimise import Tiling, descend, gradient_of, tiled_gradient_of
from belamy.pixels.colors import luma
from belamy.pixels.images import Picture, save_image
from belamy.pixels.recipe import read_recipe

QUICK: dict[str, Any] = {"octaves": 2, "steps": 3, "layer": "mixed3a"}


def excitement(eye: Path, image: Tensor, layer: str = "mixed3a") -> float:
    with torch.no_grad():
        return float(load_backbone(eye)(image, [layer])[layer].square().mean())


def test_the_excited_layer_rises(eye: Path, photo: Tensor) -> None:
    dreamt = dream(photo, model=eye, **QUICK)
    assert dreamt.image.shape == photo.shape
    assert dreamt.image.min() >= 0
    assert dreamt.image.max() <= 1
    assert excitement(eye, dreamt.image) > 1.2 * excitement(eye, photo)


def test_a_negative_weight_calms(eye: Path, photo: Tensor) -> None:
    calm = dream(photo, model=eye, octaves=1, steps=5, layer="mixed3a*-1", smooth="none").image
    assert excitement(eye, calm) < excitement(eye, photo)


def test_a_class_becomes_likelier(eye: Path, photo: Tensor) -> None:
    with torch.no_grad():
        before = load_backbone(eye)(photo, ["logits"])["logits"]
        dreamt = dream(photo, model=eye, class_="thing 3", octaves=1, steps=9).image
        after = load_backbone(eye)(dreamt, ["logits"])["logits"]
    assert after[0, 3] > before[0, 3] + 0.1 * before.std()


def test_a_class_can_be_a_number(eye: Path, photo: Tensor) -> None:
    name = dream(photo, model=eye, class_="thing 3", octaves=1, steps=1).image
    number = dream(photo, model=eye, class_="3", octaves=1, steps=1).image
    assert torch.equal(name, number)


def test_a_channel_rises(eye: Path, photo: Tensor) -> None:
    dreamt = dream(photo, model=eye, octaves=1, steps=4, layer="mixed3a:5").image
    with torch.no_grad():
        before, after = (load_backbone(eye)(x, ["mixed3a"])["mixed3a"] for x in (photo, dreamt))
    assert after[:, 5].mean() > before[:, 5].mean()


def test_the_same_seed_twice(eye: Path, photo: Tensor) -> None:
    first, again = (dream(photo, model=eye, seed=4, **QUICK).image for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, dream(photo, model=eye, seed=5, **QUICK).image)


OPTIONS: dict[str, Any] = {
    "octaves": 1,
    "octave_scale": 2.0,
    "steps": 4,
    "step_size": 3.0,
    "jitter": 0,
    "smooth": "none",
    "size": 50,
    "strength": 0.5,
    "keep_colors": True,
    "layer": "mixed3b",
    "class_": "thing 1",
    "channels": "strongest:3",
    "canvas": "fourier",
}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_has_a_visible_effect(eye: Path, photo: Tensor, name: str) -> None:
    plain = dream(photo, model=eye, **QUICK).image
    options = {**QUICK, name: OPTIONS[name]}
    if name == "canvas":
        del options["octaves"]
    changed = dream(photo, model=eye, **options).image
    assert changed.shape != plain.shape or (changed - plain).abs().max() > 1 / 255


def test_channels_strongest_and_weakest_differ(eye: Path, photo: Tensor) -> None:
    strong, weak = (
        dream(photo, model=eye, channels=f"{which}:2", **QUICK).image
        for which in ("strongest", "weakest")
    )
    assert (strong - weak).abs().max() > 1 / 255


def test_a_guide_leads_elsewhere(eye: Path, photo: Tensor) -> None:
    guide = torch.zeros(1, 3, 40, 40)
    guide[:, 0, ::4] = 1
    plain, led = (dream(photo, model=eye, guide=g, **QUICK).image for g in (None, guide))
    assert (plain - led).abs().max() > 1 / 255


def test_black_in_the_mask_stays(eye: Path, photo: Tensor) -> None:
    mask = torch.zeros(1, 1, *photo.shape[-2:])
    mask[..., :40] = 1
    dreamt = dream(photo, model=eye, mask=mask, **QUICK).image
    changed = (dreamt - photo).abs().amax(dim=(0, 1, 2))
    assert changed[:40].min() > 0
    assert changed[45:].max() < 1e-6


def test_a_mask_at_the_end_is_laid_over_a_dream_of_the_whole(eye: Path, photo: Tensor) -> None:
    mask = torch.zeros(1, 1, *photo.shape[-2:])
    mask[..., :40] = 1
    whole = dream(photo, model=eye, **QUICK).image
    masked = dream(photo, model=eye, mask=mask, masking="end", **QUICK).image
    assert torch.allclose(masked[..., :40], whole[..., :40], atol=1e-6)
    assert torch.allclose(masked[..., 40:], photo[..., 40:], atol=1e-6)
    steps = dream(photo, model=eye, mask=mask, **QUICK).image
    assert not torch.allclose(steps[..., :40], whole[..., :40], atol=1e-3)


def test_a_mask_of_another_size_is_stretched(eye: Path, photo: Tensor) -> None:
    mask = torch.ones(1, 1, 10, 10)
    assert dream(photo, model=eye, mask=mask, **QUICK).image.shape == photo.shape


def test_strength_zero_is_the_photo(eye: Path, photo: Tensor) -> None:
    assert torch.allclose(dream(photo, model=eye, strength=0.0, **QUICK).image, photo)


def test_kept_colours(eye: Path, photo: Tensor) -> None:
    kept = dream(photo, model=eye, keep_colors=True, **QUICK).image
    free = dream(photo, model=eye, **QUICK).image
    assert (luma(kept) - luma(free)).abs().max() < 1e-3
    chroma = [image - luma(image) for image in (photo, kept, free)]
    assert (chroma[1] - chroma[0]).abs().mean() < 0.5 * (chroma[2] - chroma[0]).abs().mean()


def test_alpha_is_carried(eye: Path, photo: Tensor, tmp_path: Path) -> None:
    alpha = torch.linspace(0, 1, photo.shape[-1]).expand(1, 1, photo.shape[-2], -1)
    save_image(photo, tmp_path / "in.png", alpha=alpha)
    made = dream(tmp_path / "in.png", model=eye, size=60, **QUICK)
    assert made.alpha is not None
    assert made.alpha.shape[-2:] == made.image.shape[-2:]


@pytest.mark.parametrize("size", [(33, 120), (32, 32), (1, 200), (7, 5)])
def test_odd_sizes(eye: Path, size: tuple[int, int]) -> None:
    image = torch.full((1, 3, *size), 0.5)
    assert dream(image, model=eye, octaves=2, steps=1).image.shape[-2:] == size


def test_small_octaves_are_left_out_and_said(eye: Path, photo: Tensor) -> None:
    steps = list(dream_steps(photo, model=eye, octaves=9, steps=1))
    assert "left out" in steps[0].note
    assert [step.index for step in steps] == list(range(1, steps[-1].total + 1))
    assert len(steps) < 9


@pytest.mark.parametrize("canvas", ["fourier", "pixels"])
def test_from_noise(eye: Path, canvas: str) -> None:
    made = dream(model=eye, canvas=canvas, size=64, steps=4, layer="mixed3a")
    assert made.image.shape == (1, 3, 64, 64)
    assert made.image.std() > 0.01


def test_fourier_raises_what_it_is_after(eye: Path) -> None:
    steps = list(dream_steps(model=eye, size=64, steps=20, layer="mixed3a"))
    name = "-energy(mixed3a)"
    assert steps[-1].losses[name] < steps[0].losses[name]


def test_tiles_with_a_full_margin_are_exact(eye: Path) -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 3, 150, 190, dtype=torch.float64)
    backbone = load_backbone(eye, layers=["mixed3a"]).double()
    layer = backbone.layers["mixed3a"]
    assert layer.receptive_field is not None
    assert layer.stride is not None
    margin = -(-layer.receptive_field // 4) * 4
    whole, value = gradient_of(backbone, energy("mixed3a"), image)
    tiling = Tiling(2 * margin + 24, margin, layer.stride)
    parts, seen = tiled_gradient_of(backbone, energy("mixed3a"), image, tiling, (13, 29))
    border = margin
    inner = (..., slice(border, -border), slice(border, -border))
    # one factor is common to all: places are counted as area / stride²
    ratio = (parts[inner] * whole[inner]).sum() / whole[inner].square().sum()
    assert torch.allclose(parts[inner], ratio * whole[inner], rtol=1e-6, atol=1e-12)
    assert ratio == pytest.approx(1, abs=0.05)
    assert seen == pytest.approx(value, rel=0.2)


def test_tiles_show_no_seam(eye: Path) -> None:
    """At the margin that dreams use, the gradient across a cut is what it is anywhere else."""
    torch.manual_seed(0)
    image = torch.nn.functional.avg_pool2d(torch.rand(1, 3, 242, 242), 3, stride=1)
    backbone = load_backbone(eye, layers=["mixed4b"])
    from belamy.engines.dream.render import TILING
    from belamy.engines.tiling import choose_tiling

    tiling = choose_tiling(TILING, 144, backbone, ["mixed4b"], image)
    assert tiling is not None
    whole, _ = gradient_of(backbone, energy("mixed4b"), image)
    parts, _ = tiled_gradient_of(backbone, energy("mixed4b"), image, tiling, (0, 0))
    inner = (..., slice(40, -40), slice(40, -40))
    error = (parts - whole)[inner].square().mean().sqrt() / whole[inner].square().mean().sqrt()
    assert error < 0.1


def test_auto_tiles_when_memory_is_short(
    eye: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from belamy.engines import tiling as tilings
    from belamy.engines.dream.render import TILING

    backbone = load_backbone(eye, layers=["mixed3a"])
    assert tilings.choose_tiling(TILING, "auto", backbone, ["mixed3a"], photo) is None
    monkeypatch.setattr(tilings, "available_memory", lambda device: 1 << 20)
    large = torch.zeros(1, 3, 700, 700)
    tiling = tilings.choose_tiling(TILING, "auto", backbone, ["mixed3a"], large)
    assert tiling is not None
    assert tiling.tile < 700


def test_a_tiled_dream_is_replayed_with_the_same_tiles(eye: Path, photo: Tensor) -> None:
    made = dream(photo, model=eye, tile=64, **QUICK)
    assert made.recipe is not None
    assert made.recipe.options["tile"] == 64


BAD: list[tuple[dict[str, Any], str]] = [
    ({"octaves": 0}, "octaves"),
    ({"octave_scale": 1.0}, "octave-scale"),
    ({"steps": 0}, "steps"),
    ({"step_size": -1.0}, "step-size"),
    ({"jitter": -1}, "jitter"),
    ({"size": 1}, "size"),
    ({"strength": 1.5}, "strength"),
    ({"tile": 3}, "tile"),
    ({"tile": "small"}, "tile"),
    ({"channels": "loudest:3"}, "strongest:N"),
    ({"channels": "strongest:3", "layer": "mixed3a:4"}, "without :N"),
    ({"channels": "strongest:3000"}, "channels"),
    ({"layer": "mixed3a:4000"}, "no channel 4000"),
    ({"layer": "mixed3a*0"}, "weight 0"),
    ({"layer": "mixed3a**2"}, "cannot be read"),
    ({"canvas": "fourier", "octaves": 3}, "octaves"),
    ({"canvas": "fourier", "tile": 256}, "tile"),
    ({"from_": "noise"}, "from noise"),
    ({"mask": torch.zeros(1, 1, 9, 9)}, "black all over"),
]


@pytest.mark.parametrize(("options", "words"), BAD, ids=lambda value: str(value)[:40])
def test_bad_options(eye: Path, photo: Tensor, options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words) as caught:
        dream(photo, model=eye, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "suggestion"),
    [
        ({"layer": "mixed3q"}, "mixed3a"),
        ({"class_": "thin 3"}, "thing 3"),
        ({"smooth": "laplace"}, "laplacian"),
        ({"canvas": "furrier"}, "fourier"),
    ],
)
def test_unknown_names_suggest(
    eye: Path, photo: Tensor, options: dict[str, Any], suggestion: str
) -> None:
    with pytest.raises(UnknownName, match=suggestion):
        dream(photo, model=eye, **options)


@pytest.mark.parametrize(
    "options", [{"mask": torch.ones(1, 1, 9, 9)}, {"strength": 0.5}, {"keep_colors": True}]
)
def test_noise_has_nothing_to_keep(eye: Path, options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="needs a picture"):
        dream(model=eye, size=64, steps=1, **options)


def test_a_broken_gradient_stops_with_its_step() -> None:
    image = torch.zeros(1, 3, 4, 4)

    def broken(image: Tensor, index: int) -> tuple[Tensor, float]:
        return torch.full_like(image, float("nan") if index == 2 else 1.0), 0.0

    with pytest.raises(Diverged, match="step 3"):
        list(descend(image, broken, steps=5, step_size=0.1, smooth=lambda g: g))


def test_a_silent_channel_changes_nothing() -> None:
    image = torch.rand(1, 3, 4, 4)
    still = list(
        descend(
            image,
            lambda x, _: (torch.zeros_like(x), 0.0),
            steps=2,
            step_size=0.1,
            smooth=lambda g: g,
        )
    )
    assert torch.equal(still[-1][0], image)


def test_goals_are_read() -> None:
    goal = read_target(["mixed4b:12*0.5", "mixed3a*-1"], None, None)
    assert goal.terms == (Term("mixed4b", 12, 0.5), Term("mixed3a", None, -1.0))
    assert read_target((), "cat", None).layers == {"logits"}


def test_a_file_has_its_network_s_favourites(eye: Path) -> None:
    assert default_layers(eye) == default_layers("iris")


def test_the_recipe_holds_every_option(eye: Path, photo: Tensor, tmp_path: Path) -> None:
    save_image(photo, tmp_path / "in.png")
    made = dream(tmp_path / "in.png", model=eye, **QUICK)
    made.save(tmp_path / "out.png")
    recipe = read_recipe(tmp_path / "out.png")
    names = set(inspect.signature(dream_steps).parameters)
    inputs = {"image", "guide", "mask"}
    assert set(recipe.options) == names - inputs
    assert [item.role for item in recipe.inputs] == ["image"]
    assert recipe.step == 6
    options = {**recipe.options, "image": recipe.inputs[0].path}
    assert torch.equal(dream(**options).image, made.image)


def test_every_step_carries_its_own_recipe(eye: Path, photo: Tensor) -> None:
    steps = list(dream_steps(photo, model=eye, **QUICK))
    assert [step.recipe.step for step in steps if step.recipe] == list(range(1, 7))


def test_the_public_names() -> None:
    assert belamy.dream is dream
    assert inspect.signature(dream).parameters == inspect.signature(dream_steps).parameters
    assert settings_of(DreamOptions()).octaves == 4  # type: ignore[union-attr]
    assert isinstance(Picture(torch.zeros(1, 3, 2, 2)).image, Tensor)
