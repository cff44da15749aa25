from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, TiffImagePlugin

from belamy.errors import ImageError, OptionError
from belamy.pixels import images
from belamy.pixels.images import (
    SUFFIXES,
    Picture,
    compose,
    contact_sheet,
    fit,
    format_for,
    from_pil,
    load_image,
    load_picture,
    resize,
    save_image,
    to_pil,
)
from belamy.pixels.recipe import Recipe, read_recipe

RECIPE = Recipe("dream", {"octaves": 4}, (), {}, 0, "0.1.0", "2.13.0")
HALF_A_STEP = 0.5 / 255 + 1e-6
LOSSLESS = [".png", ".tif", ".tiff", ".bmp"]


def noise(height=12, width=16, channels=3):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, channels, height, width, generator=generator)


def smooth(height=48, width=64):
    return resize(noise(4, 5), (height, width))


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


# Reading: colours


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


# Reading: profiles


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


# Reading: transparency and frames


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
    image = load_image(tmp_path / f"x.{suffix}")
    near(image[0, :, 12, 16].tolist(), [1.0, 0, 0], 0.02)


# Reading: pictures, arrays and tensors


def test_a_pillow_picture_is_left_as_it_was():
    picture = stripes("RGBA", (255, 0, 0, 128))
    before = picture.tobytes()
    load_image(picture)
    assert (picture.mode, picture.tobytes()) == ("RGBA", before)


def test_a_pillow_picture_that_cannot_be_decoded():
    buffer = io.BytesIO()
    to_pil(noise(64, 64)).save(buffer, "PNG")
    picture = Image.open(io.BytesIO(buffer.getvalue()[:5000]))
    with pytest.raises(ImageError, match="the picture"):
        load_image(picture)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32", "float64", "bool"])
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3), (4, 5, 4), (1, 1, 3)])
def test_arrays(dtype, shape):
    white = {"uint8": 255, "uint16": 65535}.get(dtype, 1)
    array = (np.random.default_rng(0).random(shape) * white).round(1).astype(dtype)
    array[0, 0] = 0
    picture = load_picture(array)
    assert picture.image.dtype == torch.float32
    assert picture.image.shape == (1, 3, *shape[:2])
    channels = array[..., None] if array.ndim == 2 else array
    wanted = np.broadcast_to(channels[..., :3].astype(np.float32) / white, (*shape[:2], 3))
    torch.testing.assert_close(picture.image[0].permute(1, 2, 0), torch.from_numpy(wanted.copy()))
    assert (picture.alpha is None) == (shape[-1] != 4)


def test_big_endian_and_read_only_arrays():
    array = np.array([[0, 65535]], ">u2")
    array.flags.writeable = False
    assert load_image(array)[0, 0].tolist() == [[0, 1]]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.float16, torch.float64])
@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (3, 4, 5), (1, 4, 5), (1, 1, 4, 5)])
def test_tensors(dtype, shape):
    white = {torch.uint8: 255, torch.uint16: 65535}.get(dtype, 1)
    tensor = (torch.rand(shape, generator=torch.Generator().manual_seed(0)) * white).to(dtype)
    image = load_image(tensor)
    wanted = (tensor.float() / white).reshape(-1, 4, 5).expand(3, -1, -1)
    torch.testing.assert_close(image, wanted[None])


def test_a_tensor_is_not_shared_and_needs_no_gradient():
    tensor = noise().requires_grad_()
    image = load_image(tensor)
    assert not image.requires_grad
    image.zero_()
    assert tensor.detach().max() > 0


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((4, 5, 2)), r"shape \(4, 5, 2\) is no picture; use \(H, W\), \(H, W, 3\)"),
        (np.zeros((3, 4, 5)), r"shape \(3, 4, 5\)"),
        (np.zeros((0, 5, 3)), r"shape \(0, 5, 3\)"),
        (np.zeros(5), r"shape \(5,\)"),
        (torch.zeros(4, 5), r"shape \(4, 5\) is no picture; use \(1, C, H, W\)"),
        (torch.zeros(2, 3, 4, 5), r"shape \(2, 3, 4, 5\)"),
        (torch.zeros(1, 3, 0, 5), r"shape \(1, 3, 0, 5\)"),
        (np.zeros((4, 5), np.int32), "an array of int32"),
        (torch.zeros(3, 4, 5, dtype=torch.int64), "an array of int64"),
        (np.full((4, 5), np.nan), r"from nan to nan"),
        (np.full((4, 5), 200.0), r"from 200 to 200; floats must be in \[0, 1\]"),
        (torch.full((3, 4, 5), -0.5), r"from -0\.5"),
        (torch.full((3, 4, 5), torch.inf), "inf"),
        (None, "a NoneType is not a path"),
        (7, "an? int is not a path"),
    ],
)
def test_what_is_no_picture(source, message):
    with pytest.raises(ImageError, match=message):
        load_picture(source)


def test_rounding_beyond_the_range_is_clamped():
    image = load_image(torch.tensor([-1e-5, 1 + 1e-5]).expand(3, 1, 2))
    assert (image.min(), image.max()) == (0, 1)


@pytest.mark.parametrize("source", [np.zeros((20, 100)), Image.new("L", (100, 20))])
def test_the_limit_holds_for_every_source(source):
    with pytest.raises(ImageError, match="100 × 20"):
        load_image(source, max_megapixels=0.001)


# Saving


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_saving_and_reading_back(tmp_path, suffix):
    image = smooth()
    path = tmp_path / f"x{suffix}"
    save_image(image, path)
    found = load_image(path)
    if suffix in LOSSLESS:
        assert (found - image).abs().max() <= HALF_A_STEP
    else:
        assert (found - image).abs().mean() < (0.04 if suffix == ".gif" else 0.01)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_colour_edges_stay_sharp_in_jpeg(tmp_path):
    image = torch.zeros(1, 3, 16, 16)
    image[:, 0, :, :7], image[:, 2, :, 7:] = 1, 1
    save_image(image, tmp_path / "x.jpg")
    assert (load_image(tmp_path / "x.jpg") - image).abs().max() < 0.1


def test_upper_case_suffixes(tmp_path):
    save_image(noise(), tmp_path / "x.JPG")
    assert (tmp_path / "x.JPG").read_bytes().startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("recipe", [None, RECIPE])
def test_the_same_picture_gives_the_same_bytes(tmp_path, suffix, recipe):
    if suffix == ".bmp" and recipe is not None:
        pytest.skip("BMP carries no recipe")
    image, alpha = smooth(), smooth()[:, :1]
    for name in ("a", "b"):
        save_image(image, tmp_path / (name + suffix), alpha=alpha, recipe=recipe)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".avif"])
def test_transparency_is_kept(tmp_path, suffix):
    alpha = smooth()[:, :1]
    save_image(smooth(), tmp_path / f"x{suffix}", alpha=alpha)
    found = load_picture(tmp_path / f"x{suffix}").alpha
    assert (found - alpha).abs().max() < (0.03 if suffix == ".avif" else 0.003)


def test_a_gif_is_transparent_or_not(tmp_path):
    alpha = torch.tensor([0.0, 0.3, 0.7, 1.0]).reshape(1, 1, 1, 4).expand(1, 1, 8, 4)
    image = torch.tensor([1.0, 0, 0]).reshape(1, 3, 1, 1).expand(1, 3, 8, 4)
    save_image(image, tmp_path / "x.gif", alpha=alpha)
    picture = load_picture(tmp_path / "x.gif")
    assert picture.alpha[0, 0, 0].tolist() == [0, 0, 1, 1]
    assert (compose(picture)[0, :, 0, 3] - image[0, :, 0, 3]).abs().max() < 0.02


@pytest.mark.parametrize("suffix", [".jpg", ".bmp"])
def test_formats_without_transparency_show_white(tmp_path, suffix):
    alpha = torch.full((1, 1, 16, 16), 0.5)
    save_image(torch.zeros(1, 3, 16, 16), tmp_path / f"x{suffix}", alpha=alpha)
    torch.testing.assert_close(
        load_image(tmp_path / f"x{suffix}"), torch.full((1, 3, 16, 16), 0.5), atol=0.005, rtol=0
    )


def test_values_are_rounded_and_clamped():
    image = torch.tensor([-1.0, 0.6 / 255, 1.4 / 255, 254.6 / 255, 7.0]).expand(1, 3, 1, 5)
    assert np.asarray(to_pil(image))[0, :, 0].tolist() == [0, 1, 1, 255, 255]


def test_to_pil_and_back():
    image, alpha = noise(), noise(channels=1)
    picture = from_pil(to_pil(image, alpha))
    assert (picture.image - image).abs().max() <= HALF_A_STEP
    assert (picture.alpha - alpha).abs().max() <= HALF_A_STEP
    assert to_pil(image[0]).mode == "RGB"
    assert to_pil(alpha).mode == "RGB"


def test_a_picture_that_has_diverged_is_not_written(tmp_path):
    image = noise()
    image[0, 1, 2, 3] = torch.nan
    image[0, 1, 2, 4] = torch.inf
    with pytest.raises(ImageError, match="2 values that are not numbers"):
        save_image(image, tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 4, 4, 5), (4, 5), (1, 3, 0, 5)])
def test_shapes_that_are_no_picture(shape):
    with pytest.raises(ImageError, match=r"it must be \(1, 1, H, W\) or \(1, 3, H, W\)"):
        to_pil(torch.zeros(shape))


def test_alpha_of_another_size():
    with pytest.raises(ImageError, match=r"alpha is \(4, 4\), its image \(4, 5\)"):
        to_pil(torch.zeros(1, 3, 4, 5), torch.zeros(1, 1, 4, 4))


@pytest.mark.parametrize("name", ["x.xyz", "x", "x.heic", "png"])
def test_an_unknown_suffix_lists_those_that_are_known(tmp_path, name):
    with pytest.raises(ImageError, match=r"unknown suffix .* use \.png \.jpg \.jpeg \.webp"):
        save_image(noise(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_bmp_cannot_carry_a_recipe(tmp_path):
    message = r"\.bmp carries no recipe; use \.png"
    with pytest.raises(ImageError, match=message):
        save_image(noise(), tmp_path / "x.bmp", recipe=RECIPE)
    with pytest.raises(ImageError, match=message):
        format_for("x.bmp", recipe=True)
    assert format_for("x.bmp").name == "BMP"
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_too_long_for_jpeg(tmp_path):
    long = Recipe("dream", {"note": "x" * 70_000}, (), {}, 0, "0.1.0", "2.13.0")
    with pytest.raises(ImageError, match="too long for JPEG"):
        save_image(noise(), tmp_path / "x.jpg", recipe=long)
    save_image(noise(), tmp_path / "x.png", recipe=long)


def test_a_side_that_the_format_cannot_number(tmp_path):
    with pytest.raises(ImageError, match=r"cannot save .*x\.webp at 16400 × 1"):
        save_image(torch.zeros(1, 3, 1, 16_400), tmp_path / "x.webp")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ImageError, match="cannot write"):
        save_image(noise(), tmp_path / "file" / "x.png")


@pytest.mark.parametrize("quality", [0, 101])
def test_quality_out_of_range(tmp_path, quality):
    with pytest.raises(OptionError, match="quality"):
        save_image(noise(), tmp_path / "x.jpg", quality=quality)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif"])
def test_quality_costs_bytes(tmp_path, suffix):
    sizes = []
    for quality in (50, 95):
        save_image(noise(64, 64), tmp_path / f"x{suffix}", quality=quality)
        sizes.append((tmp_path / f"x{suffix}").stat().st_size)
    assert sizes[0] < sizes[1]


def test_saving_does_not_share_or_change_the_image(tmp_path):
    image = noise().requires_grad_()
    before = image.detach().clone()
    save_image(image, tmp_path / "x.png")
    assert torch.equal(image.detach(), before)


# Sizes and sheets


@pytest.mark.parametrize("size", [(24, 32), (5, 7), (1, 1), (13, 16)])
@pytest.mark.parametrize("channels", [1, 3])
def test_resize(size, channels):
    image = noise(channels=channels)
    found = resize(image, size)
    assert found.shape == (1, channels, *size)
    assert found.min() >= 0
    assert found.max() <= 1
    flat = torch.full_like(image, 0.3)
    torch.testing.assert_close(resize(flat, size), torch.full((1, channels, *size), 0.3))


def test_resize_to_the_same_size_is_the_image_itself():
    image = noise()
    assert resize(image, (12, 16)) is image


def test_resize_does_not_alias():
    """A chessboard of single pixels must turn grey, not into another pattern."""
    board = (torch.arange(64).reshape(-1, 1) + torch.arange(64)) % 2 * torch.ones(1, 3, 1, 1)
    assert (resize(board, (20, 20)) - 0.5).abs().max() < 0.05


def test_resize_passes_gradients():
    image = noise().requires_grad_()
    resize(image, (5, 5)).sum().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("height", "width", "long_side", "wanted"),
    [
        (100, 200, 50, (25, 50)),
        (3, 2, 300, (300, 200)),
        (1, 20_000, 64, (1, 64)),
        (7, 7, 7, (7, 7)),
    ],
)
def test_fit(height, width, long_side, wanted):
    assert fit(height, width, long_side) == wanted


def test_sizes_below_one():
    with pytest.raises(OptionError, match="below 1 pixel"):
        fit(10, 10, 0)
    with pytest.raises(OptionError, match="below 1 pixel"):
        resize(noise(), (0, 5))


def test_a_contact_sheet_shows_every_picture_where_it_belongs():
    colours = torch.eye(3).repeat(2, 1)[:5]
    pictures = [colour.reshape(1, 3, 1, 1).expand(1, 3, 30, 40) for colour in colours]
    sheet = contact_sheet(pictures, columns=2, cell=40)
    margin = (sheet.shape[-1] - 80) // 3
    assert sheet.shape == (1, 3, 90 + 4 * margin, 80 + 3 * margin)
    for index, colour in enumerate(colours):
        top, left = margin + index // 2 * (30 + margin), margin + index % 2 * (40 + margin)
        cell = sheet[0, :, top : top + 30, left : left + 40]
        assert torch.equal(cell, colour.reshape(3, 1, 1).expand(3, 30, 40))
    paper = sheet[0, :, 0, 0]
    assert paper.min() > 0.9
    assert torch.equal(sheet[0, :, -margin - 5, -margin - 5], paper)  # the cell left over


def test_a_contact_sheet_keeps_proportions():
    wide, high = torch.zeros(1, 3, 10, 40), torch.zeros(1, 3, 40, 10)
    sheet = contact_sheet([wide, high], columns=2, cell=20)
    assert int((sheet[0, 0] == 0).sum()) == 2 * 20 * 5


def test_captions_are_written_below_and_cut():
    pictures = [torch.ones(1, 3, 60, 60)] * 2
    plain = contact_sheet(pictures, columns=2, cell=60)
    named = contact_sheet(pictures, columns=2, cell=60, captions=["mixed4c", "m" * 99])
    assert named.shape[-2] > plain.shape[-2]
    strip = named[0, 0, 60 + (plain.shape[-2] - 60) // 2 :]
    assert strip.min() < 0.6
    margin = (named.shape[-1] - 120) // 3
    gap = strip[:, margin + 60 : 2 * margin + 60]
    assert torch.equal(gap, gap[:1, :1].expand_as(gap))  # the long caption stays in its cell


@pytest.mark.parametrize(
    "options", [{"columns": 0}, {"columns": 1, "cell": 0}, {"columns": 1, "captions": ["a", "b"]}]
)
def test_impossible_sheets(options):
    with pytest.raises(OptionError):
        contact_sheet([noise()], **options)
    with pytest.raises(OptionError):
        contact_sheet([], columns=2)


def test_the_public_names_are_there():
    assert all(hasattr(images, name) for name in images.__all__)
    assert Picture(noise()).alpha is None


def test_a_picture_saves_itself_with_all_that_it_has(tmp_path):
    Picture(noise(), alpha=noise(channels=1), recipe=RECIPE).save(tmp_path / "x.png")
    assert load_picture(tmp_path / "x.png").alpha is not None
    assert read_recipe(tmp_path / "x.png") == RECIPE
