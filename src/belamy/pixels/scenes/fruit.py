"""Fruit on a table, in the light of a window, after the old Dutch painters.

Every fruit is a ball with a skin of noise, so that rays meet it in closed form, and so that the
shade which one ball throws on another is a formula too. All numbers are by eye.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.pixels.scenes.frame import Frame, colour, mix, smoothstep
from belamy.pixels.scenes.noise import Field

_EYE = torch.tensor([0.0, 1.15, -3.6])
_DOWN = 0.20  # how far the eye looks down, as a slope
_ZOOM = 1.75
_WALL = 2.3  # Z of the wall behind
_WINDOW = F.normalize(torch.tensor([-0.75, 0.85, -0.50]), dim=0)
_SUNLIGHT, _AMBIENT = colour(1.30, 1.16, 0.95), colour(0.20, 0.21, 0.25)
_TRIES = 400  # places tried for each fruit
_HEAPED = 9  # fruit of which there are more lie in a heap
_HEAP = torch.tensor([0.6, 0.0, -0.8])
_SOFTNESS = 0.16  # of shadows: the window's width over its distance


@dataclass(frozen=True)
class Skin:
    """What a kind of fruit looks like.

    Args:
        radius: (least, most).
        count: how many are laid out.
        paint: normal (3, H, W), field, each fruit's own number (H, W) → colour (3, H, W).
        relief: height of its pores.
        gloss: strength and sharpness of the window's reflection.
    """

    radius: tuple[float, float]
    count: int
    paint: Callable[[Tensor, Field, Tensor], Tensor]
    relief: float
    gloss: tuple[float, float]


def _orange(normal: Tensor, field: Field, lot: Tensor) -> Tensor:
    blotches = field.fractal(normal[0] * 2 + 40 * lot, normal[1] * 2 + normal[2], 1, 5)
    return mix(colour(0.93, 0.42, 0.04), colour(1.0, 0.62, 0.10), smoothstep(-0.8, 0.8, blotches))


def _apple(normal: Tensor, field: Field, lot: Tensor) -> Tensor:
    around = torch.atan2(normal[2], normal[0]) * 2.2
    streaks = field.fractal(around * 3 + 40 * lot, normal[1] * 0.7, 1.5, 6)
    side = field.fractal(normal[0] + 9 * lot, normal[2] + normal[1] * 0.5, 0.7, 3)
    ripe = smoothstep(-0.7, 0.35, side + 0.45 * streaks - 0.5 * (normal[1] - 0.5).clamp(min=0))
    skin = mix(colour(0.78, 0.70, 0.22), colour(0.64, 0.05, 0.06), ripe)
    freckles = smoothstep(0.42, 0.6, field.noise(around * 14, normal[1] * 16 + 70 * lot))
    skin = mix(skin, colour(0.93, 0.80, 0.52), 0.5 * freckles)
    return mix(
        skin, colour(0.16, 0.11, 0.04), smoothstep(0.988, 0.997, normal[1])
    )  # its stalk's pit


def _plum(normal: Tensor, field: Field, lot: Tensor) -> Tensor:
    bloom = field.fractal(normal[0] * 2.2 + 40 * lot, normal[1] * 2.2 - normal[2], 1, 7)
    return mix(colour(0.16, 0.04, 0.15), colour(0.34, 0.34, 0.52), smoothstep(-0.5, 0.9, bloom))


def _grape(normal: Tensor, field: Field, lot: Tensor) -> Tensor:
    cloudy = field.fractal(normal[0] * 1.5 + 90 * lot, normal[1] * 1.5 + normal[2], 1, 6)
    ripe = mix(colour(0.38, 0.46, 0.10), colour(0.62, 0.60, 0.20), lot)
    return mix(ripe, colour(0.80, 0.80, 0.52), 0.6 * smoothstep(-0.2, 0.9, cloudy))


SKINS = (
    Skin((0.36, 0.42), 3, _apple, 0.004, (0.55, 50)),
    Skin((0.33, 0.38), 3, _orange, 0.030, (0.35, 22)),
    Skin((0.21, 0.25), 4, _plum, 0.004, (0.18, 14)),
    Skin((0.075, 0.095), 64, _grape, 0.002, (0.6, 80)),
)


@dataclass(frozen=True)
class Fruit:
    """What lies on the table, one row for each: centres (n, 3), the rest (n,)."""

    centres: Tensor
    radii: Tensor
    skins: Tensor
    lots: Tensor


def lay_out(field: Field) -> Fruit:
    """Fruit of every kind of `SKINS`, none within another; the small ones in a heap."""
    centres, radii = torch.zeros(0, 3), torch.zeros(0)
    skins, own = [], []
    for index, skin in enumerate(SKINS):
        for lots in field.numbers(f"fruit {index}", skin.count, _TRIES, 3):
            radius = skin.radius[0] + (skin.radius[1] - skin.radius[0]) * float(lots[0, 2])
            heap = skin.count > _HEAPED
            places = _heap_places(lots, radius) if heap else _table_places(lots, radius)
            free = torch.cdist(places, centres) > 0.97 * (radius + radii)
            places = places[free.all(1)]
            if len(places) == 0:
                continue
            # In a heap as low and as near to its middle as it can lie, otherwise anywhere.
            effort = 1.6 * places[:, 1] + (places - _HEAP).norm(dim=1) * heap
            centres = torch.cat([centres, places[effort.argmin() if heap else 0][None]])
            radii = torch.cat([radii, torch.tensor([radius])])
            skins.append(index)
            own.append(float(lots[1, 2]))
    return Fruit(centres, radii, torch.tensor(skins), torch.tensor(own))


def _table_places(lots: Tensor, radius: float) -> Tensor:
    across, away = -1.3 + 2.6 * lots[:, 0], -0.35 + 1.2 * lots[:, 1]
    return torch.stack([across, torch.full_like(across, radius), away], 1)


def _heap_places(lots: Tensor, radius: float) -> Tensor:
    across, away = 0.1 + 1.0 * lots[:, 0], -1.15 + 0.7 * lots[:, 1]
    return torch.stack([across, radius + 0.3 * lots[:, 2] ** 2, away], 1)


def table_with_fruit(frame: Frame, field: Field) -> Tensor:
    """The picture (3, H, W)."""
    fruit = lay_out(field)
    sight = _sight(frame)
    hit, which = _nearest(sight, fruit)
    on_table = -_EYE[1] / sight[1].clamp(max=-1e-4)
    on_wall = (_WALL - _EYE[2]) / sight[2]
    table = (which < 0) & (sight[1] < 0) & (on_table < on_wall)
    distance = torch.where(which >= 0, hit, torch.where(table, on_table, on_wall))
    place = _EYE.reshape(3, 1, 1) + distance * sight
    ball = (place - fruit.centres[which].movedim(-1, 0)) / fruit.radii[which]
    flat = torch.where(table, colour(0.0, 1.0, 0.0), colour(0.0, 0.0, -1.0))
    normal = torch.where(which >= 0, ball, flat)
    paint, relief, strength, sharpness = _skins(normal, which, fruit, field)
    wood, plaster = _wood(place, field), _plaster(place, field)
    paint = torch.where(which >= 0, paint, torch.where(table, wood, plaster))
    normal = _roughen(normal, relief, field)
    sun, sky = _light(place, normal, which, fruit)
    glint = (sight - 2 * (sight * normal).sum(0) * normal) * _WINDOW.reshape(3, 1, 1)
    glint = strength * glint.sum(0).clamp(min=0) ** sharpness
    facing = (normal * _WINDOW.reshape(3, 1, 1)).sum(0).clamp(min=0)
    light = facing * sun * _falloff(place) * _SUNLIGHT + sky * _AMBIENT
    picture = paint * light + glint * sun * colour(1.0, 0.97, 0.9)
    # As film does, so that the brightest skin keeps its colour.
    return _soften(1 - torch.exp(-1.75 * picture), torch.where(table, -2, which))


def _soften(picture: Tensor, part: Tensor) -> Tensor:
    """The picture with its outlines, where `part` (H, W) changes, blended over a pixel."""
    padded = F.pad(part[None, None].float(), (1, 1, 1, 1), mode="replicate")
    edge = F.max_pool2d(padded, 3, 1) != -F.max_pool2d(-padded, 3, 1)
    around = F.avg_pool2d(F.pad(picture[None], (1, 1, 1, 1), mode="replicate"), 3, 1)[0]
    return torch.where(edge[0], (picture + around) / 2, picture)


def _sight(frame: Frame) -> Tensor:
    """The direction (3, H, W) in which each pixel looks; a narrow picture looks from farther."""
    zoom = _ZOOM * min(1.0, frame.aspect / 1.5)
    right, up = frame.x - frame.aspect / 2, 0.5 - frame.y
    sight = torch.stack([right, up - _DOWN * zoom, torch.full_like(up, zoom)])
    return F.normalize(sight, dim=0)


def _nearest(sight: Tensor, fruit: Fruit) -> tuple[Tensor, Tensor]:
    """How far away each pixel's first fruit is, and which it is (-1 for none)."""
    nearest = torch.full_like(sight[0], torch.inf)
    which = torch.full_like(sight[0], -1, dtype=torch.long)
    for index, (centre, radius) in enumerate(zip(fruit.centres, fruit.radii, strict=True)):
        to = centre - _EYE
        along = (sight * to.reshape(3, 1, 1)).sum(0)
        inside = radius**2 - to.dot(to) + along**2
        hit = along - inside.clamp(min=0).sqrt()
        closer = (inside > 0) & (hit < nearest)
        nearest = torch.where(closer, hit, nearest)
        which = torch.where(closer, index, which)
    return nearest, which


def _light(place: Tensor, normal: Tensor, which: Tensor, fruit: Fruit) -> tuple[Tensor, Tensor]:
    """What arrives of the window's light and of the room's: (H, W), 0 to 1."""
    sun, sky = torch.ones_like(place[0]), torch.ones_like(place[0])
    for index, (centre, radius) in enumerate(zip(fruit.centres, fruit.radii, strict=True)):
        to = centre.reshape(3, 1, 1) - place
        other = which != index
        towards = (to * _WINDOW.reshape(3, 1, 1)).sum(0)
        aside = ((to**2).sum(0) - towards**2).clamp(min=0).sqrt()
        blur = (_SOFTNESS * towards).clamp(min=1e-3)
        sun = sun * (1 - _cover(aside, radius, blur) * (towards > 0) * other)
        distance = to.norm(dim=0)
        above = ((to * normal).sum(0) / distance).clamp(min=0)
        sky = sky * (1 - 0.9 * above * (radius / distance).clamp(max=1) ** 2 * other)
    return sun, sky


def _cover(aside: Tensor, radius: Tensor, blur: Tensor) -> Tensor:
    fraction = ((radius + blur - aside) / (2 * blur)).clamp(0, 1)
    return fraction * fraction * (3 - 2 * fraction)


def _falloff(place: Tensor) -> Tensor:
    """The window's light over the room: most at the left and in front."""
    return (1.15 - 0.22 * place[0] - 0.20 * place[2]).clamp(0.12, 1.6)


def _skins(
    normal: Tensor, which: Tensor, fruit: Fruit, field: Field
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Paint (3, H, W), relief, strength and sharpness of the gloss (H, W), of every fruit."""
    paint = torch.zeros_like(normal)
    relief, strength = (torch.zeros_like(normal[0]) for _ in range(2))
    sharpness = torch.ones_like(normal[0])
    for index, skin in enumerate(SKINS):
        here = (which >= 0) & (fruit.skins[which] == index)
        paint = torch.where(here, skin.paint(normal, field, fruit.lots[which]), paint)
        relief = torch.where(here, skin.relief, relief)
        strength = torch.where(here, skin.gloss[0], strength)
        sharpness = torch.where(here, skin.gloss[1], sharpness)
    return paint, relief, strength, sharpness


def _roughen(normal: Tensor, relief: Tensor, field: Field) -> Tensor:
    """Normals disturbed by pores: noise of the place on the ball, so that it turns with it."""
    x, y = normal[0] * 26, normal[1] * 26 + normal[2] * 9
    pores = torch.stack([field.noise(x, y), field.noise(x + 50, y), field.noise(x, y + 50)])
    return F.normalize(normal + 8 * relief * pores, dim=0)


def _wood(place: Tensor, field: Field) -> Tensor:
    across, away = place[0], place[2]
    plank = (away * 1.9 + 0.3).floor()
    x, z = across * 0.5 + plank * 7.7, away * 4
    warp = 0.5 * field.fractal(x, z * 0.6, 0.8, 4)
    rings = 0.5 + 0.5 * torch.sin(22 * (z * 0.3 + warp))
    fibres = field.fractal(x * 2.5, z * 12, 1.5, 8)
    tone = (0.35 + 0.35 * rings + 0.35 * fibres + 0.12 * torch.sin(plank * 5)).clamp(0, 1)
    wood = mix(colour(0.16, 0.075, 0.03), colour(0.52, 0.30, 0.14), tone)
    gap = ((away * 1.9 + 0.3 - plank) - 0.5).abs()
    return wood * (1 - 0.75 * smoothstep(0.488, 0.497, gap))


def _plaster(place: Tensor, field: Field) -> Tensor:
    spots = field.fractal(place[0], place[1], 0.6)
    cracks = smoothstep(0.72, 0.95, field.ridges(place[0], place[1], 0.5))
    wall = mix(colour(0.20, 0.17, 0.13), colour(0.40, 0.35, 0.26), (0.5 + 0.6 * spots).clamp(0, 1))
    return wall * (1 - 0.35 * cracks)
