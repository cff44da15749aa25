"""Frames one by one: a folder or a zip of pictures, or those of a pattern such as `%06d.png`."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path

from belamy.errors import BelamyError, ImageError
from belamy.files import printable
from belamy.pixels.archive import Tree, is_picture, open_tree
from belamy.pixels.carriers import FILM_FILE
from belamy.pixels.film.frame import MOST_MEGAPIXELS, Moment, Pixels
from belamy.pixels.film.kinds import is_pattern
from belamy.pixels.images import fit, load_picture, resize

__all__ = ["FolderFilm", "digest_frames"]

_USUAL = Fraction(25)
_LONGEST = 16 << 20  # bytes of `FILM_FILE`
_NUMBER = re.compile(r"%0?(\d*)d")


class FolderFilm:
    """Pictures that follow each other; see `belamy.pixels.film.frame.FilmSource`.

    Args:
        path: a folder, a zip, or a pattern.
        size: long side of the frames; None: their own.
        fps: frames a second; None: as belamy wrote beside them, or 25.

    Raises:
        ImageError: there are no frames, or they cannot be read.
    """

    has_sound = False

    def __init__(self, path: str | os.PathLike[str], size: int | None, fps: Fraction | None):
        self.name = printable(path)
        self._open = ExitStack()
        try:
            with _reading_images():
                self._tree, self._names = _open_frames(path, self._open)
                self._measure(size, fps)
        except ImageError:
            self.close()
            raise

    def _measure(self, size: int | None, fps: Fraction | None) -> None:
        with self._tree.open_picture(self._names[0], max_megapixels=MOST_MEGAPIXELS):
            pass
        height, width = load_picture(self._tree.load_array(self._names[0])).image.shape[-2:]
        self._stored = (height, width)
        self.size = (height, width) if size is None else fit(height, width, size)
        self.frames: int | None = len(self._names)
        self._durations = _read_times(self._tree, len(self._names)) if fps is None else None
        if self._durations is None:
            self.frame_rate = fps or _USUAL
            self._durations = [1 / self.frame_rate] * len(self._names)
        else:
            self.frame_rate = 1 / min(self._durations)
        self.seconds: Fraction | None = sum(self._durations, Fraction(0))

    def close(self) -> None:
        """Close the folder."""
        self._open.close()

    def moments(self, start: Fraction) -> Iterator[Moment]:
        """Every frame; none is read before it is loaded."""
        time = Fraction(0)
        for name, duration in zip(self._names, self._durations or (), strict=True):
            yield Moment(time, duration, partial(self._load, name))
            time += duration

    def _load(self, name: str) -> Pixels:
        found = load_picture(self._tree.load_array(name), max_megapixels=MOST_MEGAPIXELS)
        height, width = found.image.shape[-2:]
        if (height, width) != self._stored:
            raise ImageError(
                f"{self._tree.name_of(name)} is {width} × {height}, the first frame "
                f"{self._stored[1]} × {self._stored[0]}; frames are of one size"
            )
        alpha = None if found.alpha is None else resize(found.alpha, self.size)
        return resize(found.image, self.size), alpha


def digest_frames(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of all that frames of their own files are: names, contents, and their times.

    Raises:
        ImageError: there are none, or they cannot be read.
    """
    whole = hashlib.sha256()
    with _reading_images(), ExitStack() as opened:
        tree, names = _open_frames(path, opened)
        times = [FILM_FILE] if FILM_FILE in tree.names else []
        for name in (*names, *times):
            content = hashlib.sha256(tree.read(name)).hexdigest()
            whole.update(f"{content}  {name}\n".encode())
    return whole.hexdigest()


@contextmanager
def _reading_images() -> Iterator[None]:
    """Errors of data sets, whose folders are opened the same way, are errors of pictures."""
    try:
        yield
    except ImageError:
        raise
    except BelamyError as error:
        raise error.as_kind(ImageError) from error


def _open_frames(path: str | os.PathLike[str], opened: ExitStack) -> tuple[Tree, list[str]]:
    """The folder or zip, which `opened` closes, and the frames' names in it; there is one."""
    place = Path(path)
    root = place.parent if is_pattern(path) and not place.exists() else place
    tree = opened.enter_context(open_tree(root))
    names = _find_names(tree, place)
    if not names:
        raise ImageError(f"{printable(path)} has no frames; give a folder of pictures")
    return tree, names


def _find_names(tree: Tree, place: Path) -> list[str]:
    """The frames in their order: by the numbers in their names."""
    if tree.path == place:
        return sorted(tree.pictures, key=_by_number)
    before, number, after = _split_pattern(place.name)
    form = re.compile(re.escape(before) + number + re.escape(after))
    return sorted((name for name in tree.names if form.fullmatch(name)), key=_by_number)


def _split_pattern(name: str) -> tuple[str, str, str]:
    found = _NUMBER.search(name)
    if found is None or not is_picture(name):
        raise ImageError(f"{name} is no pattern of frames; write it as frames/%06d.png")
    digits = rf"\d{{{int(found[1])},}}" if found[1] else r"\d+"
    return name[: found.start()], digits, name[found.end() :]


def _by_number(name: str) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts if part]


def _read_times(tree: Tree, count: int) -> list[Fraction] | None:
    """How long each frame stands, where belamy has written it; None elsewhere."""
    if FILM_FILE not in tree.names:
        return None
    try:
        with tree.open(FILM_FILE) as stream:
            texts = json.loads(stream.read(_LONGEST))["durations"]
        durations = [Fraction(text) for text in texts]
    except (ValueError, KeyError, TypeError, ZeroDivisionError, RecursionError):
        return None
    fits = len(durations) == count and all(0 < one <= 1_000_000 for one in durations)
    return durations if fits else None
