"""Where in a file a recipe stands, as text: what `belamy.pixels.recipe` reads and writes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PIL import Image

from belamy.pixels import decode
from belamy.pixels.formats import matroska, mp4
from belamy.pixels.metadata import (
    EXIF_FOLDER,
    IMAGE_DESCRIPTION,
    LONGEST,
    USER_COMMENT,
    jpeg_comments,
    png_texts,
)

__all__ = ["CHARSET", "FILM_FILE", "KEYWORD", "MARK", "find_recipe_text", "split_text"]

KEYWORD = "belamy"
"""The keyword of a PNG's text."""

FILM_FILE = "film.json"
"""In a folder of frames: how long each stands, and the recipe."""

MARK = b"belamy:"
"""Cameras and editors write comments too; ours begin with this."""

CHARSET = b"ASCII\x00\x00\x00"
"""The EXIF standard: 8 bytes name the character code of a comment."""

# A header costs no memory, so the recipe of a very large picture may be read all the same.
_HEADER_MEGAPIXELS = 1000.0
_PART = re.compile(rb"belamy (\d{1,4})/(\d{1,4}):")  # how a part of a long recipe begins
_PART_LENGTH = 65_000  # bytes; a JPEG's segment has 65,533


def split_text(text: bytes) -> list[bytes]:
    """A long text in numbered parts, each short enough for a comment of a JPEG."""
    parts = [text[at : at + _PART_LENGTH] for at in range(0, len(text), _PART_LENGTH)]
    return [b"belamy %d/%d:" % (n, len(parts)) + part for n, part in enumerate(parts, start=1)]


def find_recipe_text(path: str | os.PathLike[str]) -> str | bytes | None:
    """What stands as a recipe in a picture or a film, where Pillow looks and where it does not.

    Raises:
        ImageError: it is not a picture that can be read.
    """
    if mp4.is_mp4(path):
        return _strip_mark(mp4.comment_of(path))
    if matroska.is_matroska(path):
        return _strip_mark(matroska.comment_of(path))
    if (Path(path) / FILM_FILE).is_file():
        return _of_folder(Path(path) / FILM_FILE)
    with suppress(OSError, ValueError):
        if Path(path).is_file():
            text = png_texts(path).get(KEYWORD) or _join_parts(jpeg_comments(path))
            if text is not None:
                return text
    with decode.open_picture(path, max_megapixels=_HEADER_MEGAPIXELS) as picture:
        return _find_recipe(picture)


def _of_folder(path: Path) -> str | None:
    """The recipe of a folder of frames."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(LONGEST))["recipe"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return json.dumps(found) if isinstance(found, dict) else None


def _join_parts(comments: Sequence[bytes]) -> bytes | None:
    """The recipe in numbered comments; None where there are none, or not all of them."""
    found = {}
    for text in comments:
        if match := _PART.match(text):
            found[int(match[1]), int(match[2])] = text[match.end() :]
    total = max((total for _, total in found), default=0)
    keys = [(number, total) for number in range(1, total + 1)]
    if not keys or any(key not in found for key in keys):
        return None
    return b"".join(found[key] for key in keys)


def _find_recipe(picture: Image.Image) -> str | bytes | None:
    """What stands in the picture's metadata as a recipe, unparsed."""
    info = picture.info
    text = info.get(KEYWORD)
    if isinstance(text, (str, bytes)):
        return text
    block = picture.getexif()
    note = block.get_ifd(EXIF_FOLDER).get(USER_COMMENT)
    notes = (
        note[len(CHARSET) :] if isinstance(note, bytes) else None,
        block.get(IMAGE_DESCRIPTION),
        info.get("comment"),
    )
    marked = map(_strip_mark, notes)
    return next((found for found in marked if found is not None), None)


def _strip_mark(note: object) -> bytes | None:
    """What follows our mark in a comment; None where others wrote it."""
    found = note.encode("utf-8", "replace") if isinstance(note, str) else note
    ours = isinstance(found, bytes) and found.startswith(MARK)
    return found[len(MARK) :] if isinstance(found, bytes) and ours else None
