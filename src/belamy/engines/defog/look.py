"""The fog that a network of the second design finds, made fit for photos: a second opinion on where
thin haze is, edges without halos, and an air that is no lighter than the sky."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.pixels.fog.dark_channel import dark_channel, raise_sky_transmission
from belamy.pixels.fog.model import Fog
from belamy.pixels.fog.sky import segment_sky
from belamy.pixels.guided import box_filter, guided_filter, guided_upsample
from belamy.pixels.images import fit, resize

__all__ = ["EPSILON", "Estimator", "fog_fraction", "look_smaller", "smoothstep"]

Estimator: TypeAlias = "Callable[[Tensor], Fog]"
"""(1, 3, h, w) → its fog."""

EPSILON = 1e-4  # of the guided filters that fit a transmission to edges. By eye

_SIDE, _RADIUS = 256, 4  # pixels that the network sees; of the filter that fits them to 512
# Of a first filter, at those 256 pixels. The network's map is soft, and a soft edge between near
# and far is a halo: windows have to reach across it.
_WIDE_RADIUS, _LEAST = 12, 0.02

# Of the light, where there is most fog: less is none, more is fog, what lies between is taken in
# part. By a mean over the picture, clear ones and those in thin fog are told apart less well.
_DENSEST = 0.95  # quantile over the positions
_NO_FOG, _SURE_FOG = 0.12, 0.3
# The same of the second design, before those: it takes pale photos for fog a little more often.
# Chosen on the held-out landscapes, of which 95 in 100 are to stay as they are.
_BOUNDS = (0.18, 0.34)
_NEARLY_GREY = 0.06  # colour of an air light, in parts of its light; with more it is seldom fog's
_NEARLY_GREY_SEEN = 0.03  # of the second design's

# What is light and in fog has no contrast; a pale clear photo has. By the ten photos of the docs
# and those held-out landscapes that come near to being taken for fog.
_WINDOW = 9  # pixels of 256
_MIDDLE = (0.4, 0.8)  # of the lightest dark channel: neither what is near, nor sky
_CONTRAST_QUANTILE = 0.9
_FEWEST = 30  # positions, of which a quantile is taken
_HAZY_CONTRAST = (0.26, 0.32)
_SEEN_AT_ALL = (0.10, 0.15)  # of the light, below which no contrast makes it fog

# The dark channel's part in the optical depth: it sees thin haze better than the network, and takes
# pale floors for dense fog. By decibels on landscapes and rooms, and by eye.
_PART, _THIN_PART, _FLAT_PART, _MOST_PART = 0.15, 0.6, 0.3, 0.65
_THIN = (0.28, 0.42)  # densest light
_TAKEN = (0.7, 0.95)  # of the estimate, below which the dark channel is not asked
_OMEGA = 0.95  # He et al.
_DARK_RADIUS, _DARK_EPSILON, _DARK_STEP, _DARK_LEAST = 20, 1e-3, 4, 0.05

# Smog under an open sky: hardly any contrast, dense, and much denser above than below.
_SMOG_CONTRAST, _SMOG_DENSEST, _SMOG_BELOW = (0.20, 0.26), (0.45, 0.60), (0.55, 0.68)
_AIR_SIDE, _AIR_RADIUS, _EDGE_RADIUS = 128, 8, 4  # where the air is looked at
# No neighbourhood comes out darker than the lesser of these: a part of its light, and a light; the
# second of each in smog.
_FLOOR_PART, _FLOOR = (0.4, 0.65), (0.15, 0.28)
_NOTHING_LEFT = 0.05  # of the light that is the fog's, by which is divided at least
_SKY_TOLERANCE = 0.03  # distance from the air within which nothing is hidden,
_SKY_WINDOW = 13  # in any of so many pixels a side: what is far has pixels of the air's light, too


def smoothstep(value: float, bounds: tuple[float, float]) -> float:
    """Hermite's 3x² − 2x³ between two bounds: 0 below them, 1 above."""
    low, high = bounds
    x = min(1.0, max(0.0, (value - low) / (high - low)))
    return x * x * (3 - 2 * x)


def fog_fraction(
    fog: Fog, bounds: tuple[float, float] = (_NO_FOG, _SURE_FOG), grey: float = _NEARLY_GREY
) -> float:
    """How much of an estimate is taken for fog, 0 to 1.

    Args:
        fog: the estimate.
        bounds: see `smoothstep`, of the light where there is most fog.
        grey: colour of the air light, in parts of its light, from which on it is doubted. Thin fog
            is nearly grey; a thin veil with a colour is mostly a blue sky, or evening light.
    """
    return smoothstep(_densest(fog, grey), bounds)


def _densest(fog: Fog, grey: float) -> float:
    """The fog's part of the light where there is most of it, less what is doubted."""
    opacity = 1 - fog.transmission
    mean = (fog.air * opacity).mean((0, 2, 3)) / opacity.mean().clamp_min(1e-6)
    chroma = float((mean.amax() - mean.amin()) / mean.amax().clamp_min(1e-6))
    return float(opacity.quantile(_DENSEST)) - max(0.0, chroma - grey)


@dataclass(frozen=True)
class _Signs:
    """What is seen of a fog as a whole, each 0 to 1.

    Args:
        fraction: of the network's estimate that is taken.
        prior: the dark channel's part in the optical depth.
        smog: how much it looks like smog under an open sky.
    """

    fraction: float
    prior: float
    smog: float


def look_smaller(estimate: Estimator, image: Tensor) -> Fog:
    """An estimate in a smaller picture, and in its mirror image; the mean of the two optical
    depths, with the edges of the larger picture.

    The second design was trained on pictures of about this size, where it sees the whole of a room
    at once.

    Args:
        estimate: the network's.
        image: (1, 3, H, W) in [0, 1], of at most 512 pixels or so.
    """
    height, width = image.shape[-2:]
    side = min(_SIDE, max(height, width))
    small = resize(image, fit(height, width, side))
    found = estimate(torch.cat([small, small.flip(-1)]))
    depth, air = ((x[:1] + x[1:].flip(-1)) / 2 for x in (found.transmission.log(), found.air))
    fog = Fog(depth.exp(), air.clamp_max(1))  # the network may say a little more
    signs = _read_signs(small, fog)
    if signs.fraction == 0:
        return _enlarge(image, Fog(torch.ones_like(fog.transmission), fog.air))
    transmission = _ask_prior(small, fog, signs.prior)
    transmission = 1 - (1 - transmission) * signs.fraction
    transmission = guided_filter(small, transmission, radius=_WIDE_RADIUS, epsilon=EPSILON)
    fog = Fog(transmission.clamp(_LEAST, 1), fog.air)
    return _settle_air(image, _enlarge(image, fog), signs.smog)


def _enlarge(image: Tensor, fog: Fog) -> Fog:
    """The fog at the picture's size, along its edges."""
    transmission, size = fog.transmission, image.shape[-2:]
    if transmission.shape[-2:] != size:
        larger = guided_upsample(image, transmission, radius=_RADIUS, epsilon=EPSILON)
        transmission = larger.clamp(float(transmission.min()), 1)
    return Fog(transmission, F.interpolate(fog.air, size, mode="bilinear"))


def _read_signs(image: Tensor, fog: Fog) -> _Signs:
    opacity, contrast = 1 - fog.transmission, _contrast_in_light(image)
    densest = float(opacity.quantile(_DENSEST))
    seen = _densest(fog, _NEARLY_GREY_SEEN)
    hazy = (1 - smoothstep(contrast, _HAZY_CONTRAST)) * smoothstep(seen, _SEEN_AT_ALL)
    fraction = max(smoothstep(seen, _BOUNDS), hazy)
    flat = 1 - smoothstep(contrast, _SMOG_CONTRAST)
    thin = 1 - smoothstep(densest, _THIN)
    prior = _PART + _THIN_PART * thin
    prior += _FLAT_PART * flat * (1 - smoothstep(densest, _SMOG_DENSEST))
    third = max(1, opacity.shape[-2] // 3)
    above, below = opacity[..., :third, :].mean(), opacity[..., -third:, :].mean()
    open_sky = 1 - smoothstep(float(below / above.clamp_min(1e-6)), _SMOG_BELOW)
    smog = flat * smoothstep(densest, _SMOG_DENSEST) * open_sky
    return _Signs(fraction, min(prior, _MOST_PART) * smoothstep(fraction, _TAKEN), smog)


def _contrast_in_light(image: Tensor) -> float:
    """How much lightness differs within small windows, where the picture is light but no sky."""
    grey, dark, half = image.mean(1, keepdim=True), dark_channel(image, _WINDOW), _WINDOW // 2
    spread = F.max_pool2d(grey, _WINDOW, 1, half) + F.max_pool2d(-grey, _WINDOW, 1, half)
    part = dark / dark.quantile(0.99).clamp_min(1e-6)
    there = (part >= _MIDDLE[0]) & (part < _MIDDLE[1])
    if int(there.sum()) <= _FEWEST:
        return 1.0
    return float(spread[there].quantile(_CONTRAST_QUANTILE))


def _ask_prior(image: Tensor, fog: Fog, part: float) -> Tensor:
    """The transmission, of which a part of the optical depth is the dark channel's, by the
    network's air light."""
    dark = dark_channel(image / fog.air.clamp_min(_NOTHING_LEFT), _WINDOW).clamp(0, 1)
    coarse = raise_sky_transmission(image, 1 - _OMEGA * dark, fog.air)
    prior = guided_filter(
        image, coarse, radius=_DARK_RADIUS, epsilon=_DARK_EPSILON, subsample=_DARK_STEP
    ).clamp(_DARK_LEAST, 1)
    return torch.exp((1 - part) * fog.transmission.log() + part * prior.log())


def _settle_air(image: Tensor, fog: Fog, smog: float) -> Fog:
    """The air light, darker where a neighbourhood would come out too dark with it.

    Towards the sun smog is light, elsewhere it is not: with one air light for all, the sky on the
    other side, and what is below it, would be night. From J = (I − A)/t + A follows the A for which
    a neighbourhood has a certain light. A sky in smog is its own air light, so that it stays as it
    is: what lies between the two, many times over, would be bands.
    """
    height, width = image.shape[-2:]
    size = fit(height, width, min(_AIR_SIDE, max(height, width)))
    grey, transmission, air = (
        F.interpolate(x, size, mode="area")
        for x in (image.mean(1, keepdim=True), fog.transmission, fog.air.mean(1, keepdim=True))
    )
    light, through = _blur(grey, _AIR_RADIUS), _blur(transmission, _AIR_RADIUS)
    part, level = (low + (high - low) * smog for low, high in (_FLOOR_PART, _FLOOR))
    floor = (part * light).clamp_max(level)
    lightest = (light - floor * through) / (1 - through).clamp_min(_NOTHING_LEFT)
    ratio = (lightest / air.clamp_min(_NOTHING_LEFT)).clamp(0, 1)
    if smog > 0:
        sky = F.interpolate(segment_sky(image), size, mode="area")
        own = light / air.clamp_min(_NOTHING_LEFT)
        ratio = ratio + smog * _blur(sky, _EDGE_RADIUS) * (own - ratio)
    ratio = _blur(ratio, _EDGE_RADIUS)
    settled = fog.air * F.interpolate(ratio, (height, width), mode="bilinear")
    apart = (image - settled).abs().mean(1, keepdim=True)
    apart = F.max_pool2d(apart, _SKY_WINDOW, 1, _SKY_WINDOW // 2).clamp_min(1e-6)
    raised = (fog.transmission * (_SKY_TOLERANCE / apart).clamp_min(1)).clamp_max(1)
    return Fog(fog.transmission + smog * (raised - fog.transmission), settled)


def _blur(image: Tensor, radius: int) -> Tensor:
    return box_filter(box_filter(image, radius), radius)
