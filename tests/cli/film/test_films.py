from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import belamy
from belamy.cli import app
from belamy.pixels.film import create_film, open_film
from belamy.pixels.motion.rendered import RenderedFilm
from belamy.pixels.recipe import read_recipe

pytest.importorskip("av")
pytest.importorskip("cv2")

# A variable rate, as telephones record it.
TIMES = [Fraction(milliseconds, 1000) for milliseconds in (0, 40, 160, 200, 280)]


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    scene = RenderedFilm(48, 64)
    with create_film("film.mp4", size=(48, 64), frame_rate=Fraction(25)) as writer:
        for index, (time, end) in enumerate(pairwise(TIMES)):
            writer.write(scene.frame(index), time, end - time)
    return "film.mp4"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


LINES = {
    "film-dream": "dream film.mp4 --model iris --layer mixed3a --octaves 1 --steps 2",
    "film-faststyle": "style apply starry-night film.mp4",
    "film-faststyle, openvino": "style apply starry-night film.mp4 --runtime openvino",
    "film-translate": "translate apply impressionism film.mp4",
    "film-defog": "defog film.mp4 --method dcp",
    "film-anystyle": "style film.mp4 style.png --fast --size 64 --every 1",
    "film-style": "style film.mp4 style.png --model iris --iterations 2,2 --size 32",
    "film-style, passes": "style film.mp4 style.png --iterations 1,1 --size 32 --passes 2",
}


@pytest.mark.parametrize("name", LINES)
def test_a_film_goes_through_the_command_for_pictures(film: str, name: str) -> None:
    engine, _, more = name.partition(", ")
    runtime = more if more == "openvino" else ""
    if runtime:
        pytest.importorskip(runtime)
    belamy.save_image(RenderedFilm(32, 32, seed=3).frame(0), "style.png")
    done = run(*LINES[name].split(), "-o", "new.mp4")
    assert done.exit_code == 0, done.output
    recipe = read_recipe("new.mp4")
    assert recipe.engine == engine
    assert recipe.options.get("runtime", "auto") == (runtime or "auto")
    assert recipe.options.get("precision") != "auto"
    with open_film(film) as before, open_film("new.mp4") as after:
        times = [[(frame.time, frame.duration) for frame in reader] for reader in (before, after)]
    assert times[0] == times[1]
    assert not Path("new.mp4.parts").exists()
    again = run("replay", "new.mp4", "-o", "again.mp4")
    assert again.exit_code == 0, again.output
    side = "size" if recipe.options.get("size") else "64 × 48"
    assert f"replaying {engine} at {side}" in again.output
    assert Path("again.mp4").read_bytes() == Path("new.mp4").read_bytes()


def test_options_of_films_are_for_films(film: str) -> None:
    refused = run("defog", film, "-o", "new.png", "--steady", "0.5")
    assert refused.exit_code == 2
    assert "--steady is for films" in refused.output
    refused = run("defog", film, "-o", "new.png", "--size", "32")
    assert "--size is for films" in refused.output
    refused = run("style", film, film, "-o", "new.png", "--passes", "2")
    assert "--passes is for films" in refused.output
    refused = run("style", film, film, "-o", "new.mp4", "--fast", "--passes", "2")
    assert "without steps; leave out --passes" in refused.output
    refused = run("defog", film, "-o", film, "--method", "dcp", "--overwrite")
    assert "would overwrite itself" in refused.output


def test_a_part_of_a_film_side_by_side_with_what_it_was(film: str) -> None:
    words = ("--method", "dcp", "--compare", "--end", "0.2", "--every", "2", "--size", "32")
    assert run("defog", film, "-o", "new.gif", *words).exit_code == 0
    with open_film("new.gif") as made:
        assert made.size == (24, 64)
        assert len(list(made)) == 2
    assert run("replay", "new.gif", "-o", "again.gif").exit_code == 0
    assert Path("again.gif").read_bytes() == Path("new.gif").read_bytes()
    belamy.save_image(RenderedFilm(40, 56, haze=0.5).frame(0), "hazy.png")
    assert run("defog", "hazy.png", "--like", "new.gif", "-o", "clear.png").exit_code == 0
    assert belamy.load_image("clear.png").shape[-2] == 40  # its own size


@pytest.mark.parametrize("source", ["frames", "frames.zip", "frames/%06d.png"])
def test_frames_of_their_own_files_become_a_film(film: str, source: str) -> None:
    with open_film(film) as reader:
        first = [frame.image for frame in reader]
        with create_film("frames", size=reader.size, frame_rate=Fraction(10)) as writer:
            for index, image in enumerate(first):
                writer.write(image, Fraction(index, 10), Fraction(1, 10))
    shutil.make_archive("frames", "zip", "frames")
    done = run("defog", source, "-o", "new.webm", "--method", "dcp")
    assert done.exit_code == 0, done.output
    with open_film("new.webm") as made:
        assert [frame.time for frame in made] == [Fraction(index, 10) for index in range(4)]
    again = run("replay", "new.webm", "-o", "again.webm")
    assert again.exit_code == 0, again.output
    assert Path("again.webm").read_bytes() == Path("new.webm").read_bytes()
    belamy.save_image(first[0], "frames/000002.png")
    if source != "frames.zip":
        changed = run("replay", "new.webm", "-o", "other.webm")
        assert "has changed" in changed.output
        assert changed.exit_code != 0


def test_what_is_no_film_cannot_become_one(film: str) -> None:
    belamy.save_image(RenderedFilm(16, 16).frame(0), "photo.png")
    refused = run("defog", "photo.png", "-o", "new.mp4")
    assert refused.exit_code == 2
    assert "photo.png is no film, and cannot become new.mp4" in refused.output
    missing = run("defog", "no-such.mp4", "-o", "new.mp4")
    assert (missing.exit_code, "there is no such file" in missing.output) == (2, True)


SCENES, LENGTH = 4, 3


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """A film of four scenes, wider than the smallest tile."""
    path = tmp_path / "film.mp4"
    with create_film(path, size=(48, 384), frame_rate=Fraction(25)) as writer:
        for scene in range(SCENES):
            drawn = RenderedFilm(48, 384, seed=scene)
            for index in range(LENGTH):
                frame = drawn.frame(index)
                shown = frame if scene % 2 else 1 - 0.4 * frame
                writer.write(shown, Fraction(scene * LENGTH + index, 25), Fraction(1, 25))
    return path


def start(film: Path, output: str, *launcher: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", *launcher, "belamy", "style", "apply", "starry-night"]
    words += [str(film), "-o", str(film.with_name(output)), "--tile", "256", "--resume"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)


def make(film: Path, output: str, *launcher: str) -> bytes:
    with start(film, output, *launcher) as going:
        going.communicate()
    assert going.returncode == 0
    assert not film.with_name(f"{output}.parts").exists()
    return film.with_name(output).read_bytes()


@pytest.mark.slow
def test_two_processes_share_a_film_in_tiles_to_the_same_bytes(scenes: Path) -> None:
    parts, owners = scenes.with_name("two.mp4.parts"), set()
    going = [start(scenes, "two.mp4") for _ in range(2)]
    while any(one.poll() is None for one in going):
        for claim in parts.glob("scene-*.claim"):
            with suppress(OSError):  # done meanwhile
                owners.update(claim.read_text().split()[1:])
        time.sleep(0.02)
    said = [one.communicate()[0].strip() for one in going]
    assert [one.returncode for one in going] == [0, 0]
    assert owners == {str(one.pid) for one in going}
    waiting = "will be there when the other process has done its part"
    assert sum(one.endswith("two.mp4") for one in said) == 1
    assert sum(waiting in one for one in said) == 1
    assert not parts.exists()
    assert scenes.with_name("two.mp4").read_bytes() == make(scenes, "one.mp4")


@pytest.mark.slow
def test_torchrun_starts_processes_that_share_a_film(scenes: Path) -> None:
    launcher = ("torch.distributed.run", "--nproc-per-node", "2", "-m", "--")
    assert make(scenes, "two.mp4", *launcher) == make(scenes, "one.mp4")
