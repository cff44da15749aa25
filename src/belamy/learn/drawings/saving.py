"""Drawings to files: a picture of the last one, or a film of all."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from belamy import files
from belamy.learn.drawings.style import COLOURS, GREY, INK, LINE
from belamy.pixels.encode import QUALITY, encode
from belamy.pixels.recipe import Recipe, comment

__all__ = ["save_film", "save_still"]

# Milliseconds, by eye. A film takes about 5 s; the last frame stays, to be looked at.
FILM, QUICKEST, SLOWEST, LAST = 5000, 80, 1500, 3000
_SAMPLES = 12
_COLOURS = 256


def save_still(picture: Image.Image, path: Path, recipe: Recipe) -> None:
    """Save a picture in the format that the suffix names, with its recipe.

    Raises:
        BelamyError: it cannot be written there.
    """
    files.write_bytes(path, encode(picture, path, recipe, QUALITY))


def save_film(pictures: Sequence[Image.Image], path: Path, recipe: Recipe) -> None:
    """Save pictures of one size as a GIF that begins again and again.

    Raises:
        BelamyError: it cannot be written there.
    """
    palette = _palette(pictures)
    indexed = [one.quantize(palette=palette, dither=Image.Dither.NONE) for one in pictures]
    each = min(max(FILM // len(indexed), QUICKEST), SLOWEST)
    buffer = io.BytesIO()
    indexed[0].save(
        buffer,
        "GIF",
        save_all=True,
        append_images=indexed[1:],
        duration=[each] * (len(indexed) - 1) + [LAST],
        loop=0,
        comment=comment(recipe),
    )
    files.write_bytes(path, buffer.getvalue())


def _palette(pictures: Sequence[Image.Image]) -> Image.Image:
    """One for the whole film, lest its colours flicker: of a dozen frames, the last among them.

    The style's own colours are added in large, since thin lines of them would not count for much.
    """
    chosen = pictures[:: -max(1, len(pictures) // _SAMPLES)]
    width, height = chosen[0].size
    sample = Image.new("RGB", (width, (len(chosen) + 1) * height))
    for row, picture in enumerate(chosen):
        sample.paste(picture, (0, row * height))
    own = (*COLOURS, INK, GREY, LINE)
    for index, colour in enumerate(own):
        left, right = (width * edge // len(own) for edge in (index, index + 1))
        sample.paste(colour, (left, len(chosen) * height, right, sample.height))
    return sample.quantize(_COLOURS, Image.Quantize.MEDIANCUT)
