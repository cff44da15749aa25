"""Tiles equal the whole: statistics, losses and gradient, on networks that pad and that do not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from belamy.devices import choose_device, make_rng
from belamy.engines.style.api import style, style_steps
from belamy.engines.style.gradient import (
    FeatureExtractor,
    LossTerm,
    features_by_tile,
    style_gradient,
)
from belamy.engines.style.network import TILING, set_pooling_and_padding
from belamy.engines.style.targets import Region, StyleImage, loss_terms
from belamy.engines.tiling import choose_tiling
from belamy.networks.architecture import StyleLayers
from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.backbones.iris import initialise
from belamy.networks.registry import NETWORKS
from belamy.objectives.statistics import Window, content_loss, moment_statistics
from belamy.objectives.style_losses import STYLE_LOSSES, moments_of
from belamy.optimise import Tiling

# A network that pads everywhere, one that never pads and rounds its pools up, one that rounds down.
LAYERS = {
    "iris": ("conv1", "mixed3a"),
    "squeezenet1_0": ("relu1", "fire3", "fire5"),
    "vgg19": ("relu1_1", "relu2_1", "relu3_1"),
}


def network(name: str, layers: Sequence[str]) -> Backbone:
    """Seeded, never trained, in double precision."""
    module: Any = NETWORKS[name].build(**({"hidden": 8} if name == "vgg19" else {}))
    initialise(module, make_rng(0, name))
    plain = {"mean": (0.5, 0.5, 0.5), "std": (0.3, 0.3, 0.3)}
    return set_pooling_and_padding(
        Backbone(module, name=name, layers=layers, **plain), None, "float32"
    ).double()


def picture(seed: int, height: int, width: int) -> Tensor:
    torch.manual_seed(seed)
    rough = torch.rand(1, 3, height + 2, width + 2, dtype=torch.float64)
    return torch.nn.functional.avg_pool2d(rough, 3, stride=1)  # (1, 3, height, width)


def terms(
    extractor: FeatureExtractor, layers: Sequence[str], image: Tensor, masked: bool
) -> list[LossTerm]:
    shown = extractor.features(image.flip(-1), layers)
    painting = extractor.features(picture(1, 61, 75), layers)
    places = picture(2, *shown[layers[1]].shape[-2:])[0, 0] if masked else None
    parts = [
        LossTerm(name, 1.0, loss(layers[1], moments_of(painting[layers[1]]), places))
        for name, loss in STYLE_LOSSES.items()
    ]
    return [*parts, LossTerm("content", 1.0, content_loss(layers[-1], shown[layers[-1]]))]


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("masked", [False, True])
def test_tiles_equal_the_whole(name: str, masked: bool) -> None:
    layers, image = LAYERS[name], picture(0, 150, 207)
    backbone = network(name, layers)
    least = choose_tiling(TILING, "none", backbone, layers, image)
    assert least is None
    tiling = choose_tiling(TILING, 200 if name == "vgg19" else 176, backbone, layers, image)
    assert tiling is not None
    whole, tiles = (
        FeatureExtractor(backbone),
        FeatureExtractor(backbone, Tiling(132, tiling.margin, tiling.align)),
    )
    wanted = terms(whole, layers, image, masked)
    gradient, losses = style_gradient(whole, wanted, image, (0, 0))
    for offset in ((0, 0),) if masked else ((13, 29),):
        assert len(tiles.tiles(image, offset)) > 1
        parted, found = style_gradient(tiles, wanted, image, offset)
        assert found == pytest.approx(losses, rel=1e-6)
        assert (parted - gradient).abs().max() < 1e-6 * gradient.abs().max()


@pytest.mark.parametrize("name", LAYERS)
def test_what_tiles_see_covers_every_place_once(name: str) -> None:
    layers, image = LAYERS[name], picture(0, 150, 207)
    backbone = network(name, layers)
    whole = FeatureExtractor(backbone).features(image, layers)
    tiling = choose_tiling(TILING, 200, backbone, layers, image)
    assert tiling is not None
    found = {layer: torch.full_like(x, torch.nan) for layer, x in whole.items()}
    sums: dict[str, Tensor] = {}
    for features, layer, window in features_by_tile(
        FeatureExtractor(backbone, tiling), image, layers
    ):
        assert window.of(found[layer]).isnan().all()
        window.of(found[layer])[...] = features
        second = moment_statistics(features, window)[1]
        sums[layer] = second + sums[layer] if layer in sums else second
    for layer, features in whole.items():
        assert torch.allclose(found[layer], features)
        exact = moment_statistics(features, Window.whole(features))[1]
        assert torch.allclose(sums[layer], exact)


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("vgg19", ("relu1_1", "relu2_1")),
        ("iris", ("conv1.conv", "mixed3a.branch3.0", "mixed3a")),  # within a stage, and its end
        ("resnet50", ("layer1.0.bn3", "layer1.0", "layer1.1")),  # a gradient that goes two ways
    ],
)
@pytest.mark.parametrize("height", [40, 37])
def test_the_gradient_is_that_of_autograd(name: str, layers: Sequence[str], height: int) -> None:
    image = picture(0, height, 48)
    extractor = FeatureExtractor(network(name, layers))
    shown, painting = (
        extractor.features(image.flip(-1), layers),
        extractor.features(picture(1, 50, 44), layers),
    )
    parts = [
        LossTerm("style", 2.0, STYLE_LOSSES["moments"](x, moments_of(painting[x]))) for x in layers
    ]
    parts += [LossTerm("content", 3.0, content_loss(x, shown[x])) for x in layers]
    gradient, losses = style_gradient(extractor, parts, image, (0, 0))
    pixels = image.clone().requires_grad_(True)
    features = extractor.features(pixels, layers)
    scores = [part.weight * part.loss.objective(features) for part in parts]
    (expected,) = torch.autograd.grad(torch.stack(scores).sum(), pixels)
    assert torch.allclose(gradient, expected, rtol=1e-6, atol=1e-9 * float(expected.abs().max()))
    style_scores = torch.stack(scores[: len(layers)]).detach()
    assert losses["style"] == pytest.approx(float(style_scores.sum()))


def test_one_layer_by_two_names_is_both() -> None:
    image, layers = picture(0, 20, 24), ("relu1_1", "features.1")
    extractor = FeatureExtractor(network("vgg19", ("relu1_1",)))
    shown = extractor.features(image.flip(-1), layers)
    parts = [LossTerm("content", 1.0, content_loss(name, shown["relu1_1"])) for name in layers]
    once, twice = (style_gradient(extractor, parts[:n], image, (0, 0))[0] for n in (1, 2))
    assert torch.allclose(twice, 2 * once)


def test_a_scaled_gradient_is_the_same() -> None:
    layers, image = LAYERS["iris"], picture(0, 40, 50)
    extractor = FeatureExtractor(network("iris", layers))
    wanted = terms(extractor, layers, image, masked=False)
    plain, scaled = (
        style_gradient(extractor, wanted, image, (0, 0), scale)[0] for scale in (1, 2048)
    )
    assert torch.allclose(plain, scaled)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("size", [(1, 90), (3, 2), (1, 1)])
def test_pictures_smaller_than_the_network_wants(name: str, size: tuple[int, int]) -> None:
    layers, image = LAYERS[name], picture(0, *size)
    extractor = FeatureExtractor(network(name, layers))
    chosen = StyleLayers({layers[-1]: 1}, dict.fromkeys(layers, 1), 1.0, 0.0)
    regions = [Region((StyleImage(picture(1, 30, 30), None, 1.0),), torch.ones(1, 1, *size))]
    gradient, losses = style_gradient(
        extractor, loss_terms(extractor, chosen, "moments", image, regions), image, (0, 0)
    )
    assert gradient.shape == image.shape
    assert gradient.isfinite().all()
    assert losses["content"] < 1e-12 < losses["style"]


def test_a_tiled_painting_is_nearly_the_whole_one(eye: Path, photo: Tensor) -> None:
    """Where a gradient is nearly zero, Adam makes whole steps of its rounding: in few places."""
    settings: dict[str, Any] = {
        "size": 200, "min_size": 200, "iterations": 3, "style_layer": "conv1",
        "content_layer": "conv2a",
    }  # fmt: skip
    painting = picture(1, 40, 50).float()
    whole, tiled = (
        style(photo, painting, model=eye, tile=tile, **settings) for tile in ("none", 96)
    )
    assert (whole.image - tiled.image).abs().mean() < 1e-3
    assert tiled.recipe is not None
    assert tiled.recipe.options["tile"] == 96


def test_auto_tiles_when_memory_is_short(eye: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from belamy.engines import tiling as tilings

    layers, image = ["mixed3a"], torch.zeros(1, 3, 700, 700)
    backbone = load_backbone(eye, layers=layers, device=choose_device("cpu"))
    assert choose_tiling(TILING, "auto", backbone, layers, image) is None
    monkeypatch.setattr(tilings, "available_memory", lambda device: 1 << 20)
    tiling = choose_tiling(TILING, "auto", backbone, layers, image)
    assert tiling is not None
    assert tiling.tile < 700


def test_the_places_of_tiles_move(
    eye: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from belamy.engines.style import render

    offsets = []
    exact = render.style_gradient

    def noted(
        extractor: FeatureExtractor, parts: Any, image: Tensor, offset: Any, scale: float
    ) -> Any:
        offsets.append(offset)
        return exact(extractor, parts, image, offset, scale)

    monkeypatch.setattr(render, "style_gradient", noted)
    steps = style_steps(
        photo, photo, model=eye, tile=96, size=128, min_size=128, iterations=3,
        style_layer="conv1", content_layer="conv2a",
    )  # fmt: skip
    assert len(list(steps)) == len(set(offsets)) == 3
