"""`belamy learn cnn`, `complexity`, `classifier` and `gan`: networks that see, and that paint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from belamy.cli.commands.learn import Output, app, present, teach
from belamy.cli.options import arguments_of, default, takes
from belamy.learn.lessons.classifier import classifier as classifier_lesson
from belamy.learn.lessons.cnn import cnn
from belamy.learn.lessons.complexity import complexity as complexity_lesson
from belamy.learn.lessons.gan import gan_toy

__all__ = ["app"]

teach(cnn)


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
    **options: Any,
) -> None:
    """How large networks are: levels, neurons, connections, weights, beside a human cortex."""
    asked = networks or list(default(complexity_lesson, "networks"))
    present(complexity_lesson, output, {"networks": asked, **options})


@app.command()
@takes(classifier_lesson, without=["data"])
def classifier(
    data: Annotated[str, typer.Argument(help=arguments_of(classifier_lesson)["data"].help)] = "",
    output: Output = Path("classifier.png"),
    **options: Any,
) -> None:
    """Cat or dog, from end to end: a network learns your classes, and an error goes back."""
    present(classifier_lesson, output, {"data": data, **options})


@app.command()
@takes(gan_toy)
def gan(output: Output = Path("gan.png"), **options: Any) -> None:
    """Two networks, a forger and a critic, learn eight clouds of points from each other."""
    present(gan_toy, output, options)
