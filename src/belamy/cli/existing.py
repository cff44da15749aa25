"""What is at an output's place already: the same picture, another one, or somebody's own file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from belamy.cli.outputs import require_folder
from belamy.errors import ImageError, OptionError, RecipeError

if TYPE_CHECKING:
    from belamy.pixels.recipe import Recipe
    from belamy.steps import Step

__all__ = [
    "Overwrite",
    "Planned",
    "is_made_by",
    "recipe_there",
    "require_free",
    "require_ours",
    "unless_made",
]

Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Make what is there already again, and replace files that belamy did not make.",
    ),
]

Planned: TypeAlias = "Callable[[], Recipe]"
"""The recipe of the picture that a work would make, found without the work."""

# How it is computed, not what: the machine decides.
_FREE = ("device", "tile")
_BEGINNING = 4096  # bytes


def recipe_there(target: Path, overwrite: bool) -> Recipe | None:
    """The recipe of what is at `target`; None where nothing is, or it is to be replaced anyhow.

    Raises:
        OptionError: it carries no recipe, so that it is somebody's own.
    """
    if overwrite or not target.exists():
        return None
    from belamy.files import printable
    from belamy.pixels.recipe import read_recipe

    try:
        return read_recipe(target)
    except (RecipeError, ImageError) as error:
        raise OptionError(
            f"{printable(target)} is there and carries no recipe of belamy's, so it is left as it "
            "is; name another output, or replace it with --overwrite"
        ) from error


def require_free(target: Path, overwrite: bool) -> None:
    """Check that a file of a kind that does not say who made it replaces none.

    Args:
        overwrite: whether it may replace one anyhow.

    Raises:
        OptionError: it would; or there is a folder, or no folder to hold it.
    """
    from belamy.files import printable

    require_folder(target.parent)
    if target.is_dir():
        raise OptionError(f"{printable(target)} is a folder; name a file in it")
    if target.exists() and not overwrite:
        raise OptionError(
            f"{printable(target)} is there, and is left as it is; name another file, or replace it "
            "with --overwrite"
        )


def require_ours(target: Path, mark: bytes, overwrite: bool) -> None:
    """Check that a file beside the picture replaces none that belamy did not make.

    Args:
        mark: what the beginning of such files of belamy's holds.
        overwrite: whether it may be replaced anyhow.

    Raises:
        OptionError: it would.
    """
    if overwrite or not target.exists():
        return
    from belamy.files import printable

    if target.is_dir():
        raise OptionError(f"{printable(target)} is a folder; name a file in it")
    beginning = b""
    if target.is_file():
        with target.open("rb") as file:
            beginning = file.read(_BEGINNING)
    if mark not in beginning:
        raise OptionError(
            f"{printable(target)} is there and is not of belamy's making, so it is left as it is; "
            "name another file, or replace it with --overwrite"
        )


def is_made_by(found: Recipe, planned: Recipe, steps: int | None) -> bool:
    """Whether a picture with the recipe `found` is what a work would make.

    Args:
        planned: the work's, at any of its steps.
        steps: how many the work has.
    """
    return found.step == steps and _substance(found) == _substance(planned)


def _substance(recipe: Recipe) -> tuple[Any, ...]:
    """What decides on a picture; where its inputs and weights lay, and on what, does not."""
    options = {name: value for name, value in recipe.options.items() if name not in _FREE}
    inputs = [(one.role, one.sha256) for one in recipe.inputs]
    return recipe.engine, options, inputs, sorted(recipe.weights.values()), recipe.seed


def unless_made(
    steps: Iterable[Step], found: Recipe, planned: Planned | None = None
) -> Iterator[Step] | None:
    """The steps of a work, or None where the picture with the recipe `found` is what it would make.

    Args:
        planned: what the work's recipe will be; None takes it from the first step.
    """
    if planned is not None:
        recipe = planned()
        if is_made_by(found, recipe, recipe.step):
            return None
        return iter(steps)
    going = iter(steps)
    first = next(going)
    if first.recipe is not None and is_made_by(found, first.recipe, first.total):
        _close(going)
        return None
    return _from(first, going)


def _from(first: Step, others: Iterator[Step]) -> Iterator[Step]:
    try:
        yield first
        yield from others
    finally:
        _close(others)


def _close(steps: Iterator[Step]) -> None:
    close = getattr(steps, "close", None)
    if close is not None:
        close()
