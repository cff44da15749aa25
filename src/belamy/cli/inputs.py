"""The pictures that a command is given: files, and what is in folders and zips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from belamy.errors import OptionError

if TYPE_CHECKING:
    from belamy.pixels.images import Source

__all__ = ["ZIP", "Inputs", "inputs"]

Inputs: TypeAlias = "dict[Path, Callable[[], Source]]"

ZIP = ".zip"


def inputs(images: Sequence[Path]) -> Inputs:
    """Every picture named, each with what reads it: files, and what is in folders and zips.

    A picture out of a zip is named ZIP/NAME, and read when its turn comes.

    Raises:
        OptionError: a folder or a zip without a picture.
        DataError: a zip that is none.
    """
    found: Inputs = {}
    for image in images:
        inside = _inside(image) if image.is_dir() or image.suffix.lower() == ZIP else None
        if inside is not None and not inside:
            raise OptionError(f"{image} has no pictures in it; name another one")
        found.update({image: _file(image)} if inside is None else inside)
    return found


def _inside(place: Path) -> Inputs:
    from belamy.pixels.encode import SUFFIXES

    if place.is_dir():
        files = sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES)
        return {path: _file(path) for path in files}
    from belamy.training.pictures import open_tree

    with open_tree(place) as tree:
        names = [name for name in tree.names if Path(name).suffix.lower() in SUFFIXES]
    return {place / name: _member(place, name) for name in names}


def _file(path: Path) -> Callable[[], Source]:
    return lambda: path


def _member(place: Path, name: str) -> Callable[[], Source]:
    def read() -> Source:
        import io

        from PIL import Image, UnidentifiedImageError

        from belamy.errors import ImageError
        from belamy.training.pictures import open_tree

        with open_tree(place) as tree:
            data = tree.read(name)
        try:
            return Image.open(io.BytesIO(data))
        except UnidentifiedImageError as error:
            raise ImageError(f"{place / name} is not a picture that can be read") from error

    return read
