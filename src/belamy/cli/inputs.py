"""The pictures that a command is given: files, and what is in folders and zips."""

from __future__ import annotations

import functools
import os
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from belamy.errors import OptionError, PictureWarning

if TYPE_CHECKING:
    from belamy.pixels.archive import Tree
    from belamy.pixels.images import Source

__all__ = ["InputPicture", "Inputs", "holds_many", "inputs", "read_source"]

_ZIP = ".zip"
_one_at_a_time = threading.Lock()  # who reads out of the zip that is open


@dataclass(frozen=True)
class InputPicture:
    """One picture that a command is given.

    Args:
        read: gives what an engine reads; out of a zip, when its turn comes.
        relative: where in a folder of results its own goes; it never leads out of that folder.
    """

    read: Callable[[], Source]
    relative: Path


Inputs: TypeAlias = "dict[Path, InputPicture]"


def inputs(images: Sequence[Path], output: str = "") -> Inputs:
    """Every picture named, by its path: files, and what is in folders and zips, wherever in them.

    A picture out of a zip is called ZIP/NAME.

    Args:
        images: files, folders, zips, and what is in zips, as `photos.zip/sea`.
        output: a folder of results, which are no inputs where it lies in a folder that is one.

    Raises:
        OptionError: a folder or a zip without a picture.
        DataError: a zip that is none.
    """
    found: Inputs = {}
    for image in images:
        if holds_many(image):
            inside = _without(output, _inside(image), image)
            if not inside:
                raise OptionError(f"{image} has no pictures in it; name another one")
            found.update(inside)
        else:
            found[image] = InputPicture(functools.partial(read_source, image), Path(image.name))
    return found


def holds_many(image: Path) -> bool:
    """Whether it is a folder, a zip, or a part of a zip, not one file."""
    if image.is_dir() or image.suffix.lower() == _ZIP:
        return True
    from belamy.pixels.archive import is_picture

    in_zip = not image.exists() and any(parent.is_file() for parent in image.parents)
    return in_zip and not is_picture(image.name)


def _inside(image: Path) -> Inputs:
    """The pictures in a folder or a zip, or in a part of it; what is passed over is said."""
    from belamy.pixels.archive import locate, open_tree

    place, part = locate(image)
    with open_tree(place) as tree:
        for message in tree.messages:
            warnings.warn(message, PictureWarning, stacklevel=2)
        names = [name for name in tree.pictures if not part or name.startswith(f"{part}/")]
    paths = {name: place / name for name in names}
    stems = Counter(Path(name).with_suffix("") for name in names)
    return {
        path: InputPicture(
            functools.partial(read_source, path),
            _with_suffix_in_stem(name) if stems[Path(name).with_suffix("")] > 1 else Path(name),
        )
        for name, path in paths.items()
    }


def _with_suffix_in_stem(name: str) -> Path:
    """`a-jpg.jpg` of `a.jpg`, so that the results of `a.jpg` and `a.png` are two files."""
    path = Path(name)
    return path.with_name(f"{path.stem}-{path.suffix[1:].lower()}{path.suffix}")


def _without(output: str, found: Inputs, place: Path) -> Inputs:
    """Leaves out what was made by the same command before."""
    folder, start = _real(output), _real(place)
    if not output or folder == start or start not in folder.parents:
        return found
    return {path: one for path, one in found.items() if folder not in _real(path).parents}


def _real(path: str | Path) -> Path:
    """With links followed; unlike `resolve`, which raises at those that lead in a circle."""
    return Path(os.path.realpath(path))


def read_source(path: Path) -> Source:
    """What an engine reads of a picture that may be in a zip: the path itself if it is in none.

    Raises:
        ImageError: it is in a zip, and cannot be read.
    """
    from belamy.pixels.archive import locate

    if path.exists():
        return path
    place, name = locate(path)
    if not name:
        return path
    found = place.stat()
    with _one_at_a_time:
        _, tree = _keep_open(place, (found.st_ino, found.st_mtime_ns, found.st_size))
        return tree.load_array(name)


@functools.lru_cache(maxsize=1)
def _keep_open(
    place: Path, stamp: tuple[int, int, int]
) -> tuple[AbstractContextManager[Tree], Tree]:
    """The zip at `place`, open until another one is: its list of members is long, and one picture
    after another is read out of it.

    Args:
        stamp: changes when the file does.
    """
    from belamy.pixels.archive import open_tree

    manager = open_tree(place)
    return manager, manager.__enter__()
