"""Folders that trainings may read: those below the roots that the command line gave, by ids."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from belamy.errors import BelamyError

__all__ = ["Folders"]

_DEEPEST = 4  # folders below a root that are listed
_MOST = 500
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"})
_MOST_COUNTED = 10_000


class Folders:
    """The folders below some roots.

    Args:
        roots: given by who started the studio, and nobody else.
    """

    def __init__(self, roots: tuple[Path, ...]) -> None:
        self._roots = tuple(Path(os.path.realpath(root)) for root in roots)

    def to_json(self) -> list[dict[str, Any]]:
        """Id, name below its root, and pictures of each."""
        return [_row(root, path) for root, path in self._walk()]

    def show(self, path: Path) -> dict[str, Any]:
        """The row of one that lies below a root.

        Raises:
            StopIteration: it lies below none.
        """
        path = Path(os.path.realpath(path))
        return next(_row(root, path) for root in self._roots if path.is_relative_to(root))

    def has(self, name: str) -> bool:
        """Whether an id stands for one."""
        return any(_id_of(path) == name for _, path in self._walk())

    def find(self, name: str) -> Path:
        """The folder of an id.

        Raises:
            BelamyError: there is none below the roots.
        """
        for _, path in self._walk():
            if _id_of(path) == name:
                return path
        raise BelamyError("there is no such folder below the roots that the studio was given")

    def _walk(self) -> list[tuple[Path, Path]]:
        """Root and folder; links that lead out of a root are not followed."""
        found: list[tuple[Path, Path]] = []
        for root in self._roots:
            todo = [(root, 0)]
            while todo and len(found) < _MOST:
                path, depth = todo.pop(0)
                found.append((root, path))
                if depth < _DEEPEST:
                    todo += [(inner, depth + 1) for inner in _inside(path)]
        return found


def _row(root: Path, path: Path) -> dict[str, Any]:
    return {"id": _id_of(path), "name": _name(root, path), "pictures": _count(path)}


def _inside(path: Path) -> list[Path]:
    try:
        with os.scandir(path) as entries:
            inner = [
                Path(entry.path)
                for entry in entries
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
            ]
    except OSError:
        return []
    return sorted(inner)


def _id_of(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _name(root: Path, path: Path) -> str:
    return "/".join((root.name, *path.relative_to(root).parts))


def _count(path: Path) -> int:
    """Pictures in it, in all folders in it; so many at most."""
    count = 0
    for _, _, names in os.walk(path):
        count += sum(Path(name).suffix.lower() in _PICTURES for name in names)
        if count >= _MOST_COUNTED:
            return _MOST_COUNTED
    return count
