"""What a film that is dropped in shows first, and how long it is; without torch."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from PIL import Image

from belamy.errors import ImageError
from belamy.pixels.decode import check_pixels

__all__ = ["FirstFrame", "media_of", "read_first_frame"]

FirstFrame = tuple[Image.Image, dict[str, Any]]

_TURNS = {
    (0, 1): Image.Transpose.ROTATE_270,
    (0, -1): Image.Transpose.ROTATE_90,
    (-1, 0): Image.Transpose.ROTATE_180,
}
"""The display matrix's first row, its signs → what brings the picture upright."""
_WIDEST = 8  # a pixel that is said to be longer than so many times its other side is a mistake
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
        import av
    except ImportError as error:
        raise ImageError("films need PyAV: pip install 'belamy[video]'") from error
    try:
        with av.open(str(path)) as container:
            stream: Any = next((one for one in container.streams if one.type == "video"), None)
            if stream is None:
                raise ImageError(f"cannot read {name}: there is no moving picture in it")
            check_pixels(name, stream.width, stream.height, megapixels)
            frame: Any = next(container.decode(stream))
            said = _length(container, stream)
            shape = float(stream.sample_aspect_ratio or 1)
        return _upright(frame, shape), said
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


def _upright(frame: Any, shape: float) -> Image.Image:
    picture: Image.Image = frame.to_image()
    if 1 / _WIDEST <= shape <= _WIDEST and shape != 1:
        width, height = picture.size
        wider = (round(width * shape), height) if shape > 1 else (width, round(height / shape))
        picture = picture.resize(wider)
    for part in frame.side_data:
        if getattr(part.type, "name", "") == "DISPLAYMATRIX":
            a, b, *_ = struct.unpack("=9i", bytes(part)[:36])
            row = (0, (b > 0) - (b < 0)) if abs(b) > abs(a) else ((a > 0) - (a < 0), 0)
            turn = _TURNS.get(row)
            picture = picture if turn is None else picture.transpose(turn)
    return picture


def media_of(suffix: str) -> str:
    """What browsers call a film of such a name."""
    return _MEDIA.get(suffix.lower(), "video/mp4")
