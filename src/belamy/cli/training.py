"""What every `train` command does with its run folder."""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from belamy.checks import read_processes
from belamy.cli.options import is_typed
from belamy.cli.progress import show_training
from belamy.errors import OptionError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from belamy.training.trainer import TrainingProgress

__all__ = ["Resumed", "RunFolder", "follow", "new_run", "resume_config"]

_RUNS = Path("runs")

Config = TypeVar("Config", bound="DataclassInstance")

RunFolder = Annotated[
    Path | None,
    typer.Option(
        help="The run folder, a new one in runs/ if none is given; a stopped one goes on."
    ),
]
Resumed = Annotated[
    Path | None,
    typer.Option(
        help="Go on with the run in this folder, as it was asked for; with --steps, for more."
    ),
]


def follow(progress: Iterable[TrainingProgress], folder: Path, command: str) -> None:
    """Show a training to its end, and where its network is.

    Args:
        progress: of the training in `folder`.
        command: that would go on with it, but for `--resume FOLDER`.

    Raises:
        KeyboardInterrupt: Ctrl-C; the run is saved, and the message says how to go on.
    """
    if read_processes()[0] > 0:  # under torchrun the first process speaks for all
        deque(progress, maxlen=0)
        return
    try:
        last, stopped = show_training(progress, f"training in {folder}")
    finally:
        _remove_if_empty(folder)
    if stopped:
        raise KeyboardInterrupt(f"the run is saved; go on with: {command} --resume {folder}")
    typer.echo(_conclude(last, folder, command))
    typer.echo(folder / "network.safetensors")


# Command → what its network is used by, with the run folder in the place of {}.
_USES = {
    "belamy classify train": "belamy classify photo.jpg --model {}",
    "belamy defog adapt": "belamy defog hazy.jpg --network {} -o clear.png",
    "belamy defog train": "belamy defog hazy.jpg --network {} -o clear.png",
    "belamy gan train": "belamy gan paint {} -o painted.png",
    "belamy style train": "belamy style apply {} photo.jpg -o painted.png",
    "belamy style train-any": "belamy style photo.jpg painting.jpg --fast --network {} -o new.png",
    "belamy translate train": "belamy translate apply {} photo.jpg -o translated.png",
}


def _conclude(last: TrainingProgress, folder: Path, command: str) -> str:
    """How long it took, what was measured, and how the network is used, in a sentence."""
    steps = "1 step" if last.step == 1 else f"{last.step} steps"
    measured = [f"{name.replace('_', ' ')} {value:.4g}" for name, value in last.measures.items()]
    results = f": {', '.join(measured)}" if measured else ""
    use = _USES[command].format(shlex.quote(str(folder)))
    return f"Trained for {steps} in {_duration(last.seconds)}{results}. To use it: {use}"


def _duration(seconds: float) -> str:
    minutes, hours = round(seconds / 60), round(seconds / 3600, 1)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{minutes} min" if minutes < 120 else f"{hours:g} h"


def _remove_if_empty(folder: Path) -> None:
    """Give the number back of a run that failed before it began."""
    if folder.parent == _RUNS:
        with suppress(OSError):  # there is something in it
            folder.rmdir()
            _RUNS.rmdir()


def new_run(name: str) -> Path:
    """The next numbered folder in runs/, made new.

    Raises:
        OptionError: several processes would each choose one.
        RunError: it cannot be made.
    """
    if read_processes()[1] > 1:
        raise OptionError("several processes train together; name the folder with --run")
    from belamy.training.run_folder import next_folder

    return next_folder(_RUNS, name)


def resume_config(
    context: typer.Context, folder: Path, run_type: str, form: type[Config]
) -> Config:
    """What the run in `folder` was asked for.

    It goes on as it was asked for, so that nothing else may be typed beside `--resume`; but for
    the device, and more steps than it was asked for, if it has steps.

    Args:
        context: of the command.
        folder: the run's.
        run_type: of such runs.
        form: their configuration, a dataclass.

    Raises:
        OptionError: something else is typed.
        RunError: there is no run, or it is of another type or version, or has as many steps.
    """
    from belamy.training.run_folder import Run

    prolonged = hasattr(form, "steps") and is_typed(context, "steps")
    allowed = {"resume", "device", "dry_run", *(["steps"] if prolonged else [])}
    for parameter in context.command.params:
        name = str(parameter.name)
        if is_typed(context, name) and name not in allowed:
            raise OptionError(
                f"--resume goes on as the run was asked for; leave out {_words(parameter)}"
            )
    run = Run(folder)
    if prolonged:
        return run.prolong(run_type, form, context.params["steps"])
    return run.load_config(run_type, form)


def _words(parameter: Any) -> str:
    """What a user calls a parameter: --from, DATA."""
    longest: str = max(parameter.opts, key=len)
    if longest.startswith("-"):
        return longest
    return str(parameter.metavar or longest).strip("[].").upper()
