"""What `--objective` names: how it is read, what it computes, and that it can be made again."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.dream.api import dream, dream_steps
from belamy.engines.dream.free_canvas import CROP_SIDE, NOISE, SHARES, SMALLEST_CROP
from belamy.engines.dream.objective import DIVERSITY, objective_for, read_target, weighted_classes
from belamy.engines.dream.options import DreamOptions, resolve
from belamy.engines.dream.views import SMOOTHNESS, View, read_view
from belamy.errors import OptionError, UnknownName
from belamy.networks.backbone import load_backbone
from belamy.objectives.comparisons import caricature, diversity, inversion
from belamy.objectives.features import channel, class_score, direction, neuron
from belamy.objectives.priors import squared_variation
from belamy.optimise import activations_of
from belamy.pixels.augment import random_crop
from belamy.pixels.canvas import MacoCanvas
from belamy.pixels.images import save_image

READ = {
    "energy:block14": View("energy", "block14"),
    "channel:block14:7": View("channel", "block14", channel=7),
    "channel:layer3.1:7*-0.5": View("channel", "layer3.1", channel=7, weight=-0.5),
    "neuron:block14:7": View("neuron", "block14", channel=7),
    "neuron:block14:7:3,4*2": View("neuron", "block14", channel=7, position=(3, 4), weight=2.0),
    "class:golden retriever": View("class", "logits", name="golden retriever"),
    "class:tabby*0.3": View("class", "logits", name="tabby", weight=0.3),
    "caricature:block8^4": View("caricature", "block8", power=4.0),
    "caricature:block8^2*0.5": View("caricature", "block8", power=2.0, weight=0.5),
    "inversion:block8": View("inversion", "block8"),
    "diversity:block8*3": View("diversity", "block8", weight=3.0),
    "direction:x:[1, -2.5]^3": View("direction", "x", vector=(1.0, -2.5), power=3.0),
}
QUICK: dict[str, Any] = {"size": 48, "steps": 2}


@pytest.mark.parametrize("text", READ)
def test_texts_are_read_and_written_back(text: str) -> None:
    assert read_view(text) == READ[text]
    assert read_view(str(READ[text])) == READ[text]


@pytest.mark.parametrize(
    "text",
    [
        "", "block14", "neuron", "neuron:", "neuron:block14", "neuron:block14:x", "channel:a:-1",
        "channel:block14:1:2,3", "neuron:a:1:2", "energy:a:b", "inversion:", "teapot:a",
        "caricature:block8^-1", "energy:a*0", "energy:a^2", "class:", "direction:a", "direction:a:",
        "direction:a:[]", "direction:a:[0, 0]", 'direction:a:["x"]', "direction:a:[1e999]",
        "direction:a:[true]", "direction:a:[[1]]", "direction:a:nowhere.npy",
        f"direction:a:[{'9' * 5000}]", f"direction:a:{'[' * 3000}]",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_on_one_line(text: str) -> None:
    with pytest.raises(OptionError) as refused:
        read_view(text)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("name", ["dog.npy", "dog.json", "a*b^2.npy"])
def test_a_direction_is_read_from_a_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if path.suffix == ".npy":
        np.save(path, np.array([[1.0, 2.0]], np.float32))
    else:
        path.write_text("[1, 2]")
    view = read_view(f"direction:x:{path}^2*-1")
    assert view == View("direction", "x", vector=(1.0, 2.0), power=2.0, weight=-1.0)
    assert str(tmp_path) not in str(view)


def test_a_recipe_holds_a_direction_in_single_precision(tmp_path: Path) -> None:
    numbers = torch.randn(5, generator=torch.Generator().manual_seed(1))
    np.save(tmp_path / "x.npy", numbers.numpy())
    view = read_view(f"direction:x:{tmp_path / 'x.npy'}")
    assert torch.equal(torch.tensor(read_view(str(view)).vector), numbers)
    assert len(str(view)) < 5 * 16


def test_a_directions_file_executes_nothing(tmp_path: Path) -> None:
    np.save(tmp_path / "object.npy", np.array([{"a": 1}], dtype=object))
    (tmp_path / "pickle.npy").write_bytes(pickle.dumps([1.0, 2.0]))
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "text.json").write_bytes(b"\xff\xfe[1")
    (tmp_path / "huge.json").write_bytes(b" " * (5 * 2**20))
    for path in tmp_path.iterdir():
        with pytest.raises(OptionError):
            read_view(f"direction:x:{path}")


def objective_of(eye: Path, photo: Tensor, *texts: str, **more: Any) -> tuple[Any, Any]:
    backbone = load_backbone(eye)
    target = read_target((), None, None, texts, **more)
    activations = activations_of(backbone, photo, ["mixed3a", "logits", "image"])
    return objective_for(target, backbone, photo, None), activations


def test_views_are_the_objectives_that_they_name(eye: Path, photo: Tensor) -> None:
    vector = torch.randn(208, generator=torch.Generator().manual_seed(3))
    expected = {
        "channel:mixed3a:5": -channel("mixed3a", 5),
        "neuron:mixed3a:5:1,2*-2": 2 * neuron("mixed3a", 5, 1, 2),
        "class:thing 3": -class_score(3),
        f"direction:mixed3a:{json.dumps(vector.tolist())}^2": -direction("mixed3a", vector, 2),
    }
    for text, same in expected.items():
        made, activations = objective_of(eye, photo, text)
        assert float(made(activations)) == pytest.approx(float(same(activations)), rel=1e-5), text


def test_comparisons_look_at_the_picture(eye: Path, photo: Tensor) -> None:
    backbone = load_backbone(eye)
    own = backbone(photo, ["mixed3a"])["mixed3a"]
    other = activations_of(backbone, photo.flip(-1), ["mixed3a", "image"])
    made, _ = objective_of(eye, photo, "caricature:mixed3a^2")
    assert float(made(other)) == pytest.approx(-float(caricature("mixed3a", own, 2)(other)))
    made, _ = objective_of(eye, photo, "inversion:mixed3a")
    expected = inversion("mixed3a", own) + SMOOTHNESS * squared_variation()
    assert float(made(other)) == pytest.approx(float(expected(other)))


def test_several_pictures_are_kept_apart_in_proportion(eye: Path, photo: Tensor) -> None:
    made, _ = objective_of(eye, photo, "channel:mixed3a:5", several=True)
    both = torch.cat([photo, photo.flip(1)])
    activations = load_backbone(eye)(both, ["mixed3a"])
    shown = -float(channel("mixed3a", 5)(activations))
    apart = float(diversity("mixed3a")(activations))
    assert float(made(activations)) == pytest.approx(shown - DIVERSITY * abs(shown) * apart)


def test_classes_differ_before_the_classifier(eye: Path, photo: Tensor) -> None:
    target = read_target((), "thing 3", None, several=True)
    made = objective_for(target, load_backbone(eye), photo, None)
    assert made.layers == {"logits", "mixed5b"}


def test_channels_and_lengths_that_are_not_there(eye: Path, photo: Tensor) -> None:
    for text, message in (
        ("channel:mixed3a:208", "no channel 208; it has 0 to 207"),
        ("neuron:mixed3a:208", "no channel 208"),
        ("neuron:logits:1", "no positions; name channel:logits:NUMBER"),
        ("direction:mixed3a:[1, 2]", "2 numbers, but 'mixed3a' has 208 channels"),
    ):
        with pytest.raises(OptionError, match=message):
            objective_of(eye, photo, text)


def test_classes_take_weights(eye: Path, photo: Tensor) -> None:
    backbone = load_backbone(eye)
    assert weighted_classes(backbone, "thing 3*0.7, thing 1") == [(3, 0.7), (1, 1.0)]
    assert weighted_classes(backbone, "Thing 3:-0.5") == [(3, -0.5)]
    target = read_target((), ["thing 3*0.7", "thing 1*0.3"], None)
    activations = backbone(photo, ["logits"])
    score = float(objective_for(target, backbone, photo, None)(activations))
    logits = activations["logits"][0]
    assert score == pytest.approx(-0.7 * float(logits[3]) - 0.3 * float(logits[1]), rel=1e-4)
    with pytest.raises(OptionError, match="weight 0"):
        weighted_classes(backbone, "thing 3*0")
    with pytest.raises(UnknownName):
        weighted_classes(backbone, " , ")


def test_an_everyday_word_is_refused_with_the_classes_that_it_may_mean() -> None:
    backbone = load_backbone("iris", layers=["logits"])
    with pytest.raises(UnknownName, match="'tabby' or 'Persian cat' or 'Egyptian cat'"):
        weighted_classes(backbone, "cat")


def test_a_class_with_a_comma_in_its_name(eye: Path) -> None:
    backbone = load_backbone(eye)
    backbone.classes = ("cat, tabby", *backbone.classes[1:])
    assert weighted_classes(backbone, "Cat, tabby") == [(0, 1.0)]


def test_a_sheet_and_a_row(eye: Path) -> None:
    sheet = dream(model=eye, objective="channel:mixed3a:5", pictures=3, **QUICK)
    row = dream(model=eye, objective="channel:mixed3a:5", towards="neuron:mixed3a:6", **QUICK)
    assert sheet.image.shape[-1] < 3 * 48 < sheet.image.shape[-2] + 48  # two by two
    assert row.image.shape[-1] > 5 * 48
    assert row.image.shape[-2] < 2 * 48
    for made in (sheet, row):
        assert made.recipe is not None
        again = dream(**made.recipe.options)
        assert torch.equal(again.image, made.image)


@pytest.mark.parametrize("kind", ["caricature", "inversion"])
def test_a_comparison_starts_from_noise_and_comes_nearer(
    eye: Path, photo: Tensor, kind: str, tmp_path: Path
) -> None:
    save_image(photo, tmp_path / "photo.png")
    options: dict[str, Any] = {"model": eye, "objective": f"{kind}:mixed3a"}
    steps = list(dream_steps(tmp_path / "photo.png", **options, steps=12))
    losses = [next(iter(step.losses.values())) for step in steps]
    assert losses[-1] < losses[0] - 0.02 * abs(losses[0])
    assert steps[0].image.std() < 0.1  # noise, not the photo
    recipe = steps[-1].recipe
    assert recipe is not None
    assert (recipe.options["canvas"], recipe.options["from_"]) == ("fourier", "noise")
    again = dream(tmp_path / "photo.png", **recipe.options)
    assert torch.equal(again.image, steps[-1].image)


def test_a_caricature_may_start_from_the_picture(eye: Path, photo: Tensor) -> None:
    options: dict[str, Any] = {"model": eye, "objective": "caricature:mixed3a", "from_": "image"}
    made = dream(photo, **options, steps=1, step_size=1e-6).image
    assert (made - photo).abs().mean() < 0.01


def test_a_maco_dream_fits_crops(eye: Path) -> None:
    canvas = MacoCanvas.from_noise(128, 128, make_rng(7, "canvas"))
    optimizer = torch.optim.Adam(canvas.parameters(), lr=0.3)
    backbone = load_backbone(eye, layers=["logits"])
    side = max(SMALLEST_CROP, round(CROP_SIDE * backbone.side))
    crop = random_crop(SHARES, side, NOISE)
    optimizer.zero_grad()
    image = canvas()
    image.retain_grad()
    crops = [crop(image, make_rng(7, "changes", *place)) for place in ((0,), (0, 1))]
    torch.stack([-backbone(one, ["logits"])["logits"][0, 3] for one in crops]).mean().backward()
    optimizer.step()
    made = dream(
        model=eye, class_="thing 3", canvas="maco", size=128, steps=1, seed=7, transparent=True
    )
    with torch.no_grad():
        assert (made.image - canvas()).abs().mean() < 1e-3  # Adam's first step is a sign
    assert made.alpha is not None
    assert image.grad is not None
    strong = image.grad.abs().mean(dim=1, keepdim=True)
    near = made.alpha > 0.9
    assert float(strong[near].mean()) > 3 * float(strong[made.alpha < 0.1].mean())


@pytest.mark.parametrize(
    ("options", "augment"),
    [
        ({"class_": "thing 3"}, "crops"),
        ({"layer": "mixed3a"}, "jitter"),
        ({"layer": "mixed3a", "canvas": "maco"}, "crops"),
        ({"layer": "mixed3a", "augment": "crops"}, "crops"),
        ({"objective": "neuron:mixed5b:3"}, "crops"),
        ({"objective": "neuron:mixed5b:3:0,0"}, "jitter"),
        ({"class_": "thing 3", "augment": "jitter"}, "jitter"),
        ({"layer": "mixed3a", "canvas": "pixels", "octaves": 1}, None),
    ],
)
def test_what_a_step_looks_at(eye: Path, options: dict[str, Any], augment: str | None) -> None:
    made = dream(model=eye, **options, **{**QUICK, "steps": 1})
    assert made.recipe is not None
    assert made.recipe.options["augment"] == augment
    again = dream(**made.recipe.options)
    assert torch.equal(again.image, made.image)


def test_a_drawing_that_is_not_changed_keeps_photos_magnitudes(eye: Path) -> None:
    made = dream(model=eye, layer="mixed3a", canvas="maco", **QUICK)
    assert 0.1 < float(made.image.std()) < 0.35


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": "caricature:mixed3a"}, "is of a picture; give one"),
        ({"image": 1, "objective": "inversion:mixed3a", "canvas": "pixels"}, "fourier or maco"),
        ({"image": 1, "transparent": True}, "transparent needs a canvas"),
        ({"image": 1, "pictures": 2, "canvas": "fourier"}, "start from noise"),
        ({"image": 1, "pictures": 2}, "start from noise"),
        ({"pictures": 2, "canvas": "pixels"}, "sheet of pictures needs a canvas"),
        ({"pictures": 2, "transparent": True}, "cannot be transparent"),
        ({"pictures": 1, "towards": "energy:mixed3a"}, "two or more"),
        ({"image": 1, "from_": "noise"}, "give one of the two"),
        ({"from_": "image"}, "give one of the two"),
        ({"image": 1, "augment": "crops"}, "augment crops needs a canvas"),
        ({"canvas": "maco", "tile": 64}, "maco canvas cannot be tiled"),
        ({"canvas": "maco", "octaves": 3}, "no meaning on a maco canvas"),
    ],
)
def test_options_that_exclude_each_other(options: dict[str, Any], message: str) -> None:
    if "image" in options:
        options = {**options, "image": torch.rand(1, 3, 16, 16)}
    with pytest.raises(OptionError, match=message):
        resolve(DreamOptions(**options))


@pytest.mark.parametrize(
    ("options", "canvas"),
    [
        ({}, "pixels"),
        ({"class_": "tabby"}, "fourier"),
        ({"class_": ["tabby*0.5", "lynx"], "steps": 9}, "fourier"),
        ({"class_": "tabby", "layer": "block14"}, "pixels"),
        ({"class_": "tabby", "objective": "energy:block14"}, "pixels"),
        ({"class_": "tabby", "octaves": 3}, "pixels"),
        ({"class_": "tabby", "smooth": "none"}, "pixels"),
        ({"class_": "tabby", "tile": 128}, "pixels"),
        ({"class_": "tabby", "guide": torch.zeros(1, 3, 8, 8)}, "pixels"),
        ({"class_": "tabby", "canvas": "pixels"}, "pixels"),
        ({"objective": "caricature:block8"}, "fourier"),
    ],
)
def test_the_canvas_that_suits(options: dict[str, Any], canvas: str) -> None:
    settled = resolve(DreamOptions(torch.rand(1, 3, 16, 16), **options))
    assert settled.canvas == canvas


def test_a_row_leads_from_somewhere(eye: Path) -> None:
    with pytest.raises(OptionError, match="nothing to go from"):
        dream(model=eye, objective="diversity:mixed3a", towards="energy:mixed3a", **QUICK)
