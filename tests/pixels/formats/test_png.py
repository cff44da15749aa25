from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from belamy.errors import ImageError
from belamy.pixels.decode import open_picture
from belamy.pixels.formats import png
from belamy.pixels.images import load_image, load_picture

GREY = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def make(*before, after=(), pixels=GREY):
    """A PNG of grey with chunks before and behind its pixels."""
    height, width = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    parts = [head, *before, chunk(b"IDAT", zlib.compress(rows)), *after, chunk(b"IEND", b"")]
    return io.BytesIO(png.SIGNATURE + b"".join(parts))


def itxt(keyword, text):
    return chunk(b"iTXt", keyword + b"\0\1\0\0\0" + zlib.compress(text))


def info(stream):
    with open_picture(stream, name="x.png") as picture:
        found = np.asarray(picture.convert("L"))
        np.testing.assert_array_equal(found, GREY)
        return picture.info


@pytest.mark.parametrize("size", [100, 1_170_000, 20 << 20])
@pytest.mark.parametrize("kind", [b"iTXt", b"zTXt", b"tEXt"])
def test_long_texts_are_read(kind, size):
    text = (b'{"workflow": 1} ' * (size // 16 + 1))[:size]
    bodies = {
        b"tEXt": b"workflow\0" + text,
        b"zTXt": b"workflow\0\0" + zlib.compress(text),
        b"iTXt": b"workflow\0\1\0\0\0" + zlib.compress(text),
    }
    assert info(make(chunk(kind, bodies[kind])))["workflow"] == text.decode()


def test_many_long_texts_are_read():
    texts = [itxt(b"t%d" % number, bytes([65 + number]) * (3 << 20)) for number in range(20)]
    found = info(make(*texts))
    assert [len(found[f"t{number}"]) for number in range(20)] == [3 << 20] * 20


def test_texts_behind_the_pixels_are_read():
    stream = make(itxt(b"a", b"one"), after=[itxt(b"b", "zwölf".encode()), itxt(b"a", b"two")])
    assert png.read_text(stream) == {"a": "one", "b": "zwölf"}


def test_a_text_that_pillow_writes_is_read(tmp_path):
    notes = PngImagePlugin.PngInfo()
    notes.add_itxt("belamy", "π" * 2_000_000, zip=True)
    Image.fromarray(GREY).save(tmp_path / "x.png", pnginfo=notes)
    with (tmp_path / "x.png").open("rb") as stream:
        assert png.read_text(stream)["belamy"] == "π" * 2_000_000
        assert info(stream)["belamy"] == "π" * 2_000_000


def test_text_that_unpacks_without_end_is_left_out_and_costs_little():
    bomb = zlib.compress(bytes(300 << 20), 9)
    stream = make(*[chunk(b"zTXt", b"b%d\0\0" % n + bomb) for n in range(9)], itxt(b"a", b"one"))
    start = time.thread_time()
    tracemalloc.start()
    found = info(stream)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.thread_time() - start < 2
    assert peak < 100 << 20
    assert "b0" not in found


def test_a_bomb_of_text_does_not_hide_the_text_behind_it():
    bomb = chunk(b"zTXt", b"bomb\0\0" + zlib.compress(bytes(100 << 20), 9))
    assert png.read_text(make(bomb, itxt(b"belamy", b"{}"))) == {"belamy": "{}"}


@pytest.mark.parametrize(
    "broken",
    [
        chunk(b"iTXt", b"a"),
        chunk(b"iTXt", b"a\0\1\0\0\0no zlib"),
        chunk(b"iTXt", b"a\0\0\0\0\0\xff\xff"),
        chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(b"x" * 999)[:-6]),
        chunk(b"zTXt", b""),
        chunk(b"zTXt", b"a\0\7no zlib"),
        chunk(b"tEXt", b""),
        chunk(b"iCCP", b""),
        chunk(b"iCCP", b"x\0\0no zlib"),
        chunk(b"cICP", b"x"),
        b"\0\0\0\2tEXtabcrc!",
    ],
)
def test_damaged_metadata_do_not_hide_the_picture(broken):
    assert "a" not in info(make(broken))


def large_profile(size):
    """The profile of sRGB, its channels changed about, with much behind it that means nothing."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for old, new in ((b"rXYZ", b"?XYZ"), (b"gXYZ", b"rXYZ"), (b"?XYZ", b"gXYZ")):
        data = data.replace(old, new, 1)
    data = data.replace("sRGB".encode("utf-16-be"), "sWAP".encode("utf-16-be"))
    return struct.pack(">I", size) + data[4:] + bytes(size - len(data))


@pytest.mark.parametrize("size", [10_000, 3 << 20])
def test_large_colour_profiles_are_applied(tmp_path, size):
    picture = Image.new("RGB", (4, 4), "red")
    picture.save(tmp_path / "x.png", icc_profile=large_profile(size))
    found = load_image(tmp_path / "x.png")[0, :, 2, 2].tolist()
    np.testing.assert_allclose(found, [0, 1, 0], atol=0.02)


def test_a_colour_profile_without_end_is_refused_by_name():
    bomb = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(100 << 20), 9))
    with (
        pytest.raises(ImageError, match=r"x\.png: its colour profile unpacks to more than 32 MiB"),
        open_picture(make(bomb), name="x.png"),
    ):
        pass


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_the_transparent_grey_of_few_bits(tmp_path, bits):
    top = 2**bits - 1
    row = np.array([0] * 4 + [top] * 4, np.uint8)
    packed = np.packbits((row[:, None] >> np.arange(bits - 1, -1, -1)) & 1)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 1, bits, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"\0" + packed.tobytes()))
    file = head + chunk(b"tRNS", struct.pack(">H", top)) + data + chunk(b"IEND", b"")
    (tmp_path / "x.png").write_bytes(png.SIGNATURE + file)
    picture = load_picture(tmp_path / "x.png")
    assert picture.alpha is not None
    assert picture.alpha[0, 0, 0].tolist() == [1] * 4 + [0] * 4


def test_a_view_reads_as_the_file_without_the_chunks():
    stream = make(itxt(b"a", b"x" * 5000), itxt(b"b", b"y"), after=[itxt(b"c", b"z")])
    view = png.without_metadata(stream, png.chunks(stream))
    plain = make().getvalue()
    assert view.read() == plain
    view.seek(20)
    assert view.read(30) == plain[20:50]
    assert view.seek(-5, io.SEEK_END) == len(plain) - 5
    assert view.read() == plain[-5:]
