from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from belamy.cli import app
from belamy.pixels.recipe import read_recipe

QUICK = (
    *("--model", "iris", "--layers", "mixed3a", "--size", "32"),
    *("--octaves", "1", "--steps", "1", "--seconds", "0.2", "--fps", "20"),
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_a_journey_becomes_a_film_that_can_be_made_again(place: Path) -> None:
    done = run("dream", "zoom", "noise", "-o", "trip.gif", *QUICK)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == "trip.gif"
    assert sorted(path.name for path in place.iterdir()) == ["trip.gif"]
    assert read_recipe("trip.gif").engine == "dream-zoom"
    assert "is there already" in run("dream", "zoom", "noise", "-o", "trip.gif", *QUICK).stdout
    again = run("replay", "trip.gif", "-o", "again.gif")
    assert again.exit_code == 0, again.output
    assert Path("again.gif").read_bytes() == Path("trip.gif").read_bytes()


def test_a_walk_on_a_picture(place: Path) -> None:
    run("dream", "zoom", "-o", "trip", *QUICK)
    still = sorted(Path("trip").glob("*.png"))[0]
    words = [*QUICK, "--layers", "mixed4a"]
    done = run("dream", "walk", str(still), "-o", "walk.gif", *words)
    assert done.exit_code == 0, done.output
    assert read_recipe("walk.gif").options["layers"] == ["mixed3a", "mixed4a"]


def test_a_picture_may_be_dreamt_on_without_a_name_of_the_command(place: Path) -> None:
    words = ("--model", "iris", "--class", "tabby", "--size", "32", "--steps", "1")
    assert run("dream", "-o", "cat.png", *words).exit_code == 0
    quick = ("--model", "iris", "--octaves", "1", "--steps", "1")
    assert run("dream", "cat.png", "-o", "more.png", *quick).exit_code == 0
    assert run("dream", "picture", "cat.png", "-o", "other.png", *quick).exit_code == 0
    assert Path("more.png").read_bytes() == Path("other.png").read_bytes()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_journey_that_was_stopped_goes_on_to_the_same_bytes(place: Path, sent: int) -> None:
    long = (*QUICK, "--seconds", "1.5")
    words = ["dream", "zoom", "noise", "-o", "trip.gif", *long]
    going = subprocess.Popen(
        [sys.executable, "-m", "belamy", *words], stderr=subprocess.PIPE, text=True
    )
    frames = place / "trip.gif.parts" / "frames"
    for _ in range(600):
        if len(list(frames.glob("*.png"))) > 2:
            break
        time.sleep(0.05)
    going.send_signal(sent)
    _, said = going.communicate(timeout=60)
    assert going.returncode == 128 + sent
    assert "--resume goes on" in said
    assert not (place / "trip.gif").exists()
    refused = run(*words)
    assert refused.exit_code == 2 or "--resume goes on with them" in refused.output
    resumed = run(*words, "--resume")
    assert resumed.exit_code == 0, resumed.output
    assert not frames.exists()
    assert run("dream", "zoom", "noise", "-o", "whole.gif", *long).exit_code == 0
    assert Path("whole.gif").read_bytes() == Path("trip.gif").read_bytes()


def test_overwrite_begins_anew(place: Path) -> None:
    assert run("dream", "zoom", "noise", "-o", "trip.gif", *QUICK).exit_code == 0
    done = run("dream", "zoom", "noise", "-o", "trip.gif", *QUICK, "--seed", "1", "--overwrite")
    assert done.exit_code == 0
    assert read_recipe("trip.gif").seed == 1


def test_nothing_is_left_where_nothing_was_made(place: Path) -> None:
    bad = run("dream", "zoom", "noise", "-o", "trip.gif", *QUICK[:2], "--layers", "mixed9")
    assert bad.exit_code == 2
    assert "mixed9" in bad.output
    assert list(place.iterdir()) == []
