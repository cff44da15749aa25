"""Procedural pictures, so that a demonstration needs no photo.

Each has detail at all scales, which is what a dream takes hold of, and the same composition at
every size. They depend on their seed alone.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from belamy.pixels.scenes import fruit, meadow, mountains
from belamy.pixels.scenes.frame import Frame, Painting, colour, frame_for, mix
from belamy.pixels.scenes.noise import Field
from belamy.pixels.scenes.sky import Bank, add_cirrus, add_clouds

_FAIR_WEATHER = (
    Bank(base=1.0, size=0.13, count=9, haze=0.42),
    Bank(base=0.90, size=0.27, count=4, haze=0.20),
    Bank(base=0.76, size=0.56, count=2, haze=0.0),
)
_EVENING = (
    Bank(base=0.37, size=0.10, count=6, haze=0.42),
    Bank(base=0.27, size=0.26, count=3, haze=0.12),
)


def clouds(height: int, width: int, seed: int = 0) -> Tensor:
    """Cumulus in the afternoon, cirrus above it.

    Args:
        height, width: in pixels, 16 at least.
        seed: which clouds.

    Returns:
        (1, 3, H, W) float32, sRGB, in [0, 1].

    Raises:
        OptionError: a side is too small.
    """
    frame = frame_for(height, width)
    field = Field.from_seed(seed, "clouds", frame.pixel)
    sky = mix(colour(0.08, 0.25, 0.58), colour(0.66, 0.81, 0.93), frame.y**1.1)
    sky = add_cirrus(sky, frame, field, strength=0.5)
    return add_clouds(sky, frame, field, _FAIR_WEATHER, sun=(-0.55, -0.83))[None].clamp(0, 1)


def landscape(height: int, width: int, seed: int = 0) -> Tensor:
    """A mountain lake behind a meadow, in the evening sun.

    Args:
        height, width: in pixels, 16 at least.
        seed: which mountains, clouds, trees and flowers.

    Returns:
        (1, 3, H, W) float32, sRGB, in [0, 1].

    Raises:
        OptionError: a side is too small.
    """
    frame = frame_for(height, width)
    relief, growth, water = (
        Field.from_seed(seed, name, frame.pixel) for name in ("relief", "growth", "water")
    )
    ground = mountains.survey(frame, relief)
    seen = mountains.surface(frame, relief, ground)
    dense = mountains.woods(seen, growth)
    land = mountains.paint(seen, dense, frame)
    picture = torch.where(seen.land, land, _evening_sky(frame, seed))
    painting = Painting(picture, torch.zeros(frame.size))
    meadow.plant_trees(painting, frame, growth, seen, dense)
    mirrored = mountains.lake(picture, frame, water)
    meadow.sow_grass(painting, frame, growth, ground)
    # The lake lies behind the trees and the grass on its shore.
    lake = mix(mirrored, picture, painting.cover)
    return torch.where(seen.water, lake, picture)[None].clamp(0, 1)


def still_life(height: int, width: int, seed: int = 0) -> Tensor:
    """Apples, oranges, plums and grapes on a wooden table, by a window.

    Args:
        height, width: in pixels, 16 at least.
        seed: which fruit lies where.

    Returns:
        (1, 3, H, W) float32, sRGB, in [0, 1].

    Raises:
        OptionError: a side is too small.
    """
    frame = frame_for(height, width)
    field = Field.from_seed(seed, "still life", frame.pixel)
    return fruit.table_with_fruit(frame, field)[None].clamp(0, 1)


def _evening_sky(frame: Frame, seed: int) -> Tensor:
    field = Field.from_seed(seed, "sky", frame.pixel)
    down = (frame.y / mountains.HORIZON).clamp(0, 1)
    sky = mix(colour(0.16, 0.37, 0.70), colour(0.90, 0.86, 0.78), down**2)
    sky = add_cirrus(sky, frame, field, strength=0.45)
    return add_clouds(sky, frame, field, _EVENING, sun=(-0.8, -0.6))


SCENES: dict[str, Callable[..., Tensor]] = {
    "clouds": clouds,
    "landscape": landscape,
    "still-life": still_life,
}
