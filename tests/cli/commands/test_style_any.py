"""`belamy style --fast` and `belamy style train-any`, as a person types them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner, Result

import belamy.cli.commands.style
from belamy.checks import alternatives
from belamy.cli import app
from belamy.cli.commands import style_any
from belamy.cli.options import arguments_of
from belamy.devices import make_rng
from belamy.engines.anystyle.api import (
    AnyStyleConfig,
    any_style,
    any_style_steps,
    train_any_style,
)
from belamy.engines.anystyle.encoder import count_channels, load_encoder
from belamy.engines.style.api import style_steps
from belamy.networks.files.network_file import save_network_file
from belamy.networks.image_to_image.arbitrary_style import ArbitraryStyleNet, initialise
from belamy.pixels.images import load_image, save_image
from belamy.pixels.recipe import read_recipe
from belamy.training.trainer import TrainingProgress


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["style", *map(str, arguments)])


def words(result: Result) -> str:
    return " ".join(result.output.split())


@pytest.fixture
def network(tmp_path: Path, eye: Path) -> Path:
    backbone = load_encoder(str(eye), (), torch.device("cpu"))
    painter = ArbitraryStyleNet(count_channels(backbone), widths=(8, 6, 4, 4), code=7)
    initialise(painter, make_rng(0, "weights"))
    path = tmp_path / "any.safetensors"
    save_network_file(
        path,
        painter.state_dict(),
        network="anystyle",
        arguments=painter.arguments,
        trained_on="nothing",
        metadata={"encoder": str(eye), "encoder_sha256": backbone.sha256},
        half=True,
    )
    return path


@pytest.fixture
def pictures(tmp_path: Path, photo: Tensor) -> tuple[Path, Path]:
    content, style = tmp_path / "photo.png", tmp_path / "painting.png"
    save_image(photo, content)
    save_image(photo.flip(1), style)
    return content, style


def test_a_fast_painting_and_its_replay(
    network: Path, pictures: tuple[Path, Path], tmp_path: Path
) -> None:
    content, style = pictures
    first, again = tmp_path / "first.png", tmp_path / "again.png"
    result = run(
        content, style, content, "-o", first, "--fast", "--network", network, "--strength", 0.9,
        "--size", 64, "--style-weight", 2, "--style-weight", 1, "--mask", style,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [str(first)]
    recipe = read_recipe(first)
    assert recipe.engine == "anystyle"
    assert recipe.options["strength"] == 0.9
    replayed = CliRunner().invoke(app, ["replay", str(first), "-o", str(again), "--trust"])
    assert replayed.exit_code == 0, replayed.output
    assert first.read_bytes() == again.read_bytes()


def test_what_is_not_said_is_the_engines(
    network: Path, pictures: tuple[Path, Path], tmp_path: Path
) -> None:
    target = tmp_path / "new.png"
    assert run(*pictures, "-o", target, "--fast", "--network", network).exit_code == 0
    wanted = any_style(*pictures, network=str(network)).image
    assert (load_image(target) - wanted).abs().max() <= 0.51 / 255


# Every option that only painting by steps has, with a value.
BY_STEPS = {
    "preset": "sketch", "min_size": 64, "iterations": 3, "model": "iris", "init": "noise",
    "content_layer": "conv1", "style_layer": "conv1", "style_loss": "gram", "tv": 1,
    "content_weight": 1, "pooling": "max", "optimizer": "lbfgs", "step_size": 1,
    "every": 1, "trace": "trace.json",
}  # fmt: skip


def test_the_list_is_complete() -> None:
    alone = arguments_of(style_steps).keys() - arguments_of(any_style_steps).keys()
    assert BY_STEPS.keys() == alone | {"every", "trace"}


@pytest.mark.parametrize("name", BY_STEPS)
def test_options_of_the_other_way_are_refused(
    name: str, pictures: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pictures[0].parent)
    option = "--" + name.replace("_", "-")
    result = run(*pictures, "-o", "new.png", "--fast", option, BY_STEPS[name])
    assert result.exit_code == 2
    assert result.stderr.startswith("belamy: --fast paints in one pass")
    assert result.stderr.count("\n") == 1
    assert option in result.stderr
    assert not Path("new.png").exists()


def test_fast_has_no_float16(pictures: tuple[Path, Path]) -> None:
    result = run(*pictures, "-o", "new.png", "--fast", "--precision", "float16")
    assert result.exit_code == 2
    assert "unknown precision 'float16'" in result.stderr


@pytest.mark.parametrize(
    ("option", "value"),
    [("--strength", 0.5), ("--network", "anystyle"), ("--patches", 0.5), ("--strokes", 0.5)],
)
def test_options_of_fast_need_it(
    option: str, value: object, pictures: tuple[Path, Path], tmp_path: Path
) -> None:
    result = run(*pictures, "-o", tmp_path / "new.png", option, value)
    assert result.exit_code == 2
    assert f"{option} is for --fast" in words(result)


def test_a_training_is_started_and_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[AnyStyleConfig, Path, str]] = []

    @functools.wraps(train_any_style)
    def trained(config: AnyStyleConfig, folder: Path, *, device: str) -> Iterator[TrainingProgress]:
        asked.append((config, folder, device))
        yield TrainingProgress(1, 1, {"style": 0.5})

    monkeypatch.setattr(style_any, "train_any_style", trained)
    monkeypatch.chdir(tmp_path)
    result = run("train-any", "paintings", "--data", "photos", "--steps", 7, "--device", "cpu")
    assert result.exit_code == 0, result.output
    (config, folder, device) = asked[0]
    assert (config, device) == (AnyStyleConfig("paintings", "photos", steps=7), "cpu")
    assert folder.parent == Path("runs")
    assert "network.safetensors" in words(result)


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["paintings"], "name the PAINTINGS and the photographs"),
        (["--resume", "run", "--batch", "4"], "leave out --batch"),
        (["paintings", "--resume", "run"], "leave out PAINTINGS"),
        (["paintings", "--data", "photos", "--size", "65"], "multiple of 8"),
        (["paintings", "--data", "photos"], "there is no such folder or zip"),
    ],
)
def test_misuse_of_training_is_one_line(
    arguments: list[str], cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("train-any", *arguments)
    assert result.exit_code == 2, result.output
    assert cause in words(result)
    assert result.stderr.count("\n") == 1


def test_the_two_ways_share_their_words() -> None:
    """What a person learns of one way holds for the other."""
    shared: dict[str, Any] = {
        name: argument
        for name, argument in arguments_of(any_style_steps).items()
        if name in arguments_of(style_steps)
    }
    assert {"mask", "style_mask", "keep_colors", "style_weight", "size", "tile"} <= shared.keys()
    for name, argument in shared.items():  # but for their ranges
        other = arguments_of(style_steps)[name]
        same = alternatives(argument.type) == alternatives(other.type)
        assert same or name in ("size", "precision"), name


def test_both_ways_are_told_from_each_other() -> None:
    alone = belamy.cli.commands.style.FAST_ALONE
    assert set(alone) == {"strength", "network", "patches", "strokes"}
