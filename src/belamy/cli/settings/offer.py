"""`--like`, `--preset` and `--grid` on every command that makes pictures, and the file of defaults.

The command line is read twice: once to see what is typed, and what else there is to be filled in,
then by the command itself, for which what was filled in are its defaults.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from belamy.checks import show_value
from belamy.cli.options import make_parameters
from belamy.cli.settings.borrowed import Borrowed, borrow_from_picture
from belamy.cli.settings.defaults import apply_defaults
from belamy.cli.settings.films import carry_film
from belamy.cli.settings.grid import GRID, make_grid, read_grid, split_words
from belamy.cli.settings.patterns import fill_output
from belamy.cli.settings.presets import borrow_from_preset
from belamy.copying.ways import Way, choose_way, ways_of_command
from belamy.errors import OptionError

__all__ = ["offer_settings"]

_LIKE, _PRESET = "like", "preset"


def offer_settings(group: Any, path: tuple[str, ...] = ()) -> None:
    """Give the options to each command that makes pictures, in a group and the groups in it."""
    for name, command in group.commands.items():
        words = (*path, name)
        if hasattr(command, "commands"):
            offer_settings(command, words)
        elif not name.startswith("-"):
            _offer(command, ways_of_command(words))


def _offer(command: Any, ways: Sequence[Way]) -> None:
    usual = command.parse_args
    if ways:
        taken = {one.name for one in command.params}
        command.params.extend(one for one in _options() if one.name not in taken)
        command.invoke = functools.partial(_invoke, ways, command.invoke)
    command.parse_args = functools.partial(_parse, command, usual, ways)


def _invoke(ways: Sequence[Way], usual: Callable[[Any], Any], context: Any) -> Any:
    """Do the command's work, with the output's name filled in; or make a sheet in its place."""
    way = choose_way(ways, context.params)
    context.params = fill_output(context, way)
    if grid := context.meta.get(GRID):
        return make_grid(context, way, grid)
    return usual(context)


def _parse(
    command: Any, usual: Callable[..., list[str]], ways: Sequence[Way], context: Any, args: Any
) -> list[str]:
    """Read a command line, what is not typed filled in."""
    args = split_words(list(args)) if ways else list(args)
    if context.resilient_parsing or any(one in context.help_option_names for one in args):
        return usual(context, args)
    typed = {
        name: value
        for name, value in command.make_parser(context).parse_args(list(args))[0].items()
        if value is not None and value != ()
    }
    if ways:
        borrowed, args = _borrow(ways, typed, args, command)
        if borrowed is not None:
            args = _take_over(context, command, borrowed, typed, args)
        words = () if _option_of(command, "grid") else typed.get("grid") or ()
        context.meta[GRID] = read_grid(words, ways)
    apply_defaults(context, command, typed, ways)
    return usual(context, args)


def _borrow(
    ways: Sequence[Way], typed: Mapping[str, Any], args: list[str], command: Any
) -> tuple[Borrowed | None, list[str]]:
    """What --like or --preset name; and the command line without a preset that is not its own."""
    like, preset = typed.get(_LIKE), typed.get(_PRESET)
    own = _option_of(command, _PRESET)
    if own is not None and preset in str(own.metavar).split("|"):
        preset = None  # one of the engine's own, which the engine reads
    elif own is not None and preset is not None:
        args = _without(args, f"--{_PRESET}")
    if like and preset:
        raise OptionError("--like and --preset both bring settings; leave one of them out")
    if like:
        return borrow_from_picture(Path(like), ways), args
    return (borrow_from_preset(preset, ways) if preset else None), args


def _option_of(command: Any, name: str) -> Any:
    """The command's option of this name, where that is the engine's; None where it is ours."""
    found = (one for one in command.params if one.name == name and one.expose_value)
    return next(found, None)


def _without(args: list[str], flag: str) -> list[str]:
    """The words without an option and its value."""
    kept: list[str] = []
    words = iter(args)
    for word in words:
        if word == flag:
            next(words, None)
        elif not word.startswith(f"{flag}="):
            kept.append(word)
    return kept


def _take_over(
    context: Any, command: Any, found: Borrowed, typed: dict[str, Any], args: list[str]
) -> list[str]:
    """Make the settings the command's defaults; the words, with what has to stand among them."""
    params = {str(one.name): one for one in command.params}
    positional = [one for one in command.params if one.param_type_name == "argument"]
    names = dict(zip(found.way.positional, (str(one.name) for one in positional), strict=True))
    _require_switch(found, typed)
    found = carry_film(found, params, [typed.get(one.name) for one in positional])
    found = found.beside(_fields_typed(typed, names))
    args = _insert_network(found, names, typed, args)
    filled: dict[str, Any] = {}
    for name, value in found.options.items():
        param = params.get(names.get(name, name))
        if param is not None and param.name not in typed:
            filled[str(param.name)] = _as_typed(param, value)
    for role, find in found.files.items():
        param = params.get(names.get(role, role))
        if param is None or param.name in typed:
            continue
        if param.param_type_name == "argument":
            args = [*args, *(f"./{one}" if one.startswith("-") else one for one in find())]
        else:
            filled[str(param.name)] = _first_or_all(param, find)
    if found.way.switch:
        filled[found.way.switch[2:]] = True
    context.default_map = {**(context.default_map or {}), **filled}
    return args


def _require_switch(found: Borrowed, typed: Mapping[str, Any]) -> None:
    """Raise where a flag is typed for another of the command's works than the settings are of."""
    for flag in ("fast", "explain"):
        if typed.get(flag) and found.way.switch != f"--{flag}":
            raise OptionError(
                f"{show_value(found.source)[1:-1]} was made without --{flag}, whose settings are "
                "others; leave it out"
            )


def _fields_typed(typed: Mapping[str, Any], names: Mapping[str, str]) -> set[str]:
    """The fields of the engine that are typed, by their own names."""
    back = {param: field for field, param in names.items()}
    return {back.get(name, name) for name in typed}


def _insert_network(
    found: Borrowed, names: Mapping[str, str], typed: dict[str, Any], args: list[str]
) -> list[str]:
    """`apply PHOTO --like made.png`: what stands in the network's place is a picture."""
    first = names.get("network")
    if found.way.positional[:2] != ("network", "image") or first not in typed:
        return args
    if _is_network(str(typed[first])):
        return args
    value = found.options.get("network")
    network = value() if callable(value) else value
    return args if network is None else [str(network), *args]


def _is_network(word: str) -> bool:
    from belamy.errors import BelamyError
    from belamy.networks.find import find_network

    if not Path(word).exists():
        return True  # of which the command says that there is none
    try:
        find_network(word)
    except BelamyError:
        return False
    return True


def _as_typed(param: Any, value: Any) -> Any:
    """A value as the command line would have it: texts, true and false, lists of texts."""
    if callable(value):
        return functools.cache(lambda: _as_typed(param, value()))
    if isinstance(value, bool):
        return value
    several = getattr(param, "multiple", False) or param.nargs == -1
    texts = [_text(one) for one in (value if isinstance(value, list) else [value])]
    return texts if several else ",".join(texts)


def _text(value: Any) -> str:
    return ":".join(map(str, value)) if isinstance(value, list) else str(value)


def _first_or_all(param: Any, find: Callable[[], list[str]]) -> Any:
    return functools.cache(lambda: find() if getattr(param, "multiple", False) else find()[0])


@functools.cache
def _options() -> list[Any]:
    """As typer makes them for a command of its own; all commands share them."""

    def command(
        like: Annotated[
            str | None,
            typer.Option(
                metavar="MADE",
                expose_value=False,
                help="Take the settings of a picture that belamy made; what is typed wins.",
            ),
        ] = None,
        preset: Annotated[
            str | None,
            typer.Option(
                metavar="NAME|FILE",
                expose_value=False,
                help="Take the settings that have a name: see `belamy preset list`.",
            ),
        ] = None,
        grid: Annotated[
            list[str] | None,
            typer.Option(
                metavar="OPTION=A,B…",
                expose_value=False,
                help="A labelled sheet of what one option, or two, make of a picture: "
                "strength=0.3,0.6 layer=mixed4b,mixed4c.",
            ),
        ] = None,
    ) -> None:
        """Hold the options."""

    return make_parameters(command)
