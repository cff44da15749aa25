"""What an option may be: its type, its choices, its range; and one dialect for what it may not.

The annotation of a field says it all, and stands once:

    octaves: Annotated[int | None, Between(1, 32)] = None
    smooth: Literal["laplacian", "gaussian", "none"] | None = None

`check_options(self)` in the `__post_init__` of a dataclass of options holds every field to its
annotation. The command line, the studio and the recipe's reader look at the same annotations.
"""

from __future__ import annotations

import functools
import inspect
import math
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from belamy.errors import OptionError, UnknownName
from belamy.spelling import nearest_names

__all__ = [
    "Between",
    "PictureInput",
    "alternatives",
    "argument_types",
    "check_arguments",
    "check_keywords",
    "check_number",
    "check_options",
    "explain_refusal",
    "flag_of",
    "option_types",
    "picture_fields",
    "range_of",
    "read_processes",
    "require",
    "show_value",
]

_LONGEST_SHOWN = 200  # characters of a value in a message


class PictureInput:
    """Stands for `belamy.pixels.images.Source` where types are looked at without torch."""


@dataclass(frozen=True)
class Between:
    """The range of a number, its ends among it unless they are said to be open.

    Args:
        low: the least.
        high: the largest; infinity where there is no bound, though the number stays finite.
        unit: a word for messages, as "pixels".
        above: whether `low` itself is too small.
        below: whether `high` itself is too large.
    """

    low: float
    high: float = math.inf
    unit: str = ""
    above: bool = False
    below: bool = False

    def contains(self, value: float) -> bool:
        """Whether a number is finite and within the range."""
        try:
            if not math.isfinite(value):
                return False
        except OverflowError:  # a whole number that is too large for a float
            return False
        over = value > self.low if self.above else value >= self.low
        under = value < self.high if self.below else value <= self.high
        return over and under

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        low = f"above {self.low:g}" if self.above else f"{self.low:g}"
        if math.isinf(self.high):
            return f"{low}{unit}" if self.above else f"{low}{unit} or more"
        if self.above or self.below:
            high = f"below {self.high:g}" if self.below else f"up to {self.high:g}"
            return f"{low if self.above else f'{low} or more'}, {high}{unit}"
        return f"from {self.low:g} to {self.high:g}{unit}"


def check_options(options: Any) -> None:
    """Hold every field of a dataclass of options to its annotation.

    Whole numbers pass where a float is annotated; booleans pass for no number.

    Raises:
        OptionError: a value of another type, or out of its range.
        UnknownName: none of the choices.
    """
    form: Any = type(options)
    for name, annotation in option_types(form).items():
        _check(name, getattr(options, name), annotation)


def check_arguments(function: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Hold the arguments of a function to its annotations, as `check_options` does with fields.

    Raises:
        OptionError: a value of another type, or out of its range.
        UnknownName: none of the choices.
    """
    for name, annotation in argument_types(function).items():
        if name in given:
            _check(name, given[name], annotation)


def check_keywords(name: str, known: Collection[str], given: Iterable[str]) -> None:
    """Raise `TypeError` for a keyword that a function does not know; it names the nearest.

    Args:
        name: the function's.
    """
    for keyword in given:
        if keyword not in known:
            near = nearest_names(keyword, known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise TypeError(f"{name}() has no argument {keyword!r}{hint}")


def check_number(name: str, value: float, allowed: Between) -> None:
    """Raise `OptionError` for a number out of its range."""
    if not allowed.contains(value):
        raise OptionError(f"{_words(name)} is {show_value(value)}; it must be {allowed}")


def require(good: bool, name: str, value: object, allowed: str) -> None:
    """Raise `OptionError` unless `good`: where a rule spans several options.

    Args:
        allowed: what it must be, in words.
    """
    if not good:
        raise OptionError(f"{_words(name)} is {show_value(value)}; it must be {allowed}")


def show_value(value: object) -> str:
    """A value for a message, cut where it is long. (Python refuses to write huge whole numbers.)"""
    try:
        text = value if isinstance(value, str) else repr(value)
        text = repr(text) if isinstance(value, str) else text
    except ValueError:
        text = "a number of thousands of digits"
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"


def read_processes() -> tuple[int, int]:
    """Which of the processes that torchrun started this is, from 0 on, and how many there are.

    Raises:
        OptionError: what the environment says of them is no number, or cannot be.
    """
    lowest = {"WORLD_SIZE": 1, "RANK": 0, "LOCAL_RANK": -1, "LOCAL_WORLD_SIZE": 1}
    found = {name: _read_count(name, low) for name, low in lowest.items()}
    rank, world = found["RANK"], found["WORLD_SIZE"]
    if rank >= world:
        raise OptionError(
            f"RANK is {rank} and WORLD_SIZE {world} in the environment, which cannot be; start "
            "with torchrun, or unset both"
        )
    return rank, world


def _read_count(name: str, low: int) -> int:
    text = os.environ.get(name, "").strip() or str(low)
    if not re.fullmatch(r"-?[0-9]{1,6}", text) or int(text) < low:
        raise OptionError(
            f"{name} is {show_value(text)} in the environment, where torchrun puts a whole number "
            f"of {max(0, low)} or more; unset it"
        )
    return int(text)


def flag_of(name: str) -> str:
    """What a user types for a field: `keep_colors` is `--keep-colors`, `class_` is `--class`."""
    return "--" + name.rstrip("_").replace("_", "-")


def _words(name: str) -> str:
    return flag_of(name).removeprefix("--")


@functools.cache
def option_types(form: Any) -> Mapping[str, Any]:
    """Field → annotation of a dataclass of options; `Source` is `PictureInput`.

    What else only type checkers import counts as anything.
    """
    module: dict[str, Any] = {}
    for base in reversed(form.__mro__):  # each writes its annotations with its own module's names
        module.update(vars(sys.modules[base.__module__]))
    unknown = {
        name: object
        for name in _names_of_annotations(form)
        if name not in module and name not in vars(sys.modules["builtins"])
    }
    names = {**unknown, "Source": PictureInput}
    hints = get_type_hints(form, {**module, **names}, names, include_extras=True)
    return {field.name: hints[field.name] for field in fields(form)}


@functools.cache
def argument_types(function: Callable[..., Any]) -> Mapping[str, Any]:
    """Argument → annotation of a function."""
    parameters = inspect.signature(function).parameters.values()
    holder: Any = SimpleNamespace(__annotations__={one.name: one.annotation for one in parameters})
    names = vars(sys.modules[function.__module__])
    return get_type_hints(holder, names, include_extras=True)


def _names_of_annotations(form: type) -> set[str]:
    found: set[str] = set()
    for base in form.__mro__:
        for text in getattr(base, "__annotations__", {}).values():
            if isinstance(text, str):
                found |= set(compile(text, "annotation", "eval").co_names)
    return found


def picture_fields(form: type) -> tuple[str, ...]:
    """The fields that take pictures, in order: what a recipe keeps as inputs."""
    return tuple(
        name
        for name, annotation in option_types(form).items()
        if any(PictureInput in (part, *get_args(part)) for part in alternatives(annotation))
    )


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """What a union may be, one after another, ranges taken off; None is left out."""
    if get_origin(annotation) is Annotated:
        return alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return tuple(part for one in get_args(annotation) for part in alternatives(one))
    return () if annotation is NoneType else (annotation,)


def range_of(annotation: Any) -> Between | None:
    """The range of the numbers in an annotation, wherever it stands in the union."""
    if get_origin(annotation) is Annotated:
        ranges = [one for one in annotation.__metadata__ if isinstance(one, Between)]
        return ranges[0] if ranges else range_of(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        ranges = [found for one in get_args(annotation) if (found := range_of(one))]
        return ranges[0] if ranges else None
    return None


def _check(name: str, value: Any, annotation: Any) -> None:
    parts = alternatives(annotation)
    if value is None and _may_be_none(annotation):
        return
    choices = tuple(
        choice for part in parts if get_origin(part) is Literal for choice in get_args(part)
    )
    if _is_choice(value, choices):
        return
    others = [part for part in parts if get_origin(part) is not Literal]
    if not others:
        if isinstance(value, str):
            raise UnknownName(_words(name), value[:_LONGEST_SHOWN], map(str, choices))
        raise OptionError(_refusal(name, value, parts, None))
    allowed = range_of(annotation)
    if not any(_is_of(value, part) for part in others):
        raise OptionError(_refusal(name, value, parts, allowed))
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if number and allowed is not None and not allowed.contains(value):
        raise OptionError(_refusal(name, value, parts, allowed))


def _may_be_none(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _may_be_none(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return any(map(_may_be_none, get_args(annotation)))
    return annotation in (None, NoneType, object, Any)


def _is_choice(value: object, choices: tuple[Any, ...]) -> bool:
    return any(type(value) is type(choice) and value == choice for choice in choices)


def _is_of(value: Any, part: Any) -> bool:
    """Whether a value is of one of the alternatives; types that are not plain take anything."""
    if part is bool:
        return isinstance(value, bool)
    if part is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if part is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if part is str:
        return isinstance(value, str)
    origin = get_origin(part)
    if part in (Path, os.PathLike) or origin is os.PathLike:
        return isinstance(value, os.PathLike)
    if isinstance(origin, type) and issubclass(origin, Sequence):
        inner = get_args(part)
        plain = isinstance(value, Sequence) and not isinstance(value, (str, bytes))
        if origin is tuple and inner[-1] is not Ellipsis:  # such as tuple[int, float]
            return plain and len(value) == len(inner) and all(map(_is_any_of, value, inner))
        return plain and all(_is_any_of(one, inner[0]) for one in value)
    return not isinstance(value, (dict, bool)) if part is PictureInput else True


def _is_any_of(value: Any, annotation: Any) -> bool:
    return any(_is_of(value, part) for part in alternatives(annotation))


# What pydantic, which reads what typer and the studio are given, calls a value that it refuses.
_REFUSED = {
    "bool": "true or false",
    "dict": "an object",
    "finite_number": "a finite number",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "literal": "{expected}",
    "enum": "{expected}",
    "greater_than": "above {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "below {lt}",
    "less_than_equal": "{le} or less",
    "model_attributes": "an object",
    "string": "a text",
    "string_too_long": "a text of {max_length} characters at most",
    "string_too_short": "a text of {min_length} characters or more",
    "too_long": "{max_length} of them at most",
    "too_short": "{min_length} of them or more",
}
_STAGES = re.compile(r"_(type|parsing|parsing_size|from_float|error)$")


def explain_refusal(refusal: Mapping[str, Any]) -> str:
    """What pydantic refuses, as a message of ours goes on after the value's name.

    Args:
        refusal: one of a `ValidationError`'s `errors()`.
    """
    if refusal["type"] == "missing":
        return "is missing"
    if refusal["type"] == "extra_forbidden":
        return "is not known here"
    known = _REFUSED.get(_STAGES.sub("", refusal["type"]))
    given = refusal.get("input")
    value = show_value(given)
    if known is None:
        message = str(refusal["msg"]).removeprefix("Value error, ").rstrip(".")
        plain = given is None or isinstance(given, (bool, int, float, str, list, dict))
        called = f"is {value}" if plain else "is wrong"
        return f"{called}: {message[:1].lower()}{message[1:]}"
    context = {
        key: f"{one:g}" if isinstance(one, float) else str(one).replace("'", "")
        for key, one in refusal.get("ctx", {}).items()
    }
    return f"is {value}; it must be {known.format_map(context)}"


_TYPE_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    PictureInput: "a picture",
}


def _refusal(name: str, value: Any, parts: tuple[Any, ...], allowed: Between | None) -> str:
    words: list[str] = []
    for part in parts:
        if get_origin(part) is Literal:
            words += [str(choice) for choice in get_args(part)]
        elif part in (int, float) and allowed is not None:
            of_type = _is_of(value, part) and len(parts) == 1
            words.append(str(allowed) if of_type else f"{_TYPE_WORDS[part]} {allowed}")
        else:
            several = get_args(part) and get_origin(part) is not os.PathLike
            words.append(_TYPE_WORDS.get(part, "several of them" if several else "a path"))
    return f"{_words(name)} is {show_value(value)}; it must be {' or '.join(dict.fromkeys(words))}"
