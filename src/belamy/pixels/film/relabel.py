"""`replace_recipe`: a film that carries another recipe, its frames as they are."""

from __future__ import annotations

import os
from pathlib import Path

from belamy.errors import ImageError
from belamy.files import atomic_path, printable
from belamy.pixels.carriers import MARK, find_recipe_text
from belamy.pixels.film.writers.container import CONTAINERS, Container
from belamy.pixels.film.writers.gif import comment_block
from belamy.pixels.formats.ffmpeg import import_av, translate_errors
from belamy.pixels.recipe import Recipe, comment

__all__ = ["replace_recipe"]


def replace_recipe(path: str | os.PathLike[str], recipe: Recipe) -> None:
    """Have a film that belamy made carry another recipe; nothing is encoded anew.

    Args:
        path: of an MP4, MOV, MKV, WebM or GIF.
        recipe: the new one.

    Raises:
        ImageError: it is another kind of film, carries no recipe, or cannot be written.
    """
    film = Path(path)
    container = CONTAINERS.get(film.suffix.lower())
    if container is None and film.suffix.lower() != ".gif":
        raise ImageError(f"the recipe in {printable(path)} cannot be replaced; make it anew")
    with translate_errors(f"cannot save {printable(path)}", writing=True):
        if container is None:
            _splice(film, comment(recipe))
        else:
            _copy_packets(film, container, comment(recipe).decode("ascii"))


def _splice(film: Path, new: bytes) -> None:
    """A GIF's comment is a block of its own, and nothing counts its bytes."""
    data, text = film.read_bytes(), find_recipe_text(film)
    old = comment_block(MARK + (text.encode() if isinstance(text, str) else text or b""))
    if text is None or old not in data:
        raise ImageError(f"{printable(film)} carries no recipe of belamy's own writing")
    with atomic_path(film) as temporary:
        temporary.write_bytes(data.replace(old, comment_block(new), 1))


def _copy_packets(film: Path, container: Container, text: str) -> None:
    av = import_av()
    options = {"fflags": "+bitexact", **container.options}
    with (
        atomic_path(film) as temporary,
        av.open(str(film)) as there,
        av.open(str(temporary), "w", format=container.name, options=options) as here,
    ):
        here.metadata["comment"] = text
        streams = {}
        for stream in there.streams:
            streams[stream.index] = here.add_stream_from_template(stream)
            streams[stream.index].time_base = stream.time_base
        for packet in there.demux():
            if packet.dts is not None:  # else it ends a stream
                packet.stream = streams[packet.stream.index]
                here.mux(packet)
