"""A recipe is a stranger's text: what it names is checked and found before anything is run."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from belamy import __version__
from belamy.checks import (
    PictureInput,
    alternatives,
    argument_types,
    check_arguments,
    option_types,
    show_value,
)
from belamy.engines import engine
from belamy.engines.grid import Axes, grid_steps
from belamy.errors import BelamyError, RecipeError
from belamy.precision import is_device
from belamy.renamed import current_options

if TYPE_CHECKING:
    from belamy.pixels.recipe import Input, Recipe
    from belamy.steps import Step

__all__ = ["NETWORKS", "Call", "blaming_recipe", "exchange_paths", "path_options", "prepare"]

NETWORKS = ("network", "model")  # options that name weights, whose SHA-256s the recipe has
_LATENTS = "latents"  # a role of files that are no pictures
_DIRECTION = re.compile(r"\s*direction:[^:]*:\s*[^\[\s]")  # with a file; recipes have its numbers
_SEEDS = range(-(1 << 63), 1 << 64)


@dataclass(frozen=True)
class Call:
    """What a recipe asks for, its names and types known to be right.

    Args:
        recipe: as it was read.
        function: the engine's.
        options: by today's names, the seed among them; those that are paths as they were written.
        roles: role → whether several files may have it.
    """

    recipe: Recipe
    function: Callable[..., Iterator[Step]]
    options: dict[str, Any]
    roles: Mapping[str, bool]

    def start(self, inputs: Iterable[str], paths: Mapping[str, str]) -> Iterator[Step]:
        """The engine's steps, with the files that were found.

        Args:
            inputs: where the recipe's inputs are, in order.
            paths: where what its options name is, by what they say.

        Raises:
            BelamyError: options of a wrong type or range, or that exclude each other.
        """
        options = exchange_paths(self.recipe, self.options, paths)
        placed = zip(self.recipe.inputs, inputs, strict=True)
        files = _by_role(replace(one, path=path) for one, path in placed)
        return _begin(self.function, {**options, **files}, self.recipe.grid)


def _begin(
    function: Callable[..., Iterator[Step]], given: dict[str, Any], axes: Axes = ()
) -> Iterator[Step]:
    """The call itself, in which options are checked; the work begins with the first step.

    Args:
        axes: of a sheet of several pictures.
    """
    try:
        inspect.signature(function).bind(**given)
        if not hasattr(function, "__options__") and _types_of(function):
            check_arguments(function, given)
        return grid_steps(function, axes, given) if axes else function(**given)
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise RecipeError(
            f"the recipe does not fit its engine: {show_value(str(error))}"
        ) from error


@contextmanager
def blaming_recipe() -> Iterator[None]:
    """What cannot be asked is a fault of the recipe's inside, not of what was typed.

    Raises:
        RecipeError: in the place of an error of what was asked.
    """
    try:
        yield
    except BelamyError as error:
        if not error.misuse:
            raise
        raise RecipeError(str(error)) from error


def prepare(found: Recipe, *, partial: bool = False) -> Call:
    """The call that a recipe asks for; nothing is run, and no file looked at.

    Args:
        partial: whether it may lack what the engine needs, as settings do that others have to fill.

    Raises:
        UnknownName: no such engine, or none of an option's choices.
        RecipeError: an option or a role that the engine does not know, or lacks.
        OptionError: an option of a wrong type, or out of its range.
    """
    function = engine(found.engine)
    options = current_options(found.engine, found.options, weights=found.weights)
    types = _types_of(function)
    roles = _roles_of(function, types)
    takes = inspect.signature(function).parameters
    _require_known([*options, *(one.role for one in found.inputs)], {*takes, *roles}, found)
    for name, value in options.items():
        _check_value(name, value, types.get(name, object), is_role=name in roles)
    for name, values in found.grid:
        _require_known([name], {*takes} - {*roles, "seed"} | {*options}, found)
        for value in values:
            _check_value(name, value, types.get(name, object), is_role=False)
    if "seed" in takes:
        _check_seed(found, options)
        options = {**options, "seed": found.seed}
    files = _by_role(found.inputs)
    for role, paths in files.items():
        if role not in roles:
            raise RecipeError(f"the recipe's role {show_value(role)} takes no file")
        if isinstance(paths, list) and not roles[role]:
            raise RecipeError(f"the recipe has {len(paths)} files for {role}, which takes one")
    given = {**options, **files}
    lacking = [n for n, one in takes.items() if one.default is one.empty and n not in given]
    if lacking and not partial:
        raise RecipeError(f"the recipe lacks {', '.join(lacking)}, which {found.engine} needs")
    # Options are checked without their files, which nobody has said may be looked at.
    stand_ins = _by_role(replace(one, path=os.curdir) for one in found.inputs)
    stand_ins |= dict.fromkeys(lacking, os.curdir)
    _begin(function, {**options, **stand_ins}, found.grid)
    if found.weights and types and not types.keys() & {*NETWORKS}:
        raise RecipeError(f"the recipe has weights, and {found.engine} has none")
    return Call(found, function, options, roles)


def _types_of(function: Callable[..., Any]) -> Mapping[str, Any]:
    form = getattr(function, "__options__", None)
    if form is not None:
        return option_types(form)
    try:
        return argument_types(function)
    except NameError:  # of types that only type checkers import
        return {}


def _roles_of(function: Callable[..., Any], types: Mapping[str, Any]) -> dict[str, bool]:
    """Role → whether several files may have it."""
    if hasattr(function, "__options__"):
        roles = {
            name: any(_is_sequence(part) for part in alternatives(annotation))
            for name, annotation in types.items()
            if any(PictureInput in (one, *get_args(one)) for one in alternatives(annotation))
        }
    else:
        signature = inspect.signature(function).parameters.values()
        roles = {one.name: False for one in signature if "Source" in str(one.annotation)}
    return {**roles, **({_LATENTS: True} if _LATENTS in types else {})}


def _is_sequence(part: Any) -> bool:
    origin = get_origin(part)
    return isinstance(origin, type) and issubclass(origin, Sequence)


def _require_known(given: Iterable[str], known: set[str], found: Recipe) -> None:
    unknown = sorted({name for name in given if name not in known})
    if unknown:
        raise RecipeError(
            f"the recipe asks for {show_value(', '.join(unknown))[1:-1]}, which {found.engine} "
            f"does not know here; it was made with belamy {show_value(found.belamy)[1:-1]}, this "
            f"is {__version__}"
        )


def _check_value(name: str, value: Any, annotation: Any, *, is_role: bool) -> None:
    """What no check of options looks at, since people call functions with more than JSON has."""
    parts = alternatives(annotation)
    items = value if isinstance(value, list) else [value]
    flat = all(isinstance(one, (str, int, float, type(None))) for one in items)
    if not flat:
        raise RecipeError(f"the recipe's {name} is {show_value(value)}; it must be plain values")
    if any(isinstance(one, str) and "\0" in one for one in items):
        raise RecipeError(f"the recipe's {name} is {show_value(value)}; it has a zero byte")
    if is_role and name != _LATENTS:
        choices = [one for part in parts if get_origin(part) is Literal for one in get_args(part)]
        if value is not None and value not in ((), []) and value not in choices:
            raise RecipeError(f"the recipe's {name} must be among its inputs, not its options")
    if name in (*NETWORKS, "data") and not isinstance(value, str):
        raise RecipeError(f"the recipe's {name} is {show_value(value)}; it must be a text")
    texts = name == _LATENTS or (object in parts and any(part is str for part in parts))
    if texts and not all(isinstance(one, (str, type(None))) for one in items):
        raise RecipeError(f"the recipe's {name} is {show_value(value)}; it must be texts")
    for text in items:
        if isinstance(text, str) and _DIRECTION.match(text):
            raise RecipeError(f"the recipe's {name} is {show_value(text)}; it must be its numbers")
    if name == "device" and isinstance(value, str) and not is_device(value):
        raise RecipeError(f"the recipe's device is {show_value(value)}; use cpu, cuda or mps")


def _check_seed(found: Recipe, options: Mapping[str, Any]) -> None:
    if options.get("seed", found.seed) != found.seed:
        raise RecipeError("the recipe has two seeds, that of its options and its own")
    if found.seed not in _SEEDS:
        raise RecipeError(f"the recipe's seed is {show_value(found.seed)}; it has 64 bits at most")


def _by_role(inputs: Iterable[Input]) -> dict[str, Any]:
    """Role → path; a role that several files have → the list of them."""
    paths: dict[str, list[str]] = {}
    for item in inputs:
        paths.setdefault(item.role, []).append(item.path)
    return {role: found[0] if len(found) == 1 else found for role, found in paths.items()}


def path_options(found: Recipe) -> set[str]:
    """The options of a recipe's engine that may be paths."""
    if found.engine.startswith("learn-"):
        return _LESSONS.get(found.engine, set())
    return {*NETWORKS, "data", "activations", _LATENTS}


_LESSONS = {
    "learn-classifier": {"data"},
    "learn-cnn": {"image"},
    "learn-complexity": {"networks"},
}


def exchange_paths(
    found: Recipe, options: Mapping[str, Any], paths: Mapping[str, str]
) -> dict[str, Any]:
    """The options with some of their paths replaced by others."""
    places = path_options(found)
    return {
        name: _exchange(value, paths) if name in places else value
        for name, value in options.items()
    }


def _exchange(value: Any, paths: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_exchange(one, paths) for one in value]
    return paths.get(value, value) if isinstance(value, str) else value
