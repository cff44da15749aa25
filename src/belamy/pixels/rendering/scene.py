"""A scene as it is put together: boxes with a material on each face, cards, lamps and a sky."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from belamy.pixels.rendering.boxes import Boxes
from belamy.pixels.rendering.camera import Floats
from belamy.pixels.rendering.materials import Material

__all__ = ["Card", "Faces", "Lamp", "Scene"]

Triple = tuple[float, float, float] | Floats | Sequence[float]

_FACES = 6  # of a box: −x, +x, −y, +y, −z, +z


@dataclass(frozen=True)
class Lamp:
    """A light.

    Args:
        position: (3,) in metres.
        colour: (3,) linear, what it gives at one metre; at any distance where it is `far`.
        size: in metres, how large it is: the softness of its shadows.
        far: whether it is as far as the sun.
    """

    position: Floats
    colour: Floats
    size: float
    far: bool = False


@dataclass(frozen=True)
class Card:
    """A flat thing that always faces the camera: a tree, a shrub, a person.

    Args:
        foot: (3,) the middle of its lower border, in metres.
        width, height: in metres.
        colours: (h, w, 3) sRGB.
        mask: (h, w), where it is.
    """

    foot: Floats
    width: float
    height: float
    colours: Floats
    mask: NDArray[np.bool_]


@dataclass(frozen=True)
class Faces:
    """The materials of all faces of all boxes, (6·B,) each: see `Material`."""

    texture: NDArray[np.int64]
    base: Floats
    gain: Floats
    period: Floats
    light: Floats


@dataclass
class Scene:
    """What is there, while it is put together.

    Args:
        ambient: (3,) linear, the light that comes from everywhere.
        sky: (top, bottom) colours, sRGB, of what rays see that meet nothing.
    """

    ambient: Floats = field(default_factory=lambda: np.full(3, 0.3, np.float32))
    sky: tuple[Floats, Floats] = field(
        default_factory=lambda: (np.full(3, 0.8, np.float32), np.full(3, 0.95, np.float32))
    )
    cards: list[Card] = field(default_factory=list)
    lamps: list[Lamp] = field(default_factory=list)
    _rows: list[tuple[Triple, Triple, float, bool]] = field(default_factory=list)
    _materials: list[Material] = field(default_factory=list)

    def add(
        self,
        centre: Triple,
        size: Triple,
        material: Material | Sequence[Material],
        *,
        yaw: float = 0.0,
        hollow: bool = False,
    ) -> None:
        """A box, of one material or one for each face (−x, +x, −y, +y, −z, +z).

        Args:
            centre, size: in metres.
            material: of all faces, or of each.
            yaw: in radians.
            hollow: whether it is seen from within.
        """
        self._rows.append((centre, size, yaw, hollow))
        same = [material] * _FACES if isinstance(material, Material) else material
        self._materials.extend(same)

    def add_group(
        self, origin: Triple, yaw: float, parts: Sequence[tuple[Triple, Triple, Material]]
    ) -> None:
        """Boxes of one piece of furniture, placed as one.

        Args:
            origin: where the piece stands, in metres.
            yaw: how it is turned, in radians.
            parts: centre in the piece's own frame, size, and material of each.
        """
        cos, sin = np.cos(yaw), np.sin(yaw)
        for (x, y, z), size, material in parts:
            turned = (cos * x + sin * z, y, cos * z - sin * x)
            place = [a + b for a, b in zip(turned, origin, strict=True)]
            self.add(place, size, material, yaw=yaw)

    @property
    def count(self) -> int:
        """How many boxes there are."""
        return len(self._rows)

    def boxes(self) -> Boxes:
        """All boxes, as arrays."""
        centres, sizes, yaws, hollow = zip(*self._rows, strict=True)
        return Boxes(
            np.asarray(centres, np.float32),
            np.asarray(sizes, np.float32) / 2,
            np.asarray(yaws, np.float32),
            np.asarray(hollow),
        )

    def faces(self) -> Faces:
        """The materials of all faces, as arrays."""
        return Faces(
            np.asarray([one.texture for one in self._materials], np.int64),
            np.stack([one.base for one in self._materials]).astype(np.float32),
            np.stack([one.gain for one in self._materials]).astype(np.float32),
            np.asarray([one.period for one in self._materials], np.float32),
            np.asarray([one.light for one in self._materials], np.float32),
        )
