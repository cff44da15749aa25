"""Where pictures go: checked before any work starts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from belamy.checks import read_processes
from belamy.cli.settings.patterns import fill, is_pattern
from belamy.errors import OptionError

if TYPE_CHECKING:
    from belamy.steps import Step

__all__ = ["Job", "plan", "require_folder", "require_output", "save_step", "share", "show_path"]

# In folders every picture becomes a PNG: nothing is lost, and the recipe is always carried.
_SUFFIX = ".png"


@dataclass(frozen=True)
class Job:
    """One picture to be made: from which file, to which.

    Args:
        source: the file; ZIP/NAME out of a zip.
        target: where it is saved.
        relative: the target's path in the folder of results; None outside of one.
    """

    source: Path
    target: Path
    relative: Path | None = field(default=None, compare=False)

    @property
    def done(self) -> bool:
        """Whether the target is there (files are written whole or not at all)."""
        return self.target.exists()


def require_output(path: str | Path, *, recipe: bool = True) -> Path:
    """Check that a picture can be saved at `path`.

    Args:
        path: with a suffix that says the format.
        recipe: whether the picture must carry its recipe, which not every format can.

    Raises:
        ImageError: the suffix is unknown, or its format carries no recipe.
        OptionError: it is a folder, or its folder cannot be made or written.
    """
    from belamy.pixels.encode import format_for

    target = Path(path)
    if target.is_dir():
        raise OptionError(f"{target} is a folder; name a file in it, such as {target / 'new.png'}")
    format_for(target, recipe=recipe)
    require_folder(target.parent)
    return target


def require_folder(path: str | Path) -> Path:
    """Check that the folder `path` is there or can be made, and that it can be written.

    Raises:
        OptionError: it cannot.
    """
    folder = Path(path)
    # the nearest of its parents that exists decides
    nearest = next(
        part for part in (folder.absolute(), *folder.absolute().parents) if part.exists()
    )
    if not nearest.is_dir():
        raise OptionError(f"{folder} cannot be a folder: {nearest} is a file; choose another place")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise OptionError(f"{folder} cannot be written: no permission in {nearest}; choose another")
    return folder


def plan(
    sources: Sequence[Path], output: str | Path, relative: Mapping[Path, Path] | None = None
) -> list[Job]:
    """One job for each source: to the file `output`, or to PNGs in the folder `output`.

    `output` is a folder if there are several sources, if it is one already, or ends with a slash
    (so give it as text: a `Path` loses the slash).

    Args:
        sources: the pictures.
        output: a file or a folder; or a pattern of files, with `{stem}` and `{n}`.
        relative: source → its path in the folder, but for the suffix; else its name.

    Raises:
        ImageError: the suffix of a file is unknown.
        OptionError: several sources but `output` names one file, two sources would become the same
            file, one would overwrite itself, or the place cannot be written.
    """
    target = Path(output)
    if is_pattern(output):
        jobs = _name_jobs(sources, os.fspath(output), relative or {})
        _require_distinct(jobs)
        return jobs
    named_folder = target.is_dir() or str(output).endswith(("/", os.sep))
    if len(sources) == 1 and not named_folder:
        jobs = [Job(sources[0], require_output(target))]
    elif target.suffix and not named_folder:
        raise OptionError(
            f"{len(sources)} pictures cannot all become {target}; name a folder, "
            "or put {stem} or {n} into the name"
        )
    else:
        require_folder(target)
        places = [(relative or {}).get(source, Path(source.name)) for source in sources]
        results = [place.with_name(place.stem + _SUFFIX) for place in places]
        jobs = [
            Job(source, target / result, result)
            for source, result in zip(sources, results, strict=True)
        ]
    _require_distinct(jobs)
    return jobs


def _name_jobs(sources: Sequence[Path], pattern: str, relative: Mapping[Path, Path]) -> list[Job]:
    """By a pattern with `{stem}` and `{n}`, in the folders in which the sources are."""
    jobs = []
    for number, source in enumerate(sources, start=1):
        named = Path(fill(pattern, {"stem": source.stem, "n": number}))
        inside = relative.get(source, Path(source.name)).parent
        target = require_output(named.parent / inside / named.name)
        jobs.append(Job(source, target, inside / named.name))
    return jobs


def _require_distinct(jobs: Sequence[Job]) -> None:
    taken: dict[Path, Path] = {}
    for job in jobs:
        if os.path.realpath(job.target) == os.path.realpath(job.source):
            raise OptionError(f"{job.source} would overwrite itself; choose another place")
        if job.target in taken:
            raise OptionError(
                f"{taken[job.target]} and {job.source} would both become {job.target}; "
                "rename one, take two folders, or put {stem} or {n} into the name"
            )
        taken[job.target] = job.source


def share(jobs: Sequence[Job]) -> list[Job]:
    """This process's part of the jobs: all of them, or every n-th under torchrun on n processes."""
    rank, world = read_processes()
    return list(jobs[rank::world])


def save_step(step: Step, path: str | Path) -> None:
    """Save the picture of a step, usually an engine's last, with its transparency and recipe.

    Raises:
        ImageError: it cannot be saved there.
    """
    from belamy.pixels.images import save_image, save_pil

    if step.whole is not None:
        save_pil(step.whole, path, recipe=step.recipe)
        return
    save_image(step.image, path, alpha=step.alpha, recipe=step.recipe)


def show_path(path: Path) -> str:
    """The path as one printable line, whatever is in its name."""
    from belamy.files import printable

    return printable(path)
