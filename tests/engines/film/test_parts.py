from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from belamy.engines.film.encode import encode
from belamy.engines.film.frames import FilmFrame, FilmPlan, even_plan
from belamy.engines.film.parts import Parts, parts_of
from belamy.errors import OptionError, RunError
from belamy.pixels.recipe import Recipe

RECIPE = Recipe("dream-zoom", {"zoom": 1.5}, (), {}, 0, "0.1.0", "2.13.0")


class Fading:
    """A film of two scenes, each frame of which is half the one before."""

    def __init__(self, stop: int = 99) -> None:
        plan = even_plan(8, 10, (6, 8))
        self.plan: FilmPlan = replace(plan, scenes=(range(5), range(5, 8)))
        self.recipe, self.stop, self.made = RECIPE, stop, 0

    def frames(self, scene: int, after: FilmFrame | None) -> Iterator[FilmFrame]:
        rows = self.plan.scenes[scene]
        value = torch.ones(1) / 3 if after is None else after.state["value"] / 2
        for index in range(rows.start if after is None else after.index + 1, rows.stop):
            if self.made == self.stop:
                raise KeyboardInterrupt
            self.made += 1
            yield FilmFrame(index, value.expand(1, 3, 6, 8), {"value": value})
            value = value / 2


def shades(parts: Parts) -> list[int]:
    return [round(float(step.image[0, 0, 0, 0]) * 255) for step in parts.steps()]


def test_frames_are_saved_and_read_again(tmp_path: Path) -> None:
    parts = Parts(tmp_path / "a.parts", Fading())
    assert [step.index for step in parts.make()] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert parts.is_complete()
    assert shades(parts) == [85, 42, 21, 11, 5, 85, 42, 21]
    assert not list(parts.folder.glob("*.claim"))
    parts.remove()
    assert not parts.folder.exists()


@pytest.mark.parametrize("stop", [1, 3, 5, 6])
def test_a_film_that_was_stopped_goes_on_from_exact_numbers(tmp_path: Path, stop: int) -> None:
    folder = tmp_path / "a.parts"
    with pytest.raises(KeyboardInterrupt):
        list(Parts(folder, Fading(stop)).make())
    work = Fading()
    parts = Parts(folder, work)
    assert parts.count() == stop
    rest = list(parts.make())
    assert work.made == 8 - stop == len(rest)
    assert shades(parts) == [85, 42, 21, 11, 5, 85, 42, 21]


def test_a_picture_without_its_state_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "a.parts"
    with pytest.raises(KeyboardInterrupt):
        list(Parts(folder, Fading(3)).make())
    (folder / "frames" / "000003.png").unlink()
    work = Fading()
    list(Parts(folder, work).make())
    assert work.made == 8


def test_another_recipe_and_a_folder_of_others_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a.parts"
    Parts(folder, Fading())
    other = Fading()
    other.recipe = replace(RECIPE, options={"zoom": 1.6})
    with pytest.raises(OptionError, match="made otherwise"):
        Parts(folder, other)
    strange = tmp_path / "b.parts"
    strange.mkdir()
    (strange / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="move it away"):
        Parts(strange, Fading())
    with pytest.raises(RunError, match="move it away"):
        Parts.remove_folder(strange)
    assert (strange / "thesis.txt").exists()


def test_two_processes_share_a_film_by_scenes(tmp_path: Path) -> None:
    folder = tmp_path / "a.parts"
    one, other = Fading(), Fading()
    first, second = Parts(folder, one), Parts(folder, other)
    going = first.make()
    next(going)  # the first scene is taken
    assert [step.index for step in second.make()] == [6, 7, 8]
    with second.to_encode() as mine:
        assert not mine  # frames are lacking
    assert [step.index for step in going] == [2, 3, 4, 5]
    assert (one.made, other.made) == (5, 3)
    with first.to_encode() as mine:
        assert mine
        with second.to_encode() as also:
            assert not also


def test_the_claim_of_a_process_that_died_holds_nobody_up(tmp_path: Path) -> None:
    folder = tmp_path / "a.parts"
    parts = Parts(folder, Fading())
    dead = subprocess.run(
        [sys.executable, "-c", "import os, socket; print(socket.gethostname(), os.getpid())"],
        capture_output=True,
        text=True,
    )
    (folder / "scene-000.claim").write_text(dead.stdout.strip())
    (folder / "scene-001.claim").write_text(f"another-host {os.getpid()}")
    assert [step.index for step in parts.make()] == [1, 2, 3, 4, 5]


def test_a_film_of_parts_is_that_of_one_go(tmp_path: Path) -> None:
    pytest.importorskip("av")
    films = []
    for name, stops in (("a", ()), ("b", (2, 4))):
        folder = parts_of(tmp_path / f"{name}.mp4")
        for stop in stops:
            with pytest.raises(KeyboardInterrupt):
                list(Parts(folder, Fading(stop)).make())
        parts = Parts(folder, Fading())
        list(parts.make())
        encode(parts.steps(), tmp_path / f"{name}.mp4", frame_rate=parts.work.plan.frame_rate)
        films.append((tmp_path / f"{name}.mp4").read_bytes())
    assert films[0] == films[1]
