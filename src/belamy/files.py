"""Files that are whole or not there: written under a temporary name, then renamed."""

from __future__ import annotations

import errno
import functools
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from belamy.errors import BelamyError

E = TypeVar("E", bound=BelamyError)

_CHUNK = 1 << 20
_SCRAP = re.compile(r"\.[0-9a-f]{16}\.part(?:\.[^.]{1,15})?")  # the names that `_prepare` gives
_ELSEWHERE = "choose another place"
_DAY = 86_400.0  # seconds


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside `path`, renamed to it when the block ends well.

    If the block fails, or the process dies, whatever stood at `path` stays as it was. A symbolic
    link is followed, as an ordinary write would.

    Raises:
        BelamyError: `path` is a folder or a device, the folder cannot be made or written, or the
            disk is full.
    """
    target, temporary = _prepare(path)
    try:
        yield temporary
        _settle(temporary, target)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | os.PathLike[str], *, own: str = "") -> Iterator[Path]:
    """An empty folder beside `path`, renamed to it when the block ends well.

    Args:
        own: a file by which a folder that may be replaced is known; others have to be empty.

    Raises:
        BelamyError: a file or other things are at `path`, or it cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not (target.is_dir() and _may_go(target, own)):
            raise BelamyError(
                f"cannot write {os.fspath(path)!r}: it is there already; name a new folder"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{secrets.token_hex(8)}.part")
        temporary.mkdir()
        try:
            yield temporary
            if target.exists():
                before = target.with_name(f".{secrets.token_hex(8)}.part")
                target.rename(before)
                temporary.rename(target)
                shutil.rmtree(before)
            else:
                temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error


def _may_go(folder: Path, own: str) -> bool:
    names = [entry.name for entry in folder.iterdir()]
    return not names or (own != "" and own in names)


def _prepare(path: str | os.PathLike[str]) -> tuple[Path, Path]:
    """What will be written, and an empty file beside it with the permissions that it will have."""
    try:
        target = Path(os.path.realpath(path))  # `resolve` raises at links that lead in a circle
        if target.is_dir():
            raise BelamyError(
                f"cannot write {os.fspath(path)!r}: it is a folder; name a file in it"
            )
        if target.exists() and not target.is_file():  # renaming over /dev/null would remove it
            raise BelamyError(f"cannot write {os.fspath(path)!r}: it is a device, not a file")
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent)
        # Short, so that a name as long as the system allows can still be written.
        temporary = target.with_name(f".{secrets.token_hex(8)}.part{target.suffix[:16]}")
        # Unlike tempfile's, made with the permissions that the user's umask gives to any file.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except (OSError, ValueError, RuntimeError) as error:  # a zero byte; links that run in a circle
        raise _unwritable(path, error) from error
    return target, temporary


@functools.cache
def _sweep(folder: Path) -> None:
    """Once in a process: what processes that were killed have left in a folder, a day ago."""
    remove_scraps(folder, older_than=_DAY)


def remove_scraps(folder: Path, *, older_than: float = 0.0) -> None:
    """Delete what `atomic_path` was writing in a folder when a process was killed.

    Args:
        older_than: seconds since it was written; younger ones may be under way.
    """
    now = time.time()
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not _SCRAP.fullmatch(entry.name):
                continue
            with suppress(OSError):  # another process may sweep too
                age = now - entry.stat(follow_symlinks=False).st_mtime
                if entry.is_file(follow_symlinks=False) and age >= older_than:
                    Path(entry.path).unlink()


def _unwritable(path: str | os.PathLike[str], error: Exception) -> BelamyError:
    cause = getattr(error, "strerror", None) or error
    hint = "choose a shorter name" if cause == os.strerror(errno.ENAMETOOLONG) else _ELSEWHERE
    return BelamyError(f"cannot write {os.fspath(path)!r}: {cause}; {hint}")


def _settle(temporary: Path, target: Path) -> None:
    """Flush to the disk, rename, flush the folder."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(target)
    if hasattr(os, "O_DIRECTORY"):  # Windows cannot open folders
        with suppress(OSError):  # nor can some file systems flush them; the file is there anyway
            folder = os.open(target.parent, os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def printable(path: str | os.PathLike[str]) -> str:
    """`path` as one line of printable text, whatever bytes are in the name."""
    text = os.fspath(path)
    return text if text.isprintable() else ascii(text)


def missing_file(kind: type[E], path: str | os.PathLike[str], what: str = "file") -> E:
    """The error for a file that is not there: the same words, whoever looks for it.

    Args:
        kind: what those raise who read such files.
        path: as it was given.
        what: it should have been, where it may also be a folder.
    """
    shown = printable(path)
    return kind(f"cannot read {shown}: there is no such {what}; check the path").as_misuse()


def expand_home(path: str | os.PathLike[str]) -> Path:
    """`path` with a leading ~ or ~name as that home; as it is where there is none."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - the other one raises there


def cache_folder() -> Path:
    """Where downloads and prepared data live: $BELAMY_HOME, or belamy in the user's cache."""
    if home := os.environ.get("BELAMY_HOME"):
        return expand_home(home)
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "belamy"


def config_folder() -> Path:
    """Where settings live that a person may write: belamy in $XDG_CONFIG_HOME, or in ~/.config."""
    configs = os.environ.get("XDG_CONFIG_HOME")
    return (Path(configs) if configs else Path.home() / ".config") / "belamy"


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path`, whole or not at all.

    Raises:
        BelamyError: as in `atomic_path`.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` (UTF-8) to `path`, whole or not at all.

    Raises:
        BelamyError: as in `atomic_path`.
    """
    write_bytes(path, text.encode())


def sha256(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits.

    Raises:
        BelamyError: the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except FileNotFoundError as error:
        raise missing_file(BelamyError, path) from error
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise BelamyError(f"cannot read {os.fspath(path)!r}: {cause}; check the path") from error
    return digest.hexdigest()
