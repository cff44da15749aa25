"""Bands of details: they add up to the picture; colours come near a style's, within limits."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.objectives.laplacian_color import (
    BANDS,
    band_moments,
    merge_bands,
    split_bands,
    transfer_band_moments,
)
from belamy.objectives.style_losses import Moments
from belamy.objectives.whitening import standard_deviations


def picture(height: int, width: int, seed: int = 0) -> Tensor:
    """Blobs and grain."""
    chance = make_rng(seed, "picture")
    coarse = torch.rand((1, 3, 5, 5), generator=chance)
    blobs = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic")
    grain = 0.1 * torch.randn((1, 3, height, width), generator=chance)
    return (0.25 + 0.5 * blobs + grain).clamp(0, 1)


@pytest.mark.parametrize("size", [(64, 96), (61, 83), (1, 90), (7, 1), (1, 1)])
def test_bands_add_up_to_the_picture(size: tuple[int, int]) -> None:
    image = picture(*size)
    found = split_bands(image)
    assert len(found) == BANDS + 1
    torch.testing.assert_close(merge_bands(found, size), image)


def test_its_own_colours_leave_a_picture_as_it_is() -> None:
    image = picture(61, 83)
    own = band_moments(image)
    torch.testing.assert_close(transfer_band_moments(image, own, own), image, atol=1e-4, rtol=0)


def test_pale_details_get_the_strength_of_the_style() -> None:
    style, image = picture(128, 96, 1), picture(96, 128)
    found = split_bands(image)
    pale = merge_bands([0.5 * band for band in found[:2]] + found[2:], (96, 128))
    own, wanted = band_moments(pale), band_moments(style)
    made = band_moments(transfer_band_moments(pale, own, wanted))

    def off(some: list[Moments]) -> float:
        both = zip(some, wanted, strict=True)
        return sum(
            float((standard_deviations(one) - standard_deviations(goal)).abs().sum())
            for one, goal in both
        )

    assert off(made) < 0.5 * off(own)


def test_the_mean_colour_is_the_styles() -> None:
    image, style = picture(64, 64), picture(64, 64, 1) * torch.tensor([1, 0.5, 0.2]).view(3, 1, 1)
    made = transfer_band_moments(image, band_moments(image), band_moments(style))
    torch.testing.assert_close(made.mean(dim=(2, 3)), style.mean(dim=(2, 3)), atol=1e-3, rtol=0)


def test_a_plain_style_does_not_wipe_out_what_is_shown() -> None:
    image, plain = picture(64, 64), torch.full((1, 3, 40, 40), 0.3)
    made = transfer_band_moments(image, band_moments(image), band_moments(plain))
    assert 0.45 * image.std() < made.std() < image.std()


def test_grain_of_a_plain_picture_is_not_blown_up() -> None:
    image = 0.5 + 0.001 * torch.randn((1, 3, 64, 64), generator=make_rng(0, "grain"))
    made = transfer_band_moments(image, band_moments(image), band_moments(picture(64, 64)))
    assert made.std(dim=(2, 3)).max() < 3 * image.std()


def test_only_what_a_mask_shows_counts() -> None:
    left, right = picture(64, 64), 0.2 * picture(64, 64, 1)
    both, mask = torch.cat([left, right], dim=3), torch.zeros(1, 1, 64, 128)
    mask[..., :64] = 1
    found, wanted = band_moments(both, mask)[-1], band_moments(left)[-1]
    torch.testing.assert_close(found.mean, wanted.mean, atol=0.01, rtol=0)
