"""Paintings drawn by program, stroke by stroke: what the studio offers as styles to begin with.

None is of a photo: a scene is laid out as planes of colour, brushes follow a field of directions
over it, and what the bristles leave is lit from the side, as thick paint is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

__all__ = ["composition", "garden", "mosaic", "night"]

Array = NDArray[np.float64]

WIDTH, HEIGHT = 1536, 1024  # painted at twice the size
BRISTLES = 7


@dataclass(frozen=True)
class Brush:
    """One brush: its radius and the length of its strokes in pixels, how colours waver."""

    radius: float
    length: float
    waver: float = 0.06
    bend: float = 0.15


class Canvas:
    """Paint and its thickness.

    Args:
        ground: the colour that is there first.
        rng: of every stroke.
    """

    def __init__(self, ground: tuple[int, int, int], rng: np.random.Generator) -> None:
        self.paint = Image.new("RGB", (WIDTH, HEIGHT), ground)
        self.relief = Image.new("L", (WIDTH, HEIGHT), 128)
        self._draw, self._height = ImageDraw.Draw(self.paint), ImageDraw.Draw(self.relief)
        self.rng = rng

    def fill(self, scene: Array, angles: Array, brush: Brush, share: float = 1.0) -> None:
        """Cover all of it with strokes in the scene's colours, along the angles."""
        step = brush.radius * 1.15
        places = [
            (x, y)
            for y in np.arange(0, HEIGHT, step)
            for x in np.arange(0, WIDTH, step)
            if self.rng.random() < share
        ]
        self.rng.shuffle(places)
        for x, y in places:
            shift = self.rng.normal(0, step * 0.6, 2)
            self.stroke(scene, angles, brush, x + shift[0], y + shift[1])

    def stroke(self, scene: Array, angles: Array, brush: Brush, x: float, y: float) -> None:
        """One stroke from a point on."""
        column, row = int(np.clip(x, 0, WIDTH - 1)), int(np.clip(y, 0, HEIGHT - 1))
        colour = scene[row, column] + self.rng.normal(0, brush.waver) * np.array([1.0, 0.95, 0.8])
        colour = colour + self.rng.normal(0, brush.waver / 2, 3)
        points = self._follow(angles, brush, x, y)
        normal = angles[row, column] + math.pi / 2
        for number in range(BRISTLES):
            aside = brush.radius * (2 * number / (BRISTLES - 1) - 1) * 0.82
            offset = (math.cos(normal) * aside, math.sin(normal) * aside)
            line = [(px + offset[0], py + offset[1]) for px, py in points]
            shade = self.rng.normal(0, brush.waver / 2.2)
            ink = tuple(int(255 * one) for one in np.clip(colour + shade, 0, 1))
            width = max(2, round(2.4 * brush.radius / BRISTLES))
            self._draw.line(line, fill=ink, width=width, joint="curve")
            edge = 1 - abs(2 * number / (BRISTLES - 1) - 1)
            height = int(np.clip(118 + 60 * edge + self.rng.normal(0, 26), 0, 255))
            self._height.line(line, fill=height, width=width, joint="curve")

    def _follow(self, angles: Array, brush: Brush, x: float, y: float) -> list[tuple[float, float]]:
        points = [(x, y)]
        stretch = brush.length * self.rng.uniform(0.6, 1.25)
        turn = self.rng.normal(0, brush.bend)
        for _ in range(8):
            column, row = int(np.clip(x, 0, WIDTH - 1)), int(np.clip(y, 0, HEIGHT - 1))
            angle = angles[row, column] + turn
            x, y = x + math.cos(angle) * stretch / 8, y + math.sin(angle) * stretch / 8
            points.append((x, y))
        return points

    def dry(self, strength: float = 0.55) -> Image.Image:
        """The painting, lit from above on the left."""
        heights = np.asarray(self.relief.filter(ImageFilter.GaussianBlur(0.8)), float) / 255
        slope = np.gradient(heights)
        light = 1 + strength * (-slope[0] - slope[1])
        weave = 0.012 * (
            np.sin(np.arange(WIDTH) * 1.6)[None] + np.sin(np.arange(HEIGHT) * 1.6)[:, None]
        )
        pixels = np.asarray(self.paint, float) / 255 * (light + weave)[..., None]
        done = Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
        return done.resize((WIDTH // 2, HEIGHT // 2), Image.Resampling.LANCZOS)


def _grid() -> tuple[Array, Array]:
    """x from 0 to 1.5 and y from 0 to 1 of each pixel."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] / HEIGHT
    return x, y


def _mix(one: Array, other: tuple[float, float, float], share: Array) -> Array:
    return one + (np.array(other) - one) * np.clip(share, 0, 1)[..., None]


def _noise(rng: np.random.Generator, cells: int) -> Array:
    """Soft values around 0."""
    rough = Image.fromarray(rng.normal(0, 1, (cells, cells * 3 // 2)).astype(np.float32))
    return np.asarray(rough.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), float)


STARS = (
    (0.2, 0.2, 0.05),
    (0.5, 0.13, 0.06),
    (0.74, 0.3, 0.05),
    (0.96, 0.12, 0.05),
    (1.26, 0.2, 0.12),
)
WHIRLS = ((0.62, 0.42, 0.2, 1.0), (0.98, 0.4, 0.14, -1.0), (0.28, 0.42, 0.13, 1.0))


def night(seed: int = 5) -> Image.Image:
    """A sky that turns around its stars, above hills."""
    rng = np.random.default_rng(seed)
    x, y = _grid()
    scene = np.zeros((HEIGHT, WIDTH, 3)) + np.array([0.09, 0.16, 0.42])
    scene = _mix(scene, (0.42, 0.60, 0.78), (y - 0.25) * 1.2 + 0.12 * _noise(rng, 9))
    along, across = np.ones_like(x), 0.25 * np.sin(5 * x)
    for cx, cy, radius, turn in WHIRLS:
        dx, dy = x - cx, y - cy
        weight = np.exp(-(dx**2 + dy**2) / (2 * radius**2)) * 4
        length = np.hypot(dx, dy) + 1e-3
        along, across = along - turn * weight * dy / length, across + turn * weight * dx / length
        band = np.cos(np.arctan2(dy, dx) * turn - length / radius * 5) * np.exp(
            -((length / radius - 0.8) ** 2) * 2
        )
        scene = _mix(scene, (0.80, 0.87, 0.84), 0.75 * band)
    for cx, cy, radius in STARS:
        dx, dy = x - cx, y - cy
        length = np.hypot(dx, dy)
        near = np.exp(-((length / (2.4 * radius)) ** 2)) * 6
        along, across = along - near * dy / (length + 1e-3), across + near * dx / (length + 1e-3)
        rings = 0.62 + 0.38 * np.cos(length / radius * 5.5)
        scene = _mix(
            scene, (0.93, 0.86, 0.46), np.exp(-((length / (1.5 * radius)) ** 2)) * rings * 1.25
        )
        scene = _mix(scene, (0.99, 0.95, 0.72), np.exp(-((length / (0.55 * radius)) ** 2)) * 1.3)
    angles = np.arctan2(across, along)
    hills = 0.66 + 0.07 * np.sin(2.2 * x + 0.4) + 0.045 * np.sin(6.1 * x + 2) - 0.05 * x
    for depth, colour in enumerate(((0.20, 0.31, 0.55), (0.13, 0.25, 0.36), (0.10, 0.20, 0.21))):
        line = hills + depth * 0.09 + 0.02 * np.sin((9 + 5 * depth) * x + depth)
        inside = y > line
        scene[inside] = (
            np.array(colour) + (0.07 * _noise(rng, 24)[..., None] * np.array([1, 1.2, 0.7]))[inside]
        )
        slope = np.arctan2(np.gradient(line, axis=1) * HEIGHT, 1.0)
        angles = np.where(inside, 0.35 * np.sin(7 * x + 3 * depth) + slope, angles)
    tree = 0.085 * np.clip((y - 0.13) / 0.75, 0, 1) ** 0.8 * (1 + 0.22 * np.sin(26 * y))
    flame = (np.abs(x - 0.13 - 0.02 * np.sin(9 * y)) < tree) & (y > 0.13)
    scene[flame] = np.array([0.07, 0.12, 0.10]) + 0.05 * _noise(rng, 30)[flame, None]
    angles = np.where(flame, -math.pi / 2 + 0.5 * np.sin(14 * y), angles)
    canvas = Canvas((24, 38, 92), rng)
    canvas.fill(scene, angles, Brush(15, 110, 0.05))
    canvas.fill(scene, angles, Brush(8, 74, 0.07), 0.75)
    canvas.fill(scene, angles, Brush(5, 48, 0.08), 0.35)
    return canvas.dry()


def garden(seed: int = 2) -> Image.Image:
    """A pond in the afternoon: short dabs, light beside light."""
    rng = np.random.default_rng(seed)
    x, y = _grid()
    scene = np.zeros((HEIGHT, WIDTH, 3)) + np.array([0.62, 0.74, 0.86])
    scene = _mix(scene, (0.98, 0.86, 0.72), 1.1 - 3.2 * y + 0.35 * _noise(rng, 7))
    bank = 0.42 + 0.03 * np.sin(4 * x) + 0.02 * _noise(rng, 14)
    for shift, colour in (
        (-0.13, (0.50, 0.60, 0.62)),
        (-0.05, (0.36, 0.53, 0.40)),
        (0.02, (0.46, 0.62, 0.30)),
    ):
        crowns = bank + shift + 0.035 * np.abs(np.sin((9 + 20 * shift) * x + 8 * shift)) * -1
        scene = np.where(
            (y > crowns)[..., None], np.array(colour) + 0.09 * _noise(rng, 26)[..., None], scene
        )
    water = y > bank + 0.1
    mirror = scene[
        np.clip((2 * (bank + 0.1) - y) * HEIGHT, 0, HEIGHT - 1).astype(int), np.arange(WIDTH)
    ]
    tint = np.array([0.9, 0.94, 1.02])
    scene = np.where(
        water[..., None],
        mirror * tint + 0.05 * np.sin(90 * y + 8 * _noise(rng, 12))[..., None],
        scene,
    )
    angles = np.where(water, 0.06 * _noise(rng, 10), 0.9 * _noise(rng, 12) - 0.6)
    canvas = Canvas((196, 190, 178), rng)
    canvas.fill(scene, angles, Brush(16, 42, 0.06))
    canvas.fill(scene, angles, Brush(9, 26, 0.09, 0.35), 0.85)
    canvas.fill(scene, angles, Brush(6, 17, 0.11, 0.5), 0.4)
    flat = np.zeros_like(angles)
    for _ in range(26):  # leaves on the water, and their flowers
        cx, cy = rng.uniform(0, WIDTH), rng.uniform(0.62, 1.0) ** 0.8 * HEIGHT
        for _ in range(34):
            at = rng.normal(0, 1, 2) * np.array([46, 11]) * (cy / HEIGHT)
            colour = np.array([0.40, 0.60, 0.34]) + rng.normal(0, 0.06, 3)
            _dab(canvas, colour, flat, cx + at[0], cy + at[1], Brush(6, 26, 0.05))
        for _ in range(9):
            at = rng.normal(0, 1, 2) * np.array([15, 8])
            bloom = (
                np.array([0.97, 0.72, 0.78]) if rng.random() < 0.6 else np.array([0.99, 0.96, 0.88])
            )
            _dab(canvas, bloom, flat - 0.9, cx + at[0], cy - 6 + at[1], Brush(5, 13, 0.05))
    return canvas.dry(0.65)


def _dab(canvas: Canvas, colour: Array, angles: Array, x: float, y: float, brush: Brush) -> None:
    canvas.stroke(np.broadcast_to(colour, (HEIGHT, WIDTH, 3)), angles, brush, x, y)


INKS = (
    (0.80, 0.16, 0.13),
    (0.10, 0.27, 0.56),
    (0.93, 0.70, 0.13),
    (0.07, 0.07, 0.09),
    (0.15, 0.48, 0.42),
    (0.91, 0.48, 0.25),
    (0.50, 0.30, 0.52),
)


def composition(seed: int = 11) -> Image.Image:
    """Discs, wedges and lines on a warm ground, laid over each other as glazes are."""
    rng = np.random.default_rng(seed)
    x, y = _grid()
    pixels = np.zeros((HEIGHT, WIDTH, 3)) + np.array([0.93, 0.88, 0.77])
    pixels = _mix(pixels, (0.97, 0.80, 0.55), 0.45 + 0.6 * _noise(rng, 4))
    pixels = _mix(pixels, (0.62, 0.76, 0.84), 0.5 * _noise(rng, 5) - 0.05)
    wobble = 0.006 * _noise(rng, 40)
    for number in range(46):
        ink = INKS[number % len(INKS)]
        cx, cy, size = rng.uniform(0.05, 1.45), rng.uniform(0.05, 0.95), rng.uniform(0.02, 0.17)
        inside = _shape(number, rng)(x - cx + wobble, y - cy + wobble, size)
        edge = np.clip(inside / 0.004, 0, 1)
        depth = 0.55 + 0.4 * rng.random()
        worn = depth * edge * (0.86 + 0.10 * _noise(rng, 60))
        pixels = _mix(pixels, ink, worn)
    canvas = Canvas((235, 222, 190), rng)
    canvas.fill(pixels, 0.5 * _noise(rng, 6), Brush(9, 26, 0.012, 0.4))
    painted = np.asarray(canvas.paint, float) / 255
    canvas.paint = Image.fromarray(
        (np.clip(0.25 * painted + 0.75 * pixels, 0, 1) * 255).astype(np.uint8)
    )
    return canvas.dry(0.28)


def _shape(number: int, rng: np.random.Generator) -> Callable[[Array, Array, float], Array]:
    """How far inside a figure a point is; negative outside."""
    turn, ring = rng.uniform(0, math.pi), rng.random() < 0.4

    def disc(x: Array, y: Array, size: float) -> Array:
        length = np.hypot(x, y)
        return size * 0.12 - np.abs(length - size) if ring else size - length

    def line(x: Array, y: Array, size: float) -> Array:
        u, v = x * math.cos(turn) + y * math.sin(turn), -x * math.sin(turn) + y * math.cos(turn)
        return np.minimum(0.005 + 0.02 * size - np.abs(v), 4 * size - np.abs(u))

    def wedge(x: Array, y: Array, size: float) -> Array:
        u, v = x * math.cos(turn) + y * math.sin(turn), -x * math.sin(turn) + y * math.cos(turn)
        return np.minimum(np.minimum(u + size, 2 * size - u), (u + size) * 0.35 - np.abs(v))

    def arc(x: Array, y: Array, size: float) -> Array:
        bent = y * 1.0 + 1.8 * (x * math.cos(turn)) ** 2 / (size + 0.05) * 0.3
        return np.minimum(0.006 - np.abs(bent), 2.2 * size - np.abs(x))

    return (disc, line, wedge, line, disc, arc)[number % 6]


def mosaic(seed: int = 8) -> Image.Image:
    """Birds of coloured stones around a sun, with mortar between them."""
    rng = np.random.default_rng(seed)
    x, y = _grid()
    scene = np.zeros((HEIGHT, WIDTH, 3)) + np.array([0.16, 0.42, 0.52])
    length = np.hypot(x - 0.75, y - 0.52)
    angle = np.arctan2(y - 0.52, x - 0.75)
    rays = np.cos(12 * angle) > 0.1
    scene = np.where(((length < 0.46) & rays)[..., None], np.array([0.87, 0.60, 0.20]), scene)
    scene = np.where(
        (np.abs(length - 0.49) < 0.022)[..., None], np.array([0.90, 0.86, 0.74]), scene
    )
    scene = np.where((length < 0.2)[..., None], np.array([0.80, 0.24, 0.16]), scene)
    scene = np.where((length < 0.11)[..., None], np.array([0.95, 0.83, 0.45]), scene)
    border = np.minimum(np.minimum(x, 1.5 - x), np.minimum(y, 1 - y))
    waves = np.sin(42 * (x + y)) > 0
    scene = np.where(
        (border < 0.09)[..., None],
        np.where(waves[..., None], np.array([0.55, 0.14, 0.16]), np.array([0.90, 0.86, 0.74])),
        scene,
    )
    scene = np.where((np.abs(border - 0.1) < 0.01)[..., None], np.array([0.12, 0.16, 0.20]), scene)
    stone, gap, tilt, centre = _stones(
        x + 0.0022 * _noise(rng, 46), y + 0.0022 * _noise(rng, 46), rng
    )
    rows = np.clip(centre[..., 1] * HEIGHT, 0, HEIGHT - 1).astype(int)
    columns = np.clip(centre[..., 0] * HEIGHT, 0, WIDTH - 1).astype(int)
    pixels = scene[rows, columns] * stone[..., :1] + stone[..., 1:]
    sheen = 9 * (tilt[..., 0] * (x - centre[..., 0]) + tilt[..., 1] * (y - centre[..., 1]))
    share = np.clip(gap / 0.0026, 0, 1)[..., None]
    pixels = np.array([0.28, 0.26, 0.24]) * (1 - share) + pixels * (1 + sheen[..., None]) * share
    done = Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
    return done.resize((WIDTH // 2, HEIGHT // 2), Image.Resampling.LANCZOS)


def _stones(x: Array, y: Array, rng: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """Of the stone under each pixel: how its colour differs, the way to its edge, tilt, middle."""
    size = 0.0175
    dx, dy = x - 0.75, y - 0.52
    length = np.hypot(dx, dy)
    ring = np.floor(length / size).astype(int)
    count = np.maximum(1, np.round(2 * math.pi * (np.arange(ring.max() + 1) + 0.5))).astype(int)
    start = rng.uniform(0, 1, len(count))
    turn = (np.arctan2(dy, dx) / (2 * math.pi) + start[ring]) % 1 * count[ring]
    cell = np.floor(turn).astype(int)
    aside = np.abs(turn - cell - 0.5) * 2 * math.pi * length / count[ring]
    half = math.pi * length / count[ring]
    gap = np.minimum(size / 2 - np.abs(length - (ring + 0.5) * size), half - aside) - 0.0008
    names = np.concatenate([[0], np.cumsum(count)])[ring] + np.minimum(cell, count[ring] - 1)
    total = int(count.sum())
    differs = np.concatenate(
        [rng.uniform(0.7, 1.25, (total, 1)), rng.normal(0, 0.03, (total, 3))], 1
    )
    angle = ((cell + 0.5) / count[ring] - start[ring]) * 2 * math.pi
    middle = (ring + 0.5) * size
    centre = np.stack([0.75 + middle * np.cos(angle), 0.52 + middle * np.sin(angle)], -1)
    return differs[names], gap, rng.normal(0, 1, (total, 2))[names], centre
