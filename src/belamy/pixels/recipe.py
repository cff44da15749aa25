"""The recipe: how a picture was made, carried inside the picture and read back.

PNG keeps it in a text chunk called `belamy` (tEXt, which other programs keep where they drop iTXt),
JPEG, WEBP and AVIF in the EXIF user comment (a JPEG's that is too long for it in comments of its
own), TIFF in its image description, GIF and MP4 in a comment. BMP has no place for one.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TypeAlias

from PIL import Image

from belamy import files
from belamy.checks import show_value
from belamy.errors import BelamyError, RecipeError
from belamy.files import printable
from belamy.pixels import decode
from belamy.pixels.carriers import CHARSET, MARK, find_recipe_text
from belamy.pixels.metadata import (
    ARTIST,
    COPYRIGHT,
    CREDITS,
    EXIF_FOLDER,
    LONGEST,
    USER_COMMENT,
)
from belamy.precision import MACHINE

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

_DEEPEST = 32
_MOST_THREADS = 1024
_MOST_AXES = 2
MOST_VALUES = 24  # of an option on a sheet of several
_LARGEST_INPUT = 4 << 30  # bytes; a picture of 100 megapixels has less
_DIGEST = re.compile("[0-9a-f]{64}")
# Lone surrogates (in file names that are not UTF-8), which no encoder would take; controls and
# changes of direction, which could play tricks on the terminal that a recipe is printed to.
_UNPRINTABLE = re.compile("[\ud800-\udfff\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
# Options whose values may be paths, and environment variable that leaves folders out of all paths.
PATH_OPTIONS = frozenset({"data", "image", "latents", "model", "network", "networks"})
NO_PATHS = "BELAMY_NO_PATHS"


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
        threads: on how many the processor computed, since sums are added up in another order on
            another number; None where it is not known.
        credits: what of the inputs' own artist, copyright and parameters is carried on.
        film: of a film, how it was encoded: `quality`, `threads`, `codec`.
        auto: the options that nobody named: what they are is what the machine chose. None in older
            recipes, which do not say.
        derived: the options that nobody named and that the engine filled in from the others, as a
            command without them does again; none in older recipes, which do not say.
        grid: of a sheet of several, `[option, [value, …]]` for its columns, and for its rows;
            `options` are then those that all of them share.

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
    threads: int | None = None
    credits: dict[str, str] = field(default_factory=dict)
    film: dict[str, JSON] = field(default_factory=dict)
    auto: tuple[str, ...] | None = None
    derived: tuple[str, ...] = ()
    grid: tuple[tuple[str, tuple[JSON, ...]], ...] = ()

    def __post_init__(self) -> None:
        for name in ("engine", "belamy", "torch"):
            _need(isinstance(getattr(self, name), str), name, "a text")
        _need(isinstance(self.options, dict), "options", "an object")
        _need(isinstance(self.weights, dict), "weights", "an object")
        _need(isinstance(self.seed, int) and not isinstance(self.seed, bool), "seed", "a number")
        _need(self.step is None or _is_count(self.step), "step", "a whole number from 1")
        few = _is_count(self.threads) and (self.threads or 0) <= _MOST_THREADS
        _need(self.threads is None or few, "threads", f"a whole number from 1 to {_MOST_THREADS}")
        _need(isinstance(self.film, dict), "film", "an object")
        _need(self.auto is None or _are_names(self.auto), "auto", f"some of {', '.join(MACHINE)}")
        _need(_are_options(self.derived, self.options), "derived", "some of the options")
        _need(_are_credits(self.credits), "credits", f"texts of {', '.join(CREDITS)}")
        for name, digest in self.weights.items():
            _need(isinstance(name, str) and _is_digest(digest), "weights", "names and SHA-256s")
        for item in self.inputs:
            texts = isinstance(item.role, str) and isinstance(item.path, str)
            _need(texts and _is_digest(item.sha256), "inputs", "roles, paths and SHA-256s")
        object.__setattr__(self, "options", _plain(self.options, "options", 0))
        object.__setattr__(self, "film", _plain(self.film, "film", 0))
        object.__setattr__(self, "weights", dict(self.weights))
        object.__setattr__(self, "credits", dict(self.credits))
        object.__setattr__(self, "inputs", tuple(self.inputs))
        object.__setattr__(self, "auto", None if self.auto is None else tuple(self.auto))
        object.__setattr__(self, "derived", tuple(self.derived))
        object.__setattr__(self, "grid", _axes(self.grid))

    def to_json(self) -> str:
        """The recipe as indented JSON with sorted keys: equal recipes give equal texts."""
        text = json.dumps(_as_object(self), sort_keys=True, indent=2, ensure_ascii=False)
        return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)

    @classmethod
    def from_json(cls, text: str | bytes) -> Recipe:
        """Read what `to_json` wrote.

        Raises:
            RecipeError: it is not JSON, or a field is missing, unknown or of the wrong type.
        """
        if len(text) > LONGEST:
            raise RecipeError(f"the recipe has {len(text)} characters, more than {LONGEST}")
        try:
            data = json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_refuse)
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
    name = printable(path)
    text = find_recipe_text(path)
    if text is None:
        raise RecipeError(f"{name} carries no recipe; belamy's own pictures do, unless re-saved")
    try:
        return Recipe.from_json(text)
    except RecipeError as error:
        raise RecipeError(f"{name}: {error}") from error


def digest_of(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file that a recipe names: of a plain file, in bounds.

    Raises:
        BelamyError: it is a device or a pipe, empty, larger than any picture, or cannot be read.
    """
    name = printable(path)
    try:
        status = Path(path).stat()
    except FileNotFoundError as error:
        raise files.missing_file(BelamyError, path) from error
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise BelamyError(f"cannot read {name}: {cause}; check the path") from error
    if not stat.S_ISREG(status.st_mode):
        raise BelamyError(f"cannot read {name}: it is no plain file")
    # What the system makes as it is read, in /proc, says that it is empty, and may have no end.
    if not 0 < status.st_size <= _LARGEST_INPUT:
        raise BelamyError(
            f"cannot read {name}: it has {status.st_size} bytes; it may have 1 to {_LARGEST_INPUT}"
        )
    return files.sha256(path)


def exif(recipe: Recipe, *, note: bool = True) -> bytes:
    """An EXIF block: artist, copyright, and the recipe as its user comment in ASCII.

    Args:
        note: whether the recipe itself is in it.
    """
    block = Image.Exif()
    for name, tag in (("artist", ARTIST), ("copyright", COPYRIGHT)):
        if name in recipe.credits:
            block[tag] = recipe.credits[name].encode("utf-8", "replace")
    if note:
        block.get_ifd(EXIF_FOLDER)[USER_COMMENT] = CHARSET + comment(recipe)
    return block.tobytes()


def json_line(recipe: Recipe) -> bytes:
    """The recipe as compact ASCII with JSON's own escapes, as it is written into files.

    Raises:
        RecipeError: it is too long to be read again.
    """
    hidden = _without_folders(recipe) if are_paths_hidden() else recipe
    text = json.dumps(_as_object(hidden), sort_keys=True, separators=(",", ":")).encode("ascii")
    if len(text) > LONGEST:
        raise RecipeError(f"the recipe has {len(text)} characters; {LONGEST} can be read again")
    return text


def _as_object(recipe: Recipe) -> dict[str, JSON]:
    """As JSON has it; what films, sheets or newer recipes alone have is left out of others."""
    kept = asdict(recipe)
    if recipe.auto is None:
        del kept["auto"]
    return {k: v for k, v in kept.items() if v or k not in ("derived", "film", "grid")}


def comment(recipe: Recipe) -> bytes:
    """The recipe as `json_line` has it, marked, for places where others write too."""
    return MARK + json_line(recipe)


@contextmanager
def hiding_paths() -> Iterator[None]:
    """Inside this block recipes are written with the names of files alone, without their folders.

    So they are everywhere where the environment variable `BELAMY_NO_PATHS` is set, but to 0.
    """
    _hiding.append(True)
    try:
        yield
    finally:
        _hiding.pop()


_hiding: list[bool] = []


def are_paths_hidden() -> bool:
    """Whether recipes are written without folders."""
    return bool(_hiding) or os.environ.get(NO_PATHS, "") not in ("", "0")


def file_name(path: str) -> str:
    """The last part of a path, as Windows or others write it."""
    parts = [part for part in re.split(r"[\\/]", path) if part]
    return parts[-1] if parts else ""


def _without_folders(recipe: Recipe) -> Recipe:
    def shorten(value: JSON) -> JSON:
        if isinstance(value, list):
            return [shorten(one) for one in value]
        if not isinstance(value, str):
            return value
        network, at, path = value.rpartition("@") if value.startswith("timm:") else ("", "", value)
        return network + at + file_name(path)

    options = {
        name: shorten(value) if name in PATH_OPTIONS else value
        for name, value in recipe.options.items()
    }
    inputs = tuple(replace(one, path=file_name(one.path)) for one in recipe.inputs)
    return replace(recipe, options=options, inputs=inputs)


def _without_doubles(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _are_credits(value: object) -> bool:
    return isinstance(value, dict) and all(
        name in CREDITS and isinstance(text, str) and len(text) <= CREDITS[name]
        for name, text in value.items()
    )


def _are_names(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(name in MACHINE for name in value)


def _are_options(names: object, options: dict[str, JSON]) -> bool:
    return isinstance(names, (list, tuple)) and all(
        isinstance(name, str) and name in options for name in names
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _need(condition: bool, name: str, expected: str) -> None:
    if not condition:
        raise RecipeError(f"the recipe's {name!r} should be {expected}")


def _axes(grid: object) -> tuple[tuple[str, tuple[JSON, ...]], ...]:
    """The options of a sheet with their values, as they stand in JSON or in Python."""
    found = _plain(grid, "grid", 0)
    allowed = f"at most {_MOST_AXES} options, each with its values"
    _need(isinstance(found, list) and len(found) <= _MOST_AXES, "grid", allowed)
    axes: list[tuple[str, tuple[JSON, ...]]] = []
    for axis in found if isinstance(found, list) else []:
        name, values = axis if isinstance(axis, list) and len(axis) == 2 else (None, None)
        if not isinstance(name, str) or not isinstance(values, list):
            raise RecipeError(f"the recipe's grid should be {allowed}")
        _need(1 <= len(values) <= MOST_VALUES, "grid", f"1 to {MOST_VALUES} values of an option")
        axes.append((name, tuple(values)))
    return tuple(axes)


def _need_fields(data: object, kind: type[Recipe] | type[Input], name: str) -> None:
    if not isinstance(data, dict):
        raise RecipeError(f"{name} should be an object, not {type(data).__name__}")
    known = {
        one.name: one.default is MISSING and one.default_factory is MISSING for one in fields(kind)
    }
    if missing := sorted(name for name, needed in known.items() if needed and name not in data):
        raise RecipeError(f"{name} lacks {', '.join(missing)}")
    if unknown := sorted(data.keys() - known.keys()):
        raise RecipeError(f"{name} has {show_value(unknown[0])}, unknown to this version")


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
