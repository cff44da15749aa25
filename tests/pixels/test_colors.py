from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from belamy.errors import OptionError
from belamy.pixels.colors import (
    LUMA,
    color_moments,
    color_transfer,
    correlate_colors,
    decorrelate_colors,
    keep_colors,
    luma,
    match_colors,
)


def picture(seed: int, height: int = 9, width: int = 7, batch: int = 1) -> Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed))


def test_luma_of_grey_is_grey_and_green_counts_most() -> None:
    grey = torch.full((1, 3, 2, 2), 0.3)
    assert luma(grey).shape == (1, 1, 2, 2)
    torch.testing.assert_close(luma(grey), grey[:, :1])
    red, green, blue = luma(torch.eye(3).view(3, 3, 1, 1)).flatten().tolist()
    assert green > red > blue


def test_rec_601_is_no_further_from_lightness_than_rec_709() -> None:
    corners = torch.tensor(list(itertools.product((0.0, 1.0), repeat=3)), dtype=torch.float64)
    rec709 = torch.tensor((0.2126, 0.7152, 0.0722), dtype=torch.float64)
    light = corners @ rec709  # fully saturated corners are the same in linear light
    lightness = torch.where(light > 0.0031308, 1.055 * light ** (1 / 2.4) - 0.055, 12.92 * light)
    rec601 = torch.tensor(LUMA, dtype=torch.float64)
    error601, error709 = ((corners @ w - lightness).square().mean() for w in (rec601, rec709))
    assert error601 <= error709


def test_keep_colors_has_the_brightness_of_one_and_the_hue_of_the_other() -> None:
    original, image = picture(1).double(), picture(2).double()
    kept = keep_colors(original, image)
    assert kept.min() >= 0
    assert kept.max() <= 1
    torch.testing.assert_close(luma(kept), luma(image))
    wanted, found = original - luma(original), kept - luma(kept)
    assert torch.linalg.cross(wanted, found, dim=1).abs().max() < 1e-12  # the same direction
    assert (wanted * found).sum(dim=1).min() >= 0
    assert found.norm(dim=1).le(wanted.norm(dim=1) + 1e-12).all()


def test_keep_colors_of_a_picture_with_itself_changes_nothing() -> None:
    image = picture(3)
    torch.testing.assert_close(keep_colors(image, image), image)


@pytest.mark.parametrize("bright", [0.0, 1.0])
def test_keep_colors_of_black_and_white_stays_black_and_white(bright: float) -> None:
    image = torch.full((1, 3, 4, 4), bright)
    torch.testing.assert_close(keep_colors(picture(4, 4, 4), image), image)


def test_keep_colors_of_a_grey_original_is_grey() -> None:
    image = picture(5)
    kept = keep_colors(torch.full_like(image, 0.2), image)
    torch.testing.assert_close(kept, luma(image).expand(-1, 3, -1, -1))


def test_keep_colors_spreads_one_original_over_a_batch() -> None:
    images = picture(6, batch=3)
    assert keep_colors(picture(7), images).shape == images.shape


def test_keep_colors_refuses_another_size() -> None:
    with pytest.raises(OptionError, match=r"\(5, 7\).*\(9, 7\)"):
        keep_colors(picture(1, 5), picture(1))


def test_color_transfer_carries_mean_and_covariance_over() -> None:
    source, target = 0.3 * picture(8, 40, 30) + 0.5, picture(9, 25, 31)
    target = 0.6 * target + 0.2 * target.roll(1, dims=1)
    matrix, offset = color_transfer(source, target)
    torch.testing.assert_close(matrix, matrix.T)
    assert torch.linalg.eigvalsh(matrix).min() > 0
    moved = torch.einsum("ij,njhw->nihw", matrix, source.double()) + offset.view(1, 3, 1, 1)
    mean, covariance = color_moments(moved)
    wanted_mean, wanted_covariance = color_moments(target)
    torch.testing.assert_close(mean, wanted_mean)
    torch.testing.assert_close(covariance, wanted_covariance, rtol=0.01, atol=1e-4)


def test_match_colors_with_itself_changes_nothing() -> None:
    image = picture(10)
    torch.testing.assert_close(match_colors(image, image), image, rtol=0, atol=1e-5)


def test_match_colors_of_flat_pictures_gives_the_other_colour() -> None:
    flat, other = torch.full((1, 3, 5, 5), 0.25), torch.full((1, 3, 2, 2), 0.75)
    torch.testing.assert_close(match_colors(flat, other), torch.full((1, 3, 5, 5), 0.75))


def test_match_colors_stays_in_range() -> None:
    matched = match_colors(picture(11), (picture(12) > 0.5).float())
    assert matched.dtype == torch.float32
    assert matched.min() >= 0
    assert matched.max() <= 1


def test_correlate_and_decorrelate_undo_each_other() -> None:
    image = picture(13) - 0.5
    torch.testing.assert_close(decorrelate_colors(correlate_colors(image)), image)
    torch.testing.assert_close(correlate_colors(decorrelate_colors(image)), image)


def test_correlate_colors_is_lucids_matrix() -> None:
    axes = torch.eye(3).view(3, 3, 1, 1)
    largest = (0.26**2 + 0.27**2 + 0.27**2) ** 0.5
    wanted = torch.tensor([[0.26, 0.27, 0.27], [0.09, 0, -0.09], [0.02, -0.05, 0.03]]) / largest
    torch.testing.assert_close(correlate_colors(axes).view(3, 3), wanted)
