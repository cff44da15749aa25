"""What the choices of a style transfer stand for, and what is filled in where none is made."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from tests.engines.style.plain_case import CONTENT, NAMES, PAINTINGS, PLAIN, STYLE, noise
from torch import Tensor

import belamy
from belamy.checks import option_types, range_of
from belamy.devices import make_rng
from belamy.engines import tiling as tilings
from belamy.engines.film.film_options import StyleFilmOptions
from belamy.engines.style import options as style_options
from belamy.engines.style.api import StyleOptions, style
from belamy.engines.style.initial import STARTS
from belamy.engines.style.network import POOLINGS, TILING
from belamy.engines.style.optimizers import OPTIMIZERS
from belamy.engines.style.options import PRESETS, iterations_of, resolve, step_size_of
from belamy.engines.style.render import Stylist
from belamy.engines.style.targets import choose_layers
from belamy.networks.backbone import load_backbone
from belamy.networks.registry import NETWORKS
from belamy.objectives.statistics import content_loss
from belamy.objectives.style_losses import STYLE_LOSSES


def test_pooling_stands_for_the_maximum() -> None:
    x = torch.rand((1, 2, 4, 6), generator=make_rng(0, "pool"))
    largest = torch.nn.MaxPool2d(2)
    blocks = x.unfold(2, 2, 2).unfold(3, 2, 2).flatten(-2)
    torch.testing.assert_close(POOLINGS["average"](largest)(x), 2 * blocks.mean(dim=-1))
    root = blocks.square().mean(dim=-1).sqrt()
    torch.testing.assert_close(POOLINGS["l2"](largest)(x), 1.56 * root)
    assert torch.equal(POOLINGS["max"](largest)(x), blocks.amax(dim=-1))


def test_every_choice_has_its_row() -> None:
    types = option_types(StyleOptions)
    for name, table in (
        ("preset", PRESETS),
        ("style_loss", STYLE_LOSSES),
        ("optimizer", OPTIMIZERS),
        ("pooling", POOLINGS),
    ):
        words = [get_args(part) for part in (types[name], *get_args(types[name])) if get_args(part)]
        assert set(table) in [set(some) for some in words], name
    assert set(style_options.INITS) == set(STARTS)
    assert set(style_options.STEP_SIZES) == set(OPTIMIZERS)
    allowed = range_of(types["content_weight"])
    assert allowed is not None
    assert allowed.low == 0


def test_what_is_left_open_is_the_presets_and_the_optimizers() -> None:
    plain = StyleOptions("a.png", "b.png")
    adam = replace(plain, optimizer="adam")  # whose steps are those of every older picture
    wanted = {"sketch": (256, (80, 40)), "standard": (512, (200, 100)), "fine": (512, (600, 300))}
    for name, (size, iterations) in wanted.items():
        options = resolve(replace(adam, preset=name))  # type: ignore[arg-type]
        assert options.size is None  # the content's own, but at most the preset's
        assert (PRESETS[name].size, iterations_of(options)) == (size, iterations)
        fewer = iterations_of(replace(plain, preset=name))  # type: ignore[arg-type]
        assert fewer[0] < iterations[0]
        assert fewer[1] < iterations[1]
    assert resolve(plain).optimizer == "pyramid-lbfgs"
    assert resolve(StyleFilmOptions("a.mp4", "b.png")).optimizer == "adam"
    assert step_size_of(adam) == 0.02
    assert step_size_of(replace(plain, optimizer="lbfgs")) == 1.0
    own = resolve(replace(plain, size="064+", iterations="7", step_size=0.3, style_weight=2))
    assert (own.size, own.iterations, own.step_size) == ("64+", "7,7", 0.3)
    assert own.style_weight == [2.0]
    assert iterations_of(replace(plain, iterations="9, 4")) == (9, 4)


def test_layers_and_weights_are_the_networks_or_as_asked(eye: Path) -> None:
    iris = NETWORKS["iris"].layers.style
    plain = StyleOptions("a.png", "b.png", model=eye)
    assert choose_layers(plain) == iris
    own = choose_layers(replace(plain, content_weight=0.0, tv=0.0, **NAMES))
    assert (own.content, own.style) == (CONTENT, STYLE)
    assert (own.content_weight, own.tv) == (0.0, 0.0)
    vgg = choose_layers(replace(plain, model="vgg19"))
    assert not vgg.normalized
    assert vgg.style["relu1_1"] == 256


def test_one_that_loaded_once_paints_as_one_that_loads_each_time(eye: Path, photo: Tensor) -> None:
    options = StyleOptions(photo, PAINTINGS[0], model=eye, **{**PLAIN, "tile": "auto"})
    stylist = belamy.Stylist(options)
    assert isinstance(stylist, Stylist)
    for content in (photo, photo.flip(-1)):
        made = stylist(content)
        wanted = style(content, PAINTINGS[0], model=eye, **{**PLAIN, "tile": "auto"})
        assert torch.equal(made.image, wanted.image)
    assert torch.equal(stylist().image, stylist(photo).image)


def test_the_margin_of_tiles_is_half_of_what_is_seen_and_two_strides(eye: Path) -> None:
    layers = ["conv1", "mixed3a"]
    backbone = load_backbone(eye, layers=layers)
    fields = [backbone.layers[name].receptive_field for name in layers]
    strides = [backbone.layers[name].stride for name in layers]
    stride, field = max(filter(None, strides)), max(filter(None, fields))
    margin = (math.ceil(field / 2 / stride) + 2) * stride
    image = torch.zeros(1, 3, 900, 900)
    tiling = tilings.choose_tiling(TILING, 512, backbone, layers, image)
    assert tiling is not None
    assert (tiling.tile, tiling.margin, tiling.align) == (512, margin, stride)


def test_auto_tiles_by_free_memory(eye: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = ["conv1"]
    backbone = load_backbone(eye, layers=layers)
    image = torch.zeros(1, 3, 1000, 1000)
    free = 100_000_000.0
    monkeypatch.setattr(tilings, "available_memory", lambda device: free)
    cost = tilings.bytes_per_pixel(backbone, layers)

    def tile_at(price: float | None) -> int | None:
        tiling = tilings.choose_tiling(TILING, "auto", backbone, layers, image, price)
        return tiling and tiling.tile

    sides = [tile_at(cost), tile_at(4 * cost)]
    side = math.sqrt(0.5 * free / cost)
    assert sides[0] is not None
    assert sides[0] == pytest.approx(min(side, 768), abs=9)
    assert sides[1] == pytest.approx(side / 2, abs=9)
    assert tile_at(None) == sides[0]


def test_the_memory_of_a_pixel_is_its_activations_and_half_as_much() -> None:
    """VGG's first convolution and its ReLU: 64 channels of 4 bytes each."""
    from belamy.networks.backbone import Backbone
    from belamy.networks.backbones.alexnet_vgg import build_vgg

    colours: dict[str, Any] = {"mean": (0.5, 0.5, 0.5), "std": (0.3, 0.3, 0.3)}
    backbone = Backbone(build_vgg(16)(hidden=8), name="vgg16", layers=["relu1_1"], **colours)
    assert tilings.bytes_per_pixel(backbone, ["relu1_1"]) == 1.5 * 2 * 64 * 4


def test_content_is_a_mean_of_squares() -> None:
    target, features = noise(4, 5, 1), noise(4, 5, 2)
    value = content_loss("x", target).objective({"x": features})
    torch.testing.assert_close(value, (features - target).square().mean())
