"""What networks that are shown pictures compute in: chosen by the machine, told by the recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from belamy import (
    Picture,
    any_style,
    apply_style,
    classify,
    devices,
    dream,
    gan_paint,
    style,
    translate,
)
from belamy.engines.dream.options import DreamOptions
from belamy.engines.dream.render import Dreamer
from belamy.errors import OptionError
from belamy.networks import speed
from belamy.networks.modules.open_network import choose_model_precision
from belamy.objectives.objective import IMAGE
from belamy.optimise import activations_of
from belamy.renamed import CONFIGS, current_options


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that is quick in bfloat16."""
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    monkeypatch.setattr(devices, "times_bfloat16", lambda: 0.5)
    monkeypatch.setattr(speed, "is_faster_in_bfloat16", lambda work, run: True)


@pytest.fixture(scope="module")
def photo() -> Tensor:
    rng = torch.Generator().manual_seed(0)
    small = torch.rand((1, 3, 9, 12), generator=rng)
    return nn.functional.interpolate(small, size=(72, 96), mode="bicubic").clamp(0, 1)


def dreamt(photo: Tensor, precision: str | None = None) -> Picture:
    options = {} if precision is None else {"precision": precision}
    return dream(photo, model="iris", layer="mixed3a", octaves=1, steps=4, **options)  # type: ignore[arg-type]


def recipe_precision(picture: Picture) -> object:
    assert picture.recipe is not None
    return picture.recipe.options["precision"]


@pytest.mark.usefixtures("fast")
def test_auto_is_bfloat16_on_a_processor_that_is_quick_in_it(photo: Tensor) -> None:
    usual, single = dreamt(photo), dreamt(photo, "float32")
    assert recipe_precision(usual) == "bfloat16"
    assert recipe_precision(single) == "float32"
    assert usual.image.dtype == torch.float32
    assert torch.equal(usual.image, dreamt(photo, "bfloat16").image)
    difference = (usual.image - single.image).abs().mean()
    assert 0 < difference < 0.3 * (single.image - photo).abs().mean()


@pytest.mark.usefixtures("fast")
def test_a_style_takes_it_too(photo: Tensor) -> None:
    settings = {"size": 64, "min_size": 64, "iterations": 6, "model": "iris"}
    usual = style(photo, photo.flip(-1), **settings)  # type: ignore[arg-type]
    assert recipe_precision(usual) == "bfloat16"
    single = style(photo, photo.flip(-1), precision="float32", **settings)  # type: ignore[arg-type]
    assert 0 < (usual.image - single.image).abs().mean() < 0.02


def test_auto_is_float32_elsewhere(photo: Tensor) -> None:
    assert recipe_precision(dreamt(photo)) == "float32"


def test_older_recipes_were_made_in_float32() -> None:
    assert current_options("dream", {"layer": "mixed4b"})["precision"] == "float32"
    assert current_options("style", {"precision": "bfloat16"})["precision"] == "bfloat16"


class Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)  # type: ignore[no-any-return]


@pytest.mark.usefixtures("fast")
def test_somebody_s_own_module_keeps_its_numbers(photo: Tensor) -> None:
    module = Tiny()
    made = dream(photo, model=module, layer="conv", octaves=1, steps=1)
    assert recipe_precision(made) == "float32"
    assert module.conv.weight.dtype == torch.float32
    with pytest.raises(OptionError, match="precision bfloat16 would change"):
        dream(photo, model=module, layer="conv", precision="bfloat16")


@pytest.mark.usefixtures("fast")
def test_the_network_that_is_kept_stays_in_float32(photo: Tensor) -> None:
    dreamt(photo)
    kept = Dreamer(DreamOptions(model="iris", layer="mixed3a", precision="float32")).backbone
    assert {one.dtype for one in kept.parameters()} == {torch.float32}


@pytest.mark.usefixtures("fast")
def test_objectives_see_single_precision(photo: Tensor) -> None:
    backbone = Dreamer(DreamOptions(model="iris", layer="mixed3a")).backbone
    assert {one.dtype for one in backbone.parameters()} == {torch.bfloat16}
    seen = activations_of(backbone, photo, ["mixed3a", IMAGE])
    assert {one.dtype for one in seen.values()} == {torch.float32}


@pytest.mark.usefixtures("fast")
def test_depthwise_networks_stay_in_float32() -> None:
    backbone = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4))
    place = torch.device("cpu")
    found = [
        choose_model_precision("iris", one, "auto", place)  # type: ignore[arg-type]
        for one in (backbone, nn.Sequential(nn.Conv2d(4, 4, 3, groups=1)))
    ]
    assert found == ["float32", "bfloat16"]


ONE_PASS: dict[str, Callable[..., Picture]] = {
    "anystyle": lambda photo, **how: any_style(photo, photo.flip(-1), size=96, strokes=0, **how),
    "faststyle": lambda photo, **how: apply_style(photo, network="starry-night", **how),
    "gan-paint": lambda photo, **how: gan_paint(count=2, **how),
    "translate": lambda photo, **how: translate(photo, network="impressionism", **how),
}


def psnr(one: Tensor, other: Tensor) -> float:
    return -10 * float((one - other).square().mean().log10())


@pytest.mark.parametrize("engine", ONE_PASS)
@pytest.mark.usefixtures("fast")
def test_one_pass_takes_it_where_the_network_gains(engine: str, photo: Tensor) -> None:
    make = ONE_PASS[engine]
    usual, single = make(photo), make(photo, precision="float32")
    assert recipe_precision(usual) == "bfloat16"
    assert recipe_precision(single) == "float32"
    assert usual.image.dtype == torch.float32
    assert torch.equal(usual.image, make(photo, precision="bfloat16").image)
    # of patches that are alike another may be laid
    least = 30 if engine == "anystyle" else 40
    assert least < psnr(usual.image, single.image) < 80


@pytest.mark.parametrize("engine", ONE_PASS)
def test_one_pass_stays_in_float32_where_it_gains_nothing(
    engine: str, photo: Tensor, fast: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speed, "is_faster_in_bfloat16", lambda work, run: False)
    assert recipe_precision(ONE_PASS[engine](photo)) == "float32"


@pytest.mark.parametrize("engine", [*ONE_PASS, "film-faststyle", "film-translate"])
def test_older_pictures_of_one_pass_were_made_in_float32(engine: str) -> None:
    assert current_options(engine, {})["precision"] == "float32"


def test_older_trainings_keep_their_own_way() -> None:
    assert "precision" not in current_options("translate", {}, CONFIGS)


@pytest.mark.usefixtures("fast")
def test_tiles_share_statistics_in_float32() -> None:
    rng = torch.Generator().manual_seed(1)
    small = torch.rand((1, 3, 9, 12), generator=rng)
    image = nn.functional.interpolate(small, size=(216, 288), mode="bicubic").clamp(0, 1)
    how = {"network": "starry-night", "stroke_size": "fixed"}
    whole, tiled = (apply_style(image, tile=tile, **how) for tile in ("none", 256))  # type: ignore[arg-type]
    assert recipe_precision(tiled) == "bfloat16"
    assert psnr(whole.image, tiled.image) > 45


def test_other_programs_compute_in_float32(photo: Tensor) -> None:
    with pytest.raises(OptionError, match="onnxruntime computes in float32"):
        apply_style(photo, network="starry-night", runtime="onnxruntime", precision="bfloat16")


@pytest.mark.usefixtures("fast")
def test_answers_are_float32_s_unless_bfloat16_is_named(photo: Tensor) -> None:
    usual, single = (
        classify(photo, model="iris"),
        classify(photo, model="iris", precision="float32"),
    )
    assert usual == single
    half = classify(photo, model="iris", precision="bfloat16")
    by_name = {guess.name: guess.probability for guess in single}
    assert half != single
    for guess in half[:3]:
        assert guess.probability == pytest.approx(by_name[guess.name], abs=0.02)


def test_a_network_is_tried_once_on_a_machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    assert isinstance(devices.is_faster_in_bfloat16("some work", tried.append), bool)
    assert {"float32", "bfloat16"} == set(tried)
    count = len(tried)
    devices.is_faster_in_bfloat16("some work", tried.append)
    assert len(tried) == count
    devices.is_faster_in_bfloat16("other work", tried.append)
    assert len(tried) == 2 * count


@pytest.mark.parametrize(("ratio", "chosen"), [(0.5, "bfloat16"), (0.95, "float32")])
def test_the_machine_s_own_times_decide(
    ratio: float, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    monkeypatch.setattr(devices, "times_bfloat16", lambda: 0.5)
    clock = {"now": 0.0}
    monkeypatch.setattr(devices.time, "process_time", lambda: clock["now"])

    def run(precision: str) -> None:
        clock["now"] += {"float32": 1.0, "bfloat16": ratio}[precision]

    network, place = nn.Conv2d(3, 4, 3), torch.device("cpu")
    assert speed.choose_pass_precision("auto", place, network, run) == chosen
    assert speed.choose_pass_precision("float32", place, network, run) == "float32"
