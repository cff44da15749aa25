"""Inputs that a recipe names: as they were, changed, missing, or not to be read."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from belamy.cli.replay import Call
from belamy.cli.replay_files import find_files
from belamy.engines.defog.fog_api import fog_steps
from belamy.errors import BelamyError, RecipeError
from belamy.pixels import recipe as recipes
from belamy.pixels.recipe import Input, Recipe

DIGEST = "0123456789abcdef" * 4
RECIPE = Recipe(
    engine="fog", options={}, inputs=(), weights={}, seed=0, belamy="0.1.0", torch="2.13.0"
)


def find(recipe: Recipe) -> None:
    find_files(Call(recipe, fog_steps, {}, {}), Path("elsewhere"), trust=True)


@pytest.fixture
def recipe_with_input(tmp_path: Path) -> Recipe:
    (tmp_path / "a.jpg").write_bytes(b"photo")
    return replace(RECIPE, inputs=(Input.of("image", tmp_path / "a.jpg"),))


def test_inputs_that_are_as_they_were(recipe_with_input: Recipe) -> None:
    find(recipe_with_input)
    assert recipe_with_input.inputs[0].sha256 == hashlib.sha256(b"photo").hexdigest()
    find(replace(RECIPE, inputs=()))


def test_an_input_that_changed(recipe_with_input: Recipe, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"photo!")
    with pytest.raises(
        RecipeError, match=r"a\.jpg' \(image\) has changed: its SHA-256 was \w{12}…"
    ):
        find(recipe_with_input)


def test_an_input_that_is_missing(recipe_with_input: Recipe, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(RecipeError, match=r"a\.jpg' \(image\) is missing"):
        find(recipe_with_input)
    (tmp_path / "a.jpg").mkdir()
    with pytest.raises(RecipeError, match="is missing"):
        find(recipe_with_input)


@pytest.mark.parametrize("path", ["a\0b", "\ud800", "n" * 5000, "", "a\n\x1b[31m"])
def test_inputs_with_impossible_paths(path: str) -> None:
    with pytest.raises(RecipeError, match="is missing") as caught:
        find(replace(RECIPE, inputs=(Input("im\nage", path, DIGEST),)))
    assert str(caught.value).isprintable()


def test_an_input_that_cannot_be_read(
    recipe_with_input: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object) -> str:
        raise BelamyError(f"cannot read {path}: Permission denied")

    monkeypatch.setattr(recipes.files, "sha256", refuse)
    with pytest.raises(RecipeError, match=r"cannot be checked: .*Permission denied"):
        find(recipe_with_input)
