"""What stands on the ground: conifers by the thousand, grass with flowers in it. By eye."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.pixels.scenes.frame import Frame, Painting, colour, mix, smoothstep
from belamy.pixels.scenes.mountains import FOCAL, NEAR, Ground, Surface, fog, haze
from belamy.pixels.scenes.noise import Field

_TREES, _SHAPES = 2600, 8
_PIXELS_PER_TREE, _PIXELS_PER_STRIP = 24, 3  # small pictures show fewer
_TREE_PIXELS = 160  # height of the drawing that all trees are scaled from
_TREE_HEIGHT, _TREE_SPREAD = 0.09, 0.13
_TREE_LIGHT = colour(1.2, 1.1, 0.9)

_STRIPS = 88  # of the meadow, from far to near
_GRASS_FROM = 1.9  # depth
_BLADE_HEIGHT, _BLADE_WIDTH = 0.030, 0.0042
_BLADES = 4096  # different ones
_YELLOW, _WHITE, _RED = colour(1.0, 0.85, 0.2), colour(0.96, 0.95, 0.98), colour(0.85, 0.25, 0.35)


def plant_trees(
    painting: Painting, frame: Frame, field: Field, seen: Surface, dense: Tensor
) -> None:
    """Paint conifers where they grow (`dense`, (H, W)), the farthest first."""
    # A tree far away covers few pixels, so that a forest needs more of them there.
    weight = (dense * seen.depth.clamp(max=20) ** 1.4).flatten().double().cumsum(0)
    if float(weight[-1]) <= 0:
        return
    lots = field.numbers("trees", _TREES, 2)[: 1 + len(weight) // _PIXELS_PER_TREE]
    places = torch.searchsorted(weight, lots[:, 0].double() * weight[-1]).clamp(max=len(weight) - 1)
    depths = seen.depth.flatten()[places]
    light = 0.42 + 0.75 * seen.sunlit.flatten()[places]
    air, thick = haze(frame).flatten(1)[:, places], fog(seen).flatten()[places]
    shapes = [_conifer(field, index) for index in range(_SHAPES)]
    for tree in depths.argsort(descending=True).tolist():
        tall = _TREE_HEIGHT + _TREE_SPREAD * float(lots[tree, 1]) ** 1.5
        sprite = _scale(shapes[tree % _SHAPES], FOCAL * tall / float(depths[tree]) * frame.height)
        sprite[:3] = mix(
            sprite[:3] * light[tree] * _TREE_LIGHT, air[:, tree].reshape(3, 1, 1), thick[tree]
        )
        row, column = divmod(int(places[tree]), frame.width)
        _stamp(painting, sprite, row, column, seen.depth > 0.97 * float(depths[tree]))


def _scale(shape: Tensor, height: float) -> Tensor:
    size = max(2, round(height)), max(2, round(height * 0.42))
    return F.interpolate(shape[None], size=size, mode="area")[0]


def _stamp(painting: Painting, sprite: Tensor, row: int, column: int, behind: Tensor) -> None:
    """Paint a sprite (4, h, w), its foot at (row, column), over what is `behind` it, (H, W)."""
    height, width = sprite.shape[1:]
    top, left = row - height + 1, column - width // 2
    rows = slice(max(top, 0), min(top + height, behind.shape[0]))
    columns = slice(max(left, 0), min(left + width, behind.shape[1]))
    part = sprite[:, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    painting.lay(rows, columns, part[:3], part[3] * behind[rows, columns])


def _conifer(field: Field, index: int) -> Tensor:
    """A spruce (4, h, w): colours and alpha; lit from the left."""
    frame = Frame.of(_TREE_PIXELS, _TREE_PIXELS // 2)
    field = field.at_resolution(frame.pixel)
    down, side = frame.y, frame.x * 4 - 1  # the crown is 1 wide to either side
    tier = (down * (9 + index % 3) + 0.15 * field.fractal(side + index * 7, down, 2, 3)) % 1
    twigs = field.fractal(side * 0.5 + index * 13, down, 9, 4)
    reach = 0.92 * down**0.85 * (0.55 + 0.45 * tier) * (1 + 0.45 * twigs) + 0.02
    crown = smoothstep(0.06, -0.06, side.abs() - reach) * smoothstep(0.97, 0.94, down)
    trunk = smoothstep(0.07, 0.03, side.abs()) * smoothstep(0.9, 0.92, down)
    light = (0.55 - 0.44 * side / reach.clamp(min=0.1)) * (0.35 + 0.75 * tier) * (0.8 + 0.5 * twigs)
    needles = mix(colour(0.015, 0.045, 0.03), colour(0.24, 0.33, 0.11), light.clamp(0, 1))
    wood = colour(0.12, 0.08, 0.06)
    return torch.cat([mix(needles, wood, trunk * (1 - crown)), torch.maximum(crown, trunk)[None]])


def sow_grass(painting: Painting, frame: Frame, field: Field, ground: Ground) -> None:
    """Paint the meadow: strips of blades across the picture, each before the last."""
    blades = field.numbers("blades", _BLADES, 4)
    strips = min(_STRIPS, frame.height // _PIXELS_PER_STRIP)
    farthest, nearest = 1 / _GRASS_FROM, 1 / (NEAR * 1.06)
    for index in range(strips):
        # Nearly even in 1 / depth, so that the strips are nearly even on the screen.
        fraction = (index / (strips - 1)) ** 1.35
        depth = 1 / (farthest + (nearest - farthest) * fraction)
        _sow_strip(painting, _strip(frame, field, ground, depth), blades, index)


@dataclass(frozen=True)
class _Strip:
    """A line across the meadow: each tensor is (W,), but for `up`.

    Args:
        rows: of the picture, that the blades reach.
        across: where, along X.
        up: (h, W) height within a blade: 0 at its foot, 1 where the tallest ends.
        ratio: height of the tallest blade over its width.
        grows: whether there is grass, and it can be seen.
        sunny: light, 0 to 1.
        hue: from green to straw, 0 to 1.
        blossom: share of blades that are flowers.
    """

    rows: slice
    across: Tensor
    up: Tensor
    ratio: Tensor
    grows: Tensor
    sunny: Tensor
    hue: Tensor
    blossom: Tensor


def _strip(frame: Frame, field: Field, ground: Ground, depth: float) -> _Strip:
    row = ground.row_at(depth)
    foot = ground.screen[row]
    grows = (foot <= ground.skyline[row] + 0.004) & (ground.height[row] > 0.006)
    across = (frame.x[0] - frame.aspect / 2) * depth / FOCAL
    along = torch.full_like(across, depth)
    patch = field.fractal(across, along, 1.2, 4)
    tall = FOCAL * _BLADE_HEIGHT / depth * (0.75 + 0.5 * patch).clamp(min=0.25)
    top = float((foot - 1.1 * tall * grows).min()) * frame.height
    rows = slice(max(0, int(top)), min(frame.height, int(float(foot.max()) * frame.height) + 2))
    return _Strip(
        rows=rows,
        across=across,
        up=(foot - frame.y[rows]) / tall,
        ratio=tall * depth / (FOCAL * _BLADE_WIDTH),
        grows=grows,
        sunny=0.35 + 0.65 * ground.sunlit[row],
        hue=0.9 * field.fractal(across + 40, along, 0.9, 4) + 0.18,
        blossom=0.015 + 0.1 * smoothstep(0, 0.5, field.fractal(across + 70, along, 1.6, 4)),
    )


def _sow_strip(painting: Painting, strip: _Strip, blades: Tensor, index: int) -> None:
    for lean in (-0.7, 0.9):
        # Blades bend with the square of their height, half of them to either side.
        place = strip.across / _BLADE_WIDTH + lean * strip.up.clamp(-1, 2) ** 2 + 997 * lean * index
        blade = blades[(place.floor().long() * 7 + index * 131) % len(blades)].movedim(-1, 0)
        aside = (place - place.floor() - 0.5).abs() * 2  # 0 on a blade's middle, 1 at its edge
        reach = 0.45 + 0.55 * blade[0]
        green = smoothstep(-0.04, 0.1, reach * (1 - aside**1.6) - strip.up) * (strip.up > -0.25)
        flower = torch.hypot((strip.up - 0.9 * reach) * strip.ratio, aside / 2)
        flower = smoothstep(0.52, 0.36, flower) * (blade[3] > 1 - strip.blossom)
        paint = mix(_leaf(strip, blade), _petals(blade[1]) * (0.5 + 0.5 * strip.sunny), flower)
        alpha = torch.maximum(green, flower) * strip.grows
        painting.lay(strip.rows, slice(None), paint, alpha)


def _leaf(strip: _Strip, blade: Tensor) -> Tensor:
    """Colours of the blades (3, h, W): dark at the foot, where their neighbours shade them."""
    hue = (0.4 * blade[2] + strip.hue).clamp(0, 1)
    light = (0.34 + 0.8 * strip.up.clamp(0, 1)) * (0.7 + 0.5 * blade[1]) * strip.sunny
    leaf = mix(colour(0.19, 0.36, 0.07), colour(0.70, 0.68, 0.24), hue)
    return leaf * light * colour(1.25, 1.12, 0.85)


def _petals(lot: Tensor) -> Tensor:
    return torch.where(lot > 0.6, _YELLOW, torch.where(lot > 0.3, _WHITE, _RED))
