"""Presets out of settings that are typed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from belamy.cli import app
from belamy.cli.replay import prepare
from belamy.cli.settings.borrowed import borrow_from_picture
from belamy.cli.settings.presets import borrow_from_preset
from belamy.copying.ways import find_way
from belamy.copying.works import work_of
from belamy.copying.writing import write_command, write_python
from belamy.pixels.images import load_image, save_image
from belamy.pixels.recipe import Recipe, read_recipe


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A photograph, and where presets are kept."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    Image.new("RGB", (40, 30), (90, 120, 150)).save("a.png")
    return tmp_path / "config" / "belamy" / "presets"


def saved(folder: Path, *words: str) -> object:
    result = run("preset", "save", "mine", *words, "--overwrite")
    assert result.exit_code == 0, result.output
    return json.loads((folder / "mine.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("words", "engine", "options"),
    [
        (
            ("dream", "--layer", "mixed4b", "--strength", ".5", "--steps=3", "--seed", "4"),
            "dream",
            {"layer": ["mixed4b"], "strength": 0.5, "steps": 3, "seed": 4},
        ),
        (("dream", "picture", "--keep-colors", "--tile", "auto"), "dream", {"keep_colors": True}),
        (("style", "--fast", "--patches", "0.2"), "anystyle", {"patches": 0.2}),
        (("style", "--preset", "sketch"), "style", {"preset": "sketch"}),
        (("gan", "paint", "-n", "2", "--sign"), "gan-paint", {"count": 2, "sign": True}),
        (("style", "apply", "starry-night"), "faststyle", {"network": "starry-night"}),
    ],
)
def test_settings_that_are_typed(
    words: tuple[str, ...], engine: str, options: dict[str, object], folder: Path
) -> None:
    assert saved(folder, *words) == {"engine": engine, "options": options}


MADE_ON = {"device": "cuda:1", "precision": "bfloat16", "tile": 512}


@pytest.fixture
def made_elsewhere() -> Path:
    """A picture whose recipe says what `auto` came to on another machine."""
    recipe = Recipe("dream", {"strength": 0.3, **MADE_ON}, (), {}, 0, "0", "0")
    save_image(load_image("a.png"), "made.png", recipe=recipe)
    return Path("made.png")


def test_what_auto_came_to_elsewhere_is_nobodys_setting(folder: Path, made_elsewhere: Path) -> None:
    found = saved(folder, str(made_elsewhere))
    assert isinstance(found, dict)
    assert {*found["options"]} & {*MADE_ON} == set()
    ways = [find_way("dream")]
    assert {*borrow_from_picture(made_elsewhere, ways).options} & {*MADE_ON} == set()
    assert {*borrow_from_preset("mine", ways).options} & {*MADE_ON} == set()
    work = work_of(read_recipe(made_elsewhere))
    for written in (write_command(work), write_python(work)):
        assert "strength" in written
        assert not any(name in written for name in MADE_ON)
    assert prepare(read_recipe(made_elsewhere), partial=True).options["precision"] == "bfloat16"


def test_what_was_asked_for_goes_along(folder: Path, made_elsewhere: Path) -> None:
    recipe = replace(read_recipe(made_elsewhere), auto=("device", "tile"))
    save_image(load_image("a.png"), "asked.png", recipe=recipe)
    assert saved(folder, "asked.png") == {
        "engine": "dream",
        "options": {"strength": 0.3, "augment": "jitter", "precision": "bfloat16"},
    }
    ways = [find_way("dream")]
    for borrowed in (
        borrow_from_picture(Path("asked.png"), ways),
        borrow_from_preset("mine", ways),
    ):
        assert {*borrowed.options} & {*MADE_ON} == {"precision"}
    work = work_of(read_recipe("asked.png"))
    for written in (write_command(work), write_python(work)):
        assert [name for name in MADE_ON if name in written] == ["precision"]


def test_how_is_computed_is_a_setting_where_it_is_typed(folder: Path) -> None:
    words = ("--precision", "float32", "--tile", "512", "--device", "cpu")
    expected = {"precision": "float32", "tile": 512, "device": "cpu"}
    assert saved(folder, "dream", *words) == {"engine": "dream", "options": expected}
    borrowed = borrow_from_preset("mine", [find_way("dream")])
    assert {name: borrowed.options[name] for name in expected} == expected
    assert saved(folder, "dream", "--precision", "auto") == {"engine": "dream", "options": {}}


def test_they_are_used(folder: Path) -> None:
    saved(folder, "fog", "--amount", "0.7", "--seed", "5")
    assert run("fog", "a.png", "--preset", "mine", "-o", "new.png").exit_code == 0
    made = read_recipe("new.png")
    assert (made.options["amount"], made.seed) == (0.7, 5)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("dream", "--strength", "7"), "strength is 7.0; it must be from 0 to 1"),
        (("dream", "--strength", "x"), "it must be a number"),
        (("dream", "--smooth", "soft"), "soft"),
        (("dream", "--nonsense", "1"), "--nonsense"),
        (("fog", "--nonsense", "1"), "Usage: belamy fog"),
        (("dream", "a.png"), "a preset has options of the engine, and no files"),
        (("dream", "-o", "new.png"), "output 'new.png' is no setting of dream"),
        (("dream", "--mask", "a.png"), "mask 'a.png' is no setting of dream"),
        (("gan", "train", "--steps", "3"), "'gan' is no command that makes pictures"),
        (("a.png", "b.png"), "'a.png' is no command that makes pictures"),
        (("a.png",), "carries no recipe"),
    ],
)
def test_what_is_no_setting_is_said(words: tuple[str, ...], line: str, folder: Path) -> None:
    result = run("preset", "save", "mine", *words)
    assert result.exit_code == (1 if "carries no recipe" in line else 2)
    assert line in result.output
    assert not folder.exists() or not [*folder.iterdir()]


def test_what_a_preset_leaves_open_is_as_usual_today(folder: Path) -> None:
    """Older recipes lack options, and mean what was done then; a preset lacks what is as usual."""
    assert run("gan", "paint", "-n", "1", "-o", "made.png").exit_code == 0
    saved(folder, "gan", "paint", "-n", "1")
    assert run("gan", "paint", "--preset", "mine", "-o", "new.png").exit_code == 0
    assert read_recipe("new.png").options["rejection"] == "face"
    assert read_recipe("new.png").options == read_recipe("made.png").options
