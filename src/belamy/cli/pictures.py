"""One engine over many pictures: files, folders and zips in, a file or a folder out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from belamy.cli.failures import plain_failures
from belamy.cli.groups import complain
from belamy.cli.inputs import Inputs, holds_many, inputs
from belamy.cli.outputs import Job, plan, save_step, share, show_path
from belamy.cli.progress import show_steps
from belamy.errors import BelamyError, OptionError

if TYPE_CHECKING:
    from belamy.pixels.images import Source
    from belamy.steps import Step

__all__ = ["make_picture", "require_named", "work_on"]


def require_named(output: str) -> None:
    """Raises OptionError where no output is named; a command may ask before it loads a network."""
    if not output:
        raise OptionError("no output named; write -o new.png, or -o folder/ for several pictures")


def work_on(
    images: Sequence[Path],
    output: str,
    steps_of: Callable[[Source, Job], Iterable[Step]],
    doing: str,
    *,
    every: int = 0,
) -> None:
    """Make one picture of each, and say where it is; one that fails does not hold up the others.

    Args:
        images: files, folders and zips.
        output: a file for one picture, a folder for several; "" is refused.
        steps_of: the engine: what a picture is read from, and where it goes → its steps.
        doing: for the progress bar, "clearing".
        every: save a frame of the work every so many steps, beside the result; 0 saves none.

    Raises:
        OptionError, ImageError: the output cannot be what it is named.
        typer.Exit: some pictures failed; code 1.
        KeyboardInterrupt: Ctrl-C; what was made so far is saved.
    """
    require_named(output)
    sources = inputs(images, output)
    if any(map(holds_many, images)):
        output = _as_folder(output)
    jobs = plan(list(sources), output, {path: one.relative for path, one in sources.items()})
    failed = 0
    for job in share(jobs):
        if job.done and len(jobs) > 1:
            typer.echo(f"{show_path(job.target)} is there already")
            continue
        try:
            steps = _steps(steps_of, sources, job)
            with plain_failures():
                make_picture(steps, job.target, doing, every, one_of_many=len(jobs) > 1)
        except BelamyError as error:  # it is said, and does not hold up the others
            failed += 1
            complain(str(error))
    if failed:
        raise typer.Exit(1)


def make_picture(
    steps: Iterable[Step], target: Path, doing: str, every: int = 0, *, one_of_many: bool = False
) -> None:
    """Run the steps to their end, save the picture, and say where it is.

    Args:
        every: save a frame every so many steps, as TARGET-0010.png; 0 saves none.
        one_of_many: what Ctrl-C left of it goes aside, lest it be taken for done.

    Raises:
        KeyboardInterrupt: Ctrl-C; what was made so far is saved.
    """
    watched = _saving_frames(steps, target, every) if every else steps
    step, stopped = show_steps(watched, f"{doing} {target.name}")
    if stopped and one_of_many:
        target = target.with_name(f"{target.stem}-stopped{target.suffix}")
    save_step(step, target)
    typer.echo(show_path(target))
    if stopped:
        raise KeyboardInterrupt(f"what was made so far is in {target}")


def _saving_frames(steps: Iterable[Step], target: Path, every: int) -> Iterator[Step]:
    for step in steps:
        if step.index % every == 0:
            save_step(step, target.with_name(f"{target.stem}-{step.index:04d}{target.suffix}"))
        yield step


def _steps(
    steps_of: Callable[[Source, Job], Iterable[Step]], sources: Inputs, job: Job
) -> Iterator[Step]:
    yield from steps_of(sources[job.source].read(), job)


def _as_folder(output: str) -> str:
    if Path(output).suffix and not Path(output).is_dir():
        raise OptionError(f"a folder of pictures cannot become {output}; name a folder")
    return output if output.endswith(("/", os.sep)) else output + "/"
