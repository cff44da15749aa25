from __future__ import annotations

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from belamy.errors import OptionError
from belamy.pixels import pyramid
from belamy.pixels.pyramid import (
    gaussian_blur,
    gaussian_smooth,
    laplacian_merge,
    laplacian_smooth,
    laplacian_split,
    octave_sizes,
    pad,
    scale_sizes,
)

SIZES = [(1, 1), (1, 5), (5, 1), (2, 3), (9, 7), (33, 64)]


def noise(height: int, width: int, batch: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(height * 1000 + width)
    return torch.randn(batch, 3, height, width, generator=generator, dtype=torch.float64)


def test_octaves_grow_to_exactly_the_full_size() -> None:
    sizes, skipped = octave_sizes(512, 401, octaves=4, scale=1.4)
    assert sizes == [(187, 146), (261, 205), (366, 286), (512, 401)]
    assert skipped == 0


def test_small_octaves_are_skipped_and_counted() -> None:
    sizes, skipped = octave_sizes(100, 60, octaves=6, scale=1.4, smallest=30)
    assert sizes == [(51, 31), (71, 43), (100, 60)]
    assert skipped == 3


def test_the_full_size_is_never_skipped() -> None:
    assert octave_sizes(1, 5, octaves=4, smallest=32) == ([(1, 5)], 3)


@given(
    st.integers(1, 5000),
    st.integers(1, 5000),
    st.integers(1, 12),
    st.floats(1.01, 4),
    st.integers(1, 200),
)
@settings(deadline=None)
def test_any_octave_schedule(
    height: int, width: int, octaves: int, scale: float, smallest: int
) -> None:
    sizes, skipped = octave_sizes(height, width, octaves, scale, smallest)
    assert sizes[-1] == (height, width)
    assert len(sizes) + skipped == octaves
    assert sizes == sorted(sizes)
    assert all(min(size) >= smallest for size in sizes[:-1])


def test_scales_double_the_area() -> None:
    assert scale_sizes(512, 512) == [(n, n) for n in (128, 181, 256, 362, 512)]
    assert scale_sizes(300, 600, smallest=300) == [(150, 300), (212, 424), (300, 600)]


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 400), st.floats(1.001, 4))
@settings(deadline=None, max_examples=50)
def test_any_scale_schedule(height: int, width: int, smallest: int, scale: float) -> None:
    sizes = scale_sizes(height, width, smallest, scale)
    assert sizes[-1] == (height, width)
    assert sizes == sorted(set(sizes))
    assert all(max(size) >= smallest - 1 for size in sizes[:-1])


@pytest.mark.parametrize("scale", [1, 0.5, math.nan, math.inf])
def test_schedules_refuse_a_scale_that_does_not_grow(scale: float) -> None:
    with pytest.raises(OptionError, match="scale"):
        octave_sizes(10, 10, 2, scale)
    with pytest.raises(OptionError, match="scale"):
        scale_sizes(10, 10, 5, scale)


def test_schedules_refuse_empty_pictures_and_counts() -> None:
    with pytest.raises(OptionError, match="0 x 3"):
        octave_sizes(0, 3, 1)
    with pytest.raises(OptionError, match="octaves is 0"):
        octave_sizes(3, 3, 0)
    with pytest.raises(OptionError, match="smallest is 0"):
        scale_sizes(3, 3, smallest=0)


def test_pad_reflects_further_than_the_picture_is_wide() -> None:
    row = torch.tensor([0.0, 1.0, 2.0]).view(1, 1, 1, 3)
    padded = pad(row, 7, 6, 0, 0, "reflect").flatten().tolist()
    assert padded == [1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0]
    assert pad(row[..., :1], 2, 1, 3, 0, "reflect").eq(0).all()


def test_pad_agrees_with_torch_where_torch_can() -> None:
    image = noise(5, 6)
    wide = pad(image, 9, 9, 9, 9, "reflect")
    small = pad(image, 5, 4, 4, 3, "reflect")
    torch.testing.assert_close(wide[..., 5:-6, 4:-5], small, rtol=0, atol=0)


@pytest.mark.parametrize("padding", ["reflect", "replicate"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("sigma", [0.3, 1.0, 12.0])
def test_blur_keeps_a_flat_picture_and_the_size(
    size: tuple[int, int], sigma: float, padding: str
) -> None:
    flat = torch.full((1, 3, *size), 0.7, dtype=torch.float64)
    torch.testing.assert_close(gaussian_blur(flat, sigma, padding), flat)
    assert gaussian_blur(noise(*size), sigma, padding).shape == (2, 3, *size)


def test_blur_of_a_point_is_a_gaussian() -> None:
    point = torch.zeros(1, 1, 41, 41, dtype=torch.float64)
    point[..., 20, 20] = 1
    blurred = gaussian_blur(point, 2.0)[0, 0]
    place = torch.arange(41, dtype=torch.float64) - 20
    assert abs(blurred.sum() - 1) < 1e-12
    assert (blurred.sum(0) * place**2).sum().sqrt() == pytest.approx(2.0, rel=0.02)
    torch.testing.assert_close(blurred, blurred.T)
    assert (blurred[20, 23] / blurred[20, 20]).item() == pytest.approx(math.exp(-9 / 8))


def test_blur_of_zero_changes_nothing_and_negative_is_refused() -> None:
    image = noise(4, 4)
    assert gaussian_blur(image, 0) is image
    with pytest.raises(OptionError, match="sigma is -1"):
        gaussian_blur(image, -1)


def test_blur_is_differentiable() -> None:
    image = noise(3, 4, batch=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: gaussian_blur(x, 1.5), image)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("levels", [0, 1, 5])
def test_laplacian_comes_back_exactly(size: tuple[int, int], levels: int) -> None:
    image = noise(*size)
    bands = laplacian_split(image, levels)
    assert len(bands) == levels + 1
    torch.testing.assert_close(laplacian_merge(bands), image, rtol=0, atol=1e-13)


def test_laplacian_bands_halve_and_hold_no_flat_part() -> None:
    bands = laplacian_split(torch.full((1, 3, 9, 14), 0.4, dtype=torch.float64), 2)
    assert [tuple(band.shape[-2:]) for band in bands] == [(9, 14), (5, 7), (3, 4)]
    assert bands[0].abs().max() < 1e-15
    assert bands[1].abs().max() < 1e-15
    torch.testing.assert_close(bands[2], torch.full_like(bands[2], 0.4))


def test_laplacian_splits_by_frequency() -> None:
    place = torch.arange(64, dtype=torch.float64)
    slow = torch.sin(place * 2 * math.pi / 64).expand(1, 1, 64, 64)
    fast = torch.cos(place * math.pi).expand(1, 1, 64, 64)
    strength = [band.square().mean().item() for band in laplacian_split(slow, 3)]
    assert strength[-1] > 20 * max(strength[:-1])
    strength = [band.square().mean().item() for band in laplacian_split(fast, 3)]
    assert strength[0] > 20 * max(strength[1:])


def test_laplacian_smooth_levels_the_bands_of_each_picture() -> None:
    fine = noise(64, 64)
    gradient = fine * torch.tensor([1.0, 1e-9]).view(2, 1, 1, 1) + 1e-11
    smooth = laplacian_smooth(gradient)
    share = [band.square().mean() for band in laplacian_split(smooth, 4)]
    before = [band.square().mean() for band in laplacian_split(gradient[:1], 4)]
    assert max(share) / min(share) < 4 < max(before) / min(before)
    torch.testing.assert_close(smooth[0], laplacian_smooth(gradient[:1])[0])
    torch.testing.assert_close(laplacian_smooth(5 * gradient), smooth)


@pytest.mark.parametrize("size", SIZES)
def test_laplacian_smooth_of_nothing_is_nothing(size: tuple[int, int]) -> None:
    nothing = torch.zeros(1, 3, *size)
    assert laplacian_smooth(nothing).eq(0).all()
    flat = laplacian_smooth(torch.full((1, 3, *size), 0.3))
    torch.testing.assert_close(flat, torch.ones_like(flat), rtol=0, atol=0.01)


def test_laplacian_smooth_does_not_blow_up_rounding() -> None:
    points = torch.rand(50, 3, 1, 1, generator=torch.Generator().manual_seed(1)) + 0.1
    level = points / points.square().mean(dim=1, keepdim=True).sqrt()
    torch.testing.assert_close(laplacian_smooth(points), level, rtol=0, atol=0.01)


def test_what_is_written_over_is_the_same_and_nothing_else_is_touched() -> None:
    for smooth in (partial(laplacian_smooth, levels=2), partial(gaussian_smooth, sigma=1.0)):
        gradient = noise(33, 47)
        kept = gradient.clone()
        fresh = smooth(gradient)
        assert torch.equal(gradient, kept)
        over = smooth(gradient, own=True)
        assert torch.equal(over, fresh)
        assert over.data_ptr() == gradient.data_ptr()
    bands = laplacian_split(kept, 2)
    finest = bands[0].clone()
    laplacian_merge(bands)
    assert torch.equal(bands[0], finest)


@pytest.mark.parametrize("size", [(61, 40), (64, 33), (7, 3), (1, 9), (26, 1)])
def test_bands_of_rows_give_what_the_whole_gives(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    gradient = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(3))

    def smooth() -> Tensor:
        blurred = gaussian_smooth(gradient.clone(), 1.3, own=True)
        return laplacian_smooth(blurred, 3, own=True)

    made = []
    for rows in (10_000, 4):
        monkeypatch.setattr(pyramid, "_BAND", rows)
        made.append(smooth())
    assert torch.equal(*made)


def test_gaussian_smooth_quiets_noise_and_keeps_flat_parts() -> None:
    gradient = noise(32, 32)
    smooth = gaussian_smooth(gradient, 1.0)
    assert smooth.std() < 0.6 * gradient.std()
    torch.testing.assert_close(gaussian_smooth(torch.ones(1, 3, 5, 5), 2.0), torch.ones(1, 3, 5, 5))


def test_gaussian_smooth_is_the_mean_of_three_blurs() -> None:
    gradient = noise(24, 20)
    blurs = [gaussian_blur(gradient, sigma) for sigma in (0.6, 1.2, 2.4)]
    torch.testing.assert_close(gaussian_smooth(gradient, 1.2), sum(blurs) / 3)


def test_a_blur_has_its_deviation() -> None:
    point = torch.zeros(1, 1, 61, 61, dtype=torch.float64)
    point[..., 30, 30] = 1
    spread = gaussian_blur(point, 3.0)[0, 0]
    position = torch.arange(61, dtype=torch.float64) - 30
    for axis in (0, 1):
        variance = float((spread.sum(axis) * position.square()).sum())
        assert math.sqrt(variance) == pytest.approx(3.0, rel=0.02)


def test_an_octave_as_small_as_the_smallest_is_kept() -> None:
    assert octave_sizes(64, 96, 2, scale=2.0, smallest=32) == ([(32, 48), (64, 96)], 0)
    assert octave_sizes(64, 96, 2, scale=2.0, smallest=33) == ([(64, 96)], 1)
