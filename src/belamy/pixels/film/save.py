"""`save_video`: frames that follow each other at one rate, as a film."""

from __future__ import annotations

import os
from collections.abc import Iterable
from fractions import Fraction

from torch import Tensor

from belamy.errors import ImageError, OptionError
from belamy.files import printable
from belamy.pixels.film.selection import as_rate
from belamy.pixels.film.writer import QUALITY, THREADS, VideoCodec, check_film, create_film
from belamy.pixels.recipe import Recipe

__all__ = ["FPS", "check_video", "save_video"]

FPS = 25.0
"""Frames a second of films that were given no speed."""

# Pictures that move count hundredths or thousandths; browsers hold a frame of ten thousandths or
# less for a tenth of a second.
_FASTEST = {".gif": 50.0, ".apng": 90.0, ".webp": 90.0, ".avif": 90.0}
_FASTEST_FILM = 240.0


def check_video(
    path: str | os.PathLike[str], fps: float = FPS, *, codec: VideoCodec | None = None
) -> str:
    """The suffix of `path`, lower case; call it before the work.

    Raises:
        ImageError: it is none of `belamy.pixels.film.FILM_SUFFIXES`.
        OptionError: the format cannot have that many frames a second, or not that codec.
        MissingExtra: it needs PyAV, which is not installed.
    """
    suffix, _ = check_film(path, codec=codec)
    fastest = _FASTEST.get(suffix, _FASTEST_FILM)
    if not 0 < fps <= fastest:
        kind = suffix or "folder of frames"
        raise OptionError(f"fps is {fps:g}; a {kind} takes more than 0, up to {fastest:g}")
    return suffix


def save_video(
    frames: Iterable[Tensor],
    path: str | os.PathLike[str],
    *,
    fps: float = FPS,
    quality: int = QUALITY,
    codec: VideoCodec | None = None,
    recipe: Recipe | None = None,
    threads: int = THREADS,
) -> None:
    """Save a film, whole or not at all; the same frames give the same bytes.

    Args:
        frames: each (1, 3, H, W), sRGB, clamped to [0, 1] and rounded to 8 bits; all of one size.
        path: `.mp4`, `.mov`, `.mkv` and `.webm` need the extra [video]; `.gif`, `.apng`, `.webp`
            and `.avif` play round and round; without a suffix it is a folder of PNGs.
        fps: frames a second; a GIF rounds each delay to hundredths, its mean stays.
        quality: 1 to 100, of those that lose something: not of GIF, APNG and folders.
        codec: h264, vp9 or av1; None: H.264, in a WebM VP9.
        recipe: how it was made, carried in its metadata.
        threads: of the encoder, whose bytes depend on them.

    Raises:
        ImageError: no frames, frames of several sizes, values that are no numbers, an unknown
            suffix, or a place that cannot be written. Nothing is written then.
        OptionError: more frames a second than the format has, or another value out of its range.
        MissingExtra: it needs PyAV, which is not installed.
    """
    check_video(path, fps, codec=codec)
    rate = as_rate(fps)
    rest = iter(frames)
    first = next(rest, None)
    if first is None:
        raise ImageError(f"cannot save {printable(path)}: there are no frames")
    height, width = first.shape[-2:]
    with create_film(
        path,
        size=(height, width),
        frame_rate=rate,
        quality=quality,
        codec=codec,
        recipe=recipe,
        threads=threads,
    ) as film:
        film.write(first, Fraction(0), 1 / rate)
        for index, frame in enumerate(rest, start=1):
            film.write(frame, index / rate, 1 / rate)
