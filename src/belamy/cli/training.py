"""What every `train` command does with its run folder."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from belamy.cli.options import default, flag
from belamy.cli.progress import show_ticks
from belamy.errors import OptionError

if TYPE_CHECKING:
    from belamy.training.trainer import Tick

__all__ = ["Resumed", "RunFolder", "follow", "new_run", "require_nothing_else", "saved"]

Config = TypeVar("Config")

RunFolder = Annotated[
    Path | None,
    typer.Option(
        help="The run folder, a new one in runs/ if none is given; a stopped one goes on."
    ),
]
Resumed = Annotated[
    Path | None, typer.Option(help="Go on with the run in this folder, as it was asked for.")
]


def follow(ticks: Iterable[Tick], folder: Path, command: str) -> None:
    """Show a training to its end, and where its network is.

    Args:
        ticks: of the training in `folder`.
        command: that would go on with it, but for `--resume FOLDER`.

    Raises:
        KeyboardInterrupt: Ctrl-C; the run is saved, and the message says how to go on.
    """
    if int(os.environ.get("RANK", "0")) > 0:  # under torchrun the first process speaks for all
        deque(ticks, maxlen=0)
        return
    tick, stopped = show_ticks(ticks, f"training in {folder}")
    if stopped:
        raise KeyboardInterrupt(f"the run is saved; go on with: {command} --resume {folder}")
    for name, value in {**tick.losses, **tick.measures}.items():
        typer.echo(f"{name.replace('_', ' ')}: {value:.4g}")
    typer.echo(folder / "network.safetensors")


def new_run(name: str) -> Path:
    """The next numbered folder in runs/.

    Raises:
        OptionError: several processes would each choose one.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise OptionError("several processes train together; name the folder with --run")
    from belamy.training.runs import next_folder

    return next_folder(Path("runs"), name)


def saved(folder: Path, kind: str, form: type[Config]) -> Config:
    """What the run in `folder` was asked for.

    Raises:
        RunError: there is none here, or it is of another kind or version.
    """
    from belamy.training.runs import Run

    return Run(folder).configuration(kind, form)


def require_nothing_else(
    config: type, options: Mapping[str, Any], alone: Iterable[str], typed: Mapping[str, str]
) -> None:
    """A run goes on as it was asked for: nothing else may be asked with `--resume`.

    Args:
        config: the dataclass whose defaults the options have.
        options: what the command was given.
        alone: those of them that the command names itself, with None for a default.
        typed: what the user types for them, where it is not the kebab-case name.

    Raises:
        OptionError: one of them is not its default.
    """
    for name, value in options.items():
        usual = None if name in alone else default(config, name)
        if (tuple(value) if isinstance(value, list) else value) != usual:
            words = typed.get(name, flag(name))
            raise OptionError(f"--resume goes on as the run was asked for; leave out {words}")
