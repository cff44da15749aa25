"""What the machine that began a film decided, so that another one goes on alike."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from belamy.checks import show_value
from belamy.errors import RecipeError
from belamy.pixels.recipe import Recipe
from belamy.precision import AUTO, MACHINE

__all__ = ["RECIPE", "begun_in", "describe_difference", "like_begun"]

RECIPE = "recipe.json"
"""Where a folder of a film's parts says how they are made."""

# What stands there as auto is decided by the machine: what it has, is fast in, or has free.
_DECIDED = (*MACHINE, "model")

Options = TypeVar("Options")


def begun_in(folder: Path) -> Recipe | None:
    """The recipe of the frames in a folder of parts; None where there is none that can be read."""
    with suppress(OSError, ValueError, RecipeError):
        return Recipe.from_json((folder / RECIPE).read_text("utf-8"))
    return None


def like_begun(options: Options, begun: Recipe | None) -> Options:
    """The options of a film with what was decided when it was begun, where they leave it open.

    Args:
        options: a dataclass.
        begun: the recipe of the frames that are there; None: the film begins now.
    """
    if begun is None:
        return options
    names = {field.name for field in fields(options)}  # type: ignore[arg-type]
    decided: dict[str, Any] = {
        name: begun.options[name]
        for name in names.intersection(_DECIDED, begun.options)
        if getattr(options, name) == AUTO
    }
    return replace(options, **decided)  # type: ignore[type-var]


def describe_difference(begun: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What differs between two recipes as JSON has them: "threads 2, not 4", the earlier one first.

    Options stand by their own names.
    """
    before, after = ({**one, **one.get("options", {}), "options": None} for one in (begun, now))
    rows = (
        f"{name} {show_value(before.get(name))}, not {show_value(after.get(name))}"
        for name in sorted({**before, **after})
        if before.get(name) != after.get(name)
    )
    return "; ".join(rows)
