"""Replay trusts nothing: files stay in the folder, work stays what the picture was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

from belamy.cli import app
from belamy.cli.replay import Call
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
    made = Path("again.png").exists()
    assert result.exit_code == (0 if made else 1), result.stderr
    return MADE if made else result.stderr.splitlines()[-1]


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
    for words in ([], ["--trust"]):
        assert "is on a network, which no replay opens" in replay("made.png", *words)


def test_a_file_beside_the_picture_is_taken_first(folder: Path) -> None:
    """By its name, as Windows has it too; after a new name, by its content."""
    digest = read_recipe("made.png").inputs[0].sha256
    for path in ("C:\\Users\\anna\\photo.png", "/home/anna/photo.png", "//nas/anna/photo.png"):
        change(inputs=(Input("image", path, digest),))
        assert replay() == MADE
        assert read_recipe("again.png") == read_recipe("made.png")
        Path("again.png").unlink()
    Path("photo.png").rename("holiday.png")
    assert replay() == MADE


def test_devices_and_what_has_no_end(folder: Path) -> None:
    os.mkfifo("pipe")
    with Path("huge").open("wb") as file:
        file.truncate(1 << 43)
    for path in ("/dev/zero", "pipe", "huge", "/proc/kmsg", "/proc/self/environ"):
        change(inputs=(Input("image", path, "0" * 64),))
        assert "cannot be checked" in replay("made.png", "--trust")


@pytest.mark.parametrize("value", ["/etc/passwd", "photo.png", 7])
def test_a_picture_is_no_option(folder: Path, value: object) -> None:
    recipe = read_recipe("made.png")
    change(inputs=(), options={**recipe.options, "image": value})
    assert "image must be among its inputs" in replay()


def test_a_direction_is_no_file(folder: Path) -> None:
    options = {**read_recipe("made.png").options, "color": "direction:mixed3a:/etc/passwd"}
    change(options=options)
    assert "it must be its numbers" in replay()


@pytest.mark.parametrize("network", [1.5, True, 0, None, [], ["iris"], ["iris", 7]])
def test_a_network_is_a_text(folder: Path, network: object) -> None:
    for engine, name in (("translate", "network"), ("atlas", "model"), ("style", "model")):
        change(engine=engine, options={name: network}, inputs=())
        assert "it must be a text" in replay()


def test_pictures_of_an_atlas_are_files_like_others(folder: Path, tmp_path: Path) -> None:
    change(engine="atlas", inputs=(), options={"activations": True}, step=None)
    assert "it must be a text or a path" in replay()
    change(options={"activations": str(tmp_path / "photos")})
    assert "lies outside of the picture's folder" in replay()


def test_weights_of_what_has_none(folder: Path) -> None:
    change(weights={"iris": "b" * 64})
    assert "the recipe has weights, and fog has none" in replay()


@pytest.mark.parametrize(
    ("engine", "options", "said"),
    [
        ("dream", {"size": 8000}, "asks for 8000 px, and is 83 px itself"),
        ("dream", {"steps": 100_000}, "asks for 100000 steps"),
        ("dream", {"steps": 1000, "octaves": 32}, "asks for 32000 steps"),
        ("style", {"size": "8000+"}, "asks for 8000 px"),
        ("style", {"size": 64, "iterations": "1000000,1"}, "asks for 1.00001e+06 steps"),
        ("style", {"size": 64, "style_scale": 100.0}, "asks for styles 100 times as large"),
        ("gan-paint", {"count": 400, "upscale": 16}, "megapixels, beyond what this picture can"),
        ("gan-walk", {"seconds": 1000.0, "fps": 25.0}, "asks for 25000 steps"),
        ("gan-evaluate", {"data": "photos", "count": 1_000_000}, "asks for 1e+06 pictures"),
        ("atlas", {"model": "iris", "layer": "mixed3a", "channels": 200}, "25600 steps"),
        ("learn-mlp", {"epochs": 5000, "count": 2000}, "222 times the work of the lesson"),
        ("learn-gan_toy", {"steps": 8000}, "2 times the work of the lesson"),
    ],
)
def test_more_work_than_the_picture_was_needs_trust(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    options: dict[str, Any],
    said: str,
) -> None:
    Path("photos").mkdir()
    photo = Input.of("image", "photo.png")
    painted = (replace(photo, role="content"), replace(photo, role="style"))
    inputs = {"dream": (photo,), "style": painted}
    if engine == "atlas":  # whose default is larger than this picture
        options = {**options, "size": 64}
    change(engine=engine, options=options, step=None, inputs=inputs.get(engine, ()))
    assert said in replay()
    assert "--trust" in replay()
    begun = []
    monkeypatch.setattr(Call, "start", lambda *_: iter(begun.append(1) or ()))
    run("replay", "made.png", "-o", "again.png", "--trust")
    assert begun


def test_a_large_input_of_a_small_picture_needs_trust(folder: Path) -> None:
    save_image(torch.rand(1, 3, 300, 400), "photo.png")
    change(inputs=(Input.of("image", "photo.png"),))
    assert "asks for the size of its input, 400 × 300" in replay()


def test_weights_are_compared_before_the_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dream("photo.png", octaves=1, steps=1, layer="mixed3a", model="iris").save("dream.png")
    change("dream.png", weights={"iris": "b" * 64})

    def begin(*_: object) -> Iterator[None]:
        raise AssertionError("begun")

    monkeypatch.setattr(Call, "start", begin)
    assert "the weights here are others" in replay("dream.png")


def test_networks_are_files_too(folder: Path, eye: Path) -> None:
    dream("photo.png", model=eye, octaves=1, steps=1, layer="mixed3a", size=48).save("dream.png")
    assert "the model" in replay("dream.png")
    assert "lies outside" in replay("dream.png")
    Path("eye.safetensors").write_bytes(eye.read_bytes())
    assert replay("dream.png") == MADE
    assert same("dream.png")
    Path("again.png").unlink()
    Path("eye.safetensors").write_bytes(b"another")
    assert "lies outside" in replay("dream.png")
    change("dream.png", options={**read_recipe("dream.png").options, "model": "eye.safetensors"})
    assert "has changed: its SHA-256 was" in replay("dream.png")


def test_a_recipe_without_folders_is_replayed(folder: Path, eye: Path) -> None:
    Path("in").mkdir()
    Path("in/photo.png").write_bytes(Path("photo.png").read_bytes())
    words = ["--model", eye, "--octaves", 1, "--steps", 1, "--layer", "mixed3a", "--size", 48]
    assert run("dream", "in/photo.png", "-o", "dream.png", "--no-paths", *words).exit_code == 0
    found = read_recipe("dream.png")
    assert found.inputs[0].path == "photo.png"
    assert found.options["model"] == "eye.safetensors"
    Path("eye.safetensors").write_bytes(eye.read_bytes())
    assert replay("dream.png") == MADE
    assert same("dream.png")
    assert run("dream", "in/photo.png", "-o", "open.png", *words).exit_code == 0
    assert read_recipe("open.png").inputs[0].path == "in/photo.png"


@pytest.mark.parametrize(
    "line",
    [
        *("dream", "style", "style apply", "gan walk", "learn mlp", "translate apply"),
        *("defog clear", "fog", "tour", "replay"),
    ],
)
def test_every_command_that_makes_pictures_can_hide_folders(line: str) -> None:
    assert "--no-paths" in run(*line.split(), "--help").stdout
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
