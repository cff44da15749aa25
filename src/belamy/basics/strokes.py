"""Digits as a hand writes them: a few strokes through points, drawn with a round pen.

Each digit has some habits of writing it, a habit some strokes, a stroke some points. A smooth
curve runs through them (Catmull and Rom 1974), and noise moves them, so that no two are alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["HABITS", "curves"]

Array = NDArray[np.float32]

PIECES = 5  # straight pieces between two points of a stroke: smooth enough at 28 pixels

HABITS: dict[int, tuple[str, ...]] = {
    0: (
        "55,2 25,12 10,50 25,88 50,98 75,88 90,50 75,12 50,2 38,6",
        "70,12 40,2 15,35 15,70 40,98 75,85 88,45 72,10 50,5",
        "50,6 20,15 6,50 25,90 60,97 92,70 85,30 55,4 30,12 20,30",
    ),
    1: (
        "50,0 50,50 50,100",
        "50,0 50,50 50,100",
        "30,22 52,0! 52,50 52,100",
        "30,25 52,0! 52,50 52,100 | 22,100 82,100",
        "36,30 44,14 54,0 52,50 48,100",
    ),
    2: (
        "15,25 30,5 60,2 82,22 72,48 45,72 12,97! 50,95 92,97",
        "15,22 40,2 75,10 80,35 50,70 20,95 6,88 20,76 45,90 70,98 97,88",
        "12,20 45,0 80,20 60,55 15,90! 40,88 65,100 95,98",
        "20,15 50,0 80,15 74,45 40,85 12,95 10,76 35,75 65,90 97,84",
        "10,30 20,6 50,0 70,15 66,45 50,72 15,98! 55,88 105,86",
        "28,30 30,5 62,2 70,30 55,65 25,95 12,80 36,70 72,82 100,72",
        "5,30 30,5 70,0 80,25 55,60 20,95 10,85 30,78 60,90 100,100",
        "20,30 20,8 60,0 75,25 55,65 15,100! 60,98 100,94",
    ),
    3: (
        "15,12 45,0 78,15 70,38 40,47! 75,55 85,78 50,100 10,88",
        "15,10 50,0 78,20 55,45 38,50 45,44 75,58 80,83 45,100 10,90",
        "15,4 80,3! 40,40! 80,55 82,82 45,100 8,88",
        "20,20 40,2 75,10 70,36 40,50 66,52 74,76 50,96 15,98 5,85",
    ),
    4: (
        "28,2 20,25 12,52! 50,52 90,50 | 72,5 70,50 66,100",
        "15,5 10,38 35,55 80,45 | 84,0 80,50 75,100",
        "65,100 65,50 65,0! 38,35 8,65! 50,65 97,64",
        "20,2 10,40 40,52 72,36 85,2! 78,50 72,100",
        "30,0 14,30 5,55! 50,54 100,48 | 62,28 58,65 54,100",
        "22,2 20,30 22,42! 50,44 78,40 | 80,4 74,45 66,100",
    ),
    5: (
        "26,5 20,42! 50,38 82,58 76,86 45,100 10,90 | 25,5 55,5 92,2",
        "85,3 30,6! 22,42! 60,42 85,66 65,94 30,100 6,88",
        "90,4 45,5 25,25 45,45 74,60 74,86 40,100 8,92",
        "38,14 28,45! 60,46 66,74 36,98 0,92 | 38,14 70,6 105,0",
        "30,10 22,48! 55,36 78,50 72,80 42,100 20,92 24,82 | 30,8 60,10 85,6",
        "45,0 36,24 30,45! 65,50 70,80 40,100 5,95 | 45,2 75,2 100,0",
        "30,5 20,40! 55,35 60,70 40,98 0,100 | 32,5 65,0 110,-10",
    ),
    6: (
        "72,2 38,28 15,65 25,92 55,100 80,82 70,60 40,60 18,76",
        "45,0 20,40 15,75 40,100 75,90 78,66 50,54 20,75",
        "62,0 32,40 22,80 45,100 66,86 55,68 26,86",
        "38,0 14,45 22,92 60,98 85,76 66,55 32,66",
        "85,5 45,25 16,62 20,90 50,100 82,86 86,62 55,50 20,74",
        "40,0 15,45 12,85 45,100 85,90 95,68 70,55 40,70 35,90",
        "65,0 35,35 18,75 30,98 55,92 60,72 38,70 24,86",
        "50,0 22,40 10,75 35,100 80,95 90,75 55,62 20,80",
    ),
    7: (
        "8,8 45,7 87,5! 58,50 42,100",
        "8,22 10,6! 50,7 90,5! 55,50 38,100",
        "10,8 50,7 88,5! 58,50 42,100 | 30,50 85,47",
        "8,16 40,3 80,10 76,38 66,68 60,100",
        "14,12 50,10 84,6! 60,50 46,100 | 30,58 55,54 78,52",
        "10,30 16,10 45,10 80,2! 62,45 50,100",
        "5,40 10,5! 50,6 92,5! 85,50 80,100",
        "8,35 12,8 50,12 88,5! 80,50 72,100",
        "6,10 45,8 88,4! 70,50 62,100 | 40,60 66,56 95,56",
    ),
    8: (
        "76,12 46,0 22,20 50,47 80,76 50,100 18,78 50,47 78,24 72,8",
        "50,46 24,24 50,0 76,24 50,46 | 50,46 16,74 50,100 84,74 50,46",
        "62,4 30,14 40,42 66,70 45,100 26,80 50,50 76,20 60,3",
        "90,6 50,0 24,20 50,45 74,74 50,100 20,84 42,54 92,10",
        "30,12 55,0 78,18 50,45 22,76 45,100 76,84 52,50 28,28 30,10",
        "74,20 52,4 30,16 40,38 62,52 68,80 42,100 26,82 44,54 72,30 76,16",
        "60,0 25,15 35,40 70,62 70,90 40,100 20,82 45,55 85,25 80,5 55,2",
        "95,12 55,5 25,22 45,45 62,70 45,100 22,85 45,58 70,35 96,14",
    ),
    9: (
        "80,15 50,2 20,22 35,48 66,40 80,12! 76,55 66,100",
        "78,18 50,2 20,24 40,48 78,24 82,55 70,92 42,100 18,90",
        "78,20 50,4 20,25 40,50 76,30 | 80,10 74,55 68,100",
        "70,10 40,5 26,30 50,40 72,12! 62,55 50,100",
        "85,25 55,2 14,18 14,46 50,54 82,30 84,8! 82,55 80,100",
        "75,12 45,5 20,30 40,50 70,34 80,10 72,55 60,100",
        "86,6 45,6 16,30 36,50 68,34 84,10! 66,55 46,100",
        "62,6 36,2 20,20 38,36 64,22 70,10 72,50 70,100",
        "80,30 60,2 20,15 10,42 35,52 70,35 88,5! 70,55 55,100",
        "60,48 25,52 12,28 40,2 78,12 80,50 78,100",
        "90,8 50,2 15,30 30,52 65,38 90,8! 60,60 40,100",
        "70,20 45,5 22,25 35,45 68,30 74,8! 76,50 84,100",
    ),
}
"""Digit → the habits of writing it: strokes with a bar between them, points as `x,y` in hundredths
of the digit's height, x to the right, y down; at a point with an exclamation mark is a corner."""


def curves(habit: str, count: int, wobble: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """`count` ways in which a hand with this habit writes.

    Args:
        habit: of `HABITS`.
        count: how many to write.
        wobble: how far noise moves each point, in parts of the digit's height; some hands are
            half as steady, some twice.
        rng: random generator.

    Returns:
        where straight pieces begin and where they end, each (count, pieces, 2), about in the unit
        square.
    """
    sizes = wobble * np.exp(rng.normal(0, 0.35, (count, 1, 1)))
    paths = []
    for stroke in habit.split("|"):
        points, corners = _points(stroke)
        steps = sizes * rng.normal(0, 1, (count, *points.shape))
        paths.append(_smooth((points + steps).astype(np.float32), corners))
    starts = np.concatenate([path[:, :-1] for path in paths], axis=1)
    ends = np.concatenate([path[:, 1:] for path in paths], axis=1)
    return starts, ends


def _points(stroke: str) -> tuple[Array, NDArray[np.bool_]]:
    """The points (P, 2) of a stroke, and which of them (P,) are corners."""
    words = stroke.split()
    points = [[float(x) / 100 for x in word.rstrip("!").split(",")] for word in words]
    return np.array(points, np.float32), np.array([word.endswith("!") for word in words])


def _smooth(points: Array, corners: NDArray[np.bool_]) -> Array:
    """The curve through points (count, P, 2), as (count, (P − 1) · PIECES + 1, 2) points on it."""
    before = np.concatenate([points[:, :1], points[:, :-1]], axis=1)
    after = np.concatenate([points[:, 1:], points[:, -1:]], axis=1)
    # at a corner the curve arrives straight and leaves straight
    arriving = np.where(corners[:, None], points - before, (after - before) / 2)[:, 1:, None]
    leaving = np.where(corners[:, None], after - points, (after - before) / 2)[:, :-1, None]
    here, there = points[:, :-1, None], points[:, 1:, None]  # (count, P − 1, 1, 2)
    t = np.linspace(0, 1, PIECES, endpoint=False, dtype=np.float32)[None, None, :, None]
    path = (  # the cubic with these ends and these slopes (Hermite)
        (2 * t**3 - 3 * t**2 + 1) * here
        + (t**3 - 2 * t**2 + t) * leaving
        + (3 * t**2 - 2 * t**3) * there
        + (t**3 - t**2) * arriving
    )
    return np.concatenate([path.reshape(len(points), -1, 2), points[:, -1:]], axis=1)
