"""Pictures that move (GIF, WEBP, APNG, AVIF), decoded by Pillow, a frame at a time."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from functools import partial

from PIL import Image

from belamy.errors import ImageError, PictureWarning
from belamy.files import printable
from belamy.pixels import decode
from belamy.pixels.film.frame import MOST_MEGAPIXELS, Moment, Pixels
from belamy.pixels.formats.frames import count_frames
from belamy.pixels.images import fit, from_pil, resize

__all__ = ["AnimatedFilm"]

MOST_GIGAPIXELS = 20.0
"""Frames × pixels: a GIF of a thousand bytes can ask for any number of both."""

_MOST_FRAMES = 1_000_000
_SHORTEST = 10  # milliseconds; browsers take such a delay for none, and show the frame for …
_USUAL = 100


class AnimatedFilm:
    """A picture that moves; see `belamy.pixels.film.frame.FilmSource`.

    Args:
        path: of the file.
        size: long side of the frames; None: their own.

    Raises:
        ImageError: it is not there, damaged, does not move, or is too large.
    """

    has_sound = False

    def __init__(self, path: str | os.PathLike[str], size: int | None) -> None:
        self.name = printable(path)
        self._open = ExitStack()
        opening = decode.open_picture(path, max_megapixels=MOST_MEGAPIXELS, shared=True)
        try:
            self._picture = self._open.enter_context(opening)
            with decode.translate_errors(self.name):
                self._measure(size)
        except BaseException:
            self.close()
            raise

    def _measure(self, size: int | None) -> None:
        picture = self._picture
        # a PNG's picture for those who know no APNG, which is none of its frames
        self._first = int(bool(getattr(picture, "default_image", False)))
        self.frames: int | None = count_frames(picture, _MOST_FRAMES) - self._first
        if self.frames < 2:
            raise ImageError(f"{self.name} does not move; give a film")
        width, height = picture.size
        gigapixels = self.frames * width * height / 1e9
        if gigapixels > MOST_GIGAPIXELS:
            raise ImageError(
                f"{self.name} has {self.frames} frames of {width} × {height}, {gigapixels:.0f} "
                f"gigapixels together; the limit is {MOST_GIGAPIXELS:g}; make it smaller"
            )
        self.size = (height, width) if size is None else fit(height, width, size)
        self._still = self._read(self._first)
        assert self._still is not None
        self.frame_rate = 1 / self._still[1]
        self.seconds: Fraction | None = None

    def close(self) -> None:
        """Close the file."""
        self._open.close()

    def moments(self, start: Fraction) -> Iterator[Moment]:
        """Every frame from the first: each may be drawn over the one before."""
        time = Fraction(0)
        for picture, duration in self._pictures():
            yield Moment(time, duration, partial(self._load, picture))
            time += duration

    def _pictures(self) -> Iterator[tuple[Image.Image, Fraction]]:
        index = self._first
        while True:
            try:
                found = self._read(index)
            except ImageError as error:
                if index == self._first:
                    raise
                text = f"{error}; the {index - self._first} frames before are taken"
                warnings.warn(text, PictureWarning, stacklevel=2)
                return
            if found is None:
                return
            yield found
            index += 1

    def _read(self, index: int) -> tuple[Image.Image, Fraction] | None:
        """A frame, composed, and how long it stands; None after the last."""
        with decode.translate_errors(self.name):
            try:
                self._picture.seek(index)
            except EOFError:
                return None
            self._picture.load()
            delay = self._picture.info.get("duration", 0)
            return self._picture.copy(), _duration(delay)

    def _load(self, picture: Image.Image) -> Pixels:
        found = from_pil(picture)
        alpha = None if found.alpha is None else resize(found.alpha, self.size)
        return resize(found.image, self.size), alpha


def _duration(delay: object) -> Fraction:
    """Seconds of a delay in milliseconds, as browsers take it."""
    number = Fraction(delay) if isinstance(delay, (int, float)) else Fraction(0)
    return (number if number > _SHORTEST else Fraction(_USUAL)) / 1000
