"""The public names as type checkers, editors and `help` see them."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

import belamy
import belamy.learn

ROOT = Path(__file__).parent.parent
STUB = ROOT / "src" / "belamy" / "__init__.pyi"

# Every comment that says what is wrong must be needed: strict mypy refuses those that are not.
SCRIPT = """
from pathlib import Path

import belamy

belamy.dream("x.jpg").save("y.png")
picture: belamy.Picture = belamy.style("x.jpg", style=["a.jpg"])
for step in belamy.dream_steps("x.jpg", layer="mixed4c", seed=3):
    step.show()
    step.picture.save("so-far.png")
belamy.sheet([picture, belamy.defog(Path("x.jpg"))], captions=["a", "b"]).show()
size: tuple[int, int] = picture.pil.size
name: str = belamy.classify("x.jpg", top=3)[0].name
several = belamy.Pictures(step.picture for step in belamy.gan_paint_steps(count=2, sheet=False))
width: int = several[0].pil.width
belamy.watch(belamy.dream_steps("x.jpg")).show()
belamy.grid(belamy.dream_steps, {"strength": [0.3, 0.6]}, image="x.jpg").save("sheet.png")
best: float = belamy.evaluate_classifier("data")["accuracy"]
belamy.gan_walk(seconds=2).save("walk.gif")
belamy.learn.neuron(weights="1,1").save("and.png")
for news in belamy.train_gan(belamy.GanConfig(data="photos"), Path("run")):
    losses: dict[str, float] = news.losses
steps: int = belamy.read_run("run").config["steps"]
belamy.read_run("run").plot().save("curves.png")

belamy.dream("x.jpg", stength=0.5)  # type: ignore[call-arg]
belamy.dream("x.jpg", strength="much")  # type: ignore[arg-type]
belamy.dream("x.jpg").sav("y.png")  # type: ignore[attr-defined]
belamy.learn.neuron(wieghts="1,1")  # type: ignore[call-arg]
belamy.gan_walk(second=2)  # type: ignore[call-arg]
belamy.draem("x.jpg")  # type: ignore[attr-defined]
number: int = belamy.dream("x.jpg")  # type: ignore[assignment]
"""


def test_the_stub_names_what_the_package_does() -> None:
    names = {}
    for node in ast.parse(STUB.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            for one in node.names:
                assert one.asname == one.name, "a name that is not given again is private"
                names[one.name] = node.module
    homes = {name: "belamy" if name == "learn" else home for name, home in belamy._HOMES.items()}
    assert names == homes


def test_a_users_script_is_checked(tmp_path: Path) -> None:
    """By mypy in strict mode: all names resolve, what is right passes, what is wrong does not."""
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    names = "".join(f"belamy.{name}\n" for name in belamy.__all__)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT + names, "utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(script)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pyright_agrees(tmp_path: Path) -> None:
    """What is right passes, and each line that is wrong is told."""
    if importlib.util.find_spec("pyright") is None:
        pytest.skip("pyright is not installed")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("  # type: ignore", "  # wrong"), "utf-8")
    settings = {"include": [str(script)], "venvPath": "", "pythonVersion": "3.11"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
    words = ["--outputjson", "--pythonpath", sys.executable, "--project", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pyright", *words], capture_output=True, text=True, check=False
    )
    if not done.stdout.startswith("{"):
        pytest.skip("pyright cannot fetch what it runs on")
    found = json.loads(done.stdout)["generalDiagnostics"]
    lines = script.read_text("utf-8").splitlines()
    told = {lines[one["range"]["start"]["line"]] for one in found if one["severity"] == "error"}
    assert told == {line for line in lines if "# wrong" in line}


ENGINES = [name for name in belamy.__all__ if f"{name}_steps" in belamy.__all__]


@pytest.mark.parametrize("name", [*ENGINES, *(f"learn.{name}" for name in belamy.learn.__all__)])
def test_help_says_what_comes_back(name: str) -> None:
    module, _, function = name.rpartition(".")
    value = getattr(belamy.learn if module else belamy, function)
    result = "Film" if name.endswith(("_walk", "_zoom")) else "Picture"
    assert value.__name__ == function
    assert result in str(inspect.signature(value).return_annotation)
    text = inspect.getdoc(value) or ""
    assert text.count("\nReturns:\n") == 1
    assert f"`{result}`" in text.partition("\nReturns:\n")[2]
    assert "Yields:" not in text
    assert "Args:" in text


@pytest.mark.parametrize("name", ["learn.neuron", "gan_walk", "dream"])
def test_a_mistyped_keyword_names_the_nearest(name: str) -> None:
    module, _, function = name.rpartition(".")
    value = getattr(belamy.learn if module else belamy, function)
    right = next(one for one in inspect.signature(value).parameters if len(one) > 5)
    with pytest.raises(TypeError, match=f"{right[:-1]}'.*did you mean {right}"):
        value(**{right[:-1]: 1})


def test_the_lessons_are_reached_from_the_package() -> None:
    code = "import belamy, sys; belamy.learn.neuron; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_lessons_picture_has_all_its_options() -> None:
    recipe = belamy.learn.neuron(threshold=0.5).recipe
    assert recipe is not None
    assert recipe.engine == "learn-neuron"
    assert recipe.options == {"weights": "1,1", "threshold": 0.5, "language": "en"}


@pytest.mark.parametrize("name", [one for one in belamy.__all__ if one.islower()])
def test_whatever_takes_a_path_takes_a_text_too(name: str) -> None:
    value = getattr(belamy, name)
    if not callable(value):
        pytest.skip("no function")
    for one in inspect.signature(value).parameters.values():
        kinds = {kind.strip() for kind in str(one.annotation).split("|")}
        assert "Path" not in kinds or "str" in kinds, one
