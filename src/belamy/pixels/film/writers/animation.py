"""Animated WEBP and AVIF, whose frames wait on the disk until Pillow encodes them all."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from belamy.pixels.encode import SUFFIXES
from belamy.pixels.film.writers.apng import ApngWriter
from belamy.pixels.recipe import Recipe

__all__ = ["AnimationWriter"]

_SHORTEST = 11  # milliseconds; browsers would hold what is shorter for a tenth of a second
# Each frame whole: libwebp leaves out pixels that differ by a few levels from the frame before,
# so that a slow change stops, and jumps with the next whole frame.
_WHOLE = {"kmin": 0, "kmax": 1}


class AnimationWriter:
    """Writes one WEBP or AVIF, which plays round and round.

    Args:
        path: where.
        suffix: which of the two.
        quality: 1 to 100.
        threads: of the encoder, whose bytes depend on them.
        recipe: carried in the file.
    """

    def __init__(
        self, path: Path, suffix: str, quality: int, threads: int, recipe: Recipe | None
    ) -> None:
        self._path, self._threads = path, threads
        self._quality, self._recipe = quality, recipe
        self._format = SUFFIXES[suffix]
        self._folder = tempfile.TemporaryDirectory(prefix="belamy-")
        self._frames = Path(self._folder.name) / "frames.png"
        self._waiting = ApngWriter(self._frames, {}, compression=1, shortest=_SHORTEST)

    def write(self, pixels: NDArray[np.uint8], time: Fraction, duration: Fraction) -> None:
        """A frame, (H, W, 3) or (H, W, 4)."""
        self._waiting.write(pixels, time, duration)

    def finish(self) -> None:
        """Encode them all."""
        self._waiting.finish()
        carry = self._format.carry
        arguments = self._format.options(self._quality)
        if self._recipe is not None and carry is not None:
            arguments |= carry(self._recipe)
        arguments |= {"max_threads": self._threads} if self._format.name == "AVIF" else _WHOLE
        with Image.open(self._frames, formats=["PNG"]) as frames:
            frames.save(
                self._path,
                self._format.name,
                save_all=True,
                loop=0,
                duration=self._waiting.durations,
                **arguments,
            )
        self.close()

    def close(self) -> None:
        """Remove what waited."""
        self._waiting.close()
        self._folder.cleanup()
