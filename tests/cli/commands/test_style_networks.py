"""`belamy style apply`, `belamy style train` and `belamy export`, as a person types them."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from torch import Tensor
from typer.testing import CliRunner, Result

from belamy.cli import app
from belamy.cli.commands import export, style_networks
from belamy.cli.groups import RootGroup
from belamy.cli.options import arguments_of
from belamy.devices import make_rng
from belamy.engines.faststyle.api import (
    StyleTrainConfig,
    apply_style,
    apply_style_steps,
    train_style,
)
from belamy.networks.image_to_image.load import save_image_net
from belamy.networks.image_to_image.network import build_johnson_net, initialise
from belamy.pixels.images import load_image, load_picture, save_image
from belamy.pixels.recipe import read_recipe
from belamy.training.trainer import TrainingProgress

ARGUMENTS: dict[str, Any] = {"widths": [4, 5, 6], "blocks": 1}

root = typer.Typer(cls=RootGroup, pretty_exceptions_enable=False)
root.add_typer(style_networks.app, name="style")
root.add_typer(export.app)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(root, list(map(str, arguments)))


def words(result: Result) -> str:
    return " ".join(result.output.split())


@pytest.fixture
def network(tmp_path: Path) -> Path:
    made = build_johnson_net(**ARGUMENTS)
    initialise(made, make_rng(3, "weights"))
    path = tmp_path / "wave.safetensors"
    told = {"network": "johnson", "style": "a wave", "trained_on": "nothing"}
    save_image_net(path, made, arguments=ARGUMENTS, **told)
    return path


@pytest.fixture
def photos(tmp_path: Path, photo: Tensor) -> Path:
    folder = tmp_path / "photos"
    for name in ("a.png", "b.jpg"):
        save_image(photo, folder / name)
    (folder / "notes.txt").write_text("not a picture")
    return folder


def test_one_picture(network: Path, photos: Path, tmp_path: Path) -> None:
    target = tmp_path / "new.png"
    result = run("style", "apply", network, photos / "a.png", "-o", target, "--strength", "0.5")
    assert result.exit_code == 0, result.output
    wanted = apply_style(photos / "a.png", network=str(network), strength=0.5)
    assert (load_image(target) - wanted.image).abs().max() <= 0.51 / 255
    recipe = read_recipe(target)
    assert recipe.engine == "faststyle"
    assert recipe.options["strength"] == 0.5


def test_folders_skip_what_is_done_and_name_what_fails(
    network: Path, photos: Path, tmp_path: Path
) -> None:
    (photos / "broken.png").write_bytes(b"no picture")
    out = tmp_path / "out"
    result = run("style", "apply", network, photos, "-o", out)
    assert result.exit_code == 1
    assert "broken.png" in words(result)
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "b.png"]
    (out / "b.png").unlink()
    (photos / "broken.png").unlink()
    before = (out / "a.png").stat().st_mtime_ns
    result = run("style", "apply", network, photos, "-o", out)
    assert result.exit_code == 0
    assert "a.png is there already" in words(result)
    assert (out / "a.png").stat().st_mtime_ns == before
    assert (out / "b.png").exists()


@pytest.mark.parametrize("rank", [0, 1])
def test_several_processes_share_the_work(
    rank: int, network: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", str(rank))
    run("style", "apply", network, photos, "-o", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{'ab'[rank]}.png"]


def test_transparency_is_kept(network: Path, photo: Tensor, tmp_path: Path) -> None:
    source, target = tmp_path / "clear.png", tmp_path / "new.png"
    alpha = torch.linspace(0, 1, photo.shape[-1]).expand(1, 1, *photo.shape[-2:])
    save_image(photo, source, alpha=alpha)
    assert run("style", "apply", network, source, "-o", target).exit_code == 0
    found, wanted = load_picture(target).alpha, load_picture(source).alpha
    assert found is not None
    assert wanted is not None
    assert torch.equal(found, wanted)


def test_misuse_of_apply_is_one_line(network: Path, photos: Path, tmp_path: Path) -> None:
    picture, empty = photos / "a.png", tmp_path / "empty"
    empty.mkdir()
    for arguments, cause in (
        ((network, picture), "no output named"),
        ((network, photos, "-o", "new.png"), "cannot become new.png"),
        ((network, empty, "-o", "out"), "has no pictures in it"),
        ((tmp_path / "nowhere.t7", picture, "-o", "new.png"), "there is no such file"),
        ((network, picture, "-o", "new.xyz"), "new.xyz"),
        ((network, picture, "-o", picture), "overwrite itself"),
        ((network, picture, "-o", tmp_path / "n.png", "--strength", "2"), "strength is 2.0"),
    ):
        result = run("style", "apply", *arguments)
        assert result.exit_code == 2, arguments
        assert cause in words(result)
        assert len(result.output.splitlines()) == 1


class Trainings:
    """Stands for `train_style`, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[StyleTrainConfig, Path, str]] = []
        self.stopped = False

    def __call__(
        self, config: StyleTrainConfig, folder: Path, *, device: str
    ) -> Iterator[TrainingProgress]:
        self.asked.append((config, folder, device))
        yield TrainingProgress(0, 2, {}, note="two steps")
        if self.stopped:
            raise KeyboardInterrupt
        yield TrainingProgress(2, 2, {"style": 0.25})


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Trainings:
    made = Trainings()
    functools.update_wrapper(made, train_style)  # options are read off its signature and text
    monkeypatch.setattr(style_networks, "train_style", made)
    return made


def test_options_reach_the_training(
    trainings: Trainings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("--style-layers", "conv1", "--style-layers", "mixed3a", "--steps", "7")
    result = run("style", "train", "wave.jpg", "--data", "photos.zip", *options)
    assert result.exit_code == 0, result.output
    assert "Trained for 2 steps" in result.output
    wanted = StyleTrainConfig("wave.jpg", "photos.zip", style_layers=("conv1", "mixed3a"), steps=7)
    assert trainings.asked == [(wanted, Path("runs/00000-style-wave"), "auto")]


def test_ctrl_c_says_how_to_go_on(trainings: Trainings) -> None:
    trainings.stopped = True
    result = run("style", "train", "wave.jpg", "--data", "photos", "--run", "here")
    assert result.exit_code == 130
    assert "belamy style train --resume here" in words(result)


def test_a_run_goes_on_as_it_was_asked_for(trainings: Trainings, tmp_path: Path) -> None:
    config = StyleTrainConfig("wave.jpg", "photos", style_layers=("conv1",), seed=4)
    record = {"schema": 1, "belamy": "0", "kind": "style", "config": vars(config)}
    (tmp_path / "config.json").write_text(json.dumps(record))
    assert run("style", "train", "--resume", tmp_path).exit_code == 0
    assert trainings.asked == [(config, tmp_path, "auto")]
    for more in (["wave.jpg"], ["--batch", "2"], ["--style-layers", "conv1"]):
        result = run("style", "train", *more, "--resume", tmp_path)
        assert result.exit_code == 2
        assert "leave out" in words(result)


def test_misuse_of_train_is_one_line(trainings: Trainings, tmp_path: Path) -> None:
    for arguments, code, cause in (
        ((), 2, "name the PAINTING"),
        (("wave.jpg",), 2, "--data"),
        (("wave.jpg", "--data", "x", "--size", "62"), 2, "size is 62"),
        (("--resume", tmp_path), 1, "is not a run folder"),
    ):
        result = run("style", "train", *arguments)
        assert result.exit_code == code, arguments
        assert cause in words(result)


@pytest.mark.parametrize(
    ("command", "function"), [("apply", apply_style_steps), ("train", StyleTrainConfig)]
)
def test_help_shows_every_option(command: str, function: Any) -> None:
    shown = CliRunner().invoke(root, ["style", command, "--help"], env={"COLUMNS": "200"}).output
    for name in arguments_of(function):
        if name not in ("image", "network", "painting"):
            assert f"--{name.replace('_', '-')}" in shown


def test_export_writes_onnx(network: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    target = tmp_path / "wave.onnx"
    assert run("export", network, "-o", target).exit_code == 0
    model = onnx.load(target)
    shape = model.graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in shape] == [1, 3, "height", "width"]


def test_export_leaves_what_is_there(network: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    target = tmp_path / "mine.onnx"
    target.write_text("somebody's")
    result = run("export", network, "-o", target)
    assert result.exit_code == 2
    assert "is there, and is left as it is" in words(result)
    assert target.read_text() == "somebody's"
    assert run("export", network, "-o", target, "--overwrite").exit_code == 0
    assert target.stat().st_size > 1000
    (tmp_path / "folder.onnx").mkdir()
    for place, said in (("folder.onnx", "is a folder"), ("mine.onnx/a.onnx", "is a file")):
        result = run("export", network, "-o", tmp_path / place, "--overwrite")
        assert result.exit_code == 2
        assert said in words(result)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_every_runtime_paints_the_same(
    runtime: str, network: Path, photos: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip(runtime)
    target = tmp_path / "new.png"
    single = ("--precision", "float32")
    command = ("style", "apply", network, photos / "a.png", "-o", target, *single)
    result = run(*command, "--runtime", runtime)
    assert result.exit_code == 0, result.output
    wanted = apply_style(photos / "a.png", network=str(network), precision="float32").image
    assert (load_image(target) - wanted).abs().max() < 1.01 / 255


def test_the_runtime_was_called_engine_once(network: Path, photos: Path, tmp_path: Path) -> None:
    """The old flag is typed, unlisted; a picture of before is described and made again."""
    target, old, again = (tmp_path / f"{name}.png" for name in ("new", "old", "again"))
    picture = photos / "a.png"
    words = ["style", "apply", *map(str, (network, picture)), "-o", str(target)]
    result = CliRunner().invoke(app, [*words, "--engine", "torch"])
    assert result.exit_code == 0, result.output
    assert "--engine" not in run("style", "apply", "--help").output
    recipe = read_recipe(target)
    assert recipe.options["runtime"] == "torch"
    options = {"engine" if x == "runtime" else x: value for x, value in recipe.options.items()}
    save_image(load_image(target), old, recipe=replace(recipe, options=options))
    lines = CliRunner().invoke(app, ["recipe", str(old)]).stdout.splitlines()
    assert [line.split() for line in lines if line.startswith("engine")] == [
        ["engine", "faststyle"]
    ]
    assert any(line.split() == ["runtime", '"torch"'] for line in lines)
    replayed = CliRunner().invoke(app, ["replay", str(old), "-o", str(again)])
    assert replayed.exit_code == 0, replayed.output
    assert again.read_bytes() == target.read_bytes()


def test_misuse_of_export_is_one_line(network: Path, tmp_path: Path) -> None:
    (tmp_path / "there.onnx").touch()
    for arguments, cause in (
        ((network, "-o", "wave.pt"), "does not end in .onnx"),
        ((tmp_path / "there.onnx", "-o", "wave.onnx"), "ONNX already"),
        ((tmp_path / "nowhere.t7", "-o", "wave.onnx"), "there is no such file"),
    ):
        result = run("export", *arguments)
        assert result.exit_code == 2
        assert cause in words(result)
