"""Where pictures go is settled before the work: suffix, folder, many inputs, what is done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from belamy.cli.outputs import Job, plan, require_folder, require_output, save_step, share
from belamy.errors import ImageError, OptionError
from belamy.pixels.images import load_picture
from belamy.steps import Step


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".PNG"])
def test_a_known_suffix_in_a_folder_that_can_be_made(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / "new" / f"a{suffix}"
    assert require_output(target) == target
    assert not target.parent.exists()  # nothing is made yet


@pytest.mark.parametrize("name", ["a", "a.txt", "a.png.bak"])
def test_an_unknown_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError, match="suffix"):
        require_output(tmp_path / name)


def test_a_format_without_room_for_a_recipe_is_refused_unless_none_is_carried(
    tmp_path: Path,
) -> None:
    with pytest.raises(ImageError, match="recipe"):
        require_output(tmp_path / "a.bmp")
    require_output(tmp_path / "a.bmp", recipe=False)


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="is a folder"):
        require_output(tmp_path)


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OptionError, match="is a file"):
        require_folder(tmp_path / "file" / "inner")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OptionError, match="permission"):
        require_folder(tmp_path / "inner")


def test_one_source_to_one_file(tmp_path: Path) -> None:
    assert plan([Path("a.jpg")], tmp_path / "b.webp") == [Job(Path("a.jpg"), tmp_path / "b.webp")]


@pytest.mark.parametrize("slash", ["there", "new/", "new.d/"])
def test_one_source_to_a_folder(tmp_path: Path, slash: str) -> None:
    (tmp_path / "there").mkdir()
    jobs = plan([Path("a.jpg")], f"{tmp_path}/{slash}")
    assert jobs == [Job(Path("a.jpg"), tmp_path / slash.rstrip("/") / "a.png")]


def test_many_sources_need_a_folder(tmp_path: Path) -> None:
    sources = [Path("a.jpg"), Path("b.jpg")]
    assert [job.target.name for job in plan(sources, tmp_path / "out")] == ["a.png", "b.png"]
    with pytest.raises(OptionError, match="2 pictures cannot all become"):
        plan(sources, tmp_path / "out.png")


def test_two_sources_that_would_become_one_file(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="both become"):
        plan([Path("a.jpg"), Path("a.png")], tmp_path)


def test_a_source_is_never_overwritten(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(b"")
    for output in (source, tmp_path):
        with pytest.raises(OptionError, match="overwrite itself"):
            plan([source], output)


def test_what_is_there_is_done(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    jobs = plan([Path("x/a.jpg"), Path("x/b.jpg")], tmp_path)
    assert [job.done for job in jobs] == [True, False]


def test_torchrun_shares_the_jobs_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = plan([Path(f"{letter}.jpg") for letter in "abcde"], tmp_path)
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert share(jobs) == jobs
    monkeypatch.setenv("WORLD_SIZE", "2")
    parts = []
    for rank in ("0", "1"):
        monkeypatch.setenv("RANK", rank)
        parts.append(share(jobs))
    assert [len(part) for part in parts] == [3, 2]
    assert {job.source for part in parts for job in part} == {job.source for job in jobs}


def test_a_step_is_saved_with_its_transparency(tmp_path: Path) -> None:
    alpha = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)
    step = Step(1, 1, torch.full((1, 3, 1, 2), 0.5), {}, alpha)
    save_step(step, tmp_path / "a.png")
    kept = load_picture(tmp_path / "a.png").alpha
    assert kept is not None
    assert torch.equal(kept, alpha)
