"""A pinhole camera: rays out of it, and points into it.

The world is in metres, x to the right, y up, z ahead of a camera that has not been turned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Camera", "Floats"]

Floats = NDArray[np.floating[Any]]

_NEAR = 0.05  # metres: corners behind this plane have no place in the picture


@dataclass(frozen=True)
class Camera:
    """A pinhole camera.

    Args:
        position: of the pinhole, in metres.
        yaw: to the right, in degrees; pitch: upwards; roll: clockwise.
        fov: the horizontal angle of view, in degrees.
        height, width: of the picture, in pixels.
    """

    position: tuple[float, float, float]
    yaw: float
    pitch: float
    roll: float
    fov: float
    height: int
    width: int

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return self.width / 2 / math.tan(math.radians(self.fov) / 2)

    def axes(self) -> Floats:
        """Right, up and ahead as rows, (3, 3)."""
        yaw, pitch, roll = (math.radians(angle) for angle in (self.yaw, self.pitch, self.roll))
        ahead = np.array(
            [math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch)]
        )
        right = np.array([math.cos(yaw), 0.0, -math.sin(yaw)])
        up = np.cross(ahead, right)
        turned = right * math.cos(roll) - up * math.sin(roll)
        return np.stack([turned, np.cross(ahead, turned), ahead]).astype(np.float32)

    def rays(self) -> Floats:
        """Directions through the middle of each pixel, (3, H, W), one metre long along the axis:
        the parameter of a point on a ray is its depth."""
        across = (np.arange(self.width) + 0.5 - self.width / 2) / self.focal
        down = (np.arange(self.height) + 0.5 - self.height / 2) / self.focal
        right, up, ahead = self.axes()
        rays = (
            right[:, None, None] * across[None, None, :]
            - up[:, None, None] * down[None, :, None]
            + ahead[:, None, None]
        )
        return np.asarray(rays, np.float32)

    def project(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """Column, row and depth of points (N, 3); a point behind the camera has no place, and its
        depth says so."""
        local = (points - np.asarray(self.position, np.float32)) @ self.axes().T
        depth = local[:, 2]
        safe = np.maximum(depth, _NEAR)
        column = local[:, 0] / safe * self.focal + self.width / 2
        row = -local[:, 1] / safe * self.focal + self.height / 2
        return column, row, depth
