"""Folders and zips of pictures, decoded once into squares of bytes.

The bytes lie in a file of the cache, mapped into memory: several processes that train on the same
pictures share them, and a set larger than the memory can still be used.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from belamy.errors import BelamyError, DataError, PictureWarning, describe_error
from belamy.files import atomic_path, cache_folder, printable, write_text
from belamy.pixels import decode, srgb
from belamy.pixels.archive import Tree, list_names, open_tree

__all__ = [
    "Bytes",
    "Squares",
    "decode_squares",
    "describe_squares",
    "find_pictures",
    "load_squares",
    "pictures_cache",
    "require_some",
]

Bytes = NDArray[np.uint8]
Part = Literal["whole", "left", "right"]

_VERSION = 3  # of the cached form; raised when the same files would give other bytes
_TOGETHER = 256  # pictures that a thread takes at a time
_LARGE = 16e6  # pixels; pictures that decode to more do so one at a time, for the memory's sake
_CACHE_LIMIT = 4 * 1024**3  # bytes; what has not been used for longest makes room
_RECENT = 3600.0  # seconds: what was used since may be another part of the same set, and stays


@dataclass(frozen=True)
class Squares:
    """Decoded pictures.

    Args:
        images: (N, S, S, 3), sRGB.
        broken: name of each that could not be read → why; the others are in `images`, in order.
        notes: what was read otherwise than one may think, a line each.
        shapes: width over height of each whole picture, upright.
    """

    images: Bytes
    broken: Mapping[str, str]
    notes: tuple[str, ...] = ()
    shapes: tuple[float, ...] = ()


def pictures_cache() -> Path:
    """Where decoded pictures are kept for the next time; it may be deleted at any time."""
    return cache_folder() / "pictures"


def find_pictures(tree: Tree, part: str = "") -> list[str]:
    """The names of the pictures in it, or in the folder `part` of it.

    Raises:
        DataError: there are none, or all of them are encrypted.
    """
    names = [name for name in tree.pictures if not part or name.startswith(f"{part}/")]
    called = printable(tree.path / part)
    if not names:
        passed = f" ({tree.messages[0]})" if tree.messages else ""
        raise DataError(f"{called} has no pictures{passed}; give a folder or a zip of pictures")
    if tree.locked.issuperset(names):
        raise DataError(f"{called} is encrypted; unpack it with its password, and give the folder")
    return names


def load_squares(path: str | os.PathLike[str], size: int) -> Bytes:
    """All pictures of a folder or a zip, wherever in it they are, as squares of `size` pixels.

    Those that cannot be read are left out, which a `PictureWarning` says. Returns
    (N, size, size, 3), N ≥ 1.

    Raises:
        DataError: there is none that can be read.
    """
    with open_tree(path) as tree:
        names = find_pictures(tree)
        read = decode_squares(tree, names, size, pictures_cache())
    require_some(path, read, len(names))
    for message in (*tree.messages, *describe_squares(path, read, len(names))):
        warnings.warn(message, PictureWarning, stacklevel=2)
    return read.images


def require_some(path: str | os.PathLike[str], read: Squares, count: int) -> None:
    """Check that of `count` pictures at least one can be read.

    Raises:
        DataError: none can; it says why the first cannot.
    """
    if len(read.images) == 0:
        why = next(iter(read.broken.values()), "")
        raise DataError(
            f"{printable(path)}: none of its {count} pictures can be read; mend them "
            f"(the first: {why})"
        )


def describe_squares(path: str | os.PathLike[str], read: Squares, count: int) -> list[str]:
    """What the user should know about pictures that were read, a line each.

    Args:
        path: where they are.
        read: what was made of them.
        count: how many there are.
    """
    called, lines = printable(path), []
    if read.broken:
        first = min(read.broken)
        lines.append(
            f"{called}: {len(read.broken):,} of {count:,} pictures cannot be read, and are left "
            f"out: {list_names(read.broken)} (of {printable(first)}: {read.broken[first]})"
        )
    if read.notes:
        more = f" (and {len(read.notes) - 1:,} more of the kind)" if len(read.notes) > 1 else ""
        lines.append(read.notes[0] + more)
    return lines


def decode_squares(
    tree: Tree, names: Sequence[str], size: int, cache: Path | None, *, part: Part = "whole"
) -> Squares:
    """The pictures called `names`, centre-cropped to squares of `size` pixels.

    Args:
        tree: where they are.
        names: of pictures in it.
        size: side in pixels; smaller pictures are enlarged.
        cache: folder for the decoded bytes, made if it is not there, in which older sets make room
            for a new one beyond 4 GiB; None, or one that cannot be written, keeps them in memory.
        part: of each picture, out of which the square is cut.
    """
    cut = _Cut(size, part)
    if cache is None:
        return _decode_in_memory(tree, names, cut)
    key = f"{_VERSION}|{size}|{part}|{tree.stamp}|{list(names)}"
    path = cache / f"pictures-{hashlib.sha256(key.encode()).hexdigest()[:24]}.bytes"
    cached = _read_cached(path, len(names), size)
    if cached is not None:
        with suppress(OSError):
            os.utime(path)  # used just now: the last to be dropped
        return cached
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            record = _decode_into(tree, names, cut, file)
        write_text(_path_of_broken(path), json.dumps(asdict(record)))
    except BelamyError:
        return _decode_in_memory(tree, names, cut)
    _prune(cache, path)
    return _read_cached(path, len(names), size) or _decode_in_memory(tree, names, cut)


@dataclass(frozen=True)
class _Cut:
    """What is cut out of each picture: a square of `size` pixels, out of a part of it."""

    size: int
    part: Part
    one_large: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class _Record:
    """What is known of decoded pictures but their bytes."""

    broken: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    shapes: list[float] = field(default_factory=list)

    def squares(self, images: Bytes) -> Squares:
        return Squares(images, self.broken, tuple(self.notes), tuple(self.shapes))


def _decode_in_memory(tree: Tree, names: Sequence[str], cut: _Cut) -> Squares:
    file = io.BytesIO()
    record = _decode_into(tree, names, cut, file)
    images = np.frombuffer(file.getbuffer(), np.uint8).reshape(-1, cut.size, cut.size, 3)
    return record.squares(images)


def _path_of_broken(path: Path) -> Path:
    return path.with_suffix(".json")


def _prune(cache: Path, newest: Path) -> None:
    """Drop what has not been used for longest, until the rest is within the limit.

    A set that another process has mapped stays with it until it ends; where the system does not
    let go of such a file, it stays here too.
    """
    with suppress(OSError):
        now = newest.stat().st_mtime
        facts = [(path.stat(), path) for path in cache.glob("pictures-*.bytes")]
        room = _CACHE_LIMIT - sum(fact.st_size for fact, _ in facts)
        for fact, path in sorted(facts, key=lambda row: row[0].st_mtime):
            if room >= 0 or fact.st_mtime > now - _RECENT:
                return
            with suppress(OSError):
                path.unlink()
                _path_of_broken(path).unlink(missing_ok=True)
                room += fact.st_size


def _read_cached(path: Path, count: int, size: int) -> Squares | None:
    """What was decoded before; None if it is not there, or not whole."""
    try:
        record = _Record(**json.loads(_path_of_broken(path).read_text("utf-8")))
        shape = (count - len(record.broken), size, size, 3)
        if path.stat().st_size != int(np.prod(shape)) or not len(record.shapes) == shape[0] > 0:
            return None
        # "c": changes stay in memory; torch wants arrays that could be written
        return record.squares(np.memmap(path, np.uint8, "c", shape=shape))
    except (OSError, ValueError, TypeError):
        return None


def _decode_into(tree: Tree, names: Sequence[str], cut: _Cut, file: BinaryIO) -> _Record:
    """Write the squares of all pictures that can be read."""
    groups = [names[start : start + _TOGETHER] for start in range(0, len(names), _TOGETHER)]
    record = _Record()

    def decode_group(group: Sequence[str]) -> list[tuple[Bytes, float] | str]:
        return [_read_square(tree, name, cut) for name in group]

    with decode.reading_together() as caught, ThreadPoolExecutor() as pool:
        for group, pictures in zip(groups, pool.map(decode_group, groups), strict=True):
            for name, picture in zip(group, pictures, strict=True):
                if isinstance(picture, str):
                    record.broken[name] = picture
                else:
                    file.write(picture[0].tobytes())
                    record.shapes.append(picture[1])
    record.notes = sorted(str(warning.message) for warning in caught)
    return record


def _read_square(tree: Tree, name: str, cut: _Cut) -> tuple[Bytes, float] | str:
    """One picture as (size, size, 3) and its shape, or why it cannot be read."""
    try:
        return _cut_square(tree, name, cut)
    except BelamyError as error:
        return str(error).removeprefix(f"cannot read {tree.name_of(name)}: ")
    except Exception as error:  # it is listed and left out
        return describe_error(error)


def _cut_square(tree: Tree, name: str, cut: _Cut) -> tuple[Bytes, float]:
    size = cut.size
    with tree.open_picture(name, shared=True) as opened:
        # A photo's JPEG is decoded at the least of its eighths that is twice as large as needed.
        opened.draft(cast(Any, None), (2 * size, 2 * size))
        with cut.one_large if opened.width * opened.height > _LARGE else nullcontext():
            colours, alpha = srgb.to_srgb(opened, tree.name_of(name))
            image = Image.fromarray(_to_eight_bits(colours, alpha))
            shape = image.width / image.height
            middle = image.width // 2
            if cut.part == "left":
                image = image.crop((0, 0, max(1, middle), image.height))
            elif cut.part == "right":
                image = image.crop((image.width - max(1, middle), 0, image.width, image.height))
            return _crop_square(image, size), shape


def _crop_square(image: Image.Image, size: int) -> Bytes:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    if side == size:
        return np.asarray(image.crop(box))
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS, box=box))


def _to_eight_bits(colours: NDArray[Any], alpha: NDArray[Any] | None) -> Bytes:
    """(H, W, 3), 8 bits, on white where it is transparent; grey may come as (H, W) in [0, 1]."""
    if colours.dtype != np.uint8:
        colours = np.rint(colours * 255).astype(np.uint8)
    if colours.ndim == 2:
        colours = np.repeat(colours[:, :, None], 3, axis=2)
    if alpha is not None:
        opacity = alpha[:, :, None].astype(np.float32) / 255
        colours = np.rint(colours * opacity + 255 * (1 - opacity)).astype(np.uint8)
    return colours
