"""Settings as they are typed for a command, without what it would work on."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from belamy import __version__
from belamy.checks import picture_fields, show_value
from belamy.copying.ways import Way, choose_way, ways_of_command
from belamy.copying.works import defaults_of
from belamy.engines import engine
from belamy.errors import OptionError
from belamy.renamed import ADDED

if TYPE_CHECKING:
    from belamy.pixels.recipe import Recipe

__all__ = ["defaults_of_added", "read_typed"]


def read_typed(root: Any, words: Sequence[str]) -> Recipe | None:
    """The settings that a command's words say; None where they begin with no such command.

    The engine has not checked them yet.

    Args:
        root: the group that all commands are in.

    Raises:
        OptionError: what is no setting, as a file is.
        BadParameter: what the command cannot read.
    """
    from belamy.pixels.recipe import Recipe

    command, path, rest = _find_command(root, words)
    ways = ways_of_command(path)
    if command is None or not ways:
        return None
    given = _values(command, path, rest)
    way = choose_way(ways, given)
    if way.switch:
        del given[way.switch[2:]]
    positional = [one.name for one in command.params if one.param_type_name == "argument"]
    names = dict(zip(positional, way.positional, strict=True))
    options = {names.get(name, name): _as_json(value) for name, value in given.items()}
    _require_settings(way, options)
    options = {**defaults_of_added(way), **options}
    return Recipe(way.recipe, options, (), {}, options.get("seed", 0), __version__, "", auto=())


def defaults_of_added(way: Way) -> dict[str, Any]:
    """What older recipes lack, as it is usual today: what settings leave open is no older way."""
    usual = defaults_of(way)
    return {name: usual[name] for name in ADDED.get(way.recipe, {}) if name in usual}


def _find_command(root: Any, words: Sequence[str]) -> tuple[Any, tuple[str, ...], list[str]]:
    """The command that the words begin with, its name, and the words after it."""
    path: list[str] = []
    found, rest = root, list(words)
    while inner := getattr(found, "commands", None):
        if rest and rest[0] in inner:
            name = rest.pop(0)
        elif path and found.__class__.__name__ == "DefaultGroup":
            name = next(iter(inner))  # as when it is called
        else:
            return None, (), []
        found, path = inner[name], [*path, name]
    return found, tuple(path), rest


def _values(command: Any, path: Sequence[str], words: list[str]) -> dict[str, Any]:
    """What is typed, by the command's own names, read as it reads them."""
    context = command.context_class(command, info_name=" ".join(("belamy", *path)))
    typed, left, _ = command.make_parser(context).parse_args(list(words))
    if left:
        raise typer.BadParameter(f"unexpected words: {show_value(' '.join(left))}")
    params = {one.name: one for one in command.params}
    return {
        name: params[name].process_value(context, value)
        for name, value in typed.items()
        if value is not None and value != ()
    }


def _as_json(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_as_json(one) for one in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _require_settings(way: Way, options: Mapping[str, Any]) -> None:
    """Raise where a word is none of the engine's settings: a picture, or where it goes."""
    form = getattr(engine(way.recipe), "__options__", None)
    pictures = () if form is None else picture_fields(form)
    takes = inspect.signature(engine(way.recipe)).parameters
    known = [name for name in takes if name not in pictures]
    for name, value in options.items():
        if name not in known:
            raise OptionError(
                f"{name} {show_value(value)} is no setting of {way.command}; a preset has options "
                "of the engine, and no files"
            )
