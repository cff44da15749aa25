"""What people hand over that is no picture is named by its kind."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from belamy.errors import ImageError
from belamy.pixels.images import load_image, load_picture


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "empty"),
        (b"just some words\n" * 9, "not a picture in JPEG, PNG, WEBP, GIF, TIFF, BMP or AVIF"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\0\0\0\x18ftypheic" + bytes(99), "HEIC"),
        (b"\0\0\0\x18ftypisom" + bytes(99), "video"),
        (b"PK\x03\x04" + bytes(99), "zip"),
        (b"\0\0\0\x18ftypcrx " + bytes(99), "raw photo"),
        (b"FUJIFILMCCD-RAW " + bytes(99), "raw photo"),
        (b"IIRO\x08\0\0\0" + bytes(99), "raw photo"),
        (b"\xff\x0a" + bytes(99), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(99), "JPEG 2000"),
        (b"8BPS\0\1" + bytes(99), "Photoshop"),
        (b"v/1\x01" + bytes(99), "OpenEXR"),
        (b"#?RADIANCE\n" + bytes(99), "Radiance"),
        (b"\0\0\1\0\1\0" + bytes(99), "icon"),
        (b"\x1aE\xdf\xa3" + bytes(99), "video"),
        (b"RIFF\0\0\0\0AVI LIST" + bytes(99), "video"),
        (b"RIFF\0\0\0\0WAVEfmt " + bytes(99), "sound"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "damaged"),
        (b"P6 1 1 255 abc", "not a picture in JPEG"),  # Pillow reads PPM; we do not
    ],
)
def test_what_is_no_picture_says_what_it_is(tmp_path, data, cause):
    path = tmp_path / "holiday.png"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=rf"cannot read .*holiday\.png: .*{cause}"):
        load_picture(path)


def jpeg_of(kind: int, bits: int) -> bytes:
    """A grey JPEG, its frame's header that of another kind."""
    buffer = io.BytesIO()
    Image.new("L", (16, 16), 90).save(buffer, "JPEG", comment=b"x" * 50_000)
    data = bytearray(buffer.getvalue())
    place = data.index(b"\xff\xc0\x00")
    data[place + 1], data[place + 4] = kind, bits
    return bytes(data)


@pytest.mark.parametrize(
    ("kind", "bits", "said"),
    [
        (0xC1, 12, "it is a JPEG of 12 bits a colour, and only those of 8 are read; open it else"),
        (0xC0, 16, "it is a JPEG of 16 bits a colour"),
        (0xC3, 14, "it is a lossless JPEG of 14 bits, as scanners and cameras keep; open it else"),
        (0xF7, 8, "it is a JPEG-LS, which few programs read; open it elsewhere, and save it as"),
    ],
)
def test_a_jpeg_that_is_not_read_says_what_to_do(
    kind: int, bits: int, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_of(kind, bits))
    with pytest.raises(ImageError) as caught:
        load_image(path)
    assert f"cannot read {path}: {said}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_jpeg_of_eight_bits_is_read_and_a_broken_one_is_only_broken(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg_of(0xC0, 8))
    assert load_image(path).shape == (1, 3, 16, 16)
    path.write_bytes(jpeg_of(0xC0, 8)[:30])
    with pytest.raises(ImageError, match="damaged"):
        load_image(path)
