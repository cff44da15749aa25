"""`belamy dream`: DeepDream on pictures, or from noise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from belamy.cli.groups import complain
from belamy.cli.options import takes
from belamy.cli.outputs import Job, plan, require_output, save_step, share
from belamy.cli.progress import show_steps
from belamy.engines.dream.api import dream_steps
from belamy.errors import BelamyError, OptionError

if TYPE_CHECKING:
    from belamy.steps import Step

__all__ = ["app"]

app = typer.Typer()


@app.command()
@takes(dream_steps, without=["image"])
def dream(
    images: Annotated[
        list[Path] | None,
        typer.Argument(metavar="IMAGE", help="Pictures to dream on; none dreams from noise."),
    ] = None,
    output: Annotated[
        str,
        typer.Option("--output", "-o", help="The new picture, or a folder for several."),
    ] = "",
    every: Annotated[
        int, typer.Option(min=0, help="Save a frame of the work every N steps, beside the result.")
    ] = 0,
    **options: Any,
) -> None:
    """Dream: change a picture until a network sees more of what it looks for."""
    if not output:
        raise OptionError("no output named; write -o dream.png, or -o folder/ for several pictures")
    if not images:
        _dream(None, require_output(output), every, options)
        return
    jobs = plan(images, output)
    if len(jobs) == 1:
        _dream(jobs[0].source, jobs[0].target, every, options)
        return
    _dream_all(jobs, every, options)


def _dream_all(jobs: list[Job], every: int, options: dict[str, Any]) -> None:
    """Each picture; one that cannot be read is said and does not hold up the others."""
    failed = 0
    for job in share(jobs):
        if job.done:
            typer.echo(f"{job.target} is there already")
            continue
        try:
            _dream(job.source, job.target, every, options, one_of_many=True)
        except BelamyError as error:
            failed += 1
            complain(str(error))
    if failed:
        raise typer.Exit(1)


def _dream(
    source: Path | None,
    target: Path,
    every: int,
    options: dict[str, Any],
    *,
    one_of_many: bool = False,
) -> None:
    """One dream; what Ctrl-C left of one of many goes aside, lest it be taken for done."""
    steps = dream_steps(source, **options)
    if every:
        steps = _with_frames(steps, target, every)
    step, stopped = show_steps(steps, f"dreaming {target.name}")
    if stopped and one_of_many:
        target = target.with_name(f"{target.stem}-stopped{target.suffix}")
    save_step(step, target)
    typer.echo(target)
    if stopped:
        raise KeyboardInterrupt(f"what was made so far is in {target}")


def _with_frames(steps: Iterator[Step], target: Path, every: int) -> Iterator[Step]:
    """The same stream, with every n-th picture saved as TARGET-0010.png on the way."""
    for step in steps:
        if step.index % every == 0:
            save_step(step, target.with_name(f"{target.stem}-{step.index:04d}{target.suffix}"))
        yield step
