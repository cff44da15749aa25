"""Light on surfaces: lamps with soft shadows, and less light from around where things are close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from belamy.pixels.rendering.boxes import Boxes, find_distance
from belamy.pixels.rendering.camera import Floats
from belamy.pixels.rendering.scene import Lamp

__all__ = ["Surfaces", "light_on"]

_BLOCKERS = 28  # boxes that cast shadows, at most: the largest
_AROUND = 4  # rays to each side that say how open a place is
_REACH = 1.2  # metres within which something takes light from around
_STEP = 4  # pixels between places whose light is computed; the others have their neighbours'
_SMOOTH = 2  # places to each side whose light is averaged, for rays are few
_APART = 1e-3  # metres from a surface, where rays begin
_LEAST_LIGHT = 0.25  # of the light from around reaches every corner


@dataclass(frozen=True)
class Surfaces:
    """What is seen, pixel by pixel.

    Args:
        points, normals: (3, H, W).
        face: (H, W), a number for each face of each box; below 0 is nothing.
    """

    points: Floats
    normals: Floats
    face: NDArray[np.int64]

    def every(self, step: int) -> Surfaces:
        """One pixel of each square."""
        rows = slice(step // 2, None, step)
        return Surfaces(
            self.points[:, rows, rows], self.normals[:, rows, rows], self.face[rows, rows]
        )


def light_on(
    surfaces: Surfaces,
    boxes: Boxes,
    lamps: Sequence[Lamp],
    ambient: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Linear light (3, H, W) on every pixel's surface.

    Args:
        surfaces: what is seen.
        boxes: what casts shadows.
        lamps, ambient: as in a `Scene`.
        rng: of the rays.
    """
    few, small = _largest(boxes), surfaces.every(_STEP)
    origins = small.points + _APART * small.normals
    open_ = _openness(origins, small.normals, few, rng)
    total = ambient[:, None, None] * (_LEAST_LIGHT + (1 - _LEAST_LIGHT) * open_)
    for lamp in lamps:
        total = total + _from_lamp(lamp, origins, small.normals, few, rng)
    smooth = _average_alike(total, small.face)
    return _enlarge_alike(smooth, small.face, surfaces.face)


def _largest(boxes: Boxes) -> Boxes:
    size = np.sort(boxes.halves, axis=1)[:, 1:].prod(1)  # of the largest face
    kept = np.argsort(-np.where(boxes.hollow, np.inf, size))[:_BLOCKERS]
    return Boxes(boxes.centres[kept], boxes.halves[kept], boxes.yaws[kept], boxes.hollow[kept])


def _directions(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Unit vectors (3, …), all directions alike."""
    drawn = rng.standard_normal((3, *shape)).astype(np.float32)
    return np.asarray(drawn / np.sqrt((drawn**2).sum(0)).clip(1e-6))


def _openness(origins: Floats, normals: Floats, boxes: Boxes, rng: np.random.Generator) -> Floats:
    """How much of what is around a place is open, 0 to 1."""
    total = np.zeros(origins.shape[1:], np.float32)
    for _ in range(_AROUND):
        ways = normals + 0.999 * _directions(origins.shape[1:], rng)  # by the cosine
        distance = find_distance(boxes, origins, ways)
        total += np.minimum(distance / _REACH, 1)
    return total / _AROUND


def _from_lamp(
    lamp: Lamp, origins: Floats, normals: Floats, boxes: Boxes, rng: np.random.Generator
) -> Floats:
    there = lamp.position[:, None, None] + lamp.size * _directions(origins.shape[1:], rng)
    ways = there - origins
    squared = (ways**2).sum(0)
    facing = (ways * normals).sum(0) / np.sqrt(squared).clip(1e-3)
    seen = find_distance(boxes, origins, ways) >= 1
    power = facing.clip(0) * seen / (1 if lamp.far else (squared + 0.3))
    return np.asarray(lamp.colour[:, None, None] * power)


def _average_alike(light: Floats, face: NDArray[np.int64]) -> Floats:
    """Means over squares, of the same face's places alone."""
    sums, counts = np.zeros_like(light), np.zeros(face.shape, np.float32)
    height, width = face.shape
    steps = range(-_SMOOTH, _SMOOTH + 1)
    for down in steps:
        for across in steps:
            rows = np.clip(np.arange(height) + down, 0, height - 1)[:, None]
            columns = np.clip(np.arange(width) + across, 0, width - 1)[None]
            same = face[rows, columns] == face
            sums += light[:, rows, columns] * same
            counts += same
    return np.asarray(sums / counts)


def _enlarge_alike(light: Floats, small: NDArray[np.int64], face: NDArray[np.int64]) -> Floats:
    """Bilinear between places of the pixel's own face; the nearest place's where there is none."""
    height, width = small.shape
    row, column = (
        np.clip((np.arange(length) - _STEP // 2) / _STEP, 0, most - 1)
        for length, most in zip(face.shape, small.shape, strict=True)
    )
    sums, weights = np.zeros((3, *face.shape), np.float32), np.full(face.shape, 1e-4, np.float32)
    near = (np.round(row).astype(int)[:, None], np.round(column).astype(int)[None])
    sums += 1e-4 * light[:, near[0], near[1]]
    for down in (0, 1):
        rows = np.minimum(row.astype(int) + down, height - 1)[:, None]
        part = np.abs(1 - down - row % 1)[:, None]
        for across in (0, 1):
            columns = np.minimum(column.astype(int) + across, width - 1)[None]
            weight = part * np.abs(1 - across - column % 1)[None]
            weight = (weight * (small[rows, columns] == face)).astype(np.float32)
            sums += weight * light[:, rows, columns]
            weights += weight
    return np.asarray(sums / weights)
