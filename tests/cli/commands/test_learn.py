"""`belamy learn`: lessons say and show; bad input is one line; replay gives the same bytes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from belamy import cli
from belamy.basics.approximation import FUNCTIONS
from belamy.basics.points import POINTS
from belamy.cli.options import arguments_of
from belamy.learn.lessons.approximation import approximation_steps
from belamy.learn.lessons.mlp import mlp_steps
from belamy.learn.lessons.perceptron import perceptron_steps
from belamy.pixels.recipe import read_recipe

QUICK = {
    "neuron": [],
    "perceptron": ["--count", "20"],
    "mlp": ["--epochs", "2", "--count", "20", "--hidden", "3"],
    "backprop": [],
    "approximation": ["--widths", "1"],
    "depth": ["--levels", "2"],
}


def learn(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["learn", *arguments], env={"COLUMNS": "100"})


@pytest.mark.parametrize("lesson", QUICK)
def test_a_lesson_says_some_lines_and_draws_a_picture(lesson: str, tmp_path: Path) -> None:
    target = tmp_path / "picture.png"
    result = learn(lesson, *QUICK[lesson], "-o", str(target))
    assert result.exit_code == 0, result.output
    *lines, last = result.stdout.splitlines()
    assert 3 <= len(lines) <= 30
    assert last == str(target)
    with Image.open(target) as picture:
        assert picture.size == (1600, 900)
    assert read_recipe(target).engine == f"learn-{lesson}"


@pytest.mark.parametrize("lesson", ["backprop", "mlp"])
def test_gif_is_a_film(lesson: str, tmp_path: Path) -> None:
    target = tmp_path / "film.gif"
    assert learn(lesson, *QUICK[lesson], "-o", str(target)).exit_code == 0
    with Image.open(target) as film:
        assert film.n_frames >= 3
        assert film.size == (960, 540)
    assert read_recipe(target).engine == f"learn-{lesson}"


def test_replay_makes_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    learn("mlp", *QUICK["mlp"], "--points", "xor", "--seed", "4", "-o", str(first))
    result = CliRunner().invoke(cli.app, ["replay", str(first), "-o", str(second)])
    assert result.exit_code == 0, result.output
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("mlp --hidden 0", "hidden is 0; it must be from 1 to 64"),
        ("mlp --hidden 8,x", "--hidden '8,x' is not numbers with commas; write such as --hidden"),
        ("mlp --hidden 100000", "hidden is 100000; it must be from 1 to 64"),
        ("mlp --hidden 8,8,8,8,8,8", "--hidden has 6 numbers; there may be 5 at most"),
        ("mlp --points moon", "unknown points 'moon'; did you mean 'moons'?"),
        ("mlp --epochs 1000000000", "epochs is 1000000000; it must be from 1 to 5000"),
        ("mlp --learning-rate nan", "learning-rate is nan; it must be from 1e-06 to 10"),
        ("mlp --seed -1", "seed is -1; it must be from 0"),
        ("approximation --function sin", "unknown function 'sin'; did you mean 'sine'"),
        ("approximation --function __import__('os')", "unknown function"),
        ("approximation --widths 0,2", "widths is 0; it must be from 1 to 256"),
        ("approximation --widths ,", "is not numbers with commas"),
        ("neuron --weights 1", "--weights '1' has 1 numbers, not 2; write such as --weights 1,1"),
        ("neuron --weights inf,1", "weights is inf; it must be from -10 to 10"),
        ("neuron --threshold 1e9", "threshold is 1000000000.0; it must be"),
        ("backprop --inputs 1,2,3", "--inputs '1,2,3' has 3 numbers, not 2"),
        ("backprop --target 2", "target is 2.0; it must be from 0 to 1"),
        ("perceptron --points spiral", "did you mean 'spirals'?"),
        ("perceptron --sweeps 0", "sweeps is 0; it must be from 1 to 200"),
        ("depth --layers 60", "layers is 60; it must be from 1 to 10"),
        ("depth --levels 60", "layers is 60; it must be from 1 to 10"),
    ],
)
def test_bad_input_is_one_line_and_misuse(typed: str, said: str, tmp_path: Path) -> None:
    result = learn(*typed.split(), "-o", str(tmp_path / "never.png"))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_step_too_long_is_said(tmp_path: Path) -> None:
    options = [
        "--learning-rate",
        "10",
        "--activation",
        "relu",
        "--optimiser",
        "sgd",
        "--count",
        "64",
    ]
    layers = ["--hidden", "64,64,64,64,64", "--epochs", "10", "--count", "64"]
    result = learn("mlp", *options, *layers, "-o", str(tmp_path / "never.png"))
    assert (result.exit_code, list(tmp_path.iterdir())) == (1, [])
    assert "the loss is no number" in result.stderr
    assert "--learning-rate" in result.stderr


def test_the_suffix_is_checked_before_any_work(tmp_path: Path) -> None:
    result = learn("mlp", "-o", str(tmp_path / "picture.xyz"))
    assert result.exit_code == 2
    assert "unknown suffix '.xyz'" in result.stderr
    assert result.stdout == ""


def test_without_matplotlib_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = learn("neuron", "-o", str(tmp_path / "picture.png"))
    assert result.exit_code == 1
    assert result.stderr == (
        "belamy: matplotlib is not installed; run: pip install 'belamy[learn]'\n"
    )


@pytest.mark.parametrize(
    ("steps", "argument", "names"),
    [
        (mlp_steps, "points", POINTS),
        (perceptron_steps, "points", POINTS),
        (approximation_steps, "function", FUNCTIONS),
    ],
    ids=["mlp", "perceptron", "approximation"],
)
def test_help_names_all_that_there_is(steps: object, argument: str, names: dict) -> None:
    text = arguments_of(steps)[argument].help  # type: ignore[arg-type]
    assert [name for name in names if name not in text] == []
