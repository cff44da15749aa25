"""`belamy gan train` and `belamy gan export`, as a person types them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from belamy.cli import app
from belamy.cli.commands import gan_train
from belamy.cli.groups import RootGroup
from belamy.engines.gan.api import GanConfig
from belamy.networks.load import load_network

root = typer.Typer(cls=RootGroup, pretty_exceptions_enable=False)
root.add_typer(gan_train.app, name="gan")
SMALL = ("--size", "16", "--width", "0.1", "--steps", "3", "--batch", "4", "--device", "cpu")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(root, list(map(str, arguments)))


def words(result: Result) -> str:
    return " ".join(result.output.split())


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    folder = tmp_path / "faces"
    for kind in ("old", "young"):
        (folder / kind).mkdir(parents=True)
        for number in range(6):
            pixels = rng.integers(0, 256, (18, 18, 3), np.uint8)
            Image.fromarray(pixels).save(folder / kind / f"{number}.png")
    return folder


def test_a_training_from_a_to_z(faces: Path) -> None:
    result = run("gan", "train", faces, *SMALL, "--labels")
    assert result.exit_code == 0, result.output
    folder = Path("runs/00000-gan-faces")
    assert words(result).endswith(str(folder / "network.safetensors"))
    assert load_network(folder / "network.safetensors", "generator").network.labels == (
        "old",
        "young",
    )
    saved = json.loads((folder / "config.json").read_text())
    assert saved["kind"] == "gan"
    assert saved["config"]["steps"] == 3
    assert (folder / "progress.gif").is_file()
    again = run("gan", "train", "--resume", folder, "--device", "cpu")
    assert again.exit_code == 0, again.output
    exported = run("gan", "export", folder, "-o", "painter.safetensors")
    assert words(exported) == "painter.safetensors"
    Path("mine.safetensors").write_text("somebody's")
    refused = run("gan", "export", folder, "-o", "mine.safetensors")
    assert refused.exit_code == 2
    assert "is there, and is left as it is" in words(refused)
    assert Path("mine.safetensors").read_text() == "somebody's"
    replaced = run("gan", "export", folder, "-o", "mine.safetensors", "--overwrite")
    assert replaced.exit_code == 0, replaced.output
    assert Path("mine.safetensors").read_bytes() == Path("painter.safetensors").read_bytes()
    one, other = (
        load_network(path, "generator").network
        for path in (folder / "network.safetensors", Path("painter.safetensors"))
    )
    assert torch.equal(
        one(torch.ones(1, 128), torch.tensor([1])), other(torch.ones(1, 128), torch.tensor([1]))
    )
    further = run(
        "gan", "train", faces, *SMALL, "--labels", "--from", folder, "--freeze-discriminator", "1"
    )
    assert further.exit_code == 0, further.output


def test_a_dry_run(faces: Path) -> None:
    result = run("gan", "train", faces, *SMALL, "--dry-run")
    assert result.exit_code == 0, result.output
    said = {line.split("  ")[0].strip() for line in result.output.splitlines()}
    assert {field.name.replace("_", " ") for field in dataclasses.fields(GanConfig)} <= said
    assert {"generator", "discriminator", "time", "memory", "data found"} <= said
    assert "12 pictures" in words(result)
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "name the folder or zip of pictures"),
        (("nowhere",), 2, "there is no such folder or zip"),
        (("faces", "--size", "24"), 2, "light paints 16, 32, 48, 64, 96"),
        (("faces", "--size", "32"), 1, "12 smaller than 32 px"),
        (("faces", "--loss", "hinges"), 2, "hinges"),
        (("faces/old",), 1, "has 6 pictures to learn from"),
        (("faces", "--accumulate", "5"), 2, "accumulate is 5"),
        (("faces", "--from", "faces/old/0.png"), 1, "is no network that is known here"),
        (("--resume", "faces"), 1, "not a run folder"),
    ],
)
def test_bad_input(faces: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    small = () if "--resume" in arguments or not arguments else ("--size", "16")
    size = () if "--size" in arguments else small
    result = run("gan", "train", *arguments, *size)
    assert result.exit_code == code, result.output
    assert said in words(result)
    assert "Traceback" not in result.output


def test_what_is_left_out_is_listed_in_the_run_folder(faces: Path) -> None:
    Image.new("RGB", (18, 9)).save(faces / "low.png")
    for number in range(4):
        (faces / f"broken {number}.png").write_bytes(b"nothing")
    result = run("gan", "train", faces, *SMALL, "--run", "painter")
    assert result.exit_code == 0, result.output
    broken = "broken 0.png, broken 1.png, broken 2.png and 2 more"
    said = f"left out: 4 broken, 1 smaller than 16 px ({broken})"
    assert said in words(result)
    lines = Path("painter/left-out.txt").read_text().splitlines()
    assert lines == [
        *(f"broken\tbroken {number}.png" for number in range(4)),
        "smaller than 16 px\tlow.png",
    ]


def test_labels_of_one_kind(faces: Path) -> None:
    for path in (faces / "young").iterdir():
        path.rename(faces / "old" / f"young-{path.name}")
    result = run("gan", "train", faces, "--size", "16", "--labels")
    assert result.exit_code == 1
    assert "one kind only" in words(result)


def test_resume_takes_nothing_else(faces: Path) -> None:
    result = run("gan", "train", faces, "--resume", "runs/x", "--width", "2")
    assert result.exit_code == 2
    assert "leave out" in words(result)


def test_export_of_no_run(faces: Path) -> None:
    result = run("gan", "export", faces)
    assert result.exit_code == 1
    assert "is not a run folder" in words(result)


def test_a_checkpoint_cut_short_gives_way_to_the_one_before(faces: Path) -> None:
    assert run("gan", "train", faces, *SMALL, "--run", "painter").exit_code == 0
    last = Path("painter/checkpoints/step-0000003.safetensors")
    last.write_bytes(last.read_bytes()[:-1000])
    result = run("gan", "train", "--resume", "painter", "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "step-0000003.safetensors is damaged" in words(result)


def test_a_run_of_another_version(faces: Path) -> None:
    assert run("gan", "train", faces, *SMALL, "--run", "painter").exit_code == 0
    path = Path("painter/config.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema": 99}))
    result = run("gan", "train", "--resume", "painter")
    assert result.exit_code == 1
    assert "another version" in words(result)


def test_old_spellings_of_options_go_on_working(faces: Path) -> None:
    arguments = ["gan", "train", str(faces), *SMALL, "--half-life", "77", "--run", "old"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    saved = json.loads(Path("old/config.json").read_text())["config"]
    assert saved["ema_half_life"] == 77
    assert "half-life" not in words(run("gan", "train", "--help")).replace("ema-half-life", "")
