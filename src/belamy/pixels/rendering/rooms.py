"""Rooms: walls, windows, furniture and clutter, lit by lamps and daylight."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from belamy.pixels.rendering.boxes import trace
from belamy.pixels.rendering.camera import Camera, Floats
from belamy.pixels.rendering.furniture import ON_THE_WALL, STANDING, choose
from belamy.pixels.rendering.materials import Library
from belamy.pixels.rendering.paint import View, look_at
from belamy.pixels.rendering.palette import Palette, pick
from belamy.pixels.rendering.scene import Lamp, Scene

__all__ = ["look_into_room"]

_HALL = 0.15  # of the rooms are halls, shops, corridors: larger than one lives in
_NEAREST = 0.45  # metres of depth that the nearest place of a picture has, at least, in most
_TRIES = 6  # cameras that are tried, until one has room before it


def _draw_size(rng: np.random.Generator) -> tuple[float, float, float]:
    """Width, height and depth in metres."""
    if rng.random() < _HALL:
        return pick(rng, 2, 14), pick(rng, 2.6, 5), pick(rng, 8, 20)
    return pick(rng, 2.2, 6.5), pick(rng, 2.3, 3.1), pick(rng, 2.8, 7.5)


def _build_shell(scene: Scene, palette: Palette, size: tuple[float, float, float]) -> None:
    wide, high, deep = size
    wall = palette.wall()
    other = palette.wall() if palette.rng.random() < 0.3 else wall
    ceiling = palette.pattern("plaster", palette.pale(), period=2.0)
    if palette.rng.random() < 0.2:
        ceiling = palette.pattern("tiles", palette.pale(), period=pick(palette.rng, 1, 2.5))
    walls = [wall, wall, palette.floor(), ceiling, other, other]
    scene.add((0, high / 2, deep / 2), size, walls, hollow=True)
    if palette.rng.random() < 0.6:  # skirting boards
        board, tall = palette.thing(), pick(palette.rng, 0.06, 0.15)
        for side in (-1, 1):
            scene.add((side * wide / 2, tall / 2, deep / 2), (0.03, tall, deep), board)
        scene.add((0, tall / 2, deep), (wide, tall, 0.03), board)


def _places(
    size: tuple[float, float, float], margin: float, rng: np.random.Generator
) -> tuple[float, float, float]:
    """A place at a wall: x, z, and the yaw at which a piece has its back to it."""
    wide, _, deep = size
    side = rng.random()
    if side < 0.36:
        return pick(rng, -wide / 2 + margin, wide / 2 - margin), deep, math.pi
    left = side < 0.68
    z = pick(rng, min(margin, deep / 3), deep - min(margin, deep / 3))
    return (-wide / 2, z, math.pi / 2) if left else (wide / 2, z, -math.pi / 2)


def _furnish(scene: Scene, palette: Palette, size: tuple[float, float, float]) -> None:
    rng = palette.rng
    area = size[0] * size[2]
    for _ in range(int(rng.integers(3, 8 + int(min(12, area / 4))))):
        parts = choose(STANDING, rng)(palette)
        if rng.random() < 0.65:
            x, z, yaw = _places(size, 0.5, rng)
            yaw += rng.normal(0, 0.03)
        else:
            x, z = pick(rng, -size[0] / 2.5, size[0] / 2.5), pick(rng, size[2] * 0.3, size[2] * 0.9)
            yaw = pick(rng, -math.pi, math.pi)
        scene.add_group((x, 0, z), yaw, parts)
    for _ in range(int(rng.integers(1, 9))):
        x, z, yaw = _places(size, 0.6, rng)
        parts = choose(ON_THE_WALL, rng)(palette)
        scene.add_group((x, pick(rng, 1.35, 1.75), z), yaw, parts)
    if rng.random() < 0.4:
        extent = (pick(rng, 1, 3), 0.02, pick(rng, 1, 3))
        scene.add((pick(rng, -1, 1), 0.01, pick(rng, 1.5, size[2] - 0.5)), extent, palette.cloth())


def _light(scene: Scene, palette: Palette, size: tuple[float, float, float]) -> None:
    rng = palette.rng
    wide, high, deep = size
    warm = np.array([1, pick(rng, 0.75, 1), pick(rng, 0.5, 1.1)], np.float32)
    scene.ambient = (pick(rng, 0.15, 0.6) * (0.5 + 0.5 * warm)).astype(np.float32)
    for _ in range(int(rng.integers(1, 4))):
        x, z = pick(rng, -wide / 2.2, wide / 2.2), pick(rng, 0.1, 0.95) * deep
        y = high * pick(rng, 0.5, 0.93)
        power = pick(rng, 0.5, 4) * (wide * deep / 16) ** 0.5
        place = np.array([x, y, z], np.float32)
        scene.lamps.append(Lamp(place, power * warm, pick(rng, 0.05, 0.8)))
        if rng.random() < 0.4:
            glow = palette.pattern("plaster", palette.pale(), light=pick(rng, 2, 9))
            scene.add((x, high - 0.03, z), (pick(rng, 0.2, 1.2), 0.05, pick(rng, 0.2, 0.8)), glow)


def _draw_camera(size: tuple[float, float, float], rng: np.random.Generator, side: int) -> Camera:
    wide, high, deep = size
    place = (
        pick(rng, -wide / 2.3, wide / 2.3),
        min(pick(rng, 0.8, 1.8), high - 0.2),
        pick(rng, 0.1, deep * 0.35),
    )
    aim = pick(rng, -wide / 2, wide / 2), pick(rng, deep * 0.5, deep)
    yaw = math.degrees(math.atan2(aim[0] - place[0], aim[1] - place[2]))
    pitch, roll = rng.normal(-9, 8), rng.normal(0, 2)
    fov = pick(rng, 38, 88)
    return Camera(place, yaw + rng.normal(0, 12), float(pitch), float(roll), fov, side, side)


def look_into_room(library: Library, seed: tuple[int, ...], side: int) -> View:
    """A room, furnished and lit at random, from somewhere in it.

    Args:
        library: the textures.
        seed: of everything.
        side: of the picture in pixels.
    """
    rng = np.random.default_rng(seed)
    palette, scene, size = Palette(library, rng), Scene(), _draw_size(rng)
    _build_shell(scene, palette, size)
    _furnish(scene, palette, size)
    _light(scene, palette, size)
    for _ in range(_TRIES):
        camera = _draw_camera(size, rng, side)
        if _nearest(scene, camera) > _NEAREST:
            break
    return look_at(scene, camera, library, rng)


def _nearest(scene: Scene, camera: Camera) -> float:
    """How near things are: the depth that a fiftieth of a small picture is below."""
    small = replace(camera, height=24, width=24)
    depth: Floats = trace(scene.boxes(), small, small.rays()).depth
    return float(np.quantile(depth, 0.02))
