"""Replay trusts nothing: files stay in the folder, work stays what the picture was."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

from belamy.cli import app
from belamy.devices import computing_on
from belamy.engines.defog.fog_api import fog
from belamy.engines.dream.api import dream
from belamy.engines.style.api import style
from belamy.pixels.images import load_image, save_image
from belamy.pixels.recipe import Input, Recipe, read_recipe

MADE = "made"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photo: torch.Tensor) -> Path:
    """Where one is: a photo, and a picture made of it in `out/` beside it."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    save_image(photo, "photo.png")
    fog("photo.png", seed=3).save("made.png")
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def replay(picture: str | Path = "made.png", *words: str) -> str:
    """What is said last where it is refused; else the picture is in again.png."""
    result = run("replay", picture, "-o", "again.png", *words)
    assert result.exit_code in (0, 1), result.stderr
    assert (result.exit_code == 0) == Path("again.png").exists()
    return MADE if result.exit_code == 0 else result.stderr.splitlines()[-1]


def change(path: str = "made.png", **fields: Any) -> None:
    """The picture with another recipe."""
    save_image(load_image(path), path, recipe=replace(read_recipe(path), **fields))


def same(path: str = "made.png") -> bool:
    return Path("again.png").read_bytes() == Path(path).read_bytes()


def test_what_will_be_done_is_said_first(folder: Path) -> None:
    result = run("replay", "made.png", "-o", "again.png")
    assert result.stderr.splitlines()[0] == ("replaying fog at 83 × 61, made 2, image 'photo.png'")


def test_a_file_outside_of_the_folder_needs_trust(folder: Path, tmp_path: Path) -> None:
    Path("photo.png").rename(tmp_path / "elsewhere.png")
    for path in (str(tmp_path / "elsewhere.png"), "../elsewhere.png"):
        change(inputs=(Input.of("image", path),))
        assert "lies outside of the picture's folder" in replay()
        assert replay("made.png", "--trust") == MADE
        assert same()
        Path("again.png").unlink()


def test_whether_a_file_is_there_is_not_said(folder: Path) -> None:
    change(inputs=(Input("image", "/no/such/other.png", "0" * 64),))
    assert "lies outside" in replay()
    assert "is missing" in replay("made.png", "--trust")


def test_a_link_out_of_the_folder_is_outside(folder: Path, tmp_path: Path) -> None:
    Path("photo.png").rename(tmp_path / "elsewhere.png")
    Path("photo.png").symlink_to(tmp_path / "elsewhere.png")
    assert "lies outside" in replay()
    assert replay("made.png", "--trust") == MADE


@pytest.mark.parametrize("path", ["//host/share/x.png", "\\\\host\\share\\x.png", "\\/host/x.png"])
def test_no_network_is_asked(folder: Path, path: str) -> None:
    change(inputs=(replace(read_recipe("made.png").inputs[0], path=path),))
    Path("photo.png").rename("elsewhere.txt.gz")
    Path("elsewhere.txt.gz").write_bytes(b"other")
    for line in (
        *("dream", "style", "style apply", "gan walk", "learn mlp", "translate apply"),
        *("defog clear", "fog", "tour", "replay"),
    ):
        words = line.split()
        assert "--no-paths" in run(*words, "--help").stdout, words
    assert "--no-paths" not in run("export", "--help").stdout


def test_a_replay_on_one_thread_is_that_of_two(folder: Path) -> None:
    with computing_on(2) as cannot:
        assert not cannot
        dream("photo.png", octaves=1, steps=1, layer="mixed4a", size=48).save("dream.png")
    assert read_recipe("dream.png").threads == 2
    words = [sys.executable, "-m", "belamy", "replay", "dream.png", "-o", "again.png"]
    done = subprocess.run(
        words,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert same("dream.png")


def test_the_number_of_threads_comes_back() -> None:
    usual = torch.get_num_threads()
    with computing_on(usual + 1) as cannot:
        assert torch.get_num_threads() == usual + 1
        assert not cannot
    assert torch.get_num_threads() == usual
    with computing_on(None) as cannot:
        assert torch.get_num_threads() == usual
        assert not cannot
    with computing_on(1024) as cannot:
        assert torch.get_num_threads() == usual
        assert "made on 1024 threads, which cannot be had here" in cannot


def test_a_limit_of_openmp_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")
    with computing_on(3) as cannot:
        assert "cannot be had" in cannot


def test_old_recipes_know_no_threads(folder: Path) -> None:
    change(threads=None)
    assert replay() == MADE


def test_a_painting_of_several_is_replayed(folder: Path) -> None:
    style("photo.png", ["photo.png", "photo.png"], size=32, iterations="1").save("style.png")
    assert replay("style.png") == MADE
    assert same("style.png")


def test_the_table_shows_no_text_without_end(folder: Path) -> None:
    change(options={"color": "x" * 5000, "y" * 5000: 1})
    result = run("recipe", "made.png")
    assert max(map(len, result.stdout.splitlines())) < 500
    recipe = Recipe.from_json(run("recipe", "made.png", "--json").stdout)
    assert recipe == read_recipe("made.png")
