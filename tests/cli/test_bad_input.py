"""What people give to `belamy translate`, `defog` and `fog` by mistake, as they type it: one line
that says what is wrong, or a picture as it should be, and never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import typer
from PIL import Image
from torch import Tensor
from typer.testing import CliRunner, Result

from belamy.cli.commands import defog, fog, translate
from belamy.cli.groups import RootGroup
from belamy.devices import make_rng
from belamy.networks.dehaze import DehazeNet
from belamy.networks.dehaze import initialise as initialise_fogsight
from belamy.networks.files.network_file import save_network_file, without_counters
from belamy.networks.gan.patchgan import initialise
from belamy.networks.image_to_image.load import save_image_net
from belamy.networks.image_to_image.network import build_translation_net
from belamy.pixels.fog.model import apply_fog
from belamy.pixels.images import load_image, save_image
from belamy.training.run_folder import SCHEMA

SQUARES = {"--size": "64", "--steps": "2", "--device": "cpu"}
JUDGED = {"--blocks": "1", "--discriminator-channels": "4", "--discriminator-layers": "1"}
FOGGED = {**SQUARES, "--batch": "2", "--held-out": "1"}


def typed(options: dict[str, str]) -> list[str]:
    return [word for pair in options.items() for word in pair]


TRAINED = {  # command → its smallest options
    "translate": typed({**SQUARES, **JUDGED, "--generator-channels": "4"}),
    "defog": [*typed(FOGGED), *(word for width in "44668" for word in ("--widths", width))],
}

APPLIED = {"translate": ["translate", "apply", "painter.safetensors"]}

root = typer.Typer(cls=RootGroup, pretty_exceptions_enable=False)
root.add_typer(translate.app, name="translate")
root.add_typer(defog.app)
root.add_typer(fog.app)


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(root, list(map(str, arguments)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def words(result: Result) -> str:
    return " ".join(result.output.split())


def refused(said: str, *arguments: str | Path, code: int = 1) -> None:
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert said in words(result)
    assert len(result.output.splitlines()) == 1, result.output


def leaves(seed: int = 0, side: int = 72) -> Tensor:
    """In every neighbourhood something is nearly black."""
    rough = torch.rand((1, 3, side // 4, side // 4), generator=make_rng(seed, "leaves")) ** 2
    return rough.repeat_interleave(4, 2).repeat_interleave(4, 3)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders `a`, `b`, `one`, `empty`, and `broken`, where two of six files are no pictures."""
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for number in range(4):
        for name in ("a", "b", "broken"):
            save_image(leaves(number), tmp_path / name / f"{number}.png")
    save_image(leaves(), tmp_path / "one" / "0.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken" / "half.png").write_bytes((tmp_path / "a" / "0.png").read_bytes()[:600])
    (tmp_path / "broken" / "none.png").write_bytes(b"no picture")
    return tmp_path


@pytest.fixture
def painter(tmp_path: Path) -> Path:
    arguments = {"shape": "residual", "channels": 4, "blocks": 1, "sampling": "resize"}
    made = build_translation_net(**arguments)  # type: ignore[arg-type]
    initialise(made, make_rng(3, "weights"))
    path = tmp_path / "painter.safetensors"
    save_image_net(
        path,
        {"a-to-b": made},
        network="translation",
        arguments=arguments,
        style="a and b",
        trained_on="nothing",
    )
    return path


@pytest.fixture
def eye(tmp_path: Path) -> Path:
    made = DehazeNet((4, 4, 6, 6, 8), (1, 1, 1, 1, 1))
    initialise_fogsight(made, make_rng(3, "weights"))
    path = tmp_path / "eye.safetensors"
    save_network_file(
        path,
        without_counters(made.state_dict()),
        network="dehaze",
        arguments=made.arguments,
        trained_on="nothing",
        half=True,
    )
    return path


def test_worlds_that_are_the_same_are_warned_of() -> None:
    result = run("translate", "train", "a", "a", "--run", "r", *TRAINED["translate"])
    assert result.exit_code == 0, result.output
    assert "A and B are the same pictures (a)" in words(result)


def test_worlds_with_one_picture_or_broken_ones_are_warned_of() -> None:
    result = run("translate", "train", "one", "broken", "--run", "r", *TRAINED["translate"])
    assert result.exit_code == 0, result.output
    assert "one has one picture" in words(result)
    assert "broken: 2 of 6 pictures cannot be read" in words(result)


def test_worlds_that_are_not_there_are_refused() -> None:
    small = TRAINED["translate"]
    refused("empty has no pictures", "translate", "train", "empty", "b", *small)
    refused("empty has no pictures", "translate", "train", "a", "empty", *small)
    refused("there is no such folder or zip", "translate", "train", "nowhere", "b", *small, code=2)


def test_pairs_without_a_partner_are_listed(place: Path) -> None:
    (place / "a" / "2.png").rename(place / "a" / "two.png")
    paired = ("translate", "train", "a", "b", "--method", "pix2pix", *TRAINED["translate"])
    refused("two in a has no picture of the same name in b", *paired)


def test_fog_is_not_learned_on_nothing() -> None:
    small = TRAINED["defog"]
    refused("empty has no pictures", "defog", "train", "empty", *small)
    refused("one has 1 picture, of which 1 would be held out", "defog", "train", "one", *small)
    adapted = ("--foggy", "empty", "--clear", "a", *typed(FOGGED))
    refused("empty has no pictures", "defog", "adapt", "defog", *adapted)


def test_broken_pictures_are_left_out_of_fog_and_listed() -> None:
    result = run("defog", "train", "broken", "--run", "r", *TRAINED["defog"])
    assert result.exit_code == 0, result.output
    assert "3 clear pictures" in words(result)
    assert "2 of 5 pictures cannot be read, and are left out: half.png, none.png (of" in words(
        result
    )


@pytest.mark.parametrize("command", ["translate", "defog"])
def test_checkpoints_cut_short(command: str, place: Path) -> None:
    """The one before goes on; where all are damaged, that is said."""
    worlds = ("a", "b") if command == "translate" else ("a",)
    result = run(command, "train", *worlds, "--run", "r", *TRAINED[command])
    assert result.exit_code == 0, result.output
    first, last = sorted((place / "r" / "checkpoints").iterdir())
    last.write_bytes(last.read_bytes()[:-100])
    result = run(command, "train", "--resume", "r", "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert f"going on from step 1 ({last.name} is damaged)" in words(result)
    for path in (first, last):
        path.write_bytes(path.read_bytes()[:1000])
    refused("are all damaged", command, "train", "--resume", "r", "--device", "cpu")


@pytest.mark.parametrize("command", ["translate", "defog"])
def test_run_folders_of_another_version_or_kind(command: str, place: Path) -> None:
    def write(**fields: object) -> None:
        (place / "config.json").write_text(json.dumps(fields))

    resume = (command, "train", "--resume", place)
    write(schema=SCHEMA + 1, kind=command, config={})
    refused("is of another version of belamy; start a new run", *resume)
    write(schema=SCHEMA, kind="gan", config={})
    refused("is a run of gan, not of", *resume)
    write(schema=SCHEMA, kind=command, config={"magic": 1})
    refused("options that this belamy does not know", *resume)
    (place / "config.json").write_text("{")
    refused("is not a run folder", *resume)


def test_networks_of_another_kind_or_cut_short(painter: Path, eye: Path, place: Path) -> None:
    refused("is a dehazing network", "translate", "apply", eye, "a/0.png", "-o", "x.png")
    clear = ("defog", "a/0.png", "-o", "x.png", "--network")
    refused("is an image-to-image network", *clear, painter)
    for path in (painter, eye):
        path.write_bytes(path.read_bytes()[:-50])
    refused("has changed since", "translate", "apply", painter, "a/0.png", "-o", "x.png")
    for path in (painter, eye):
        path.with_name(path.name + ".sha256").unlink()
    refused("is damaged", "translate", "apply", painter, "a/0.png", "-o", "x.png")
    refused("is damaged", *clear, eye)
    assert not (place / "x.png").exists()


@pytest.mark.parametrize("command", ["defog", "fog", "translate"])
def test_folders_that_are_empty_or_hold_broken_files(
    command: str, painter: Path, place: Path
) -> None:
    verb = APPLIED.get(command, [command])
    refused("empty has no pictures in it", *verb, "empty", "-o", "out", code=2)
    refused("there is no such file", *verb, "nowhere.png", "-o", "x.png", code=2)
    refused("none.png: it is not a picture", *verb, "broken/none.png", "-o", "x.png")
    result = run(*verb, "broken", "-o", "out")
    assert result.exit_code == 1
    assert "half.png: it is damaged or cut short" in words(result)
    assert sorted(path.name for path in (place / "out").iterdir()) == [f"{n}.png" for n in range(4)]


def test_a_picture_without_fog_stays_as_it_is_and_that_is_said(place: Path) -> None:
    result = run("defog", "a/0.png", "-o", "x.png")
    assert result.exit_code == 0, result.output
    assert "hardly any fog in it" in words(result)
    assert torch.equal(load_image(place / "x.png"), load_image(place / "a" / "0.png"))


def test_a_night_picture_stays_night(place: Path) -> None:
    night = leaves() * 0.08
    night[..., 20:24, 30:34] = 1  # a lamp
    save_image(night, place / "night.png")
    result = run("defog", "night.png", "-o", "x.png")
    assert result.exit_code == 0, result.output
    assert float((load_image(place / "x.png") - load_image(place / "night.png")).abs().max()) < 0.1


@pytest.mark.parametrize("mode", ["L", "LA", "1", "I;16"])
@pytest.mark.parametrize("foggy", [False, True])
def test_grey_pictures_stay_grey(mode: str, foggy: bool, place: Path) -> None:
    image = leaves().mean(1, keepdim=True).expand(-1, 3, -1, -1)
    if foggy:
        image = apply_fog(image, torch.tensor(0.4), torch.full((1, 3, 1, 1), 0.85))
    save_image(image, place / "rgb.png")
    with Image.open(place / "rgb.png") as opened:
        grey = opened.convert("L")
    deep = mode == "I;16"
    (grey.convert("I").point(lambda v: v * 257).convert(mode) if deep else grey.convert(mode)).save(
        place / "grey.png"
    )
    result = run("defog", "grey.png", "-o", "x.png")
    assert result.exit_code == 0, result.output
    made = load_image(place / "x.png")
    assert made.shape == image.shape
    assert float((made.amax(1) - made.amin(1)).max()) == 0
    if foggy and mode != "1":
        assert float(made.mean()) < float(image.mean()) - 0.1
