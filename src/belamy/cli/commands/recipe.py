"""`belamy recipe` and `belamy replay`: how a picture was made, and the same picture again."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from belamy import __version__
from belamy.cli.films import FPS, require_film, save_film
from belamy.cli.groups import complain, one_line
from belamy.cli.options import flag
from belamy.cli.outputs import require_output, save_step
from belamy.cli.progress import show_steps
from belamy.engines import engine
from belamy.errors import RecipeError
from belamy.renamed import current_options

if TYPE_CHECKING:
    from belamy.pixels.recipe import Input, Recipe
    from belamy.steps import Step

__all__ = ["app"]

app = typer.Typer()

Picture = Annotated[
    Path, typer.Argument(metavar="PICTURE", help="A picture or a film that belamy made.")
]


@app.command()
def recipe(
    picture: Picture,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Print how PICTURE was made: engine, options, inputs, weights, seed, versions."""
    from belamy.pixels.recipe import read_recipe

    found = read_recipe(picture)
    typer.echo(found.to_json() if as_json else _table(found))


@app.command()
def replay(
    picture: Picture,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="The new picture or film; its suffix says the format."),
    ],
) -> None:
    """Make PICTURE again from its recipe: to the byte on the same machine and versions."""
    from belamy.pixels.recipe import read_recipe, verify_inputs
    from belamy.pixels.video import is_animated

    found = read_recipe(picture)
    film = is_animated(picture)
    rate = _rate(found)
    _ = require_film(output, rate) if film else require_output(output)
    function, arguments = _call_of(found)
    verify_inputs(found)
    _mention_versions(found)
    steps = _same(function(**arguments), found)
    if film:
        save_film(steps, output, f"replaying {found.engine}", rate)
        typer.echo(output)
        return
    step, stopped = show_steps(steps, f"replaying {found.engine}")
    if stopped:  # half a replay is not the picture
        raise KeyboardInterrupt
    save_step(step, output)
    typer.echo(output)


def _rate(found: Recipe) -> float:
    """Frames a second of a film; a step each."""
    rate = found.options.get("fps", FPS)
    return float(rate) if isinstance(rate, (int, float)) else FPS


def _table(found: Recipe) -> str:
    rows = [
        ("engine", found.engine),
        ("made with", f"belamy {found.belamy}, torch {found.torch}"),
        ("seed", str(found.seed)),
        *([] if found.step is None else [("steps made", str(found.step))]),
        *((item.role, f"{item.path}  (SHA-256 {item.sha256[:12]}…)") for item in found.inputs),
        *(
            ("weights", f"{name}  (SHA-256 {digest[:12]}…)")
            for name, digest in found.weights.items()
        ),
        *(
            (flag(name)[2:], json.dumps(value, ensure_ascii=False))
            for name, value in sorted(current_options(found.engine, found.options).items())
            if name != "seed"
        ),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{one_line(name):<{width}}  {one_line(value)}" for name, value in rows)


def _call_of(found: Recipe) -> tuple[Callable[..., Iterator[Step]], dict[str, Any]]:
    """The engine's function, and the arguments that make this picture."""
    function = engine(found.engine)
    arguments = {**current_options(found.engine, found.options), **_paths(found.inputs)}
    takes = inspect.signature(function).parameters
    if "seed" in takes:
        arguments["seed"] = found.seed
    if unknown := sorted(arguments.keys() - takes.keys()):
        raise RecipeError(
            f"the recipe asks for {', '.join(unknown)}, which {found.engine} does not know here; "
            f"it was made with belamy {found.belamy}, this is {__version__}"
        )
    return function, arguments


def _paths(inputs: Iterable[Input]) -> dict[str, Any]:
    """Role → path; a role that several files have → the list of them."""
    paths: dict[str, list[str]] = {}
    for item in inputs:
        paths.setdefault(item.role, []).append(item.path)
    return {role: found[0] if len(found) == 1 else found for role, found in paths.items()}


def _same(steps: Iterator[Step], found: Recipe) -> Iterator[Step]:
    """The steps up to the recipe's, once the first has shown that the weights are the same."""
    for step in steps:
        if step.recipe is not None and step.recipe.weights != found.weights:
            raise RecipeError(
                f"the weights here are others ({_digests(step.recipe)}) than those that made the "
                f"picture ({_digests(found)}); replay needs the same"
            )
        yield step
        if step.index == found.step:
            return


def _digests(found: Recipe) -> str:
    return ", ".join(f"{name} {digest[:12]}…" for name, digest in found.weights.items()) or "none"


def _mention_versions(found: Recipe) -> None:
    import torch

    here = f"belamy {__version__}, torch {torch.__version__}"
    there = f"belamy {found.belamy}, torch {found.torch}"
    if here != there:
        complain(f"made with {there}; this is {here}, so that small differences are likely")
