"""The dark channel prior: single-image haze estimation without training.

In most places of a clear picture some colour channel is nearly black somewhere near; fog lifts it.
So the darkest value around a pixel says how much of its light is the fog's.

Source: He, Sun and Tang 2009, "Single image haze removal using dark channel prior". **Differs**:
the air light comes from a quad-tree (Kim et al. 2013, "Optimized contrast enhancement for real-time
image and video dehazing"), since the brightest pixels are often a white wall or a lamp; where a
place is nearly of the air light's colour, the prior does not hold and the transmission is raised
(Jiang et al. 2013, "Improved single image haze removal": skies, which otherwise break into bands).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from belamy.pixels.fog.model import Fog
from belamy.pixels.guided import guided_filter

__all__ = ["dark_channel", "estimate_air_light", "estimate_fog", "raise_sky_transmission"]

_WINDOW = 15  # pixels, for pictures of about 600; He et al.
_OMEGA = 0.95  # of the fog is taken for fog, so that far things still look far; He et al.
_TOLERANCE = 0.05
# Distance from the air light, in [0, 1], within which a place may be sky. On made-up fog 0.2, as in
# the paper, costs 1.7 decibels out of doors and 2.2 within; less leaves bands.
_SMALLEST = 32  # pixels: quarters with a shorter side are not cut again
_BRIGHTEST = 0.1  # of the last quarter's pixels, whose mean is the air light
_LEAST_AIR = 0.05  # a darker air light would be divided by
_FILTER_RADIUS, _FILTER_EPSILON = 40, 1e-3  # for pictures of about 500 pixels; He et al.
_FILTER_STEP = 4


def dark_channel(image: Tensor, window: int = _WINDOW) -> Tensor:
    """The darkest value of any channel in the square around each pixel: (N, 1, H, W).

    Args:
        image: (N, C, H, W), 0 or more.
        window: side of the square in pixels, odd.
    """
    lightness = -image.amin(1, keepdim=True)
    half = window // 2  # a square's minimum is a row's of columns' minima
    rows = F.max_pool2d(lightness, (1, window), stride=1, padding=(0, half))
    return -F.max_pool2d(rows, (window, 1), stride=1, padding=(half, 0))


def estimate_air_light(image: Tensor) -> Tensor:
    """Air light by quad-tree search: the bright and even quarter is kept, until it is small.

    Args:
        image: (1, 3, H, W) in [0, 1].

    Returns:
        (1, 3, 1, 1), the mean of the brightest tenth of the last quarter.
    """
    region = image
    while min(region.shape[-2:]) >= 2 * _SMALLEST:
        height, width = region.shape[-2] // 2, region.shape[-1] // 2
        quarters = [
            region[..., top : top + height, left : left + width]
            for top in (0, region.shape[-2] - height)
            for left in (0, region.shape[-1] - width)
        ]
        region = max(quarters, key=_brightness_less_spread)
    pixels = region.flatten(2)  # (1, 3, P)
    count = max(1, round(_BRIGHTEST * pixels.shape[-1]))
    brightest = pixels.mean(1).topk(count).indices[0]
    return pixels[..., brightest].mean(-1)[..., None, None]


def _brightness_less_spread(part: Tensor) -> float:
    spread = part.std(dim=(2, 3), correction=0).mean()
    return float(part.mean() - spread)


def raise_sky_transmission(image: Tensor, transmission: Tensor, air: Tensor) -> Tensor:
    """The transmission map, raised where the picture is nearly of the air light's colour (skies).

    There nothing is hidden that could be found again, only noise that would be amplified.
    """
    apart = (image - air).abs().mean(1, keepdim=True)
    return (transmission * (_TOLERANCE / apart.clamp_min(1e-6)).clamp_min(1)).clamp_max(1)


def estimate_fog(image: Tensor) -> Fog:
    """Transmission map and air light by the dark channel prior.

    Args:
        image: (1, 3, H, W) in [0, 1], of about 500 pixels, for which the windows are meant.
    """
    air = estimate_air_light(image).clamp_min(_LEAST_AIR)
    dark = dark_channel(image / air).clamp(0, 1)
    coarse = raise_sky_transmission(image, 1 - _OMEGA * dark, air)
    transmission = guided_filter(
        image, coarse, radius=_FILTER_RADIUS, epsilon=_FILTER_EPSILON, subsample=_FILTER_STEP
    )
    return Fog(transmission.clamp(0, 1), air)
