"""A sheet of what one option, or two, make of a picture, which can be made again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import belamy
from belamy.cli import app
from belamy.cli.settings.grid import split_words
from belamy.errors import OptionError
from belamy.pixels.images import load_image, save_image
from belamy.pixels.recipe import Recipe, read_recipe


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output if result.exit_code else result.stdout


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    ramp = torch.linspace(0, 1, 200).expand(1, 3, 160, 200)
    save_image(ramp, tmp_path / "a.png")
    return tmp_path


GRID = ("fog", "a.png", "--grid", "amount=0.1,0.9", "seed=1,2", "-o", "sheet.png")


def test_a_sheet_and_the_same_again() -> None:
    assert run(*GRID) == (0, "sheet.png\n")
    recipe = read_recipe("sheet.png")
    assert recipe.grid == (("amount", (0.1, 0.9)), ("seed", (1, 2)))
    assert recipe.step == 4
    assert run("replay", "sheet.png", "-o", "again.png")[0] == 0
    assert Path("again.png").read_bytes() == Path("sheet.png").read_bytes()
    text = run("recipe", "sheet.png", "--as", "command")[1]
    assert text == "belamy fog a.png --grid amount=0.1,0.9 seed=1,2 -o new.png\n"
    assert "grid, amount" in run("recipe", "sheet.png")[1]


def test_columns_and_rows_hold_what_they_say() -> None:
    """Each cell is what the option makes of the picture: more fog to the right, less contrast."""
    run("fog", "a.png", "--grid", "amount=0.1,0.9", "seed=1,2,3", "-o", "sheet.png")
    sheet = load_image("sheet.png")[0].mean(0)
    height, width = sheet.shape
    cells = [
        [sheet[height * r // 3 :, width * c // 2 :][30:140, 40:160].std() for c in (0, 1)]
        for r in (0, 1, 2)
    ]
    assert all(left > 1.5 * right for left, right in cells)
    one = ("fog", "a.png", "--grid", "amount=0.1,0.5,0.9", "-o", "row.png")
    assert run(*one)[0] == 0
    with Image.open("row.png") as row:
        assert row.width > 2.5 * row.height


def test_python_draws_the_same() -> None:
    run(*GRID)
    picture = belamy.grid(belamy.fog_steps, {"amount": [0.1, 0.9], "seed": [1, 2]}, image="a.png")
    picture.save("python.png")
    assert Path("python.png").read_bytes() == Path("sheet.png").read_bytes()
    with pytest.raises(TypeError, match="no argument 'steps'"):  # of the engine's, not of grid's
        belamy.grid(belamy.fog_steps, {"amount": [0.1]}, image="a.png", steps=3)
    with pytest.raises(OptionError, match="one option or two"):
        belamy.grid(belamy.fog_steps, {}, image="a.png")


def test_like_a_sheet_takes_what_all_have() -> None:
    run(*GRID[:-2], "--patches", "0.1", "-o", "sheet.png")
    assert run("fog", "a.png", "--like", "sheet.png", "-o", "new.png")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--grid", "amuont=1,2"), "did you mean 'amount'?"),
        (("--grid", "amount"), "write OPTION=A,B"),
        (("--grid", "amount=0.1,9"), "amount is 9"),
        (("--grid", "amount=a,b"), "amount"),
        (("--grid", "amount=0.1", "seed=1", "patches=0.9"), "one option or two"),
        (("--grid", "amount=0.1,0.2", "amount=0.3"), "two different options"),
        (("--grid", "seed=" + ",".join(map(str, range(30)))), "1 to 24 values"),
        (("a.png", "--grid", "amount=0.1,0.2"), "of one picture"),
    ],
)
def test_what_cannot_be_a_grid(words: tuple[str, ...], said: str) -> None:
    code, text = run("fog", "a.png", *words, "-o", "sheet.png")
    assert code == 2
    assert said in text
    assert not Path("sheet.png").exists()


def test_a_strangers_sheet_reads_no_files(folder: Path) -> None:
    secret = folder.parent / f"{folder.name}-secret.safetensors"
    secret.write_text("secret")
    recipe = Recipe("defog", {}, (), {}, 0, "0", "0", grid=(("network", (str(secret), "defog")),))
    with pytest.raises(belamy.BelamyError, match="grid"):
        replace(recipe, grid=(("network", ()),))
    image = load_image("a.png")
    made = belamy.fog("a.png").recipe
    assert made is not None
    save_image(image, "bad.png", recipe=replace(recipe, inputs=made.inputs))
    code, text = run("replay", "bad.png", "-o", "new.png")
    assert code == 1
    assert "only networks that are called by a name" in text


def test_a_strangers_sheet_does_not_work_without_end() -> None:
    """Twenty-four times as many steps as one picture may have."""
    run(*GRID)
    made = read_recipe("sheet.png")
    options = {"steps": 9000, "layer": "mixed3a", "model": "iris", "size": 16}
    many = tuple(one / 24 for one in range(24))
    huge = replace(made, engine="dream", options=options, grid=(("strength", many),), weights={})
    save_image(load_image("a.png"), "bad.png", recipe=huge)
    code, text = run("replay", "bad.png", "-o", "new.png")
    assert code == 1
    assert "asks for" in text
    assert "steps" in text


def test_words_of_a_grid() -> None:
    words = ["a", "--grid", "b=1", "c=2", "-o", "x=y.png"]
    assert split_words(words) == ["a", "--grid", "b=1", "--grid", "c=2", "-o", "x=y.png"]
