"""The engines' options as strict pydantic models, made from their own dataclasses.

By itself pydantic drops keys that it does not know, and takes True for 1; here neither passes, nor
does a number that is none.
"""

from __future__ import annotations

import functools
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, ConfigDict, StringConstraints, create_model
from pydantic import Field as Constraint

from belamy.checks import Between
from belamy.studio.catalog.fields import NETWORK_FIELDS, Field, fields_of, title_of
from belamy.studio.catalog.rows import StudioEngine

__all__ = ["ID", "NAME", "Identifier", "StrictForm", "form_of", "inputs_form_of"]

ID = r"^[0-9a-z]{8,32}$"
NAME = r"^[\w:.+-]{1,100}$"
"""Of networks: no slash, so that it can be no path."""

_LONGEST_TEXT = 2000
_LONGEST_LIST = 64
_LARGEST_WHOLE = 2**64

Identifier = Annotated[str, StringConstraints(pattern=ID)]
_Name = Annotated[str, StringConstraints(pattern=NAME)]
_Text = Annotated[str, StringConstraints(max_length=_LONGEST_TEXT, pattern=r"^[^\x00]*$")]
_PLAIN: dict[type, Any] = {bool: bool, str: _Text}


class StrictForm(BaseModel):
    """A model that takes no key that it does not know, and no value for another."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=()
    )


@functools.cache
def form_of(engine: StudioEngine) -> type[StrictForm]:
    """The model of an engine's options."""
    named: dict[str, Any] = {
        name: (_annotation(field), _constraint(field)) for name, field in fields_of(engine).items()
    }
    return create_model(_class_name(engine, "Options"), __base__=StrictForm, **named)


@functools.cache
def inputs_form_of(engine: StudioEngine) -> type[StrictForm]:
    """The model of the files that an engine takes: ids by their roles."""
    several = Annotated[list[Identifier], Constraint(max_length=_LONGEST_LIST)]
    named: dict[str, Any] = {}
    for role in engine.roles:
        kind: Any = Union[Identifier, several] if role.many else Identifier  # noqa: UP007
        named[role.name] = (kind, ...) if role.required else (kind | None, None)
    return create_model(_class_name(engine, "Inputs"), __base__=StrictForm, **named)


def _class_name(engine: StudioEngine, kind: str) -> str:
    return "".join(part.capitalize() for part in engine.name.split("_")) + kind


def _constraint(field: Field) -> Any:
    default = ... if field.required else field.default
    return Constraint(default, title=title_of(field.name), description=field.text)


def _annotation(field: Field) -> Any:
    kinds: list[Any] = [_plain(one, field) for one in field.types if one is not list]
    if field.choices:
        kinds.insert(0, Literal[field.choices])
    if list in field.types:
        item = _join([_plain(one, field) for one in field.item] or [_Text])
        several: Any = list[item]  # type: ignore[valid-type]
        kinds.append(Annotated[several, Constraint(max_length=_LONGEST_LIST)])
    joined = _join(kinds or [_Text])
    return joined | None if field.nullable else joined


def _join(kinds: list[Any]) -> Any:
    return Union[tuple(kinds)]  # noqa: UP007 - of as many as there are


def _plain(kind: type, field: Field) -> Any:
    if kind is str and field.name in NETWORK_FIELDS:
        return _Name
    if kind is list:
        return Annotated[list[int | float], Constraint(max_length=_LONGEST_LIST)]
    if kind not in (int, float):
        return _PLAIN[kind]
    bounds = _bounds(field.range)
    if kind is int and not bounds:
        bounds = {"ge": -_LARGEST_WHOLE, "le": _LARGEST_WHOLE}
    return Annotated[kind, Constraint(**bounds)]


def _bounds(allowed: Between | None) -> dict[str, Any]:
    if allowed is None:
        return {}
    found: dict[str, Any] = {"gt" if allowed.above else "ge": allowed.low}
    if allowed.high != float("inf"):
        found["lt" if allowed.below else "le"] = allowed.high
    return found
