from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from belamy.engines.anystyle import synthesis
from belamy.engines.anystyle.render import AnyStylist
from belamy.engines.film.clearing import FilmDefogger
from belamy.engines.film.dreaming import FilmDreamer
from belamy.engines.film.film_options import (
    AnyStyleFilmOptions,
    ApplyStyleFilmOptions,
    DefogFilmOptions,
    DreamFilmOptions,
    FilmOptions,
    StyleFilmOptions,
)
from belamy.engines.film.frames import FilmFrame
from belamy.engines.film.one_pass import (
    OnePass,
    OnePassFilm,
    anystyle_film,
    faststyle_film,
    steady_blend,
)
from belamy.engines.film.painting import FilmStylist
from belamy.engines.film.repaint import FrameRenderer, Painted, RepaintedFilm
from belamy.engines.film.source import look_through
from belamy.errors import ImageError, OptionError
from belamy.pixels.film import create_film
from belamy.pixels.images import to_pil
from belamy.pixels.motion.detail import gradient_energy
from belamy.pixels.motion.flow import Motion, Quality, estimate_motion, warp
from belamy.pixels.motion.rendered import RenderedFilm

pytest.importorskip("av")
pytest.importorskip("cv2")

FILM = RenderedFilm(48, 80)
HAZY = RenderedFilm(48, 80, haze=0.7, grain=2)


def write(path: Path, frames: list[Tensor], rate: int = 10) -> Path:
    size = (frames[0].shape[-2], frames[0].shape[-1])
    with create_film(path, size=size, frame_rate=Fraction(rate)) as film:
        for index, frame in enumerate(frames):
            film.write(frame, Fraction(index, rate), Fraction(1, rate))
    return path


@pytest.fixture(scope="module")
def two_scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    other = RenderedFilm(48, 80, seed=5)
    frames = [FILM.frame(i) for i in range(4)] + [1 - other.frame(i) * 0.4 for i in range(3)]
    return write(tmp_path_factory.mktemp("film") / "two.mp4", frames)


class Inverse:
    """Negatives; the state counts the frames of a scene."""

    recipe: Any = None
    motion_quality: Quality = "fine"

    def prepare(self, image: Tensor) -> None: ...

    def begin(self, image: Tensor) -> Painted:
        return Painted(1 - image, {"count": torch.ones(1)})

    def follow(
        self, image: Tensor, previous: Tensor, state: Mapping[str, Tensor], motion: Motion
    ) -> Painted:
        assert motion.flow.shape[-2:] == image.shape[-2:] == previous.shape[-2:]
        return Painted(1 - image, {"count": state["count"] + 1})


def test_scenes_are_found_and_each_begins_by_itself(two_scenes: Path) -> None:
    source = look_through(str(two_scenes), FilmOptions(), None)
    assert source.plan.scenes == (range(4), range(4, 7))
    assert source.plan.size == (48, 80)
    assert [float(time) for time, _ in source.plan.times] == pytest.approx(
        [0.1 * index for index in range(7)]
    )
    film = RepaintedFilm(source, Inverse())
    counts = [[float(f.state["count"]) for f in film.frames(scene, None)] for scene in (0, 1)]
    assert counts == [[1, 2, 3, 4], [1, 2, 3]]
    after = next(iter(film.frames(1, None)))
    rest = list(film.frames(1, FilmFrame(after.index, torch.empty(0), after.state)))
    assert [(f.index, float(f.state["count"])) for f in rest] == [(5, 2), (6, 3)]


def test_a_part_of_the_film_may_be_taken(two_scenes: Path) -> None:
    taken = look_through(str(two_scenes), FilmOptions(start=0.1, end=0.6, every=2), 40)
    assert len(taken.plan.times) == 3
    assert taken.plan.size == (24, 40)
    with pytest.raises(OptionError, match="start is 60"):
        look_through(str(two_scenes), FilmOptions(start=60.0), None)
    with pytest.raises(ImageError):
        look_through(str(two_scenes.with_name("missing.mp4")), FilmOptions(), None)


def paint(renderer: FrameRenderer, film: RenderedFilm, count: int) -> list[Tensor]:
    frames = [film.frame(index) for index in range(count)]
    renderer.prepare(frames[0])
    painted = renderer.begin(frames[0])
    images = [painted.image]
    for before, now in pairwise(frames):
        painted = renderer.follow(now, before, painted.state, estimate_motion(before, now))
        images.append(painted.image)
    return images


def flicker(images: list[Tensor], film: RenderedFilm) -> float:
    """By the exact motion."""
    total = 0.0
    for index, (before, now) in enumerate(pairwise(images), start=1):
        motion = film.motion(index)
        change = (now - warp(before, motion.flow)).abs().mean(1, keepdim=True)
        total += float((change * motion.mask).sum() / motion.mask.sum())
    return total


def dreaming(path: Path, steady: float) -> FrameRenderer:
    return FilmDreamer(
        DreamFilmOptions(path, model="iris", layer="mixed3a", octaves=2, steps=6, steady=steady)
    )


def fast(path: Path, steady: float) -> FrameRenderer:
    return faststyle_film(ApplyStyleFilmOptions(path, network="starry-night", steady=steady))


def clearing(path: Path, steady: float) -> FrameRenderer:
    return FilmDefogger(DefogFilmOptions(path, method="dcp", steady=steady))


def stylist(path: Path, steady: float) -> FrameRenderer:
    style = RenderedFilm(48, 64, seed=9).frame(0)
    return FilmStylist(
        StyleFilmOptions(path, style, model="iris", iterations="20,10", steady=steady)
    )


SLOW = pytest.param(stylist, FILM, 0.5, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("opening", "film", "most"),
    [(dreaming, FILM, 0.75), (fast, FILM, 0.6), (clearing, HAZY, 0.7), SLOW],
)
def test_what_is_held_flickers_less_and_stays_sharp(
    two_scenes: Path, opening: Any, film: RenderedFilm, most: float
) -> None:
    free, held = (paint(opening(two_scenes, steady), film, 4) for steady in (0.0, 1.0))
    assert torch.equal(free[0], held[0])
    assert flicker(held, film) < most * flicker(free, film)
    sharp = [sum(map(gradient_energy, images)) for images in (held, free)]
    assert sharp[0] > 0.85 * sharp[1]


@pytest.mark.parametrize("workers", [1, 3])
def test_frames_that_are_painted_at_the_same_time_are_the_same(
    two_scenes: Path, workers: int
) -> None:
    source = look_through(str(two_scenes), FilmOptions(), None)
    renderer = fast(two_scenes, 1.0)
    assert isinstance(renderer, OnePass)
    made, film = (
        [frame for scene in (0, 1) for frame in work.frames(scene, None)]
        for work in (OnePassFilm(source, renderer, workers), RepaintedFilm(source, renderer))
    )
    assert [frame.index for frame in made] == list(range(7))
    for one, other in zip(made, film, strict=True):
        assert torch.equal(one.image, other.image)
    rest = OnePassFilm(source, renderer, workers).frames(0, made[1])
    assert [torch.equal(a.image, b.image) for a, b in zip(rest, made[2:4], strict=True)] == [
        True
    ] * 2


def test_a_still_film_stays_still(two_scenes: Path) -> None:
    still = RenderedFilm(48, 80, degrees=0, zoom=1, shift=(0.0, 0.0))
    renderer = fast(two_scenes, 1.0)
    frame = still.frame(0)
    renderer.prepare(frame)
    first = renderer.begin(frame)
    second = renderer.follow(frame, frame, first.state, estimate_motion(frame, frame))
    assert float((second.image - first.image).abs().max()) < 2 / 255


def in_any_style(path: Path, steady: float) -> FrameRenderer:
    style = RenderedFilm(48, 64, seed=9).frame(0)
    return anystyle_film(AnyStyleFilmOptions(path, style, size=80, steady=steady))


@pytest.mark.parametrize("opening", [fast, in_any_style])
def test_what_stands_still_does_not_breathe_with_what_passes(
    two_scenes: Path, opening: Any
) -> None:
    """A network's norms see the whole picture: something bright makes all of it darker."""
    still = FILM.frame(0)
    frames = [still.clone() for _ in range(5)]
    for index, frame in enumerate(frames[1:]):
        frame[..., 26:, 16 * index : 16 * index + 24] = 1.0
    levels = []
    for steady in (0.0, 1.0):
        renderer = opening(two_scenes, steady)
        renderer.prepare(frames[0])
        painted = renderer.begin(frames[0])
        means = [painted.image[..., :16, :].mean((0, 2, 3))]
        for before, now in pairwise(frames):
            painted = renderer.follow(now, before, painted.state, estimate_motion(before, now))
            means.append(painted.image[..., :16, :].mean((0, 2, 3)))
        stacked = torch.stack(means)
        levels.append(255 * float((stacked.amax(0) - stacked.amin(0)).max()))
    free, held = levels
    assert free > 3
    assert held < 1


def test_a_blend_is_as_sharp_as_the_frame() -> None:
    one, other = FILM.frame(0), RenderedFilm(48, 80, seed=2).frame(0)
    blend = steady_blend(one, other, torch.full((1, 1, 48, 80), 0.6))
    assert 0.85 < gradient_energy(blend) / gradient_energy(one) < 1.15


def test_what_makes_no_sense_on_a_film_is_refused(two_scenes: Path) -> None:
    options = DreamFilmOptions(two_scenes, model="iris")
    with pytest.raises(OptionError, match="films are dreamt on pixels"):
        FilmDreamer(replace(options, canvas="fourier"))
    with pytest.raises(OptionError, match="give its path"):
        FilmDreamer(replace(options, image=FILM.frame(0)))
    with pytest.raises(OptionError, match="steady"):
        DreamFilmOptions(two_scenes, steady=2.0)


def test_a_painted_frame_looks_back_at_the_last_few(two_scenes: Path) -> None:
    style = RenderedFilm(48, 64, seed=9).frame(0)
    options = StyleFilmOptions(two_scenes, style, model="iris", iterations="1,1", size=32)
    renderer, frames = FilmStylist(options), [FILM.frame(index) for index in range(5)]
    painted = renderer.begin(frames[0])
    for before, now in pairwise(frames):
        painted = renderer.follow(now, before, painted.state, estimate_motion(before, now))
    assert set(painted.state) == {
        f"{name}-{back}" for name in ("image", "film") for back in (1, 2, 3, 4)
    }
    assert torch.equal(painted.state["film-4"], frames[1])


def test_styles_are_read_once_for_a_scene(
    two_scenes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    style = tmp_path / "style.png"
    to_pil(RenderedFilm(48, 64, seed=9).frame(0)).save(style)
    options = AnyStyleFilmOptions(two_scenes, style, size=80, patches=0.3)
    frames = [FILM.frame(index) for index in range(3)]
    renderer = anystyle_film(replace(options, steady=0.0))
    renderer.prepare(frames[0])
    encoded = []
    usual = synthesis.encode_style
    monkeypatch.setattr(synthesis, "encode_style", lambda *a: encoded.append(1) or usual(*a))
    style.unlink()
    first = renderer.begin(frames[0])
    later = renderer.follow(frames[2], frames[1], first.state, estimate_motion(*frames[1:]))
    assert not encoded
    to_pil(RenderedFilm(48, 64, seed=9).frame(0)).save(style)
    alone = AnyStylist(options)(frames[2]).image
    assert encoded
    assert torch.equal(later.image, alone.clamp(0, 1))
