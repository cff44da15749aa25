from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import pytest
from PIL import Image
from tests.pixels.formats import writers

from belamy.errors import PictureWarning, RecipeError
from belamy.pixels.film import is_film
from belamy.pixels.images import load_picture
from belamy.pixels.recipe import read_recipe


def views(count, size=(48, 32)):
    return [Image.new("RGB", size, (60 * n, 90, 200 - 60 * n)) for n in range(count)]


def saved(pictures, kind, **options):
    buffer = io.BytesIO()
    pictures[0].save(buffer, kind, save_all=True, append_images=pictures[1:], **options)
    return buffer.getvalue()


def remarks(tmp_path, data, name="trip.gif"):
    (tmp_path / name).write_bytes(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        image = load_picture(tmp_path / name).image
    np.testing.assert_allclose(image[0, :, 16, 24], [0, 90 / 255, 200 / 255], atol=0.03)
    assert all(warning.category is PictureWarning for warning in caught)
    return [str(warning.message).removeprefix(f"{tmp_path}/") for warning in caught]


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_a_film_says_that_one_frame_is_used(tmp_path, kind, count):
    found = remarks(tmp_path, saved(views(count), kind))
    film = f"trip.gif has {count} frames; only the first is used: belamy.open_film reads them all"
    assert found == ([film] if count > 1 else [])


def test_pages_are_counted_and_small_copies_are_not(tmp_path):
    pages = saved(views(3), "TIFF")
    text = "scan.tif has 3 pages; only the first is used: save the others as files of their own"
    assert remarks(tmp_path, pages, "scan.tif") == [text]
    photo, small = views(1)[0], Image.new("RGB", (12, 8))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    assert remarks(tmp_path, saved([photo, small], "TIFF"), "scan.tif") == []


def test_deep_pages_are_counted(tmp_path):
    buffer = io.BytesIO()
    pages = [Image.fromarray(np.full((32, 48), n, np.uint16)) for n in range(3)]
    pages[0].save(buffer, "TIFF", save_all=True, append_images=pages[1:])
    (tmp_path / "x.tif").write_bytes(buffer.getvalue())
    with pytest.warns(PictureWarning, match=r"x\.tif has 3 pages"):
        load_picture(tmp_path / "x.tif")


def mpo(pictures, kind=None):
    """An MPO; `kind` is written over the type of the second image."""
    data = bytearray(saved(pictures, "MPO", quality=95))
    if kind is not None:
        entry = data.rindex(struct.pack("<I", 0x030000), 0, data.index(b"\xff\xdb")) + 16
        data[entry : entry + 4] = struct.pack("<I", kind)
    return bytes(data)


def second(size=(48, 32), comment=b""):
    picture = Image.new("RGB", size, "red")
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", comment=comment)
    return Image.open(io.BytesIO(buffer.getvalue()))


@pytest.mark.parametrize("kind", [0x020001, 0x020002, 0x020003, 0])
def test_a_pair_of_views_says_so(tmp_path, kind):
    text = "a.mpo has 2 views; only the first is used: save the others as files of their own"
    assert remarks(tmp_path, mpo(views(2), kind), "a.mpo") == [text]


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        (second(), 0x010001),
        (second(), 0x010002),
        (second((24, 16)), 0),
        (second(comment=b"http://ns.adobe.com/hdr-gain-map/1.0/ hdrgm:Version='1.0'"), 0),
        (second(comment=b"http://ns.apple.com/HDRGainMap/1.0/"), 0),
    ],
    ids=["thumbnail", "preview", "half the size", "named by Adobe", "named by Apple"],
)
def test_a_gain_map_or_a_preview_makes_no_film_of_a_photo(tmp_path, other, kind):
    data = mpo([views(1)[0], other], kind)
    assert remarks(tmp_path, data, "IMG_1.jpg") == []
    assert not is_film(tmp_path / "IMG_1.jpg")


def test_a_damaged_second_frame_does_not_hide_the_first(tmp_path):
    data = saved(views(3), "GIF")
    assert remarks(tmp_path, data[: len(data) - 20]) in (
        [],
        ["trip.gif has 2 frames; only the first is used: belamy.open_film reads them all"],
    )


def test_pages_that_lead_in_a_circle_come_to_an_end(tmp_path):
    data = writers.tiff(np.zeros((8, 8, 3), np.uint16))
    end = 10 + 12 * struct.unpack("<H", data[8:10])[0]
    (tmp_path / "x.tif").write_bytes(data[:end] + struct.pack("<I", 8) + data[end + 4 :])
    with pytest.warns(PictureWarning, match="2 pages"):
        load_picture(tmp_path / "x.tif")


def test_reading_the_recipe_of_a_film_says_nothing(tmp_path):
    (tmp_path / "x.gif").write_bytes(saved(views(3), "GIF"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RecipeError, match="carries no recipe"):
            read_recipe(tmp_path / "x.gif")


def test_a_frame_that_was_chosen_is_read_without_a_word():
    film = Image.open(io.BytesIO(saved(views(3), "GIF")))
    film.seek(1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_picture(film)
