"""`belamy dream` as a person types it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner, Result

from belamy.cli import app
from belamy.engines.dream.render import Dreamer
from belamy.pixels.images import load_image, save_image
from belamy.pixels.recipe import read_recipe
from belamy.steps import Step

QUICK = ("--octaves", "1", "--steps", "2", "--layer", "conv2a", "--tile", "none")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["dream", *map(str, arguments)])


@pytest.fixture
def picture(tmp_path: Path, photo: Tensor) -> Path:
    save_image(photo, tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_a_dream_and_its_replay(eye: Path, picture: Path, tmp_path: Path) -> None:
    first, again = tmp_path / "first.png", tmp_path / "again.png"
    result = run(picture, "--model", eye, "-o", first, *QUICK)
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [str(first)]
    replayed = CliRunner().invoke(app, ["replay", str(first), "-o", str(again), "--trust"])
    assert replayed.exit_code == 0, replayed.output
    assert first.read_bytes() == again.read_bytes()


def test_a_changed_input_is_not_replayed(eye: Path, picture: Path, tmp_path: Path) -> None:
    run(picture, "--model", eye, "-o", tmp_path / "first.png", *QUICK)
    save_image(torch.zeros(1, 3, 9, 9), picture)
    result = CliRunner().invoke(app, ["replay", str(tmp_path / "first.png"), "-o", "x.png"])
    assert result.exit_code == 1
    assert "photo.png" in result.stderr


def test_from_noise(eye: Path, tmp_path: Path) -> None:
    target = tmp_path / "noise.jpg"
    result = run(
        "--model", eye, "-o", target, "--class", "thing 2", "--size", 40, "--steps", 2,
        "--from", "noise", "--canvas", "fourier",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert load_image(target).shape == (1, 3, 40, 40)
    assert read_recipe(target).options["class_"] == ["thing 2"]


def test_frames_of_the_work(eye: Path, picture: Path, tmp_path: Path) -> None:
    run(picture, "--model", eye, "-o", tmp_path / "out.png", "--every", 1, *QUICK)
    assert read_recipe(tmp_path / "out-0001.png").step == 1
    assert (tmp_path / "out-0002.png").exists()


def test_many_pictures_skip_what_is_done(
    eye: Path, picture: Path, tmp_path: Path, photo: Tensor
) -> None:
    save_image(photo.flip(-1), tmp_path / "other.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    folder = tmp_path / "dreams"
    sources = [picture, tmp_path / "broken.png", tmp_path / "other.png"]
    first = run(*sources, "--model", eye, "-o", f"{folder}/", *QUICK)
    assert first.exit_code == 1  # one could not be read
    assert "broken.png" in first.stderr
    made = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert set(made) == {"photo.png", "other.png"}
    second = run(*sources, "--model", eye, "-o", f"{folder}/", *QUICK)
    assert second.stdout.count("is there already") == 2
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == made


def test_two_processes_share_the_files(
    eye: Path, picture: Path, tmp_path: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_image(photo.flip(-1), tmp_path / "other.png")
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank, name in enumerate(("photo.png", "other.png")):
        monkeypatch.setenv("RANK", str(rank))
        result = run(
            picture, tmp_path / "other.png", "--model", eye, "-o", f"{tmp_path}/d{rank}/", *QUICK
        )
        assert result.exit_code == 0, result.output
        assert [path.name for path in (tmp_path / f"d{rank}").iterdir()] == [name]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no output named"),
        (("-o", "dream.xyz"), "dream.xyz"),
        (("-o", "dream.bmp"), "recipe"),
        (("-o", "dream.png", "--octaves", "0"), "octaves is 0"),
        (("-o", "dream.png", "--layer", "conv9"), "did you mean"),
    ],
)
def test_bad_input_is_one_line(
    eye: Path, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...], words: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    result = run(picture, "--model", eye, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert set(tmp_path.iterdir()) == before


def interrupted(*args: Any, **options: Any) -> Iterator[Step]:
    yield Step(1, 9, torch.zeros(1, 3, 8, 8), {})
    raise KeyboardInterrupt


def test_ctrl_c_keeps_what_was_made(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dreamer, "steps", interrupted)
    result = run(picture, "-o", tmp_path / "out.png")
    assert result.exit_code == 130
    assert load_image(tmp_path / "out.png").shape == (1, 3, 8, 8)


def test_ctrl_c_among_many_goes_aside(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photo: Tensor
) -> None:
    monkeypatch.setattr(Dreamer, "steps", interrupted)
    save_image(photo, tmp_path / "other.png")
    result = run(picture, tmp_path / "other.png", "-o", f"{tmp_path}/d/")
    assert result.exit_code == 130
    assert [path.name for path in (tmp_path / "d").iterdir()] == ["photo-stopped.png"]
