"""What was set for a film, for another film; a picture leaves it out, and a line says so."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from belamy.checks import flag_of, show_value
from belamy.cli.settings.borrowed import Borrowed
from belamy.copying.works import defaults_of
from belamy.errors import PictureWarning

__all__ = ["carry_film"]


def carry_film(found: Borrowed, known: Collection[str], files: Iterable[Any]) -> Borrowed:
    """The settings, those of films among them where the command works on one film.

    What is left out is said, unless it is as usual.

    Args:
        known: the options of the command.
        files: what is typed as its arguments.
    """
    if not found.film:
        return found
    sources = [*_paths(files)]
    moves = bool(sources) and _moves(sources[0])
    carried = {name: value for name, value in found.film.items() if moves and name in known}
    usual = defaults_of(found.way)
    gone = [
        flag_of(name)
        for name, value in found.film.items()
        if name not in carried and value != usual.get(name)
    ]
    if gone:
        warnings.warn(
            f"{', '.join(gone)} of {show_value(found.source)[1:-1]} is left out; it is for films",
            PictureWarning,
            stacklevel=2,
        )
    return replace(found, options={**found.options, **carried})


def _paths(files: Iterable[Any]) -> Iterator[Path]:
    for one in files:
        if isinstance(one, (list, tuple)):
            yield from map(Path, one)
        elif one is not None:
            yield Path(str(one))


def _moves(path: Path) -> bool:
    """Whether it is a film, told as the commands do; a name that leads nowhere is none."""
    from belamy.pixels.film.kinds import is_film

    try:
        return path.is_file() and is_film(path)
    except (OSError, ValueError):
        return False
