"""`belamy classify`: what is in a picture, and how a network learns to say so."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from belamy.cli.existing import Overwrite
from belamy.cli.groups import DefaultGroup, complain, exit_code
from belamy.cli.inputs import inputs
from belamy.cli.many.cores import share_cores
from belamy.cli.many.together import count_pixels, do_together
from belamy.cli.options import default, option, takes
from belamy.cli.pictures import require_named, work_on
from belamy.cli.tables import Answer, require_table, write_table
from belamy.cli.training import Resumed, RunFolder, follow, new_run, resume_config
from belamy.engines.classify.api import (
    ClassifyConfig,
    ClassifyOptions,
    ExplainOptions,
    classify,
    evaluate_classifier,
    explain_steps,
    train_classifier,
)
from belamy.errors import BelamyError, OptionError

__all__ = ["app"]

COMMAND = "belamy classify train"

app = typer.Typer(
    name="classify",
    cls=DefaultGroup,
    no_args_is_help=True,
    help="Say what is in pictures (`belamy classify cat.jpg`); train a network to say it.",
)


@app.command("look")
@takes(classify, without=["image"])
def look(
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Pictures to name, folders or zips of them."),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="Write a table instead: a .csv or a .json; with --explain the picture, or a "
            "folder for several.",
        ),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Draw where the network looks, beside the picture."),
    ] = False,
    class_: Annotated[str | None, option(explain_steps, "class_", "--class")] = None,
    overwrite: Overwrite = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a picture, for programs.")
    ] = False,
    **options: Any,
) -> None:
    """Say what a network sees in each IMAGE, and how sure it is; `look` may be left out."""
    settings = ClassifyOptions(**options)
    if explain:
        _explain(
            images,
            output,
            ExplainOptions(None, model=settings.model, class_=class_, device=settings.device),
            overwrite,
        )
        return
    if class_ is not None:
        raise OptionError("class says for which class to --explain; give both")
    table = None if output is None else Path(output)
    if table is not None:
        require_table(table)
    answers, failed = _classify(images, settings, as_json=as_json, spoken=output is None)
    if table is not None:
        write_table(table, answers)
        typer.echo(table)
    if failed:
        raise typer.Exit(exit_code(failed, len(answers) + len(failed)))


def _classify(
    images: list[Path], settings: ClassifyOptions, *, as_json: bool, spoken: bool
) -> tuple[list[Answer], list[BelamyError]]:
    """What is seen in each, said as it comes; and what failed, which holds up no other."""
    sources = [pair for image in images for pair in inputs([image]).items()]
    from belamy.engines.classify.predict import Classifier  # brings torch

    answers: list[Answer] = []
    failed: list[BelamyError] = []
    with share_cores(images, settings.device) as workers:
        classifier = Classifier(settings)
        looking = do_together(
            sources,
            lambda one: Answer(str(one[0]), classifier(one[1].read())),
            workers,
            "classifying",
            lambda one: count_pixels(one[0]),
        )
        with closing(looking):
            for (path, _), answer in looking:
                if isinstance(answer, BelamyError):
                    failed.append(answer)
                    complain(str(answer) if path.name in str(answer) else f"{path}: {answer}")
                    continue
                answers.append(answer)
                if spoken:
                    typer.echo(answer.as_json() if as_json else answer.as_text())
    return answers, failed


def _explain(
    images: list[Path], output: str | None, options: ExplainOptions, overwrite: bool
) -> None:
    """Save where the network looks, a picture for each."""
    if output is None:
        raise OptionError("explain makes a picture; say where with -o")
    require_named(output)
    from belamy.engines.classify.explain import Explainer  # brings torch

    explainer = Explainer(options)
    work_on(
        images,
        output,
        lambda image, _: explainer.steps(image),
        "explaining",
        overwrite=overwrite,
    )


@app.command()
@takes(ClassifyConfig, without=["data", "stages"], flags={"start": ["--from"]})
def train(
    context: typer.Context,
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="[DATA]", help="Folder or zip: train/CLASS/… and test/CLASS/… (or val/)."
        ),
    ] = None,
    stages: Annotated[
        str | None,
        option(ClassifyConfig, "stages", metavar="SIZE:EPOCHS,…"),
    ] = None,
    run: RunFolder = None,
    resume: Resumed = None,
    device: Annotated[str, option(train_classifier, "device")] = default(
        train_classifier, "device"
    ),
    **options: Any,
) -> None:
    """Train a classifier on DATA; Ctrl-C saves, and the same command with --run goes on."""
    if (data is None) == (resume is None):
        raise OptionError("name either the DATA to train on, or a run folder with --resume")
    if resume is not None:
        config, folder = resume_config(context, resume, "classify", ClassifyConfig), resume
        follow(train_classifier(config, folder, device=device), folder, COMMAND)
        return
    assert data is not None
    config = ClassifyConfig(data=data, stages=_parse_stages(stages), **options)
    folder = run or new_run(f"classify-{Path(config.data).stem}")
    follow(train_classifier(config, folder, device=device), folder, COMMAND)


def _parse_stages(text: str | None) -> tuple[tuple[int, float], ...]:
    """`32:10,64:4` as ((32, 10.0), (64, 4.0))."""
    if text is None:
        return ()
    try:
        parts = [part.split(":") for part in text.split(",")]
        return tuple((int(size), float(epochs)) for size, epochs in parts)
    except ValueError as error:
        raise OptionError(f"stages is {text!r}; write SIZE:EPOCHS,… as 32:10,64:4") from error


@app.command()
def evaluate(
    data: Annotated[str, typer.Argument(help="Folder or zip with test/CLASS/… (or val/).")],
    model: Annotated[str, option(evaluate_classifier, "model")] = default(
        evaluate_classifier, "model"
    ),
    size: Annotated[int | None, option(evaluate_classifier, "size")] = default(
        evaluate_classifier, "size"
    ),
    device: Annotated[str, option(evaluate_classifier, "device")] = default(
        evaluate_classifier, "device"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Measure how often a network is right on the test split of DATA."""
    measures = evaluate_classifier(data, model=model, size=size, device=device)
    if as_json:
        typer.echo(json.dumps(measures))
        return
    for name, value in measures.items():
        typer.echo(f"{name}: {value:.4g}")
