"""A picture tells how it was made, and can be made again to the byte; what cannot says why."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

import belamy
from belamy.cli import app
from belamy.cli.outputs import save_step
from belamy.devices import make_rng
from belamy.engines import ENGINES
from belamy.pixels.images import Source, load_picture, save_image
from belamy.pixels.recipe import Input, Recipe, read_recipe
from belamy.steps import Step

WEIGHTS = {"tiny": "a" * 64}


def blur_steps(
    image: Source, *, amounts: tuple[float, ...] = (0.25,), steps: int = 3, seed: int = 0
) -> Iterator[Step]:
    """A stand-in for an engine: mixes noise into a picture.

    Args:
        image: what to mix it into.
        amounts: of noise.
        steps: how often.
        seed: of the noise.
    """
    picture = load_picture(image)
    recipe = Recipe(
        engine="blur",
        options={"amounts": list(amounts), "steps": steps, "seed": seed},
        inputs=(Input.of("image", str(image)),),
        weights=WEIGHTS,
        seed=seed,
        belamy=belamy.__version__,
        torch=torch.__version__,
    )
    latest = picture.image
    for index in range(1, steps + 1):
        noise = torch.rand(latest.shape, generator=make_rng(seed, index))
        latest = torch.lerp(latest, noise, amounts[0])
        now = replace(recipe, step=index)
        yield Step(index, steps, latest, {"noise": 1 / index}, picture.alpha, now)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    save_image(torch.rand(1, 3, 5, 7), path, alpha=torch.rand(1, 1, 5, 7))
    return path


@pytest.fixture
def picture(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A picture that the stand-in made, two steps of three."""
    monkeypatch.setitem(sys.modules, "belamy_blur", SimpleNamespace(blur_steps=blur_steps))
    monkeypatch.setitem(ENGINES, "blur", "belamy_blur:blur_steps")
    path = tmp_path / "made.png"
    for step in blur_steps(photo, seed=4):
        if step.index == 2:
            save_step(step, path)
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_recipe_prints_a_table(picture: Path, photo: Path) -> None:
    result = run("recipe", picture)
    assert result.exit_code == 0
    rows = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert rows["engine"] == "blur"
    assert rows["seed"] == "4"
    assert rows["amounts"] == "[0.25]"
    assert rows["image"].startswith(str(photo))
    assert rows["weights"].startswith("tiny")


def test_recipe_prints_json(picture: Path) -> None:
    result = run("recipe", picture, "--json")
    assert Recipe.from_json(result.stdout) == read_recipe(picture)
    assert json.loads(result.stdout)["engine"] == "blur"


def test_a_picture_without_a_recipe(photo: Path) -> None:
    result = run("recipe", photo)
    assert result.exit_code == 1
    assert result.stderr.startswith("belamy: ")
    assert "no recipe" in result.stderr
    assert result.stderr.count("\n") == 1


def test_replay_makes_the_same_bytes(picture: Path, tmp_path: Path) -> None:
    result = run("replay", picture, "-o", tmp_path / "again.png")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "again.png").read_bytes() == picture.read_bytes()
    assert result.stdout.strip() == str(tmp_path / "again.png")


def test_a_replay_can_be_replayed_from_another_format(picture: Path, tmp_path: Path) -> None:
    assert run("replay", picture, "-o", tmp_path / "again.webp").exit_code == 0
    assert run("replay", tmp_path / "again.webp", "-o", tmp_path / "third.png").exit_code == 0
    assert (tmp_path / "third.png").read_bytes() == picture.read_bytes()


def failure(picture: Path, output: Path, code: int = 1) -> str:
    result = run("replay", picture, "-o", output)
    assert result.exit_code == code
    *before, last = result.stderr.splitlines()
    assert all(line.startswith("replaying ") for line in before)  # what it would do, said first
    assert len(before) < 2
    assert last.startswith("belamy: ")
    assert not output.exists()
    return last


def test_a_changed_input_is_refused(picture: Path, photo: Path, tmp_path: Path) -> None:
    save_image(torch.zeros(1, 3, 5, 7), photo)
    assert "has changed" in failure(picture, tmp_path / "again.png")


def test_a_missing_input_is_refused(picture: Path, photo: Path, tmp_path: Path) -> None:
    photo.unlink()
    assert "is missing" in failure(picture, tmp_path / "again.png")


def test_other_weights_are_refused(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WEIGHTS, "tiny", "b" * 64)
    assert "tiny bbbbbbbbbbbb…" in failure(picture, tmp_path / "again.png")


def test_an_option_of_another_version_is_refused(picture: Path, tmp_path: Path) -> None:
    found = read_recipe(picture)
    strange = replace(found, options={**found.options, "sharpness": 2})
    save_image(torch.zeros(1, 3, 5, 7), picture, recipe=strange)
    assert "asks for sharpness" in failure(picture, tmp_path / "again.png")


def test_an_unknown_suffix_is_refused_before_the_recipe_is_read(tmp_path: Path) -> None:
    assert "unknown suffix '.txt'" in failure(tmp_path / "nowhere.png", tmp_path / "again.txt", 2)


def test_other_versions_are_mentioned(picture: Path, tmp_path: Path) -> None:
    old = replace(read_recipe(picture), torch="1.0")
    save_image(torch.zeros(1, 3, 5, 7), picture, recipe=old)
    result = run("replay", picture, "-o", tmp_path / "again.png")
    assert result.exit_code == 0
    assert "torch 1.0; this is" in result.stderr


def test_an_unknown_engine_is_refused(photo: Path, tmp_path: Path) -> None:
    recipe = Recipe("sculpt", {}, (), {}, 0, belamy.__version__, torch.__version__)
    save_image(torch.zeros(1, 3, 5, 7), tmp_path / "made.png", recipe=recipe)
    assert "unknown engine 'sculpt'" in failure(tmp_path / "made.png", tmp_path / "again.png")


def test_ctrl_c_saves_no_half_replay(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @functools.wraps(blur_steps)
    def stopped(*arguments: Any, **options: Any) -> Iterator[Step]:
        yield from blur_steps(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["belamy_blur"], "blur_steps", stopped)
    save_image(torch.zeros(1, 3, 5, 7), picture, recipe=replace(read_recipe(picture), step=None))
    result = run("replay", picture, "-o", tmp_path / "again.png")
    assert result.exit_code == 130
    assert result.stderr.endswith("belamy: stopped\n")
    assert not (tmp_path / "again.png").exists()
