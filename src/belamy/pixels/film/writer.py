"""`create_film`: frames written one at a time, each with its own time, whole or not at all."""

from __future__ import annotations

import os
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np
from torch import Tensor

from belamy.errors import ImageError
from belamy.files import atomic_path
from belamy.pixels.decode import printable
from belamy.pixels.display.pillow import to_pil
from belamy.pixels.film.encoder import CODECS, ContainerWriter
from belamy.pixels.film.ffmpeg import import_av, translate_errors
from belamy.pixels.recipe import Recipe, comment

__all__ = ["FILM_SUFFIXES", "FilmWriter", "create_film"]

QUALITY = 90
THREADS = 4
_KINDS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}

FILM_SUFFIXES = tuple(_KINDS)


class FilmWriter:
    """A film that is being written: use it in `with`; an error leaves what was there."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        size: tuple[int, int],
        frame_rate: Fraction,
        quality: int,
        threads: int,
        recipe: Recipe | None,
        start: Fraction,
    ) -> None:
        self.name = printable(path)
        self._path, self._size, self._start = Path(path), tuple(size), start
        self._frame_rate, self._quality, self._threads = frame_rate, quality, threads
        self._comment = "" if recipe is None else comment(recipe).decode("ascii")
        self._open = ExitStack()
        self._count = 0

    def __enter__(self) -> FilmWriter:
        temporary = self._open.enter_context(atomic_path(self._path))
        kind = _KINDS[self._path.suffix.lower()]
        self._writer = ContainerWriter(
            temporary,
            kind,
            CODECS["h264"],
            self._frame_rate,
            self._quality,
            self._threads,
            self._comment,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._writer.close()
            self._open.__exit__(kind, error, trace)
            return
        with self._open:
            self._finish()

    def _finish(self) -> None:
        if not self._count:
            self._writer.close()
            raise ImageError(f"cannot save {self.name}: there are no frames")
        with translate_errors(f"cannot save {self.name}"):
            self._writer.finish()

    def write(
        self, image: Tensor, time: Fraction, duration: Fraction, alpha: Tensor | None = None
    ) -> None:
        """Write a frame.

        Args:
            image: (1, 3, H, W), sRGB, clamped to [0, 1] and rounded to 8 bits.
            time: seconds from the beginning of the film that it was made of.
            duration: seconds until the next one.
            alpha: (1, 1, H, W).

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
        pixels = np.asarray(to_pil(image))
        with translate_errors(f"cannot save {self.name}"):
            self._writer.write(pixels, time - self._start, duration)


def create_film(
    path: str | os.PathLike[str],
    *,
    size: tuple[int, int],
    frame_rate: Fraction,
    sound_from: str | os.PathLike[str] | None = None,
    start: float | None = None,
    end: float | None = None,
    quality: int = QUALITY,
    recipe: Recipe | None = None,
    threads: int = THREADS,
) -> FilmWriter:
    """Begin a film.

    Args:
        path: where; its suffix is one of `FILM_SUFFIXES`.
        size: (height, width) of the frames.
        frame_rate: frames a second, nominal.
        sound_from: a film whose sound it gets.
        start, end: what of that film was taken, in seconds.
        quality: 1 to 100.
        recipe: how it was made, carried in its metadata.
        threads: of the encoder, whose bytes depend on them.

    Raises:
        ImageError: an unknown suffix.
        MissingExtra: it needs PyAV, which is not installed.
    """
    import_av()
    begin = Fraction(start or 0).limit_denominator(1_000_000)
    return FilmWriter(path, size, frame_rate, quality, threads, recipe, begin)
