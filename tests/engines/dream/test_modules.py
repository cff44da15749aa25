"""Networks that nobody published dream and paint, through the public functions, as belamy's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.networks.modules.made_up import Last, Pyramid, Transformer, make
from torch import Tensor, nn
from typer.testing import CliRunner

import belamy
from belamy.cli import app
from belamy.engines.dream.options import DreamOptions
from belamy.errors import BelamyError, OptionError, RecipeError, UnknownName
from belamy.networks.modules.torch_network import hash_state

LAYERS: dict[type[nn.Module], str] = {Pyramid: "layer.1", Last: "blocks.1", Transformer: "block2"}


def dream(image: Tensor, model: nn.Module, layer: Any, **options: Any) -> Any:
    settings = {"octaves": 1, "steps": 2, "jitter": 4, "device": "cpu", **options}
    return belamy.dream(image, model=model, layer=layer, **settings)


@pytest.mark.parametrize("kind", LAYERS)
def test_a_stranger_dreams(kind: type[nn.Module], photo: Tensor, tmp_path: Path) -> None:
    module, layer = make(kind).train(), LAYERS[kind]
    dreamt = dream(photo, module, layer, octaves=2)
    assert dreamt.image.shape == photo.shape
    assert 1e-3 < float((dreamt.image - photo).abs().mean()) < 0.1
    again = dream(photo, make(kind), [layer], octaves=2)
    torch.testing.assert_close(again.image, dreamt.image, rtol=0, atol=0)
    assert module.training
    recipe = dreamt.recipe
    assert recipe.weights == {kind.__name__: hash_state(module)}
    assert recipe.options["layer"] == [layer]
    assert recipe.options["model"].startswith(f"module {kind.__module__}.{kind.__qualname__}, mean")
    dreamt.save(tmp_path / "dreamt.png")
    assert belamy.read_recipe(tmp_path / "dreamt.png") == recipe


@pytest.mark.parametrize("kind", LAYERS)
def test_a_dream_goes_up_its_layer(kind: type[nn.Module], photo: Tensor) -> None:
    module, layer = make(kind), LAYERS[kind]
    steps = list(
        belamy.dream_steps(
            photo, model=module, layer=layer, octaves=1, steps=8, jitter=0, smooth="none"
        )
    )
    values = [value for step in steps for value in step.losses.values()]
    assert values[-1] < values[0] < 0
    assert "ImageNet's mean and deviation" in steps[0].note
    assert steps[1].note == ""


@pytest.mark.parametrize("kind", LAYERS)
def test_a_stranger_dreams_in_tiles(kind: type[nn.Module]) -> None:
    image = torch.rand(1, 3, 150, 190, generator=torch.Generator().manual_seed(0))
    module, layer = make(kind), LAYERS[kind]
    whole = dream(image, module, layer, tile="none", steps=1, smooth="none")
    tiled = dream(image, module, layer, tile=136, steps=1, smooth="none")
    assert (whole.recipe.options["tile"], tiled.recipe.options["tile"]) == ("none", 136)
    near = float((whole.image - tiled.image).abs().mean())
    assert near < 0.3 * float((whole.image - image).abs().mean()) or kind is Transformer
    assert float((tiled.image - image).abs().mean()) > 1e-3


def test_channels_classes_noise_and_objectives(photo: Tensor) -> None:
    module = make(Transformer)
    assert dream(photo, module, "block1:3*0.5").recipe.options["layer"] == ["block1:3*0.5"]
    with pytest.raises(OptionError, match="no channel 12; it has 0 to 11"):
        dream(photo, module, "block1:12")
    guided = dream(photo, module, "block1", guide=photo.flip(-1))
    assert guided.image.shape == photo.shape
    strong = dream(photo, module, "block1", channels="strongest:3")
    assert strong.image.shape == photo.shape
    noise = belamy.dream(model=module, layer="block2", size=32, steps=2, device="cpu")
    assert noise.image.shape[-1] == 32

    @belamy.objective("block1", "output")
    def contrast(features: Tensor, output: Tensor) -> Tensor:
        return -features.std() - output.mean()

    assert dream(photo, module, contrast).recipe.options["layer"] == ["objective contrast"]
    named = belamy.TorchNetwork(module, classes=[f"thing {n}" for n in range(7)])
    settings = {"octaves": 1, "steps": 1, "device": "cpu"}
    third = belamy.dream(photo, model=named, class_="thing 3", **settings)  # type: ignore[arg-type]
    by_number = belamy.dream(photo, model=module, class_="3", **settings)  # type: ignore[arg-type]
    assert third.image.equal(by_number.image)
    few = belamy.TorchNetwork(module, classes=("a", "b"))
    with pytest.raises(OptionError, match="tells 7 classes apart, and 2 are named"):
        belamy.dream(photo, model=few, class_="a", **settings)  # type: ignore[arg-type]


def test_pictures_made_together_differ_where_a_module_has_places() -> None:
    named = belamy.TorchNetwork(make(Transformer))
    sheet = belamy.dream(model=named, class_="1", pictures=2, size=32, steps=2, device="cpu")
    assert sheet.image.isfinite().all()


def test_how_pictures_are_shown_is_in_the_recipe(photo: Tensor) -> None:
    own = belamy.TorchNetwork(make(Pyramid), value_range=(-1, 1))
    recipe = dream(photo, own, "layer").recipe  # type: ignore[arg-type]
    assert recipe.options["model"].endswith("mean 0.5 0.5 0.5, std 0.5 0.5 0.5")


def test_what_a_stranger_cannot_do_is_said(photo: Tensor) -> None:
    with pytest.raises(OptionError, match=r"Pyramid has no favourite layer.*layer: it has stem, n"):
        belamy.dream(photo, model=make(Pyramid))
    with pytest.raises(UnknownName, match=r"did you mean 'layer\.1'"):
        dream(photo, make(Pyramid), "layer1")
    with pytest.raises(OptionError, match="model is a int; it must be"):
        dream(photo, 5, "layer")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="takes no colour picture"):
        dream(photo, nn.Sequential(nn.Linear(4, 4)), "0")


def test_what_has_no_convolution_dreams_where_it_has_places(photo: Tensor) -> None:
    """A network of neurons alone gives no grid; but one that pools does."""
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4), nn.ReLU())
    given = belamy.TorchNetwork(flat, side=32)
    deep = belamy.dream(photo, model=given, layer="1:2", octaves=1, steps=1, device="cpu")
    assert deep.image.shape == photo.shape
    dream(photo, nn.Sequential(nn.AvgPool2d(4), nn.Tanh()), "1")


def test_replay_needs_the_module(photo: Tensor, tmp_path: Path) -> None:
    picture = tmp_path / "dreamt.png"
    belamy.save_image(photo, tmp_path / "photo.png")
    dream(tmp_path / "photo.png", make(Last), "blocks.0").save(picture)  # type: ignore[arg-type]
    result = CliRunner().invoke(app, ["replay", str(picture), "-o", str(tmp_path / "again.png")])
    assert result.exit_code == 1
    said = result.output.strip().splitlines()[-1]
    assert "a module of somebody's own" in said
    assert "model=module" in said
    with pytest.raises(RecipeError):
        belamy.dream(photo, model=belamy.read_recipe(picture).options["model"], layer="blocks.0")


@pytest.mark.parametrize("kind", LAYERS)
def test_a_stranger_paints(kind: type[nn.Module], photo: Tensor) -> None:
    layer, settings = LAYERS[kind], {"size": 48, "iterations": 2, "device": "cpu"}
    layers: dict[str, Any] = {"content_layer": layer, "style_layer": [layer]}
    painted = belamy.style(photo, photo.flip(1), model=make(kind), **layers, **settings)  # type: ignore[arg-type]
    assert float((painted.image - photo[..., :1, :1]).abs().mean()) > 0
    assert painted.recipe is not None
    assert str(painted.recipe.options["model"]).startswith("module ")
    with pytest.raises(OptionError, match="no favourite layer; name one with content-layer"):
        belamy.style(photo, photo, model=make(kind), **settings)  # type: ignore[arg-type]


def test_painting_in_tiles_is_exact_or_refused(photo: Tensor) -> None:
    def paint(module: nn.Module, layer: str, tile: Any) -> Tensor:
        return belamy.style(
            torch.cat([photo, photo.flip(-1)], dim=-1),
            photo.flip(1),
            model=module,
            content_layer=layer,
            style_layer=layer,
            size=160,
            min_size=160,
            iterations=2,
            tile=tile,
            device="cpu",
        ).image

    whole, tiled = (paint(make(Pyramid), "layer.1", tile) for tile in ("none", 96))
    torch.testing.assert_close(tiled, whole, rtol=0, atol=2e-3)
    with pytest.raises(OptionError, match="sees the whole picture"):
        paint(make(Transformer), "block1", 96)


def test_options_still_refuse_what_is_no_model() -> None:
    with pytest.raises(BelamyError):
        belamy.Dreamer(DreamOptions(model=None, layer="x"))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", LAYERS)
def test_an_atlas_of_a_strangers_layers(kind: type[nn.Module]) -> None:
    steps = [*belamy.atlas_steps(make(kind), size=32, steps=1, device="cpu")]
    recipe = steps[-1].recipe
    assert recipe is not None
    assert str(recipe.options["model"]).startswith("module ")
    assert len(steps) >= 3
    channels = [
        *belamy.atlas_steps(
            make(kind), layer=LAYERS[kind], channels=2, size=32, steps=1, device="cpu"
        )
    ]
    assert len(channels) == 2
    with pytest.raises(UnknownName, match=f"layer of {kind.__name__} 'nothing'"):
        belamy.atlas(make(kind), layer="nothing", size=32, steps=1, device="cpu")
