"""`belamy style` as a person types it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner, Result

import belamy.cli.commands.style
from belamy.cli import app
from belamy.pixels.images import load_image, save_image
from belamy.pixels.recipe import read_recipe
from belamy.steps import Step

QUICK = (
    *("--size", "48", "--min-size", "32", "--iterations", "2,1"),
    *("--style-layer", "conv1", "--content-layer", "conv2a"),
)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["style", *map(str, arguments)])


@pytest.fixture
def picture(tmp_path: Path, photo: Tensor) -> Path:
    save_image(photo, tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def painting(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_image(torch.rand(1, 3, 30, 44), tmp_path / "painting.png")
    return tmp_path / "painting.png"


def test_a_painting_and_its_replay(
    eye: Path, picture: Path, painting: Path, tmp_path: Path
) -> None:
    first, again = tmp_path / "first.png", tmp_path / "again.png"
    result = run(
        picture, painting, picture, "--model", eye, "-o", first, *QUICK, "--style-weight", 2,
        "--style-weight", 1, "--mask", picture, "--init", painting,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [str(first)]
    assert read_recipe(first).options["style_weight"] == [2.0, 1.0]
    replayed = CliRunner().invoke(app, ["replay", str(first), "-o", str(again), "--trust"])
    assert replayed.exit_code == 0, replayed.output
    assert first.read_bytes() == again.read_bytes()


def test_paint_may_be_said(eye: Path, picture: Path, painting: Path, tmp_path: Path) -> None:
    target = tmp_path / "new.jpg"
    result = run("paint", picture, painting, "--model", eye, "-o", target, *QUICK)
    assert result.exit_code == 0, result.output
    assert load_image(target).shape == (1, 3, 35, 48)


def test_frames_and_a_trace(eye: Path, picture: Path, painting: Path, tmp_path: Path) -> None:
    target, trace = tmp_path / "new.png", tmp_path / "trace" / "losses.json"
    result = run(
        picture, painting, "--model", eye, "-o", target, *QUICK, "--every", 2, "--trace", trace
    )
    assert result.exit_code == 0, result.output
    assert (tmp_path / "new-0002.png").exists()
    assert not (tmp_path / "new-0001.png").exists()
    rows = json.loads(trace.read_text())
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert {"width", "height", "content", "style", "tv"} <= rows[0].keys()


def test_ctrl_c_keeps_what_is_there(
    eye: Path, picture: Path, painting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = belamy.cli.commands.style.style_steps

    def stopped(*arguments: Any, **options: Any) -> Iterator[Step]:
        for step in whole(*arguments, **options):
            if step.index == 2:
                raise KeyboardInterrupt
            yield step

    monkeypatch.setattr(belamy.cli.commands.style, "style_steps", stopped)
    target = tmp_path / "new.png"
    result = run(
        picture, painting, "--model", eye, "-o", target, *QUICK, "--trace", tmp_path / "t.json"
    )
    assert result.exit_code == 130
    assert "what was made so far" in result.stderr
    assert read_recipe(target).step == 1
    assert len(json.loads((tmp_path / "t.json").read_text())) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "no output named"),
        (["-o", "new.txt"], "suffix"),
        (["-o", "new.png", "--style-layer", "mixed3q"], "mixed3a"),
        (["-o", "new.png", "--size", "0"], "size is 0"),
        (["-o", "new.png", "--mask", "nowhere.png"], "nowhere.png"),
        (["-o", "new.png", "--trace", "photo.png/trace.json"], "is a file"),
    ],
)
def test_bad_input_is_one_line(
    eye: Path,
    picture: Path,
    painting: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(picture.parent)
    result = run(picture, painting, "--model", eye, *options)
    assert result.exit_code == 2
    assert result.stderr.startswith("belamy: ")
    assert result.stderr.count("\n") == 1
    assert words in result.stderr
    assert not Path("new.png").exists()


def test_a_picture_is_never_overwritten(eye: Path, picture: Path, painting: Path) -> None:
    before = painting.read_bytes()
    result = run(picture, painting, "--model", eye, "-o", painting, *QUICK)
    assert result.exit_code == 2
    assert painting.read_bytes() == before


def test_a_style_is_needed(picture: Path) -> None:
    assert run(picture, "-o", "new.png").exit_code == 2
