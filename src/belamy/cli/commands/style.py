"""`belamy style`: one picture in the manner of another."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from belamy.cli.existing import Overwrite, require_ours
from belamy.cli.film.flags import EVERY_FRAME, NO_FILM, FilmFlags, takes_film
from belamy.cli.groups import DefaultGroup
from belamy.cli.inputs import holds_many
from belamy.cli.options import arguments_of, default, flag, is_typed, option, takes
from belamy.cli.outputs import require_folder, require_output
from belamy.cli.pictures import make_picture, require_named, work_on
from belamy.engines.anystyle.api import AnyStyleOptions, any_style_steps
from belamy.engines.film.api import AnyStyleFilmOptions, StyleFilmOptions
from belamy.engines.style.api import StyleOptions, style_steps
from belamy.errors import OptionError

if TYPE_CHECKING:
    from belamy.pixels.images import Source
    from belamy.steps import Step

__all__ = ["app"]

# What only one of the two ways to paint can use.
FAST_ALONE = arguments_of(any_style_steps).keys() - arguments_of(style_steps).keys()
STEPS_ALONE = arguments_of(style_steps).keys() - arguments_of(any_style_steps).keys() | {
    *("every", "passes", "trace")
}
PASSES = f"Of a film: {arguments_of(StyleFilmOptions)['passes'].help}"
TRACE_MARK = b'[\n{"step": '  # how files of losses begin

app = typer.Typer(
    name="style",
    cls=DefaultGroup,
    no_args_is_help=True,
    help="Paint a picture in the manner of others (`belamy style photo.jpg wave.jpg -o new.png`).",
)


@app.command()
@takes_film
@takes(style_steps, without=["content", "style"])
def paint(
    context: typer.Context,
    content: Annotated[
        Path,
        typer.Argument(
            metavar="CONTENT",
            help="The picture to paint; or a folder or a zip of pictures, or a film.",
        ),
    ],
    style: Annotated[
        list[Path], typer.Argument(metavar="STYLE...", help="In whose manner: one, or several.")
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="The new picture, or a folder for several.")
    ] = "",
    every: Annotated[
        int,
        typer.Option(
            min=0,
            help="Save a frame of the work every N steps, beside the result. " + EVERY_FRAME,
        ),
    ] = 0,
    trace: Annotated[
        Path | None, typer.Option(help="A JSON file for the losses of every step.")
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="Paint in one pass, in seconds, with a trained network.")
    ] = False,
    patches: Annotated[float, option(any_style_steps, "patches")] = default(
        any_style_steps, "patches"
    ),
    strokes: Annotated[float, option(any_style_steps, "strokes")] = default(
        any_style_steps, "strokes"
    ),
    strength: Annotated[float, option(any_style_steps, "strength")] = default(
        any_style_steps, "strength"
    ),
    network: Annotated[str, option(any_style_steps, "network")] = default(
        any_style_steps, "network"
    ),
    passes: Annotated[int, typer.Option(help=PASSES)] = 1,
    overwrite: Overwrite = False,
    film: FilmFlags = NO_FILM,
    **options: Any,
) -> None:
    """Paint CONTENT in the manner of each STYLE, by steps or --fast; `paint` may be left out."""
    require_named(output)
    if trace is not None:
        require_folder(trace.parent)
        require_ours(trace, TRACE_MARK, overwrite)
    alone = {"patches": patches, "strokes": strokes, "strength": strength, "network": network}
    given = {**options, **alone, "passes": passes}
    moves = film.is_film([content], output)
    if is_typed(context, "passes") and not moves:
        raise OptionError("--passes is for films: name one film, and a film as the output")
    chosen = _chosen(context, fast, given, free=("every",) if moves else ())
    if moves:
        film_form = AnyStyleFilmOptions if fast else StyleFilmOptions
        given = {"content": content, "style": style, **chosen}
        film.make(film_form, output, "painting", every=every, overwrite=overwrite, **given)
        return
    if _is_folder(content, output):
        if trace is not None:
            raise OptionError("--trace is for one picture; leave it out, or name one picture")
        form = AnyStyleOptions if fast else StyleOptions
        steps_of = _load(form(content, style, **chosen))
        work_on(
            [content],
            output,
            lambda source, _: steps_of(source),
            "painting",
            every=every,
            overwrite=overwrite,
        )
        return
    target = require_output(output)
    if target in (content, *style):
        raise OptionError(f"{target} would overwrite itself; name another output")
    rows: list[dict[str, Any]] = []
    make = any_style_steps if fast else style_steps
    steps = _note_losses(make(content, style, **chosen), rows)
    try:
        make_picture(steps, target, "painting", every, overwrite=overwrite)
    finally:  # the losses of a painting that failed are of more use than any
        _write_trace(trace, rows)


def _is_folder(content: Path, output: str) -> bool:
    return holds_many(content) or output.endswith(("/", os.sep)) or Path(output).is_dir()


def _load(options: StyleOptions | AnyStyleOptions) -> Callable[[Source], Iterator[Step]]:
    """The engine with its networks loaded once: a picture → its steps."""
    if isinstance(options, AnyStyleOptions):
        from belamy.engines.anystyle.render import AnyStylist  # brings torch

        return AnyStylist(options).steps
    from belamy.engines.style.render import Stylist

    return Stylist(options).steps


def _chosen(
    context: typer.Context, fast: bool, options: Mapping[str, Any], free: Sequence[str]
) -> dict[str, Any]:
    """The options that were typed; the others are the engine's to fill in.

    Args:
        free: those that both ways can use here.

    Raises:
        OptionError: one of them is of no use to the way in which is painted.
    """
    typed = [name for name in context.params if is_typed(context, name) and name not in free]
    wrong = [flag(name) for name in typed if name in (STEPS_ALONE if fast else FAST_ALONE)]
    if wrong and fast:
        raise OptionError(f"--fast paints in one pass, without steps; leave out {', '.join(wrong)}")
    if wrong:
        raise OptionError(f"{', '.join(wrong)} is for --fast; write it too, or leave that out")
    return {name: options[name] for name in typed if name in options}


def _note_losses(steps: Iterator[Step], rows: list[dict[str, Any]]) -> Iterator[Step]:
    """The same stream; each step's losses become a row."""
    for step in steps:
        height, width = step.image.shape[-2:]
        rows.append({"step": step.index, "width": width, "height": height, **step.losses})
        yield step


def _write_trace(path: Path | None, rows: list[dict[str, Any]]) -> None:
    if path is not None and rows:
        from belamy.files import write_text

        lines = ",\n".join(json.dumps(row) for row in rows)
        write_text(path, f"[\n{lines}\n]\n")
