"""Boxes in space, and which of them a ray meets first: exact depth, by the slab test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from belamy.pixels.rendering.camera import Camera, Floats

__all__ = ["MISS", "Boxes", "Hits", "find_distance", "trace"]

MISS = -1
"""Instead of a box, where a ray meets none."""

_NEAR = 0.05  # metres before the camera, where things begin to be seen
_FLAT = 1e-9  # a ray's part along an axis, at least, so that it may be divided by


@dataclass(frozen=True)
class Boxes:
    """Boxes that stand upright, each turned about its own vertical axis.

    Args:
        centres: (B, 3) in metres.
        halves: (B, 3), half of each side.
        yaws: (B,) in radians.
        hollow: (B,), whether a box is seen from within, as a room is.
    """

    centres: Floats
    halves: Floats
    yaws: Floats
    hollow: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.centres)

    def corners(self) -> Floats:
        """Of every box, (B, 8, 3)."""
        signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        x, y, z = np.moveaxis(signs[None] * self.halves[:, None], -1, 0)
        cos, sin = np.cos(self.yaws)[:, None], np.sin(self.yaws)[:, None]
        turned = np.stack([cos * x + sin * z, y, cos * z - sin * x], axis=-1)
        return (turned + self.centres[:, None]).astype(np.float32)

    def to_local(self, vectors: Floats, which: NDArray[np.int64]) -> Floats:
        """Vectors (3, …) in the frame of the boxes `which` (…)."""
        cos, sin = np.cos(self.yaws)[which], np.sin(self.yaws)[which]
        x, y, z = vectors
        return np.stack([cos * x - sin * z, y, sin * x + cos * z])

    def to_world(self, vectors: Floats, which: NDArray[np.int64]) -> Floats:
        """The reverse of `to_local`."""
        cos, sin = np.cos(self.yaws)[which], np.sin(self.yaws)[which]
        x, y, z = vectors
        return np.stack([cos * x + sin * z, y, cos * z - sin * x])


@dataclass(frozen=True)
class Hits:
    """What rays meet.

    Args:
        depth: (H, W), infinite where they meet nothing.
        which: (H, W), the box, or `MISS`.
    """

    depth: Floats
    which: NDArray[np.int64]


def _slabs(boxes: Boxes, index: int, origin: Floats, rays: Floats) -> tuple[Floats, Floats]:
    """Where rays (3, …) from `origin` (3, …) enter and leave a box."""
    cos, sin = np.cos(boxes.yaws[index]), np.sin(boxes.yaws[index])
    centre, half = boxes.centres[index], boxes.halves[index]
    shift = [origin[axis] - centre[axis] for axis in range(3)]
    starts = (cos * shift[0] - sin * shift[2], shift[1], sin * shift[0] + cos * shift[2])
    if sin == 0:
        ways = (rays[0], rays[1], rays[2])
    else:
        ways = (cos * rays[0] - sin * rays[2], rays[1], sin * rays[0] + cos * rays[2])
    enter, leave = np.full((), -np.inf, np.float32), np.full((), np.inf, np.float32)
    for start, way, extent in zip(starts, ways, half, strict=True):
        inverse = 1 / np.where(np.abs(way) < _FLAT, np.float32(_FLAT), way)
        middle, reach = -start * inverse, np.abs(extent * inverse)
        enter, leave = np.maximum(enter, middle - reach), np.minimum(leave, middle + reach)
    return enter, leave


def _windows(boxes: Boxes, camera: Camera) -> list[tuple[slice, slice] | None]:
    """The rows and columns that each box can be in; None for those behind the camera."""
    corners = boxes.corners()
    column, row, depth = (x.reshape(-1, 8) for x in camera.project(corners.reshape(-1, 3)))
    cut = depth.min(1) <= _NEAR  # by the camera's plane: it may be anywhere
    top, bottom, left, right = (
        np.where(cut, whole, np.clip(x, 0, most)).astype(int).tolist()
        for x, whole, most in (
            (row.min(1), 0, camera.height),
            (row.max(1) + 1, camera.height, camera.height),
            (column.min(1), 0, camera.width),
            (column.max(1) + 1, camera.width, camera.width),
        )
    )
    found = [
        (slice(*rows), slice(*columns))
        for rows, columns in zip(
            zip(top, bottom, strict=True), zip(left, right, strict=True), strict=True
        )
    ]
    return [
        window if seen else None
        for window, seen in zip(found, (depth.max(1) > _NEAR).tolist(), strict=True)
    ]


def trace(boxes: Boxes, camera: Camera, rays: Floats) -> Hits:
    """The first box that each ray meets.

    Args:
        boxes: all that is there.
        camera: where the rays are from.
        rays: (3, H, W), of `camera`.
    """
    depth = np.full((camera.height, camera.width), np.inf, np.float32)
    which = np.full(depth.shape, MISS, np.int64)
    origin = np.asarray(camera.position, np.float32)
    for index, window in enumerate(_windows(boxes, camera)):
        if window is None:
            continue
        enter, leave = _slabs(boxes, index, origin, rays[:, window[0], window[1]])
        met = leave if boxes.hollow[index] else enter
        seen = depth[window]
        nearer = (enter <= leave) & (met > _NEAR) & (met < seen)
        seen[nearer] = met[nearer]
        which[window][nearer] = index
    return Hits(depth, which)


def find_distance(boxes: Boxes, origins: Floats, ways: Floats) -> Floats:
    """How far it is along each way to the first box, in the way's own length; infinite to none.

    Args:
        boxes: of which the hollow ones are met from within.
        origins, ways: (3, …) in metres.
    """
    nearest = np.full(ways.shape[1:], np.inf, np.float32)
    for index in range(len(boxes)):
        enter, leave = _slabs(boxes, index, origins, ways)
        met = leave if boxes.hollow[index] else enter
        nearest = np.where((enter <= leave) & (met > 0), np.minimum(nearest, met), nearest)
    return nearest
