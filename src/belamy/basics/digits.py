"""Digits to learn from, drawn here: written by hand (`strokes`) and printed in fonts, distorted.

They are laid out as MNIST's are (LeCun et al. 1998), so that a network that learned from them can
be shown those: 28 × 28 pixels, white on black, the longer side of the digit 20 pixels, its centre
of mass in the middle.

Source: elastic distortions as in Simard, Steinkraus and Platt 2003, "Best practices for
convolutional neural networks".
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from belamy.basics.strokes import HABITS, curves

__all__ = ["SIDE", "as_mnist", "draw_digits", "draw_handwritten", "draw_printed"]

Array = NDArray[np.float32]

SIDE, BOX = 28, 20  # pixels of a picture, and of the longer side of the digit in it
PRINTED = 1 / 4  # of the digits; the others are written by hand

# Size of the random distortions, by eye, beside MNIST's own digits.
WOBBLE = 0.04  # of a point of a stroke, in parts of the digit's height
SLANT, TURN, WIDTH = 0.30, 0.10, 0.26  # standard deviations: a shear, radians, a logarithm
LEANING = 0.20  # the mean shear: most hands lean to the right
BEND = 0.035  # of the elastic distortion, in parts of the digit's height
PEN = (0.7, 2.3)  # half the width of the pen, in pixels
_CHUNK = 32  # pictures at a time, which fit into a processor's cache

# Matplotlib's fonts with usual digits, and Pillow's own (Aileron), which needs no file.
_FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSansMono-Oblique"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmss10", "cmti10", "cmtt10"),
)
_GLYPH = 64  # pixels of a printed digit's picture
_INK = 192  # points that stand for where its ink lies


def draw_digits(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """`count` pictures of digits in random order, and which digits they are.

    Args:
        count: how many.
        seed: of all randomness.

    Returns:
        (count, 28, 28) from black 0 to white 255, and (count,) from 0 to 9.
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, count)
    in_print = rng.random(count) < PRINTED
    pictures = np.zeros((count, SIDE, SIDE), np.float32)
    for digit in range(10):
        for kind, draw in ((in_print, draw_printed), (~in_print, draw_handwritten)):
            chosen = np.flatnonzero(kind & (labels == digit))
            pictures[chosen] = draw(digit, len(chosen), rng)
    return np.rint(pictures * 255).astype(np.uint8), labels


def draw_handwritten(digit: int, count: int, rng: np.random.Generator) -> Array:
    """A digit as `count` hands write it: (count, 28, 28) in [0, 1]."""
    habits = HABITS[digit]
    taken = rng.integers(0, len(habits), count)
    pictures = np.zeros((count, SIDE, SIDE), np.float32)
    for number, habit in enumerate(habits):
        chosen = np.flatnonzero(taken == number)
        if len(chosen) == 0:
            continue
        starts, ends = curves(habit, len(chosen), WOBBLE, rng)
        pen = rng.uniform(*PEN, len(chosen)).astype(np.float32)
        both = _distort(np.concatenate([starts, ends], axis=1), rng)
        middle = both.shape[1] // 2
        starts, ends = _lay_out(both[:, :middle], both[:, middle:], BOX - 2 * pen)
        pictures[chosen] = _draw_strokes(starts, ends, pen)
    return pictures


def _distort(points: Array, rng: np.random.Generator) -> Array:
    """Points (N, P, 2) in the unit square, slanted, turned, stretched and bent, each N its way."""
    bent: Array = points + np.float32(BEND) * _bend(points, rng) - np.float32(0.5)
    return _affine(np.float32(0.85) * bent[..., 0], bent[..., 1], rng)  # higher than wide


def _affine(x: Array, y: Array, rng: np.random.Generator) -> Array:
    """Points (N, P), stretched, slanted and turned, each N its way: (N, P, 2)."""
    slant, turn, width = (
        rng.normal(mean, size, (len(x), 1)).astype(np.float32)
        for mean, size in ((LEANING, SLANT), (0, TURN), (0, WIDTH))
    )
    x = np.exp(width) * x - slant * y
    cosine, sine = np.cos(turn), np.sin(turn)
    return np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=-1)


def _bend(points: Array, rng: np.random.Generator) -> Array:
    """A smooth displacement at the points (N, P, 2), about 1 in size: two waves a direction."""
    total = np.zeros_like(points)
    for _ in range(2):
        waves = rng.normal(0, 4.0, (len(points), 2, 2)).astype(np.float32)
        phase = rng.uniform(0, 2 * np.pi, (len(points), 1, 2)).astype(np.float32)
        total += np.sin(points @ waves + phase)
    return total


def _lay_out(starts: Array, ends: Array, box: Array) -> tuple[Array, Array]:
    """Straight pieces (N, P, 2) moved and scaled, as MNIST's digits are, in pixels.

    The longer side becomes `box` (N,) pixels; the centre of mass comes to the middle.
    """
    both = np.concatenate([starts, ends], axis=1)
    sides = both.max(axis=1) - both.min(axis=1)
    scale = (box / np.maximum(sides, 1e-3).max(axis=1))[:, None, None]
    lengths = np.linalg.norm(ends - starts, axis=-1, keepdims=True)
    centre = (lengths * (starts + ends) / 2).sum(axis=1) / lengths.sum(axis=1)
    moved = [(each - centre[:, None]) * scale + SIDE / 2 for each in (starts, ends)]
    return moved[0].astype(np.float32), moved[1].astype(np.float32)


def _draw_strokes(starts: Array, ends: Array, pen: Array) -> Array:
    """What a round pen leaves on straight pieces (N, P, 2): (N, 28, 28), 1 where it went."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) + 0.5
    pixels = np.stack([x.ravel(), y.ravel()], axis=-1)  # (784, 2)
    pictures = np.empty((len(starts), SIDE * SIDE), np.float32)
    for first in range(0, len(starts), _CHUNK):
        part = slice(first, first + _CHUNK)
        distance = _distances(pixels, starts[part], ends[part])
        pictures[part] = np.clip(pen[part, None] - distance + 0.5, 0, 1)  # an edge of one pixel
    return pictures.reshape(-1, SIDE, SIDE)


def _distances(pixels: Array, starts: Array, ends: Array) -> Array:
    """From every pixel (Q, 2) to the nearest of the pieces (N, P, 2): (N, Q)."""
    nearest = np.full((len(starts), len(pixels)), np.inf, np.float32)
    for piece in range(starts.shape[1]):
        start, along = starts[:, piece], ends[:, piece] - starts[:, piece]  # (N, 2)
        length = np.maximum((along**2).sum(axis=-1), 1e-6)
        x = pixels[None, :, 0] - start[:, None, 0]  # (N, Q)
        y = pixels[None, :, 1] - start[:, None, 1]
        share = (x * along[:, None, 0] + y * along[:, None, 1]) / length[:, None]
        share = np.clip(share, 0, 1, out=share)
        x -= share * along[:, None, 0]
        y -= share * along[:, None, 1]
        np.minimum(nearest, x * x + y * y, out=nearest)
    return np.sqrt(nearest)


def draw_printed(digit: int, count: int, rng: np.random.Generator) -> Array:
    """A digit in `count` fonts and weights, distorted: (count, 28, 28) in [0, 1]."""
    glyphs, inks = _glyphs(digit)
    taken = rng.integers(0, len(glyphs), count)
    finer = 2  # each way, against jagged edges
    y, x = (np.mgrid[: SIDE * finer, : SIDE * finer].astype(np.float32) + 0.5) / finer
    pictures = np.empty((count, SIDE, SIDE), np.float32)
    corners = np.array([[0, 0], [1, 0], [0, 1]], np.float32)
    for first in range(0, count, _CHUNK):
        part = taken[first : first + _CHUNK]
        frame = np.repeat(corners[None], len(part), axis=0)
        points = np.concatenate([frame, inks[part]], axis=1)
        laid = _shear(points, rng)
        place = _invert_affine(laid[:, :3], np.stack([x.ravel(), y.ravel()], axis=-1))
        place += BEND / 2 * _bend(place, rng)
        seen = _interpolate(glyphs[part], place).reshape(-1, SIDE, finer, SIDE, finer)
        pictures[first : first + _CHUNK] = seen.mean(axis=(2, 4))
    return pictures


def _shear(points: Array, rng: np.random.Generator) -> Array:
    """Points (N, 3 + P, 2) distorted without a bend and laid out by the last P of them."""
    moved = _affine(points[..., 0] - 0.5, points[..., 1] - 0.5, rng)
    ink = moved[:, 3:]
    scale = BOX / np.maximum(ink.max(axis=1) - ink.min(axis=1), 1e-3).max(axis=1)
    centre = ink.mean(axis=1, keepdims=True)
    return ((moved - centre) * scale[:, None, None] + SIDE / 2).astype(np.float32)  # type: ignore[no-any-return]


def _invert_affine(frame: Array, pixels: Array) -> Array:
    """Where in the glyph's unit square the pixels (Q, 2) lie: (N, Q, 2).

    Args:
        frame: (N, 3, 2), where its corners (0, 0), (1, 0) and (0, 1) came to.
    """
    origin = frame[:, :1]
    axes = np.stack([frame[:, 1] - frame[:, 0], frame[:, 2] - frame[:, 0]], axis=1)
    places: Array = ((pixels[None] - origin) @ np.linalg.inv(axes)).astype(np.float32)
    return places


def _interpolate(glyphs: Array, places: Array) -> Array:
    """Glyphs (N, 64, 64) at places (N, Q, 2) of their unit squares, between pixels: (N, Q)."""
    at = np.clip(places * _GLYPH - 0.5, 0, _GLYPH - 1.001)
    column, row = at[..., 0].astype(np.int64), at[..., 1].astype(np.int64)
    right, down = at[..., 0] - column, at[..., 1] - row
    which = np.arange(len(glyphs))[:, None]
    upper = glyphs[which, row, column] * (1 - right) + glyphs[which, row, column + 1] * right
    row = row + 1
    lower = glyphs[which, row, column] * (1 - right) + glyphs[which, row, column + 1] * right
    found: Array = (upper * (1 - down) + lower * down).astype(np.float32)
    return found


@functools.cache
def _glyphs(digit: int) -> tuple[Array, Array]:
    """The digit in every font and weight: (F, 64, 64) in [0, 1], points in its ink (F, P, 2)."""
    glyphs, inks = [], []
    rng = np.random.default_rng(digit)
    for font in _fonts(round(_GLYPH * 0.8)):
        for weight in (0, 1, 2):
            picture = Image.new("L", (_GLYPH, _GLYPH))
            middle = (_GLYPH / 2, _GLYPH / 2)
            ImageDraw.Draw(picture).text(
                middle, str(digit), 255, font, anchor="mm", stroke_width=weight
            )
            glyph = np.asarray(picture, np.float32) / 255
            rows, columns = np.nonzero(glyph > 0.5)
            some = rng.integers(0, len(rows), _INK)
            glyphs.append(glyph)
            inks.append((np.stack([columns[some], rows[some]], axis=-1) + 0.5) / _GLYPH)
    return np.stack(glyphs), np.stack(inks).astype(np.float32)


def _fonts(size: int) -> list[ImageFont.FreeTypeFont | ImageFont.ImageFont]:
    """Pillow's own font, and matplotlib's where it is installed."""
    found: list[ImageFont.FreeTypeFont | ImageFont.ImageFont] = [ImageFont.load_default(size)]
    try:
        from matplotlib import get_data_path
    except ImportError:
        return found
    folder = Path(get_data_path()) / "fonts" / "ttf"
    return found + [ImageFont.truetype(folder / f"{name}.ttf", size) for name in _FONTS]


def as_mnist(picture: Array) -> Array:
    """A picture of one digit, laid out as MNIST's are.

    Args:
        picture: (H, W), grey in [0, 1], of any size; dark on light or light on dark, which its
            rim tells.

    Returns:
        (28, 28), the digit white on black, 20 pixels long, its centre of mass in the middle; all
        black if nothing stands out.
    """
    rim = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    ink = np.abs(picture - np.median(rim)).astype(np.float32)
    ink = np.clip((ink - 0.25 * ink.max()) / max(0.6 * float(ink.max()), 0.05), 0, 1)
    rows, columns = (np.flatnonzero(ink.max(axis=axis) > 0) for axis in (1, 0))
    laid = np.zeros((SIDE, SIDE), np.float32)
    if len(rows) == 0:
        return laid
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(cut.shape)
    size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    small = np.asarray(Image.fromarray(cut).resize(size, Image.Resampling.BOX), np.float32)
    mass = max(float(small.sum()), 1e-6)
    centre = [
        float((small.sum(axis=1 - axis) * np.arange(n)).sum()) / mass
        for axis, n in enumerate(small.shape)
    ]
    top, left = (
        min(max(round(SIDE / 2 - 0.5 - middle), 0), SIDE - n)
        for middle, n in zip(centre, small.shape, strict=True)
    )
    laid[top : top + small.shape[0], left : left + small.shape[1]] = small
    return laid
