"""A decoded frame as tensors."""

from __future__ import annotations

from typing import Any

import torch

from belamy.pixels.film.frame import Pixels
from belamy.pixels.film.geometry import Geometry
from belamy.pixels.formats.film_pixels import to_srgb

__all__ = ["to_pixels"]


def to_pixels(frame: Any, geometry: Geometry, codec: str) -> Pixels:
    """The image (1, 3, H, W) in sRGB and its alpha (1, 1, H, W) or None, not turned.

    Args:
        frame: PyAV's.
        geometry: how large it is, and was stored.
        codec: what decoded it.
    """
    pixels = to_srgb(frame, geometry.scaled, geometry.stored[0], codec)
    planes = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    alpha = planes[:, 3:].contiguous() if pixels.shape[2] == 4 else None
    return planes[:, :3].contiguous(), alpha
