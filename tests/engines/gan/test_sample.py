"""Painting from nothing: the same again, safer, larger, signed, framed; walks and crosses."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from belamy.cli.options import arguments_of
from belamy.engines.gan.edit import caption_mix
from belamy.engines.gan.sample_api import (
    gan_mix,
    gan_mix_steps,
    gan_paint,
    gan_paint_steps,
    gan_walk_steps,
)
from belamy.errors import OptionError, UnknownName, WeightsError
from belamy.networks.gan.latents import draw_styles, save_styles
from belamy.networks.load import load_network
from belamy.pixels.decor.frame import add_frame, frame_width
from belamy.pixels.decor.signature import add_signature
from belamy.pixels.enlarge import enlarge
from belamy.steps import Step

Painters = Callable[..., Path]


@pytest.fixture
def painter(painters: Painters) -> str:
    return str(painters())


def singles(painter: str, **options: Any) -> list[Tensor]:
    steps = gan_paint_steps(painter, sheet=False, **options)
    return [step.image for step in steps]


def saved(painter: str, path: Path, numbers: list[int], seed: int = 0) -> str:
    loaded = load_network(painter, "generator")
    styles = draw_styles(loaded.network, numbers, seed=seed)
    save_styles(path, styles, network=loaded.path.name, sha256=loaded.sha256)
    return str(path)


def test_a_picture_is_the_same_however_many_are_painted_with_it(painter: str) -> None:
    many, few = singles(painter, count=20, seed=3), singles(painter, count=2, seed=3)
    assert len(many) == 20
    assert torch.allclose(torch.cat(many[:2]), torch.cat(few), atol=1e-5)
    assert all(image.shape == (1, 3, 16, 16) for image in many)
    assert float(torch.cat(many).std(0).mean()) > 0.01
    assert not torch.allclose(many[0], singles(painter, count=1, seed=4)[0], atol=1e-3)


def test_one_sheet_holds_them_row_by_row(painter: str) -> None:
    sheet = gan_paint(painter, count=5).image
    margin = 2
    assert sheet.shape[-2:] == (2 * (16 + margin) + margin, 3 * (16 + margin) + margin)
    fourth = singles(painter, count=5)[3]
    top = 16 + 2 * margin
    assert torch.allclose(sheet[..., top : top + 16, margin : margin + 16], fourth)
    assert torch.equal(gan_paint(painter, count=1).image, singles(painter, count=1)[0])


def test_sheets_grow_and_the_last_has_all(painter: str) -> None:
    steps = list(gan_paint_steps(painter, count=20))
    assert [(step.index, step.total) for step in steps] == [(1, 3), (2, 3), (3, 3)]
    assert steps[-1].latents is not None
    assert len(steps[-1].latents) == 20


def test_truncation_makes_pictures_more_alike(painter: str) -> None:
    spread = [
        float(torch.cat(singles(painter, count=8, truncation=amount)).std(0).mean())
        for amount in (0.0, 0.5, 1.0)
    ]
    assert spread[0] < 1e-4 < spread[1] < spread[2]
    assert torch.equal(singles(painter, count=1)[0], singles(painter, count=1, truncation=0.8)[0])


def test_finishing_touches_are_those_of_the_pixels(painter: str) -> None:
    plain = singles(painter, count=2, seed=5)[1]
    large = enlarge(plain, 3, seed=5)
    assert torch.equal(singles(painter, count=2, seed=5, upscale=3)[1], large)
    written = add_signature(large, seed=6)
    assert torch.equal(singles(painter, count=2, seed=5, upscale=3, sign=True)[1], written)
    whole = singles(painter, count=2, seed=5, upscale=3, sign=True, frame=True)[1]
    assert torch.equal(whole, add_frame(written, seed=5))
    assert whole.shape[-1] == 48 + 2 * frame_width(48, 48)


def test_a_signature_too_small_to_read_is_said(painter: str) -> None:
    steps = list(gan_paint_steps(painter, count=1, sign=True))
    assert "--upscale 16" in steps[0].note
    assert not next(iter(gan_paint_steps(painter, count=1))).note


def test_labels_are_painted_on_demand(painters: Painters) -> None:
    painter = str(painters("light", ("dark", "light")))
    first = singles(painter, count=3, label="dark")
    assert not torch.allclose(torch.cat(first), torch.cat(singles(painter, count=3, label="light")))
    with pytest.raises(UnknownName, match="there are: dark, light"):
        singles(painter, label="grey-ish and more")


@pytest.mark.parametrize("network", ["light", "dcgan"])
def test_painters_of_several_kinds_need_no_label(painters: Painters, network: str) -> None:
    """Walks and crossings go through all kinds, around the most ordinary picture of all of them."""
    painter = str(painters(network, ("dark", "light")))
    films = [frames(painter, label=label) for label in (None, "dark", "light")]
    assert len({len(film) for film in films}) == 1
    mixes = [gan_mix("1", "2", network=painter, label=label).image for label in (None, "dark")]
    assert all(bool(mix.isfinite().all()) for mix in mixes)
    generator = load_network(painter, "generator").network
    all_kinds, one, other = (generator.mean_style(label) for label in (None, 0, 1))
    assert not torch.allclose(one, other)
    assert torch.allclose(all_kinds, (one + other) / 2, atol=0.2 * float((one - other).norm()))


def test_latents_come_back_as_the_same_pictures(painter: str, tmp_path: Path) -> None:
    steps = list(gan_paint_steps(painter, count=3, seed=2))
    latents = steps[-1].latents
    assert latents is not None
    path = tmp_path / "a.safetensors"
    save_styles(path, latents, network="x", sha256="0" * 64)
    again = gan_paint(painter, latents=str(path), seed=2)
    assert torch.allclose(again.image, steps[-1].image, atol=1e-5)
    other = saved(painter, tmp_path / "b.safetensors", [7])
    both = list(gan_paint_steps(painter, latents=[str(path), other], sheet=False))
    assert len(both) == 4
    recipe = both[0].recipe
    assert recipe is not None
    assert [item.path for item in recipe.inputs] == [str(path), other]
    assert len(list(gan_paint_steps(painter, latents=str(path), count=2, sheet=False))) == 2
    with pytest.raises(OptionError, match="latents are those of 3 pictures"):
        singles(painter, latents=str(path), count=4)


def test_truncation_applies_to_latents_when_it_is_asked_for(painter: str, tmp_path: Path) -> None:
    path = saved(painter, tmp_path / "a.safetensors", [1, 2])
    full = singles(painter, latents=path)
    none = singles(painter, latents=path, truncation=0.0)
    assert not torch.allclose(full[0], full[1], atol=1e-3)
    assert torch.allclose(none[0], none[1], atol=1e-4)


def frames(painter: str, **options: Any) -> list[Step]:
    return list(gan_walk_steps(painter, **{"seconds": 2.0, "fps": 9.0, "stops": 3} | options))


def test_a_walk_passes_through_its_stops_and_closes(painter: str) -> None:
    found = frames(painter)
    assert len(found) == 18
    stops = singles(painter, count=3)
    for number, stop in enumerate(stops):
        assert torch.allclose(found[6 * number].image, stop, atol=1e-4)
    steps = torch.stack([frame.image for frame in found])
    changes = (steps - steps.roll(-1, 0)).abs().mean(dim=(1, 2, 3, 4))
    assert float(changes.max()) < 3.5 * float(changes.mean())  # no jump, not at the end either
    assert float(changes[0]) < float(changes[2])  # it lingers at a stop


def test_a_walk_from_latents(painter: str, tmp_path: Path) -> None:
    path = saved(painter, tmp_path / "a.safetensors", [3, 9])
    found = frames(painter, latents=path, stops=None)
    assert torch.allclose(found[9].image, singles(painter, latents=path)[1], atol=1e-4)
    with pytest.raises(OptionError, match="stops is 1"):
        frames(painter, latents=saved(painter, tmp_path / "b.safetensors", [3]), stops=None)


def row(sheet: Tensor, number: int, count: int) -> list[Tensor]:
    top = 2 + number * (18 + 21)  # with a caption below
    return [sheet[..., top : top + 16, 2 + 18 * k : 18 + 18 * k] for k in range(count)]


def test_a_mix_goes_from_one_to_the_other_in_three_ways(painter: str) -> None:
    first, second = singles(painter, count=1, seed=4)[0], singles(painter, count=2)[1]
    sheet = gan_mix("4:1", "2", network=painter).image
    for number in range(3):
        way = row(sheet, number, 4)
        assert torch.allclose(way[0], first, atol=1e-4)
        assert torch.allclose(way[-1], second, atol=1e-4)
    upper, lower = row(sheet, 1, 4), row(sheet, 2, 4)
    assert not torch.allclose(upper[1], lower[1], atol=1e-3)
    assert caption_mix(["all", "form"], "4:1", "2", 3) == ["4:1", "all 50%", "2"] + [
        *("4:1", "form 50%", "2")
    ]


def test_by_levels_the_coarsest_says_the_form(painter: str) -> None:
    """One level at a time: fine first above, coarse first below."""
    steps = list(gan_mix_steps("1", "2", network=painter, by="levels"))
    latents = steps[-1].latents
    assert latents is not None
    above, below = latents[:4], latents[4:]
    first, second = latents[0], latents[3]
    assert torch.equal(above[1][:2], first[:2])
    assert torch.equal(above[1][2], second[2])
    assert torch.equal(below[1][0], second[0])
    assert torch.equal(below[1][1:], first[1:])


def test_the_middle_alone(painter: str) -> None:
    middle = gan_mix("1", "2", network=painter, by="latents", count=1).image
    assert middle.shape == (1, 3, 16, 16)
    assert torch.allclose(middle, gan_mix("2", "1", network=painter, by="latents", count=1).image)


def test_classic_painters_have_no_levels(painters: Painters) -> None:
    painter = str(painters("dcgan"))
    assert len(list(gan_mix_steps(network=painter))) == 1
    with pytest.raises(OptionError, match="no levels to mix by"):
        list(gan_mix_steps(network=painter, by="levels"))


def test_numbers_of_latents_and_of_seeds(painter: str, tmp_path: Path) -> None:
    path = saved(painter, tmp_path / "a.safetensors", [11, 12])
    found = gan_mix("2", "5:3", network=painter, by="latents", count=2, latents=path).image
    ends = row(found, 0, 2)
    assert torch.allclose(ends[0], singles(painter, latents=path)[1], atol=1e-4)
    assert torch.allclose(ends[1], singles(painter, count=3, seed=5)[2], atol=1e-4)
    with pytest.raises(OptionError, match="no picture 3; there are 2"):
        list(gan_mix_steps("3", "1", network=painter, latents=path))


@pytest.mark.parametrize("name", ["", "x", "0", "1:", ":1", "1:2:3", "-1", "1.5"])
def test_names_that_are_none(name: str, painter: str) -> None:
    with pytest.raises(OptionError, match="names no picture"):
        list(gan_mix_steps(name, "1", network=painter))


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"count": 0}, "count is 0"),
        ({"count": -3}, "count is -3"),
        ({"count": 10**9}, "count is 1000000000; it must be"),
        ({"truncation": -0.1}, "truncation is -0.1"),
        ({"truncation": math.nan}, "truncation is nan"),
        ({"upscale": 0}, "upscale is 0"),
        ({"upscale": 17}, "upscale is 17"),
        ({"label": "cat"}, "unknown label 'cat'; there are none"),
        ({"device": "abacus"}, "abacus"),
        ({"latents": "none.safetensors"}, "none.safetensors"),
    ],
)
def test_misuse_of_paint(options: dict[str, Any], cause: str, painter: str) -> None:
    with pytest.raises((OptionError, UnknownName, WeightsError), match=cause):
        list(gan_paint_steps(painter, **options))


@pytest.mark.parametrize(
    "options",
    [{"seconds": 0}, {"seconds": math.inf}, {"fps": 0}, {"fps": 1e9}, {"stops": 1}, {"stops": 0}],
)
def test_misuse_of_walk(options: dict[str, Any], painter: str) -> None:
    with pytest.raises(OptionError):
        frames(painter, **options)


def test_too_large_a_sheet_is_refused_before_the_work(painter: str, painters: Painters) -> None:
    large = str(painters(size=64))
    with pytest.raises(OptionError, match="too much for one sheet"):
        next(gan_paint_steps(large, count=400, upscale=16))


def test_recipes_say_all_and_make_it_again(painter: str) -> None:
    made = gan_paint(painter, count=3, seed=9, upscale=2)
    recipe = made.recipe
    assert recipe is not None
    assert recipe.engine == "gan-paint"
    asked = arguments_of(gan_paint_steps).keys() - {"latents", "seed"}
    assert recipe.options.keys() == asked
    again = gan_paint(**recipe.options, seed=recipe.seed)  # type: ignore[arg-type]
    assert torch.equal(again.image, made.image)
    for engine, steps in (
        ("gan-walk", frames(painter)),
        ("gan-mix", gan_mix_steps(network=painter)),
    ):
        recipe = next(iter(steps)).recipe
        assert recipe is not None
        assert recipe.engine == engine
