"""Random crops."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.training.crops import random_resized_crops, resample, sample_crops


def ramps(count: int, side: int) -> Tensor:
    """uint8 (N, S, S, 3): red tells the column, green the row, blue the picture."""
    line = torch.arange(side, dtype=torch.uint8)
    images = torch.zeros(count, side, side, 3, dtype=torch.uint8)
    images[..., 0], images[..., 1] = line, line[:, None]
    images[..., 2] = torch.arange(count, dtype=torch.uint8).view(-1, 1, 1)
    return images


def crops(images: Tensor, size: int, *, low: float, seed: int = 0) -> Tensor:
    return random_resized_crops(images, size, make_rng(seed), area=(low, 1.0))


def test_shape_range_and_order() -> None:
    found = crops(ramps(37, 20), 9, low=0.25)
    assert found.shape == (37, 3, 9, 9)
    assert found.dtype == torch.float32
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert torch.equal((found[:, 2].mean(dim=(1, 2)) * 255).round(), torch.arange(37.0))


def test_the_whole_area_leaves_the_whole_square_picture() -> None:
    """Of the shapes with all the area only the square one fits; others are cut to the side."""
    found = crops(ramps(1, 16), 16, low=1.0)
    assert found.shape == (1, 3, 16, 16)
    columns = found[0, 0].amax(dim=0) * 255
    assert float(columns.max() - columns.min()) >= 11  # at least 16·√(3/4) of the columns


def test_areas_lie_between_the_limits() -> None:
    side, spans = 64, []
    for seed in range(40):
        found = crops(ramps(1, side), side, low=0.25, seed=seed)[0] * 255
        width = float(found[0].max() - found[0].min()) + 1
        height = float(found[1].max() - found[1].min()) + 1
        spans.append(width * height / side**2)
    assert 0.2 < min(spans) < 0.45
    assert 0.8 < max(spans) <= 1.01


def test_about_half_are_mirrored() -> None:
    found = crops(ramps(200, 8), 8, low=0.25)
    mirrored = (found[:, 0, 0, 0] > found[:, 0, 0, -1]).float().mean()
    assert 0.35 < float(mirrored) < 0.65


def test_the_same_generator_gives_the_same() -> None:
    images = ramps(20, 12)
    assert torch.equal(crops(images, 8, low=0.5), crops(images, 8, low=0.5))
    assert not torch.equal(crops(images, 8, low=0.5), crops(images, 8, low=0.5, seed=1))


def test_pictures_of_one_pixel() -> None:
    assert crops(ramps(3, 1), 8, low=0.1).shape == (3, 3, 8, 8)


@pytest.mark.parametrize("size", [4, 8, 16])
def test_resampling_keeps_a_plain_colour(size: int) -> None:
    plain = torch.full((2, 8, 8, 3), 77, dtype=torch.uint8)
    found = resample(plain, size)
    assert found.shape == (2, 3, size, size)
    torch.testing.assert_close(found, torch.full_like(found, 77.0))


def test_resampling_does_not_touch_what_it_was_given() -> None:
    images = ramps(1, 8)
    resample(images, 8).div_(255)
    assert torch.equal(images, ramps(1, 8))


def test_the_crops_of_a_step_are_its_own_and_each_process_has_others() -> None:
    images = ramps(24, 16)

    def seen(step: int, rank: int = 0) -> tuple[Tensor, Tensor]:
        return sample_crops(
            images, step, batch=4, size=8, area=(0.25, 1.0), seed=3, rank=rank, world_size=2
        )

    found, chosen = seen(5)
    assert torch.equal((found[:, 2].mean(dim=(1, 2)) * 255).round().long(), chosen)
    again, same = seen(5)
    assert torch.equal(found, again)
    assert torch.equal(chosen, same)
    assert not set(chosen.tolist()) & set(seen(5, rank=1)[1].tolist())
    assert not torch.equal(chosen, seen(6)[1])
