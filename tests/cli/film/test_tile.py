"""A film's frames are all cut in one way, whatever memory is free while they are made."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import belamy
from belamy.cli import app
from belamy.cli.film.making import _open_parts
from belamy.engines import feedforward, tiling
from belamy.engines.anystyle import render as anystyle
from belamy.engines.film.dreaming import FilmDreamer
from belamy.engines.film.film_options import AnyStyleFilmOptions, StyleFilmOptions
from belamy.engines.film.journey import Zoom
from belamy.engines.film.one_pass import anystyle_film
from belamy.engines.film.painting import FilmStylist
from belamy.engines.film.parts import Parts, tile_of
from belamy.errors import OptionError
from belamy.pixels.film import create_film
from belamy.pixels.motion.rendered import RenderedFilm
from belamy.pixels.recipe import Recipe, read_recipe

pytest.importorskip("av")
pytest.importorskip("cv2")

LITTLE, MUCH = 1 << 10, 1 << 40
DREAM = "dream film.mp4 --model iris --layer mixed3a --octaves 1 --steps 2 --size full"
ZOOM = "dream zoom film.png --model iris --layers mixed3a --octaves 1 --steps 1"
ZOOM += " --seconds 0.12 --size 384"
LINES = [
    DREAM,
    "style apply starry-night film.mp4",
    "translate apply impressionism film.mp4",
]


class Memory:
    """What is free; `free` may be set at any time."""

    def __init__(self) -> None:
        self.free, self.times = LITTLE, 0

    def __call__(self, device: object) -> int:
        self.times += 1
        return self.free


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    memory = Memory()
    for module in (feedforward, tiling, anystyle):
        monkeypatch.setattr(module, "available_memory", memory)
    return memory


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    scene = RenderedFilm(48, 384)
    with create_film("film.mp4", size=(48, 384), frame_rate=Fraction(25)) as film:
        for index in range(3):
            film.write(scene.frame(index), Fraction(index, 25), Fraction(1, 25))
    belamy.save_image(scene.frame(0), "film.png")
    belamy.save_image(RenderedFilm(32, 32, seed=3).frame(0), "style.png")
    return tmp_path


def run(line: str, output: str, *more: str) -> Result:
    return CliRunner().invoke(app, [*line.split(), "-o", output, *more])


def make(line: str, output: str, *more: str) -> bytes:
    done = run(line, output, *more)
    assert done.exit_code == 0, done.output
    return Path(output).read_bytes()


def stop(line: str, output: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A film that was stopped before its second frame."""

    def interrupt(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(FilmDreamer, "follow", interrupt)
        patch.setattr(Zoom, "_next", interrupt)
        run(line, output)
    folder = Path(f"{output}.parts")
    assert [path.name for path in (folder / "frames").iterdir()] == ["000001.png"]
    return folder


@pytest.mark.parametrize("line", LINES)
def test_the_tile_is_chosen_once_and_the_recipe_says_it(
    place: Path, memory: Memory, line: str
) -> None:
    made = make(line, "new.mp4")
    assert memory.times == 1
    assert type(read_recipe("new.mp4").options["tile"]) is int
    memory.free = MUCH
    assert make("replay new.mp4", "again.mp4") == made
    assert memory.times == 1
    make(line, "whole.mp4")
    assert read_recipe("whole.mp4").options["tile"] == "none"


@pytest.mark.parametrize("steps", [False, True])
def test_styles_choose_it_once_too(place: Path, memory: Memory, steps: bool) -> None:
    style = RenderedFilm(32, 32, seed=3).frame(0)
    renderer = (
        FilmStylist(StyleFilmOptions("film.mp4", style, model="iris"))
        if steps
        else anystyle_film(AnyStyleFilmOptions("film.mp4", style))
    )
    assert renderer.recipe.options["tile"] == "auto"
    renderer.fix_tile((48, 4096))
    tile = renderer.recipe.options["tile"]
    assert type(tile) is int
    memory.free = MUCH
    renderer.fix_tile((48, 4096))
    assert renderer.recipe.options["tile"] == tile


@pytest.mark.parametrize("line", [DREAM, ZOOM])
def test_a_film_goes_on_with_its_tile_where_other_memory_is_free(
    place: Path, memory: Memory, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    made = make(line, "new.mp4")
    folder = stop(line, "stopped.mp4", monkeypatch)
    tile = tile_of(folder)
    assert type(tile) is int
    assert tile == read_recipe("new.mp4").options["tile"]
    memory.free = MUCH
    assert make(line, "stopped.mp4", "--resume") == made
    assert make(line, "whole.mp4") != made
    refused = run(line, str(stop(line, "more.mp4", monkeypatch))[:-6], "--resume", "--tile", "480")
    assert "made otherwise" in refused.output


def test_frames_of_an_older_film_that_says_auto_are_gone_on_with(
    place: Path, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stop(DREAM, "old.mp4", monkeypatch)
    written = json.loads((folder / "recipe.json").read_text("utf-8"))
    written["options"]["tile"] = "auto"
    (folder / "recipe.json").write_text(json.dumps(written), "utf-8")
    make(DREAM, "old.mp4", "--resume")
    assert read_recipe("old.mp4").options["tile"] == "auto"


class Work:
    """A film whose frames nobody makes."""

    plan = None

    def __init__(self, tile: str | int | None) -> None:
        options = {"tile": 512 if tile is None else tile}
        self.recipe = Recipe("film-dream", options, (), {}, 0, "0.1.0", "2.13.0")


def test_two_processes_that_begin_at_once_agree_on_a_tile(tmp_path: Path) -> None:
    folder = tmp_path / "a.parts"
    first = Work(256)
    Parts(folder, first)  # type: ignore[arg-type]
    found = _open_parts(folder, Work(None), None, Work)  # type: ignore[arg-type]
    assert found.work.recipe == first.recipe
    other = Work(None)
    other.recipe = replace(first.recipe, seed=1)
    with pytest.raises(OptionError, match="made otherwise"):
        _open_parts(folder, other, None, Work)  # type: ignore[arg-type]
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["recipe.json"]
