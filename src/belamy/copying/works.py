"""What is to be written down: which work, on which files, with which options beside the usual."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from belamy.copying.ways import Way, find_way
from belamy.engines import engine
from belamy.precision import MACHINE
from belamy.renamed import current_options

if TYPE_CHECKING:
    from belamy.pixels.recipe import Recipe

__all__ = ["Work", "as_json", "defaults_of", "left_to_machine", "work_of"]


@dataclass(frozen=True)
class Work:
    """What is to be written down.

    Args:
        way: how it is called.
        files: field → names, one or several.
        options: those that differ, by the names that functions have.
        defaults: of all options; what has none is not in it.
        output: where the result goes.
        number: of several pictures that the work makes, which one; None for the last.
        film: how a film is encoded: `quality`, `codec`.
        grid: of a sheet of several pictures, each option that differs among them, with its values.
    """

    way: Way
    files: Mapping[str, Sequence[str]]
    options: Mapping[str, Any]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    output: str = "new.png"
    number: int | None = None
    film: Mapping[str, Any] = field(default_factory=dict)
    grid: Sequence[tuple[str, Sequence[Any]]] = ()


def defaults_of(way: Way) -> dict[str, Any]:
    """The defaults of the options of a work that writes recipes, as JSON has them."""
    parameters = inspect.signature(engine(way.recipe)).parameters.values()
    return {one.name: as_json(one.default) for one in parameters if one.default is not one.empty}


def as_json(value: Any) -> Any:
    """A default as JSON has it."""
    return [as_json(one) for one in value] if isinstance(value, (list, tuple)) else value


def left_to_machine(auto: Sequence[str] | None) -> Sequence[str]:
    """The options of a recipe that a machine chose, so that another one chooses anew.

    Args:
        auto: what the recipe says of it; None of older ones, of which it is all that may be.
    """
    return MACHINE if auto is None else auto


def work_of(recipe: Recipe, output: str = "new.png") -> Work:
    """What a picture's recipe tells.

    Args:
        output: where the same picture is to go.

    Raises:
        UnknownName: there is no such engine here.
    """
    way = find_way(recipe.engine)
    defaults = defaults_of(way)
    options = current_options(recipe.engine, recipe.options, weights=recipe.weights)
    if "seed" in inspect.signature(engine(way.recipe)).parameters:
        options = {**options, "seed": recipe.seed}
    open_ = {*left_to_machine(recipe.auto), *recipe.derived}
    files: dict[str, list[str]] = {}
    for one in recipe.inputs:
        files.setdefault(one.role, []).append(one.path or f"{one.role}.png")
    changed = {
        name: value
        for name, value in options.items()
        if name not in open_
        and name not in files
        and name not in dict(recipe.grid)
        and (name not in defaults or not _same(value, defaults[name]))
    }
    number = recipe.step if changed.get("sheet") is False else None
    return Work(way, files, changed, defaults, output, number, recipe.film, recipe.grid)


def _same(value: Any, usual: Any) -> bool:
    """Whether an option is as usual; one text stands for a list of it, and true is not 1."""
    if isinstance(usual, str) and isinstance(value, list):
        value = value[0] if len(value) == 1 else value
    return bool(value == usual) and isinstance(value, bool) == isinstance(usual, bool)
