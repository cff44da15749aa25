"""Synthetic handwriting: a formula written with a pen, as a painter signs.

Each letter is a few strokes, each stroke a smooth curve through points that were chosen by hand,
in units of the height of an x: the line that one writes on is 0, an x ends at 1, capitals at 1.9.
A writer never makes the same letter twice: points, size, slant and the line itself waver a little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from belamy.devices import make_rng

__all__ = ["LETTERS", "Stroke", "write"]

Curve = tuple[tuple[float, float], ...]

LETTERS: dict[str, tuple[Curve, ...]] = {
    "m": (
        (
            *((0.0, 0.78), (0.13, 0.98), (0.16, 0.5), (0.13, 0.02), (0.17, 0.48), (0.33, 0.92)),
            *((0.49, 0.9), (0.55, 0.5), (0.54, 0.02), (0.58, 0.48), (0.75, 0.93), (0.92, 0.9)),
            *((0.98, 0.45), (1.02, 0.07), (1.16, 0.12)),
        ),
    ),
    "i": (
        ((0.0, 0.75), (0.12, 0.98), (0.13, 0.5), (0.17, 0.06), (0.31, 0.12)),
        ((0.19, 1.42), (0.22, 1.47)),
    ),
    "n": (
        (
            *((0.0, 0.78), (0.13, 0.98), (0.16, 0.5), (0.13, 0.02), (0.18, 0.5), (0.37, 0.93)),
            *((0.55, 0.88), (0.6, 0.45), (0.64, 0.06), (0.78, 0.13)),
        ),
    ),
    "a": (
        (
            *((0.6, 0.88), (0.38, 1.0), (0.12, 0.8), (0.03, 0.4), (0.14, 0.05), (0.36, 0.1)),
            *((0.56, 0.5), (0.64, 0.95), (0.63, 0.45), (0.68, 0.06), (0.84, 0.14)),
        ),
    ),
    "x": (
        ((0.0, 0.88), (0.15, 0.97), (0.33, 0.6), (0.48, 0.2), (0.62, 0.02), (0.76, 0.12)),
        ((0.68, 0.98), (0.36, 0.5), (0.04, 0.0)),
    ),
    "y": (
        (
            *((0.0, 0.95), (0.08, 0.55), (0.24, 0.38), (0.44, 0.56), (0.6, 0.96), (0.57, 0.3)),
            *((0.46, -0.5), (0.22, -0.82), (0.06, -0.6), (0.3, -0.22)),
        ),
    ),
    "l": (
        (
            *((0.0, 0.25), (0.27, 1.1), (0.36, 1.82), (0.25, 2.02), (0.14, 1.5), (0.13, 0.5)),
            *((0.23, 0.04), (0.42, 0.15)),
        ),
    ),
    "o": (
        (
            *((0.42, 0.98), (0.14, 0.82), (0.06, 0.36), (0.24, 0.02), (0.52, 0.18), (0.6, 0.65)),
            *((0.42, 0.98), (0.52, 0.84), (0.78, 0.9)),
        ),
    ),
    "g": (
        (
            *((0.58, 0.88), (0.36, 1.0), (0.1, 0.76), (0.06, 0.36), (0.24, 0.1), (0.48, 0.42)),
            *((0.62, 0.95), (0.6, 0.2), (0.5, -0.58), (0.26, -0.84), (0.08, -0.6)),
            *((0.36, -0.22), (0.84, 0.12)),
        ),
    ),
    "G": (
        (
            *((1.02, 1.5), (0.8, 1.86), (0.42, 1.76), (0.12, 1.22), (0.07, 0.6), (0.28, 0.08)),
            *((0.66, 0.02), (0.98, 0.38), (1.06, 0.84)),
        ),
        ((0.66, 0.8), (1.08, 0.86), (1.1, 0.4), (1.02, -0.12)),
    ),
    "D": (
        ((0.2, 1.78), (0.22, 1.0), (0.14, 0.06)),
        (
            *((-0.04, 1.72), (0.38, 1.92), (0.88, 1.66), (1.1, 1.06), (0.95, 0.42), (0.5, 0.04)),
            (0.0, 0.03),
        ),
    ),
    "E": (
        (
            *((0.86, 1.6), (0.62, 1.88), (0.28, 1.76), (0.2, 1.34), (0.42, 1.06), (0.56, 1.03)),
            *((0.3, 0.98), (0.07, 0.62), (0.12, 0.16), (0.46, -0.02), (0.9, 0.3)),
        ),
    ),
    "1": (((0.04, 1.42), (0.3, 1.84), (0.31, 1.0), (0.27, 0.0)),),
    "+": (((0.05, 0.78), (0.45, 0.8), (0.86, 0.83)), ((0.47, 1.24), (0.45, 0.8), (0.43, 0.34))),
    "−": (((0.05, 0.76), (0.42, 0.8), (0.8, 0.8)),),
    "(": (((0.4, 2.1), (0.14, 1.5), (0.06, 0.8), (0.14, 0.1), (0.4, -0.42)),),
    ")": (((0.06, 2.1), (0.3, 1.5), (0.37, 0.8), (0.28, 0.1), (0.02, -0.42)),),
    "[": (
        ((0.42, 2.06), (0.12, 2.04)),
        ((0.12, 2.06), (0.13, 0.8), (0.1, -0.36)),
        ((0.08, -0.36), (0.4, -0.36)),
    ),
    "]": (
        ((0.0, 2.06), (0.3, 2.05)),
        ((0.3, 2.08), (0.31, 0.8), (0.28, -0.38)),
        ((0.3, -0.36), (-0.02, -0.36)),
    ),
}  # fmt: skip

# All by eye, in heights of an x.
_GAP = 0.26  # between letters
_BRACKET_GAP = 0.15  # around what encloses
_SPACE = 0.62
_LOW, _SMALL = -0.50, 0.62  # where an index stands, and how large it is
_SLANT = 0.16  # to the right, over the height
_RISE = 0.022  # of the line, as hands tend to
_WAVER = 0.030  # of every point
_STEPS = 10  # points on a curve between two of its own


@dataclass(frozen=True)
class Stroke:
    """One movement of the pen.

    Args:
        points: (P, 2): x to the right, y up, in heights of an x.
        pressure: (P,), around 1: more on the way down, less where the pen lands and leaves.
    """

    points: Tensor
    pressure: Tensor


def write(text: str, seed: int = 0) -> list[Stroke]:
    """Write a line of text that begins at (0, 0).

    Args:
        text: of `LETTERS` and spaces; a letter after `_` is an index.
        seed: of all that wavers.
    """
    source = make_rng(seed, "handwriting")
    strokes: list[Stroke] = []
    cursor, index = 0.0, False
    for letter in text:
        if letter == "_":
            index = True
        elif letter == " ":
            cursor += _SPACE
        else:
            size = _SMALL if index else 1.0
            bracket = letter in "()[]"
            cursor += _BRACKET_GAP * size if bracket else 0.0
            position = cursor, (_LOW if index else 0.0) + _RISE * cursor
            strokes += [_place_stroke(curve, position, size, source) for curve in LETTERS[letter]]
            right = max(x for curve in LETTERS[letter] for x, _ in curve)
            cursor += (right + (_BRACKET_GAP if bracket else _GAP)) * size
            index = False
    return strokes


def _place_stroke(
    curve: Curve, position: tuple[float, float], size: float, source: torch.Generator
) -> Stroke:
    wavering = torch.randn(len(curve), 2, generator=source) * _WAVER
    turn, growth, lift = torch.randn(3, generator=source).tolist()
    points = (torch.tensor(curve) + wavering) * size * (1 + 0.04 * growth)
    angle = 0.025 * turn
    x, y = points.unbind(1)
    x, y = x - angle * y + _SLANT * y, y + angle * x
    moved = torch.stack([x + position[0], y + position[1] + 0.03 * lift], 1)
    smooth = _smooth(moved)
    return Stroke(smooth, _pressure(smooth))


def _smooth(points: Tensor) -> Tensor:
    """Catmull and Rom's curve through all of (P, 2), `_STEPS` points for each piece."""
    ends = torch.cat([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    before, start, end, after = (ends[k : len(ends) - 3 + k, None] for k in range(4))
    t = (torch.arange(_STEPS) / _STEPS)[None, :, None]
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )  # (P - 1, _STEPS, 2)
    return torch.cat([curve.reshape(-1, 2), points[-1:]])


def _pressure(points: Tensor) -> Tensor:
    """(P,) for (P, 2)."""
    way = points.diff(dim=0)
    way = torch.cat([way, way[-1:]])
    down = -way[:, 1] / way.norm(dim=1).clamp_min(1e-6)
    ends = torch.linspace(0, math.pi, len(points)).sin().clamp_min(0).sqrt()
    pressure: Tensor = (0.92 + 0.30 * down) * (0.62 + 0.38 * ends)
    return pressure
