"""What a film that is dropped in shows first, and how long it is; without torch."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from belamy.errors import ImageError, MissingExtra
from belamy.pixels.decode import check_pixels
from belamy.pixels.formats.ffmpeg import find_film, import_av, open_container
from belamy.pixels.formats.film_pixels import read_turn, square, to_srgb

__all__ = ["FirstFrame", "media_of", "read_first_frame"]

FirstFrame = tuple[Image.Image, dict[str, Any]]

_MEDIA = {".webm": "video/webm", ".mkv": "video/x-matroska", ".mov": "video/quicktime"}


def read_first_frame(path: Path, name: str, megapixels: float) -> FirstFrame:
    """The first frame, upright, and `seconds`, `frames`, `fps` of a film in a container.

    Args:
        name: what it is called in messages.
        megapixels: that a frame may have.

    Raises:
        ImageError: it is no film, damaged, or too large; or PyAV is not installed.
    """
    try:
        av = import_av()
    except MissingExtra as error:
        raise ImageError("films need PyAV: pip install 'belamy[video]'") from error
    try:
        with open_container(str(path)) as container:
            stream: Any = find_film(container)
            if stream is None:
                raise ImageError(f"cannot read {name}: there is no moving picture in it")
            check_pixels(name, stream.width, stream.height, megapixels)
            frame: Any = next(container.decode(stream))
            said = _length(container, stream)
            shape = Fraction(stream.sample_aspect_ratio or 1)
        return _upright(frame, shape, stream.codec_context.name), said
    except (av.error.FFmpegError, StopIteration) as error:
        raise ImageError(f"cannot read {name}: it is damaged, cut off, or no film") from error


def _length(container: Any, stream: Any) -> dict[str, Any]:
    seconds = 0.0
    if stream.duration is not None:
        seconds = float(stream.duration * stream.time_base)
    elif container.duration is not None:
        seconds = container.duration / 1e6
    rate = float(stream.average_rate or 0)
    frames = stream.frames or round(seconds * rate)
    return {"seconds": round(seconds, 3), "frames": int(frames), "fps": round(rate, 3)}


def _upright(frame: Any, shape: Fraction, codec: str) -> Image.Image:
    """In the colours in which films are read everywhere else, of square pixels."""
    stored = (frame.height, frame.width)
    colours = to_srgb(frame, square(stored, shape), stored[0], codec)[..., :3]
    a, b, c, d = read_turn(frame)
    if not a:  # rows become columns
        colours, a, d = colours.swapaxes(0, 1), c, b
    levels = np.rint(colours[:: d or 1, :: a or 1] * 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(levels))


def media_of(suffix: str) -> str:
    """What browsers call a film of such a name."""
    return _MEDIA.get(suffix.lower(), "video/mp4")
