"""What dreams and styles compute in: chosen by the machine, written into the recipe."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from belamy import Picture, devices, dream, style
from belamy.engines.dream.options import DreamOptions
from belamy.engines.dream.render import Dreamer
from belamy.errors import OptionError
from belamy.networks.modules.open_network import choose_model_precision
from belamy.objectives.objective import IMAGE
from belamy.optimise import activations_of
from belamy.renamed import current_options


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that is quick in bfloat16."""
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    monkeypatch.setattr(devices, "times_bfloat16", lambda: 0.5)


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
