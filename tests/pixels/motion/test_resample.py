from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from belamy.pixels.motion.resample import move, rotate

SIDE = 256
CENTRE = slice(80, -80)  # where nothing of the borders has come in a hundred steps


def wave(period: float, degrees: float = 0, zoom: float = 1, shift: float = 0) -> Tensor:
    """(1, 1, S, S): stripes as they look after the picture has been moved, by formula."""
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    x, y = x - (SIDE - 1) / 2 - shift, y - (SIDE - 1) / 2
    angle = math.radians(degrees)
    across = (math.cos(angle) * x + math.sin(angle) * y) / zoom
    return torch.sin(2 * math.pi / period * across)[None, None].float()


@pytest.mark.parametrize("period", [3, 4, 8])
def test_fine_waves_outlive_a_hundred_shifts(period: int) -> None:
    image = wave(period)
    for _ in range(100):
        image = move(image, shift=(0.37, 0.21))
    error = (image - wave(period, shift=37))[..., CENTRE, CENTRE]
    assert float(error.abs().max()) < 0.03


@pytest.mark.parametrize("period", [4, 8])
def test_fine_waves_outlive_a_hundred_turns_and_zooms(period: int) -> None:
    image = wave(period)
    for _ in range(100):
        image = move(image, zoom=1.004, degrees=0.3)
    error = (image - wave(period, 30, 1.004**100))[..., CENTRE, CENTRE]
    assert float(error.abs().max()) < 0.05


def test_noise_never_grows() -> None:
    image = torch.rand((1, 3, 64, 96), generator=torch.Generator().manual_seed(0))
    spread = float(image.std())
    for _ in range(100):
        image = move(image, degrees=0.7, shift=(0.5, -0.3))
    assert float(image.std()) <= 1.02 * spread


@pytest.mark.parametrize("size", [(64, 64), (48, 80), (81, 50)])
@pytest.mark.parametrize("degrees", [90, 180, -90, 360])
def test_quarter_turns_are_exact(size: tuple[int, int], degrees: int) -> None:
    image = torch.rand((1, 3, *size), generator=torch.Generator().manual_seed(0))
    turned = rotate(image, degrees)
    assert turned.shape == image.shape
    side = min(size)
    top, left = (size[0] - side) // 2, (size[1] - side) // 2
    if (size[0] - size[1]) % 2 == 0:
        square = image[..., top : top + side, left : left + side]
        expected = torch.rot90(square, -(degrees // 90), (-2, -1))
        got = turned[..., top : top + side, left : left + side]
        torch.testing.assert_close(got, expected)


def test_a_turn_is_clockwise_and_a_shift_goes_right_and_down() -> None:
    image = torch.zeros(1, 1, 65, 65)
    image[..., 32, 52] = 1  # right of the middle
    turned = rotate(image, 30)[0, 0]
    row, column = divmod(int(turned.argmax()), 65)
    assert (row, column) == (42, 49)
    moved = move(image, shift=(3, 5))[0, 0]
    assert divmod(int(moved.argmax()), 65) == (37, 55)


def test_zooming_out_smooths_instead_of_folding_waves_over() -> None:
    smaller = move(wave(3), zoom=0.5)
    assert float(smaller[..., CENTRE, CENTRE].abs().max()) < 0.05


def test_a_flat_picture_stays_flat() -> None:
    flat = torch.full((1, 3, 20, 31), 0.4)
    moved = move(flat, zoom=1.3, degrees=37, shift=(4.5, -2))
    torch.testing.assert_close(moved, flat, atol=1e-5, rtol=0)
