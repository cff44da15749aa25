"""One engine over many pictures: what is asked for again, what goes aside, what fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import typer

from belamy.cli.outputs import Job
from belamy.cli.pictures import work_on
from belamy.errors import ImageError
from belamy.pixels.images import Source, load_image, save_image
from belamy.steps import Step


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.png" for name in "ab"]
    for path in paths:
        save_image(torch.full((1, 3, 4, 4), 0.5), path)
    return paths


def grow_lighter(image: Source, job: Job) -> Iterator[Step]:
    for index in (1, 2, 3):
        yield Step(index, 3, (load_image(image) + 0.1 * index).clamp(0, 1), {})


def grey(path: Path) -> float:
    return float(load_image(path).mean())


def test_a_single_picture_is_always_made_anew(pictures: list[Path], tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    save_image(torch.zeros(1, 3, 4, 4), target)
    work_on(pictures[:1], str(target), grow_lighter, "lightening")
    assert grey(target) == pytest.approx(0.8, abs=0.01)


def test_of_many_pictures_those_that_are_there_stay(
    pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    save_image(torch.zeros(1, 3, 4, 4), folder / "a.png")
    work_on(pictures, f"{folder}/", grow_lighter, "lightening")
    assert [grey(folder / f"{name}.png") for name in "ab"] == pytest.approx([0, 0.8], abs=0.01)
    said = capsys.readouterr().out
    assert said.split("\n")[:2] == [f"{folder / 'a.png'} is there already", str(folder / "b.png")]


def test_frames_are_saved_on_the_way(pictures: list[Path], tmp_path: Path) -> None:
    work_on(pictures[:1], str(tmp_path / "out.png"), grow_lighter, "lightening", every=2)
    assert grey(tmp_path / "out-0002.png") == pytest.approx(0.7, abs=0.01)
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out-0002.png", "out.png"]


@pytest.mark.parametrize(("many", "name"), [(False, "out.png"), (True, "a-stopped.png")])
def test_ctrl_c_keeps_what_was_made(
    pictures: list[Path], tmp_path: Path, many: bool, name: str
) -> None:
    def interrupted(image: Source, job: Job) -> Iterator[Step]:
        yield next(grow_lighter(image, job))
        raise KeyboardInterrupt

    output = f"{tmp_path}/new/" if many else str(tmp_path / "new" / "out.png")
    with pytest.raises(KeyboardInterrupt, match=name):
        work_on(pictures if many else pictures[:1], output, interrupted, "lightening")
    assert [path.name for path in (tmp_path / "new").iterdir()] == [name]
    assert grey(tmp_path / "new" / name) == pytest.approx(0.6, abs=0.01)


def test_one_that_fails_does_not_hold_up_the_others(
    pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def some(image: Source, job: Job) -> Iterator[Step]:
        if job.source.stem == "a":
            raise ImageError("a.png is no picture")
        yield from grow_lighter(image, job)

    with pytest.raises(typer.Exit) as caught:
        work_on(pictures, f"{tmp_path}/new/", some, "lightening")
    assert caught.value.exit_code == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["b.png"]
    assert "a.png is no picture" in capsys.readouterr().err
