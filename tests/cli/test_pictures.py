"""One engine over many pictures: what is asked for again, what goes aside, what fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
import typer

from belamy.cli.outputs import Job, save_step
from belamy.cli.pictures import work_on
from belamy.errors import ImageError, OptionError
from belamy.pixels.images import Source, input_of, load_image, save_image
from belamy.pixels.recipe import Recipe
from belamy.steps import Step


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.png" for name in "ab"]
    for path in paths:
        save_image(torch.full((1, 3, 4, 4), 0.5), path)
    return paths


def grow_lighter(image: Source, job: Job, by: float = 0.1) -> Iterator[Step]:
    for index in (1, 2, 3):
        inputs = (input_of("image", image),)
        recipe = Recipe("lighten", {"by": by, "tile": "none"}, inputs, {}, 0, "1", "2", index)
        yield Step(index, 3, (load_image(image) + by * index).clamp(0, 1), {}, recipe=recipe)


def grey(path: Path) -> float:
    return float(load_image(path).mean())


@pytest.mark.parametrize("many", [False, True])
def test_what_is_there_by_its_recipe_is_not_made_again(
    pictures: list[Path], tmp_path: Path, many: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    images = pictures if many else pictures[:1]
    output = f"{tmp_path}/new/" if many else str(tmp_path / "new" / "a.png")
    first = tmp_path / "new" / "a.png"
    for by, light, said in (
        (0.1, 0.8, str(first)),
        (0.1, 0.8, f"{first} is there already"),
        (0.05, 0.65, str(first)),  # another option: made anew
    ):
        before = first.stat().st_mtime_ns if first.exists() else 0
        work_on(images, output, partial(grow_lighter, by=by), "lightening")
        assert capsys.readouterr().out.splitlines()[0] == said
        assert grey(first) == pytest.approx(light, abs=0.01)
        assert (first.stat().st_mtime_ns == before) == said.endswith("already")
    save_image(torch.full((1, 3, 4, 4), 0.2), pictures[0])  # another input
    work_on(images, output, partial(grow_lighter, by=0.05), "lightening")
    assert grey(first) == pytest.approx(0.35, abs=0.01)
    assert grey(first.with_name("b.png")) == pytest.approx(0.65, abs=0.01) if many else True
    work_on(images, output, partial(grow_lighter, by=0.05), "lightening", overwrite=True)
    assert "already" not in capsys.readouterr().out.splitlines()[-1]


def test_a_recipe_found_beforehand_saves_the_work(pictures: list[Path], tmp_path: Path) -> None:
    def planned(image: Source) -> Recipe:
        recipe = list(grow_lighter(image, Job(tmp_path, tmp_path)))[-1].recipe
        assert recipe is not None
        return recipe

    def never(image: Source, job: Job) -> Iterator[Step]:
        raise AssertionError
        yield

    output = str(tmp_path / "out.png")
    work_on(pictures[:1], output, grow_lighter, "lightening", planned=planned)
    work_on(pictures[:1], output, never, "lightening", planned=planned)


def test_somebodys_own_file_is_never_overwritten_in_silence(
    pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for name, content in (("a.png", None), ("b.png", b"no picture at all")):
        if content is None:
            save_image(torch.zeros(1, 3, 4, 4), folder / name)
        else:
            (folder / name).write_bytes(content)
    before = [(folder / name).read_bytes() for name in ("a.png", "b.png")]
    with pytest.raises(typer.Exit):
        work_on(pictures, f"{folder}/", grow_lighter, "lightening")
    with pytest.raises(typer.Exit):
        work_on(pictures[:1], str(folder / "a.png"), grow_lighter, "lightening")
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert all("carries no recipe" in line and "--overwrite" in line for line in said)
    assert [(folder / name).read_bytes() for name in ("a.png", "b.png")] == before
    work_on(pictures, f"{folder}/", grow_lighter, "lightening", overwrite=True)
    assert [grey(folder / f"{name}.png") for name in "ab"] == pytest.approx([0.8] * 2, abs=0.01)


def test_what_was_stopped_is_made_again(pictures: list[Path], tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    step = next(grow_lighter(pictures[0], Job(pictures[0], target)))
    save_step(step, target)
    work_on(pictures[:1], str(target), grow_lighter, "lightening")
    assert grey(target) == pytest.approx(0.8, abs=0.01)


def test_messages_of_many_name_the_picture(
    pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(image: Source, job: Job) -> Iterator[Step]:
        raise OptionError("it is too small")
        yield

    with pytest.raises(typer.Exit):
        work_on(pictures, f"{tmp_path}/new/", fail, "lightening")
    lines = capsys.readouterr().err.splitlines()
    assert all(
        f"{path}: it is too small" in line for path, line in zip(pictures, lines, strict=True)
    )


@pytest.mark.parametrize(("count", "said"), [(1, ["note"]), (2, ["a.png: note", "b.png: note"])])
def test_notes_of_many_name_the_picture(
    count: int, said: list[str], pictures: list[Path], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def remark(image: Source, job: Job) -> Iterator[Step]:
        *_, last = grow_lighter(image, job)
        yield replace(last, note="note")

    work_on(pictures[:count], f"{tmp_path}/new/", remark, "lightening")
    assert capsys.readouterr().err.splitlines() == [f"belamy: {line}" for line in said]


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
