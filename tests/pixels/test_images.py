from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from belamy.errors import ImageError, OptionError
from belamy.pixels import images
from belamy.pixels.images import Picture, compose, fit, load_image, load_picture, resize, to_pil


def noise(height=12, width=16, channels=3):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, channels, height, width, generator=generator)


def test_a_pillow_picture_is_left_as_it_was():
    picture = Image.new("RGBA", (4, 3), (255, 0, 0, 128))
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
    if picture.alpha is not None:
        alpha = torch.from_numpy(array[..., 3].astype(np.float32) / white)
        torch.testing.assert_close(picture.alpha[0, 0], alpha)
        on_red = compose(picture, "red")
        red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1)
        expected = picture.image * alpha + red * (1 - alpha)
        torch.testing.assert_close(on_red, expected)


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


@pytest.mark.parametrize("alpha", [None, torch.full((1, 1, 4, 5), 0.5)])
def test_a_picture_is_read_as_it_stands_and_not_shared(alpha):
    given = Picture(noise(4, 5), alpha)
    found = load_picture(given)
    torch.testing.assert_close(found.image, given.image)
    assert (found.alpha is None) == (alpha is None)
    found.image.zero_()
    assert given.image.max() > 0


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


def test_the_public_names_are_there():
    assert all(hasattr(images, name) for name in images.__all__)
    assert Picture(noise()).alpha is None
