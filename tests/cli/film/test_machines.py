"""What a machine decides of a film is decided once, and holds wherever the film is gone on with."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

import belamy
from belamy.cli import app
from belamy.cli.film.making import _open_parts
from belamy.devices import computing_on
from belamy.engines import feedforward, tiling
from belamy.engines.anystyle import render as anystyle
from belamy.engines.film import overlap
from belamy.engines.film.begun import begun_in, like_begun
from belamy.engines.film.dreaming import FilmDreamer
from belamy.engines.film.film_options import (
    AnyStyleFilmOptions,
    DefogFilmOptions,
    DreamFilmOptions,
    StyleFilmOptions,
)
from belamy.engines.film.journey import Zoom
from belamy.engines.film.one_pass import OnePass, PaintedAlone, anystyle_film
from belamy.engines.film.painting import FilmStylist
from belamy.engines.film.parts import Parts
from belamy.engines.film.repaint import Painted
from belamy.errors import OptionError
from belamy.networks.image_to_image import runtime
from belamy.pixels.film import create_film
from belamy.pixels.motion.flow import opencv
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


def interrupt(*given: object) -> None:
    raise KeyboardInterrupt


def stop(line: str, output: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A film that was stopped before its second frame."""
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
    begun = begun_in(folder)
    assert begun is not None
    tile = begun.options["tile"]
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

    def __init__(self, begun: Recipe | None) -> None:
        tile = 512 if begun is None else begun.options["tile"]
        threads = torch.get_num_threads()
        self.recipe = Recipe(
            "film-dream", {"tile": tile}, (), {}, 0, "0.1", "2.13.0", None, threads
        )


def test_two_processes_that_begin_at_once_agree(tmp_path: Path) -> None:
    folder, usual = tmp_path / "a.parts", torch.get_num_threads()
    first = Work(None)
    first.recipe = replace(first.recipe, options={"tile": 256}, threads=usual + 1)
    Parts(folder, first)  # type: ignore[arg-type]
    with ExitStack() as threads:
        found = _open_parts(folder, Work(None), None, Work, threads)  # type: ignore[arg-type]
        assert found.work.recipe == first.recipe
        assert torch.get_num_threads() == usual + 1
    assert torch.get_num_threads() == usual
    other = Work(None)
    other.recipe = replace(first.recipe, seed=1)
    with (
        pytest.raises(OptionError, match=r"made otherwise \(seed 0, not 1\)"),
        ExitStack() as threads,
    ):
        _open_parts(folder, other, begun_in(folder), Work, threads)  # type: ignore[arg-type]
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["recipe.json"]


def test_what_a_machine_decided_holds_where_the_options_leave_it_open() -> None:
    decided = {"tile": "none", "precision": "bfloat16", "device": "cpu", "model": "iris"}
    begun = Recipe("film-dream", {**decided, "steady": 0.5}, (), {}, 0, "0.1", "2.13.0")
    options = DreamFilmOptions("film.mp4", precision="float32")
    found = like_begun(options, begun)
    assert (found.tile, found.device, found.model) == ("none", "cpu", "iris")
    assert (found.precision, found.steady) == ("float32", 1.0)
    assert like_begun(options, None) is options
    assert like_begun(DefogFilmOptions("film.mp4"), begun).device == "cpu"


def test_a_film_goes_on_in_the_precision_and_on_the_threads_that_it_was_begun_in(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choose(name: str) -> Any:
        return lambda precision, *rest: name if precision == "auto" else precision

    hold = OnePass.hold

    def interrupt_second(renderer: OnePass, alone: PaintedAlone, state: Any) -> Painted:
        return interrupt() if state else hold(renderer, alone, state)  # type: ignore[return-value]

    line, usual = "style apply starry-night film.mp4", torch.get_num_threads()
    monkeypatch.setattr(overlap, "_MOST", 1)  # one at a time, on all threads
    with computing_on(usual + 1):
        monkeypatch.setattr(runtime, "choose_pass_precision", choose("bfloat16"))
        made = make(line, "new.mp4")
        with monkeypatch.context() as patch:
            patch.setattr(OnePass, "hold", interrupt_second)
            run(line, "stopped.mp4")
    assert Path("stopped.mp4.parts").is_dir()
    monkeypatch.setattr(runtime, "choose_pass_precision", choose("float32"))
    assert make(line, "stopped.mp4", "--resume") == made
    assert torch.get_num_threads() == usual
    recipe = read_recipe("stopped.mp4")
    assert (recipe.options["precision"], recipe.threads) == ("bfloat16", usual + 1)
    make(line, "other.mp4")
    assert read_recipe("other.mp4").options["precision"] == "float32"


def test_frames_that_are_painted_at_a_time_have_their_own_threads_which_the_recipe_says(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, usual = "style apply starry-night film.mp4", torch.get_num_threads()
    threads = opencv().getNumThreads()
    films = []
    for cores in (1, 2):
        monkeypatch.setenv("OMP_NUM_THREADS", str(cores))
        with computing_on(cores):
            films.append(make(line, f"{cores}.mp4"))
    assert films[0] == films[1]
    assert read_recipe("2.mp4").threads == 1
    assert (torch.get_num_threads(), opencv().getNumThreads()) == (usual, threads)
