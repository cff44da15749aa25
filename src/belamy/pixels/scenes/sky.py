"""Skies: banks of cumulus lit from a side, cirrus, and the blue behind them.

A cloud is a heap of puffs whose edge is broken up by fractal noise. What the eye reads as its
volume is light: at every point the cloud that lies towards the sun is added up, and dims it. All
numbers are by eye.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.pixels.scenes.frame import Frame, colour, mix, smoothstep
from belamy.pixels.scenes.noise import Field

_PUFFS = 22  # in a cloud
_SHADOW_SAMPLES = 12
_LIT, _SHADED = colour(1.0, 0.97, 0.925), colour(0.38, 0.455, 0.60)


@dataclass(frozen=True)
class Bank:
    """A row of clouds; lengths are shares of the picture's height.

    Args:
        base: how far down their flat side is.
        size: of one cloud.
        count: of clouds across the picture.
        haze: how much of the sky's colour lies before them, 0 to 1.
    """

    base: float
    size: float
    count: int
    haze: float


def add_clouds(
    sky: Tensor, frame: Frame, field: Field, banks: tuple[Bank, ...], sun: tuple[float, float]
) -> Tensor:
    """`sky` (3, H, W) behind banks of clouds, the farthest first; `sun` is where the light is."""
    for index, bank in enumerate(banks):
        thickness = _thickness(frame, field, bank, index)
        light = _light(thickness, sun, bank.size * frame.height)
        cloud = mix(mix(_SHADED, _LIT, light), sky, bank.haze)
        sky = mix(sky, cloud, 1 - torch.exp(-5.5 * thickness))
    return sky


def add_cirrus(sky: Tensor, frame: Frame, field: Field, strength: float) -> Tensor:
    """`sky` with streaks of ice drawn out by the wind, mostly in its upper half."""
    x, y = frame.x + 0.4 * frame.y, frame.y * 4
    bend = 0.25 * field.fractal(x, y, 0.8, 3)
    streaks = smoothstep(-0.1, 0.95, field.fractal(x * 1.1 + bend, y + bend, 1.2))
    veil = strength * streaks * smoothstep(0.75, 0.05, frame.y)
    return mix(sky, colour(0.94, 0.95, 0.96), veil)


def _thickness(frame: Frame, field: Field, bank: Bank, index: int) -> Tensor:
    """How much cloud a ray passes at each pixel: 0 to about 2."""
    # The heap itself is smooth, and 16 times quicker at a quarter of the size.
    small = Frame.of(max(1, frame.height // 4), max(1, frame.width // 4))
    heap = F.interpolate(
        _heap(small, field, bank, index)[None, None], size=frame.size, mode="bicubic"
    )[0, 0]
    x = frame.x + 0.05 * bank.size * field.fractal(frame.x + 9 * index, frame.y, 5 / bank.size, 3)
    y = frame.y + 0.05 * bank.size * field.fractal(frame.x + 31, frame.y + index, 5 / bank.size, 3)
    wisps = field.fractal(x + 3 * index, y, 3 / bank.size)
    heads = field.billows(x + 5 * index, y, 3.2 / bank.size)
    return F.softplus((heap * 5.2 + 0.4 * wisps + 1.05 * (heads - 0.42)) * 7) / 7


def _heap(frame: Frame, field: Field, bank: Bank, index: int) -> Tensor:
    """The distance inside of the nearest puff, in sizes: negative outside."""
    bend = [field.fractal(frame.x + 9 * i, frame.y + i, 1.2 / bank.size, 4) for i in (1, 4)]
    x, y = (at + 0.1 * bank.size * by for at, by in zip((frame.x, frame.y), bend, strict=True))
    inside = torch.full_like(x, -1.0)
    puffs = field.numbers(f"bank {index}", bank.count * (_PUFFS + 1), 3)
    for cloud, (place, *puff) in enumerate(puffs.reshape(bank.count, _PUFFS + 1, 3).tolist()):
        middle = (cloud + 0.2 + 0.6 * place[0]) * frame.aspect / bank.count
        base = bank.base + 0.08 * (place[1] - 0.5)
        for along, radius, up in puff:
            side = along * 2 - 1
            radius = bank.size * (0.12 + 0.15 * radius) * (1 - 0.6 * side * side)
            rise = radius / 2 + bank.size * 0.72 * up * (1 - side * side)
            across = x - middle - side * bank.size * 0.75
            distance = torch.hypot(across, (y - base + rise) * 1.1)
            inside = torch.maximum(inside, (radius - distance) / bank.size)
    return inside


def _light(thickness: Tensor, sun: tuple[float, float], size: float) -> Tensor:
    """Brightness of the cloud, 0 to 1: dimmed by what lies towards the sun. `size` in pixels."""
    solid, shade = thickness.clamp(max=1.6), torch.zeros_like(thickness)
    for sample in range(1, _SHADOW_SAMPLES + 1):
        reach = size * 0.038 * sample * (1 + 0.06 * sample)
        shade = shade + 0.085 * _shift(solid, sun[0] * reach, sun[1] * reach)
    # The same over a few pixels: relief, without which clouds look like cotton wool.
    reaches = [size * fraction for fraction in (0.012, 0.03, 0.06)]
    nearby = sum((_shift(thickness, sun[0] * r, sun[1] * r) for r in reaches), 0 * shade) / 3
    bright = 0.14 + 0.97 * torch.exp(-1.8 * shade) + 0.6 * (thickness - nearby)
    return bright.clamp(0, 1.1) ** 0.9


def _shift(values: Tensor, right: float, down: float) -> Tensor:
    """The values that lie so many pixels away, the border's repeated beyond it."""
    height, width = values.shape
    rows = (torch.arange(height) + round(down)).clamp(0, height - 1)
    columns = (torch.arange(width) + round(right)).clamp(0, width - 1)
    return values[rows][:, columns]
