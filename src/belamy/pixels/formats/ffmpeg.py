"""PyAV, imported where it is used; whatever it raises becomes one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from types import ModuleType
from typing import Any

from belamy.errors import BelamyError, ImageError, MissingExtra, describe_error

__all__ = [
    "FORMATS",
    "find_film",
    "import_av",
    "open_container",
    "origin_of",
    "translate_errors",
]

# Of all that FFmpeg reads, those that hold a film and name no other file or address.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska,webm",
    *("avi", "mpegts", "mpeg", "mpegvideo", "h264", "hevc", "ivf", "obu", "flv", "ogg", "asf"),
    *("mxf", "nut", "yuv4mpegpipe", "dv"),
)


def import_av() -> ModuleType:
    """PyAV.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtra("av", "video") from error
    return av


@contextmanager
def translate_errors(message: str, *, writing: bool = False) -> Iterator[None]:
    """Turn what PyAV raises in this block into an `ImageError`: `message`, and the cause.

    Args:
        writing: leave what the disk says to `belamy.files.atomic_path`, which says it of the file.
    """
    try:
        yield
    except BelamyError:
        raise
    except OSError as error:
        if writing:
            raise
        raise ImageError(f"{message}: {describe_error(error)}") from error
    except MemoryError as error:
        raise ImageError(f"{message}: it needs more memory than there is") from error
    # FFmpegError, UnicodeDecodeError, AssertionError … : strangers' files raise almost anything
    except Exception as error:
        raise ImageError(f"{message}: {describe_error(error)}") from error


def open_container(path: str) -> Any:
    """A file opened by FFmpeg, which is held to the formats of films and to this one file."""
    av = import_av()
    options = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "file"}
    try:  # texts in other codes than UTF-8, which are not looked at
        return av.open(f"file:{path}", options=options, metadata_errors="replace")
    except TypeError:  # PyAV 19 knows no metadata_errors, and needs none
        return av.open(f"file:{path}", options=options)


def find_film(container: Any) -> Any:
    """The stream of moving pictures; None where there is none but a cover."""
    cover = import_av().stream.Disposition.attached_pic
    return next((one for one in container.streams.video if not one.disposition & cover), None)


def origin_of(film: Any, sound: Any) -> Fraction:
    """When a film begins by its own clock: with the first of picture and sound.

    Sound before zero is what an encoder put there to warm up.

    Args:
        film, sound: streams, or None.
    """
    starts = [] if film is None else [_start(film)]
    if sound is not None and (begin := _start(sound)) is not None:
        starts.append(max(Fraction(0), begin))
    return min((one for one in starts if one is not None), default=Fraction(0))


def _start(stream: Any) -> Fraction | None:
    return None if stream.start_time is None else stream.start_time * Fraction(stream.time_base)
