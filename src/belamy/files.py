"""Files that are whole or not there: written under a temporary name, then renamed."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from belamy.errors import BelamyError

_CHUNK = 1 << 20


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


def _prepare(path: str | os.PathLike[str]) -> tuple[Path, Path]:
    """What will be written, and an empty file beside it with the permissions that it will have."""
    try:
        target = Path(path).resolve()
        if target.is_dir():
            raise BelamyError(
                f"cannot write {os.fspath(path)!r}: it is a folder; name a file in it"
            )
        if target.exists() and not target.is_file():  # renaming over /dev/null would remove it
            raise BelamyError(f"cannot write {os.fspath(path)!r}: it is a device, not a file")
        target.parent.mkdir(parents=True, exist_ok=True)
        # Short, so that a name as long as the system allows can still be written.
        temporary = target.with_name(f".{secrets.token_hex(8)}.part{target.suffix[:16]}")
        # Unlike tempfile's, made with the permissions that the user's umask gives to any file.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except (OSError, ValueError, RuntimeError) as error:  # a zero byte; links that run in a circle
        raise _unwritable(path, error) from error
    return target, temporary


def _unwritable(path: str | os.PathLike[str], error: Exception) -> BelamyError:
    cause = getattr(error, "strerror", None) or error
    return BelamyError(f"cannot write {os.fspath(path)!r}: {cause}; choose another place")


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


def cache_folder() -> Path:
    """Where downloads and prepared data live: $BELAMY_HOME, or belamy in the user's cache."""
    if home := os.environ.get("BELAMY_HOME"):
        return Path(home).expanduser()
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "belamy"


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
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or error
        raise BelamyError(f"cannot read {os.fspath(path)!r}: {cause}; check the path") from error
    return digest.hexdigest()
