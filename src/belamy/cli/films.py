"""Films out of an engine's steps: each step is a frame."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from belamy.cli.outputs import require_folder
from belamy.cli.progress import track_steps
from belamy.errors import OptionError

if TYPE_CHECKING:
    from belamy.steps import Step

__all__ = ["require_film", "save_film"]

FPS = 25.0
"""Frames a second of films that were not asked for a speed."""


def require_film(path: str | Path, fps: float = FPS) -> Path:
    """Check that a film can be saved at `path`.

    Raises:
        ImageError: the suffix is none of a film.
        MissingExtra: it needs a package that is not installed.
        OptionError: it is a folder, or its folder cannot be made or written; or the format cannot
            have that many frames a second.
    """
    from belamy.pixels.video import check_video

    target = Path(path)
    if target.is_dir():
        raise OptionError(f"{target} is a folder; name a film in it, such as {target / 'new.gif'}")
    check_video(target, fps)
    require_folder(target.parent)
    return target


def save_film(steps: Iterable[Step], path: Path, description: str, fps: float = FPS) -> None:
    """Drain `steps` into a film with the recipe of its last frame, and a bar meanwhile.

    Ctrl-C leaves no film: the half of one would not be what its recipe says.
    """
    from belamy.pixels.video import save_video

    watched = track_steps(steps, description)
    first = next(watched)
    recipe = None if first.recipe is None else replace(first.recipe, step=first.total)
    frames = (step.image for step in itertools.chain([first], watched))
    save_video(frames, path, fps=fps, recipe=recipe)
