"""Pictures that move keep their pauses, as browsers play them; small files cannot ask for much."""

from __future__ import annotations

import io
import struct
import zlib
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from PIL import Image
from tests.pixels.film.films import ANIMATED, error, frames, read, write

from belamy.errors import ImageError, PictureWarning
from belamy.pixels.film import animated, is_film, open_film
from belamy.pixels.images import to_pil

FORMATS = {".gif": "GIF", ".webp": "WEBP", ".apng": "PNG", ".avif": "AVIF"}


def shades(*levels: int) -> list[Image.Image]:
    return [Image.new("RGB", (8, 8), (level, 0, 0)) for level in levels]


def save(path: Path, pictures: list[Image.Image], duration: object = 100) -> None:
    """As others write them."""
    given = {} if duration is None else {"duration": duration}
    kind = FORMATS[path.suffix]
    pictures[0].save(path, kind, save_all=True, append_images=pictures[1:], **given)


@pytest.mark.parametrize("suffix", ANIMATED)
def test_pauses_stay(suffix: str, tmp_path: Path) -> None:
    """Seventy-five frames, most of them equal: three seconds, not one."""
    path = tmp_path / f"a{suffix}"
    levels = [0, *([80] * 40), 160, *([240] * 33)]
    save(path, shades(*levels), 40)
    found = read(path)
    assert sum(one.duration for one in found) == 3
    starts = {round(float(one.image[0, 0].mean()) * 255 / 80): one.time for one in found[::-1]}
    assert starts == {0: 0, 1: Fraction(4, 100), 2: Fraction(164, 100), 3: Fraction(168, 100)}


@pytest.mark.parametrize("suffix", ANIMATED)
def test_delays_of_none_play_as_browsers_play_them(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    save(path, shades(0, 80, 160, 240), [40, 10, 60, 20])
    assert [one.duration * 1000 for one in read(path)] == [40, 100, 60, 20]


@pytest.mark.parametrize("delay", [0, None])
def test_a_gif_without_delays(delay: int | None, tmp_path: Path) -> None:
    save(tmp_path / "a.gif", shades(0, 80, 160, 240), delay)
    with open_film(tmp_path / "a.gif") as film:
        assert film.frame_rate == 10
        assert [one.duration for one in film] == [Fraction(1, 10)] * 4


@pytest.mark.parametrize("suffix", ANIMATED)
def test_a_part_of_it(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    save(path, shades(0, 80, 160, 240), 250)
    found = read(path, start=0.3, end=0.8, size=16)
    assert [(one.time, one.duration) for one in found] == [
        (Fraction(3, 10), Fraction(2, 10)),
        (Fraction(1, 2), Fraction(1, 4)),
        (Fraction(3, 4), Fraction(1, 20)),
    ]
    assert found[0].image.shape == (1, 3, 16, 16)


def test_frames_drawn_over_others(tmp_path: Path) -> None:
    """Parts of the picture, by each way to dispose of them."""
    base = Image.new("RGB", (32, 32), "white")
    other = base.copy()
    other.paste("red", (4, 4, 12, 12))
    third = base.copy()
    third.paste("blue", (20, 20, 28, 28))
    for disposal in (0, 1, 2):
        path = tmp_path / f"{disposal}.gif"
        base.save(
            path, save_all=True, append_images=[other, third], duration=100, disposal=disposal
        )
        assert error(read(path)[1].image, torch.from_numpy(_planes(other))) < 3


def _planes(picture: Image.Image) -> object:
    import numpy as np

    return np.asarray(picture, np.float32).transpose(2, 0, 1)[None] / 255


def test_the_picture_for_those_who_know_no_apng_is_no_frame(tmp_path: Path) -> None:
    first, *rest = shades(255, 0, 80)
    path = tmp_path / "a.png"
    first.save(path, save_all=True, append_images=rest, default_image=True, duration=100)
    found = read(path)
    assert [round(float(one.image[0, 0].mean()) * 255) for one in found] == [0, 80]


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng"])
def test_what_is_whole_of_one_that_is_cut_off(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    noise = [torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(i)) for i in range(6)]
    save(path, [to_pil(one) for one in noise])
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    if suffix == ".webp":  # libwebp wants the whole file
        with pytest.raises(ImageError, match="damaged or cut short"):
            read(path)
        return
    with pytest.warns(PictureWarning, match=r"frames before are taken|is cut off"):
        found = read(path)
    assert 1 <= len(found) < 6
    assert error(found[0].image, noise[0]) < 12


def test_frames_and_pixels_are_bounded_before_they_are_decoded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A GIF of a thousand bytes: 60 frames of a dot each, on 8000 × 4000 pixels."""
    path = tmp_path / "a.gif"
    dot = io.BytesIO()
    Image.new("L", (1, 1)).save(dot, "GIF")
    image = dot.getvalue()
    data = image[image.index(b",") : -1]
    head = b"GIF89a" + struct.pack("<HH", 8000, 4000) + image[10:13] + image[13 : image.index(b",")]
    path.write_bytes(head + data * 60 + b";")
    assert path.stat().st_size < 3000
    monkeypatch.setattr(animated, "MOST_GIGAPIXELS", 1.5)
    with pytest.raises(ImageError, match=r"60 frames of 8000 × 4000, 2 gigapixels together"):
        open_film(path)
    path.write_bytes(
        head.replace(struct.pack("<HH", 8000, 4000), struct.pack("<HH", 9000, 9000))
        + data * 2
        + b";"
    )
    with pytest.raises(ImageError, match=r"81\.0 megapixels"):
        open_film(path)


def test_an_apng_that_claims_a_million_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write(tmp_path / "a.apng", frames(2), [Fraction(0), Fraction(1), Fraction(2)])
    data = bytearray((tmp_path / "a.apng").read_bytes())
    at = data.index(b"acTL")
    data[at + 4 : at + 8] = struct.pack(">I", 1_000_000_000)
    data[at + 12 : at + 16] = struct.pack(">I", zlib.crc32(data[at : at + 12]))
    path.write_bytes(data)
    with pytest.raises(ImageError, match="gigapixels together"):
        open_film(path)


@pytest.mark.parametrize("suffix", [".gif", ".apng"])
def test_writing_keeps_no_frames(suffix: str, tmp_path: Path) -> None:
    import tracemalloc

    from belamy.pixels.film import create_film

    image = frames(1, 64, 64)[0]
    peaks = []
    for count in (5, 30):
        tracemalloc.start()
        with create_film(tmp_path / f"a{suffix}", size=(64, 64), frame_rate=Fraction(10)) as film:
            for index in range(count):
                film.write(image * (1 - index / 200), Fraction(index, 10), Fraction(1, 10))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_a_still_picture_does_not_move(tmp_path: Path) -> None:
    for suffix, kind in FORMATS.items():
        path = tmp_path / f"still{suffix}"
        shades(0)[0].save(path, kind)
        assert not is_film(path)
        with pytest.raises(ImageError, match="does not move"):
            open_film(path)
