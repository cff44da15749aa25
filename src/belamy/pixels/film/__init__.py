"""Films, read and written: `open_film`, `create_film`."""

from __future__ import annotations

from belamy.pixels.film.frame import Frame
from belamy.pixels.film.kinds import is_film
from belamy.pixels.film.reader import FilmReader, open_film
from belamy.pixels.film.writer import FILM_SUFFIXES, FilmWriter, create_film

__all__ = [
    "FILM_SUFFIXES",
    "FilmReader",
    "FilmWriter",
    "Frame",
    "create_film",
    "is_film",
    "open_film",
]
