"""Folders and zips of pictures, as people have them: one list of names, one way to read each.

A zip is a stranger's file: what its members say of themselves is not believed. None is unpacked
beyond the size that it declares, nor one that declares too much; a large one goes to a temporary
file, not into memory.
"""

from __future__ import annotations

import bz2
import copy
import io
import os
import re
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from belamy.errors import DataError, ImageError, describe_error
from belamy.files import missing_file, printable
from belamy.pixels.decode import (
    MAX_MEGAPIXELS,
    READABLE_SUFFIXES,
    open_picture,
)
from belamy.pixels.srgb import to_srgb

__all__ = ["SUFFIXES", "Tree", "is_picture", "list_names", "locate", "open_tree"]

SUFFIXES = READABLE_SUFFIXES

MAX_MEMBER = 512 << 20  # bytes, unpacked
MAX_RATIO = 100  # unpacked over packed, of members above the next: plain colour is packed so, too
_SMALL = 128 << 20  # bytes
_IN_MEMORY = 32 << 20  # bytes; larger members are unpacked into a temporary file
_CHUNK = 1 << 20
_LONGEST = 80  # letters of a name in a list

_READ_METHODS = frozenset(
    (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
)
_OTHER_METHODS = {1: "Shrink", 6: "Implode", 9: "Deflate64", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
_ENCRYPTED = 0x1 | 0x40 | 0x2000  # flags: encrypted, strongly, and the directory itself
# Folders and files that systems leave beside people's own: macOS, Synology, QNAP, Windows.
_LITTER = frozenset(
    (
        *("__macosx", "@eadir", "@recycle", "@recently-snapshot", "#recycle", "$recycle.bin"),
        *("system volume information", "lost+found", "thumbs.db", "ehthumbs.db", "desktop.ini"),
    )
)
_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz")
_CAMERA = (".heic", ".heif", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".jxl", ".psd")
_DRIVE = re.compile(r"[A-Za-z]:")

_Open = Callable[[str], AbstractContextManager[BinaryIO]]


@dataclass(frozen=True)
class Tree:
    """A folder or a zip, seen the same way.

    Args:
        path: as the user gave it, for messages.
        names: of all files but hidden ones and what systems leave (`.DS_Store`, `__MACOSX/…`,
            `@eaDir/…`), sorted; relative, with forward slashes, without `..`.
        open: name → its bytes, as a seekable stream.
        stamp: changes when the files do: the key of the cache.
        messages: what was passed over, a line each.
        locked: names that are encrypted.
        empty: folders in which there is no file.
    """

    path: Path
    names: tuple[str, ...]
    open: _Open = field(repr=False)
    stamp: str = field(repr=False)
    messages: tuple[str, ...] = ()
    locked: frozenset[str] = frozenset()
    empty: tuple[str, ...] = ()

    @property
    def pictures(self) -> tuple[str, ...]:
        """Names of the files that have a picture's suffix."""
        return tuple(name for name in self.names if is_picture(name))

    def name_of(self, name: str) -> str:
        """What to call a file in messages: PATH/NAME, printable."""
        return printable(f"{self.path}/{name}")

    def read(self, name: str) -> bytes:
        """The bytes of a small file.

        Raises:
            ImageError: it cannot be read.
        """
        with self.open(name) as stream:
            return stream.read()

    @contextmanager
    def open_picture(
        self, name: str, *, max_megapixels: float = MAX_MEGAPIXELS, shared: bool = False
    ) -> Iterator[Image.Image]:
        """A picture in it, as `belamy.pixels.decode.open_picture` opens one, behind its guards.

        Raises:
            ImageError: it cannot be read; the message names it as PATH/NAME.
        """
        with (
            self.open(name) as stream,
            open_picture(
                stream, name=self.name_of(name), max_megapixels=max_megapixels, shared=shared
            ) as picture,
        ):
            yield picture

    def load_array(self, name: str) -> NDArray[Any]:
        """A picture in it, as an array that `belamy.pixels.images.load_picture` takes.

        Returns:
            (H, W), (H, W, 3) or (H, W, 4), uint8 or float32 in [0, 1], upright, in sRGB.

        Raises:
            ImageError: it cannot be read; the message names it as PATH/NAME.
        """
        with self.open_picture(name) as picture:
            colours, alpha = to_srgb(picture, self.name_of(name))
        if alpha is None:
            return colours
        if colours.ndim == 2:
            colours = np.repeat(colours[:, :, None], 3, axis=2)
        if colours.dtype != alpha.dtype:
            colours, alpha = _to_floats(colours), _to_floats(alpha)
        return np.concatenate([colours, alpha[:, :, None]], axis=2)


def _to_floats(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(np.float32) / 255 if values.dtype == np.uint8 else values


def is_picture(name: str) -> bool:
    """Whether a file's name ends as a picture's does."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def list_names(names: Iterable[str], most: int = 3) -> str:
    """The first few names, printable, long ones cut, and how many more there are."""
    known = sorted(names)
    shown = [printable(name) for name in known[:most]]
    cut = [name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…" for name in shown]
    more = f" and {len(known) - most:,} more" if len(known) > most else ""
    return ", ".join(cut) + more


def locate(path: str | os.PathLike[str]) -> tuple[Path, str]:
    """The folder or zip that is meant, and what in it: "" for all; `photos.zip/sea` has both."""
    place = Path(path)
    for parent in place.parents:
        if parent.is_file():
            return parent, place.relative_to(parent).as_posix()
    return place, ""


@contextmanager
def open_tree(path: str | os.PathLike[str]) -> Iterator[Tree]:
    """A folder or zip of files, open for reading; folders in it are read too.

    Raises:
        DataError: it is not there, or neither a folder nor a readable zip.
    """
    place = Path(path)
    archive = _open_archive(place)
    if archive is None:
        yield _open_folder(place)
        return
    with archive:
        yield _open_zip(place, archive)


def _open_archive(place: Path) -> zipfile.ZipFile | None:
    """The zip at `place`; None if it is a folder."""
    name = printable(place)
    try:
        if place.is_dir():
            return None
        if not place.exists():
            raise missing_file(DataError, place, "folder or zip")
        if not place.is_file():
            raise DataError(f"{name} is a device or a pipe; give a folder or a zip of pictures")
        return zipfile.ZipFile(place)
    except UnicodeDecodeError as error:
        raise DataError(f"{name} has names that are not UTF-8 as it says; pack it anew") from error
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        cause = getattr(error, "strerror", None) or error
        raise DataError(
            f"{name} is neither a folder nor a readable zip ({cause}); give one of the two"
        ) from error


def _open_folder(place: Path) -> Tree:
    closed: list[OSError] = []
    folders: list[str] = []
    files = {path.relative_to(place).as_posix(): path for path in _walk(place, closed, folders)}
    names = sorted(name for name in files if _is_shown(name))
    facts = [(name, files[name].stat()) for name in names]
    stamp = repr([(name, fact.st_size, fact.st_mtime_ns) for name, fact in facts])

    @contextmanager
    def open_file(name: str) -> Iterator[BinaryIO]:
        try:
            stream = (place / name).open("rb")
        except OSError as error:
            called = printable(f"{place}/{name}")
            raise ImageError(f"cannot read {called}: {error.strerror}") from error
        with stream:
            yield stream

    unread = [os.path.relpath(error.filename, place) for error in closed]
    messages = [f"{printable(place)}: {list_names(unread)} cannot be opened"] if unread else []
    messages += _passed_over(place, names)
    empty = _without_files(folders, names)
    return Tree(place, tuple(names), open_file, stamp, tuple(messages), empty=empty)


def _walk(place: Path, closed: list[OSError], folders: list[str]) -> Iterator[Path]:
    """Every file under `place`; links to folders are followed, but never round in a circle.

    Adds the folders to `folders`, and why one cannot be read to `closed`.
    """
    seen: set[str] = set()
    for folder, inner, names in os.walk(place, followlinks=True, onerror=closed.append):
        if (real := os.path.realpath(folder)) in seen:
            inner.clear()
            continue
        seen.add(real)
        here = Path(folder)
        folders.append(here.relative_to(place).as_posix())
        shown = [name for name in inner if _is_shown(name)]
        inner[:] = sorted(shown, key=lambda name: ((here / name).is_symlink(), name))
        yield from (path for name in names if (path := here / name).is_file())


def _open_zip(place: Path, archive: zipfile.ZipFile) -> Tree:
    infos = [info for info in archive.infolist() if not _is_folder(info)]
    counts = Counter(_relative(info.filename) for info in infos)
    members = {_relative(info.filename): info for info in infos}  # the last of a name, as unzip's
    names = sorted(name for name in members if name and _is_shown(name))
    stamp = repr([(name, members[name].CRC, members[name].file_size) for name in names])
    locked = frozenset(name for name in names if members[name].flag_bits & _ENCRYPTED)

    @contextmanager
    def open_member(name: str) -> Iterator[BinaryIO]:
        called = printable(f"{place}/{name}")
        if name not in members:
            raise missing_file(ImageError, called, "file in the zip")
        with _unpack(archive, members[name], called) as stream:
            yield stream

    twice = [name for name in names if counts[name] > 1]
    called = printable(place)
    messages = [f"{called} has {list_names(twice)} twice; the last is taken"] if twice else []
    messages += _passed_over(place, names)
    folders = [_relative(info.filename) for info in archive.infolist() if _is_folder(info)]
    empty = _without_files([one for one in folders if _is_shown(one)], names)
    return Tree(place, tuple(names), open_member, stamp, tuple(messages), locked, empty)


def _without_files(folders: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    used = {str(parent) for name in names for parent in PurePosixPath(name).parents}
    return tuple(sorted(set(folders) - used - {"", "."}))


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith(("/", "\\"))


def _relative(filename: str) -> str:
    """A member's name with forward slashes and without what would lead out of a folder."""
    parts = filename.replace("\\", "/").split("/")
    kept = [part for part in parts if part not in ("", ".", "..")]
    return "/".join(kept[1:] if kept and _DRIVE.fullmatch(kept[0]) else kept)


def _is_shown(name: str) -> bool:
    parts = name.split("/")
    return not any(part.startswith(".") or part.lower() in _LITTER for part in parts)


def _passed_over(place: Path, names: Sequence[str]) -> list[str]:
    """Lines about files in it that people may think are read."""
    called = printable(place)
    archives = [name for name in names if name.lower().endswith(_ARCHIVES)]
    photos = [name for name in names if name.lower().endswith(_CAMERA)]
    lines = []
    if archives:
        lines.append(f"{called}: {list_names(archives)} passed over; unpack archives first")
    if photos:
        lines.append(f"{called}: {list_names(photos)} passed over; export them as JPEG")
    return lines


@contextmanager
def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Iterator[BinaryIO]:
    """A member, checked before a byte of it is unpacked."""
    _check_member(info, name)
    with io.BytesIO() if info.file_size <= _IN_MEMORY else tempfile.TemporaryFile() as stream:
        try:
            size = 0
            for chunk in _chunks(archive, info):
                size += len(chunk)
                if size > info.file_size:
                    break
                stream.write(chunk)
        except MemoryError as error:
            raise ImageError(f"cannot read {name}: it needs more memory than there is") from error
        except Exception as error:  # zlib.error, BadZipFile, EOFError, LZMAError, OSError …
            damaged = "CRC" in str(error)
            cause = "its checksum is wrong" if damaged else describe_error(error)
            raise ImageError(f"cannot read {name}: it is damaged or cut short ({cause})") from error
        if size != info.file_size:
            raise ImageError(f"cannot read {name}: its size is not what the zip says; pack it anew")
        stream.seek(0)
        yield stream


def _check_member(info: zipfile.ZipInfo, name: str) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise ImageError(f"cannot read {name}: it is encrypted; unpack the zip with its password")
    if info.compress_type not in _READ_METHODS:
        method = _OTHER_METHODS.get(info.compress_type, f"method {info.compress_type}")
        raise ImageError(
            f"cannot read {name}: it is packed by {method}; unpack the zip and give the folder"
        )
    size, ratio = info.file_size, info.file_size / max(1, info.compress_size)
    if size > MAX_MEMBER:
        raise ImageError(
            f"cannot read {name}: it has {size >> 20:,} MiB unpacked, the limit is "
            f"{MAX_MEMBER >> 20}; unpack the zip if you trust it"
        )
    if size > _SMALL and ratio > MAX_RATIO:
        raise ImageError(
            f"cannot read {name}: it unpacks to {size >> 20:,} MiB, {ratio:,.0f} times its size; "
            "unpack the zip if you trust it"
        )


def _chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The member's bytes, a little at a time."""
    if info.compress_type != zipfile.ZIP_BZIP2:
        # of LZMA, zipfile unpacks as many packed bytes as are asked for, or more, to any size
        most = 512 if info.compress_type == zipfile.ZIP_LZMA else _CHUNK
        with archive.open(info) as packed:
            packed.MIN_READ_SIZE = min(packed.MIN_READ_SIZE, most)  # type: ignore[attr-defined]
            while chunk := packed.read(most):
                yield chunk
        return
    # of bzip2, zipfile unpacks 4096 packed bytes at least, which may hold gigabytes
    stored = copy.copy(info)
    stored.compress_type, stored.file_size = zipfile.ZIP_STORED, info.compress_size
    del stored.CRC
    unpacker, checksum = bz2.BZ2Decompressor(), 0
    with archive.open(stored) as packed:
        while not unpacker.eof:
            piece = packed.read(_CHUNK) if unpacker.needs_input else b""
            if unpacker.needs_input and not piece:
                raise EOFError("the end is missing")
            chunk = unpacker.decompress(piece, _CHUNK)
            checksum = zlib.crc32(chunk, checksum)
            yield chunk
    if checksum != info.CRC:
        raise zipfile.BadZipFile("CRC")
