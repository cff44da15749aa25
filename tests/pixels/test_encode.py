from __future__ import annotations

import numpy as np
import pytest
import torch

from belamy.errors import ImageError, OptionError, RecipeError
from belamy.pixels.images import (
    SUFFIXES,
    Picture,
    compose,
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


@pytest.mark.parametrize("suffix", [name for name, kind in SUFFIXES.items() if kind.carry])
@pytest.mark.parametrize("length", [70_000, 1_200_000])
def test_a_long_recipe_is_saved_and_read_again(tmp_path, suffix, length):
    long = Recipe("dream", {"note": "xè" * (length // 2)}, (), {}, 0, "0.1.0", "2.13.0")
    path = tmp_path / f"x{suffix}"
    save_image(noise(), path, recipe=long)
    assert read_recipe(path) == long
    assert load_image(path).shape[-2:] == noise().shape[-2:]


def test_a_recipe_too_long_to_be_read_again(tmp_path):
    long = Recipe("dream", {"note": "x" * (1 << 24)}, (), {}, 0, "0.1.0", "2.13.0")
    with pytest.raises(RecipeError, match="16777216 can be read again"):
        save_image(noise(), tmp_path / "x.png", recipe=long)
    assert list(tmp_path.iterdir()) == []


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


def test_a_picture_saves_itself_with_all_that_it_has(tmp_path):
    Picture(noise(), alpha=noise(channels=1), recipe=RECIPE).save(tmp_path / "x.png")
    assert load_picture(tmp_path / "x.png").alpha is not None
    assert read_recipe(tmp_path / "x.png") == RECIPE
