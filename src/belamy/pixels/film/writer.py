"""`create_film`: frames written one at a time, each with its own time, whole or not at all."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from belamy.checks import Between, check_number
from belamy.errors import ImageError, OptionError
from belamy.files import atomic_folder, atomic_path, printable
from belamy.pixels.carriers import FILM_FILE, KEYWORD
from belamy.pixels.display.pillow import to_pil
from belamy.pixels.encode import on_white
from belamy.pixels.film.selection import as_time
from belamy.pixels.film.sound import Sound, open_sound
from belamy.pixels.film.writers.apng import ApngWriter
from belamy.pixels.film.writers.avif import AvifWriter
from belamy.pixels.film.writers.container import CODECS, CONTAINERS, ContainerWriter
from belamy.pixels.film.writers.folder import FolderWriter
from belamy.pixels.film.writers.gif import GifWriter
from belamy.pixels.film.writers.webp import WebpWriter
from belamy.pixels.formats.ffmpeg import import_av, translate_errors
from belamy.pixels.recipe import JSON, Recipe, comment, json_line

__all__ = [
    "FILM_SUFFIXES",
    "QUALITY",
    "THREADS",
    "FilmWriter",
    "VideoCodec",
    "check_film",
    "create_film",
    "describe_encoding",
]

QUALITY = 90
"""At which the codecs of films are said to be as good as the original to the eye."""

THREADS = 4
"""Of every encoder, since x264's bytes depend on their number."""

VideoCodec = Literal["h264", "vp9", "av1"]

_ANIMATED = (".gif", ".apng", ".webp", ".avif")
FILM_SUFFIXES = (*CONTAINERS, *_ANIMATED)
"""What can be written, and read; what has no suffix is a folder of PNGs."""

_MOST_SIDE = 16_384
_MOST_THREADS = 64


class _Backend(Protocol):
    def write(self, pixels: NDArray[np.uint8], time: Fraction, duration: Fraction) -> None: ...

    def finish(self) -> None: ...

    def close(self) -> None: ...


class FilmWriter:
    """A film that is being written: use it in `with`; an error leaves what was there.

    Args:
        path: where.
        size: (height, width).
        frame_rate: frames a second, nominal.
        codec: of a container's picture; None elsewhere.
        quality: 1 to 100.
        threads: of the encoder.
        recipe: how it was made.
        start: what is subtracted from every time.
        sound: what is heard.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        size: tuple[int, int],
        frame_rate: Fraction,
        codec: VideoCodec | None,
        quality: int,
        threads: int,
        recipe: Recipe | None,
        start: Fraction,
        sound: Sound | None,
    ) -> None:
        self.name = printable(path)
        self._path, self._size, self._start = Path(path), tuple(size), start
        self._suffix = self._path.suffix.lower()
        self._frame_rate, self._codec, self._sound = frame_rate, codec, sound
        self._quality, self._threads, self._recipe = quality, threads, recipe
        self._open = ExitStack()
        self._backend: _Backend | None = None
        self._alpha = False
        self._count = 0

    def __enter__(self) -> FilmWriter:
        opening = (
            atomic_path(self._path) if self._suffix else atomic_folder(self._path, own=FILM_FILE)
        )
        self._temporary = self._open.enter_context(opening)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._close()
            self._open.__exit__(kind, error, trace)
            return
        with self._open:
            try:
                self._finish()
            finally:
                self._close()

    def _close(self) -> None:
        if self._backend is not None:
            self._backend.close()
        elif self._sound is not None:
            self._sound.close()

    def _finish(self) -> None:
        if self._backend is None:
            raise ImageError(f"cannot save {self.name}: there are no frames")
        with translate_errors(f"cannot save {self.name}", writing=True):
            self._backend.finish()

    def write(
        self, image: Tensor, time: Fraction, duration: Fraction, alpha: Tensor | None = None
    ) -> None:
        """Write a frame.

        Args:
            image: (1, 3, H, W), sRGB, clamped to [0, 1] and rounded to 8 bits.
            time: seconds from the beginning of the film that it was made of.
            duration: seconds until the next one.
            alpha: (1, 1, H, W); where the first frame has none, later ones are put on white.

        Raises:
            ImageError: another size than the film's, or values that are no numbers.
        """
        self._count += 1
        size = tuple(image.shape[-2:])
        if size != self._size:
            raise ImageError(
                f"frame {self._count} is {size[1]} × {size[0]}, the film "
                f"{self._size[1]} × {self._size[0]}; take one size"
            )
        picture = to_pil(image, alpha)
        if self._backend is None:
            self._alpha = alpha is not None and self._keeps_alpha()
        picture = picture.convert("RGBA") if self._alpha else on_white(picture)
        with translate_errors(f"cannot save {self.name}", writing=True):
            if self._backend is None:
                self._backend = self._make_backend()
            self._backend.write(np.asarray(picture), time - self._start, duration)

    def _keeps_alpha(self) -> bool:
        return CODECS[self._codec].alpha if self._codec else True

    def _make_backend(self) -> _Backend:
        recipe, path = self._recipe, self._temporary
        if self._codec is not None:
            return ContainerWriter(
                path,
                CONTAINERS[self._suffix],
                CODECS[self._codec],
                self._frame_rate,
                self._quality,
                self._threads,
                "" if recipe is None else comment(recipe).decode("ascii"),
                self._sound,
            )
        if self._suffix == ".gif":
            text = b"" if recipe is None else comment(recipe)
            height, width = self._size
            return GifWriter(path, (height, width), text, self._alpha)
        if self._suffix == ".apng":
            texts = {} if recipe is None else {KEYWORD: json_line(recipe).decode("ascii")}
            return ApngWriter(path, texts)
        if self._suffix == ".avif":
            return AvifWriter(path, self._quality, self._threads, recipe)
        if self._suffix == ".webp":
            height, width = self._size
            return WebpWriter(path, (height, width), self._quality, recipe, self._alpha)
        return FolderWriter(path, recipe)


def check_film(
    path: str | os.PathLike[str], *, codec: VideoCodec | None = None
) -> tuple[str, VideoCodec | None]:
    """The suffix of `path` and the codec that is written there; call it before the work.

    Raises:
        ImageError: the suffix is none of `FILM_SUFFIXES`.
        OptionError: the container does not take that codec.
        MissingExtra: it needs PyAV, which is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix and suffix not in FILM_SUFFIXES:
        known = " ".join(FILM_SUFFIXES)
        raise ImageError(
            f"cannot save {printable(path)} as a film: unknown suffix {suffix!r}; use {known}, or "
            "none for a folder of PNGs"
        ).as_misuse()
    if suffix not in CONTAINERS:
        if codec is not None:
            raise OptionError(f"codec is {codec}; a {suffix or 'folder'} has none to choose")
        return suffix, None
    import_av()
    known_codecs = CONTAINERS[suffix].codecs
    if codec is not None and codec not in known_codecs:
        raise OptionError(f"codec is {codec}; a {suffix} takes {', '.join(known_codecs)}")
    found: VideoCodec = codec or known_codecs[0]  # type: ignore[assignment]
    return suffix, found


def create_film(
    path: str | os.PathLike[str],
    *,
    size: tuple[int, int],
    frame_rate: Fraction,
    sound_from: str | os.PathLike[str] | None = None,
    start: float | None = None,
    end: float | None = None,
    quality: int = QUALITY,
    codec: VideoCodec | None = None,
    recipe: Recipe | None = None,
    threads: int = THREADS,
) -> FilmWriter:
    """Begin a film: a `FilmWriter`, to be used in `with`.

    Args:
        path: where; its suffix is one of `FILM_SUFFIXES`, or none for a folder of PNGs.
        size: (height, width) of the frames; H.264 and AV1 repeat a pixel where a side is odd.
        frame_rate: frames a second, nominal: each frame has a time of its own.
        sound_from: a film whose sound it gets, copied where the container takes it; formats
            without sound, and films without it, stay silent.
        start, end: what of that film was taken, in seconds: times begin at `start`.
        quality: 1 to 100, of those that lose something: not of GIF, APNG and folders.
        codec: h264, vp9 or av1; None: H.264, in a WebM VP9.
        recipe: how it was made, carried in its metadata, with the encoder and its threads.
        threads: of the encoder, whose bytes depend on them.

    Raises:
        ImageError: an unknown suffix, or a film with sound that cannot be read.
        OptionError: a value out of its range, or a codec that the container does not take.
        MissingExtra: it needs PyAV, which is not installed.
    """
    check_number("quality", quality, Between(1, 100))
    check_number("threads", threads, Between(1, _MOST_THREADS))
    check_number("frame_rate", float(frame_rate), Between(0, 1000, above=True))
    suffix, chosen = check_film(path, codec=codec)
    height, width = size
    if not 1 <= min(height, width) <= max(height, width) <= _MOST_SIDE:
        raise OptionError(f"a film of {width} × {height}; sides are from 1 to {_MOST_SIDE}")
    begin, sound = as_time(start or 0), None
    if sound_from is not None and suffix in CONTAINERS:
        kind = CONTAINERS[suffix]
        with translate_errors(f"cannot read the sound of {printable(sound_from)}"):
            stop = None if end is None else as_time(end)
            sound = open_sound(sound_from, kind.sound, kind.copies, begin, stop)
    if recipe is not None:
        recipe = replace(recipe, film=describe_encoding(chosen, quality, threads))
    return FilmWriter(
        path, size, Fraction(frame_rate), chosen, quality, threads, recipe, begin, sound
    )


def describe_encoding(codec: VideoCodec | None, quality: int, threads: int) -> dict[str, JSON]:
    """What a recipe says of the encoder."""
    numbers: dict[str, JSON] = {"quality": quality, "threads": threads}
    return numbers if codec is None else {"codec": codec, **numbers}
