"""Folders and zips of pictures, decoded once into squares of bytes.

The bytes lie in a file of the cache, mapped into memory: several processes that train on the same
pictures share them, and a set larger than the memory can still be used.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from belamy.errors import BelamyError, DataError
from belamy.files import atomic_path, cache_folder, write_text
from belamy.pixels import decode, srgb

__all__ = [
    "SUFFIXES",
    "Bytes",
    "Squares",
    "Tree",
    "decode_squares",
    "load_squares",
    "open_tree",
    "pictures_cache",
]

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".avif"})

Bytes = NDArray[np.uint8]

_VERSION = 2  # of the cached form; raised when the same files would give other bytes
_TOGETHER = 256  # pictures that a thread takes at a time
_CACHE_LIMIT = 4 * 1024**3  # bytes; what has not been used for longest makes room
_RECENT = 3600.0  # seconds: what was used since may be another part of the same set, and stays


@dataclass(frozen=True)
class Tree:
    """A folder or a zip, seen the same way: names with forward slashes, and their bytes.

    Args:
        path: as the user gave it, for messages.
        names: of all files but hidden ones (`.DS_Store`, `__MACOSX/…`), sorted.
        read: name → bytes.
        stamp: changes when the files do: the key of the cache.
    """

    path: Path
    names: tuple[str, ...]
    read: Callable[[str], bytes] = field(repr=False)
    stamp: str = field(repr=False)


@dataclass(frozen=True)
class Squares:
    """Decoded pictures.

    Args:
        images: (N, S, S, 3), sRGB.
        broken: names that could not be read; the others are in `images`, in order.
    """

    images: Bytes
    broken: frozenset[str]


@contextmanager
def open_tree(path: str | os.PathLike[str]) -> Iterator[Tree]:
    """A folder or zip of files, open for reading.

    Raises:
        DataError: it is not there, or neither a folder nor a readable zip.
    """
    place = Path(path)
    if place.is_dir():
        yield _open_folder(place)
        return
    if not place.exists():
        raise DataError(f"{place} is not there; give a folder or a zip of pictures")
    try:
        archive = zipfile.ZipFile(place)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DataError(
            f"{place} is neither a folder nor a readable zip ({error}); give one of the two"
        ) from error
    with archive:
        inside = [info for info in archive.infolist() if _is_shown(info.filename)]
        stamp = repr(sorted((info.filename, info.CRC, info.file_size) for info in inside))
        names = sorted(info.filename for info in inside if not info.is_dir())
        yield Tree(place, tuple(names), archive.read, stamp)


def _open_folder(place: Path) -> Tree:
    files = {path.relative_to(place).as_posix(): path for path in _walk(place)}
    names = sorted(name for name in files if _is_shown(name))
    status = [(name, files[name].stat()) for name in names]
    stamp = repr([(name, facts.st_size, facts.st_mtime_ns) for name, facts in status])
    return Tree(place, tuple(names), lambda name: files[name].read_bytes(), stamp)


def _walk(place: Path) -> Iterator[Path]:
    """Every file under `place`; links to folders are followed, but never round in a circle."""
    seen: set[Path] = set()
    for folder, inner, names in os.walk(place, followlinks=True):
        if (real := Path(folder).resolve()) in seen:
            inner.clear()
            continue
        seen.add(real)
        yield from (path for name in names if (path := Path(folder, name)).is_file())


def _is_shown(name: str) -> bool:
    return not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def pictures_cache() -> Path:
    """Where decoded pictures are kept for the next time; it may be deleted at any time."""
    return cache_folder() / "pictures"


def load_squares(path: str | os.PathLike[str], size: int) -> Bytes:
    """All pictures of a folder or a zip, wherever in it they are, as squares of `size` pixels.

    Those that cannot be read are left out. Returns (N, size, size, 3), N ≥ 1.

    Raises:
        DataError: there is none that can be read.
    """
    with open_tree(path) as tree:
        names = [name for name in tree.names if PurePosixPath(name).suffix.lower() in SUFFIXES]
        if not names:
            raise DataError(f"{tree.path} has no pictures; give a folder or a zip of photographs")
        images = decode_squares(tree, names, size, pictures_cache()).images
    if len(images) == 0:
        raise DataError(f"{path}: none of its {len(names)} pictures can be read; mend them")
    return images


def decode_squares(tree: Tree, names: Sequence[str], size: int, cache: Path | None) -> Squares:
    """The pictures called `names`, centre-cropped to squares of `size` pixels.

    Args:
        tree: where they are.
        names: of pictures in it.
        size: side in pixels; smaller pictures are enlarged.
        cache: folder for the decoded bytes, made if it is not there, in which older sets make room
            for a new one beyond 4 GiB; None, or one that cannot be written, keeps them in memory.
    """
    if cache is None:
        return _decode_in_memory(tree, names, size)
    key = f"{_VERSION}|{size}|{tree.stamp}|{list(names)}"
    path = cache / f"pictures-{hashlib.sha256(key.encode()).hexdigest()[:24]}.bytes"
    cached = _read_cached(path, len(names), size)
    if cached is not None:
        with suppress(OSError):
            os.utime(path)  # used just now: the last to be dropped
        return cached
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            broken = _decode_into(tree, names, size, file)
        write_text(_path_of_broken(path), json.dumps(sorted(broken)))
    except BelamyError:
        return _decode_in_memory(tree, names, size)
    _prune(cache, path)
    return _read_cached(path, len(names), size) or _decode_in_memory(tree, names, size)


def _decode_in_memory(tree: Tree, names: Sequence[str], size: int) -> Squares:
    file = io.BytesIO()
    broken = _decode_into(tree, names, size, file)
    images = np.frombuffer(file.getbuffer(), np.uint8).reshape(-1, size, size, 3)
    return Squares(images, frozenset(broken))


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
        broken = frozenset(json.loads(_path_of_broken(path).read_text("utf-8")))
        shape = (count - len(broken), size, size, 3)
        if path.stat().st_size != int(np.prod(shape)) or shape[0] == 0:
            return None
        # "c": changes stay in memory; torch wants arrays that could be written
        return Squares(np.memmap(path, np.uint8, "c", shape=shape), broken)
    except (OSError, ValueError, TypeError):
        return None


def _decode_into(tree: Tree, names: Sequence[str], size: int, file: BinaryIO) -> list[str]:
    """Write the squares of all pictures that can be read; gives the names of the others."""
    parts = [names[start : start + _TOGETHER] for start in range(0, len(names), _TOGETHER)]
    broken: list[str] = []

    def decode_part(part: Sequence[str]) -> list[Bytes | None]:
        return [_read_square(tree, name, size) for name in part]

    with warnings.catch_warnings(), ThreadPoolExecutor() as pool:
        warnings.simplefilter("ignore")  # Pillow's, about files that it reads all the same
        for part, pictures in zip(parts, pool.map(decode_part, parts), strict=True):
            file.write(b"".join(p.tobytes() for p in pictures if p is not None))
            broken += [name for name, p in zip(part, pictures, strict=True) if p is None]
    return broken


def _read_square(tree: Tree, name: str, size: int) -> Bytes | None:
    try:
        return _cut_square(tree.read(name), name, size)
    except Exception:  # codecs raise almost anything on a broken file: it is listed and left out
        return None


def _cut_square(data: bytes, name: str, size: int) -> Bytes:
    """One picture as (size, size, 3)."""
    with Image.open(io.BytesIO(data), formats=decode.FORMATS) as opened:
        decode.check_pixels(name, *opened.size, decode.MAX_MEGAPIXELS)
        # A photo's JPEG is decoded at the least of its eighths that is twice as large as needed.
        opened.draft(cast(Any, None), (2 * size, 2 * size))
        colours, alpha = srgb.to_srgb(opened, name)
    image = Image.fromarray(_to_eight_bits(colours, alpha))
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
