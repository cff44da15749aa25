"""A film made frame by frame in `OUT.parts/`, encoded at its end; stopped, gone on with, shared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from belamy.cli.existing import is_made_by
from belamy.cli.films import USUAL, Encoding, film_there
from belamy.cli.outputs import show_path
from belamy.cli.progress import track_steps
from belamy.errors import OptionError

if TYPE_CHECKING:
    from belamy.engines.film.frames import FilmWork
    from belamy.engines.film.parts import Parts
    from belamy.pixels.recipe import Recipe
    from belamy.steps import Step

__all__ = ["OpenWork", "Resume", "make_film", "make_film_again"]

OpenWork: TypeAlias = "Callable[[Recipe | None], FilmWork]"
"""Loads what makes a film; the recipe is that of the frames that are there, None where none are,
and says what the options leave to the machine."""

Resume: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on with a film that was stopped, or help another process with it, by scenes.",
    ),
]


def make_film(
    open_work: OpenWork,
    target: Path,
    doing: str,
    *,
    resume: bool,
    overwrite: bool,
    encoding: Encoding = USUAL,
) -> None:
    """Make the frames that are not there yet, encode all of them, and say where the film is.

    Args:
        open_work: loads what makes the film.
        target: see `belamy.cli.films.require_film`.
        doing: for the progress bar, "dreaming".
        resume: go on with what is in the folder of its frames, as the machine that began it.
        overwrite: begin anew, whatever is there.

    Raises:
        OptionError: the target is there, and belamy did not make it; or frames of it are there, and
            nobody said whether to go on with them.
        KeyboardInterrupt: Ctrl-C; the frames that were made are saved.
    """
    from belamy.engines.film.begun import begun_in
    from belamy.engines.film.parts import Parts, parts_of

    there = film_there(target, encoding, overwrite)
    folder = parts_of(target)
    if folder.exists() and not (resume or overwrite):
        raise OptionError(
            f"{show_path(folder)} holds frames of this film; --resume goes on with them, "
            "--overwrite begins anew"
        )
    begun = begun_in(folder) if resume else None
    with ExitStack() as threads:
        work = _open_work(open_work, begun, threads)
        if there is not None and is_made_by(there, work.recipe, len(work.plan.times)):
            typer.echo(f"{show_path(target)} is there already")
            return
        if overwrite and not resume:
            Parts.remove_folder(folder)
        parts = _open_parts(folder, work, begun, open_work, threads)
        try:
            _make_frames(parts, f"{doing} {target.name}", folder)
            _encode(parts, target, encoding)
        finally:
            parts.remove_if_empty()


def _open_work(open_work: OpenWork, begun: Recipe | None, threads: ExitStack) -> FilmWork:
    """What makes the film, on as many threads as the frames that are there were made on."""
    from belamy.devices import computing_on

    threads.enter_context(computing_on(None if begun is None else begun.threads))
    return open_work(begun)


def _open_parts(
    folder: Path,
    work: FilmWork,
    begun: Recipe | None,
    open_work: OpenWork,
    threads: ExitStack,
) -> Parts:
    """The folder, also where another process began the film while this one was opening it."""
    from belamy.engines.film.begun import begun_in
    from belamy.engines.film.parts import Parts

    try:
        return Parts(folder, work)
    except OptionError:
        found = begun_in(folder)
        if found in (None, begun):
            raise
        return Parts(folder, _open_work(open_work, found, threads))


def _make_frames(parts: Parts, description: str, folder: Path) -> None:
    try:
        with closing(parts.make()) as steps:  # which saves what it has made
            for _ in track_steps(steps, description):
                pass
    except KeyboardInterrupt as error:
        made, total = parts.count(), len(parts.work.plan.times)
        raise KeyboardInterrupt(
            f"{made} of {total} frames are in {show_path(folder)}; --resume goes on"
        ) from error


def _encode(parts: Parts, target: Path, encoding: Encoding) -> None:
    from belamy.engines.film.encode import encode
    from belamy.engines.film.overlap import read_ahead

    with parts.to_encode() as mine:
        if not mine:
            typer.echo(
                f"{show_path(target)} will be there when the other process has done its part"
            )
            return
        encode(
            read_ahead(parts.steps()),
            target,
            frame_rate=parts.work.plan.frame_rate,
            sound=parts.work.plan.sound,
            quality=encoding.quality,
            codec=encoding.codec,
            threads=encoding.threads,
        )
        parts.remove()
    typer.echo(show_path(target))


def make_film_again(
    steps: Iterable[Step], found: Recipe, source: str, target: Path, encoding: Encoding
) -> None:
    """Replay a film that was made out of another one, with the times and the sound of that.

    Args:
        steps: of the engine.
        found: the film's recipe.
        source: where the other film is.
    """
    from belamy.engines.film.encode import encode
    from belamy.engines.film.film_options import FilmOptions
    from belamy.engines.film.source import rate_and_sound

    names = {field.name for field in fields(FilmOptions)} & found.options.keys()
    taken = {name: found.options[name] for name in names}
    rate, sound = rate_and_sound(source, FilmOptions(**taken))  # type: ignore[arg-type]
    encode(
        track_steps(steps, f"replaying {found.engine}"),
        target,
        frame_rate=rate,
        sound=sound,
        quality=encoding.quality,
        codec=encoding.codec,
        threads=encoding.threads,
    )
