"""What is loaded is what is used: which modules commands must not bring, each in a process of its
own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from torch import Tensor

from belamy.pixels.images import save_image
from belamy.pixels.recipe import Recipe

# What only some commands, extras or users' own networks need.
ELSEWHERE = {
    *("matplotlib", "scipy", "onnxruntime", "openvino", "av", "cv2", "timm", "accelerate"),
    *("fastapi", "starlette", "uvicorn", "http.server", "tensorboard", "transformers"),
    *("sympy", "torch._dynamo", "torch._inductor", "torchvision", "IPython"),
}
HEAVY = {"torch", "numpy", "PIL", *ELSEWHERE}
# What typer itself needs for a command line, but not for help.
TYPING = {"pydantic", "importlib.metadata", "email.message", "ssl", "urllib.request"}

# Prints, after the command's own output, which heavy modules it brought.
CODE = f"""
import atexit, sys
heavy = {sorted(HEAVY | TYPING)}
atexit.register(lambda: print("imported", *[one for one in heavy if one in sys.modules]))
from belamy.cli import main
main()
"""


def imported(*arguments: str, code: int = 0) -> set[str]:
    """Which heavy modules a command imports; its exit code is looked at."""
    return loaded(*arguments, code=code) & HEAVY


def loaded(*arguments: str, code: int = 0) -> set[str]:
    """As `imported`, with what typer needs."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "100"},
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("--version", 0),
        ("--help", 0),
        ("dream --help", 0),
        ("models", 2),
        ("models list", 0),
        ("models show vgg19", 0),
        ("models show starry-night", 0),
        ("models show irs", 2),
        ("models show irs --classes", 2),
        ("models remove vgg16", 1),
        ("doctor", 0),
        ("doctor --json", 0),
    ],
)
def test_a_list_brings_nothing_heavy(command: str, code: int) -> None:
    assert imported(*command.split(), code=code) == set()


@pytest.mark.parametrize("command", ["--version", "--help"])  # of a command, typer reads the line
def test_help_brings_nothing_of_the_line_s_reading(command: str) -> None:
    assert loaded(*command.split()) == set()


@pytest.mark.parametrize("command", ["models show iris", "models show iris --classes"])
def test_the_head_of_a_file_brings_no_torch(command: str) -> None:
    assert imported(*command.split()) <= {"numpy"}  # safetensors' own


def test_a_recipe_brings_no_torch(photo: Tensor, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    save_image(photo, path, recipe=Recipe("dream", {"steps": 3}, (), {}, 0, "0.2", "2.13"))
    assert imported("recipe", str(path)) <= {"numpy", "PIL"}


@pytest.mark.parametrize(
    "command",
    [
        "dream photo.png --model vgg91 -o made.png",
        "style photo.png photo.png --model vgg91 -o made.png",
        "style photo.png photo.png --fast --network anystile -o made.png",
        "style apply stary-night photo.png -o made.png",
        "translate apply impresionism photo.png -o made.png",
        "defog photo.png --network defg -o made.png",
        "classify photo.png --model irs",
        "gan paint portrait -o made.png",
        "models atlas irs -o made.png",
    ],
)
def test_a_name_that_is_unknown_is_said_before_torch_comes(
    command: str, photo: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_image(photo, tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    assert "torch" not in imported(*command.split(), code=2)
    assert not (tmp_path / "made.png").exists()


SMALL = "--size 32"


@pytest.mark.parametrize(
    "command",
    [
        f"dream photo.png -o made.png {SMALL} --octaves 1 --steps 1",
        f"style photo.png photo.png -o made.png {SMALL} --model iris --iterations 1",
        f"style photo.png photo.png --fast -o made.png {SMALL}",
        f"style apply starry-night photo.png -o made.png {SMALL}",
        f"translate apply impressionism photo.png -o made.png {SMALL}",
        "gan paint --count 1 -o made.png",
        "defog photo.png -o made.png",
        "fog photo.png -o made.png",
        "classify photo.png --model iris",
    ],
)
def test_pictures_bring_torch_and_nothing_of_other_commands(
    command: str, photo: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_image(photo, tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    assert "torch" in (brought := imported(*command.split()))
    assert brought & ELSEWHERE == set()
