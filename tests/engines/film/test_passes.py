from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from belamy.engines.film.film_options import FilmOptions, StyleFilmOptions
from belamy.engines.film.films import open_repainted
from belamy.engines.film.frames import FilmFrame, steps_of
from belamy.engines.film.parts import Parts, passes_of
from belamy.engines.film.passes import FilmInPasses
from belamy.engines.film.repaint import Painted
from belamy.engines.film.source import look_through
from belamy.errors import OptionError, RunError
from belamy.pixels.film import create_film
from belamy.pixels.motion.detail import gradient_energy
from belamy.pixels.motion.flow import Motion, Quality, warp
from belamy.pixels.motion.rendered import RenderedFilm
from belamy.pixels.recipe import Recipe

pytest.importorskip("av")
pytest.importorskip("cv2")

FILM, OTHER = RenderedFilm(48, 80), RenderedFilm(48, 80, seed=5)
FRAMES = [FILM.frame(i) for i in range(4)] + [1 - OTHER.frame(i) * 0.4 for i in range(3)]


@pytest.fixture(scope="module")
def two_scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "two.mp4"
    with create_film(path, size=(48, 80), frame_rate=Fraction(10)) as film:
        for index, frame in enumerate(FRAMES):
            film.write(frame, Fraction(index, 10), Fraction(1, 10))
    return path


class Counting:
    """Grey frames that count the passes over them; `made` says what was made of what.

    The state counts the frames that a pass has painted.
    """

    recipe: Any = Recipe("film-style", {}, (), {}, 0, "0.1.0", "2.13.0")
    motion_quality: Quality = "fine"

    def __init__(self, stop: int = 99) -> None:
        self.stop = stop
        self.made: list[tuple[float, float]] = []

    def prepare(self, image: Tensor) -> None: ...

    def begin(self, image: Tensor) -> Painted:
        return self._paint(image, image * 0, {})

    def follow(
        self, image: Tensor, previous: Tensor, state: Mapping[str, Tensor], motion: Motion
    ) -> Painted:
        return self._paint(image, image * 0, state)

    def paint_again(
        self, image: Tensor, own: Tensor, state: Mapping[str, Tensor], motion: Motion | None
    ) -> Painted:
        assert (motion is None) == (not state)
        return self._paint(image, own, state)

    def _paint(self, image: Tensor, own: Tensor, state: Mapping[str, Tensor]) -> Painted:
        if len(self.made) == self.stop:
            raise KeyboardInterrupt
        count = state.get("count", torch.zeros(1)) + 1
        self.made.append((round(float(own.mean()) * 16), float(count)))
        return Painted(own + 1 / 16, {"count": count})


def test_passes_go_there_and_back_and_the_last_one_forward(two_scenes: Path) -> None:
    source = look_through(str(two_scenes), FilmOptions(), None)
    renderer = Counting()
    found = list(FilmInPasses(source, renderer, 3).frames(0, None))
    indexes = [frame.index for frame in found]
    assert indexes == [0, 1, 2, 3, 3, 2, 1, 0, 0, 1, 2, 3]
    assert [frame.is_draft for frame in found] == [True] * 8 + [False] * 4
    assert renderer.made == [(done, count) for done in (0, 1, 2) for count in (1, 2, 3, 4)]
    parts = [frame.fraction for frame in found]
    assert parts == pytest.approx([(index + 1) / 21 for index in range(12)])
    even = [frame.index for frame in FilmInPasses(source, Counting(), 2).frames(1, None)]
    assert even == [6, 5, 4, 4, 5, 6]


def test_frames_are_given_backward_in_stretches(
    two_scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("belamy.engines.film.source._HELD", 3 * 48 * 80)
    source = look_through(str(two_scenes), FilmOptions(), None)
    there = list(source.frames(0))
    back = list(source.frames(0, backward=True))
    assert [index for index, _ in back] == [3, 2, 1, 0]
    for (_, one), (_, other) in zip(there, reversed(back), strict=True):
        assert torch.equal(one.image, other.image)


def test_only_frames_that_are_done_are_steps(two_scenes: Path) -> None:
    film = FilmInPasses(look_through(str(two_scenes), FilmOptions(), None), Counting(), 3)
    assert [step.index for step in steps_of(film)] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("stop", [2, 4, 6, 9, 14, 19])
def test_a_film_that_was_stopped_goes_on_in_the_pass_it_was_in(
    two_scenes: Path, tmp_path: Path, stop: int
) -> None:
    source = look_through(str(two_scenes), FilmOptions(), None)
    folder = tmp_path / "new.parts"

    def parts_with(renderer: Counting) -> Parts:
        return Parts(folder, FilmInPasses(source, renderer, 3, passes_of(folder)))

    first, rest = Counting(stop), Counting()
    stopped = parts_with(first)
    with pytest.raises(KeyboardInterrupt):
        list(stopped.make())
    stopped.remove_if_empty()
    parts = parts_with(rest)
    list(parts.make())
    whole = [(done, count) for n in (4, 3) for done in (0, 1, 2) for count in range(1, n + 1)]
    assert first.made + rest.made == whole
    shades = [round(float(step.image.mean()) * 16) for step in parts.steps()]
    assert shades == [3] * 7


def test_a_pass_that_lacks_a_frame_says_so(two_scenes: Path, tmp_path: Path) -> None:
    source = look_through(str(two_scenes), FilmOptions(), None)
    with pytest.raises(KeyboardInterrupt):
        list(FilmInPasses(source, Counting(5), 2, tmp_path).frames(0, None))
    (tmp_path / "scene-000" / "1-000001.frame").unlink()
    with pytest.raises(RunError, match="gone, from which"):
        list(FilmInPasses(source, Counting(), 2, tmp_path).frames(0, None))


def painted(film: Path, folder: Path | None = None, **given: Any) -> FilmInPasses:
    style = RenderedFilm(48, 64, seed=9).frame(0)
    options = StyleFilmOptions(content=film, style=style, model="iris", **given)
    made = open_repainted(options, folder)
    assert isinstance(made, FilmInPasses) == (options.passes > 1)
    return made  # type: ignore[return-value]


def results(found: list[FilmFrame]) -> list[Tensor]:
    return [frame.image for frame in found if not frame.is_draft]


def flicker(images: list[Tensor]) -> float:
    """By the exact motion."""
    total = 0.0
    for index, (before, now) in enumerate(pairwise(images), start=1):
        motion = FILM.motion(index)
        change = (now - warp(before, motion.flow)).abs().mean(1, keepdim=True)
        total += float((change * motion.mask).sum() / motion.mask.sum())
    return total


def test_three_passes_differ_from_one_and_resume_to_the_same_bytes(
    two_scenes: Path, tmp_path: Path
) -> None:
    given = {"iterations": "2,2", "size": 32, "end": 0.3}
    once = results(list(painted(two_scenes, **given).frames(0, None)))
    going = painted(two_scenes, tmp_path, passes=3, **given).frames(0, None)
    begun = [next(going) for _ in range(4)]
    assert [frame.index for frame in begun] == [0, 1, 2, 2]
    assert all(frame.is_draft for frame in begun)
    going.close()  # type: ignore[attr-defined]
    resumed = results(list(painted(two_scenes, tmp_path, passes=3, **given).frames(0, None)))
    whole = results(list(painted(two_scenes, passes=3, **given).frames(0, None)))
    assert len(once) == len(whole) == 3
    assert all(torch.equal(one, other) for one, other in zip(whole, resumed, strict=True))
    assert not torch.equal(whole[0], once[0])


@pytest.mark.slow
def test_three_passes_flicker_less_than_one_and_are_as_sharp(two_scenes: Path) -> None:
    given = {"iterations": "12,10", "end": 0.4}
    once, thrice = (
        results(list(painted(two_scenes, passes=passes, **given).frames(0, None)))
        for passes in (1, 3)
    )
    assert flicker(thrice) <= 0.95 * flicker(once)
    sharp = [sum(map(gradient_energy, images)) for images in (once, thrice)]
    assert sharp[1] >= 0.85 * sharp[0]


def test_passes_hold_frames_to_each_other(two_scenes: Path) -> None:
    with pytest.raises(OptionError, match="passes is 2; leave one of them out"):
        StyleFilmOptions(content=two_scenes, style="a.jpg", passes=2, steady=0)
    with pytest.raises(OptionError, match="passes"):
        StyleFilmOptions(content=two_scenes, style="a.jpg", passes=21)
