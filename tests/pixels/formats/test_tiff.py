from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, features
from tests.pixels.formats import writers

from belamy.errors import ImageError
from belamy.pixels.decode import open_picture
from belamy.pixels.images import load_picture

tiff = writers.tiff

Y, X = np.mgrid[0:23, 0:37]
RAMP = np.stack([X / 36, Y / 22, 1 - X / 36, (X + Y) / 58], -1)


def stored(kind, channels):
    """The ramp as numbers of this kind, and what it is in [0, 1] once it is rounded to them."""
    values = RAMP[:, :, :channels]
    if kind[0] == "f":
        values = values.astype(kind)
        return values, values.astype(np.float64)
    white = np.iinfo(kind).max
    numbers = np.rint(values * (white - (white > 2**53) * 1024)).astype(kind)
    return numbers, numbers.astype(np.float64) / white


def read(tmp_path, data):
    (tmp_path / "x.tif").write_bytes(data)
    return load_picture(tmp_path / "x.tif")


def near(picture, wanted, tolerance=1e-4):
    found = picture.image[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, np.broadcast_to(wanted, found.shape), rtol=0, atol=tolerance)


KINDS = ["u1", "u2", "u4", "u8", "i2", "i4", "f2", "f4", "f8"]
FORMS = [
    {"packing": packing, "predictor": predictor, "tile": tile}
    for packing, predictor in ((1, 1), (8, 1), (8, 2), (8, 3))
    for tile in (0, 16)
]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (kind, form)
        for kind in KINDS
        for form in FORMS
        if form["predictor"]
        != (2 if kind[0] == "f" else 3)  # one for whole numbers, one for floats
    ],
    ids=str,
)
def test_colour_is_read_as_it_stands(tmp_path, kind, planar, order, options):
    values, wanted = stored(kind, 3)
    near(read(tmp_path, tiff(values, order=order, planar=planar, **options)), wanted)


@pytest.mark.parametrize("kind", ["u1", "u2", "u4", "f2", "f4", "f8"])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("channels", [1, 2])
def test_grey_with_and_without_alpha(tmp_path, kind, planar, channels):
    values, wanted = stored(kind, channels)
    extra = 2 if channels == 2 else None
    picture = read(tmp_path, tiff(values, space=1, planar=planar, extra=extra))
    near(picture, wanted[:, :, :1])
    assert (picture.alpha is None) == (channels == 1)
    if picture.alpha is not None:
        np.testing.assert_allclose(picture.alpha[0, 0], wanted[:, :, 1], atol=0.003)


@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
@pytest.mark.parametrize("planar", [False, True])
def test_white_is_zero(tmp_path, kind, planar):
    values, wanted = stored(kind, 1)
    near(read(tmp_path, tiff(values, space=0, planar=planar)), 1 - wanted)


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("planar", [1, 2])
@pytest.mark.parametrize("space", [0, 1])
def test_grey_of_few_bits(tmp_path, bits, planar, space):
    """Planes of one sample are none."""
    numbers = np.arange(8, dtype=np.uint8) % 2**bits
    row = np.packbits((numbers[:, None] >> np.arange(bits - 1, -1, -1)) & 1).tobytes()
    entries = {256: (4, [8]), 257: (4, [3]), 258: (3, [bits]), 259: (3, [1]), 262: (3, [space])}
    entries |= {277: (3, [1]), 278: (4, [3]), 284: (3, [planar])}
    picture = read(tmp_path, writers.directory(entries, [row * 3], "<", tiled=False))
    wanted = numbers / (2**bits - 1)
    near(picture, np.tile((1 - wanted if space == 0 else wanted)[:, None], (3, 1, 1)))


@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("extra", [0, 1, 2])
def test_the_fourth_channel_is_what_the_file_says(tmp_path, kind, planar, extra):
    values, wanted = stored(kind, 4)
    picture = read(tmp_path, tiff(values, planar=planar, extra=extra))
    if extra == 0:
        assert picture.alpha is None
        near(picture, wanted[:, :, :3])
        return
    np.testing.assert_allclose(picture.alpha[0, 0], wanted[:, :, 3], atol=0.003)
    seen = wanted[:, :, 3] > 0.2
    colours = wanted[:, :, :3] / (np.maximum(wanted[:, :, 3:], 1e-6) if extra == 1 else 1)
    found = picture.image[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found[seen], np.clip(colours, 0, 1)[seen], atol=0.02)


@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("planar", [False, True])
def test_inks(tmp_path, kind, planar):
    values, wanted = stored(kind, 4)
    light = (1 - wanted[:, :, :3]) * (1 - wanted[:, :, 3:])
    near(read(tmp_path, tiff(values, space=5, planar=planar)), light, 0.01)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "lzma", "zstd"])
def test_what_libtiff_packs_is_unpacked(tmp_path, compression):
    """Pillow writes no deep colour, so grey of 16 bits stands for it."""
    if not features.check("libtiff"):
        pytest.skip("Pillow is built without libtiff")
    grey = np.rint(RAMP[:, :, 0] * 65535).astype(np.uint16)
    try:
        Image.fromarray(grey).save(tmp_path / "y.tif", compression=compression)
    except OSError:
        pytest.skip("libtiff is built without it")
    near(load_picture(tmp_path / "y.tif"), grey[:, :, None] / 65535)


def test_orientation_is_applied_once(tmp_path):
    values, wanted = stored("u2", 3)
    picture = read(tmp_path, tiff(values, tags={274: [6]}))
    near(picture, np.rot90(wanted, -1))


def test_negative_numbers_and_what_is_none_are_refused(tmp_path):
    values = stored("f4", 3)[0]
    for worst in (-1.0, np.nan, np.inf, 1e9):
        values[3, 4, 1] = worst
        with pytest.raises(ImageError, match=r"x\.tif has values from .*; scale them"):
            read(tmp_path, tiff(values))


@pytest.mark.parametrize(
    ("kind", "high"), [("f4", 12.0), ("f8", 3000.0), ("u4", 4095), ("i2", 4095), ("u4", 2**24)]
)
def test_numbers_far_from_any_white_are_refused_not_shown_black(tmp_path, kind, high):
    values = (RAMP[:, :, :3] * high).astype(kind)
    with pytest.raises(ImageError, match=r"x\.tif has values from 0 to .*; scale them"):
        read(tmp_path, tiff(values))


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"space": 9}, "16-bit ICCLab of whole numbers with 3 channels"),
        ({"space": 9, "planar": True}, "planar 16-bit ICCLab"),
        ({"space": 6}, "16-bit YCbCr"),
        ({"packing": 34887}, "in compression LERC"),
        ({"packing": 34712}, "in compression JPEG 2000"),
        ({"tags": {258: [14, 14, 14]}}, "14-bit RGB"),
        ({"tags": {339: [6, 6, 6]}}, "of number kind 6"),
    ],
)
def test_what_is_not_read_is_named(tmp_path, options, cause):
    values = stored("u2", 3)[0]
    with pytest.raises(ImageError, match=rf"x\.tif: it is a TIFF, .*{cause}.*; save it as RGB of"):
        read(tmp_path, tiff(values, **options))


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"planar": True}, "planar 8-bit YCbCr"),
        ({"tags": {530: [2, 2]}}, "8-bit YCbCr"),
        ({}, "8-bit YCbCr"),  # 2 × 2 is what it means where it says nothing
    ],
)
def test_colour_that_pillow_would_mistake_is_named(tmp_path, options, cause):
    values = stored("u1", 3)[0]
    with pytest.raises(ImageError, match=rf"x\.tif: it is a TIFF, {cause}"):
        read(tmp_path, tiff(values, space=6, **options))


@pytest.mark.parametrize("packing", [1, 8])
def test_a_deep_tiff_that_is_cut_short_is_refused(tmp_path, packing):
    data = tiff(stored("u2", 3)[0], packing=packing)
    with pytest.raises(ImageError, match=r"x\.tif: it is damaged or cut short"):
        read(tmp_path, data[: len(data) * 3 // 4])


def test_a_deep_tiff_beyond_the_limit_is_refused_before_it_is_decoded(tmp_path):
    data = tiff(stored("u2", 3)[0], tags={256: [60_000], 257: [60_000], 278: [60_000]})
    with pytest.raises(ImageError, match=r"3600\.0 megapixels"):
        read(tmp_path, data)


def test_tiles_far_larger_than_the_picture_are_refused(tmp_path):
    data = tiff(stored("u2", 3)[0], tile=16, tags={322: [65_520], 323: [65_520]})
    with pytest.raises(ImageError, match="megapixels"):
        read(tmp_path, data)


def test_a_deep_tiff_has_its_recipe(tmp_path):
    stream = io.BytesIO(tiff(stored("u2", 3)[0]))
    with open_picture(stream, name="x") as picture:
        assert picture.getexif().get(274, 1) == 1


@pytest.mark.parametrize("tag", [330, 50706])
def test_the_preview_of_a_raw_photo_is_not_taken_for_it(tmp_path, tag):
    values = stored("u1", 3)[0]
    with pytest.raises(ImageError, match="raw photo, and begins with a small copy"):
        read(tmp_path, tiff(values, tags={254: [1], tag: [1]}))
    near(read(tmp_path, tiff(values, tags={tag: [1]})), values / 255)
    near(read(tmp_path, tiff(values, tags={254: [1]})), values / 255)


def test_samples_of_no_stated_use_are_no_alpha_where_there_are_several(tmp_path):
    values = stored("u2", 4)[0]
    found = read(tmp_path, tiff(values, space=1))
    assert found.alpha is None
    near(found, values[:, :, :1] / 65535)
