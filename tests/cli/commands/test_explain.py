"""`belamy classify --explain`, and what `belamy dream` says of objectives and classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from torch import Tensor
from typer.testing import CliRunner, Result

from belamy import cli
from belamy.cli.replay import prepare
from belamy.errors import RecipeError
from belamy.pixels.images import load_image, save_image
from belamy.pixels.recipe import Recipe, read_recipe

DREAM = Recipe(
    engine="dream", options={}, inputs=(), weights={}, seed=0, belamy="0.1.0", torch="2.13.0"
)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.app, [*map(str, arguments)])


@pytest.fixture
def photos(photo: Tensor, tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in paths:
        save_image(photo, path)
    return paths


def test_one_picture_and_a_folder_of_them(eye: Path, photos: list[Path], tmp_path: Path) -> None:
    made = run("classify", photos[0], "--model", eye, "--explain", "-o", tmp_path / "x.png")
    assert made.exit_code == 0, made.output
    assert load_image(tmp_path / "x.png").shape[-1] == 2 * 83
    assert read_recipe(tmp_path / "x.png").engine == "explain"
    options = ["--model", eye, "--explain", "--class", "thing 3", "-o", f"{tmp_path}/where/"]
    several = run("classify", *photos, *options)
    assert several.exit_code == 0, several.output
    assert len(list((tmp_path / "where").iterdir())) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--explain"], "say where with -o"),
        (["--class", "thing 3"], "give both"),
        (["--explain", "--class", "cat", "-o", "x.png"], "unknown class of iris 'cat'"),
    ],
)
def test_misuse_is_one_line(
    eye: Path, photos: list[Path], options: list[str], message: str
) -> None:
    failed = run("classify", photos[0], "--model", eye, *options)
    assert failed.exit_code == 2
    assert message in failed.output


def test_a_dream_of_objectives_and_weighted_classes(eye: Path, tmp_path: Path) -> None:
    common = ["--model", eye, "--steps", "1", "--size", "48"]
    views = ["--objective", "neuron:mixed3a:5", "--objective", "direction:mixed3a:x.npy"]
    failed = run("dream", *common, *views, "-o", tmp_path / "x.png")
    assert "cannot read x.npy: there is no such file" in failed.output
    made = run(
        "dream", *common, "--objective", "neuron:mixed3a:5", "--class", "thing 1*0.7",
        "--class", "thing 2:0.3", "--towards", "class:thing 4", "--pictures", "3",
        "-o", tmp_path / "y.png",
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    recipe = read_recipe(tmp_path / "y.png")
    assert recipe.options["class_"] == ["thing 1*0.7", "thing 2:0.3"]
    assert recipe.options["towards"] == "class:thing 4"


@pytest.mark.parametrize("option", ["objective", "towards"])
def test_a_strangers_recipe_reads_no_file_as_a_direction(
    option: str,
) -> None:
    recipe = replace(DREAM, options={option: "direction:mixed3a:/etc/secret.json"})
    with pytest.raises(RecipeError, match="must be its numbers"):
        prepare(recipe)
    prepare(replace(DREAM, options={option: "direction:mixed3a:[1, 2]"}))
    prepare(replace(DREAM, options={option: "class:direction:x"}))
