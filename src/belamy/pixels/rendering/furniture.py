"""Furniture and what lies on it, each piece a few boxes around the place where it stands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from belamy.pixels.rendering.materials import Material
from belamy.pixels.rendering.palette import Palette, pick

__all__ = ["ON_THE_WALL", "STANDING", "Part", "choose", "make_clutter"]

Part = tuple[tuple[float, float, float], tuple[float, float, float], Material]
"""Centre, size, material; the piece stands on 0, its back is at z = 0, the room towards +z."""

Maker = Callable[[Palette], list[Part]]


def _make_legs(wide: float, deep: float, high: float, thick: float, what: Material) -> list[Part]:
    x, z = wide / 2 - thick, deep / 2 - thick
    return [
        ((a * x, high / 2, deep / 2 + b * z), (thick, high, thick), what)
        for a in (-1, 1)
        for b in (-1, 1)
    ]


def make_clutter(
    palette: Palette, wide: float, deep: float, level: float, count: int
) -> list[Part]:
    """Small things on a surface at the height `level`."""
    parts: list[Part] = []
    rng = palette.rng
    for _ in range(count):
        w, h, d = pick(rng, 0.04, 0.3), rng.gamma(2, 0.07) + 0.02, pick(rng, 0.04, 0.25)
        x, z = pick(rng, -wide / 2, wide / 2), pick(rng, 0.05, max(0.06, deep - 0.05))
        parts.append(((x, level + h / 2, z), (w, float(h), d), palette.thing()))
    return parts


def _make_table(palette: Palette) -> list[Part]:
    rng, what = palette.rng, palette.thing()
    wide, deep, high = pick(rng, 0.5, 2.2), pick(rng, 0.5, 1.1), pick(rng, 0.4, 0.95)
    parts: list[Part] = [((0, high, deep / 2), (wide, 0.05, deep), what)]
    parts += _make_legs(wide, deep, high, 0.06, what)
    return parts + make_clutter(palette, wide, deep, high + 0.03, int(rng.integers(0, 10)))


def _make_chair(palette: Palette) -> list[Part]:
    rng, what = palette.rng, palette.thing()
    side, seat, high = pick(rng, 0.38, 0.55), pick(rng, 0.4, 0.5), pick(rng, 0.8, 1.15)
    parts: list[Part] = [
        ((0, seat, side / 2), (side, 0.06, side), palette.cloth()),
        ((0, (seat + high) / 2, 0.03), (side, (high - seat) * pick(rng, 0.4, 1), 0.05), what),
    ]
    return parts + _make_legs(side, side, seat, 0.04, what)


def _make_bed(palette: Palette) -> list[Part]:
    rng, cloth = palette.rng, palette.cloth()
    wide, long, high = pick(rng, 0.9, 2.0), pick(rng, 1.9, 2.2), pick(rng, 0.35, 0.65)
    parts: list[Part] = [
        ((0, high / 4, long / 2), (wide, high / 2, long), palette.wood()),
        ((0, high * 0.72, long / 2), (wide, high * 0.5, long * 0.98), cloth),
        ((0, pick(rng, 0.3, 0.6), 0.03), (wide, pick(rng, 0.5, 1.1), 0.06), palette.thing()),
        ((0, high, long * 0.65), (wide * 1.03, 0.1, long * 0.68), palette.cloth()),
    ]
    for side in (-1, 1):
        place = (side * wide / 4, high + 0.08, 0.28)
        parts.append((place, (wide / 2.4, 0.16, 0.38), palette.cloth()))
    return parts


def _make_sofa(palette: Palette) -> list[Part]:
    rng, cloth = palette.rng, palette.cloth()
    wide, deep, high = pick(rng, 0.8, 2.6), pick(rng, 0.75, 1.0), pick(rng, 0.7, 0.95)
    parts: list[Part] = [
        ((0, 0.22, deep / 2), (wide, 0.44, deep), cloth),
        ((0, high / 2, 0.12), (wide, high, 0.24), cloth),
    ]
    for end in (-1, 1):
        parts.append(((end * wide / 2, 0.3, deep / 2), (0.18, 0.6, deep), cloth))
    for _ in range(int(rng.integers(0, 4))):
        x, side = pick(rng, -wide / 2.5, wide / 2.5), pick(rng, 0.25, 0.45)
        parts.append(((x, 0.44 + side / 2, 0.34), (side, side, 0.14), palette.cloth()))
    return parts


def _make_shelf(palette: Palette) -> list[Part]:
    """Boards between two sides, and rows of books on them."""
    rng, what = palette.rng, palette.thing()
    wide, deep, high = pick(rng, 0.6, 2.2), pick(rng, 0.22, 0.45), pick(rng, 0.8, 2.3)
    rows = int(rng.integers(2, 7))
    parts: list[Part] = [
        ((side * wide / 2, high / 2, deep / 2), (0.03, high, deep), what) for side in (-1, 1)
    ]
    parts.append(((0, high / 2, 0.01), (wide, high, 0.02), palette.thing()))
    for row in range(rows + 1):
        level = row * high / rows
        parts.append(((0, level, deep / 2), (wide, 0.03, deep), what))
        if row < rows:
            parts += _make_books(palette, wide, deep, level, high / rows)
    return parts


def _make_books(
    palette: Palette, wide: float, deep: float, level: float, room: float
) -> list[Part]:
    rng = palette.rng
    parts: list[Part] = []
    x, end = -wide / 2 + 0.03, wide / 2 * pick(rng, 0, 1)
    while x < end and len(parts) < 14:
        w = pick(rng, 0.02, 0.2)
        h, d = room * pick(rng, 0.4, 0.9), deep * pick(rng, 0.5, 0.95)
        parts.append(((x + w / 2, level + h / 2, d / 2), (w * 0.96, h, d), palette.thing()))
        x += w + (pick(rng, 0, 0.2) if rng.random() < 0.15 else 0)
    return parts


def _make_cupboard(palette: Palette) -> list[Part]:
    rng = palette.rng
    wide, deep, high = pick(rng, 0.4, 2.0), pick(rng, 0.35, 0.65), pick(rng, 0.5, 2.2)
    colour = palette.any() if rng.random() < 0.6 else palette.pale()
    front = palette.pattern("doors", colour, period=0.0)
    parts: list[Part] = [((0, high / 2, deep / 2), (wide, high, deep), front)]
    return parts + make_clutter(palette, wide, deep, high, int(rng.integers(0, 7)))


def _make_kitchen(palette: Palette) -> list[Part]:
    """A counter, cupboards over it, and a machine beside."""
    rng, wide = palette.rng, pick(palette.rng, 1.5, 3.5)
    front = palette.pattern("doors", palette.pale(), period=0.6)
    parts: list[Part] = [
        ((0, 0.43, 0.3), (wide, 0.86, 0.6), front),
        ((0, 0.89, 0.31), (wide, 0.05, 0.64), palette.thing()),
        ((0, 1.8, 0.17), (wide * pick(rng, 0.4, 1), 0.7, 0.35), front),
        (
            (wide / 2 + 0.36, 0.9, 0.34),
            (0.7, 1.8, 0.68),
            palette.pattern("plaster", palette.pale()),
        ),
    ]
    return parts + make_clutter(palette, wide, 0.6, 0.92, int(rng.integers(2, 14)))


def _make_screen(palette: Palette) -> list[Part]:
    rng, dark = palette.rng, palette.pattern("plaster", palette.dark())
    wide, high = pick(rng, 0.4, 1.3), pick(rng, 0.5, 0.9)
    picture = palette.picture(light=pick(rng, 0, 0.6)) if rng.random() < 0.4 else dark
    return [
        ((0, high / 2, 0.25), (wide, high, 0.45), palette.thing()),
        ((0, high + wide * 0.32, 0.2), (wide, wide * 0.6, 0.05), dark),
        ((0, high + wide * 0.32, 0.23), (wide * 0.94, wide * 0.53, 0.01), picture),
    ]


def _make_lamp(palette: Palette) -> list[Part]:
    rng, high = palette.rng, pick(palette.rng, 0.5, 1.7)
    shade = palette.pattern("plaster", palette.pale(), light=pick(rng, 0.2, 1.5))
    side = pick(rng, 0.2, 0.4)
    return [
        ((0, high / 2, 0.2), (0.04, high, 0.04), palette.pattern("plaster", palette.dark())),
        ((0, high, 0.2), (side, side * 0.8, side), shade),
    ]


def _make_heap(palette: Palette) -> list[Part]:
    """Boxes, bags and baskets on the floor."""
    rng = palette.rng
    parts: list[Part] = []
    for _ in range(int(rng.integers(1, 7))):
        w, h, d = pick(rng, 0.1, 0.6), pick(rng, 0.1, 0.7), pick(rng, 0.1, 0.5)
        x, z = pick(rng, -0.6, 0.6), pick(rng, 0.2, 0.8)
        parts.append(((x, h / 2, z), (w, h, d), palette.thing()))
    return parts


STANDING: tuple[tuple[Maker, float], ...] = (
    (_make_table, 3),
    (_make_chair, 4),
    (_make_bed, 1),
    (_make_sofa, 1.5),
    (_make_shelf, 2),
    (_make_cupboard, 2.5),
    (_make_kitchen, 1),
    (_make_screen, 1.5),
    (_make_lamp, 1),
    (_make_heap, 2),
)
"""Pieces that stand on the floor, and how often they do."""


def _make_painting(palette: Palette) -> list[Part]:
    rng = palette.rng
    wide, high = pick(rng, 0.2, 1.3), pick(rng, 0.2, 1.0)
    return [
        ((0, 0, 0.02), (wide, high, 0.04), palette.thing()),
        ((0, 0, 0.025), (wide * 0.88, high * 0.88, 0.04), palette.picture()),
    ]


def _make_window(palette: Palette) -> list[Part]:
    """Daylight behind glass, in a frame; curtains before some, blinds before others."""
    rng = palette.rng
    wide, high = pick(rng, 0.6, 2.4), pick(rng, 0.8, 1.7)
    frame = palette.pattern("plaster", palette.pale())
    view = palette.picture(light=float(rng.choice([0.3, 1.5, 4.0, 8.0])))
    if rng.random() < 0.3:
        view = palette.pattern("stripes", palette.pale(), light=pick(rng, 0.3, 2), period=0.3)
    parts: list[Part] = [
        ((0, 0, 0.02), (wide + 0.14, high + 0.14, 0.04), frame),
        ((0, 0, 0.025), (wide, high, 0.04), view),
        ((0, 0, 0.03), (0.05, high, 0.05), frame),
    ]
    if rng.random() < 0.5:
        cloth, each = palette.cloth(), pick(rng, 0.15, 0.6)
        for side in (-1, 1):
            place = (side * wide / 2, -0.1, 0.09)
            parts.append((place, (each, high + 0.4, 0.08), cloth))
    return parts


def _make_door(palette: Palette) -> list[Part]:
    rng, frame = palette.rng, palette.thing()
    wide, dark = pick(rng, 0.7, 1.1), rng.random() < 0.35
    leaf = palette.pattern("plaster", palette.dark()) if dark else palette.wood()
    if rng.random() < 0.4:
        leaf = palette.pattern("doors", palette.pale(), period=0.0)
    return [
        ((0, -0.4, 0.02), (wide + 0.16, 2.1, 0.04), frame),
        ((0, -0.42, 0.03), (wide, 2.02, 0.04), leaf),
    ]


def _make_board(palette: Palette) -> list[Part]:
    rng = palette.rng
    wide = pick(rng, 0.8, 2.2)
    what = palette.pattern("plaster", palette.pale() if rng.random() < 0.6 else palette.dark())
    parts: list[Part] = [((0, 0.1, 0.02), (wide, wide * 0.5, 0.04), what)]
    for _ in range(int(rng.integers(0, 9))):
        x, y = pick(rng, -wide / 2.4, wide / 2.4), 0.1 + pick(rng, -wide / 5, wide / 5)
        size = (pick(rng, 0.06, 0.3), pick(rng, 0.06, 0.3), 0.02)
        parts.append(((x, y, 0.04), size, palette.picture()))
    return parts


ON_THE_WALL: tuple[tuple[Maker, float], ...] = (
    (_make_painting, 3),
    (_make_window, 2),
    (_make_door, 1.5),
    (_make_board, 0.7),
)
"""Pieces on walls, around 1.5 m above the floor, and how often they hang there."""


def choose(makers: tuple[tuple[Maker, float], ...], rng: np.random.Generator) -> Maker:
    """One of them, as often as it says."""
    weights = np.array([often for _, often in makers])
    return makers[int(rng.choice(len(makers), p=weights / weights.sum()))][0]
