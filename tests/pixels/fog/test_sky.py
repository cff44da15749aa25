"""The sky is found where a person would say it is, and nowhere else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.pixels.fog.sky import segment_sky


def scene(sky: tuple[float, float, float]) -> Tensor:
    """Sky above, rough ground below, and a light, smooth pond that does not touch the sky."""
    image = 0.4 * torch.rand((1, 3, 120, 160), generator=make_rng(0, "test"))
    image[..., :50, :] = torch.tensor(sky).view(1, 3, 1, 1)
    image[..., 90:110, 40:120] = 0.9
    return image


@pytest.mark.parametrize("sky", [(0.5, 0.65, 0.9), (0.85, 0.86, 0.87), (0.3, 0.4, 0.6)])
def test_the_sky_and_not_the_pond(sky: tuple[float, float, float]) -> None:
    found = segment_sky(scene(sky))
    assert float(found[..., :42, :].min()) > 0.9
    assert float(found[..., 60:85, :].max()) < 0.1
    assert float(found[..., 92:108, 45:115].max()) < 0.1


def test_none_where_there_is_none() -> None:
    rough = torch.rand((1, 3, 60, 80), generator=make_rng(0, "test"))
    assert float(segment_sky(rough).max()) < 0.1
    assert float(segment_sky(torch.zeros(1, 3, 60, 80)).max()) == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (300, 2), (61, 83)])
def test_any_size(size: tuple[int, int]) -> None:
    assert segment_sky(torch.full((1, 3, *size), 0.9)).shape == (1, 1, *size)
