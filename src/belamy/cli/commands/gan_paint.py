"""`belamy gan paint`, `walk`, `mix`, `edit`, `project`, `evaluate`: what painters can do."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from belamy.cli.commands.gan import app
from belamy.cli.existing import Overwrite, recipe_there, require_ours, unless_made
from belamy.cli.films import (
    FILMS,
    USUAL,
    Encoding,
    FilmCodec,
    FilmQuality,
    film_there,
    require_film,
    save_film,
)
from belamy.cli.groups import complain
from belamy.cli.options import arguments_of, default, takes
from belamy.cli.outputs import require_folder, require_output, save_step
from belamy.cli.progress import show_steps, track_steps
from belamy.cli.settings.patterns import fill, is_pattern
from belamy.cli.shell.completion import generators
from belamy.engines.gan.api import gan_evaluate_steps
from belamy.engines.gan.options import PaintOptions, WalkOptions
from belamy.engines.gan.sample_api import (
    gan_edit_steps,
    gan_mix_steps,
    gan_paint_steps,
    gan_project_steps,
    gan_walk_steps,
)
from belamy.errors import OptionError

if TYPE_CHECKING:
    from belamy.steps import Step

__all__ = ["app"]

GENERATOR = default(gan_paint_steps, "network")
FIRST, SECOND = (default(gan_mix_steps, name) for name in ("first", "second"))


def _argument(function: Callable[..., Any], name: str, **settings: Any) -> Any:
    """A positional argument with the engine's own text."""
    known = generators if name == "network" else None
    return typer.Argument(help=arguments_of(function)[name].help, autocompletion=known, **settings)


LATENTS_MARK = b'"kind":"latents"'
Kept = Annotated[
    Path | None,
    typer.Option(
        "--save-latents", help="Save what the pictures are drawn from, as .safetensors, too."
    ),
]
Output = Annotated[
    str, typer.Option("--output", "-o", help="The new picture; its suffix says the format.")
]


@app.command()
@takes(gan_paint_steps, without=["network", "sheet"], flags={"count": ["--count", "-n"]})
def paint(
    network: Annotated[str, _argument(gan_paint_steps, "network")] = GENERATOR,
    output: Annotated[
        str,
        typer.Option("--output", "-o", help="One sheet, or a folder for a file of each picture."),
    ] = "",
    save_latents: Kept = None,
    overwrite: Overwrite = False,
    **options: Any,
) -> None:
    """Paint pictures from nothing; in a folder, SEED-NUMBER.png is what other commands call it."""
    _require_latents(save_latents, overwrite)
    if output and (is_pattern(output) or _is_folder(output)):
        require_folder(Path(output).parent if is_pattern(output) else output)
        given = PaintOptions(network, sheet=False, **options)
        steps = gan_paint_steps(network, sheet=False, **options)
        stem = "latents" if given.latents else str(given.seed)
        _save_each(steps, output, stem, save_latents, overwrite)
        return
    steps = gan_paint_steps(network, sheet=True, **options)
    _paint_one(steps, output, save_latents, "painting", overwrite)


def _is_folder(output: str) -> bool:
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


def _save_each(
    steps: Iterator[Step], output: str, stem: str, save_latents: Path | None, overwrite: bool
) -> None:
    """A file of each step's picture, in a folder, or by a pattern with `{n}`."""
    folder = Path(output).parent if is_pattern(output) else Path(output)
    latents = []
    kept = 0
    for step in track_steps(steps, f"painting {folder}"):
        digits = max(2, len(str(step.total)))
        target = folder / f"{stem}-{step.index:0{digits}}.png"
        if is_pattern(output):
            target = require_output(fill(output, {"n": step.index}))
        latents.append(step)
        try:
            recipe_there(target, overwrite)
        except OptionError as error:  # it is said, and does not hold up the others
            complain(str(error))
            kept += 1
            continue
        save_step(step, target)
    _save_latents(latents, save_latents)
    typer.echo(folder)
    if kept:
        raise typer.Exit(1)


def _paint_one(
    steps: Iterator[Step],
    output: str,
    save_latents: Path | None,
    description: str,
    overwrite: bool,
    *,
    anew: bool = False,
) -> None:
    """Run the steps; the last one has the picture.

    Args:
        anew: even if the picture is there already.
    """
    if not output:
        raise OptionError("no output named; write -o new.png")
    target = require_output(output)
    there = recipe_there(target, overwrite)
    if there is not None and save_latents is None and not anew:
        going = unless_made(steps, there)
        if going is None:
            typer.echo(f"{target} is there already")
            return
        steps = going
    step, stopped = show_steps(steps, f"{description} {target.name}")
    save_step(step, target)
    _save_latents([step], save_latents)
    if stopped:
        raise KeyboardInterrupt(f"what was made so far is in {target}")
    typer.echo(target)


@app.command()
@takes(gan_walk_steps, without=["network"])
def walk(
    network: Annotated[str, _argument(gan_walk_steps, "network")] = GENERATOR,
    output: Annotated[str, typer.Option("--output", "-o", help=f"The film: {FILMS}.")] = "",
    quality: FilmQuality = USUAL.quality,
    codec: FilmCodec = None,
    overwrite: Overwrite = False,
    **options: Any,
) -> None:
    """Walk from picture to picture and back to the first: a film that goes round for ever."""
    if not output:
        raise OptionError("no output named; write -o walk.gif, or -o walk.mp4")
    fps = WalkOptions(network, **options).fps
    encoding = Encoding(quality, codec)
    target = require_film(output, fps, encoding)
    steps = gan_walk_steps(network, **options)
    there = film_there(target, encoding, overwrite)
    if there is not None:
        going = unless_made(steps, there)
        if going is None:
            typer.echo(f"{target} is there already")
            return
        steps = going
    save_film(steps, target, f"walking to {target.name}", fps, encoding)
    typer.echo(target)


@app.command()
@takes(gan_mix_steps, without=["first", "second"])
def mix(
    first: Annotated[str, _argument(gan_mix_steps, "first")] = FIRST,
    second: Annotated[str, _argument(gan_mix_steps, "second")] = SECOND,
    output: Output = "",
    save_latents: Kept = None,
    overwrite: Overwrite = False,
    **options: Any,
) -> None:
    """Cross two pictures and show what lies between them."""
    _require_latents(save_latents, overwrite)
    steps = gan_mix_steps(first, second, **options)
    _paint_one(steps, output, save_latents, "mixing", overwrite)


@app.command()
@takes(gan_edit_steps, without=["picture"])
def edit(
    picture: Annotated[str, _argument(gan_edit_steps, "picture")] = FIRST,
    output: Output = "",
    save_latents: Kept = None,
    overwrite: Overwrite = False,
    **options: Any,
) -> None:
    """Change a picture in one direction; without --direction, see what each direction does."""
    _require_latents(save_latents, overwrite)
    steps = gan_edit_steps(picture, **options)
    _paint_one(steps, output, save_latents, "editing", overwrite)


@app.command()
@takes(gan_project_steps, without=["image"])
def project(
    image: Annotated[Path, typer.Argument(help="The picture that is looked for.")],
    output: Output = "",
    video: Annotated[Path | None, typer.Option(help=f"Save the way there too: {FILMS}.")] = None,
    save_latents: Kept = None,
    overwrite: Overwrite = False,
    **options: Any,
) -> None:
    """Find IMAGE among all that a painter could paint, as near as it comes."""
    _require_latents(save_latents, overwrite)
    if video is not None:
        recipe_there(require_film(video), overwrite)
    way: list[Step] = []
    steps = _keeping(gan_project_steps(image, **options), way if video is not None else None)
    _paint_one(steps, output, save_latents, "looking for", overwrite, anew=video is not None)
    if video is not None:
        save_film(way, video, f"saving {video.name}")
        typer.echo(video)


def _keeping(steps: Iterator[Step], kept: list[Step] | None) -> Iterator[Step]:
    for step in steps:
        if kept is not None:
            kept.append(step)
        yield step


@app.command()
@takes(gan_evaluate_steps, without=["data", "network"])
def evaluate(
    network: Annotated[str, _argument(gan_evaluate_steps, "network")],
    data: Annotated[str, _argument(gan_evaluate_steps, "data")],
    output: Annotated[
        str, typer.Option("--output", "-o", help="The sheet with the nearest true pictures.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
    overwrite: Overwrite = False,
    **options: Any,
) -> None:
    """Measure how real NETWORK's pictures look beside those in DATA, and whether it copies."""
    if output:
        recipe_there(require_output(output), overwrite)
    steps = gan_evaluate_steps(data, network=network, **options)
    step, stopped = show_steps(steps, "measuring")
    if stopped:  # half of the pictures measure nothing
        raise KeyboardInterrupt
    if output:
        save_step(step, output)
    _print_measures(step, as_json)


def _print_measures(step: Step, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**step.losses, "note": step.note}, ensure_ascii=False))
        return
    for name, value in step.losses.items():
        typer.echo(f"{name}: {value:.4g}")


def _require_latents(path: Path | None, overwrite: bool) -> None:
    """Checked before the work."""
    if path is None:
        return
    from belamy.networks.gan.latents import check_latents_path

    check_latents_path(path)
    require_folder(path.parent)
    require_ours(path, LATENTS_MARK, overwrite)


def _save_latents(steps: list[Step], path: Path | None) -> None:
    if path is None:
        return
    import torch

    from belamy.networks.gan.latents import save_styles

    styles = [step.latents for step in steps if step.latents is not None]
    recipe = steps[-1].recipe
    assert recipe is not None
    network, digest = next(iter(recipe.weights.items()))
    save_styles(path, torch.cat(styles), network=network, sha256=digest)
    typer.echo(path)
