"""How like two pictures are, as the papers measure it: on the 8 bits that a file would hold."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.errors import OptionError

__all__ = ["psnr", "ssim"]

_WINDOW = 7  # pixels: scikit-image's default
_K1, _K2 = 0.01, 0.03  # Wang et al. 2004, section III.C
_LEVELS = 255.0


def psnr(image: Tensor, other: Tensor) -> float:
    """The peak signal-to-noise ratio in decibels; infinite where the pictures are equal.

    As `skimage.metrics.peak_signal_noise_ratio` gives it for 8-bit RGB.

    Args:
        image, other: (1, 3, H, W) in [0, 1], rounded to 8 bits first.

    Raises:
        OptionError: the sizes differ.
    """
    a, b = _eight_bits(image, other)
    error = float((a - b).square().mean())
    return math.inf if error == 0 else 10 * math.log10(_LEVELS**2 / error)


def ssim(image: Tensor, other: Tensor) -> float:
    """The mean structural similarity, at most 1.

    As `skimage.metrics.structural_similarity(…, channel_axis=2)` gives it for 8-bit RGB: windows of
    7×7 of equal weight, sample covariances, the mean over the windows that lie within the picture
    and over the channels (Wang et al. 2004 have a Gaussian window of 11).

    Args:
        image, other: (1, 3, H, W) in [0, 1], rounded to 8 bits first.

    Raises:
        OptionError: the sizes differ, or a side is below 7 pixels.
    """
    a, b = _eight_bits(image, other)
    if min(a.shape[-2:]) < _WINDOW:
        raise OptionError(
            f"a picture of {a.shape[-1]}×{a.shape[-2]} is too small to compare; "
            f"SSIM takes {_WINDOW} pixels or more"
        )
    channels = [_similarity(x, y) for x, y in zip(a.unbind(1), b.unbind(1), strict=True)]
    return float(torch.stack(channels).mean())


def _eight_bits(image: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Both as float64 levels of 0 to 255."""
    if image.shape != other.shape:
        raise OptionError(
            f"pictures of {image.shape[-1]}×{image.shape[-2]} and "
            f"{other.shape[-1]}×{other.shape[-2]} cannot be compared; they must be of one size"
        )
    a, b = (x.detach().cpu().clamp(0, 1).mul(_LEVELS).round().double() for x in (image, other))
    return a, b


def _similarity(a: Tensor, b: Tensor) -> Tensor:
    """The mean over the windows of one channel; (1, H, W) each."""
    mean_a, mean_b = _mean(a), _mean(b)
    sample = _WINDOW**2 / (_WINDOW**2 - 1)
    variances = sample * (_mean(a * a) - mean_a**2 + _mean(b * b) - mean_b**2)
    covariance = sample * (_mean(a * b) - mean_a * mean_b)
    c1, c2 = (_K1 * _LEVELS) ** 2, (_K2 * _LEVELS) ** 2
    above = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    below = (mean_a**2 + mean_b**2 + c1) * (variances + c2)
    return (above / below).mean()


def _mean(channel: Tensor) -> Tensor:
    return F.avg_pool2d(channel, _WINDOW, stride=1)
