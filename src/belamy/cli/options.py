"""An engine's signature, as options of a command.

The function that does the work is the one place of names, defaults, choices and texts; commands
(and the studio) read them from here, so that they cannot drift apart:

    @app.command()
    @takes(dream_steps, without=["image"])
    def dream(
        images: Annotated[list[Path], typer.Argument(help="…")],
        tile: Annotated[str, option(dream_steps, "tile")] = default(dream_steps, "tile"),
        **options: Any,
    ) -> None:
        for image in images:
            steps = dream_steps(image, tile=tile, **options)

Every argument of `dream_steps` becomes an option of the same name; what the command itself names
(`tile` here, because it wants another type) stays as the command wrote it.
"""

from __future__ import annotations

import functools
import inspect
import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from types import MappingProxyType, NoneType, SimpleNamespace, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

import typer

from belamy.checks import PictureInput, flag_of, option_types, range_of
from belamy.cli.shell.completion import completer

__all__ = [
    "REQUIRED",
    "Argument",
    "arguments_of",
    "default",
    "flag",
    "is_typed",
    "make_parameters",
    "option",
    "takes",
]

REQUIRED = inspect.Parameter.empty
"""The default of an argument that has none."""

# Engines take pictures in many forms, named for type checkers alone; a user can give a path.
_STANDS_FOR = {"Source": Path}
_WRITTEN_AS: dict[Any, Any] = {PictureInput: Path, os.PathLike: Path}
_SCALARS = (bool, int, float, Path, str)
_ENTRY = re.compile(r"(?P<indent> +)\**(?P<name>\w+)(?: \([^)]*\))?: *(?P<text>.*)")
_WORDS: dict[Any, str] = {int: "INTEGER", float: "FLOAT", str: "TEXT"}

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Argument:
    """One argument of a function, as a face shows it.

    Args:
        name: as in the signature.
        default: its default, or `REQUIRED`.
        help: its text in the "Args:" section, on one line.
        choices: the values it may take, if it is annotated as Literal; () for any.
        type: its annotation; the text of it when that names what only type checkers import.
    """

    name: str
    default: Any
    help: str
    choices: tuple[Any, ...]
    type: Any


@functools.cache
def arguments_of(function: Callable[..., Any]) -> Mapping[str, Argument]:
    """The arguments of a function (or of a dataclass), in order.

    Raises:
        AssertionError: one has no text in the "Args:" section, or a text has no argument.
    """
    parameters = inspect.signature(function).parameters
    texts = _argument_texts(inspect.getdoc(function) or "")
    name = getattr(function, "__name__", repr(function))
    assert parameters.keys() == texts.keys(), (
        f"{name}: signature and Args differ in {sorted(parameters.keys() ^ texts.keys())}"
    )
    return MappingProxyType(
        {
            parameter.name: _argument(function, parameter, texts[parameter.name])
            for parameter in parameters.values()
        }
    )


def option(function: Callable[..., Any], name: str, *flags: str, **settings: Any) -> Any:
    """A typer option with the help of argument `name` of `function`.

    Args:
        function: whose argument it is.
        name: of the argument.
        flags: what the user types; the name in kebab-case if none is given.
        settings: more for `typer.Option`.
    """
    argument = arguments_of(function)[name]
    settings.setdefault("autocompletion", completer(name, argument.choices))
    return typer.Option(*(flags or _flags(argument)), help=argument.help, **settings)


def make_parameters(function: Callable[..., None]) -> list[Any]:
    """A function's parameters, as typer makes them of a command's; other commands share them."""
    holder = typer.Typer(add_completion=False)
    holder.command()(function)
    made: Any = typer.main.get_command(holder)
    names = inspect.signature(function).parameters
    return [one for one in made.params if one.name in names]


def default(function: Callable[..., Any], name: str) -> Any:
    """The default of argument `name` of `function`."""
    return arguments_of(function)[name].default


def flag(name: str) -> str:
    """What a user types for the argument `name`: `keep_colors` is `--keep-colors`."""
    return flag_of(name)


def is_typed(context: typer.Context, name: str) -> bool:
    """Whether the user typed a value for a parameter, be it the default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def takes(
    function: Callable[..., Any],
    *,
    without: Collection[str] = (),
    flags: Mapping[str, Sequence[str]] | None = None,
) -> Callable[[Command], Command]:
    """Give a command every argument of `function` as an option; they arrive in its `**options`.

    Args:
        function: the engine's function, or a configuration's dataclass.
        without: arguments that the command fills in itself.
        flags: argument → what the user types for it, where the kebab-case name will not do.

    Raises:
        AssertionError: an argument's type has no form on the command line (the command then has to
            name it itself), or `without` or `flags` name none.
    """
    known = arguments_of(function)
    written = dict(flags or {})
    assert known.keys() >= {*without, *written}, f"no such argument in {[*without, *written]}"

    def decorate(command: Command) -> Command:
        own = inspect.signature(command, eval_str=True)
        named = [one for one in own.parameters.values() if one.kind is not one.VAR_KEYWORD]
        hidden = {*without, *(one.name for one in named)}
        added = [
            _parameter(argument, written.get(argument.name) or _flags(argument))
            for argument in known.values()
            if argument.name not in hidden
        ]
        keywords = [one.replace(kind=one.KEYWORD_ONLY) for one in (*named, *added)]
        command.__signature__ = own.replace(parameters=keywords)  # type: ignore[attr-defined]
        command.__takes__ = function  # type: ignore[attr-defined]  # for tests to compare with
        return command

    return decorate


def _argument_texts(documentation: str) -> dict[str, str]:
    """Name → text of the section "Args:" of a Google-style docstring."""
    found: dict[str, list[str]] = {}
    margin, latest = None, None
    for line in _section(documentation, "Args:"):
        entry = _ENTRY.fullmatch(line)
        if entry and (margin is None or entry["indent"] == margin):
            margin, latest = entry["indent"], found.setdefault(entry["name"], [entry["text"]])
        elif latest is not None:
            latest.append(line.strip())
    return {name: " ".join(part for part in parts if part) for name, parts in found.items()}


def _section(documentation: str, title: str) -> Iterator[str]:
    """The indented lines under `title`."""
    inside = False
    for line in documentation.splitlines():
        if line and not line.startswith(" "):
            inside = line.rstrip() == title
        elif inside:
            yield line.rstrip()


def _argument(function: Callable[..., Any], parameter: inspect.Parameter, text: str) -> Argument:
    kind = _annotation(function, parameter)
    choices = [get_args(part) for part in _parts(kind) if get_origin(part) is Literal]
    allowed = range_of(kind)
    text = text if allowed is None else f"{text.rstrip('.')} ({allowed})."
    return Argument(parameter.name, parameter.default, text, sum(choices, ()), kind)


def _annotation(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """The annotation as a type; its text if that needs what only type checkers import."""
    form: Any = getattr(function, "__options__", function)
    if is_dataclass(form):
        types: dict[str, Any] = dict(option_types(cast(Any, form)))
        return types[parameter.name]
    holder = SimpleNamespace(__annotations__={"it": parameter.annotation})
    names = {**_STANDS_FOR, **vars(sys.modules[function.__module__])}
    try:
        return get_type_hints(cast(Any, holder), names, include_extras=True)["it"]
    except NameError:
        return parameter.annotation


def _parts(kind: Any) -> tuple[Any, ...]:
    """The alternatives of a union that a user can type, but for None; ranges taken off."""
    if get_origin(kind) is Annotated:
        return _parts(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        parts = [part for one in get_args(kind) for part in _parts(one)]
    else:
        kind_origin = get_origin(kind) if get_origin(kind) is os.PathLike else kind
        parts = [] if kind in (NoneType, object) else [_WRITTEN_AS.get(kind_origin, kind)]
    if str in parts and any(get_origin(part) is os.PathLike for part in _flat(kind)):
        parts.remove(Path)  # a text may be a path; what it means is the engine's to say
    return tuple(dict.fromkeys(parts))


def _flat(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _flags(argument: Argument) -> tuple[str, ...]:
    """A switch that is off needs no `--no-…`."""
    name = flag(argument.name)
    return (f"{name}/--no-{name[2:]}",) if argument.default is True else (name,)


def _parameter(argument: Argument, flags: Sequence[str]) -> inspect.Parameter:
    kind, settings = _command_type(argument)
    settings |= {"autocompletion": completer(argument.name, argument.choices)}
    value = argument.default
    if value is None:
        kind = kind | None
    elif get_origin(kind) is list:
        value = [value] if isinstance(value, str) else list(value)
    annotation = Annotated[kind, typer.Option(*flags, help=argument.help, **settings)]  # type: ignore[valid-type]
    return inspect.Parameter(
        argument.name, inspect.Parameter.KEYWORD_ONLY, default=value, annotation=annotation
    )


def _command_type(argument: Argument) -> tuple[Any, dict[str, Any]]:
    """The type that typer is told, and more settings of the option."""
    parts = _parts(argument.type)
    if item := next((item for item in map(_item, parts) if item is not None), None):
        # `str | Sequence[str]`: an option that may be given several times
        assert all(item in (part, _item(part)) for part in parts), _no_form(argument)
        return list[item], {}  # type: ignore[valid-type]
    plain = all(part in _SCALARS or get_origin(part) is Literal for part in parts)
    assert plain and (bool not in parts or parts == (bool,)), _no_form(argument)  # noqa: PT018
    if len(parts) == 1 and get_origin(parts[0]) is not Literal:
        return parts[0], {}
    # Choices are read here too: typer would take them for old flags, and name `average` `ema`.
    words = "|".join(word for part in parts for word in _words(part))
    return str, {"parser": _parser(parts, words), "metavar": words}


def _item(part: Any) -> Any:
    """The type of a sequence's items: `str` for `Sequence[str]`, `list[str]`, `tuple[str, ...]`."""
    arguments = get_args(part)
    plain = len(arguments) == 1 or (len(arguments) == 2 and arguments[1] is Ellipsis)
    origin = get_origin(part)
    sequence = isinstance(origin, type) and issubclass(origin, Sequence)
    inner = _parts(arguments[0]) if plain and sequence else ()
    return inner[0] if inner and inner[0] in _SCALARS else None


def _no_form(argument: Argument) -> str:
    return f"{argument.name}: {argument.type!r} has no form on the command line; name it there"


def _words(part: Any) -> tuple[str, ...]:
    if get_origin(part) is Literal:
        return tuple(str(choice) for choice in get_args(part))
    return (_WORDS.get(part, part.__name__.upper()),)


def _parser(parts: tuple[Any, ...], words: str) -> Callable[[str], Any]:
    """A reader of texts that may mean several types, such as `auto` or a number."""
    choices = {str(one): one for part in parts for one in get_args(part)}
    types = [part for part in _SCALARS if part in parts]

    def parse(text: str) -> Any:
        if text in choices:
            return choices[text]
        for kind in types:
            try:
                return kind(text)
            except ValueError:
                continue
        raise typer.BadParameter(f"{text!r} is not {words.replace('|', ' or ')}")

    return parse
