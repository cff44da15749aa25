"""A valley of fractal mountains around a lake, seen from a meadow on its shore.

The terrain is a height for each (X, Z), X to the right and Z away from the eye, in lengths of which
the view's depth is 40. Along each column of pixels the ground is sampled from near to far; what
rises above all that lies before it is visible. Where a pixel's ray meets the ground, its slope and
height say what grows there, and the sun lights it. All numbers are by eye.

Source: F. K. Musgrave, C. E. Kolb, R. S. Mace, "The synthesis and rendering of eroded fractal
terrains", SIGGRAPH 1989.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.pixels.scenes.frame import Frame, colour, mix, smoothstep
from belamy.pixels.scenes.noise import Field

HORIZON = 0.5  # how far down the picture
EYE = 0.24  # height above the lake
FOCAL = 1.5
NEAR, FAR = 0.3, 40.0

_SUN = F.normalize(torch.tensor([-0.78, 0.50, -0.38]), dim=0)  # low, from the left, behind us
_SUN_SLOPE = 0.5  # how fast its rays rise towards the left
_ASIDE = 0.4  # ground beyond the left border, in widths, that may throw shadows in
_ROWS = 1.3  # samples along a ray, in heights of the picture
_BAND = 64  # samples drawn with one level of detail
_SHORE = 0.0015  # lower than this is water

_SUNLIGHT, _SKYLIGHT = colour(1.35, 1.16, 0.90), colour(0.33, 0.41, 0.54)
_COOL_HAZE, _WARM_HAZE = colour(0.60, 0.71, 0.85), colour(0.93, 0.87, 0.78)
_SNOW, _FOREST = colour(0.96, 0.97, 1.0), colour(0.05, 0.11, 0.05)


@dataclass(frozen=True)
class Ground:
    """The terrain on a fan of rays: rows go away from the eye, columns are those of the picture.

    Args:
        height: (K, W), below 0 under water.
        screen: (K, W) where it appears, in picture heights from the top.
        skyline: (K, W) the highest that anything up to there appears.
        sunlit: (K, W) 0 in shadow, 1 in the sun.
    """

    height: Tensor
    screen: Tensor
    skyline: Tensor
    sunlit: Tensor

    def row_at(self, depth: float) -> int:
        """The row nearest to a depth."""
        rows = len(self.height)
        return min(rows - 1, round(math.log(depth / NEAR) / math.log(FAR / NEAR) * (rows - 1)))


@dataclass(frozen=True)
class Surface:
    """What each pixel shows; every field is (H, W).

    Args:
        land: whether it is ground or water, not sky.
        water: whether it is water.
        depth, across: where, along Z and X.
        height, slope: of the ground; a slope of 1 is level, of 0 a wall.
        light: sunlight that the ground takes, 0 to 1.
        sunlit: sunlight that arrives there, 0 to 1.
        detail: fractal detail, about -1 to 1.
    """

    land: Tensor
    water: Tensor
    depth: Tensor
    across: Tensor
    height: Tensor
    slope: Tensor
    light: Tensor
    sunlit: Tensor
    detail: Tensor


def terrain(field: Field, x: Tensor, z: Tensor, pixel: float) -> Tensor:
    """The ground's height at (X, Z), with the detail that pixels of that size can show."""
    field = field.at_resolution(pixel)
    east = x + 0.35 * field.fractal(x + 3, z, 0.35, 3)
    north = z + 0.35 * field.fractal(x, z + 5, 0.35, 3)
    bend = 0.8 * torch.sin(north * 0.33 + 1)
    # How far up the side of the valley: 0 on its floor, where the lake is, 1 in the mountains.
    side = (east - bend).abs() + 0.6 * field.fractal(east, north, 0.45, 4)
    side = smoothstep(0.55, 3.6, side + (north - 8).clamp(min=0) * 0.45)
    peaks = (0.15 + 1.9 * field.ridges(east, north, 0.24) ** 1.6) * (
        0.55 + 0.75 * smoothstep(2, 13, z)
    )
    bank = 0.1 * smoothstep(0, 0.1, side) - 0.07
    rough = 0.07 * field.fractal(east, north, 0.9) * (0.3 + side)
    meadow = 0.13 * smoothstep(2.0, 0.7, z + 0.5 * field.fractal(east, north, 0.8, 4))
    height = bank + side * peaks + rough + meadow
    return mix(height, torch.full_like(height, 0.06), smoothstep(0.9, 0.4, z))  # room for the eye


def survey(frame: Frame, field: Field) -> Ground:
    """The terrain along the rays of every column of pixels."""
    rows = round(_ROWS * frame.height)
    depth = NEAR * (FAR / NEAR) ** (torch.arange(rows) / (rows - 1))
    margin = round(_ASIDE * frame.width)
    columns = (torch.arange(margin + frame.width) + 0.5 - margin) / frame.height
    across = (columns - frame.aspect / 2) * depth[:, None] / FOCAL
    height = torch.cat([
        terrain(field, x, z.expand_as(x), float(z[0]) * frame.pixel / FOCAL)
        for x, z in zip(
            torch.split(across, _BAND), torch.split(depth[:, None], _BAND), strict=True
        )
    ])  # fmt: skip
    surface = height.clamp(min=0)
    # A point is in shadow if, going left, the ground ever rises above the ray to the sun.
    ray = surface + _SUN_SLOPE * across
    hidden = (ray.cummax(1).values - ray) / (0.2 + 0.05 * depth[:, None])
    screen = HORIZON - FOCAL * (surface - EYE) / depth[:, None]
    screen, sunlit = screen[:, margin:], smoothstep(0.1, 0.0, hidden)[:, margin:]
    return Ground(height[:, margin:], screen, screen.cummin(0).values, sunlit)


def surface(frame: Frame, field: Field, ground: Ground) -> Surface:
    """Where the ray through each pixel meets the ground, and what it finds there."""
    rows = len(ground.height)
    # The first row whose skyline is as high as the pixel; between it and the one before lies it.
    heights = frame.y[:, 0].expand(frame.width, -1).contiguous()
    first = torch.searchsorted(-ground.skyline.T.contiguous(), -heights).T  # (H, W)
    after = first.clamp(1, rows - 1)
    low = ground.skyline.gather(0, after - 1)
    high = ground.screen.gather(0, after)
    row = after - 1 + ((low - frame.y) / (low - high).clamp(min=1e-6)).clamp(0, 1)
    depth = NEAR * (FAR / NEAR) ** (row / (rows - 1))
    across = (frame.x - frame.aspect / 2) * depth / FOCAL
    land = first < rows
    water = land & (at_rows(ground.height.clamp(min=0), row) <= _SHORE)
    fine, reach = 0.6 * frame.pixel, 1.5 * depth * frame.pixel / FOCAL
    height = terrain(field, across, depth, fine)
    east = (terrain(field, across + reach, depth, fine) - height) / reach
    north = (terrain(field, across, depth + reach, fine) - height) / reach
    slope = (east**2 + north**2 + 1).rsqrt()
    sunlit = at_rows(ground.sunlit, row)
    light = ((_SUN[1] - east * _SUN[0] - north * _SUN[2]) * slope).clamp(0, 1) * sunlit
    detail = field.at_resolution(fine).fractal(across + 50, depth + height * 3, 2)
    return Surface(land, water, depth, across, height, slope, light, sunlit, detail)


def at_rows(values: Tensor, row: Tensor) -> Tensor:
    """Values (K, W) looked up at fractional rows (H, W) of the same columns."""
    low = row.floor().clamp(0, len(values) - 2).long()
    return torch.lerp(values.gather(0, low), values.gather(0, low + 1), row - low)


def woods(seen: Surface, field: Field) -> Tensor:
    """How densely trees grow, 0 to 1: not on water, rocks, heights, nor in the meadow."""
    detail, slope = seen.detail, seen.slope + 0.1 * seen.detail
    height = seen.height + 0.1 * detail
    belt = smoothstep(0.06, 0.14, height) * smoothstep(1.1, 0.75, seen.height + 0.3 * detail)
    groves = smoothstep(-0.25, 0.1, field.fractal(seen.across + 3, seen.depth, 0.8, 4))
    dense = belt * groves * smoothstep(0.55, 0.75, slope) * smoothstep(1.9, 2.4, seen.depth)
    return dense * seen.land * ~seen.water


def paint(seen: Surface, dense: Tensor, frame: Frame) -> Tensor:
    """The ground (3, H, W): rock, grass, forest and snow, in the light, seen through the air."""
    tone, detail = (0.5 + 0.7 * seen.detail).clamp(0, 1), seen.detail
    layers = 1 + 0.06 * torch.sin(seen.height * 70 + 6 * detail)
    rock = mix(colour(0.33, 0.29, 0.27), colour(0.60, 0.54, 0.47), tone) * layers
    grass = mix(colour(0.13, 0.22, 0.05), colour(0.46, 0.50, 0.16), tone)
    green = smoothstep(0.70, 0.86, seen.slope + 0.12 * detail)
    green = green * smoothstep(1.2, 0.8, seen.height + 0.25 * detail)
    snow = smoothstep(1.0, 1.3, seen.height + 0.35 * detail)
    snow = snow * smoothstep(0.46, 0.64, seen.slope + 0.1 * detail)
    ground = mix(mix(mix(rock, grass, green), _FOREST, 0.8 * dense), _SNOW, snow)
    lit = ground * (seen.light * _SUNLIGHT + _SKYLIGHT * (0.55 + 0.45 * seen.slope))
    return mix(lit, haze(frame), fog(seen))


def fog(seen: Surface) -> Tensor:
    """How much of the colour of each pixel is the air's: (H, W), more with depth, less on high."""
    thin = torch.exp(-0.25 * seen.height.clamp(min=0))
    return 1 - torch.exp(-((seen.depth / 17) ** 1.3) * thin)


def haze(frame: Frame) -> Tensor:
    """The air's colour (3, H, W): warmer towards the sun."""
    return mix(_WARM_HAZE, _COOL_HAZE, smoothstep(0, 1, frame.x / frame.aspect))


def lake(picture: Tensor, frame: Frame, field: Field) -> Tensor:
    """The lake's surface (3, H, W) below the horizon: `picture` mirrored in ripples."""
    below = frame.y - HORIZON
    depth = FOCAL * EYE / below.clamp(min=1e-4)
    across = (frame.x - frame.aspect / 2) * depth
    ripples = field.fractal(across * 5, depth * 11, 1, 7)
    y = 2 * HORIZON - frame.y + 0.014 * ripples * (0.25 + 5 * below)
    x = frame.x + 0.004 * ripples
    grid = torch.stack([x / frame.aspect * 2 - 1, y.clamp(0, 1) * 2 - 1], -1)
    mirrored = F.grid_sample(picture[None], grid[None], padding_mode="border", align_corners=False)
    # Water mirrors more the flatter one looks at it.
    mirror = (0.3 + 0.7 * torch.exp(-4 * below)).clamp(0, 1)
    water = mix(colour(0.03, 0.11, 0.13), 0.9 * mirrored[0], mirror) * (1 + 0.12 * ripples)
    sparks = smoothstep(0.45, 0.8, field.fractal(across * 9, depth * 30, 1, 6))
    sparks = sparks * smoothstep(0.35, 0.0, frame.x / frame.aspect)
    return water + 0.25 * sparks * colour(1.0, 0.9, 0.7)
