"""Cards that stand in scenes: trees, shrubs, and people."""

from __future__ import annotations

import numpy as np

from belamy.pixels.rendering.camera import Floats
from belamy.pixels.rendering.materials import Library
from belamy.pixels.rendering.palette import pick
from belamy.pixels.rendering.scene import Card

__all__ = ["stand_person", "stand_tree"]

_SIDE = 160  # pixels of a card's picture
_BLOBS = 14  # of a crown


def _noise(rng: np.random.Generator, cells: int) -> Floats:
    """Coarse noise (_SIDE, _SIDE) in [0, 1], in squares."""
    each = -(-_SIDE // cells)
    grid = rng.random((cells, cells)).repeat(each, 0).repeat(each, 1)
    return np.asarray(grid[:_SIDE, :_SIDE], np.float32)


def _axes() -> tuple[Floats, Floats]:
    at = (np.arange(_SIDE, dtype=np.float32) + 0.5) / _SIDE
    return at[:, None], at[None]


def stand_tree(foot: Floats, height: float, rng: np.random.Generator) -> Card:
    """A tree or a shrub: a trunk, and a crown of round parts with gaps between its leaves.

    Args:
        foot: where it stands, (3,) in metres.
        height: in metres.
        rng: of its form and colour.
    """
    y, x = _axes()
    pointed, leaves = rng.random() < 0.4, _noise(rng, int(rng.integers(50, 160)))
    if pointed:
        crown = np.abs(x - 0.5) < 0.45 * y * (0.7 + 0.3 * np.sin(y * pick(rng, 15, 45)))
        crown &= (y < 0.88) & (leaves > 0.12)
    else:
        spread = np.zeros((_SIDE, _SIDE), np.bool_)
        for _ in range(_BLOBS):
            row, column, radius = pick(rng, 0.2, 0.6), pick(rng, 0.2, 0.8), pick(rng, 0.08, 0.2)
            spread |= (y - row) ** 2 + (x - column) ** 2 < radius**2
        crown = spread & (leaves > pick(rng, 0.05, 0.4))
    trunk = (np.abs(x - 0.5) < pick(rng, 0.015, 0.04)) & (y > 0.4)
    green = np.array([pick(rng, 0.1, 0.45), pick(rng, 0.25, 0.5), pick(rng, 0.05, 0.25)])
    tone = 0.4 + 0.9 * _noise(rng, 80) * (1.1 - 0.5 * y)
    colours = np.where(crown[..., None], green * tone[..., None], [0.2, 0.15, 0.1])
    width = height * (pick(rng, 0.3, 0.55) if pointed else pick(rng, 0.6, 1.2))
    return Card(foot, width, height, colours.astype(np.float32), crown | trunk)


def stand_person(foot: Floats, library: Library, rng: np.random.Generator) -> Card:
    """Somebody standing: head, body, legs, in clothes cut from a photo."""
    y, x = _axes()
    head = ((y - 0.08) / 0.075) ** 2 + ((x - 0.5) / 0.16) ** 2 < 1
    body = (np.abs(x - 0.5) < 0.3) & (y > 0.16) & (y < 0.55)
    apart = pick(rng, 0.02, 0.08)
    legs = (np.abs(x - 0.5) < 0.22) & (np.abs(x - 0.5) > apart) & (y >= 0.55)
    skin = np.array([0.8, 0.6, 0.45]) * pick(rng, 0.3, 1.1)
    texture = library.levels[0][-1 - int(rng.integers(library.photos))]
    clothes = texture[(np.arange(_SIDE) * len(texture)) // _SIDE]
    clothes = clothes[:, (np.arange(_SIDE) * len(texture)) // _SIDE]
    dark = clothes * 0 + rng.uniform(0.02, 0.5, 3)
    colours = np.where(head[..., None], skin, np.where(body[..., None], clothes, dark))
    return Card(foot, 0.6, pick(rng, 1.5, 1.9), colours.astype(np.float32), head | body | legs)
