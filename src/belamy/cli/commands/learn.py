"""`belamy learn`: how a machine learns, in lessons that print some lines and draw a picture."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from belamy.cli.existing import Overwrite, recipe_there
from belamy.cli.groups import PlainGroup
from belamy.cli.options import arguments_of, default, takes
from belamy.cli.outputs import require_output
from belamy.learn.lessons import Lesson
from belamy.learn.lessons.approximation import approximation
from belamy.learn.lessons.backprop import backprop
from belamy.learn.lessons.classifier import classifier as classifier_lesson
from belamy.learn.lessons.cnn import cnn
from belamy.learn.lessons.complexity import complexity as complexity_lesson
from belamy.learn.lessons.depth import depth
from belamy.learn.lessons.gan import gan_toy
from belamy.learn.lessons.mlp import mlp
from belamy.learn.lessons.neuron import neuron
from belamy.learn.lessons.perceptron import perceptron

__all__ = ["Output", "app", "present", "teach"]

app = typer.Typer(
    name="learn",
    cls=PlainGroup,
    no_args_is_help=True,
    help="Learn how a machine learns: each lesson prints a few lines and draws a picture.",
)

Output = Annotated[
    Path,
    typer.Option(
        "--output", "-o", help="The picture; ending in .gif, a film of how it comes about."
    ),
]


def teach(lesson: Callable[..., Lesson]) -> None:
    """Make a command of a lesson: of its name, with its arguments as options."""
    name = lesson.__name__.replace("_", "-")

    @app.command(name, help=_above_arguments(lesson))
    @takes(lesson)
    def command(
        output: Output = Path(f"{name}.png"), overwrite: Overwrite = False, **options: Any
    ) -> None:
        present(lesson, output, options, overwrite)


def present(
    lesson: Callable[..., Lesson], output: Path, options: dict[str, Any], overwrite: bool = False
) -> None:
    """Give the lesson: print its lines, save its picture or its film, and say where it is.

    Raises:
        BelamyError: the output cannot be written, or the lesson refuses an option.
    """
    from belamy.learn.drawings.saving import save_film, save_still
    from belamy.learn.drawings.style import FILM_WIDTH, render, require_matplotlib
    from belamy.learn.engine import lesson_recipe
    from belamy.learn.texts import localise

    require_output(output)
    recipe_there(output, overwrite)
    require_matplotlib()
    film = output.suffix.lower() == ".gif"
    language = str(options.get("language", "en"))
    frames, latest = [], None
    for item in lesson(**options):
        if isinstance(item, str):
            typer.echo(localise(item, language))
        elif film:
            frames.append(render(item, FILM_WIDTH, language))
        else:
            latest = item
    if film:
        save_film(frames, output, lesson_recipe(lesson, options))
    else:
        assert latest is not None, "a lesson shows something"
        save_still(render(latest, language=language), output, lesson_recipe(lesson, options))
    typer.echo(output)


def _above_arguments(lesson: Callable[..., Lesson]) -> str:
    return (inspect.getdoc(lesson) or "").partition("\n\nArgs:")[0]


for one in (neuron, perceptron, mlp, backprop, approximation, depth, cnn):
    teach(one)


@app.command()
@takes(complexity_lesson, without=["networks"])
def complexity(
    networks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NETWORK...]",
            help=arguments_of(complexity_lesson)["networks"].help,
        ),
    ] = None,
    output: Output = Path("complexity.png"),
    overwrite: Overwrite = False,
    **options: Any,
) -> None:
    """How large networks are: levels, neurons, connections, weights, beside a human cortex."""
    names = networks or list(default(complexity_lesson, "networks"))
    present(complexity_lesson, output, {"networks": names, **options}, overwrite)


@app.command()
@takes(classifier_lesson, without=["data"])
def classifier(
    data: Annotated[str, typer.Argument(help=arguments_of(classifier_lesson)["data"].help)] = "",
    output: Output = Path("classifier.png"),
    overwrite: Overwrite = False,
    **options: Any,
) -> None:
    """Cat or dog, from end to end: a network learns your classes, and an error goes back."""
    present(classifier_lesson, output, {"data": data, **options}, overwrite)


@app.command()
@takes(gan_toy)
def gan(output: Output = Path("gan.png"), overwrite: Overwrite = False, **options: Any) -> None:
    """A generator and a discriminator learn eight clouds of points from each other."""
    present(gan_toy, output, options, overwrite)
