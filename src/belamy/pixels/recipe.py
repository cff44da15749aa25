"""The recipe: how a picture was made, carried inside the picture and read back.

PNG keeps it in a compressed text chunk called `belamy`, JPEG, WEBP and AVIF in the EXIF user
comment, TIFF in its image description, GIF and MP4 in a comment. BMP has no place for one.
"""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import TypeAlias

from PIL import Image

from belamy import files
from belamy.errors import BelamyError, RecipeError
from belamy.pixels import decode, mp4

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

KEYWORD = "belamy"
# Cameras and editors write comments too; ours begin with this.
MARK = b"belamy:"

# A header costs no memory, so the recipe of a very large picture may be read all the same.
_HEADER_MEGAPIXELS = 1000.0
_LONGEST = 1 << 20  # characters of JSON: Pillow's own bound on a text chunk
_DEEPEST = 32
IMAGE_DESCRIPTION = 0x010E
_EXIF_FOLDER, _USER_COMMENT = 0x8769, 0x9286
_CHARSET_LENGTH = 8  # the EXIF standard: 8 bytes name the character code of a comment
_ASCII = b"ASCII\x00\x00\x00"
_DIGEST = re.compile("[0-9a-f]{64}")
# Lone surrogates (in file names that are not UTF-8), which no encoder would take; controls and
# changes of direction, which could play tricks on the terminal that a recipe is printed to.
_UNPRINTABLE = re.compile("[\ud800-\udfff\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Input:
    """A file that went into a picture: its part in the work, where it was, what was in it."""

    role: str
    path: str
    sha256: str

    @classmethod
    def of(cls, role: str, path: str | os.PathLike[str]) -> Input:
        """The file at `path` as it is now.

        Raises:
            BelamyError: it cannot be read.
        """
        return cls(role, os.fspath(path), files.sha256(path))


@dataclass(frozen=True)
class Recipe:
    """All that is needed to make a picture again.

    Args:
        engine: the engine's name, as in `belamy ENGINE`.
        options: every option with its value, defaults filled in; plain JSON (tuples turn to lists).
        inputs: the files read.
        weights: network name → SHA-256 of its weights.
        seed: the seed of all randomness.
        belamy: version of this package.
        torch: version of torch, whose numbers differ between versions.
        step: how many steps had been made: fewer than all, if the work was stopped early; None
            where there are no steps.

    Raises:
        RecipeError: a field is of the wrong type; the message names it.
    """

    engine: str
    options: dict[str, JSON]
    inputs: tuple[Input, ...]
    weights: dict[str, str]
    seed: int
    belamy: str
    torch: str
    step: int | None = None

    def __post_init__(self) -> None:
        for name in ("engine", "belamy", "torch"):
            _need(isinstance(getattr(self, name), str), name, "a text")
        _need(isinstance(self.options, dict), "options", "an object")
        _need(isinstance(self.weights, dict), "weights", "an object")
        _need(isinstance(self.seed, int) and not isinstance(self.seed, bool), "seed", "a number")
        _need(self.step is None or _is_count(self.step), "step", "a whole number from 1")
        for name, digest in self.weights.items():
            _need(isinstance(name, str) and _is_digest(digest), "weights", "names and SHA-256s")
        for item in self.inputs:
            texts = isinstance(item.role, str) and isinstance(item.path, str)
            _need(texts and _is_digest(item.sha256), "inputs", "roles, paths and SHA-256s")
        object.__setattr__(self, "options", _plain(self.options, "options", 0))
        object.__setattr__(self, "weights", dict(self.weights))
        object.__setattr__(self, "inputs", tuple(self.inputs))

    def to_json(self) -> str:
        """The recipe as indented JSON with sorted keys: equal recipes give equal texts."""
        text = json.dumps(asdict(self), sort_keys=True, indent=2, ensure_ascii=False)
        return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)

    @classmethod
    def from_json(cls, text: str | bytes) -> Recipe:
        """Read what `to_json` wrote.

        Raises:
            RecipeError: it is not JSON, or a field is missing, unknown or of the wrong type.
        """
        if len(text) > _LONGEST:
            raise RecipeError(f"the recipe has {len(text)} characters, more than {_LONGEST}")
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
            raise RecipeError(f"the recipe is not JSON ({decode.describe_error(error)})") from error
        _need_fields(data, cls, "the recipe")
        _need(isinstance(data["inputs"], list), "inputs", "a list")
        for item in data["inputs"]:
            _need_fields(item, Input, "an input of the recipe")
        return cls(**{**data, "inputs": tuple(Input(**item) for item in data["inputs"])})


def read_recipe(path: str | os.PathLike[str]) -> Recipe:
    """The recipe that the picture or the film at `path` carries.

    Raises:
        RecipeError: it carries none, or one that is malformed.
        ImageError: it is not a picture that can be read.
    """
    name = decode.printable(path)
    if mp4.is_mp4(path):
        text: str | bytes | None = _strip_mark(mp4.comment_of(path))
    else:
        with decode.open_picture(path, max_megapixels=_HEADER_MEGAPIXELS) as picture:
            text = _find_recipe(picture)
    if text is None:
        raise RecipeError(f"{name} carries no recipe; belamy's own pictures do, unless re-saved")
    try:
        return Recipe.from_json(text)
    except RecipeError as error:
        raise RecipeError(f"{name}: {error}") from error


def verify_inputs(recipe: Recipe) -> None:
    """Compare every input of `recipe` with the file that is at its path now.

    Raises:
        RecipeError: one is missing, cannot be read, or has changed; the message says which and how.
    """
    for item in recipe.inputs:
        name = f"the input {decode.printable(item.path)} ({decode.printable(item.role)})"
        try:
            present = Path(item.path).is_file()
        except (OSError, ValueError):  # a name too long, or with a zero byte in it
            present = False
        if not present:
            raise RecipeError(f"{name} is missing; put it back, or run from its folder")
        try:
            now = files.sha256(item.path)
        except BelamyError as error:
            raise RecipeError(f"{name} cannot be checked: {error}") from error
        if now != item.sha256:
            raise RecipeError(
                f"{name} has changed: its SHA-256 was {item.sha256[:12]}…, now it is {now[:12]}…; "
                "restore the original to make the same picture"
            )


def exif(recipe: Recipe) -> bytes:
    """An EXIF block with the recipe as its user comment, in ASCII with JSON's own escapes."""
    block = Image.Exif()
    block.get_ifd(_EXIF_FOLDER)[_USER_COMMENT] = _ASCII + comment(recipe)
    return block.tobytes()


def comment(recipe: Recipe) -> bytes:
    """The recipe as compact, marked ASCII, for places with no stated encoding and little room."""
    text = json.dumps(asdict(recipe), sort_keys=True, separators=(",", ":"))
    return MARK + text.encode("ascii")


def _find_recipe(picture: Image.Image) -> str | bytes | None:
    """What stands in the picture's metadata as a recipe, unparsed."""
    info = picture.info
    text = info.get(KEYWORD)
    if isinstance(text, (str, bytes)):
        return text
    block = picture.getexif()
    note = block.get_ifd(_EXIF_FOLDER).get(_USER_COMMENT)
    notes = (
        note[_CHARSET_LENGTH:] if isinstance(note, bytes) else None,
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


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _need(condition: bool, name: str, expected: str) -> None:
    if not condition:
        raise RecipeError(f"the recipe's {name!r} should be {expected}")


def _need_fields(data: object, kind: type[Recipe] | type[Input], name: str) -> None:
    if not isinstance(data, dict):
        raise RecipeError(f"{name} should be an object, not {type(data).__name__}")
    known = {field.name: field.default is MISSING for field in fields(kind)}
    if missing := sorted(field for field, needed in known.items() if needed and field not in data):
        raise RecipeError(f"{name} lacks {', '.join(missing)}")
    if unknown := sorted(data.keys() - known.keys()):
        raise RecipeError(f"{name} has {decode.printable(unknown[0])!r}, unknown to this version")


def _plain(value: object, name: str, depth: int) -> JSON:
    """A copy of `value` in JSON's own types."""
    if depth > _DEEPEST:
        raise RecipeError(f"the recipe's {name} is nested more than {_DEEPEST} deep")
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(part, name, depth + 1) for part in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(part, f"{name}.{key}", depth + 1) for key, part in value.items()}
    raise RecipeError(f"the recipe's {name} is {value!r:.80}, which JSON cannot hold")
