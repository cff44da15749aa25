"""`belamy defog` and `belamy fog`, as a person types them."""

from __future__ import annotations

import functools
import json
import zipfile
from pathlib import Path

import pytest
import torch
import typer
from torch import Tensor
from typer.testing import CliRunner, Result

from belamy.cli.commands import defog as defog_command
from belamy.cli.commands import fog as fog_command
from belamy.cli.commands import recipe
from belamy.cli.groups import RootGroup
from belamy.cli.options import arguments_of
from belamy.devices import make_rng
from belamy.engines.defog.api import DefogAdaptConfig, DefogTrainConfig, defog, defog_steps
from belamy.engines.defog.fog_api import fog, fog_steps
from belamy.networks.dehaze import DehazeNet, initialise
from belamy.networks.files.network_file import save_network_file, without_counters
from belamy.pixels.images import load_image, save_image
from belamy.pixels.recipe import read_recipe
from belamy.renamed import current_flag

root = typer.Typer(cls=RootGroup, pretty_exceptions_enable=False)
for module in (defog_command, fog_command, recipe):
    root.add_typer(module.app)


def run(*arguments: str | Path) -> Result:
    line = list(map(str, arguments))
    return CliRunner().invoke(root, line, token_normalize_func=current_flag)


def words(result: Result) -> str:
    return " ".join(result.output.split())


@pytest.fixture
def network(tmp_path: Path) -> Path:
    eye = DehazeNet((4, 4, 6, 6, 8), (1, 1, 1, 1, 1))
    initialise(eye, make_rng(3, "weights"))
    path = tmp_path / "eye.safetensors"
    save_network_file(
        path,
        without_counters(eye.state_dict()),
        network="dehaze",
        arguments=eye.arguments,
        trained_on="nothing",
        half=True,
    )
    return path


@pytest.fixture
def photos(tmp_path: Path, photo: Tensor) -> Path:
    for name in ("a.png", "b.jpg"):
        save_image(photo * 0.4 + 0.5, tmp_path / "photos" / name)
    (tmp_path / "photos" / "notes.txt").write_text("not a picture")
    return tmp_path / "photos"


def same(path: Path, image: Tensor) -> bool:
    return float((load_image(path) - image).abs().max()) <= 0.51 / 255


def test_one_picture_its_map_and_its_replay(network: Path, photos: Path, tmp_path: Path) -> None:
    target, through = tmp_path / "new.png", tmp_path / "map.png"
    options = ("--network", network, "--strength", "0.8")
    result = run("defog", photos / "a.png", "-o", target, "--transmission", through, *options)
    assert result.exit_code == 0, result.output
    first, last = defog_steps(photos / "a.png", network=str(network), strength=0.8)
    assert same(target, last.image)
    assert same(through, first.image)
    assert read_recipe(target).engine == "defog"
    for made in (target, through):
        again = tmp_path / "again.png"
        assert run("replay", made, "-o", again).exit_code == 0
        assert again.read_bytes() == made.read_bytes()


def test_compare_and_dcp(photos: Path, tmp_path: Path) -> None:
    target = tmp_path / "both.png"
    result = run("defog", photos / "a.png", "--method", "dcp", "--compare", "-o", target)
    assert result.exit_code == 0, result.output
    assert same(target, defog(photos / "a.png", method="dcp", compare=True).image)


def test_folders_and_zips_skip_what_is_done_and_name_what_fails(
    photos: Path, tmp_path: Path
) -> None:
    (photos / "broken.png").write_bytes(b"no picture")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in photos.iterdir():
            archive.write(path, path.name)
    for index, source in enumerate((photos, tmp_path / "photos.zip")):
        out, maps = tmp_path / f"out{index}", tmp_path / f"maps{index}"
        arguments = ("defog", source, "--method", "dcp", "-o", out, "--transmission", maps)
        result = run(*arguments)
        assert result.exit_code == 1
        assert "broken.png" in words(result)
        assert sorted(path.name for path in out.iterdir()) == ["a.png", "b.png"]
        assert sorted(path.name for path in maps.iterdir()) == ["a.png", "b.png"]
        assert "a.png is there already" in words(run(*arguments))
    assert (tmp_path / "out0" / "a.png").is_file()
    assert same(tmp_path / "out1" / "a.png", load_image(tmp_path / "out0" / "a.png"))


def test_fog_is_put_in(photos: Path, tmp_path: Path) -> None:
    target = tmp_path / "foggy.png"
    result = run("fog", photos / "a.png", "-o", target, "--amount", "0.7", "--depth", "room")
    assert result.exit_code == 0, result.output
    assert same(target, fog(photos / "a.png", amount=0.7, depth="room").image)
    again = tmp_path / "again.png"
    assert run("replay", target, "-o", again).exit_code == 0
    assert again.read_bytes() == target.read_bytes()


def test_evaluation_as_table_and_json(network: Path, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "hazy"
    assert run("fog", photos, "-o", out).exit_code == 0
    result = run("defog", "evaluate", out, photos, "--network", network)
    assert result.exit_code == 0, result.output
    assert all(word in result.output for word in ("2 pictures", "untouched", "dcp", "network"))
    found = json.loads(run("defog", "evaluate", out, photos, "--network", network, "--json").stdout)
    assert found["pictures"] == 2
    assert set(found["untouched"]) == {"psnr", "ssim"}


def test_bad_use_is_one_line(photos: Path, tmp_path: Path) -> None:
    cases = [
        (("defog", photos / "a.png"), "no output named"),
        (("defog", photos / "a.png", "-o", tmp_path / "x.txt", "--method", "dcp"), "x.txt"),
        (("defog", photos, "-o", tmp_path, "--transmission", tmp_path / "x.png"), "several maps"),
        (("defog", photos / "a.png", "-o", tmp_path / "x.png", "--strength", "9"), "strength is 9"),
        (("defog", photos, "-o", tmp_path / "x.png", "--method", "dcp"), "cannot become"),
        (("fog", photos / "a.png", "-o", tmp_path / "x.png", "--amount", "2"), "amount is 2"),
        (("defog", "train"), "name folders or zips"),
        (("defog", "adapt"), "name the network"),
        (("defog", "evaluate", photos, tmp_path / "none"), "there is no such folder or zip"),
    ]
    for arguments, said in cases:
        result = run(*arguments)
        assert result.exit_code == 2, arguments
        assert said in words(result), result.output


def test_training_from_the_command_line(photos: Path, eye: Path, tmp_path: Path) -> None:
    save_image(torch.rand((1, 3, 70, 70), generator=make_rng(0, "test")), photos / "c.png")
    save_image(torch.rand((1, 3, 70, 70), generator=make_rng(1, "test")), photos / "d.png")
    options = ["--size", "64", "--steps", "1", "--batch", "2", "--held-out", "1", "--device", "cpu"]
    first = tmp_path / "first"
    widths = [word for width in "44668" for word in ("--widths", width)]
    result = run("defog", "train", photos, "--run", first, *options, *widths)
    assert result.exit_code == 0, result.output
    start = first / "network.safetensors"
    assert str(start.name) in result.output
    assert run("defog", "train", "--resume", first, "--seed", "3").exit_code == 2
    assert run("defog", "train", "--resume", first, "--device", "cpu").exit_code == 0
    worlds: list[str | Path] = ["--foggy", photos, "--clear", photos]
    second = tmp_path / "second"
    result = run("defog", "adapt", start, *worlds, "--run", second, *options)
    assert result.exit_code == 0, result.output
    assert (second / "network.safetensors").is_file()
    assert run("defog", "adapt", "--resume", second, "--device", "cpu").exit_code == 0


@pytest.mark.parametrize("function", [defog_steps, fog_steps, DefogTrainConfig, DefogAdaptConfig])
def test_defaults_are_said_in_the_signature(function: object) -> None:
    assert all(argument.help for argument in arguments_of(function).values())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "precision"),
    [
        ([], "bfloat16"),
        (["--mixed"], "bfloat16"),
        (["--no-mixed"], "float32"),
        (["--precision", "auto"], "auto"),
    ],
)
def test_what_was_typed_before_means_what_it_meant(
    typed: list[str], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[DefogTrainConfig | DefogAdaptConfig] = []
    for name in ("train_defog", "adapt_defog"):
        training = getattr(defog_command, name)
        taken = functools.wraps(training)(lambda config, *_, **__: asked.append(config))
        monkeypatch.setattr(defog_command, name, taken)
    monkeypatch.setattr(defog_command, "follow", lambda *_: None)
    assert run("defog", "train", "data", "--run", "x", "--average", "0.5", *typed).exit_code == 0
    domains = ("net", "--foggy", "a", "--clear", "b", "--run", "x", "--critic-rate", "0.5")
    assert run("defog", "adapt", *domains, *typed).exit_code == 0
    rest = {"precision": precision}
    first = DefogTrainConfig(("data",), ema=0.5, **rest)  # type: ignore[arg-type]
    second = DefogAdaptConfig("net", ("a",), ("b",), discriminator_learning_rate=0.5, **rest)  # type: ignore[arg-type]
    assert asked == [first, second]
    for command in ("train", "adapt"):
        assert "mixed" not in run("defog", command, "--help").output
