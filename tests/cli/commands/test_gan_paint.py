"""`belamy gan paint`, `walk`, `mix`, `edit`, `project`, `evaluate`, as a person types them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import typer
from PIL import Image
from torch import Tensor
from typer.testing import CliRunner, Result

from belamy.cli.commands import gan_paint, recipe
from belamy.cli.groups import RootGroup
from belamy.engines.gan.sample_api import gan_paint_steps
from belamy.pixels.film import FILM_SUFFIXES
from belamy.pixels.film.writers.container import CONTAINERS
from belamy.pixels.images import load_image, save_image
from belamy.pixels.recipe import read_recipe

root = typer.Typer(cls=RootGroup, pretty_exceptions_enable=False)
root.add_typer(gan_paint.app)
root.add_typer(recipe.app)


def run(*arguments: str | Path | int) -> Result:
    return CliRunner().invoke(root, list(map(str, arguments)))


def words(result: Result) -> str:
    return " ".join(result.output.split())


@pytest.fixture
def painter(painters: Callable[..., Path]) -> Path:
    return painters()


def made(*arguments: str | Path | int) -> Result:
    result = run("gan", *arguments)
    assert result.exit_code == 0, result.output
    return result


def test_a_folder_has_a_file_of_each_by_seed_and_number(painter: Path, tmp_path: Path) -> None:
    out = f"{tmp_path / 'out'}/"
    made("paint", painter, "-n", 3, "--seed", 7, "-o", out)
    assert sorted(path.name for path in Path(out).iterdir()) == [f"7-0{k}.png" for k in (1, 2, 3)]
    third = read_recipe(tmp_path / "out" / "7-03.png")
    assert (third.engine, third.seed, third.step) == ("gan-paint", 7, 3)


def test_a_file_has_a_sheet(painter: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    result = made("paint", painter, "-n", "4", "-o", sheet, "--upscale", "2", "--frame")
    assert str(sheet) in result.output
    wanted = list(gan_paint_steps(str(painter), count=4, upscale=2, frame=True))[-1].image
    assert (load_image(sheet) - wanted).abs().max() <= 0.51 / 255


def test_latents_are_saved_and_loaded(painter: Path, tmp_path: Path) -> None:
    first, again = tmp_path / "a.png", tmp_path / "b.png"
    latents = tmp_path / "l.safetensors"
    made("paint", painter, "-n", 2, "-o", first, "--save-latents", latents)
    made("paint", painter, "--latents", latents, "-o", again)
    assert torch.equal(load_image(first), load_image(again))
    made("paint", painter, "--latents", latents, "-o", f"{tmp_path}/out/")
    assert (tmp_path / "out" / "latents-02.png").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("paint", "PAINTER", "-n", "5", "--upscale", "2", "--sign"),
        ("mix", "1", "5:2", "--network", "PAINTER"),
        ("edit", "3", "--network", "PAINTER", "--direction", "2", "--amount", "1.5"),
    ],
)
def test_pictures_are_replayed_to_the_byte(
    arguments: tuple[str, ...], painter: Path, tmp_path: Path
) -> None:
    asked = [str(painter) if word == "PAINTER" else word for word in arguments]
    first, again = tmp_path / "a.png", tmp_path / "b.png"
    made(*asked, "-o", first)
    result = run("replay", "--trust", first, "-o", again)
    assert result.exit_code == 0, result.output
    assert first.read_bytes() == again.read_bytes()


def test_one_of_a_folder_is_replayed_from_its_latents(painter: Path, tmp_path: Path) -> None:
    latents = tmp_path / "l.safetensors"
    made("paint", painter, "-n", 3, "-o", tmp_path / "a.png", "--save-latents", latents)
    made("paint", painter, "--latents", latents, "-o", f"{tmp_path}/out/")
    second = tmp_path / "out" / "latents-02.png"
    assert run("replay", "--trust", second, "-o", tmp_path / "b.png").exit_code == 0
    assert second.read_bytes() == (tmp_path / "b.png").read_bytes()
    latents.write_bytes(latents.read_bytes() + b" ")
    result = run("replay", "--trust", second, "-o", tmp_path / "b.png")
    assert result.exit_code == 1
    assert "l.safetensors' (latents) has changed" in words(result)


def test_walks_are_films_and_replayed_as_such(painter: Path, tmp_path: Path) -> None:
    film, again = tmp_path / "walk.gif", tmp_path / "again.gif"
    made("walk", painter, "-o", film, "--seconds", "1", "--fps", "10", "--stops", "2")
    with Image.open(film) as opened:
        assert opened.n_frames == 10
    assert read_recipe(film).step == 10
    assert run("replay", "--trust", film, "-o", again).exit_code == 0
    assert film.read_bytes() == again.read_bytes()
    result = run("replay", "--trust", film, "-o", tmp_path / "still.png")
    assert result.exit_code == 2
    assert "use .mp4 .mov" in words(result)


@pytest.mark.parametrize("suffix", FILM_SUFFIXES)
def test_walks_in_every_format_are_replayed(suffix: str, painter: Path, tmp_path: Path) -> None:
    if suffix in CONTAINERS:
        pytest.importorskip("av")
    film, again = tmp_path / f"walk{suffix}", tmp_path / f"again{suffix}"
    options = ("--seconds", "1", "--fps", "5", "--quality", "70")
    made("walk", painter, "-o", film, *options)
    assert run("replay", "--trust", film, "-o", again).exit_code == 0
    assert film.read_bytes() == again.read_bytes()
    shown = run("recipe", film).output
    assert "gan-walk" in shown
    assert re.search(r"film, quality +70", shown)
    assert "is there already" in words(run("gan", "walk", painter, "-o", film, *options))
    made("walk", painter, "-o", film, *options[:-1], "90")  # another quality: made again
    assert read_recipe(film).film["quality"] == 90


def test_a_walk_in_a_folder(painter: Path, tmp_path: Path) -> None:
    made("walk", painter, "-o", tmp_path / "walk", "--seconds", "1", "--fps", "5")
    assert len(list((tmp_path / "walk").glob("*.png"))) == 5
    assert run("replay", "--trust", tmp_path / "walk", "-o", tmp_path / "again").exit_code == 0
    names = ("000003.png", "film.json")
    first, second = ([(tmp_path / f / n).read_bytes() for n in names] for f in ("walk", "again"))
    assert first == second


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        (("-o", "a.webm", "--codec", "h264"), "a .webm takes vp9, av1"),
        (("-o", "a.gif", "--codec", "vp9"), "a .gif has none to choose"),
        (("-o", "a.mp4", "--quality", "0"), "quality is 0; it must be from 1 to 100"),
        (("-o", "a.tga"), "unknown suffix '.tga'"),
    ],
)
def test_what_a_film_cannot_be(options: tuple[str, ...], cause: str, painter: Path) -> None:
    pytest.importorskip("av")
    result = run("gan", "walk", painter, *options)
    assert result.exit_code == 2
    assert cause in words(result)


def test_an_mp4_without_pyav_says_what_to_install(
    painter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    result = run("gan", "walk", painter, "-o", tmp_path / "walk.mp4")
    assert result.exit_code == 1
    assert "pip install 'belamy[video]'" in words(result)


def test_project_with_its_way(painter: Path, photo: Tensor, eye: Path, tmp_path: Path) -> None:
    save_image(photo, tmp_path / "me.png")
    out, way, latents = tmp_path / "out.png", tmp_path / "way.gif", tmp_path / "me.safetensors"
    asked = ("--network", painter, "--steps", 12, "--model", eye)
    made(
        *("project", tmp_path / "me.png", *asked),
        *("-o", out, "--video", way, "--save-latents", latents),
    )
    with Image.open(way) as film:
        assert film.n_frames == 3
    made("edit", 1, "--latents", latents, "--network", painter, "--amount", 0, "--direction", 1,
         "-o", tmp_path / "same.png")  # fmt: skip
    assert torch.equal(load_image(out), load_image(tmp_path / "same.png"))
    for picture in (out, way):
        again = tmp_path / f"again{picture.suffix}"
        assert run("replay", "--trust", picture, "-o", again).exit_code == 0
        assert picture.read_bytes() == again.read_bytes()


def test_evaluate(painter: Path, eye: Path, tmp_path: Path) -> None:
    made("paint", painter, "-n", 60, "--seed", 5, "-o", f"{tmp_path}/true/")
    asked = ("evaluate", painter, tmp_path / "true", "--count", 60, "--model", eye)
    result = CliRunner().invoke(root, ["gan", *map(str, asked), "--json"])
    measures = json.loads(result.stdout)
    assert {"kid", "precision", "recall", "nearest", "note"} == measures.keys()
    assert "no FID" in measures["note"]
    sheet = tmp_path / "sheet.png"
    plain = made(*asked, "-o", sheet)
    assert "precision: " in plain.output
    assert sheet.exists()


def test_misuse_is_one_line(painter: Path, eye: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.png"
    for arguments, code, cause in (
        (("paint", painter), 2, "no output named"),
        (("paint", painter, "-o", tmp_path / "x.xyz"), 2, "unknown suffix"),
        (("paint", painter, "-n", "0", "-o", out), 2, "count is 0"),
        (("paint", painter, "-n", "100000000", "-o", out), 2, "count is 100000000"),
        (("paint", painter, "--label", "cat", "-o", out), 2, "unknown label 'cat'; there are none"),
        (("paint", eye, "-o", out), 1, "not a generator of pictures"),
        (("paint", "nobody", "-o", out), 2, "unknown network 'nobody'"),
        (("paint", painter, "--latents", painter, "-o", out), 1, "holds no latents"),
        (("paint", painter, "-o", out, "--save-latents", tmp_path / "l.pt"), 2, "l.pt"),
        (("walk", painter), 2, "no output named"),
        (("walk", painter, "-o", out), 2, "use .mp4 .mov"),
        (("walk", painter, "-o", tmp_path / "x.gif", "--fps", "60"), 2, "fps is 60"),
        (("mix", "a", "b", "--network", painter, "-o", out), 2, "names no picture"),
        (("edit", "1", "--network", painter, "--direction", "0", "-o", out), 2, "direction is 0"),
        (("project", tmp_path / "none.png", "--network", painter, "-o", out), 2, "none.png"),
        (("evaluate", painter, tmp_path / "none"), 2, "there is no such folder or zip"),
    ):
        result = run("gan", *arguments)
        assert result.exit_code == code, (arguments, result.output)
        assert cause in words(result), (arguments, result.output)
        assert result.output.count("\n") <= 3
        assert not out.exists()
