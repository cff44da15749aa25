"""Work that is looked at while it goes on, in notebooks and in plain consoles."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Generator, Iterable

from belamy.pixels.display import notebook
from belamy.pixels.images import Picture
from belamy.steps import Step

__all__ = ["watch"]


def watch(steps: Iterable[Step], *, every: float = 0.25) -> Picture:
    """Run work to its end, shown while it goes on: in a notebook the picture, else a line.

        picture = belamy.watch(belamy.dream_steps("photo.jpg"))

    Jupyter's stop button, or Ctrl-C, ends the work; what was made by then comes back.

    Args:
        steps: of an engine.
        every: seconds between two pictures that are shown, at least.

    Returns:
        the `Picture` as it was last.

    Raises:
        KeyboardInterrupt: stopped before the first step.
    """
    latest: list[Step] = []
    shown = -math.inf
    try:
        for step in steps:
            latest = [step]
            if time.monotonic() - shown >= every:
                _show(step)
                shown = time.monotonic()
    except KeyboardInterrupt:
        if not latest:
            raise
    finally:
        if isinstance(steps, Generator):  # what it borrowed is given back now
            steps.close()
    (last,) = latest
    _show(last, end="\n")
    return last.picture


def _show(step: Step, end: str = "") -> None:
    """In place of what was shown before."""
    if notebook.is_running():
        step.show()
    elif sys.stderr.isatty():
        sys.stderr.write(f"\r{step.index} of {step.total}{end}")
        sys.stderr.flush()
