"""Damaged, disguised and exploding files: an image or one ImageError, quickly, and nothing else."""

from __future__ import annotations

import io
import os
import random
import struct
import sys
import threading
import time
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile, PngImagePlugin

from belamy.errors import BelamyError, ImageError, OptionError
from belamy.pixels import decode
from belamy.pixels.images import load_picture
from belamy.pixels.recipe import read_recipe

SLOWEST = 1.0  # seconds of one thread

# Of the seeds some are films: how that is said is the affair of formats/test_frames.py.
pytestmark = pytest.mark.filterwarnings("ignore::belamy.errors.PictureWarning")


def encoded(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def drawing(mode="RGB"):
    numbers = np.random.default_rng(0).integers(0, 256, (12, 16, 4), np.uint8)
    return Image.fromarray(numbers).convert(mode)


def deep_drawing():
    return Image.fromarray(np.arange(192, dtype=np.uint16).reshape(12, 16) * 300)


def seeds():
    """One small file for each way through Pillow that we know of."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    text = PngImagePlugin.PngInfo()
    text.add_itxt("belamy", '{"engine": "dream"}', zip=True)
    block = Image.Exif()
    block[0x0112] = 6
    block.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0belamy:{}"
    extras = {"exif": block.tobytes(), "icc_profile": profile}
    frames = {"save_all": True, "append_images": [drawing(), drawing("L").convert("RGB")]}
    return [
        encoded(drawing(), "JPEG", **extras),
        encoded(drawing(), "JPEG", progressive=True),
        encoded(drawing("CMYK"), "JPEG"),
        encoded(drawing("RGBA"), "PNG", pnginfo=text, **extras),
        encoded(drawing("P"), "PNG", transparency=3),
        encoded(deep_drawing(), "PNG"),
        encoded(drawing(), "PNG", **frames),
        encoded(drawing("RGBA"), "WEBP", **extras),
        encoded(drawing(), "WEBP", lossless=True),
        encoded(drawing(), "WEBP", **frames),
        encoded(drawing("P"), "GIF", transparency=3, comment=b"belamy:{}"),
        encoded(drawing(), "GIF", **frames),
        encoded(drawing("RGBA"), "TIFF", compression="tiff_lzw"),
        encoded(drawing(), "TIFF", compression="jpeg"),
        encoded(deep_drawing(), "TIFF", compression="tiff_adobe_deflate"),
        encoded(drawing("1"), "TIFF", compression="group4"),
        encoded(drawing("CMYK"), "TIFF", tiffinfo={270: "belamy:{}"}),
        encoded(drawing(), "BMP"),
        encoded(drawing("P"), "BMP"),
        encoded(drawing("RGBA"), "AVIF", **extras),
        encoded(drawing(), "AVIF", **frames),
    ]


SEEDS = seeds()
PLACES = st.floats(0, 1, exclude_max=True)


def at(data, place):
    return int(place * len(data))


def near_the_start(data, place):
    """Headers are where the interesting damage is, so half of it goes there."""
    return int(place * 2 * min(len(data), 160)) if place < 0.5 else at(data, place * 2 - 1)


def flip(data, place, value, other):
    index = near_the_start(data, place) % len(data)
    return data[:index] + bytes([data[index] ^ (value or 1)]) + data[index + 1 :]


def cut(data, place, value, other):
    return data[: at(data, place)]


def insert(data, place, value, other):
    index = near_the_start(data, place)
    return data[:index] + bytes([value]) * (1 + value % 9) + data[index:]


def remove(data, place, value, other):
    index = near_the_start(data, place)
    return data[:index] + data[index + 1 + value % 16 :]


def overwrite(data, place, value, other):
    """Four bytes of a number, such as a size or an offset, at one of its extremes."""
    number = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\xff\xff")[value % 4]
    index = near_the_start(data, place)
    return data[:index] + number + data[index + 4 :]


def splice(data, place, value, other):
    index = value % 64
    return data[:index] + other[index : 2 * index] + data[2 * index :]


def repeat(data, place, value, other):
    index = near_the_start(data, place)
    return data[: index + 1 + value] + data[index:]


KINDS = [flip, flip, flip, flip, cut, insert, remove, overwrite, splice, repeat]
MUTATIONS = st.tuples(st.sampled_from(KINDS), PLACES, st.integers(0, 255), st.sampled_from(SEEDS))
MUTANTS = st.tuples(st.sampled_from(SEEDS), st.lists(MUTATIONS, min_size=1, max_size=2))


def survives(path, mutant):
    data, mutations = mutant
    for mutate, place, value, other in mutations:
        data = mutate(data or b"\0", place, value, other)
    path.write_bytes(data)
    start = time.thread_time()
    picture = attempted(lambda path: load_picture(path, max_megapixels=1), path, ImageError)
    attempted(read_recipe, path, BelamyError)
    assert time.thread_time() - start < SLOWEST
    if picture is not None:
        assert picture.image.isfinite().all()
        assert picture.image.shape[:2] == (1, 3)


def attempted(read, path, kind):
    """What `read` makes of the file, or None after an error of the one kind that it may raise."""
    try:
        return read(path)
    except kind as error:
        message = str(error)
    assert path.name in message
    assert message.isprintable()
    return None


@pytest.fixture(scope="module")
def mutant_path(tmp_path_factory):
    return tmp_path_factory.mktemp("mutants") / "mutant.png"


@given(mutant=MUTANTS)
@settings(
    max_examples=5_000,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_mutated_files_raise_image_errors_alone(mutant_path, mutant):
    survives(mutant_path, mutant)


@pytest.mark.slow
def test_very_many_mutated_files_raise_image_errors_alone(mutant_path):
    """Without hypothesis, whose own bookkeeping would take most of the time and the memory."""
    lots = random.Random(0)
    for _ in range(200_000):
        mutations = [
            (lots.choice(KINDS), lots.random(), lots.randrange(256), lots.choice(SEEDS))
            for _ in range(lots.randint(1, 3))
        ]
        survives(mutant_path, (lots.choice(SEEDS), mutations))


def png(width, height, *chunks, rows=1):
    """A PNG of one bit per pixel that claims any size, with as many rows as asked."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    line = b"\0" * (1 + (width + 7) // 8 if width < 1 << 20 else 1)
    parts = (b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)), *chunks
    parts = (*parts, (b"IDAT", zlib.compress(line * rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def patched(kind, marker, offset, number, **options):
    """A small file of Pillow's with a size written over, `offset` bytes after `marker`."""
    data = bytearray(encoded(drawing(), kind, **options))
    start = data.index(marker) + offset
    data[start : start + len(number)] = number
    return bytes(data)


def tiff(width, height, *tags):
    entries = [(256, width), (257, height), (258, 8), (259, 8), (262, 1), (277, 1), *tags]
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4 + 64)


def scans(count):
    """A progressive JPEG whose last scan comes again and again."""
    data = encoded(drawing("L"), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * count + b"\xff\xd9"


def profile_bomb(name):
    return png(16, 12, (name, b"a\0\0" + zlib.compress(bytes(50_000_000), 9)))


BOMBS = {
    "png that claims 4.6 terapixels": png(2**31 - 1, 2**31 - 1),
    "png of 3600 megapixels in 400 kB": png(60_000, 60_000, rows=60_000),
    "gif with a huge screen": patched("GIF", b"GIF8", 6, b"\xff\xff\xff\xff"),
    "gif with a huge frame": patched("GIF", b"\x2c\0\0\0\0\x10\0\x0c\0", 5, b"\xff\xff\xff\xff"),
    "bmp": patched("BMP", b"BM", 18, struct.pack("<ii", 60_000, 60_000)),
    "jpeg": patched("JPEG", b"\xff\xc0", 5, struct.pack(">HH", 65_500, 65_500)),
    "tiff": tiff(100_000, 100_000, (273, 8), (278, 100_000), (279, 64)),
    "tiff with a huge tile": tiff(16, 12, (322, 65_520), (323, 65_520), (324, 8), (325, 64)),
    "tiff with a large tile": tiff(16, 12, (322, 12_000), (323, 12_000), (324, 8), (325, 64)),
    "webp, lossy": patched("WEBP", b"\x9d\x01\x2a", 3, b"\xff\x3f\xff\x3f"),
    "webp, lossless": patched("WEBP", b"VP8L", 9, b"\xff\xff\xff\x0f", lossless=True),
    "webp, extended": patched("WEBP", b"VP8X", 12, b"\xff\x3f\0\xff\x3f\0", exif=b"Exif\0\0II*\0"),
    "avif": patched("AVIF", b"ispe", 8, struct.pack(">II", 60_000, 60_000)),
    "png profile": profile_bomb(b"iCCP"),
    "jpeg of a thousand scans": scans(1000),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_before_they_are_decoded(tmp_path, monkeypatch, name):
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("it was decoded"))
    path = tmp_path / "bomb"
    path.write_bytes(BOMBS[name])
    start = time.thread_time()
    with pytest.raises(ImageError, match="bomb"):
        load_picture(path)
    assert time.thread_time() - start < 0.5


def test_pages_and_frames_beyond_the_first_cost_nothing(tmp_path):
    pages = [Image.new("1", (2000, 2000))] * 40  # 160 megapixels, if all were read
    pages[0].save(tmp_path / "x.tif", save_all=True, append_images=pages, compression="group4")
    assert load_picture(tmp_path / "x.tif", max_megapixels=5).image.shape == (1, 3, 2000, 2000)


def test_the_limit_is_the_callers(tmp_path):
    drawing().save(tmp_path / "x.png")
    load_picture(tmp_path / "x.png", max_megapixels=16 * 12 / 1e6)
    with pytest.raises(ImageError, match=r"x\.png has 0\.0 megapixels \(16 × 12\), the limit is"):
        load_picture(tmp_path / "x.png", max_megapixels=16 * 11 / 1e6)


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_a_limit_that_is_none(tmp_path, limit):
    with pytest.raises(OptionError, match="max_megapixels"):
        load_picture(tmp_path / "x.png", max_megapixels=limit)


def test_pillows_own_limit_gives_way_to_a_higher_one_and_comes_back(tmp_path, monkeypatch):
    drawing().save(tmp_path / "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    load_picture(tmp_path / "x.png", max_megapixels=1)
    assert Image.MAX_IMAGE_PIXELS == 50
    with pytest.raises(ImageError, match=r"megapixels, the limit is 0\.0001"):
        load_picture(tmp_path / "x.png", max_megapixels=0.0001)
    assert Image.MAX_IMAGE_PIXELS == 50


def test_a_wrong_suffix_on_a_good_picture_is_read_by_its_content(tmp_path):
    (tmp_path / "x.png").write_bytes(encoded(drawing(), "JPEG"))
    assert load_picture(tmp_path / "x.png").image.shape == (1, 3, 12, 16)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated_files_are_refused(tmp_path, kind, share):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    (tmp_path / "x").write_bytes(data[: int(share * len(data))])
    with pytest.raises(ImageError, match="cannot read"):
        load_picture(tmp_path / "x")


@pytest.mark.parametrize(
    ("name", "cause"),
    [("nothing.png", "no such file"), (".", "is a folder"), ("a\0b", "null"), ("n" * 300, "long")],
)
def test_paths_that_lead_to_no_file(tmp_path, name, cause):
    with pytest.raises(ImageError, match=cause):
        load_picture(f"{tmp_path}/{name}")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices with names")
def test_pipes_and_devices_do_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", "/dev/zero"):
        with pytest.raises(ImageError, match="device or a pipe"):
            load_picture(path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    drawing().save(tmp_path / "x.png")

    def refuse(path, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(decode.Path, "open", refuse)
    with pytest.raises(ImageError, match=r"x\.png: Permission denied"):
        load_picture(tmp_path / "x.png")


def test_a_name_of_control_characters_stays_on_one_line(tmp_path):
    with pytest.raises(ImageError) as caught:
        load_picture(tmp_path / "a\n\x1b[31mb.png")
    assert str(caught.value).isprintable()


def test_running_out_of_memory_is_one_sentence(tmp_path, monkeypatch):
    drawing().save(tmp_path / "x.png")

    def exhaust(self):
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load", exhaust)
    with pytest.raises(ImageError, match=r"x\.png: it needs more memory"):
        load_picture(tmp_path / "x.png")


def test_libtiff_does_not_write_to_stderr(tmp_path, capfd):
    data = encoded(drawing("1").resize((640, 480)), "TIFF", compression="group4")
    (tmp_path / "x.tif").write_bytes(data[:9] + bytes(191) + data[200:])
    attempted(load_picture, tmp_path / "x.tif", ImageError)
    os.write(2, b"stderr is back")
    assert capfd.readouterr().err == "stderr is back"


def test_threads_read_side_by_side(tmp_path):
    for index, data in enumerate(SEEDS):
        (tmp_path / f"good{index}").write_bytes(data)
        (tmp_path / f"bad{index}").write_bytes(data[: len(data) // 2])
    paths = sorted(tmp_path.iterdir())
    strangers: list[Exception] = []

    def read():
        for path in paths:
            try:
                load_picture(path)
            except ImageError:
                continue
            except Exception as error:
                strangers.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert strangers == []
