"""The settings of a picture that was made, on other pictures; what is typed wins."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from belamy.cli import app
from belamy.copying.presets import PRESETS
from belamy.pixels.recipe import Recipe, read_recipe


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def done(*words: str | Path) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.output


def said(*words: str | Path, code: int = 2) -> str:
    result = run(*words)
    assert result.exit_code == code, result.output
    assert result.output.count("\n") == 1
    return result.output


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photographs, a folder of one's own settings, and nobody else's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name, colour in (("a.png", (90, 120, 150)), ("b.png", (150, 120, 90))):
        Image.new("RGB", (40, 30), colour).save(tmp_path / name)
    return tmp_path


def options(path: str) -> dict[str, object]:
    return dict(read_recipe(path).options)


def test_like_on_several_pictures() -> None:
    done("fog", "a.png", "--amount", "0.7", "--seed", "5", "-o", "made.png")
    done("fog", "a.png", "b.png", "--like", "made.png", "-o", "new/")
    for name in ("a", "b"):
        assert options(f"new/{name}.png") == options("made.png")
    assert read_recipe("new/b.png").inputs[0].path == "b.png"


def test_what_was_asked_of_the_machine_goes_along_and_what_it_chose_does_not() -> None:
    words = ("--model", "iris", "--octaves", "1", "--steps", "1")
    done("dream", "a.png", *words, "--precision", "float32", "-o", "made.png")
    done("dream", "b.png", "--like", "made.png", "-o", "new.png")
    assert read_recipe("new.png").auto == read_recipe("made.png").auto == ("device", "tile")
    done("preset", "save", "mine", "made.png")
    done("dream", "b.png", "--preset", "mine", "-o", "kept.png")
    assert read_recipe("kept.png").auto == ("device", "tile")
    assert "precision float32" in done("recipe", "made.png", "--as", "command")
    shown = done("recipe", "made.png")
    assert re.search(r'device +"cpu", which auto came to', shown)
    assert re.search(r'precision +"float32"$', shown, re.MULTILINE)


def test_what_is_typed_wins() -> None:
    done("fog", "a.png", "--amount", "0.7", "--seed", "5", "-o", "made.png")
    done("fog", "b.png", "--like", "made.png", "--amount", "0.2", "-o", "new.png")
    assert (options("new.png")["amount"], read_recipe("new.png").seed) == (0.2, 5)


def test_settings_of_another_engine_are_refused() -> None:
    done("fog", "a.png", "-o", "made.png")
    assert "has settings of fog" in said("defog", "b.png", "--like", "made.png", "-o", "new.png")
    assert "carries no recipe" in said(
        *("fog", "b.png", "--like", "a.png", "-o", "new.png"), code=1
    )


def test_a_layer_that_is_typed_stands_for_the_class(eye: Path) -> None:
    shutil.copy(eye, "eye.safetensors")
    small = ("--size", "24", "--steps", "1", "--octaves", "1")
    network = ("--model", "eye.safetensors")
    done("dream", "a.png", *network, "--class", "thing 3", *small, "-o", "made.png")
    done("dream", "b.png", "--like", "made.png", "--layer", "mixed3a", "-o", "new.png")
    found = options("new.png")
    assert (found["layer"], found["class_"], found["size"]) == (["mixed3a"], None, 24)


def test_files_are_found_beside_the_picture_and_nowhere_else(eye: Path, folder: Path) -> None:
    """The same network; moved away it is looked for in no other folder, unless it is named."""
    shutil.copy(eye, "eye.safetensors")
    small = ("--size", "24", "--steps", "1", "--octaves", "1", "--layer", "mixed3a")
    done("dream", "a.png", "--model", folder / "eye.safetensors", *small, "-o", "made.png")
    done("dream", "b.png", "--like", "made.png", "-o", "new.png")
    (folder / "away").mkdir()
    shutil.copy("made.png", "away/made.png")
    text = said("dream", "b.png", "--like", "away/made.png", "-o", "other.png", code=1)
    assert "lies outside of the picture's folder" in text
    assert "name it: --model" in text
    named = ("--model", "eye.safetensors", "--layer", "mixed3a")
    done("dream", "b.png", "--like", "away/made.png", *named, "-o", "other.png")


def test_a_strangers_recipe_is_checked(folder: Path) -> None:
    """Before anything of it is used; and it names no file that is read."""
    from belamy.pixels.images import load_image, save_image

    secret = folder.parent / f"{folder.name}-secret.safetensors"
    secret.write_text("secret")
    for given, word in (
        ({"amount": 99.0}, "amount"),
        ({"surprise": 1}, "surprise"),
        ({"amount": ["a"]}, "amount"),
    ):
        recipe = Recipe("fog", given, (), {}, 0, "0", "0")
        save_image(load_image("a.png"), "made.png", recipe=recipe)
        assert word in said("fog", "b.png", "--like", "made.png", "-o", "new.png", code=1)
    recipe = Recipe("defog", {"network": str(secret)}, (), {}, 0, "0", "0")
    save_image(load_image("a.png"), "made.png", recipe=recipe)
    text = said("defog", "b.png", "--like", "made.png", "-o", "new.png", code=1)
    assert "lies outside" in text


def test_a_network_may_be_left_out(eye: Path) -> None:
    """`style apply PHOTO --like made.png`: the network is that of the picture."""
    done("style", "apply", "starry-night", "a.png", "--size", "32", "-o", "made.png")
    done("style", "apply", "b.png", "--like", "made.png", "-o", "new.png")
    assert options("new.png")["network"] == "starry-night"
    assert options("new.png")["size"] == 32


def test_presets_are_saved_used_listed_and_removed(folder: Path) -> None:
    done("fog", "a.png", "--amount", "0.7", "--seed", "5", "-o", "made.png")
    path = folder / "config" / "belamy" / "presets" / "thick.json"
    assert done("preset", "save", "thick", "made.png").strip() == str(path)
    assert json.loads(path.read_text()) == {"engine": "fog", "options": {"amount": 0.7}}
    assert "replace it with --overwrite" in said("preset", "save", "thick", "made.png")
    assert done("preset", "list").splitlines()[0].split() == ["thick", "fog", "yours"]
    assert done("preset", "show", "thick") == "belamy fog --amount 0.7 -o new.png\n"
    done("fog", "b.png", "--preset", "thick", "--seed", "2", "-o", "new.png")
    assert (options("new.png")["amount"], read_recipe("new.png").seed) == (0.7, 2)
    done("fog", "b.png", "--preset", str(path), "-o", "again.png")
    assert options("again.png")["amount"] == 0.7
    done("preset", "remove", "thick")
    assert not path.exists()
    assert "unknown preset 'thick'" in said("fog", "b.png", "--preset", "thick", "-o", "x.png")


def test_belamys_own_presets_are_those_of_the_studio() -> None:
    (row,) = PRESETS["fog"]
    done("fog", "a.png", "--preset", row["name"], "-o", "new.png")
    assert options("new.png")["amount"] == row["options"]["amount"]
    assert "comes with belamy" in said("preset", "remove", row["name"])


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "is no preset"),
        ("[]", "needs an engine"),
        ('{"engine": "fog", "options": {"amuont": 1}}', "amuont"),
        ('{"engine": "fog", "options": {"amount": "much"}}', "amount"),
        ('{"engine": "frog", "options": {}}', "frog"),
        ('{"engine": ["fog"], "options": {}}', "engine"),
        ('{"engine": "fog", "options": {}, "extra": 1}', "extra"),
        ('{"engine": "dream", "options": {}}', "has settings of dream"),
    ],
)
def test_a_broken_preset_is_said_in_a_line(text: str, word: str) -> None:
    Path("broken.json").write_text(text)
    code = 2 if "has settings of" in word else 1  # of another engine: what was asked is wrong
    assert word in said("fog", "a.png", "--preset", "broken.json", "-o", "new.png", code=code)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".x", "x" * 99, "a\nb"])
def test_names_of_presets_lead_nowhere_else(name: str, folder: Path) -> None:
    done("fog", "a.png", "-o", "made.png")
    assert "the name is" in said("preset", "save", name, "made.png")
    assert not (folder / "config").exists()


def test_the_styles_own_preset_stays_its_own() -> None:
    """`--preset sketch` is an option of style's; other names are looked for."""
    assert "unknown preset 'none'" in said(
        "style", "a.png", "b.png", "--preset", "none", "-o", "n.png"
    )
    small = ("--size", "32", "--min-size", "32", "--iterations", "1,1")
    done("style", "a.png", "b.png", "--preset", "sketch", *small, "-o", "n.png")
    assert options("n.png")["preset"] == "sketch"


def test_like_and_preset_are_too_much() -> None:
    assert "leave one of them out" in said(
        *("fog", "a.png", "--like", "x.png", "--preset", "y", "-o", "n.png")
    )
