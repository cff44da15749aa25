"""PSNR and SSIM are what scikit-image gives for the files' 8 bits."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import OptionError
from belamy.pixels.images import resize
from belamy.training.metrics import psnr, ssim


def smooth(seed: int, height: int = 37, width: int = 52) -> Tensor:
    return resize(torch.rand((1, 3, 6, 7), generator=make_rng(seed, "test")), (height, width))


def bytes_of(image: Tensor) -> object:
    return (image[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.2, 1.0])
def test_as_scikit_image(noise: float) -> None:
    metrics = pytest.importorskip("skimage.metrics")
    image = smooth(0)
    other = image.lerp(torch.rand(image.shape, generator=make_rng(1, "test")), noise)
    a, b = bytes_of(image), bytes_of(other)
    wanted = metrics.structural_similarity(a, b, channel_axis=2)
    assert ssim(image, other) == pytest.approx(wanted, abs=1e-9)
    if noise > 0:
        assert psnr(image, other) == pytest.approx(metrics.peak_signal_noise_ratio(a, b), abs=1e-9)


def test_a_picture_is_like_itself() -> None:
    image = smooth(0)
    assert psnr(image, image) == math.inf
    assert ssim(image, image) == pytest.approx(1)


def test_by_hand() -> None:
    black = torch.zeros(1, 3, 8, 8)
    assert psnr(black, black + 1) == pytest.approx(0)
    assert psnr(black, black + 1 / 255) == pytest.approx(20 * math.log10(255))


def test_both_ways_round() -> None:
    a, b = smooth(0), smooth(1)
    assert psnr(a, b) == psnr(b, a)
    assert ssim(a, b) == pytest.approx(ssim(b, a))


def test_values_beyond_the_range_are_what_a_file_would_hold() -> None:
    image = smooth(0)
    assert psnr(image * 3 - 1, (image * 3 - 1).clamp(0, 1)) == math.inf


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_sizes_must_agree(measure: object) -> None:
    with pytest.raises(OptionError, match="52×37 and 37×52"):
        measure(smooth(0), smooth(0, 52, 37))  # type: ignore[operator]


def test_too_small_for_a_window() -> None:
    with pytest.raises(OptionError, match="5×9 is too small"):
        ssim(smooth(0, 9, 5), smooth(1, 9, 5))
