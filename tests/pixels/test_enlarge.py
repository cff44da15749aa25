"""Enlarging: true to the small picture, without halos, without steps."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.errors import OptionError
from belamy.pixels.enlarge import enlarge


def edge(side: int = 32) -> Tensor:
    """Dark on the left, light on the right of a slanted line."""
    x = torch.arange(side).float()
    y = torch.arange(side).float()[:, None]
    inside = (x - side / 2 + 0.35 * (y - side / 2)).clamp(-0.5, 0.5) + 0.5
    return (0.2 + 0.6 * inside).expand(1, 3, side, side)


@pytest.mark.parametrize("factor", [2, 3, 4, 7])
def test_reduced_again_it_is_the_small_picture(factor: int) -> None:
    rough = torch.rand(1, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    image = F.interpolate(rough, (20, 24), mode="bicubic").clamp(0, 1)
    large = enlarge(image, factor)
    assert large.shape == (1, 3, 20 * factor, 24 * factor)
    assert float((F.avg_pool2d(large, factor) - image).abs().mean()) < 0.03


def test_there_is_no_halo_beside_an_edge() -> None:
    large = enlarge(edge(), 4)
    grain = 6 * 0.009
    assert float(large.min()) > 0.2 - grain
    assert float(large.max()) < 0.8 + grain


def test_an_edge_is_steeper_than_by_bicubic_interpolation_and_straighter() -> None:
    image = edge()
    large, usual = enlarge(image, 4), F.interpolate(image, scale_factor=4, mode="bicubic")
    middle = (0, 0, slice(32, -32))

    def width(picture: Tensor) -> float:
        between = (picture[middle] > 0.3) & (picture[middle] < 0.7)
        return float(between.float().sum(1).mean())

    def unevenness(picture: Tensor) -> float:
        """How far the edge's place in each row is from a straight line."""
        place = (picture[middle] < 0.5).float().sum(1)
        line = torch.arange(len(place)).float()
        slope, offset = torch.linalg.lstsq(
            torch.stack([line, torch.ones_like(line)], 1), place[:, None]
        ).solution
        return float((place - slope * line - offset).abs().mean())

    assert width(large) < 0.8 * width(usual)
    assert unevenness(large) <= unevenness(usual) + 0.1


def test_flat_ground_gets_a_grain_that_nobody_would_call_noise() -> None:
    large = enlarge(torch.full((1, 3, 16, 16), 0.5), 8)
    assert 0.003 < float(large.std()) < 0.02
    assert float(large.mean()) == pytest.approx(0.5, abs=1e-3)


def test_seeds_and_batches() -> None:
    image = edge(16)
    assert torch.equal(enlarge(image, 3), enlarge(image, 3))
    assert not torch.equal(enlarge(image, 3), enlarge(image, 3, seed=1))
    both = enlarge(torch.cat([image, 1 - image]), 3)
    assert torch.allclose(both[:1], enlarge(image, 3), atol=1e-5)


def test_factors_out_of_range_are_refused() -> None:
    assert torch.equal(enlarge(edge(), 1), edge())
    for factor in (0, -1, 17):
        with pytest.raises(OptionError, match=f"upscale is {factor}"):
            enlarge(edge(), factor)
