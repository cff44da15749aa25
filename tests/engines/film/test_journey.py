from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor

import belamy
from belamy.engines.film.api import DreamWalkOptions, DreamZoomOptions, dream_zoom_steps
from belamy.engines.film.frames import FilmFrame
from belamy.engines.film.journey import Walk, Zoom
from belamy.engines.film.options import read_shift
from belamy.errors import OptionError, UnknownName
from belamy.pixels.colors import color_moments
from belamy.pixels.motion.detail import gradient_energy
from belamy.pixels.motion.rendered import RenderedFilm
from belamy.pixels.scenes import clouds

PHOTO = RenderedFilm(40, 64).frame(0)
ZOOM = DreamZoomOptions(
    PHOTO, model="iris", layers="mixed3a,mixed4a", seconds=0.4, rotate=2, octaves=1, steps=1
)
WALK = DreamWalkOptions(PHOTO, model="iris", layers="mixed3a,mixed4a", seconds=0.2, octaves=1)


def frames(work: Zoom | Walk) -> list[Tensor]:
    return [frame.image for frame in work.frames(0, None)]


def test_each_frame_is_the_one_before_moved_and_dreamt_on() -> None:
    work = Zoom(replace(ZOOM, shift="1.5,0.5"))
    found = list(work.frames(0, None))
    assert [frame.index for frame in found] == list(range(10))
    assert all(0 <= float(f.image.min()) <= float(f.image.max()) <= 1 for f in found)
    for before, now in pairwise(found):
        moved = work._move(before.image, 1)
        assert float((now.image - moved).abs().mean()) < float(
            (now.image - before.image).abs().mean()
        )


@pytest.mark.parametrize("work", [Zoom(ZOOM), Walk(WALK)], ids=["zoom", "walk"])
def test_a_journey_goes_on_to_the_same_bits_from_any_frame(work: Zoom | Walk) -> None:
    whole = list(work.frames(0, None))
    at = whole[2]
    after = FilmFrame(at.index, torch.empty(0), at.state)
    rest = list(work.frames(0, after))
    assert [f.index for f in rest] == [f.index for f in whole[3:]]
    assert torch.equal(rest[-1].image, whole[-1].image)


def test_a_journey_is_as_fast_at_any_number_of_frames() -> None:
    slow, fast = (Zoom(replace(ZOOM, zoom=1.2, fps=fps)) for fps in (12.5, 25.0))
    once = slow._move(PHOTO, 1)
    twice = fast._move(fast._move(PHOTO, 1), 1)
    inner = (..., slice(8, -8), slice(8, -8))
    assert float((once - twice)[inner].abs().mean()) < 0.01
    assert float((once - PHOTO)[inner].abs().mean()) > 0.05


@pytest.mark.parametrize(("way", "zoom"), [("fading", 1.01), ("growing", 1.01), ("growing", 1.06)])
def test_a_loop_ends_where_it_began(way: Literal["fading", "growing"], zoom: float) -> None:
    options = replace(ZOOM, seconds=1.2, fps=15.0, zoom=zoom, rotate=0, loop_by=way)
    ends = {}
    for loop in (False, True):
        work = Zoom(replace(options, loop=loop))
        found = frames(work)
        ends[loop] = float((work._move(found[-1], 1) - found[0]).abs().mean())
        steps = [float((work._move(a, 1) - b).abs().mean()) for a, b in pairwise(found)]
    assert ends[True] < 1.5 * max(steps)
    assert ends[True] < 0.5 * ends[False]


def test_colours_and_detail_are_those_of_the_first_frame() -> None:
    options = DreamZoomOptions(clouds(40, 64, 1), model="iris", layers="mixed4a", seconds=1.2)
    held = frames(Zoom(options))
    free = frames(Zoom(replace(options, colors=0)))

    def drift(found: list[Tensor]) -> float:
        first, last = (color_moments(one)[0] for one in (found[0], found[-1]))
        return float((last - first).abs().max())

    assert drift(held) < 6 / 255 < drift(free)
    assert 0.85 < gradient_energy(held[-1]) / gradient_energy(held[0]) < 1.15


def test_it_may_begin_with_the_picture_as_it_is() -> None:
    assert torch.equal(frames(Zoom(replace(ZOOM, begin="picture")))[0], PHOTO)
    assert not torch.equal(frames(Zoom(ZOOM))[0], PHOTO)


def test_a_walk_leads_from_one_dream_to_another_on_a_picture_that_stands() -> None:
    options = replace(WALK, layers=(), class_=("tabby", "goldfish"), octaves=1, steps=1)
    found = frames(Walk(options))
    assert float((found[0] - PHOTO).abs().mean()) < 0.2
    only = frames(Walk(replace(options, class_=("tabby", "tabby"))))
    assert torch.equal(found[1], only[1])  # the way begins with the first alone
    assert not torch.equal(found[-1], only[-1])


def test_guides_change_along_the_way() -> None:
    guides = [RenderedFilm(40, 64, seed=seed).frame(0) for seed in (1, 2)]
    options = replace(ZOOM, layers="mixed3a", seconds=0.2)
    one = frames(Zoom(replace(options, guides=guides[:1])))
    two = frames(Zoom(replace(options, guides=guides)))
    assert torch.equal(one[1], two[1])
    assert not torch.equal(one[-1], two[-1])


def test_the_film_and_its_steps_carry_the_recipe(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    belamy.save_image(PHOTO, path)
    film = belamy.dream_zoom(path, model="iris", layers="mixed3a", seconds=0.12, octaves=1, steps=1)
    assert len(film.frames) == 3
    assert film.recipe is not None
    assert film.recipe.engine == "dream-zoom"
    assert film.recipe.options["layers"] == ["mixed3a"]
    assert [one.role for one in film.recipe.inputs] == ["image"]
    *_, last = dream_zoom_steps(
        path, model="iris", layers="mixed3a", seconds=0.12, octaves=1, steps=1
    )
    assert torch.equal(last.image, film.frames[-1])
    assert (last.index, last.total) == (3, 3)
    assert (last.time, last.duration) == (Fraction(2, 25), Fraction(1, 25))


def test_what_cannot_be_is_said_at_once() -> None:
    with pytest.raises(OptionError, match="write RIGHT,DOWN"):
        DreamZoomOptions(shift="2")
    with pytest.raises(OptionError, match="frames"):
        DreamZoomOptions(seconds=0.01)
    with pytest.raises(OptionError, match="two or more"):
        DreamWalkOptions(PHOTO, layers="mixed3a")
    with pytest.raises(OptionError, match="guides need layers"):
        Zoom(replace(ZOOM, layers=(), class_="tabby", guides=PHOTO))
    with pytest.raises(UnknownName, match="mixed9"):
        Zoom(replace(ZOOM, layers="mixed9"))
    assert read_shift(" -1.5, .5") == (-1.5, 0.5)
