"""From a decoded frame to sRGB as a browser shows it: matrix, range, transfer, primaries.

What is told here of Chromium was measured with its version 150: tests/pixels/film/test_browser.py.
"""

from __future__ import annotations

import functools
from typing import Any

import torch

from belamy.pixels.film.frame import Pixels
from belamy.pixels.film.geometry import Geometry
from belamy.pixels.film.hdr import HLG, PQ, tone_mapped_space
from belamy.pixels.formats.spaces import Space, from_film_code

__all__ = ["SCALING", "is_hdr", "read_code", "to_pixels"]

# FFmpeg's scaler: LANCZOS | ACCURATE_RND | FULL_CHR_H_INT. Without the last two a photo comes back
# darker by a level or two, since chroma is halved in the sums.
SCALING = 0x200 | 0x40000 | 0x2000

_BT709, _UNKNOWN, _BT601 = 1, 2, 5  # ITU-T H.273, table 4
_LIMITED, _FULL = 1, 2
_HD = 720  # lines, as they are stored; from here on what says nothing is BT.709
# Chromium believes what is said of matrix and range only where primaries and curve are said too.
_ALL_OR_NOTHING = ("h264", "av1", "libdav1d")
# What says nothing is BT.601 at every size.
_ALWAYS_601 = ("av1", "libdav1d", "vp8", "vp9", "libvpx", "libvpx-vp9")


def to_pixels(frame: Any, geometry: Geometry, codec: str) -> Pixels:
    """The image (1, 3, H, W) and its alpha (1, 1, H, W) or None.

    Args:
        frame: PyAV's.
        geometry: how large it is, and was stored.
        codec: what decoded it.
    """
    parts = frame.format.components
    has_alpha = any(part.is_alpha for part in parts)
    space = _space(int(frame.color_primaries), int(frame.color_trc))
    deep = space is not None or max((part.bits for part in parts), default=8) > 8
    matrix, full = read_code(frame, geometry.stored[0], codec)
    plain = frame.reformat(
        geometry.scaled[1],
        geometry.scaled[0],
        ("rgba64le" if has_alpha else "rgb48le") if deep else ("rgba" if has_alpha else "rgb24"),
        src_colorspace=matrix,
        src_color_range=full,
        dst_color_range=_FULL,
        interpolation=SCALING,
    )
    pixels = plain.to_ndarray().astype("float32")
    pixels /= 65535 if deep else 255
    if space is not None:
        pixels[..., :3] = space.convert(pixels[..., :3])
    planes = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    return planes[:, :3].contiguous(), planes[:, 3:].contiguous() if has_alpha else None


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
