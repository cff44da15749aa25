"""`belamy learn cnn`, `complexity`, `classifier` and `gan`: lines, a picture, bad input."""

from __future__ import annotations

import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from belamy import cli
from belamy.networks.files.cache import embedded_path
from belamy.networks.files.network_file import save_network_file
from belamy.networks.gan.generator import GeneratorArguments
from belamy.networks.registry import build_generator
from belamy.pixels.recipe import read_recipe
from belamy.training.pictures import pictures_cache


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments), env={"COLUMNS": "200"})


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


@pytest.fixture
def striped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two classes that anyone can tell apart: stripes that stand, and stripes that lie."""
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "cache"))
    random = np.random.default_rng(0)
    for split, count in (("train", 16), ("test", 6)):
        for name in ("lying", "standing"):
            folder = tmp_path / "data" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                x = np.arange(80) // random.integers(4, 9) % 2 * 200 + random.integers(0, 50)
                rows = np.repeat(x[:, None], 80, axis=1).astype(np.uint8)
                plain = Image.fromarray(rows if name == "lying" else rows.T.copy())
                plain.convert("RGB").save(folder / f"{number}.png")
    return tmp_path / "data"


def test_complexity_prints_the_table_and_draws_it(tmp_path: Path) -> None:
    target = tmp_path / "sizes.png"
    result = run("learn", "complexity", "alexnet", "vgg16", "iris", "-o", str(target))
    assert result.exit_code == 0, result.output
    rows = {line[:24].strip(): line[24:].split() for line in result.stdout.splitlines()}
    assert rows["alexnet (2012)"][:2] == ["8", "659,272"]
    assert rows["vgg16"][3] == "138,357,544"
    assert "21 · 10⁹" in result.stdout
    assert "Pakkenberg" in result.stdout
    assert size_of(target) == (1600, 900)
    assert read_recipe(target).engine == "learn-complexity"


def test_complexity_measures_files(tmp_path: Path) -> None:
    painter = tmp_path / "painter.safetensors"
    shape = GeneratorArguments(size=64, latent=32, width=0.25)
    save_network_file(
        painter,
        build_generator("dcgan", shape).state_dict(),
        network="dcgan",
        arguments=asdict(shape),
        trained_on="nothing",
        half=True,
    )
    target = str(tmp_path / "sizes.png")
    result = run("learn", "complexity", str(painter), str(embedded_path("iris")), "-o", target)
    assert result.exit_code == 0, result.output
    weights = sum(x.numel() for x in build_generator("dcgan", shape).parameters())
    assert f"{weights:,}" in result.stdout
    assert "3,221,920" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("vgg17",), "'vgg16'"),
        (("nowhere.safetensors",), "cannot read nowhere.safetensors: there is no such file"),
        (("iris", "--size", "0"), "size is 0; it must be"),
        (("alexnet", "--size", "16"), "does not go through"),
    ],
)
def test_complexity_of_nothing_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    result = run("learn", "complexity", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_complexity_of_another_file_is_one_line(tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"not a network at all")
    result = run("learn", "complexity", str(other), "-o", str(tmp_path / "x.png"))
    assert result.exit_code == 1
    assert "damaged" in result.stderr


def test_a_classifier_learns_and_its_error_goes_back(striped: Path, tmp_path: Path) -> None:
    target = tmp_path / "error.png"
    options = ("--epochs", "20", "--pictures", "32", "-o", str(target))
    result = run("learn", "classifier", str(striped), *options)
    assert result.exit_code == 0, result.output
    assert "lying, standing" in result.stdout
    assert "seed 0" in result.stdout
    told = [line for line in result.stdout.splitlines() if "% right" in line]
    assert "100.0% right" in told[-1]
    losses = [float(line.partition("loss ")[2].split(",")[0]) for line in told]
    assert losses[-1] < 0.5 * losses[0]
    assert "3×" in result.stdout.splitlines()[-2]  # down to the picture
    assert size_of(target) == (1600, 900)
    assert any(pictures_cache().iterdir())


def test_a_classifier_takes_a_zip_and_speaks_italian(striped: Path, tmp_path: Path) -> None:
    archive = tmp_path / "data.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in striped.rglob("*.png"):
            file.write(path, path.relative_to(striped))
    target = str(tmp_path / "error.png")
    options = ("--epochs", "1", "--language", "it", "-o", target)
    result = run("learn", "classifier", str(archive), *options)
    assert result.exit_code == 0, result.output
    assert "Impara da 32 immagini" in result.stdout


def test_without_pictures_it_says_what_to_give() -> None:
    result = run("learn", "classifier")
    assert result.exit_code == 2
    assert "train/CLASS/" in result.stderr
    assert result.stderr.count("\n") == 1


def test_gan_toy_and_learn_gan_are_the_same(tmp_path: Path) -> None:
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    results = [
        run(*words, "--steps", "5", "-o", str(path))
        for words, path in ((("gan", "toy"), first), (("learn", "gan"), second))
    ]
    assert [result.exit_code for result in results] == [0, 0]
    said = [result.stdout.splitlines()[:-1] for result in results]
    assert said[0] == said[1]
    assert first.read_bytes() == second.read_bytes()


def test_a_fight_becomes_a_film(tmp_path: Path) -> None:
    target = tmp_path / "fight.gif"
    result = run("gan", "toy", "--steps", "3", "--loss", "hinge", "-o", str(target))
    assert result.exit_code == 0, result.output
    with Image.open(target) as film:
        assert film.n_frames == 4  # type: ignore[attr-defined]


def test_a_fight_is_replayed_to_the_byte(tmp_path: Path) -> None:
    target, again = tmp_path / "fight.png", tmp_path / "again.png"
    assert run("gan", "toy", "--steps", "4", "--seed", "3", "-o", str(target)).exit_code == 0
    result = run("replay", str(target), "-o", str(again))
    assert result.exit_code == 0, result.output
    assert target.read_bytes() == again.read_bytes()


def test_cnn_reads_my_digit(tmp_path: Path) -> None:
    mine, target = tmp_path / "mine.png", tmp_path / "cnn.png"
    stroke = torch.ones(60, 40)
    stroke[8:52, 18:23] = 0.1
    Image.fromarray((stroke * 255).byte().numpy()).save(mine)
    options = ("--count", "1000", "--epochs", "4", "--image", str(mine), "-o", str(target))
    result = run("learn", "cnn", *options)
    assert result.exit_code == 0, result.output
    assert "122,304 connections, 156 weights" in result.stdout
    assert f"{mine}: it is a 1" in result.stdout
    assert size_of(target) == (1600, 900)
