"""Names of outputs out of what was set: `-o "{stem}-{layer}-{seed}.png"`."""

from __future__ import annotations

import os
import re
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from belamy.checks import show_value
from belamy.cli.options import REQUIRED, arguments_of
from belamy.copying.ways import Way
from belamy.engines import engine
from belamy.errors import OptionError, UnknownName

__all__ = ["FILMS", "fill", "fill_output", "is_pattern", "number_picture", "settings_of"]

FILMS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".apng")
"""Suffixes of what is a film, not a picture that may move."""

_FIELD = re.compile(r"\{[A-Za-z_]")
_SPEC = re.compile(r"0?\d{0,2}(\.\d)?[dfg]?")
_UNFIT = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|{}]+')
_LONGEST = 60  # characters of a value
_LATER = ("stem", "n")  # which each of several pictures has of its own
_OPEN = "auto"  # what is said of an option that is left open


def is_pattern(output: str | os.PathLike[str]) -> bool:
    """Whether something is to be filled in."""
    return _FIELD.search(os.fspath(output).replace("{{", "")) is not None


def fill(pattern: str, values: Mapping[str, Any], later: Sequence[str] = ()) -> str:
    """The pattern with its values; {{ is a brace.

    Args:
        values: name → value; a value never leads into another folder.
        later: names that stay, to be filled in by another call.

    Raises:
        UnknownName: a name that is none of them.
        OptionError: braces that do not close, or a format that no number has.
    """
    try:
        parts = list(string.Formatter().parse(pattern))
    except ValueError as error:
        raise OptionError(f"output {show_value(pattern)} has braces that do not close") from error
    stays = any(name in later for _, name, _, _ in parts)
    found = []
    for text, name, spec, _ in parts:
        found.append(text.replace("{", "{{").replace("}", "}}") if stays else text)
        if name is None:
            continue
        if name in later:
            found.append(f"{{{name}:{spec}}}" if spec else f"{{{name}}}")
        elif name not in values:
            raise UnknownName("name in the output", name[:80], [*values, *later])
        else:
            found.append(_say(values[name], spec or "", name))
    return "".join(found)


def _say(value: Any, spec: str, name: str) -> str:
    if spec:
        if not _SPEC.fullmatch(spec) or isinstance(value, bool):
            raise OptionError(
                f"output: {{{name}:{show_value(spec)[1:-1]}}} is no format of numbers"
            )
        try:
            return format(value, spec)
        except (ValueError, TypeError) as error:
            raise OptionError(f"output: {name} is {show_value(value)}, no number") from error
    if isinstance(value, (list, tuple)):
        value = "+".join(map(str, value))
    text = _UNFIT.sub("-", _OPEN if value in (None, "") else str(value)).strip(". ")
    return text[:_LONGEST] or _OPEN


def fill_output(context: Any, way: Way) -> dict[str, Any]:
    """The command's parameters, with the output's name filled in as far as it is known.

    What each of several pictures has of its own, `{stem}` and `{n}`, `number_picture` fills in.
    """
    params: dict[str, Any] = dict(context.params)
    output = params.get("output")
    if not output or not is_pattern(output):
        return params
    sources = _sources(context, way)
    several = len(sources) > 1 or any(map(_holds_many, sources))
    own: dict[str, Any] = (
        {} if several else {"stem": Path(sources[0]).stem if sources else way.recipe}
    )
    if way.recipe != "gan-paint" and not several:  # which numbers the pictures that it paints
        own["n"] = 1
    later = [name for name in _LATER if name not in own]
    params["output"] = fill(os.fspath(output), {**settings_of(params, way), **own}, later)
    return params


def number_picture(pattern: str, stem: str, number: int) -> str:
    """The name of one picture, whose source is called `stem`."""
    return fill(pattern, {"stem": stem, "n": number})


def settings_of(params: Mapping[str, Any], way: Way) -> dict[str, Any]:
    """The options of the engine, by their names, as they are set; `engine` is its own name."""
    names = arguments_of(engine(way.recipe))
    values = {
        name: params.get(name, None if one.default is REQUIRED else one.default)
        for name, one in names.items()
    }
    plain = {name.rstrip("_"): value for name, value in values.items()}
    return {**plain, "engine": way.recipe}


def _sources(context: Any, way: Way) -> list[str]:
    """What is worked on, as it is typed."""
    main = next((field for field in way.positional if field in ("image", "content")), None)
    if main is None:
        return []
    arguments = [one for one in context.command.params if one.param_type_name == "argument"]
    name = str(arguments[way.positional.index(main)].name)
    value = context.params.get(name)
    if isinstance(value, (list, tuple)):
        return [os.fspath(one) for one in value]
    return [os.fspath(value)] if value else []


def _holds_many(source: str) -> bool:
    from belamy.cli.inputs import holds_many

    return holds_many(Path(source))
