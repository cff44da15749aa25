from __future__ import annotations

import struct

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin

from belamy.errors import ImageError, OptionError, PictureWarning
from belamy.pixels.decode import open_picture
from belamy.pixels.images import (
    compose,
    from_pil,
    load_image,
    load_picture,
    resize,
)
from belamy.pixels.srgb import plain_picture


def noise(height=12, width=16, channels=3):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, channels, height, width, generator=generator)


def stripes(mode, *colours):
    """Four columns of each colour, eight pixels high."""
    picture = Image.new(mode, (4 * len(colours), 8))
    for index, colour in enumerate(colours):
        picture.paste(colour, (4 * index, 0, 4 * index + 4, 8))
    return picture


def columns(image):
    """The colours of `stripes`, as lists of 8 bit numbers."""
    return (image[0, :, 4, 1::4].T * 255).round().int().tolist()


def near(found, wanted, tolerance):
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance)


def through_a_file(tmp_path, picture, name, **options):
    picture.save(tmp_path / name, **options)
    return load_picture(tmp_path / name)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_lossless_files_are_read_to_the_bit(tmp_path, kind):
    numbers = np.random.default_rng(0).integers(0, 256, (7, 5, 3), np.uint8)
    Image.fromarray(numbers).save(tmp_path / "x", kind)
    image = load_image(tmp_path / "x")
    assert image.dtype == torch.float32
    assert image.shape == (1, 3, 7, 5)
    assert torch.equal(image[0].permute(1, 2, 0), torch.from_numpy(numbers) / 255)
    assert image.is_contiguous()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
def test_every_format_is_read(tmp_path, kind):
    picture = stripes("RGB", "red", "white", "blue")
    picture.resize((96, 64), 0).save(tmp_path / "x", kind)
    image = load_image(tmp_path / "x")
    found = [image[0, :, 32, at].tolist() for at in (16, 48, 80)]
    wanted = [[1, 0, 0], [1, 1, 1], [0, 0, 1]]
    near(found, wanted, 0.02)


@pytest.mark.parametrize("path_type", [str, lambda path: path])
def test_paths_may_be_texts(tmp_path, path_type):
    Image.new("RGB", (2, 1)).save(tmp_path / "x.png")
    assert load_image(path_type(tmp_path / "x.png")).shape == (1, 3, 1, 2)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "avif"])
def test_every_orientation_comes_upright(tmp_path, orientation, suffix):
    turn = {
        1: lambda array: array,
        2: np.fliplr,
        3: lambda array: np.rot90(array, 2),
        4: np.flipud,
        5: lambda array: array.transpose(1, 0, 2),
        6: lambda array: np.rot90(array, 1),
        7: lambda array: np.rot90(array, 2).transpose(1, 0, 2),
        8: lambda array: np.rot90(array, 3),
    }[orientation]
    upright = (resize(noise(2, 3), (16, 24))[0].permute(1, 2, 0) * 255).byte().numpy()
    stored = Image.fromarray(np.ascontiguousarray(turn(upright)))
    block = Image.Exif()
    block[0x0112] = orientation
    options = {"quality": 100} if suffix != "png" else {}
    stored.save(tmp_path / f"x.{suffix}", exif=block, **options)
    image = load_image(tmp_path / f"x.{suffix}")
    assert image.shape == (1, 3, 16, 24)
    wanted = torch.from_numpy(upright).permute(2, 0, 1)[None] / 255
    assert (image - wanted).abs().mean() < 0.02


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "avif"])
@pytest.mark.parametrize("kept", [None, 1, 3])
def test_an_orientation_that_stands_in_xmp_alone_turns_nothing(tmp_path, suffix, kept):
    """As in browsers; Pillow turns by it where EXIF says nothing."""
    name = "http://ns.adobe.com/tiff/1.0/"
    packet = f'<rdf:Description xmlns:tiff="{name}" tiff:Orientation="6"/>'
    options = {"xmp": packet.encode()}
    if suffix == "png":
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", packet)
        options = {"pnginfo": texts}
    if suffix == "tif":
        options = {"tiffinfo": {700: packet.encode()}}
    block = Image.Exif()
    if kept is not None and suffix == "tif":
        options["tiffinfo"][0x0112] = kept
    elif kept is not None:
        block[0x0112] = kept
        options["exif"] = block
    path = tmp_path / f"x.{suffix}"
    stripes("RGB", "red", "white", "blue").resize((96, 64), 0).save(path, **options)
    expected = [[1, 0, 0], [1, 1, 1], [0, 0, 1]][:: -1 if kept == 3 else 1]
    with Image.open(path) as picture:
        others = from_pil(picture).image
    for image in (load_image(path), others):
        assert image.shape == (1, 3, 64, 96)
        near([image[0, :, 32, at].tolist() for at in (16, 48, 80)], expected, 0.05)
    with open_picture(path) as picture:
        plain = plain_picture(picture, "x")
    assert plain is None or plain.size == (96, 64)


def test_a_damaged_exif_block_does_not_hide_the_picture(tmp_path):
    stripes("RGB", "red").save(tmp_path / "x.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff broken")
    assert load_image(tmp_path / "x.jpg").shape == (1, 3, 8, 4)


def test_palettes_one_bit_and_grey(tmp_path):
    for mode in ("1", "L", "P"):
        image = through_a_file(tmp_path, stripes(mode, 0, 255), f"{mode}.png").image
        if mode != "P":
            assert columns(image) == [[0, 0, 0], [255, 255, 255]]
    picture = stripes("RGB", "red", "lime", "navy").quantize(4)
    assert columns(through_a_file(tmp_path, picture, "p.gif").image) == [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 128],
    ]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_grey_of_16_bits_is_scaled_not_clipped(tmp_path, suffix):
    numbers = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    image = through_a_file(tmp_path, Image.fromarray(numbers), f"x.{suffix}").image
    wanted = torch.from_numpy(numbers.astype(np.float32) / 65535)
    torch.testing.assert_close(image, wanted.expand(1, 3, 8, 8))
    assert len(image.unique()) == 64


def test_grey_of_16_bits_big_endian_and_upside_down():
    numbers = (np.arange(12).reshape(3, 4) * 5000).astype(">u2")
    picture = Image.frombytes("I;16B", (4, 3), numbers.tobytes())
    picture.getexif()[0x0112] = 3
    wanted = np.rot90(numbers.astype(np.float32) / 65535, 2).copy()
    torch.testing.assert_close(from_pil(picture).image[0, 0], torch.from_numpy(wanted))


def tiff_with(tmp_path, tags, mode="I;16"):
    """A TIFF of 16 bit grey whose tags Pillow would not write by itself."""
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tags.items():
        directory[tag] = value
        directory.tagtype[tag] = 3
    picture = Image.fromarray(np.array([[0, 1000, 4095, 65535]], np.uint16))
    picture.save(tmp_path / "x.tif", tiffinfo=directory)
    return load_picture(tmp_path / "x.tif").image[0, 0, 0]


def test_grey_of_16_bits_where_white_is_zero(tmp_path):
    found = tiff_with(tmp_path, {262: 0})
    torch.testing.assert_close(found, 1 - torch.tensor([0, 1000, 4095, 65535]) / 65535)


@pytest.mark.parametrize(
    ("mode", "values", "white"),
    [
        ("I", [0, 200, 255], 255),
        ("I", [0, 300, 65535], 65535),
        ("I", [0, 70000, 2**31 - 1], 2**31 - 1),
        ("F", [0.0, 0.25, 1.0], 1),
        ("F", [0.0, 0.25, 1.0, 1.5], 1),
        ("F", [0.0, 100.5, 255.0], 255),
    ],
)
def test_modes_without_a_white_point(mode, values, white):
    numbers = np.array([values], np.int32 if mode == "I" else np.float32)
    found = from_pil(Image.fromarray(numbers)).image
    wanted = torch.tensor(values, dtype=torch.float64).div(white).clamp(0, 1).float()
    torch.testing.assert_close(found, wanted.expand(1, 3, 1, -1))


@pytest.mark.parametrize("values", [[-1.0, 0.5], [0.0, float("nan")], [0.0, float("inf")]])
def test_floats_that_are_no_grey(tmp_path, values):
    Image.fromarray(np.array([values], np.float32)).save(tmp_path / "x.tif")
    with pytest.raises(ImageError, match=r"x\.tif has values from .* scale them"):
        load_picture(tmp_path / "x.tif")


def test_cmyk(tmp_path):
    picture = stripes("CMYK", (0, 0, 0, 0), (0, 0, 0, 255), (0, 255, 255, 0))
    image = through_a_file(tmp_path, picture, "x.tif").image
    assert columns(image) == [[255, 255, 255], [0, 0, 0], [255, 0, 0]]
    photo = through_a_file(tmp_path, picture.resize((96, 64), 0), "x.jpg", quality=100).image
    near(photo[0, :, 32, 80].tolist(), [1.0, 0, 0], 0.02)


def test_lab(tmp_path):
    lab = ImageCms.createProfile("LAB")
    picture = ImageCms.profileToProfile(
        stripes("RGB", "red", "grey"), ImageCms.createProfile("sRGB"), lab, outputMode="LAB"
    )
    image = through_a_file(tmp_path, picture, "x.tif").image
    near(columns(image), [[255, 0, 0], [128, 128, 128]], 6)


def wide_profile():
    """A profile whose primaries differ from sRGB's: its channels are those of sRGB rotated.

    Pillow can make no RGB profile but sRGB, so the colorant tags of that one are renamed.
    """
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for old, new in (
        (b"rXYZ", b"?XYZ"),
        (b"gXYZ", b"rXYZ"),
        (b"bXYZ", b"gXYZ"),
        (b"?XYZ", b"bXYZ"),
    ):
        data = data.replace(old, new, 1)
    return data.replace("sRGB".encode("utf-16-be"), "sWAP".encode("utf-16-be"))


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "avif"])
def test_profiles_are_applied(tmp_path, suffix):
    picture = stripes("RGB", "red", "white", "black").resize((96, 64), 0)
    options = {"lossless": True} if suffix == "webp" else {}
    image = through_a_file(
        tmp_path, picture, f"x.{suffix}", icc_profile=wide_profile(), **options
    ).image
    found = [image[0, :, 32, at].tolist() for at in (16, 48, 80)]
    # What the file calls red has the primaries of green.
    near(found, [[0, 1, 0], [1, 1, 1], [0, 0, 0]], 0.03)


def test_profiles_apply_to_palettes_grey_and_beside_alpha(tmp_path):
    profile = wide_profile()
    palette = stripes("RGB", "red", "white").quantize(4)
    image = through_a_file(tmp_path, palette, "p.png", icc_profile=profile).image
    assert columns(image) == [[0, 255, 0], [255, 255, 255]]
    grey = through_a_file(tmp_path, stripes("L", 0, 100), "l.png", icc_profile=profile).image
    assert columns(grey) == [[0, 0, 0], [100, 100, 100]]
    clear = stripes("RGBA", (255, 0, 0, 128), (255, 255, 255, 255))
    picture = through_a_file(tmp_path, clear, "a.png", icc_profile=profile)
    assert columns(picture.image) == [[0, 255, 0], [255, 255, 255]]
    assert columns(picture.alpha) == [[128], [255]]


def test_the_profile_of_srgb_changes_nothing(tmp_path):
    numbers = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = through_a_file(tmp_path, Image.fromarray(numbers), "x.png", icc_profile=profile).image
    assert torch.equal(image[0].permute(1, 2, 0), torch.from_numpy(numbers) / 255)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_damaged_or_foreign_profile_counts_as_none(tmp_path, mode):
    picture = stripes(mode, 0)
    for profile in (b"nonsense", wide_profile()[:200], wide_profile()):
        found = through_a_file(tmp_path, picture, "x.tif", icc_profile=profile).image
        assert columns(found) == columns(from_pil(picture).image)


def test_transparency_is_carried(tmp_path):
    picture = through_a_file(
        tmp_path, stripes("RGBA", (255, 0, 0, 255), (0, 255, 0, 0), (9, 8, 7, 100)), "x.png"
    )
    assert columns(picture.image) == [[255, 0, 0], [0, 255, 0], [9, 8, 7]]
    assert columns(picture.alpha) == [[255], [0], [100]]
    assert picture.alpha.shape == (1, 1, 8, 12)


def test_an_opaque_alpha_channel_is_none(tmp_path):
    assert through_a_file(tmp_path, stripes("RGBA", (1, 2, 3, 255)), "x.png").alpha is None


@pytest.mark.parametrize(
    ("picture", "options"),
    [
        (stripes("LA", (255, 255), (255, 0)), {}),
        (stripes("RGB", "red", "blue").quantize(2), {"transparency": 0}),
        (stripes("RGB", "red", "blue").quantize(2), {"transparency": b"\x00\xff"}),
        (stripes("RGB", "red", "blue"), {"transparency": (0, 0, 255)}),
        (stripes("L", 255, 7), {"transparency": 7}),
    ],
)
def test_every_kind_of_transparency(tmp_path, picture, options):
    found = through_a_file(tmp_path, picture, "x.png", **options)
    assert sorted(columns(found.alpha)) == [[0], [255]]


def test_premultiplied_colours_are_divided():
    found = from_pil(stripes("RGBA", (200, 100, 50, 128)).convert("RGBa"))
    near(columns(found.image), [[200, 100, 50]], 1)


@pytest.mark.parametrize(
    ("background", "wanted"),
    [("white", [255, 127, 127]), ("#0000ff", [128, 0, 127]), ("black", [128, 0, 0])],
)
def test_transparency_is_composed_on_the_colour(tmp_path, background, wanted):
    stripes("RGBA", (255, 0, 0, 128)).save(tmp_path / "x.png")
    assert columns(load_image(tmp_path / "x.png", background=background)) == [wanted]
    picture = load_picture(tmp_path / "x.png")
    assert columns(compose(picture, background)) == [wanted]


@pytest.mark.parametrize("background", ["chartreuce", "", "#12345", "#11223344", "rgb(1,2)"])
def test_a_background_that_is_no_colour(background):
    with pytest.raises(OptionError, match="background"):
        load_image(torch.zeros(3, 2, 2), background=background)


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tif", "avif"])
def test_the_first_frame_is_read(tmp_path, suffix):
    first, second = (Image.new("RGB", (32, 24), colour) for colour in ("red", "blue"))
    first.save(tmp_path / f"x.{suffix}", save_all=True, append_images=[second])
    with pytest.warns(PictureWarning, match="has 2 (frames|pages); only the first is used"):
        image = load_image(tmp_path / f"x.{suffix}")
    near(image[0, :, 12, 16].tolist(), [1.0, 0, 0], 0.02)


def test_twelve_bits_are_of_4095(tmp_path):
    """Such files come from microscopes; no writer of Pillow's makes them."""
    values = (0, 4095, 1365, 2730)
    pairs = zip(values[::2], values[1::2], strict=True)
    packed = b"".join((first << 12 | second).to_bytes(3, "big") for first, second in pairs)
    tags = ((256, 4), (257, 1), (258, 12), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1))
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in (*tags, (279, 6))]
    table = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    path = tmp_path / "twelve.tif"
    path.write_bytes(b"II*\0" + struct.pack("<I", 16) + packed + bytes(2) + table)
    with Image.open(path) as picture:
        assert picture.mode.startswith("I;16")
    found = load_image(path)[0, 0, 0]
    torch.testing.assert_close(found, torch.tensor(values) / 4095)
