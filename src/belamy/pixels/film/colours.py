"""From a decoded frame to sRGB as a browser shows it: matrix, range, transfer, primaries."""

from __future__ import annotations

from typing import Any

import torch

from belamy.pixels.film.frame import Pixels
from belamy.pixels.film.geometry import Geometry

__all__ = ["SCALING", "to_pixels"]

# FFmpeg's scaler: LANCZOS | ACCURATE_RND | FULL_CHR_H_INT. Without the last two a photo comes back
# darker by a level or two, since chroma is halved in the sums.
SCALING = 0x200 | 0x40000 | 0x2000

_RGB, _BT709, _UNKNOWN, _BT601, _BT2020 = 0, 1, 2, 5, 9  # ITU-T H.273, table 4
_LIMITED, _FULL = 1, 2
_HD = 720  # lines; a film that names no matrix is BT.709 from here on, as in Chromium


def to_pixels(frame: Any, geometry: Geometry) -> Pixels:
    """The image (1, 3, H, W) and its alpha (1, 1, H, W) or None.

    Args:
        frame: PyAV's.
        geometry: how large it is, and was stored, which tells the matrix.
    """
    deep = max((part.bits for part in frame.format.components), default=8) > 8
    has_alpha = any(part.is_alpha for part in frame.format.components)
    names = {(False, False): "rgb24", (False, True): "rgba"}
    names |= {(True, False): "rgb48le", (True, True): "rgba64le"}
    plain = frame.reformat(
        geometry.scaled[1],
        geometry.scaled[0],
        names[deep, has_alpha],
        src_colorspace=_matrix(frame, geometry.stored),
        src_color_range=_range(frame),
        dst_color_range=_FULL,
        interpolation=SCALING,
    )
    pixels = torch.from_numpy(plain.to_ndarray().astype("float32"))
    pixels = pixels.div_(65535 if deep else 255).permute(2, 0, 1)[None]
    return pixels[:, :3].contiguous(), pixels[:, 3:].contiguous() if has_alpha else None


def _matrix(frame: Any, stored: tuple[int, int]) -> int:
    named = int(frame.colorspace)
    if named == _UNKNOWN:
        return _BT709 if stored[0] >= _HD else _BT601
    return named


def _range(frame: Any) -> int:
    full = int(frame.color_range) == _FULL or frame.format.name.startswith("yuvj")
    return _FULL if full else _LIMITED
