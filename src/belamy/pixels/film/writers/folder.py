"""A folder of PNGs, numbered, with what a film has besides in a file of its own."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from belamy.pixels import encode
from belamy.pixels.carriers import FILM_FILE
from belamy.pixels.recipe import Recipe, json_line

__all__ = ["FolderWriter"]


class FolderWriter:
    """Writes the frames of one film: `000001.png` and so on.

    Args:
        path: the folder, which is there.
        recipe: how it was made.
    """

    def __init__(self, path: Path, recipe: Recipe | None) -> None:
        self._path, self._recipe = path, recipe
        self._durations: list[str] = []

    def write(self, pixels: NDArray[np.uint8], time: Fraction, duration: Fraction) -> None:
        """A frame, (H, W, 3) or (H, W, 4)."""
        self._durations.append(str(duration))
        name = f"{len(self._durations):06d}.png"
        data = encode.encode(Image.fromarray(pixels), name, None, encode.QUALITY)
        (self._path / name).write_bytes(data)

    def finish(self) -> None:
        """Write how long each frame stands, in seconds, and the recipe."""
        recipe = None if self._recipe is None else json.loads(json_line(self._recipe))
        text = json.dumps({"durations": self._durations, "recipe": recipe}, indent=1)
        (self._path / FILM_FILE).write_text(text + "\n", "utf-8")

    def close(self) -> None:
        """Nothing is open."""
