"""Pictures of more than 8 bits, at their full depth: Pillow reads colour of 16 bits at 8."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, TiffImagePlugin

from belamy.pixels.formats.blocks import CMYK, LAB
from belamy.pixels.formats.spaces import from_lab
from belamy.pixels.formats.tiff import DeepTiff, white_of

__all__ = ["Deep", "read_deep"]

_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # TIFF tags and a value


class Deep(NamedTuple):
    """A picture as it is stored, in no known colour space and not turned.

    Args:
        colours: (H, W) or (H, W, 3) float32 in [0, 1]; (H, W, 4) of inks.
        alpha: (H, W) uint8, or None.
        space: "RGB" of any kind, grey too; "CMYK"; or "sRGB", where nothing is left to convert.
    """

    colours: NDArray[Any]
    alpha: NDArray[Any] | None = None
    space: str = "RGB"


def read_deep(picture: Image.Image, name: str) -> Deep | None:
    """The picture at its full depth; None where 8 bits hold it. Its orientation is not applied.

    Raises:
        ImageError: there are numbers that have no white point, or are none.
    """
    if isinstance(picture, DeepTiff):
        return _numbers(picture, name)
    if isinstance(picture, PngImagePlugin.PngImageFile) and picture.tile:
        raw = picture.tile[0][3]
        if raw == "LA;16B":
            return _grey_and_alpha(picture)
        if raw in ("RGB;16B", "RGBA;16B") and picture.fp is not None:
            return _colour(picture, raw)
    if picture.mode in _MODES:
        return _grey(picture, name)
    return None


def _numbers(picture: DeepTiff, name: str) -> Deep:
    values, alpha = picture.values(name)
    if picture.layout.space == LAB:
        return Deep(from_lab(values, picture.layout.kind.itemsize), alpha, "sRGB")
    space = "CMYK" if picture.layout.space == CMYK else "RGB"
    return Deep(values[:, :, 0] if values.shape[2] == 1 else values, alpha, space)


def _grey_and_alpha(picture: PngImagePlugin.PngImageFile) -> Deep:
    """Read as four channels of 8 bits: the upper and the lower half of both numbers."""
    picture.tile = [picture.tile[0]._replace(args="RGBA")]
    halves = np.asarray(picture)
    grey = _join(halves[:, :, 0], halves[:, :, 1])
    return Deep(grey.astype(np.float32) / np.float32(65535), halves[:, :, 2])


def _colour(picture: PngImagePlugin.PngImageFile, raw: str) -> Deep:
    """Decoded twice: Pillow's reader of the other byte order gives the lower halves."""
    assert picture.fp is not None
    picture.fp.seek(0)
    again = PngImagePlugin.PngImageFile(picture.fp)
    again.tile = [again.tile[0]._replace(args=raw[:-1] + "L")]
    low = np.asarray(again)
    numbers = _join(np.asarray(picture), low)
    colours = numbers[:, :, :3].astype(np.float32) / np.float32(65535)
    clear = picture.info.get("transparency")
    if numbers.shape[2] == 4:
        return Deep(colours, _eight_bits(numbers[:, :, 3]))
    if isinstance(clear, tuple):
        return Deep(colours, np.where((numbers == clear).all(2), 0, 255).astype(np.uint8))
    return Deep(colours)


def _grey(picture: Image.Image, name: str) -> Deep:
    """Grey of 12, 16 or 32 bits or of floats, scaled (Pillow's own conversion clips at 255)."""
    picture.load()
    stored = np.asarray(picture)
    values = stored.astype(np.float32)
    tags = picture.tag_v2 if isinstance(picture, TiffImagePlugin.TiffImageFile) else {}
    if not picture.mode.startswith("I;16"):
        white = white_of(float(stored.min()), float(stored.max()), stored.dtype, name)
    else:
        white = 4095.0 if tags.get(_BITS) == (12,) else 65535.0
        # Pillow undoes this inversion for 8 bits, not for 16.
        values = white - values if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else values
    grey = np.clip(values / np.float32(white), 0, 1)
    clear = picture.info.get("transparency")
    if isinstance(clear, int):
        return Deep(grey, np.where(stored == clear, 0, 255).astype(np.uint8))
    return Deep(grey)


def _join(high: NDArray[np.uint8], low: NDArray[np.uint8]) -> NDArray[np.uint16]:
    return high.astype(np.uint16) << np.uint16(8) | low


def _eight_bits(numbers: NDArray[np.uint16]) -> NDArray[np.uint8]:
    return np.rint(numbers / np.float32(257)).astype(np.uint8)
