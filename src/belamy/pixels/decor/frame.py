"""A plain gilt frame around a picture: carved, gilded and lit by arithmetic.

The moulding is one curve, the height of the wood from the outer edge to the picture, run along the
four sides and mitred at the corners. It is gilded as frames are: red bole under leaf, the leaf laid
sheet by sheet, rubbed through on the ridges, darkened where dust settles. Light comes from the
upper left, as in most rooms with most pictures; gold is a mirror, so that what is seen on it is
mainly the room: a bright window, a dim ceiling, the floor.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.pixels.scenes.frame import mix, smoothstep
from belamy.pixels.scenes.noise import Field

__all__ = ["add_frame", "frame_width"]

# All by eye, but for the colour of gold, which is its measured reflectance.
_WIDTH = 0.17  # of the picture's longer side
_NARROWEST = 8  # pixels, in which the profile can still be made out
_DEPTH = 0.42  # height of the moulding over its width
_SHADOW = 0.16  # depth of the shadow on the picture over the width of the moulding
_SAMPLES = 4096  # of the profile
_GOLD = (1.0, 0.595, 0.172)  # linear; a little redder than the metal, since bole shines through
_BOLE = (0.17, 0.048, 0.022)  # the red clay under the leaf, linear
_DUST = (0.030, 0.021, 0.012)
_WINDOW = (-0.52, -0.62, 0.59)  # where the light comes from: x to the right, y down, z to us

# The profile as a carver would read it: (where it ends, from the outer edge; height there; how it
# gets there). "cove" is hollow, "round" swells, "step" is a straight cut.
_PROFILE = (
    (0.030, 0.55, "step"),
    (0.150, 0.62, "torus"),
    (0.175, 0.50, "step"),
    (0.205, 0.92, "step"),
    (0.250, 1.00, "round"),
    (0.620, 0.34, "cove"),
    (0.645, 0.44, "step"),
    (0.700, 0.44, "torus"),
    (0.722, 0.30, "step"),
    (0.800, 0.27, "line"),
    (0.815, 0.36, "step"),
    (0.925, 0.36, "torus"),
    (0.945, 0.20, "step"),
    (1.000, 0.05, "line"),
)
_SWELL = 0.42  # height of a torus over its width: a little flatter than a half-round


def frame_width(height: int, width: int) -> int:
    """Pixels of moulding on each side of a picture of this size."""
    return max(_NARROWEST, round(_WIDTH * max(height, width)))


def add_frame(image: Tensor, *, seed: int = 0) -> Tensor:
    """Put a gilt frame around a picture.

    Args:
        image: (N, 3, H, W), sRGB in [0, 1], at its final size.
        seed: of leaves, wear and dust; pictures of one size share a frame.

    Returns:
        (N, 3, H + 2 w, W + 2 w) with w = `frame_width(H, W)`; the picture itself is all there, in
        the shadow of the moulding at its upper and left edges.
    """
    height, width = image.shape[-2:]
    border = frame_width(height, width)
    whole = (
        _render_moulding(height, width, border, seed)
        .to(image)
        .expand(len(image), -1, -1, -1)
        .clone()
    )
    shaded = image * _shadow(height, width, border).to(image)
    whole[:, :, border : border + height, border : border + width] = shaded
    return whole


def _shadow(height: int, width: int, border: int) -> Tensor:
    """(H, W): what the moulding leaves of the light that falls on the picture."""
    reach = max(1.0, _SHADOW * border)
    down = smoothstep(-0.3, 1, (torch.arange(height) + 0.5) / reach)[:, None]
    right = smoothstep(-0.3, 1, (torch.arange(width) + 0.5) / reach)
    beyond = smoothstep(-0.3, 0.4, (width - torch.arange(width) - 0.5) / reach)
    below = smoothstep(-0.3, 0.4, (height - torch.arange(height) - 0.5) / reach)[:, None]
    return (0.30 + 0.70 * down * right) * (0.75 + 0.25 * beyond * below)


@functools.lru_cache(maxsize=4)
def _render_moulding(height: int, width: int, border: int, seed: int) -> Tensor:
    """(1, 3, H + 2 w, W + 2 w): the frame, drawn finer than it is shown; nothing in its middle."""
    finer = 3 if border < 64 else 2
    field = Field.from_seed(seed, "gilt frame", 1 / (finer * border))
    strips = _Strips(finer * height, finer * width, finer * border, field)
    total = height + 2 * border, width + 2 * border
    canvas = torch.zeros(1, 3, finer * total[0], finer * total[1])
    for rows, columns in strips.spans():
        canvas[0, :, rows, columns] = strips.render(rows, columns)
    light = F.avg_pool2d(canvas, finer)
    return 1.055 * (1 - (-2.0 * light).exp()).clamp_min(1e-6) ** (1 / 2.4) - 0.055


@dataclass(frozen=True)
class _Strips:
    """A frame around height × width pixels, drawn a strip at a time.

    Args:
        height, width, border: in pixels.
        field: of everything that is not regular.
    """

    height: int
    width: int
    border: int
    field: Field

    def spans(self) -> list[tuple[slice, slice]]:
        """Rows and columns of the four sides, the upper and lower ones with the corners."""
        edge, low, far = self.border, self.border + self.height, self.border + self.width
        across = slice(0, far + edge)
        return [
            (slice(0, edge), across),
            (slice(low, low + edge), across),
            (slice(edge, low), slice(0, edge)),
            (slice(edge, low), slice(far, far + edge)),
        ]

    def render(self, rows: slice, columns: slice) -> Tensor:
        """(3, h, w), linear light."""
        y = (torch.arange(rows.start, rows.stop) + 0.5)[:, None] / self.border
        x = (torch.arange(columns.start, columns.stop) + 0.5) / self.border
        y, x = y.expand(-1, len(x)), x.expand(len(y), -1)
        bottom = (self.height + 2 * self.border) / self.border - y
        right = (self.width + 2 * self.border) / self.border - x
        # the nearest edge says which side this is: left, top, right, bottom
        edges = torch.stack([x, y, right, bottom])
        nearest, side = edges.min(0)
        mitre = edges.topk(2, dim=0, largest=False).values.diff(dim=0)[0]
        upright = side % 2 == 0
        along = torch.where(upright, y, x) + side * 37.0  # no side has another's wear
        return _gild(_Wood(nearest.clamp(0, 1), along, side, mitre), self.field)


@dataclass(frozen=True)
class _Wood:
    """Places on the moulding, all (h, w), in widths of the moulding.

    Args:
        across: from the outer edge, 0, to the picture, 1.
        along: the side.
        side: 0 to 3: left, top, right, bottom.
        mitre: how far the corner's joint is.
    """

    across: Tensor
    along: Tensor
    side: Tensor
    mitre: Tensor


def _gild(wood: _Wood, field: Field) -> Tensor:
    """(3, h, w) linear light."""
    profile = _profile()
    place = (wood.across * (_SAMPLES - 1)).long()
    lit_from_outside = wood.side < 2
    light = torch.where(lit_from_outside, profile.from_outside[place], profile.from_inside[place])
    normal = _normal(wood, profile.slope[place], field)
    window = torch.tensor(_WINDOW)[:, None, None]
    facing = (normal * window).sum(0).clamp_min(0)
    rough = field.fractal(wood.along * 9, wood.across * 9, 1.0, 5)
    streaks = field.fractal(wood.along * 1.3, wood.across * 42, 1.0, 2)
    leaf = _leaves(wood, field) * (1 + 0.10 * streaks + 0.10 * rough)
    open_sky = profile.openness[place]
    mirrored = (_room(normal, light, open_sky) * leaf).clamp_min(0)
    # light that goes from gold to gold, in hollows, is coloured twice
    tint = torch.tensor(_GOLD)[:, None, None] ** (1.0 + 0.5 * (1 - open_sky))
    gold = tint * mirrored
    bole = torch.tensor(_BOLE)[:, None, None] * (0.45 + 2.2 * facing * light)
    worn = _wear(wood, profile.ridge[place], field, rough)
    colours = mix(gold, bole, worn)
    dust = (1 - open_sky) * (0.75 + 0.5 * rough) + 0.10 * smoothstep(0.1, 0.9, rough)
    colours = mix(colours, torch.tensor(_DUST)[:, None, None], dust.clamp(0, 0.85))
    return colours * _joints(wood, field)


def _normal(wood: _Wood, slope: Tensor, field: Field) -> Tensor:
    """(3, h, w) unit vectors: x to the right, y down, z towards us."""
    inward = torch.tensor([(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)])
    directions = inward[wood.side]  # (h, w, 2)
    tilt = -_DEPTH * slope
    x, y = tilt * directions[..., 0], tilt * directions[..., 1]
    # gesso is smoothed by hand
    x = x + 0.045 * field.fractal(wood.along * 3, wood.across * 7, 1.0, 3)
    y = y + 0.045 * field.fractal(wood.along * 3 + 50, wood.across * 7, 1.0, 3)
    return F.normalize(torch.stack([x, y, torch.ones_like(x)]), dim=0)


def _room(normal: Tensor, light: Tensor, open_sky: Tensor) -> Tensor:
    """(h, w): how bright is the part of the room that gold which is not quite smooth mirrors."""
    x, y, z = normal
    mirrored = torch.stack([2 * z * x, 2 * z * y, 2 * z * z - 1])
    window = (mirrored * torch.tensor(_WINDOW)[:, None, None]).sum(0).clamp(0, 1)
    ceiling = (0.5 - 0.5 * mirrored[1]).clamp_min(0)  # below 0 by a rounding, where it looks down
    floor = (0.55 * mirrored[1] + 0.35 * mirrored[0]).clamp_min(0)
    glow = 0.58 * window**4 + 1.9 * window**20
    return light * glow + open_sky * (0.030 + 0.115 * ceiling**1.5 + 0.10 * floor)


def _leaves(wood: _Wood, field: Field) -> Tensor:
    """(h, w) around 1: leaves of gold, each a little different, brighter where two overlap."""
    position = wood.along / 0.9 + 0.05 * field.noise(wood.along, wood.across * 3)
    number = position.floor()
    tone = field.noise(number * 7.31 + 0.5, number * 3.17 + 0.25)
    lap = 1 - smoothstep(0, 0.035, position - number)
    return 1 + 0.24 * tone + 0.10 * lap


def _wear(wood: _Wood, ridge: Tensor, field: Field, rough: Tensor) -> Tensor:
    """(h, w), 0 to 1: where hands and cloths have rubbed through to the bole."""
    patches = field.fractal(wood.along * 0.8, wood.across * 2.0, 1.0, 6)
    return 0.8 * smoothstep(0.40, 1.10, ridge * (0.55 + 0.7 * patches) + 0.22 * rough)


def _joints(wood: _Wood, field: Field) -> Tensor:
    """(h, w): the dark line of each mitre, and hair cracks in the gesso across the sides."""
    wander = 0.010 * field.noise(wood.across * 6, wood.side * 5.5)
    mitre = smoothstep(0.004, 0.022, (wood.mitre + wander).abs())
    number = (wood.along / 1.7).floor()
    where = field.noise(number * 5.1 + 0.5, number * 2.3 + 0.5) * 1.1 + 0.85
    crack = (wood.along - number * 1.7 - where).abs()
    crack = crack + 0.02 * field.fractal(wood.across * 4, number * 1.9, 1.0, 4)
    ends = smoothstep(0.05, 0.4, field.noise(number * 3.3, wood.across * 1.5 + number))
    line = 1 - (1 - smoothstep(0.0, 0.009, crack.abs())) * ends * 0.35
    return (0.60 + 0.40 * mitre) * line


@dataclass(frozen=True)
class _Profile:
    """The moulding across, all (_SAMPLES,).

    Args:
        slope: of its height.
        openness: how much of the room each place sees; 1 on top, less in grooves.
        ridge: how much it stands out, 0 to 1.
        from_outside, from_inside: what light arrives when it comes over the outer or inner edge.
    """

    slope: Tensor
    openness: Tensor
    ridge: Tensor
    from_outside: Tensor
    from_inside: Tensor


@functools.lru_cache(maxsize=1)
def _profile() -> _Profile:
    height = _smooth(_heights(), 0.004)
    slope = torch.gradient(height, spacing=1 / _SAMPLES)[0].clamp(-9, 9)
    above = _smooth(height, 0.05) - height  # how far it lies below what is around it
    flat = math.hypot(_WINDOW[0], _WINDOW[1])
    rise = (
        _WINDOW[2] / flat / _DEPTH * 0.72
    )  # steps of height for one of the way; sides see it askew
    return _Profile(
        slope=slope,
        openness=(1 - 3.4 * above.clamp_min(0)).clamp(0.25, 1),
        ridge=smoothstep(0.015, 0.12, -above),
        from_outside=_smooth(_cast_light(height, rise), 0.006),
        from_inside=_smooth(_cast_light(height.flip(0), rise).flip(0), 0.006),
    )


def _heights() -> Tensor:
    """(_SAMPLES,): the profile read into numbers."""
    t = (torch.arange(_SAMPLES) + 0.5) / _SAMPLES
    height, start, before = torch.zeros(_SAMPLES), 0.0, 0.0
    for end, after, kind in _PROFILE:
        inside = (t >= start) & (t < end)
        u = (t[inside] - start) / (end - start)
        height[inside] = _CURVES[kind](u, before, after, end - start)
        start, before = end, after
    return height


def _torus(u: Tensor, before: float, after: float, width: float) -> Tensor:
    swell = _SWELL * width / _DEPTH * (1 - (2 * u - 1) ** 2).clamp_min(0).sqrt()
    return before + (after - before) * u + swell


_CURVES = {
    "line": lambda u, before, after, width: before + (after - before) * u,
    "step": lambda u, before, after, width: before + (after - before) * smoothstep(0, 1, u),
    "round": lambda u, before, after, width: before + (after - before) * (1 - (1 - u) ** 2).sqrt(),
    "cove": lambda u, before, after, width: after + (before - after) * (1 - u) ** 2.2,
    "torus": _torus,
}


def _cast_light(height: Tensor, rise: float) -> Tensor:
    """(_SAMPLES,): 1 where light over the first edge arrives, 0 in the shadow of what is higher."""
    t = torch.arange(_SAMPLES) / _SAMPLES
    line = height + rise * t  # a ray falls by `rise`: who is lower than the highest so far is dark
    highest = line.cummax(0).values
    return 1 - smoothstep(0.0, 0.10, highest - line)


def _smooth(curve: Tensor, width: float) -> Tensor:
    """By a Gaussian of this standard deviation; the ends are held."""
    reach = int(3 * width * _SAMPLES)
    x = torch.arange(-reach, reach + 1) / (width * _SAMPLES)
    kernel = (-0.5 * x * x).exp()
    padded = F.pad(curve[None, None], (reach, reach), mode="replicate")
    return F.conv1d(padded, (kernel / kernel.sum())[None, None])[0, 0]
