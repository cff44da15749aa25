"""`belamy classify`: guesses, trainings that can be stopped, measures; misuse in one line."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Generator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PIL import Image
from torch import Tensor
from typer.testing import CliRunner, Result

from belamy import cli
from belamy.engines.classify.api import ClassifyConfig, train_classifier
from belamy.networks.backbones import iris
from belamy.pixels.images import save_image
from belamy.training.run_folder import Run
from belamy.training.trainer import TrainingProgress

SMALL = """
import sys
from belamy.engines.classify.api import ClassifyConfig, train_classifier
from belamy.networks.backbones import iris
block = (8, 4, 8, 4, 4, 4)
iris.STEM, iris.BLOCKS = (4, 4, 8), {"mixed3a": block, "mixed4a": block}
from belamy.cli import main
main()
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["classify", *map(str, arguments)])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "home"))


@pytest.fixture
def small_iris(monkeypatch: pytest.MonkeyPatch) -> None:
    block = (8, 4, 8, 4, 4, 4)
    monkeypatch.setattr(iris, "STEM", (4, 4, 8))
    monkeypatch.setattr(iris, "BLOCKS", {"mixed3a": block, "mixed4a": block})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A zip of light and dark noise, 40 to learn from, 8 to measure on, one broken."""
    path, rng = tmp_path / "set.zip", np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train/dark/broken.png", b"no picture")
        for split, count in (("train", 20), ("test", 4)):
            for low, name in ((0, "dark"), (128, "light")):
                for number in range(count):
                    file = io.BytesIO()
                    pixels = rng.integers(low, low + 127, (8, 8, 3), np.uint8)
                    Image.fromarray(pixels).save(file, "PNG")
                    archive.writestr(f"{split}/{name}/{number}.png", file.getvalue())
    return path


@pytest.fixture
def image(tmp_path: Path, photo: Tensor) -> Path:
    save_image(photo, tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.mark.parametrize("words", [(), ("look",)])
def test_guesses(eye: Path, image: Path, words: tuple[str, ...]) -> None:
    result = run(*words, image, "--model", eye, "--top", "3")
    assert result.exit_code == 0, result.stderr
    first, *guesses = result.stdout.splitlines()
    assert first == str(image)
    assert len(guesses) == 3
    assert all("%  thing " in guess for guess in guesses)


def test_guesses_as_json(eye: Path, image: Path) -> None:
    result = run(image, image, "--model", eye, "--json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["image"] for row in rows] == [str(image)] * 2
    assert len(rows[0]["guesses"]) == 5
    assert 0 < rows[0]["guesses"][0]["probability"] <= 1


def test_a_picture_that_cannot_be_read_does_not_hold_up_the_others(
    eye: Path, image: Path, tmp_path: Path
) -> None:
    result = run(tmp_path / "none.png", image, "--model", eye)
    assert result.exit_code == 1
    assert "none.png" in result.stderr
    assert str(image) in result.stdout


@pytest.mark.usefixtures("small_iris")
def test_train_then_ask(data: Path, tmp_path: Path, image: Path) -> None:
    folder = tmp_path / "run"
    options = ("--stages", "8:20", "--batch", "8", "--learning-rate", "0.05", "--device", "cpu")
    result = run("train", data, "--run", folder, *options)
    assert result.exit_code == 0, result.stderr
    about = result.stderr.splitlines()[0]
    assert "40 pictures of 2 classes" in about
    assert "100 steps at 8 px" in about
    assert "train/dark/broken.png" in about
    sentence, last = result.stdout.splitlines()
    assert last == str(folder / "network.safetensors")
    assert sentence.startswith("Trained for 100 steps in ")
    assert "accuracy 0." in sentence or "accuracy 1" in sentence
    assert sentence.endswith(f" To use it: belamy classify photo.jpg --model {folder}")

    result = run("evaluate", data, "--model", last, "--json")
    assert json.loads(result.stdout)["pictures"] == 8
    result = run("evaluate", data, "--model", last)
    assert result.stdout.startswith("accuracy: ")
    assert run(image, "--model", last).exit_code == 0

    again = run("train", "--resume", folder)
    assert again.exit_code == 0, again.stderr
    assert "going on from step 100" in again.stderr


@pytest.mark.usefixtures("small_iris")
def test_a_run_gets_a_folder_of_its_own(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("train", data, "--stages", "8:1", "--batch", "20")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "runs/00000-classify-set/network.safetensors"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["train"], 2, "name either the DATA"),
        (["train", "set.zip", "--resume", "run"], 2, "name either the DATA"),
        (["train", "--resume", "nowhere"], 1, "nowhere is not a run folder"),
        (["train", "--resume", "run", "--batch", "3"], 2, "leave out --batch"),
        (["train", "--resume", "run", "--from", "iris"], 2, "leave out --from"),
        (["train", "--resume", "run", "--stages", "8:1"], 2, "leave out --stages"),
        (["train", "nowhere.zip"], 2, "there is no such folder or zip"),
        (["train", "set.zip", "--stages", "64"], 2, "write SIZE:EPOCHS"),
        (["train", "set.zip", "--batch", "1"], 2, "batch is 1"),
        (["train", "set.zip", "--freeze", "mixed3a"], 2, "freeze is 'mixed3a'"),
        (["evaluate", "nowhere.zip", "--model", "none.safetensors"], 2, "none.safetensors"),
        (["none.png", "--model", "vgg61"], 2, "unknown network 'vgg61'"),
    ],
)
def test_misuse_is_one_line(
    words: list[str], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == code, result.stderr
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not any(tmp_path.iterdir())  # nor is the processor timed for what is not done


def test_another_run_in_the_folder_is_refused(tmp_path: Path, data: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    result = run("train", data, "--run", folder)
    assert result.exit_code == 1
    assert "is not empty" in result.stderr


def test_several_processes_must_name_their_folder(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    result = run("train", data)
    assert "name the folder with --run" in result.stderr


@pytest.mark.usefixtures("small_iris")
def test_ctrl_c_saves_and_the_run_goes_on(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-c", SMALL, "classify", "train"]
    asked = [str(data), "--run", str(folder), "--stages", "8:400", "--batch", "8"]
    process = subprocess.Popen(
        [*words, *asked], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    log, deadline = folder / "log.jsonl", time.monotonic() + 200
    while not (log.exists() and log.read_text()):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=100)
    assert process.returncode == 130, said
    last = said.splitlines()[-1]
    assert last == (
        f"belamy: stopped; the run is saved; go on with: belamy classify train --resume {folder}"
    )
    (saved,) = sorted(folder.glob("checkpoints/*"))[-1:]
    step = int(saved.stem.removeprefix("step-"))
    assert 0 < step < 2000

    config = Run(folder).load_config("classify", ClassifyConfig)
    training = train_classifier(config, folder, device="cpu")
    ticks = cast("Generator[TrainingProgress, None, None]", training)
    assert f"going on from step {step:,}" in next(ticks).note
    assert next(ticks).step > step
    ticks.close()


def test_folders_and_zips_are_named_and_tabled(image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    (folder / "sea").mkdir(parents=True)
    for place in (folder / "a.png", folder / "sea" / "b.png"):
        place.write_bytes(image.read_bytes())
    (folder / "broken.png").write_bytes(b"no picture")
    for table in ("t.csv", "t.json"):
        done = run(folder, "--model", "iris", "--top", "2", "-o", tmp_path / table)
        assert done.exit_code == 1  # one is broken, and the others are there
        assert "broken.png" in done.stderr
    rows = (tmp_path / "t.csv").read_text().splitlines()
    assert rows[0] == "image,rank,class,probability"
    assert [row.split(",")[:2] for row in rows[1:]] == [
        [str(folder / name), rank] for name in ("a.png", "sea/b.png") for rank in "12"
    ]
    answers = json.loads((tmp_path / "t.json").read_text())
    assert [answer["image"] for answer in answers] == [row.split(",")[0] for row in rows[1::2]]
    assert len(answers[0]["guesses"]) == 2
    refused = run(folder, "-o", tmp_path / "t.png")
    assert refused.exit_code == 2
    assert ".csv or .json" in refused.stderr
