"""Where a classifier looks: Grad-CAM's formula, its place on the picture, the sheet."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import belamy
from belamy.engines.classify.api import ExplainOptions, classify, explain, explain_steps
from belamy.engines.classify.explain import (
    Explainer,
    _last_with_positions,
    class_activation,
)
from belamy.errors import OptionError, UnknownName, WeightsError
from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.find import list_backbones
from belamy.networks.registry import build_backbone
from belamy.pixels.decor.heat import label_bar, lay_over, paint_heat
from belamy.pixels.images import load_image, resize, save_image

ROOT = Path(__file__).parents[3]
NAMES = ("efficientnet_lite2", "efficientnet_lite0", "iris")


def test_the_formula(eye: Path, photo: Tensor) -> None:
    backbone = load_backbone(eye)
    pixels = resize(photo, (64, 64)).requires_grad_(True)
    seen = backbone(pixels, ["mixed5b", "logits"])
    (gradient,) = torch.autograd.grad(seen["logits"][0, 3], seen["mixed5b"])
    expected = torch.zeros(seen["mixed5b"].shape[-2:])
    for channel in range(gradient.shape[1]):
        expected += gradient[0, channel].mean() * seen["mixed5b"][0, channel].detach()
    expected = expected.clamp_min(0) / expected.max()
    made = class_activation(backbone, pixels, 3, "mixed5b")
    assert (made[0, 0] - expected).abs().max() < 1e-4
    assert float(made.max()) == 1


def test_nothing_that_speaks_for_a_class_is_all_dark(eye: Path) -> None:
    backbone = load_backbone(eye)
    heat = class_activation(backbone, torch.zeros(1, 3, 64, 64), 3, "mixed3a")
    assert heat.isfinite().all()
    assert float(heat.min()) >= 0


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("iris", "mixed5b"),
        ("efficientnet_lite2", "head"),
        ("alexnet", "relu5"),
        ("vgg16", "relu5_3"),
        ("googlenet", "inception5b"),
        ("squeezenet1_1", "relu10"),
        ("resnet50", "layer4.2"),
    ],
)
def test_the_last_layer_with_positions_is_looked_at(name: str, layer: str) -> None:
    with torch.device("meta"):
        network = Backbone(build_backbone(name), name=name, mean=(0, 0, 0), std=(1, 1, 1))
    assert _last_with_positions(network) == layer


def test_the_guess_is_the_classifiers(eye: Path, photo: Tensor) -> None:
    best = classify(photo, model=str(eye))[0]
    found = Explainer(ExplainOptions(model=str(eye)))(photo)
    assert found.guess.name == best.name
    assert found.guess.probability == pytest.approx(best.probability)
    other = Explainer(ExplainOptions(model=str(eye), class_="Thing 7"))(photo)
    assert (other.guess.name, other.guess.index) == ("thing 7", 7)
    assert other.guess.probability == pytest.approx(
        next(one.probability for one in classify(photo, model=str(eye), top=10) if one.index == 7)
    )


@pytest.mark.parametrize("size", [(60, 200), (200, 60), (33, 33)])
def test_the_map_lies_where_the_classifier_looked(eye: Path, size: tuple[int, int]) -> None:
    image = F.interpolate(torch.rand(1, 3, 4, 4), size, mode="bicubic").clamp(0, 1)
    heat = Explainer(ExplainOptions(model=str(eye)))(image).heat
    assert heat.shape == (1, 1, *size)
    side = round(min(size) * 224 / 256)
    top, left = (size[0] - side) // 2, (size[1] - side) // 2
    inside = heat[..., top : top + side, left : left + side]
    assert float(inside.sum()) == pytest.approx(float(heat.sum()))
    assert float(inside.max()) > 0.5


@pytest.mark.parametrize("model", NAMES)
@pytest.mark.parametrize(("top", "left"), [(20, 20), (20, 130), (130, 20), (130, 130)])
def test_a_thing_in_a_corner_is_where_the_network_looks(model: str, top: int, left: int) -> None:
    if model not in list_backbones("auto"):
        pytest.skip(f"{model} is not installed")
    thing = resize(load_image(ROOT / "docs" / "pictures" / "retriever.webp"), (110, 110))
    canvas = torch.full((1, 3, 260, 260), 0.5)
    canvas[..., top : top + 110, left : left + 110] = thing
    found = Explainer(ExplainOptions(model=model, class_="golden retriever"))(canvas)
    row, column = 130 * (top > 50), 130 * (left > 50)
    corner = found.heat[..., row : row + 130, column : column + 130]
    assert float(corner.sum() / found.heat.sum()) > 0.75


def test_the_sheet_can_be_made_again(eye: Path, photo: Tensor, tmp_path: Path) -> None:
    save_image(photo, tmp_path / "in.png")
    made = explain(tmp_path / "in.png", model=str(eye), class_="thing 3")
    height, width = photo.shape[-2:]
    assert made.image.shape[-1] == 2 * width
    assert made.image.shape[-2] > height
    assert (made.image[..., :height, :width] - photo).abs().max() < 2 / 255
    assert made.recipe is not None
    assert made.recipe.engine == "explain"
    again = explain(tmp_path / "in.png", **made.recipe.options)
    assert torch.equal(again.image, made.image)


def test_misuse_is_told(eye: Path, photo: Tensor) -> None:
    with pytest.raises(UnknownName, match="class of iris 'cat'"):
        explain(photo, model=str(eye), class_="cat")
    with pytest.raises(UnknownName, match="'tabby' or 'Persian cat' or 'Egyptian cat'"):
        explain(photo, model="iris", class_="cat")
    with pytest.raises(OptionError, match="no image to explain"):
        list(explain_steps())
    with pytest.raises(WeightsError):
        explain(photo, model="portraits")


def test_public_names() -> None:
    assert belamy.Explainer is Explainer
    assert belamy.explain is explain


def test_heat_grows_lighter_all_along() -> None:
    ramp = torch.linspace(0, 1, 101).view(1, 1, 1, 101)
    light = paint_heat(ramp).mul(torch.tensor([0.2126, 0.7152, 0.0722]).view(1, 3, 1, 1)).sum(1)
    assert bool((light.diff(dim=-1) > 0).all())
    assert paint_heat(torch.full((2, 1, 3, 4), 0.5))[0, :, 0, 0].mul(255).round().tolist() == [
        188, 55, 84,
    ]  # fmt: skip
    assert paint_heat(torch.tensor([[[[-3.0, 7.0]]]])).isfinite().all()


def test_warmth_covers_a_grey_picture() -> None:
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    cold = lay_over(red, torch.zeros(1, 1, 2, 2))
    assert float((cold[:, 0] - cold[:, 1]).abs().max()) < 0.02
    assert lay_over(red, torch.ones(1, 1, 2, 2)).mean() > cold.mean() + 0.3


def test_a_bar_is_as_long_as_it_is_sure() -> None:
    lengths = []
    for share in (0.0, 0.25, 0.5, 1.0):
        bar = label_bar(400, "lion", share)
        middle = bar[0, :, bar.shape[-2] // 2]
        lengths.append(int(((middle[0] > 0.7) & (middle[1] < 0.3)).sum()))
    assert lengths[0] == 0
    assert lengths[1] * 4 == pytest.approx(lengths[3], abs=8)
    assert lengths[2] * 2 == pytest.approx(lengths[3], abs=8)
    assert label_bar(30, "a very long name of a class", 0.5).shape[-1] == 30
