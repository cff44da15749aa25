"""Streets: houses on both sides, cars, lamps, trees and people, in the sun or under cloud."""

from __future__ import annotations

import numpy as np

from belamy.pixels.rendering.camera import Camera, Floats
from belamy.pixels.rendering.materials import Library
from belamy.pixels.rendering.paint import View, look_at
from belamy.pixels.rendering.palette import Palette, pick
from belamy.pixels.rendering.plants import stand_person, stand_tree
from belamy.pixels.rendering.scene import Lamp, Scene

__all__ = ["FAR", "draw_sky", "light_outdoors", "look_along_street"]

FAR = 600.0
"""Metres: what the sky's depth is taken for."""

_END = 320.0  # metres, where a street ends
_SUN = 1000.0  # metres to the sun: far enough for its rays to be parallel


def draw_sky(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Colours above and at the horizon: blue, white or dull."""
    light = pick(rng, 0.55, 1.0)
    blue = np.array([1 - 1.6 * (1 - (low := pick(rng, 0.6, 0.97))), low, 1.0])
    top = light * (blue if rng.random() < 0.6 else np.ones(3))
    bottom = light * np.clip(1 + rng.normal(0, 0.04, 3), 0.8, 1)
    return top.astype(np.float32), bottom.astype(np.float32)


def light_outdoors(scene: Scene, rng: np.random.Generator) -> None:
    """The sun, more or less behind clouds, and the sky's own light."""
    scene.sky = draw_sky(rng)
    sun = pick(rng, 0, 1.6) * np.array([1.0, pick(rng, 0.85, 1), pick(rng, 0.7, 1)])
    way = np.array([rng.normal(), pick(rng, 0.3, 1.5), rng.normal()])
    place = way / np.linalg.norm(way) * _SUN
    scene.lamps.append(
        Lamp(place.astype(np.float32), sun.astype(np.float32), pick(rng, 5, 60), far=True)
    )
    scene.ambient = (pick(rng, 0.3, 0.7) * np.array([0.92, 0.97, 1.05])).astype(np.float32)


def _houses(scene: Scene, palette: Palette, wide: float) -> None:
    rng = palette.rng
    for side in (-1, 1):
        z = pick(rng, -15, 5)
        while z < _END and scene.count < 90:
            length, deep, high = pick(rng, 6, 24), pick(rng, 6, 14), rng.gamma(5, 2.2) + 3
            wall = palette.pale() if rng.random() < 0.5 else palette.dull()
            period = pick(rng, 2.2, 4)
            front = palette.pattern("facade", wall, period=period)
            if rng.random() < 0.15:
                front = palette.library.photo(wall, pick(rng, 0.5, 1), rng, period=period * 2)
            roof = palette.pattern("rough", palette.any(), period=2.0)
            x = side * (wide + deep / 2 + pick(rng, 0, 2.5))
            top = roof if rng.random() < 0.5 else front
            faces = [front, front, roof, top, front, front]
            scene.add((x, high / 2, z + length / 2), (deep, high, length), faces)
            if rng.random() < 0.4:
                size = (deep * 0.8, pick(rng, 1, 3), length * 0.9)
                scene.add((x, high + 0.8, z + length / 2), size, roof)
            z += length + (pick(rng, 0.5, 20) if rng.random() < 0.45 else 0)
    if rng.random() < 0.4:  # something at the end
        far = pick(rng, 60, _END)
        front = palette.pattern("facade", palette.pale(), period=3.5)
        scene.add((pick(rng, -9, 9), 9, far), (pick(rng, 10, 40), pick(rng, 10, 50), 10), front)


def _ground(scene: Scene, palette: Palette, wide: float) -> None:
    rng = palette.rng
    grey = np.full(3, pick(rng, 0.18, 0.6), np.float32)
    road = palette.pattern("rough", grey, period=pick(rng, 1.5, 5))
    if rng.random() < 0.25:
        road = palette.pattern("rough", palette.any(), period=pick(rng, 1.5, 5))
    scene.add((0, -0.5, _END / 2), (2000, 1.0, 2000), road)
    pavement = palette.pattern("tiles", palette.pale(), period=2.0)
    broad = pick(rng, 1, 3)
    for side in (-1, 1):
        place = (side * (wide - broad / 2), 0.06, _END / 2)
        scene.add(place, (broad, 0.12, 2 * _END), pavement)
    white = palette.pattern("plaster", np.full(3, 0.85, np.float32))
    if rng.random() < 0.6:
        for number in range(16):
            scene.add((0, 0.005, 3 + 8.0 * number), (0.14, 0.01, 3.0), white)


def _traffic(scene: Scene, palette: Palette, wide: float) -> None:
    rng = palette.rng
    glass = palette.pattern("plaster", palette.dark())
    for _ in range(int(rng.integers(0, 9))):
        z, side = pick(rng, 5, 90), rng.choice([-1, 1])
        x = side * pick(rng, 0.3, 0.75) * wide
        long, high = pick(rng, 3.8, 5), pick(rng, 0.55, 0.9)
        paint = palette.pattern("plaster", palette.any())
        if rng.random() < 0.12:  # a van or a bus
            long, high = pick(rng, 5, 11), pick(rng, 1.8, 2.7)
        scene.add((x, 0.3 + high / 2, z), (1.8, high, long), paint)
        scene.add(
            (x, 0.3 + high + 0.28, z), (1.6, 0.56, long * 0.55), [glass] * 3 + [paint] + [glass] * 2
        )
    dark = palette.pattern("plaster", palette.dark())
    for number in range(int(rng.integers(0, 8))):
        for side in (-1, 1):
            high = pick(rng, 4, 7)
            scene.add((side * wide * 0.86, high / 2, 6.0 + 22 * number), (0.13, high, 0.13), dark)


def _plant(scene: Scene, library: Library, rng: np.random.Generator, wide: float) -> None:
    for _ in range(int(rng.integers(0, 26)) if rng.random() < 0.7 else 0):
        x = rng.choice([-1, 1]) * pick(rng, 0.75, 1.3) * wide
        foot = np.array([x, 0, pick(rng, 4, 150)], np.float32)
        scene.cards.append(stand_tree(foot, pick(rng, 1, 9), rng))
    for _ in range(int(rng.integers(0, 12)) if rng.random() < 0.6 else 0):
        foot = np.array([pick(rng, -wide, wide), 0, pick(rng, 3, 60)], np.float32)
        scene.cards.append(stand_person(foot, library, rng))


def look_along_street(library: Library, seed: tuple[int, ...], side: int) -> View:
    """A street at random, from somewhere in it.

    Args:
        library: the textures.
        seed: of everything.
        side: of the picture in pixels.
    """
    rng = np.random.default_rng(seed)
    palette, scene, wide = Palette(library, rng), Scene(), pick(rng, 4, 16)
    _ground(scene, palette, wide)
    _houses(scene, palette, wide)
    _traffic(scene, palette, wide)
    _plant(scene, library, rng, wide)
    light_outdoors(scene, rng)
    high = pick(rng, 1.3, 2.2) if rng.random() < 0.7 else pick(rng, 3, 30)
    place = (pick(rng, -wide * 0.7, wide * 0.7), high, 0.0)
    pitch = rng.normal(0, 6) - (high - 1.5) * 0.7
    camera = Camera(
        place,
        float(rng.normal(0, 14)),
        float(pitch),
        float(rng.normal(0, 1.5)),
        pick(rng, 30, 85),
        side,
        side,
    )
    view = look_at(scene, camera, library, rng)
    return View(view.colours, np.minimum(view.depth, FAR))
