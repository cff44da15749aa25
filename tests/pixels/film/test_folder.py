"""Frames one by one: folders, zips, patterns."""

from __future__ import annotations

import zipfile
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from tests.pixels.film.films import read

from belamy.errors import ImageError
from belamy.pixels.film import is_film, open_film
from belamy.pixels.images import save_image


def fill(folder: Path, names: str) -> None:
    """Frames whose shade is their number."""
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names.split()):
        save_image(torch.full((1, 3, 12, 16), number / 10), folder / name)


def numbers(path: Path | str, **options: float) -> list[int]:
    return [round(float(one.image.mean()) * 10) for one in read(path, **options)]


def test_frames_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    fill(tmp_path / "a", "f1.png f2.png f9.png f10.png f100.png")
    assert numbers(tmp_path / "a") == [0, 1, 2, 3, 4]
    with open_film(tmp_path / "a") as film:
        assert (film.size, film.frame_rate, film.expected_frames) == ((12, 16), 25, 5)
        assert (film.seconds, film.has_sound) == (Fraction(1, 5), False)


def test_a_folder_is_played_as_fast_as_is_said(tmp_path: Path) -> None:
    fill(tmp_path / "a", "1.png 2.png 3.png")
    found = read(tmp_path / "a", fps=12)
    assert [one.time for one in found] == [0, Fraction(1, 12), Fraction(2, 12)]
    assert numbers(tmp_path / "a", fps=2, start=0.5, end=1) == [1]


def test_a_pattern(tmp_path: Path) -> None:
    fill(tmp_path / "a", "x000001.png x000002.png y000003.png x000010.png")
    assert numbers(tmp_path / "a" / "x%06d.png") == [0, 1, 3]
    assert numbers(str(tmp_path / "a" / "y%d.png")) == [2]
    with pytest.raises(ImageError, match="has no frames"):
        open_film(tmp_path / "a" / "z%06d.png")
    with pytest.raises(ImageError, match="is no pattern of frames"):
        open_film(tmp_path / "a" / "z%s.png")


def test_a_zip(tmp_path: Path) -> None:
    fill(tmp_path / "a", "1.png 2.png 10.png")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in (tmp_path / "a").iterdir():
            archive.write(path, f"frames/{path.name}")
        archive.writestr("frames/readme.txt", "hello")
    assert numbers(tmp_path / "a.zip") == [0, 1, 2]


def test_frames_are_of_one_size(tmp_path: Path) -> None:
    fill(tmp_path / "a", "1.png 2.png")
    save_image(torch.zeros(1, 3, 20, 16), tmp_path / "a" / "3.png")
    with pytest.raises(ImageError, match=r"3.png is 16 × 20, the first frame 16 × 12"):
        read(tmp_path / "a")


def test_what_has_no_frames(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ImageError, match="has no frames"):
        open_film(tmp_path / "a")
    with pytest.raises(ImageError, match="there is no such"):
        open_film(tmp_path / "none" / "%06d.png")
    assert not is_film(tmp_path / "a")


def test_strange_times_beside_frames_are_left(tmp_path: Path) -> None:
    fill(tmp_path / "a", "1.png 2.png")
    for text in (
        "",
        "[]",
        '{"durations": ["1/0", "1"]}',
        '{"durations": ["1"]}',
        '{"durations": 3}',
    ):
        (tmp_path / "a" / "film.json").write_text(text, "utf-8")
        assert [one.duration for one in read(tmp_path / "a")] == [Fraction(1, 25)] * 2
    (tmp_path / "a" / "film.json").write_text('{"durations": ["1/3", "2"]}', "utf-8")
    assert [one.duration for one in read(tmp_path / "a")] == [Fraction(1, 3), 2]
