"""One engine over many pictures: files, folders and zips in, a file or a folder out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from belamy.cli.existing import recipe_there, unless_made
from belamy.cli.failures import plain_failures
from belamy.cli.groups import complain, exit_code, remark
from belamy.cli.inputs import Inputs, holds_many, inputs
from belamy.cli.many.together import count_pixels, do_together
from belamy.cli.outputs import Job, plan, save_step, share, show_path
from belamy.cli.progress import show_steps
from belamy.cli.settings.patterns import is_pattern
from belamy.errors import BelamyError, OptionError

if TYPE_CHECKING:
    from belamy.cli.existing import Planned
    from belamy.pixels.images import Source
    from belamy.pixels.recipe import Recipe
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
    overwrite: bool = False,
    planned: Callable[[Source], Recipe] | None = None,
    workers: int = 1,
    on_made: Callable[[Job], object] = lambda job: None,
) -> None:
    """Make one picture of each, and say where it is; one that fails does not hold up the others.

    What is there already, by the recipe that it carries, is not made again.

    Args:
        images: files, folders and zips.
        output: a file for one picture, a folder for several; "" is refused.
        steps_of: the engine: what a picture is read from, and where it goes → its steps.
        doing: for the progress bar, "clearing".
        every: save a frame of the work every so many steps, beside the result; 0 saves none.
        overwrite: make what is there again, whoever made it.
        planned: a picture → the recipe of what the engine would make of it, found without the
            work; None takes it from the first step.
        workers: how many are worked on at a time: see `belamy.cli.many.cores.share_cores`. With
            more than one no frames are saved.
        on_made: called with each whose picture is there, in their order.

    Raises:
        OptionError, ImageError: the output cannot be what it is named.
        typer.Exit: some pictures failed; for the code see `exit_code`.
        KeyboardInterrupt: Ctrl-C; what was made so far is saved.
    """
    require_named(output)
    sources = inputs(images, output)
    if any(map(holds_many, images)) and not is_pattern(output):
        output = _as_folder(output)
    jobs = plan(list(sources), output, {path: one.relative for path, one in sources.items()})
    own, many = share(jobs), len(jobs) > 1
    failed: list[BelamyError] = []
    if workers > 1 and len(own) > 1:

        def make(job: Job) -> str:
            going = _steps(steps_of, sources, job)
            known = None if planned is None else _plan(planned, sources, job)
            return _make_quietly(going, job.target, overwrite, known)

        failed = _work_together(own, make, workers, doing, on_made)
    else:
        for job in own:
            try:
                with plain_failures():
                    make_picture(
                        _steps(steps_of, sources, job),
                        job.target,
                        doing,
                        every,
                        one_of_many=many,
                        overwrite=overwrite,
                        planned=None if planned is None else _plan(planned, sources, job),
                    )
                on_made(job)
            except BelamyError as error:  # it is said, and does not hold up the others
                failed.append(error)
                complain(_about(job, str(error)) if many else str(error))
    if failed:
        raise typer.Exit(exit_code(failed, len(own)))


def _work_together(
    jobs: Sequence[Job],
    make: Callable[[Job], str],
    workers: int,
    doing: str,
    on_made: Callable[[Job], object],
) -> list[BelamyError]:
    """Why some of the jobs failed, which are done on several threads."""
    failed: list[BelamyError] = []
    done = 0
    title = f"{doing} {len(jobs)} pictures"
    working = do_together(jobs, make, workers, title, lambda job: count_pixels(job.source))
    try:
        with closing(working):
            for job, made in working:
                if isinstance(made, BelamyError):
                    failed.append(made)
                    complain(_about(job, str(made)))
                else:
                    done += 1
                    on_made(job)
                    typer.echo(made)
    except KeyboardInterrupt:
        if not done:
            raise
        raise KeyboardInterrupt(f"{done} of {len(jobs)} pictures are made") from None
    return failed


def _make_quietly(
    steps: Iterable[Step], target: Path, overwrite: bool, planned: Planned | None
) -> str:
    """As `make_picture`, but what it would print is given back."""
    there = recipe_there(target, overwrite)
    if there is not None:
        going = unless_made(steps, there, planned)
        if going is None:
            return f"{show_path(target)} is there already"
        steps = going
    last = None
    for last in steps:
        if last.note:
            remark(f"{target.name}: {last.note}")
    assert last is not None, "an engine makes a step at least"
    save_step(last, target)
    return show_path(target)


def make_picture(
    steps: Iterable[Step],
    target: Path,
    doing: str,
    every: int = 0,
    *,
    one_of_many: bool = False,
    overwrite: bool = False,
    planned: Planned | None = None,
) -> None:
    """Run the steps to their end, save the picture, and say where it is.

    Args:
        every: save a frame every so many steps, as TARGET-0010.png; 0 saves none.
        one_of_many: what Ctrl-C left of it goes aside, lest it be taken for done.
        overwrite: make it again where it is there already, whoever made that.
        planned: see `belamy.cli.existing.unless_made`.

    Raises:
        OptionError: the target is there, and belamy did not make it.
        KeyboardInterrupt: Ctrl-C; what was made so far is saved.
    """
    there = recipe_there(target, overwrite)
    if there is not None and not every:  # frames of the work are had by the work alone
        going = unless_made(steps, there, planned)
        if going is None:
            typer.echo(f"{show_path(target)} is there already")
            return
        steps = going
    watched = _saving_frames(steps, target, every) if every else steps
    watched = _naming_notes(watched, target.name) if one_of_many else watched
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


def _naming_notes(steps: Iterable[Step], name: str) -> Iterator[Step]:
    """The steps, what each says beginning with the name of the picture that it is about."""
    for step in steps:
        yield replace(step, note=f"{name}: {step.note}") if step.note else step


def _steps(
    steps_of: Callable[[Source, Job], Iterable[Step]], sources: Inputs, job: Job
) -> Iterator[Step]:
    yield from steps_of(sources[job.source].read(), job)


def _plan(planned: Callable[[Source], Recipe], sources: Inputs, job: Job) -> Planned:
    return lambda: planned(sources[job.source].read())


def _about(job: Job, message: str) -> str:
    """The message, with the picture's name unless it says that already."""
    named = (str(job.source), str(job.target), job.source.name)
    return message if any(name in message for name in named) else f"{job.source}: {message}"


def _as_folder(output: str) -> str:
    if Path(output).suffix and not Path(output).is_dir():
        raise OptionError(
            f"a folder of pictures cannot become {output}, one file; name a folder: -o "
            f"{Path(output).with_suffix('')}/"
        )
    return output if output.endswith(("/", os.sep)) else output + "/"
