"""`belamy translate`, as a person types it."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from torch import Tensor
from typer.testing import CliRunner, Result

from belamy.cli.commands import export, translate
from belamy.cli.groups import RootGroup
from belamy.cli.pictures import work_on
from belamy.devices import computing_on, make_rng
from belamy.engines.translate.api import TranslateConfig, train_translation
from belamy.engines.translate.api import translate as translated
from belamy.networks.gan.patchgan import initialise
from belamy.networks.image_to_image.load import save_image_net
from belamy.networks.image_to_image.network import build_translation_net
from belamy.pixels.images import load_image, save_image
from belamy.pixels.recipe import read_recipe
from belamy.renamed import current_flag
from belamy.training.trainer import TrainingProgress

ARGUMENTS: dict[str, Any] = {"shape": "residual", "channels": 4, "blocks": 1, "sampling": "resize"}

root = typer.Typer(cls=RootGroup, pretty_exceptions_enable=False)
root.add_typer(translate.app, name="translate")
root.add_typer(export.app)


def run(command: str, *arguments: str | Path) -> Result:
    group = [] if command == "export" else ["translate"]
    line = [*group, command, *map(str, arguments)]
    return CliRunner().invoke(root, line, token_normalize_func=current_flag)


def words(result: Result) -> str:
    return " ".join(result.output.split())


def saved(path: Path, *directions: str) -> Path:
    made = {name: build_translation_net(**ARGUMENTS) for name in directions}
    for name, one in made.items():
        initialise(one, make_rng(3, name))
    told = {"network": "translation", "style": "sea and sky", "trained_on": "nothing"}
    save_image_net(path, made, arguments=ARGUMENTS, **told)
    return path


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return saved(tmp_path / "sea.safetensors", "a-to-b", "b-to-a")


@pytest.fixture
def photos(tmp_path: Path, photo: Tensor) -> Path:
    folder = tmp_path / "photos"
    for name in ("a.png", "b<&>.jpg"):
        save_image(photo, folder / name)
    return folder


def test_one_picture_either_way(network: Path, photos: Path, tmp_path: Path) -> None:
    pictures = []
    for direction in ("a-to-b", "b-to-a"):
        target = tmp_path / f"{direction}.png"
        result = run("apply", network, photos / "a.png", "-o", target, "--direction", direction)
        assert result.exit_code == 0, result.output
        wanted = translated(photos / "a.png", network=str(network), direction=direction)  # type: ignore[arg-type]
        pictures.append(load_image(target))
        assert (pictures[-1] - wanted.image).abs().max() <= 0.51 / 255
        assert read_recipe(target).options["direction"] == direction
    assert not torch.equal(*pictures)


def test_a_folder_and_its_gallery(network: Path, photos: Path, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "all.html"
    result = run("apply", network, photos, "-o", tmp_path / "out", "--gallery", page)
    assert result.exit_code == 0, result.output
    text = page.read_text("utf-8")
    assert text.count("<figure>") == 2
    assert text.count('src="data:image/jpeg;base64,') == 4
    assert "b&lt;&amp;&gt;.jpg" in text
    assert "<&>" not in text
    assert not re.search(r"https?://", text)  # it needs no network


def test_several_are_translated_at_a_time_and_shown_when_they_are_there_already(
    network: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = []

    def work(*arguments: Any, workers: int, **options: Any) -> None:
        at_once.append(workers)
        work_on(*arguments, workers=workers, **options)

    monkeypatch.setattr(translate, "work_on", work)
    page = tmp_path / "all.html"
    arguments = ("apply", network, photos, "-o", tmp_path / "out", "--gallery", page)
    with computing_on(2):
        for said in ("a.png", "is there already"):
            result = run(*arguments)
            assert result.exit_code == 0, result.output
            assert said in words(result)
            assert page.read_text("utf-8").count("<figure>") == 2
    assert at_once == [2, 2]
    assert read_recipe(tmp_path / "out" / "a.png").threads == 1


def test_a_gallery_of_a_zip(network: Path, photos: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.write(photos / "a.png", "inner/a.png")
    page = tmp_path / "all.html"
    result = run(
        "apply", network, tmp_path / "photos.zip", "-o", tmp_path / "out", "--gallery", page
    )
    assert result.exit_code == 0, result.output
    assert page.read_text("utf-8").count("<figure>") == 1


def test_what_fails_is_said_and_the_rest_is_shown(
    network: Path, photos: Path, tmp_path: Path
) -> None:
    (photos / "broken.png").write_bytes(b"no picture")
    page = tmp_path / "all.html"
    result = run("apply", network, photos, "-o", tmp_path / "out", "--gallery", page)
    assert result.exit_code == 1
    assert "broken.png" in words(result)
    assert page.read_text("utf-8").count("<figure>") == 2


def test_misuse_of_apply_is_one_line(network: Path, photos: Path, tmp_path: Path) -> None:
    one_way = saved(tmp_path / "one.safetensors", "a-to-b")
    picture, target = photos / "a.png", tmp_path / "new.png"
    for arguments, code, cause in (
        ((network, picture), 2, "no output named"),
        ((network, picture, "-o", target, "--gallery", "page.txt"), 2, "does not end in .html"),
        ((one_way, picture, "-o", target, "--direction", "b-to-a"), 1, "no direction 'b-to-a'"),
        ((tmp_path / "nowhere.safetensors", picture, "-o", target), 2, "there is no such file"),
        ((network, picture, "-o", target, "--strength", "2"), 2, "strength is 2.0"),
    ):
        result = run("apply", *arguments)
        assert result.exit_code == code, arguments
        assert cause in words(result)
        assert len(result.output.splitlines()) == 1


def test_each_direction_is_exported(network: Path, photo: Tensor, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    for direction in ("a-to-b", "b-to-a"):
        target = tmp_path / f"{direction}.onnx"
        result = run("export", network, "-o", target, "--direction", direction)
        assert result.exit_code == 0, result.output
        from belamy.engines.faststyle.api import apply_style

        # `translate` paints without a border, and the network, which learned nothing, tells numbers
        # of one kind from those of another
        there = apply_style(photo, network=str(target), border=0).image
        wanted = translated(
            photo,
            network=str(network),
            direction=direction,  # type: ignore[arg-type]
            precision="float32",
        ).image
        assert (there - wanted).abs().max() < 1e-3


def test_what_chose_the_runtime_is_still_taken(network: Path, photos: Path, tmp_path: Path) -> None:
    command = ("apply", network, photos / "a.png", "-o", tmp_path / "new.png")
    assert run(*command, "--engine", "torch").exit_code == 0
    assert read_recipe(tmp_path / "new.png").options["runtime"] == "torch"
    assert "--engine" not in run("apply", "--help").output


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_every_runtime_translates_the_same(
    runtime: str, network: Path, photos: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip(runtime)
    picture, target = photos / "a.png", tmp_path / "new.png"
    command = ("apply", network, picture, "-o", target, "--direction", "b-to-a")
    result = run(*command, "--runtime", runtime, "--precision", "float32")
    assert result.exit_code == 0, result.output
    single = {"direction": "b-to-a", "precision": "float32"}
    wanted = translated(picture, network=str(network), **single).image  # type: ignore[arg-type]
    assert (load_image(target) - wanted).abs().max() < 1.01 / 255


class Trainings:
    """Stands for `train_translation`, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[TranslateConfig, Path, str]] = []
        self.stopped = False

    def __call__(
        self, config: TranslateConfig, folder: Path, *, device: str
    ) -> Iterator[TrainingProgress]:
        self.asked.append((config, folder, device))
        yield TrainingProgress(0, 2, {}, note="two steps")
        if self.stopped:
            raise KeyboardInterrupt
        yield TrainingProgress(2, 2, {"adversarial": 0.25})


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> Trainings:
    made = Trainings()
    functools.update_wrapper(made, train_translation)
    monkeypatch.setattr(translate, "train_translation", made)
    return made


def test_options_reach_the_training(
    trainings: Trainings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("train", "photos.zip", "art/monet", "--method", "cut", "--a-label", "photographs")
    assert result.exit_code == 0, result.output
    assert "Trained for 2 steps" in result.output
    wanted = TranslateConfig("photos.zip", "art/monet", method="cut", a_label="photographs")
    folder = Path("runs/00000-translate-photos-monet")
    assert trainings.asked == [(wanted, folder, "auto")]


def test_ctrl_c_says_how_to_go_on(trainings: Trainings) -> None:
    trainings.stopped = True
    result = run("train", "a", "b", "--run", "here")
    assert result.exit_code == 130
    assert "belamy translate train --resume here" in words(result)


def test_a_run_goes_on_as_it_was_asked_for(trainings: Trainings, tmp_path: Path) -> None:
    config = TranslateConfig("a", "b", method="fastcut", seed=4)
    record = {"schema": 1, "belamy": "0", "kind": "translate", "config": vars(config)}
    (tmp_path / "config.json").write_text(json.dumps(record))
    assert run("train", "--resume", tmp_path).exit_code == 0
    assert trainings.asked == [(config, tmp_path, "auto")]
    for more in (["a"], ["--batch", "1"], ["--pool", "3"]):  # the default is not passed over
        result = run("train", *more, "--resume", tmp_path)
        assert result.exit_code == 2
        assert "leave out" in words(result)


def test_a_run_goes_on_for_more_steps(trainings: Trainings, tmp_path: Path) -> None:
    config = TranslateConfig("a", "b", steps=10)
    path = tmp_path / "config.json"
    path.write_text(
        json.dumps({"schema": 1, "belamy": "0", "kind": "translate", "config": vars(config)})
    )
    longer = dataclasses.replace(config, steps=25)
    for _ in range(2):  # the second time it has so many already
        assert run("train", "--resume", tmp_path, "--steps", "25").exit_code == 0
        assert trainings.asked[-1] == (longer, tmp_path, "auto")
    assert json.loads(path.read_text())["config"]["steps"] == 25
    result = run("train", "--resume", tmp_path, "--steps", "24")
    assert result.exit_code == 1
    assert "has 25 steps, and 24 are fewer; ask for more" in words(result)
    assert json.loads(path.read_text())["config"]["steps"] == 25


def test_misuse_of_train_is_one_line(trainings: Trainings, tmp_path: Path) -> None:
    for arguments, code, cause in (
        ((), 2, "name the two domains"),
        (("a",), 2, "name the two domains"),
        (("a", "b", "--size", "62"), 2, "size is 62"),
        (("a", "b", "--pair-weight", "2"), 2, "cyclegan has no pair-weight"),
        (("--resume", tmp_path), 1, "is not a run folder"),
    ):
        result = run("train", *arguments)
        assert result.exit_code == code, arguments
        assert cause in words(result)


@pytest.fixture
def worlds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two folders of soft colours with pictures of the same names; the second is bluer."""
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "home"))
    tint = torch.tensor([0.8, 0.9, 1.0]).view(3, 1, 1)
    for number in range(50):
        rough = torch.rand((1, 3, 4, 4), generator=make_rng(number))
        image = torch.nn.functional.interpolate(rough, (64, 64), mode="bicubic").clamp(0, 1)
        save_image(image, tmp_path / "a" / f"{number}.png")
        save_image(image * tint, tmp_path / "b" / f"{number}.png")
    return tmp_path / "a", tmp_path / "b"


def test_evaluate(network: Path, worlds: tuple[Path, Path]) -> None:
    asked = ("evaluate", network, *worlds, "--size", "64", "--json")
    result = run(*asked, "--pairs")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert {"kid", "kid_before", "features", "change", "cycle", "psnr", "ssim"} <= found.keys()
    assert "iris" in found["features"]
    assert 0 < found["change"] < 0.5
    assert 5 < found["psnr"] < 40
    back = json.loads(run(*asked, "--direction", "b-to-a").output)
    assert back["change"] != found["change"]
    assert "psnr" not in back


def test_evaluate_of_one_direction_knows_no_cycle(
    tmp_path: Path, worlds: tuple[Path, Path]
) -> None:
    one_way = saved(tmp_path / "one.safetensors", "a-to-b")
    result = run("evaluate", one_way, *worlds, "--size", "64")
    assert result.exit_code == 0, result.output
    assert "cycle" not in result.output
    assert "kid before: " in result.output
