"""`belamy recipe` and `belamy replay`: how a picture was made, and the same picture again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from belamy import __version__
from belamy.cli.film.making import make_film_again
from belamy.cli.films import FPS, Encoding, encoding_of, require_film, save_film
from belamy.cli.groups import complain, one_line
from belamy.cli.options import flag
from belamy.cli.outputs import require_output, save_step
from belamy.cli.progress import show_steps
from belamy.cli.replay import blaming_recipe, prepare
from belamy.cli.replay_files import Found, find_files
from belamy.cli.work import describe, picture_size, require_modest
from belamy.copying.works import work_of
from belamy.copying.writing import write_command, write_notebook, write_python
from belamy.errors import OptionError, RecipeError
from belamy.renamed import current_options, find_packed

if TYPE_CHECKING:
    from belamy.pixels.recipe import Recipe
    from belamy.steps import Step

__all__ = ["app"]

_LONGEST_SHOWN = 200  # characters of a row

Form = Literal["table", "command", "python", "json", "notebook"]

app = typer.Typer()

Picture = Annotated[
    Path, typer.Argument(metavar="PICTURE", help="A picture or a film that belamy made.")
]


@app.command()
def recipe(
    picture: Picture,
    form: Annotated[
        Form,
        typer.Option(
            "--as",
            help="As a command that makes the same, as a script in Python, as JSON, or as a "
            "notebook; else as a table.",
        ),
    ] = "table",
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON, for programs: --as json.")
    ] = False,
) -> None:
    """Print how PICTURE was made: engine, options, inputs, weights, seed, versions.

    Of pictures that other programs made, and that say how, it prints what those say.
    """
    from belamy.pixels.foreign import read_foreign
    from belamy.pixels.recipe import read_recipe

    if as_json and form not in ("table", "json"):
        raise OptionError(f"--json is --as json; leave it out, or --as {form}")
    chosen = "json" if as_json else form
    try:
        found = read_recipe(picture)
    except RecipeError:
        if chosen not in ("table", "json") or (other := read_foreign(picture)) is None:
            raise
        typer.echo(other.to_json() if chosen == "json" else _lay_out(other.rows()))
        return
    if chosen == "table":
        typer.echo(_lay_out(_rows(found)))
    else:
        typer.echo(found.to_json() if chosen == "json" else _write(found, chosen, picture))


def _write(found: Recipe, form: str, picture: Path) -> str:
    """The same work as a command, as Python, or as a notebook; nothing a stranger wrote unchecked.

    Raises:
        RecipeError: the recipe does not fit its engine.
    """
    with blaming_recipe():
        prepare(found)
        work = work_of(found, f"new{picture.suffix.lower() or '.png'}")
    if form == "command":
        return one_line(write_command(work))
    if form == "python":
        return write_python(work).rstrip("\n")
    return json.dumps(write_notebook(work), indent=1)


@app.command()
def replay(
    picture: Picture,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="The new picture or film; its suffix says the format."),
    ],
    trust: Annotated[
        bool,
        typer.Option(
            "--trust",
            help="Read files outside of the picture's folder, and do more work than the picture "
            "can have been, where its recipe says so.",
        ),
    ] = False,
) -> None:
    """Make PICTURE again from its recipe: to the byte on the same machine and versions.

    Files are looked for beside PICTURE first. What will be done is said before anything is read.
    """
    from belamy.devices import computing_on
    from belamy.pixels.film.kinds import is_film
    from belamy.pixels.recipe import read_recipe

    _require_suffix(output)
    found = read_recipe(picture)
    with blaming_recipe():
        call = prepare(found)
    film, size = picture.is_dir() or is_film(picture), picture_size(picture)
    rate, encoding = _rate(found), encoding_of(found.film, output)
    typer.echo(one_line(describe(call, size)), err=True)
    _ = require_film(output, rate, encoding) if film else require_output(output)
    with blaming_recipe():
        files = find_files(call, picture.parent, trust=trust)
        if not trust:
            require_modest(call, files, size, picture.name)
    _mention_versions(found)
    with blaming_recipe(), computing_on(found.threads) as cannot:
        if cannot:
            complain(cannot)
        _make(
            _same(call.start(files.inputs, files.options), found, files),
            found,
            files,
            output,
            rate if film else None,
            encoding,
        )
    typer.echo(output)


def _require_suffix(output: Path) -> None:
    """Before the recipe is read, which may be long."""
    from belamy.pixels.encode import format_for
    from belamy.pixels.film.writer import FILM_SUFFIXES

    if output.suffix and output.suffix.lower() not in FILM_SUFFIXES:
        format_for(output, recipe=True)


def _make(
    steps: Iterator[Step],
    found: Recipe,
    files: Found,
    output: Path,
    rate: float | None,
    encoding: Encoding,
) -> None:
    """Save the film of the steps where there is a rate, else the picture of the last."""
    if found.engine.startswith("film-"):
        if not files.inputs:
            raise RecipeError("the recipe names no film that this one was made of")
        make_film_again(steps, found, files.inputs[0], output, encoding)
        return
    if rate is not None:
        save_film(steps, output, f"replaying {found.engine}", rate, encoding)
        return
    step, stopped = show_steps(steps, f"replaying {found.engine}")
    if stopped:  # half a replay is not the picture
        raise KeyboardInterrupt
    save_step(step, output)


def _rate(found: Recipe) -> float:
    """Frames a second of a film; a step each."""
    rate = found.options.get("fps", FPS)
    return float(rate) if isinstance(rate, (int, float)) else FPS


def _rows(found: Recipe) -> list[tuple[str, str]]:
    return [
        ("engine", found.engine),
        ("made with", f"belamy {found.belamy}, torch {found.torch}"),
        ("seed", str(found.seed)),
        *([] if found.step is None else [("steps made", str(found.step))]),
        *([] if found.threads is None else [("threads", str(found.threads))]),
        *found.credits.items(),
        *((f"grid, {flag(name)[2:]}", ", ".join(map(str, values))) for name, values in found.grid),
        *((f"film, {name}", json.dumps(value)) for name, value in found.film.items()),
        *((item.role, f"{item.path}  (SHA-256 {item.sha256[:12]}…)") for item in found.inputs),
        *(
            ("weights", f"{name}  (SHA-256 {digest[:12]}…)")
            for name, digest in found.weights.items()
        ),
        *(
            (flag(name)[2:], _say_option(found, name, value))
            for name, value in sorted(
                current_options(found.engine, found.options, weights=found.weights).items()
            )
            if name != "seed"
        ),
    ]


def _say_option(found: Recipe, name: str, value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"{text}, which auto came to" if name in (found.auto or ()) else text


def _lay_out(rows: Sequence[tuple[str, str]]) -> str:
    width = max(len(_cut(name)) for name, _ in rows)
    return "\n".join(f"{_cut(name):<{width}}  {_cut(value)}" for name, value in rows)


def _cut(text: str) -> str:
    """On one line; a stranger's text is not shown without end (`--json` has all of it)."""
    flat = one_line(text[: 2 * _LONGEST_SHOWN])
    return flat if len(text) <= _LONGEST_SHOWN else flat[:_LONGEST_SHOWN] + "…"


def _same(steps: Iterator[Step], found: Recipe, files: Found) -> Iterator[Step]:
    """The steps up to the recipe's, once the first has shown that the weights are the same."""
    for step in steps:
        if step.recipe is None:
            yield step
        else:
            if not _are_of_same_weights(step.recipe, found):
                raise RecipeError(
                    f"the weights here are others ({_digests(step.recipe)}) than those that made "
                    f"the picture ({_digests(found)}); replay needs the same"
                )
            yield replace(step, recipe=files.restore_recipe(step.recipe, found))
        if step.index == found.step:
            return


def _are_of_same_weights(made: Recipe, found: Recipe) -> bool:
    here, there = find_packed(made.weights.values()), find_packed(found.weights.values())
    # older recipes do not say what is in the files beside an ONNX
    older = len(found.weights) == 1 and all(name.endswith(".onnx") for name in found.weights)
    return there <= here if older else here == there


def _digests(found: Recipe) -> str:
    shown = [f"{name[:60]} {digest[:12]}…" for name, digest in found.weights.items()]
    return ", ".join(shown[:3]) or "none"


def _mention_versions(found: Recipe) -> None:
    import torch

    here = f"belamy {__version__}, torch {torch.__version__}"
    there = f"belamy {found.belamy[:40]}, torch {found.torch[:40]}"
    if here != there:
        complain(f"made with {there}; this is {here}, so that small differences are likely")
    if find_packed(found.weights.values()) != {*found.weights.values()}:
        complain("the weights that made it are kept in 8 bits: expect a level of 255 in the mean")
