"""What other programs wrote into pictures is shown as what it is, and never obeyed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from typer.testing import CliRunner

from belamy.cli import app
from belamy.pixels.foreign import read_foreign

A1111 = (
    "a red barn, <lora:x:1>\nat dusk\nNegative prompt: blurry, text\nSteps: 20, Sampler: DPM++ 2M, "
    'CFG scale: 7, Seed: 1234567890, Size: 512x768, Model: v1-5, Lora hashes: "x: 1, y: 2", '
    "Version: v1.10.1"
)
GRAPH = {
    "12": {"class_type": "CLIPTextEncode", "inputs": {"text": "a barn", "clip": ["4", 1]}},
    "3": {"class_type": "KSampler", "inputs": {"seed": 156, "cfg": 8.0, "model": ["4", 0]}},
}
INVOKE = {"app_version": "4.2.6", "positive_prompt": "a barn", "model": {"name": "sdxl"}}
OLDER = {"app_version": "2.3.5", "model": "sd", "image": {"seed": 7, "sampler": "k_lms"}}


def png(path: Path, **texts: str) -> Path:
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_text(name.replace("__", "-"), text)
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    return path


def say(path: Path, *words: str) -> str:
    result = CliRunner().invoke(app, ["recipe", str(path), *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_a1111_is_told_apart_into_its_settings(tmp_path: Path) -> None:
    found = read_foreign(png(tmp_path / "a.png", parameters=A1111))
    assert found is not None
    assert found.program == "Stable Diffusion web UI (AUTOMATIC1111) v1.10.1"
    assert found.values["prompt"] == "a red barn, <lora:x:1>\nat dusk"
    assert found.values["negative prompt"] == "blurry, text"
    assert found.values["Lora hashes"] == "x: 1, y: 2"
    assert found.values["Seed"] == "1234567890"


def test_a1111_in_a_jpeg(tmp_path: Path) -> None:
    """Where a JPEG has no texts, it is the EXIF comment, in UTF-16."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + A1111.encode("utf-16-be")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    assert "CFG scale        7" in say(tmp_path / "a.jpg")


def test_comfys_graph_is_a_row_for_each_node(tmp_path: Path) -> None:
    lines = say(png(tmp_path / "a.png", prompt=json.dumps(GRAPH))).splitlines()
    assert "ComfyUI, a graph of 2 nodes" in lines[0]
    assert lines[1].split("  ")[0] == "3 KSampler"
    assert lines[1].endswith("seed 156, cfg 8.0")  # what comes from other nodes is left out
    assert lines[2].endswith("text a barn")


def test_comfys_webp(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0110] = "prompt:" + json.dumps(GRAPH)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.webp", exif=exif)
    assert "3 KSampler" in say(tmp_path / "a.webp")


def test_invokes(tmp_path: Path) -> None:
    text = say(png(tmp_path / "a.png", invokeai_metadata=json.dumps(INVOKE)))
    assert "InvokeAI 4.2.6" in text
    assert "name sdxl" in text
    older = say(png(tmp_path / "b.png", sd__metadata=json.dumps(OLDER)))
    assert "InvokeAI 2.3.5" in older
    assert "k_lms" in older


def test_all_of_it_as_json(tmp_path: Path) -> None:
    found = json.loads(say(png(tmp_path / "a.png", parameters=A1111), "--as", "json"))
    assert found["values"]["Sampler"] == "DPM++ 2M"


@pytest.mark.parametrize(
    "texts",
    [
        {},
        {"prompt": "a red barn"},
        {"prompt": "[" * 100_000},
        {"prompt": json.dumps({"3": "KSampler"})},
        {"workflow": json.dumps({"nodes": [1, 2]})},
        {"parameters": "hello"},
        {"parameters": "{}"},
        {"invokeai_metadata": "[]"},
        {"sd__metadata": '{"image": 5}'},
    ],
)
def test_other_texts_are_nobodys(tmp_path: Path, texts: dict[str, str]) -> None:
    path = png(tmp_path / "a.png", **texts)
    result = CliRunner().invoke(app, ["recipe", str(path)])
    assert result.exit_code == (0 if "sd__metadata" in texts else 1), texts
    assert result.output.count("\n") == 1 or "sd__metadata" in texts
    assert CliRunner().invoke(app, ["recipe", str(path), "--as", "command"]).exit_code == 1


def test_what_they_say_cannot_steer_a_terminal(tmp_path: Path) -> None:
    graph = {f"{n}\x1b[2J": {"class_type": "\x1b]0;x\a" * 99, "inputs": {}} for n in range(300)}
    text = say(png(tmp_path / "a.png", prompt=json.dumps(graph)))
    assert "\x1b" not in text
    assert len(text) < 60_000
    assert "more" in text.splitlines()[-1]


def test_what_is_no_number_in_json_stays_a_word(tmp_path: Path) -> None:
    """ComfyUI writes graphs as Python does, NaN and all, which no other reader of JSON takes."""
    graph = json.dumps({**GRAPH, "5": {"class_type": "Blend", "inputs": {"by": float("nan")}}})
    assert "NaN" in graph

    def refuse(word: str) -> None:
        raise AssertionError(word)

    found = say(png(tmp_path / "a.png", prompt=graph), "--as", "json")
    assert json.loads(found, parse_constant=refuse)["values"]["5 Blend"] == {"by": "NaN"}
