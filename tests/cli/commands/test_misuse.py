"""What cannot be asked ends with 2, whatever it is; work that fails ends with 1."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from typer.testing import CliRunner

from belamy.cli import app

MISUSED = """
dream p.png -o a.png --preset nope
dream p.png -o a.png --preset nope.json
dream p.png -o a.png --layer nope --model iris
dream p.png -o a.png --model nope
dream p.png -o a.png --model nope.safetensors
dream p.png -o a.png --device gpu
dream p.png -o a.png --octaves 99
dream p.png -o a.png --octaves x
dream p.png -o a.png --smooth nope
dream p.png -o a.png --nope 3
dream p.png -o a.png --like nope.png
dream p.png -o a.png --like painted.png
dream p.png -o a.png --grid nope=1,2
dream p.png -o a.png --grid nope
dream p.png -o a.png --grid octaves=1,x
dream p.png -o a.xyz
dream p.png -o a.bmp
dream p.png -o {nope}.png
dream p.png
dream p.png -o p.png
dream nope.png -o a.png
dream nope.png none.png -o made/
dream nope.zip -o made/
dream . -o a.png
dream walk -o a.xyz --model iris --layer mixed4a
style p.png nope.png -o a.png
style p.png p.png -o a.png --preset nope
style apply nope p.png -o a.png
style apply nope.onnx p.png -o a.png
translate apply nope p.png -o a.png
translate train nope none --run run
defog p.png -o a.png --network nope
defog p.png -o a.png --method nope
fog nope.png -o a.png
classify nope.png
classify p.png --model nope
classify p.png --top 0
gan paint nope -o a.png
gan edit nope -o a.png
gan train nope --run run
models show nope
models remove nope
recipe nope.png
recipe p.png --as yaml
replay nope.png -o a.png
replay p.png -o a.xyz
preset show nope
preset remove nope
preset save mine dream --octaves 99
learn nope
learn mlp --points nope -o a.png
export nope -o a.onnx
export starry-night -o a.xyz
nope
"""

FAILING = """
recipe p.png
replay p.png -o a.png
replay odd.png -o a.png
recipe odd.png --as command
dream p.png -o a.png --like p.png
dream p.png -o a.png --like odd.png
dream broken.png -o a.png
dream broken.png nope.png -o made/
classify broken.png
classify broken.png nope.png
"""


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "cache"))
    picture = Image.new("RGB", (40, 32), (90, 120, 30))
    picture.save("p.png")
    for name, engine, options in (
        ("painted.png", "style", "{}"),
        ("odd.png", "dream", '{"octaves": 99}'),
    ):
        note = PngImagePlugin.PngInfo()
        note.add_text(
            "belamy",
            f'{{"engine": "{engine}", "options": {options}, "inputs": [], "weights": {{}}, '
            '"seed": 0, "belamy": "0", "torch": "0"}',
        )
        picture.save(name, pnginfo=note)
    Path("broken.png").write_bytes(b"no picture")
    return tmp_path


def run(line: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, line.split())
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.mark.parametrize("line", lines(MISUSED))
def test_what_cannot_be_asked_ends_with_2(line: str) -> None:
    code, said = run(line)
    assert code == 2, said
    assert said


@pytest.mark.parametrize("line", lines(FAILING))
def test_work_that_fails_ends_with_1(line: str) -> None:
    code, said = run(line)
    assert code == 1, said
    assert said.startswith("belamy: ")
