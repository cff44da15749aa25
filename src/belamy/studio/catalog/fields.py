"""An engine's options as the API has them: which, of what type, with which range and text."""

from __future__ import annotations

import functools
import inspect
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, get_args, get_origin

from belamy.checks import Between, PictureInput, alternatives, option_types, range_of
from belamy.studio.catalog.rows import StudioEngine

__all__ = ["NETWORK_FIELDS", "Field", "fields_of", "schema_of", "title_of"]

NETWORK_FIELDS = frozenset({"model", "network", "networks", "start"})
"""Options that name networks, which in Python and on the command line may be paths."""

_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


@dataclass(frozen=True)
class Field:
    """One option.

    Args:
        name: of the dataclass's field.
        types: the plain types that a value may have, `list` among them.
        item: the types of a list's items.
        choices: words that it may be; () for none.
        nullable: whether it may be left open.
        default: as JSON has it; None where there is none.
        required: whether it must be given.
        range: of its numbers.
        text: what it is.
    """

    name: str
    types: tuple[type, ...]
    item: tuple[type, ...]
    choices: tuple[Any, ...]
    nullable: bool
    default: Any
    required: bool
    range: Between | None
    text: str


@functools.cache
def fields_of(engine: StudioEngine) -> Mapping[str, Field]:
    """The options of an engine that are no files, in order."""
    form = engine.load_form()
    texts = _texts(form)
    files = {role.field for role in engine.roles}
    found: dict[str, Field] = {}
    defaults = {one.name: one for one in fields(form)}
    for name, annotation in option_types(form).items():
        parts = alternatives(annotation)
        if name in engine.without or (name in files and not _has_words(parts)):
            continue
        if any(PictureInput in (one, *get_args(one)) for one in parts) and name not in files:
            continue
        found[name] = _field(name, annotation, defaults[name].default, texts.get(name, ""))
    return found


def _has_words(parts: tuple[Any, ...]) -> bool:
    return any(get_origin(part) is Literal for part in parts)


def _field(name: str, annotation: Any, default: Any, text: str) -> Field:
    parts = alternatives(annotation)
    literals = [part for part in parts if get_origin(part) is Literal]
    choices = tuple(choice for part in literals for choice in get_args(part))
    plain = tuple(part for part in parts if part in _TYPES)
    lists = [part for part in parts if _is_list(part)]
    item = tuple(dict.fromkeys(one for part in lists for one in _items(part)))
    given = None if default is MISSING else _plain(default)
    return Field(
        name,
        (*plain, *([list] if lists else [])),
        item,
        choices,
        nullable=default is None or (default is not MISSING and given is None),
        default=given,
        required=default is MISSING,
        range=range_of(annotation),
        text=text,
    )


def _is_list(part: Any) -> bool:
    origin = get_origin(part)
    return isinstance(origin, type) and issubclass(origin, Sequence)


def _items(part: Any) -> tuple[Any, ...]:
    """The plain types of a sequence's items; of pairs, lists of such."""
    found: list[Any] = []
    for inner in get_args(part):
        if inner is Ellipsis:
            continue
        for one in alternatives(inner):
            found += [list] if _is_list(one) else [one] if one in _TYPES else []
    return tuple(found)


def _plain(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return list(value) if isinstance(value, tuple) else value


def title_of(name: str) -> str:
    """The option's name in words, for who has no better ones."""
    return name.rstrip("_").replace("_", " ").capitalize()


def schema_of(engine: StudioEngine) -> dict[str, Any]:
    """The options as a JSON schema; words beside numbers stand in `choices`."""
    found = fields_of(engine)
    return {
        "type": "object",
        "title": engine.name,
        "description": (inspect.getdoc(engine.load_form()) or "").partition("\n\n")[0],
        "additionalProperties": False,
        "properties": {name: _property(field) for name, field in found.items()},
        "required": [name for name, field in found.items() if field.required],
    }


def _property(field: Field) -> dict[str, Any]:
    types = ["array" if one is list else _TYPES[one] for one in field.types]
    words = [one for one in field.choices if one is not None]
    if words and "string" not in types:
        types.append("string")
    if field.nullable:
        types.append("null")
    types = list(dict.fromkeys(types))
    found: dict[str, Any] = {
        "title": title_of(field.name),
        "description": field.text,
        "type": types[0] if len(types) == 1 else types,
    }
    if not field.required:
        found["default"] = field.default
    if words:
        found["enum" if not field.types else "choices"] = [
            *words,
            *([None] if field.nullable and not field.types else []),
        ]
    if list in field.types and field.item:
        kinds = ["array" if one is list else _TYPES[one] for one in field.item]
        found["items"] = {"type": kinds[0] if len(kinds) == 1 else kinds}
    return {**found, **_bounds(field.range)}


def _bounds(allowed: Between | None) -> dict[str, float]:
    if allowed is None:
        return {}
    found = {"exclusiveMinimum" if allowed.above else "minimum": _number(allowed.low)}
    if allowed.high != float("inf"):
        found["exclusiveMaximum" if allowed.below else "maximum"] = _number(allowed.high)
    return found


def _number(value: float) -> float:
    return int(value) if float(value).is_integer() else value


_ENTRY = re.compile(r" {4}\**(?P<name>\w+)(?: \([^)]*\))?: *(?P<text>.*)")


def _texts(form: Any) -> dict[str, str]:
    """Name → text of the section "Args:" of a dataclass."""
    found: dict[str, list[str]] = {}
    latest: list[str] | None = None
    section = (inspect.getdoc(form) or "").partition("Args:\n")[2]
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break
        entry = _ENTRY.fullmatch(line)
        if entry:
            latest = found.setdefault(entry["name"], [entry["text"]])
        elif latest is not None:
            latest.append(line.strip())
    return {name: " ".join(part for part in parts if part) for name, parts in found.items()}
