"""What commands that take pictures or films ask of a film, in one object."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from belamy.cli.film.making import Resume, make_film
from belamy.cli.films import Encoding, FilmCodec, FilmQuality, require_film
from belamy.cli.options import arguments_of
from belamy.engines.film.film_options import FilmOptions
from belamy.errors import ImageError, OptionError
from belamy.files import missing_file, printable

if TYPE_CHECKING:
    from belamy.pixels.recipe import Recipe

__all__ = ["EVERY_FRAME", "NO_FILM", "Every", "FilmFlags", "takes_film"]

EVERY_FRAME = "Of a film: take only every N-th frame, which then stands as long as those left out."

Every = Annotated[int, typer.Option(min=0, help=EVERY_FRAME)]

Command = TypeVar("Command", bound=Callable[..., Any])
_FILMS = (".mp4", ".mov", ".mkv", ".webm", ".apng")  # suffixes that no picture has
_SUFFIXES = (*_FILMS, ".gif", ".webp", ".avif")


@dataclass(frozen=True)
class FilmFlags:
    """The options of films that were typed; as they are, nothing is asked of a film.

    Args:
        fps, start, end, steady: see `FilmOptions`.
        quality, codec: see `Encoding`.
        resume: go on with a film that was stopped.
    """

    fps: float | None = None
    start: float | None = None
    end: float | None = None
    steady: float = 1.0
    quality: int = 90
    codec: Any = None
    resume: bool = False

    def is_film(self, sources: Sequence[Path], output: str) -> bool:
        """Whether a film is to be made out of a film.

        A folder or a zip of pictures is a film where one file is to be made of it.

        Raises:
            OptionError: options of films, and no film; or a film is to be made of none.
            ImageError: it is not there.
        """
        suffix = Path(output).suffix.lower()
        named = len(sources) == 1 and suffix in ("", *_SUFFIXES)
        film = named and _moves(sources[0], suffix)  # which brings torch
        if named and not film and suffix in _FILMS:
            if not sources[0].exists():
                raise missing_file(ImageError, sources[0])
            raise OptionError(
                f"{printable(sources[0])} is no film, and cannot become {output}; "
                "name a film, or a picture as the output: -o new.png"
            )
        if not film and self != FilmFlags():
            given = next(f.name for f in fields(self) if getattr(self, f.name) != f.default)
            raise OptionError(
                f"--{given} is for films: name one film, and a film as the output, as -o new.mp4"
            )
        return film

    def make(
        self,
        form: Callable[..., FilmOptions],
        output: str,
        doing: str,
        *,
        every: int,
        overwrite: bool,
        **given: Any,
    ) -> None:
        """Make a film, and say where it is.

        Args:
            form: what the engine's options and those of films are in one object.
            output: where it goes.
            doing: for the progress bar, "dreaming".
            every: take each so many-th frame; 0 for all.
            overwrite: begin anew, whatever is there.
            given: the engine's options.

        Raises:
            OptionError: they do not fit, or another file is there.
        """
        options = form(
            **given,
            fps=self.fps,
            start=self.start,
            end=self.end,
            every=every or 1,
            steady=self.steady,
        )
        encoding = Encoding(self.quality, self.codec)
        target = require_film(output, self.fps or 25.0, encoding)
        source: Any = options
        path = Path(os.fspath(source.content if hasattr(options, "content") else source.image))
        if os.path.realpath(path) == os.path.realpath(target):
            raise OptionError(f"{target} would overwrite itself; name another output")

        def open_work(begun: Recipe | None) -> Any:
            from belamy.engines.film.films import open_repainted  # brings torch
            from belamy.engines.film.parts import parts_of

            return open_repainted(options, parts_of(target), begun)

        with _sharing_cores(options):
            make_film(
                *(open_work, target, doing),
                resume=self.resume,
                overwrite=overwrite,
                encoding=encoding,
            )


NO_FILM = FilmFlags()
"""Where nothing is asked of a film."""


@contextmanager
def _sharing_cores(options: FilmOptions) -> Iterator[None]:
    """Inside, each of several frames that are painted at a time has its own threads."""
    from belamy.devices import computing_on  # brings torch
    from belamy.engines.film.films import threads_of_frames
    from belamy.pixels.motion.flow import opencv

    threads = threads_of_frames(options)
    if threads is None:
        yield
        return
    cv2 = opencv()
    usual = cv2.getNumThreads()
    cv2.setNumThreads(threads)  # who waits for work to be shared runs in circles
    try:
        with computing_on(threads):
            yield
    finally:
        cv2.setNumThreads(usual)


def _moves(path: Path, suffix: str) -> bool:
    """Whether it is a film, or frames of which a file of that suffix is to be made."""
    from belamy.pixels.film.kinds import are_frames, is_film, kind_of

    if path.is_file() and is_film(path):
        return True
    single = not path.exists() and are_frames(path)  # of a pattern
    return single or (suffix != "" and kind_of(path) == "frames")


def takes_film(command: Command) -> Command:
    """Give a command the options of films; they arrive as its argument `film`."""
    signature = inspect.signature(command, eval_str=True)
    texts = arguments_of(FilmOptions)

    def flag(name: str, kind: Any, default: Any) -> inspect.Parameter:
        help_ = f"Of a film: {texts[name].help}"
        return _parameter(name, Annotated[kind, typer.Option(help=help_)], default)

    added = [
        flag("fps", float | None, None),
        flag("start", float | None, None),
        flag("end", float | None, None),
        flag("steady", float, 1.0),
        _parameter("quality", FilmQuality, 90),
        _parameter("codec", FilmCodec, None),
        _parameter("resume", Resume, False),
    ]

    @functools.wraps(command)
    def run(**given: Any) -> Any:
        names = [one.name for one in added]
        film = FilmFlags(**{name: given.pop(name) for name in names})
        return command(film=film, **given)

    kept = [one for one in signature.parameters.values() if one.name != "film"]
    positional = [one for one in kept if one.kind is not one.VAR_KEYWORD]
    rest = [one for one in kept if one.kind is one.VAR_KEYWORD]
    keywords = [one.replace(kind=one.KEYWORD_ONLY) for one in positional]
    run.__signature__ = signature.replace(parameters=[*keywords, *added, *rest])  # type: ignore[attr-defined]
    run.__annotations__ = {}  # what they name is known where the command stands
    del run.__wrapped__
    return run  # type: ignore[return-value]


def _parameter(name: str, kind: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
