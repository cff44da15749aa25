"""Animated AVIF, whose frames wait on the disk until Pillow encodes them all."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from belamy.pixels.encode import SUFFIXES
from belamy.pixels.film.writers.apng import ApngWriter
from belamy.pixels.formats.avif import clear_times
from belamy.pixels.recipe import Recipe

__all__ = ["AvifWriter"]

_FORMAT = SUFFIXES[".avif"]
_SHORTEST = 11  # milliseconds; browsers would hold what is shorter for a tenth of a second


class AvifWriter:
    """Writes one AVIF, which plays round and round.

    Args:
        path: where.
        quality: 1 to 100.
        threads: of the encoder, whose bytes depend on them.
        recipe: carried in the file.
    """

    def __init__(self, path: Path, quality: int, threads: int, recipe: Recipe | None) -> None:
        self._path, self._threads = path, threads
        self._quality, self._recipe = quality, recipe
        self._folder = tempfile.TemporaryDirectory(prefix="belamy-")
        self._frames = Path(self._folder.name) / "frames.png"
        self._waiting = ApngWriter(self._frames, {}, compression=1, shortest=_SHORTEST)

    def write(self, pixels: NDArray[np.uint8], time: Fraction, duration: Fraction) -> None:
        """A frame, (H, W, 3) or (H, W, 4)."""
        self._waiting.write(pixels, time, duration)

    def finish(self) -> None:
        """Encode them all."""
        self._waiting.finish()
        arguments = _FORMAT.options(self._quality) | {"max_threads": self._threads}
        if self._recipe is not None and _FORMAT.carry is not None:
            arguments |= _FORMAT.carry(self._recipe)
        with Image.open(self._frames, formats=["PNG"]) as frames:
            frames.save(
                self._path,
                _FORMAT.name,
                save_all=True,
                duration=self._waiting.durations,
                **arguments,
            )
        clear_times(self._path)
        self.close()

    def close(self) -> None:
        """Remove what waited."""
        self._waiting.close()
        self._folder.cleanup()
