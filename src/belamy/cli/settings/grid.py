"""`--grid strength=0.3,0.6 layer=mixed4b,mixed4c`: a labelled sheet in the place of one picture."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from belamy.checks import show_value
from belamy.cli.inputs import holds_many
from belamy.cli.options import arguments_of, is_typed
from belamy.cli.outputs import require_output
from belamy.cli.pictures import make_picture, require_named
from belamy.cli.settings.patterns import FILMS
from belamy.copying.ways import Way
from belamy.engines import engine
from belamy.engines.grid import grid_steps
from belamy.errors import OptionError, UnknownName

__all__ = ["GRID", "make_grid", "read_grid", "split_words"]

GRID = "belamy.grid"
"""Where a command's context keeps what is asked for."""

_FLAG = "--grid"
_AXIS = re.compile(r"[A-Za-z][\w-]*=.*", re.DOTALL)
_BESIDE = ("output", "overwrite", "fast", "explain")  # what else may be typed

Axis = tuple[str, list[str]]


def split_words(args: list[str]) -> list[str]:
    """`--grid a=1,2 b=3,4` as `--grid a=1,2 --grid b=3,4`."""
    found: list[str] = []
    for number, word in enumerate(args):
        after = number >= 2 and found[-2] == _FLAG and _AXIS.fullmatch(found[-1]) is not None
        if after and _AXIS.fullmatch(word) and not Path(word).exists():
            found.append(_FLAG)
        found.append(word)
    return found


def read_grid(words: Sequence[str], ways: Sequence[Way]) -> list[Axis]:
    """Option → the texts of its values.

    Raises:
        OptionError: no values, or more than two options.
        UnknownName: no such option.
    """
    known = {name for way in ways for name in arguments_of(engine(way.recipe))}
    axes = []
    for word in words:
        name, mark, values = word.partition("=")
        if not mark or not values:
            raise OptionError(f"grid is {show_value(word)}; write OPTION=A,B as strength=0.3,0.6")
        field = name.strip("-").replace("-", "_")
        field = f"{field}_" if field not in known and f"{field}_" in known else field
        if field not in known:
            raise UnknownName("option of the grid", name[:80], sorted(known))
        separator = ";" if ";" in values else ","
        axes.append((field, [one.strip() for one in values.split(separator)]))
    return axes


def make_grid(context: Any, way: Way, axes: Sequence[Axis]) -> None:
    """Make the sheet, and say where it is.

    Raises:
        OptionError: several pictures, a film, or options of something else than a picture.
    """
    output = str(context.params.get("output") or "")
    require_named(output)
    function = engine(way.recipe)
    params = {str(one.name): one for one in context.command.params}
    arguments = [name for name, one in params.items() if one.param_type_name == "argument"]
    fields = {param: field for field, param in zip(way.positional, arguments, strict=True)}
    options: dict[str, Any] = {}
    for name in context.params:
        field = fields.get(name, name)
        if not is_typed(context, name) or name in _BESIDE:
            continue
        if field not in arguments_of(function):
            raise OptionError(
                f"--grid makes one sheet of pictures; leave out {params[name].opts[0]}"
            )
        options[field] = context.params[name]
    for field in ("image", "content"):
        if field in options:
            options[field] = _only(options[field])
    back = {field: name for name, field in fields.items()}
    read = [(name, _read_values(context, params[back.get(name, name)], ts)) for name, ts in axes]
    target = require_output(output)
    steps = grid_steps(function, read, options)
    overwrite = bool(context.params.get("overwrite"))
    make_picture(steps, target, "drawing", overwrite=overwrite)


def _only(value: Any) -> str:
    sources = [os.fspath(one) for one in value] if isinstance(value, (list, tuple)) else [value]
    if len(sources) != 1:
        raise OptionError(f"--grid is of one picture, not of {len(sources)}; name one")
    source = os.fspath(sources[0])
    if holds_many(Path(source)) or source.lower().endswith(FILMS):
        raise OptionError(f"--grid is of one picture; {source} holds many")
    return source


def _read_values(context: Any, param: Any, texts: Sequence[str]) -> list[Any]:
    """As the command line reads them; + joins what would be typed several times."""
    several = getattr(param, "multiple", False) or param.nargs == -1
    if getattr(param, "is_bool_flag", False):
        words = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
        for text in texts:
            if text.lower() not in words:
                raise OptionError(f"{param.name} is {show_value(text)}; it must be yes or no")
        return [words[text.lower()] for text in texts]
    given = [text.split("+") if several else text for text in texts]
    return [param.process_value(context, one) for one in given]
