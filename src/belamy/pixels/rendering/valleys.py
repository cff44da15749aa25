"""Valleys: a height field seen in perspective, with trees on it and hills behind."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from belamy.pixels.rendering.camera import Camera, Floats
from belamy.pixels.rendering.materials import SIDE, Library
from belamy.pixels.rendering.paint import View, draw_cards, to_linear
from belamy.pixels.rendering.palette import Palette, pick
from belamy.pixels.rendering.plants import stand_tree
from belamy.pixels.rendering.streets import draw_sky

__all__ = ["Terrain", "look_over_valley", "march"]

Heights = Callable[[Floats, Floats], Floats]

_NEAR, _FAR = 1.0, 20_000.0  # metres between which the ground is looked for
_STEPS = 220  # distances at which its height is asked for, each a little farther than the last
_TILT = 0.3  # part of the distance, over which a tilt is measured
_TREES = 160


@dataclass(frozen=True)
class Terrain:
    """Hills as a sum of waves of noise.

    Args:
        layers: (scale in metres, height in metres, grid of noise) of each.
        valley: how fast the ground rises to both sides, in metres a metre.
    """

    layers: tuple[tuple[float, float, Floats], ...]
    valley: float

    def __call__(self, x: Floats, z: Floats) -> Floats:
        """The height at places, in metres."""
        total = self.valley * np.maximum(np.abs(x) - 20, 0) ** 0.9
        for scale, height, grid in self.layers:
            total = total + height * _look_up(grid, x / scale, z / scale)
        return np.asarray(total, np.float32)

    def at(self, x: float, z: float) -> float:
        """The height at one place, in metres."""
        return float(self(np.array([x]), np.array([z]))[0])


def _look_up(grid: Floats, x: Floats, z: Floats) -> Floats:
    """Smooth noise that repeats with the grid."""
    side = len(grid)
    column, row = np.floor(x), np.floor(z)
    across, down = x - column, z - row
    across, down = (part * part * (3 - 2 * part) for part in (across, down))
    left, top = column.astype(np.int64) % side, row.astype(np.int64) % side
    right, bottom = (left + 1) % side, (top + 1) % side
    above = grid[top, left] * (1 - across) + grid[top, right] * across
    below = grid[bottom, left] * (1 - across) + grid[bottom, right] * across
    return np.asarray(above * (1 - down) + below * down)


def march(heights: Heights, camera: Camera, steps: int = _STEPS, far: float = _FAR) -> Floats:
    """Where rays first meet a height field: depth (H, W), infinite where they do not.

    The camera looks along z and is neither turned nor tilted; along each column the ground is
    straight between the steps, so that planes are met exactly.

    Args:
        heights: the height at places (x, z).
        camera: of which position, field of view and size count, and the pitch as a shift of the
            picture, as a lens that is raised does it.
        steps: how many distances are looked at.
        far: metres, the last of them.
    """
    across = (np.arange(camera.width) + 0.5 - camera.width / 2) / camera.focal
    shift = math.tan(math.radians(camera.pitch))
    tilts = -(np.arange(camera.height) + 0.5 - camera.height / 2) / camera.focal + shift
    depth = np.geomspace(_NEAR, far, steps).astype(np.float32)
    x, y, z = camera.position
    ground = heights(x + across[:, None] * depth, z + depth[None].repeat(camera.width, 0)) - y
    seen = np.maximum.accumulate(ground / depth, axis=1).astype(np.float32)  # (W, steps)
    targets = torch.from_numpy(np.ascontiguousarray(tilts, np.float32)).expand(camera.width, -1)
    index = torch.searchsorted(torch.from_numpy(seen), targets.contiguous()).numpy()  # (W, H)
    after, before = np.minimum(index, steps - 1), np.maximum(index - 1, 0)
    found = _cross(ground, depth, before, np.minimum(after, steps - 1), tilts)
    found = np.where(index == 0, depth[0], found)
    return np.asarray(np.where(index == steps, np.inf, found).T, np.float32)


def _cross(
    ground: Floats,
    depth: Floats,
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    tilts: Floats,
) -> Floats:
    """Where lines of the tilts cross the ground between two steps."""
    low, high = (np.take_along_axis(ground, at, 1) for at in (before, after))
    near, far = depth[before], depth[after]
    rise = (high - low) / np.maximum(far - near, 1e-6)
    gap = tilts[None] - rise
    crossing = (low - rise * near) / np.where(np.abs(gap) < 1e-9, 1e-9, gap)
    return np.asarray(np.clip(crossing, near, far))


def _draw_terrain(rng: np.random.Generator) -> Terrain:
    scale, rough = 10 ** pick(rng, 1.3, 3.3), pick(rng, 0.08, 0.4)
    layers = []
    for octave in range(6):
        size = scale / 2**octave
        height = size * rough * pick(rng, 0.5, 1.5)
        layers.append((size, height, rng.uniform(-1, 1, (32, 32)).astype(np.float32)))
    far = pick(rng, 300, 4000)
    layers.append((far, far * pick(rng, 0, 0.35), rng.uniform(0, 1, (32, 32)).astype(np.float32)))
    return Terrain(tuple(layers), pick(rng, 0, 0.4))


def _colour_ground(
    points: tuple[Floats, Floats, Floats],
    steep: Floats,
    pixel: Floats,
    library: Library,
    rng: np.random.Generator,
) -> Floats:
    """sRGB (H, W, 3): grass or earth, rock where it is steep, snow on some heights."""
    x, y, z = points
    palette = Palette(library, rng)
    green = np.array([pick(rng, 0.6, 1.1), 1.0, pick(rng, 0.3, 0.7)]) * pick(rng, 0.15, 0.6)
    earth, rock = palette.dull(), np.full(3, pick(rng, 0.25, 0.6)) + rng.normal(0, 0.03, 3)
    grid = rng.uniform(0, 1, (64, 64)).astype(np.float32)
    fields = sum(_look_up(grid, x / size, z / size) for size in (7.0, 60.0, 500.0)) / 3
    part = np.clip((fields - 0.5) * 6 + 0.5, 0, 1)[..., None]
    colours = green * part + earth * (1 - part)
    cliff = np.clip((steep - pick(rng, 0.4, 0.9)) * 5, 0, 1)[..., None]
    colours = colours * (1 - cliff) + rock * cliff
    if rng.random() < 0.3:
        low, high = np.quantile(y, [0.4, 0.95])
        snow = np.clip((y - pick(rng, low, high)) / (0.1 * (high - low) + 1), 0, 1)[..., None]
        colours = colours * (1 - snow) + 0.93 * snow
    texture = np.full(x.shape, int(rng.integers(24, 48)))  # one of the rough patterns
    total = np.ones((*x.shape, 1), np.float32)
    for period in (1.7, 13.0, 110.0):
        level = np.log2(np.maximum(pixel * SIDE / period, 1e-3))
        found = library.sample(texture, x / period, z / period, level)[..., :1]
        total = total * np.where(level[..., None] < 5, 2 * found, 1)
    return np.asarray(np.clip(colours * total, 0.01, 1), np.float32)


def look_over_valley(library: Library, seed: tuple[int, ...], side: int) -> View:
    """Hills at random, from somewhere above the ground.

    Args:
        library: the textures.
        seed: of everything.
        side: of the picture in pixels.
    """
    rng = np.random.default_rng(seed)
    terrain = _draw_terrain(rng)
    x, z = pick(rng, -40, 40), pick(rng, 0, 500)
    under = terrain.at(x, z)
    place = (x, under + rng.gamma(1.2, 6) + 1.6, z)
    camera = Camera(place, 0, pick(rng, -14, 6), 0, pick(rng, 30, 85), side, side)
    depth = march(terrain, camera)
    view = View(_paint_ground(terrain, camera, depth, library, rng), depth)
    _plant(view, terrain, camera, rng)
    far = float(np.quantile(depth[np.isfinite(depth)], 0.98)) if np.isfinite(depth).any() else 100.0
    return View(view.colours, np.minimum(view.depth, 2 * far))


def _paint_ground(
    terrain: Terrain, camera: Camera, depth: Floats, library: Library, rng: np.random.Generator
) -> Floats:
    """Linear colours (3, H, W) of the ground in the sun, and of the sky."""
    rays = camera.rays()
    known = np.where(np.isfinite(depth), depth, 1)
    column = (np.arange(camera.width) + 0.5 - camera.width / 2) / camera.focal
    x = camera.position[0] + column[None] * known
    z = camera.position[2] + known
    step = np.maximum(known * _TILT / 100, 0.2)
    height = terrain(x, z)
    rise = (terrain(x + step, z) - height) / step, (terrain(x, z + step) - height) / step
    normal = np.stack([-rise[0], np.ones_like(x), -rise[1]])
    normal /= np.sqrt((normal**2).sum(0))
    sun = np.array([rng.normal(), pick(rng, 0.3, 1.5), rng.normal()])
    sun /= np.linalg.norm(sun)
    direct = np.clip(np.einsum("chw,c->hw", normal, sun), 0, None) * pick(rng, 0, 1.3)
    light = direct + pick(rng, 0.25, 0.6) * (0.6 + 0.4 * normal[1])
    steep = np.hypot(*rise)
    colours = _colour_ground((x, height, z), steep, known / camera.focal, library, rng)
    top, bottom = (to_linear(colour)[:, None, None] for colour in draw_sky(rng))
    up = np.clip(rays[1] * 1.5 + 0.2, 0, 1)
    sky = bottom + (top - bottom) * up
    if rng.random() < 0.6:
        clouds = _clouds(rays, rng)
        sky = sky + (0.95 - sky) * clouds
    painted = to_linear(colours).transpose(2, 0, 1) * light
    return np.asarray(np.where(np.isfinite(depth), painted, sky), np.float32)


def _clouds(rays: Floats, rng: np.random.Generator) -> Floats:
    grid = rng.uniform(0, 1, (32, 32)).astype(np.float32)
    x, y = rays[0] / rays[2] * 5 + 9, rays[1] / rays[2] * 9 + 9
    total = sum(_look_up(grid, x * 2**n, y * 2**n) / 2**n for n in range(4)) / 1.9
    return np.asarray(np.clip((total - pick(rng, 0.4, 0.7)) * 5, 0, 1))


def _plant(view: View, terrain: Terrain, camera: Camera, rng: np.random.Generator) -> None:
    """Trees where there is ground, smaller the farther they are."""
    cards = []
    tall = pick(rng, 1, 14)
    for _ in range(int(rng.integers(0, _TREES)) if rng.random() < 0.75 else 0):
        depth = 5 * math.exp(pick(rng, 0, 4.5))
        x = camera.position[0] + pick(rng, -0.9, 0.9) * depth * camera.width / 2 / camera.focal
        z = camera.position[2] + depth
        foot = np.array([x, terrain.at(x, z) - 0.2, z], np.float32)
        cards.append(stand_tree(foot, tall * pick(rng, 0.4, 1.2), rng))
    shift = math.tan(math.radians(camera.pitch)) * camera.focal
    level = Camera(camera.position, 0, 0, 0, camera.fov, camera.height, camera.width)
    draw_cards(view, cards, level, np.full(3, pick(rng, 0.25, 0.6), np.float32), shift)
