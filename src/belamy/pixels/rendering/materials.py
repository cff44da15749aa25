"""What surfaces are made of: patterns drawn by rule and crops of photos, in one library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from belamy.pixels.rendering.camera import Floats

__all__ = ["PATTERNS", "SIDE", "Library", "Material"]

SIDE = 64
"""Pixels of a texture's side."""

_EACH = 24  # textures of each pattern
_LEVELS = 4  # sizes of each texture, each half the one before

Draw = np.random.Generator


def _noise(rng: Draw, cells: int) -> Floats:
    """Smooth noise (SIDE, SIDE) in [−1, 1] that repeats at the borders."""
    grid = rng.uniform(-1, 1, (cells, cells))
    at = np.arange(SIDE) / SIDE * cells
    low = at.astype(int)
    part = at - low
    part = part * part * (3 - 2 * part)
    rows = grid[low] * (1 - part)[:, None] + grid[(low + 1) % cells] * part[:, None]
    both = rows[:, low] * (1 - part) + rows[:, (low + 1) % cells] * part
    return np.asarray(both, np.float32)


def _rough(rng: Draw) -> Floats:
    total = sum(_noise(rng, cells) * rng.uniform(0, 0.5) for cells in (2, 4, 8, 16, 32, 64))
    return np.asarray(0.5 + rng.uniform(0.05, 0.35) * total)


def _plaster(rng: Draw) -> Floats:
    return np.asarray(0.5 + rng.uniform(0, 0.03) * (_noise(rng, 2) + 0.5 * _noise(rng, 32)))


def _planks(rng: Draw) -> Floats:
    count = int(rng.choice([4, 8, 16]))
    tone = rng.uniform(-1, 1, count).repeat(SIDE // count)[:, None]
    grain = _noise(rng, 64)[:, :1] + 0.5 * _noise(rng, 16)
    gap = (np.arange(SIDE) % (SIDE // count) == 0)[:, None]
    wood = 0.5 + 0.08 * tone + rng.uniform(0.02, 0.08) * grain
    return np.where(gap, wood * rng.uniform(0.4, 0.9), wood)


def _stripes(rng: Draw) -> Floats:
    period = int(rng.choice([2, 4, 8, 16, 32]))
    wave = (np.arange(SIDE) % period < period / 2)[None, :].repeat(SIDE, 0)
    return np.asarray(0.5 + rng.uniform(0.03, 0.4) * (wave - 0.5) + 0.03 * _noise(rng, 8))


def _tiles(rng: Draw) -> Floats:
    period = int(rng.choice([8, 16, 32]))
    at = np.arange(SIDE) % period == 0
    joint = at[:, None] | at[None, :]
    tone = rng.uniform(-1, 1, (SIDE // period,) * 2).repeat(period, 0).repeat(period, 1)
    flat = 0.5 + rng.uniform(0, 0.15) * tone + 0.03 * _noise(rng, 16)
    return np.where(joint, flat * rng.uniform(0.3, 1.3), flat)


def _facade(rng: Draw) -> Floats:
    """One window of a house, with its frame; the wall around it."""
    wall = 0.5 + rng.uniform(0, 0.08) * (_noise(rng, 16) + _noise(rng, 64))
    left, right = int(rng.integers(6, 24)), int(rng.integers(40, 58))
    top, bottom = int(rng.integers(6, 24)), int(rng.integers(40, 58))
    wall[top - 3 : bottom + 3, left - 3 : right + 3] = rng.uniform(0.3, 0.8)
    glass = rng.uniform(0.03, 0.35) + 0.1 * _noise(rng, 4)
    wall[top:bottom, left:right] = glass[top:bottom, left:right]
    if rng.random() < 0.7:
        wall[top:bottom, (left + right) // 2 - 1 : (left + right) // 2 + 1] = rng.uniform(0.3, 0.8)
    return np.asarray(wall)


def _doors(rng: Draw) -> Floats:
    """Fronts of a cupboard, with gaps and handles."""
    front = np.full((SIDE, SIDE), 0.5) + 0.02 * _noise(rng, 8)
    step = int(rng.choice([16, 32, 64]))
    front[:, ::step] = rng.uniform(0.1, 0.35)
    front[:: int(rng.choice([16, 32, 64]))] = rng.uniform(0.1, 0.35)
    for column in range(step // 2, SIDE, step):
        front[28:36, column : column + 2] = rng.uniform(0.05, 0.9)
    return np.asarray(front)


def _spots(rng: Draw) -> Floats:
    return np.asarray(0.5 + rng.uniform(0.05, 0.4) * np.sign(_noise(rng, int(rng.integers(6, 32)))))


PATTERNS: dict[str, Callable[[Draw], Floats]] = {
    "plaster": _plaster,
    "rough": _rough,
    "planks": _planks,
    "stripes": _stripes,
    "tiles": _tiles,
    "facade": _facade,
    "doors": _doors,
    "spots": _spots,
}
"""Grey textures of mean about ½, by which a colour is multiplied."""


@dataclass(frozen=True)
class Material:
    """How a face looks.

    Args:
        texture: index in the library.
        base, gain: (3,) its colour is base + gain·texture, sRGB.
        period: metres that the texture covers once; 0 stretches it over the face.
        light: what it gives off by itself, in parts of its colour.
    """

    texture: int
    base: Floats
    gain: Floats
    period: float = 1.0
    light: float = 0.0


class Library:
    """Every texture that scenes are made of.

    Args:
        photos: uint8 (N, S, S, 3) of any side, out of which textures are cut.
        seed: of the patterns.
    """

    def __init__(self, photos: NDArray[np.uint8], seed: int = 0) -> None:
        rng = np.random.default_rng([seed, 7])
        drawn = [
            np.clip(draw(rng), 0, 1)[..., None].repeat(3, -1)
            for draw in PATTERNS.values()
            for _ in range(_EACH)
        ]
        cut = [_shrink(one) for one in photos]
        full = np.stack([*drawn, *cut]).astype(np.float32)
        self.photos = len(cut)
        self.levels = [full]
        for _ in range(_LEVELS - 1):
            last = self.levels[-1]
            count, side = len(last), last.shape[1] // 2
            self.levels.append(last.reshape(count, side, 2, side, 2, 3).mean((2, 4)))

    def pattern(self, name: str, colour: Floats, rng: Draw, **how: float) -> Material:
        """A pattern of a kind, in a colour."""
        index = list(PATTERNS).index(name) * _EACH + int(rng.integers(_EACH))
        return Material(index, np.zeros(3, np.float32), 2 * np.asarray(colour, np.float32), **how)

    def photo(self, colour: Floats, mixed: float, rng: Draw, **how: float) -> Material:
        """A photo, of which a part is a colour."""
        index = len(PATTERNS) * _EACH + int(rng.integers(self.photos))
        base = np.asarray(colour, np.float32) * (1 - mixed)
        return Material(index, base, np.full(3, mixed, np.float32), **how)

    def sample(self, texture: NDArray[np.int64], u: Floats, v: Floats, level: Floats) -> Floats:
        """Colours (…, 3) at places that repeat after 1, the nearest pixel of the size `level`."""
        found = np.empty((*u.shape, 3), np.float32)
        chosen = np.clip(np.round(level), 0, _LEVELS - 1).astype(np.int64)
        for index, pixels in enumerate(self.levels):
            there = chosen == index
            side = pixels.shape[1]
            row = (v[there] % 1 * side).astype(np.int64) % side
            column = (u[there] % 1 * side).astype(np.int64) % side
            found[there] = pixels[texture[there], row, column]
        return found


def _shrink(photo: NDArray[np.uint8]) -> Floats:
    """The middle of a photo at the side of a texture, in [0, 1]."""
    factor = max(1, min(photo.shape[:2]) // SIDE)
    side = SIDE * factor
    if min(photo.shape[:2]) < side:
        raise ValueError(f"a photo of {photo.shape[:2]}; textures are cut out of {SIDE} pixels")
    top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
    square = photo[top : top + side, left : left + side].astype(np.float32) / 255
    return np.asarray(square.reshape(SIDE, factor, SIDE, factor, 3).mean((1, 3)))
