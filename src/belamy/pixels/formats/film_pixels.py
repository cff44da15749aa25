"""From a decoded frame of a film to sRGB as a browser shows it: matrix, range, transfer, primaries.

Without torch, so that the studio looks at films as they are read everywhere else. What is told here
of Chromium was measured with its version 150: tests/pixels/film/test_browser.py.
"""

from __future__ import annotations

import functools
import struct
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from belamy.pixels.formats.hdr import HLG, PQ, tone_mapped_space
from belamy.pixels.formats.spaces import Space, from_film_code

__all__ = ["NO_TURN", "SCALING", "is_hdr", "read_code", "read_turn", "square", "to_srgb"]

# FFmpeg's scaler: LANCZOS | ACCURATE_RND | FULL_CHR_H_INT. Without the last two a photo comes back
# darker by a level or two, since chroma is halved in the sums.
SCALING = 0x200 | 0x40000 | 0x2000

NO_TURN = (1, 0, 0, 1)
"""Of `read_turn`: as it is stored."""

_BT709, _UNKNOWN, _BT601 = 1, 2, 5  # ITU-T H.273, table 4
_LIMITED, _FULL = 1, 2
_HD = 720  # lines, as they are stored; from here on what says nothing is BT.709
# Chromium believes what is said of matrix and range only where primaries and curve are said too.
_ALL_OR_NOTHING = ("h264", "av1", "libdav1d")
# What says nothing is BT.601 at every size.
_ALWAYS_601 = ("av1", "libdav1d", "vp8", "vp9", "libvpx", "libvpx-vp9")
_OF_FILMS = (*_ALL_OR_NOTHING, *_ALWAYS_601, "hevc")
_WIDEST = 8  # a pixel that is said to be longer than so many times its other side is a mistake

_LIMITED_WHITE = 65283.0  # for limited range of any depth
_BLACK, _LEVELS = 16, 219  # of luma in limited range, in 8 bits


def to_srgb(frame: Any, size: tuple[int, int], lines: int, codec: str) -> NDArray[np.float32]:
    """(height, width, 3 or 4) in [0, 1], not turned; the fourth is alpha.

    Args:
        frame: PyAV's.
        size: (height, width) of the result.
        lines: height of the film as it is stored.
        codec: what decoded it.
    """
    parts = frame.format.components
    has_alpha = any(part.is_alpha for part in parts)
    space = _space(int(frame.color_primaries), int(frame.color_trc))
    bits = max((part.bits for part in parts), default=8)
    deep = space is not None or bits > 8
    matrix, span = read_code(frame, lines, codec)
    plain = frame.reformat(
        size[1],
        size[0],
        ("rgba64le" if has_alpha else "rgb48le") if deep else ("rgba" if has_alpha else "rgb24"),
        src_colorspace=matrix,
        src_color_range=span,
        dst_color_range=_FULL,
        interpolation=SCALING,
    )
    pixels: NDArray[np.float32] = plain.to_ndarray().astype(np.float32)
    pixels[..., :3] /= _white(frame, bits, span) if deep else 255
    pixels[..., 3:] /= _shifted_white(frame, bits) if deep else 255
    if _is_grey(frame) and _is_limited_grey(frame, span, codec):
        # the scaler takes luma alone for full range
        top = ((1 << bits) - 1) / (1 << bits - 8)
        pixels[..., :3] = (pixels[..., :3] * top - _BLACK) / _LEVELS
    np.clip(pixels, 0, 1, out=pixels)
    if space is not None:
        pixels[..., :3] = space.convert(pixels[..., :3])
    return pixels


def _white(frame: Any, bits: int, span: int) -> float:
    """What the scaler makes of white in 16 bits: it moves numbers up by whole bits, and does not
    stretch them, see findings/pyav-white-of-16-bits.sh."""
    limited = span == _LIMITED and not _is_grey(frame)
    return _LIMITED_WHITE if limited else _shifted_white(frame, bits)


def _shifted_white(frame: Any, bits: int) -> float:
    """The same of what has no black level: full range, and alpha."""
    if frame.format.is_rgb or bits > 16:
        return 65535.0
    return float(((1 << bits) - 1) << (16 - bits))


def _is_grey(frame: Any) -> bool:
    """Whether there is luma alone."""
    return bool(frame.format.name.startswith(("gray", "ya")))


def _is_limited_grey(frame: Any, span: int, codec: str) -> bool:
    """Elsewhere than in films (raw frames, PNG, FFV1) nothing said means full range."""
    return (span if codec in _OF_FILMS else int(frame.color_range)) == _LIMITED


def is_hdr(frame: Any) -> bool:
    """Whether its light goes beyond white."""
    return int(frame.color_trc) in (PQ, HLG)


@functools.lru_cache(8)
def _space(primaries: int, transfer: int) -> Space | None:
    if transfer in (PQ, HLG):
        return tone_mapped_space(primaries, transfer)
    return from_film_code(primaries, transfer)


def read_code(frame: Any, lines: int, codec: str) -> tuple[int, int]:
    """Matrix and range by which a frame is to be decoded.

    Args:
        lines: height of the film as it is stored.
    """
    matrix = int(frame.colorspace)
    named = matrix != _UNKNOWN
    full = int(frame.color_range) == _FULL or frame.format.name.startswith("yuvj")
    if frame.format.is_rgb:
        return _BT709, _FULL
    others = int(frame.color_primaries), int(frame.color_trc)
    if codec in _ALL_OR_NOTHING and _UNKNOWN in others and not frame.format.name.startswith("yuvj"):
        named = False
    if named:
        return matrix, _FULL if full else _LIMITED
    if codec in _ALWAYS_601:
        return _BT601, _LIMITED
    if full:  # as JPEG has it
        return _BT601, _FULL
    return (_BT709 if lines >= _HD else _BT601), _LIMITED


def square(stored: tuple[int, int], shape: Fraction) -> tuple[int, int]:
    """(height, width), stretched, never shrunk, so that pixels whose width is `shape` of their
    height are square."""
    height, width = stored
    if shape == 1 or not Fraction(1, _WIDEST) <= shape <= _WIDEST:
        return stored
    return (height, round(width * shape)) if shape > 1 else (round(height / shape), width)


def read_turn(frame: Any) -> tuple[int, int, int, int]:
    """a, b, c, d of its display matrix, each -1, 0 or 1: right is (a, b), down is (c, d). It is
    the nearest of the eight ways to lay a rectangle on its sides."""
    for part in frame.side_data:
        if getattr(part.type, "name", "") == "DISPLAYMATRIX":
            a, b, _, c, d, *_ = struct.unpack("=9i", bytes(part)[:36])
            if max(abs(a), abs(d)) >= max(abs(b), abs(c)):
                return _sign(a), 0, 0, _sign(d)
            return 0, _sign(b), _sign(c), 0
    return NO_TURN


def _sign(value: int) -> int:
    return -1 if value < 0 else 1
