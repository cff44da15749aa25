"""An engine's options as the inputs of a node, and the values of those read back.

Names, defaults, ranges, choices and texts are those of the engine's own dataclass of options.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from belamy.checks import PictureInput, alternatives, range_of
from belamy.cli.options import REQUIRED, Argument, arguments_of

__all__ = ["LARGEST_SEED", "Field", "fields_of", "input_types", "read_values"]

LARGEST_SEED = (1 << 64) - 1  # what ComfyUI draws seeds up to
_OPEN = -1  # a number that is left to belamy; no option of these engines takes it
_DEFAULT = "default"  # the same, among choices
_LARGEST = {"INT": (1 << 31) - 1, "FLOAT": 1e9}  # ComfyUI ends at 2048 where nothing is said
_FINEST = 1e-6  # ComfyUI rounds to what it shows


@dataclass(frozen=True)
class Field:
    """An option, as a node has it.

    Args:
        kind: ComfyUI's type.
        argument: what the engine says of it.
        parts: the types that it may have.
        several: whether it is a list of them.
    """

    kind: str
    argument: Argument
    parts: tuple[Any, ...]
    several: bool

    @property
    def is_picture(self) -> bool:
        """Whether it comes from another node."""
        return self.kind in ("IMAGE", "MASK")

    @property
    def may_be_open(self) -> bool:
        """Whether the engine decides, where nothing is said."""
        return self.argument.default is None


def fields_of(form: Any, without: Collection[str] = ()) -> dict[str, Field]:
    """The options of a dataclass by name, in its order.

    Args:
        without: those that the node sets itself.
    """
    arguments = arguments_of(form).items()
    return {name: _field(name, one) for name, one in arguments if name not in without}


def _field(name: str, argument: Argument) -> Field:
    found = [part for part in alternatives(argument.type) if part is not object]
    lists = [part for part in found if _is_list(part)]
    parts = tuple(dict.fromkeys([*found, *(one for part in lists for one in get_args(part))]))
    return Field(_kind(name, parts), argument, parts, bool(lists))


def _kind(name: str, parts: Sequence[Any]) -> str:
    if PictureInput in parts:
        return "MASK" if name.endswith("mask") else "IMAGE"
    if all(get_origin(part) is Literal for part in parts):
        return "COMBO"
    plain = {bool: "BOOLEAN", int: "INT", float: "FLOAT"}
    return plain.get(parts[0], "STRING") if len(parts) == 1 else "STRING"


def _is_list(part: Any) -> bool:
    origin = get_origin(part)
    return isinstance(origin, type) and issubclass(origin, Sequence)


def input_types(fields: Mapping[str, Field], needed: Collection[str]) -> dict[str, dict[str, Any]]:
    """What ComfyUI takes from a node's `INPUT_TYPES`.

    All but pictures are optional, so that workflows of today stand when options are added.

    Args:
        needed: pictures without which the node does nothing.
    """
    rows = {name: _row(one) for name, one in fields.items()}
    return {
        "required": {name: row for name, row in rows.items() if name in needed},
        "optional": {name: row for name, row in rows.items() if name not in needed},
    }


def _row(field: Field) -> tuple[Any, dict[str, Any]]:
    argument = field.argument
    settings: dict[str, Any] = {"tooltip": _tooltip(field)}
    if field.is_picture:
        return field.kind, settings
    if field.kind == "COMBO":
        choices = [*([_DEFAULT] if field.may_be_open else []), *argument.choices]
        return choices, {"default": argument.default or _DEFAULT, **settings}
    if field.kind in ("INT", "FLOAT"):
        return field.kind, {**_number(field), **settings}
    if field.kind == "BOOLEAN":
        return field.kind, {"default": argument.default, **settings}
    usual = argument.default
    text = "" if usual in (None, (), REQUIRED) else str(usual)
    if field.several:
        settings |= {"multiline": True}
    return field.kind, {"default": text, **settings}


def _tooltip(field: Field) -> str:
    """The engine's text, with how that is said here for which ComfyUI has no form."""
    texts = [field.argument.help]
    if field.kind == "STRING" and field.several:
        texts.append("One a line.")
    if field.may_be_open and not field.is_picture:
        none = {"INT": str(_OPEN), "FLOAT": str(_OPEN), "COMBO": _DEFAULT, "STRING": "empty"}
        texts.append(f"Here None is {none[field.kind]}.")
    return " ".join(texts)


def _number(field: Field) -> dict[str, Any]:
    if field.argument.name == "seed":
        return {"default": 0, "min": 0, "max": LARGEST_SEED, "control_after_generate": True}
    allowed = range_of(field.argument.type)
    low, high = (0, _LARGEST[field.kind]) if allowed is None else (allowed.low, allowed.high)
    whole = field.kind == "INT"
    form = int if whole else float
    settings: dict[str, Any] = {
        "default": form(_OPEN) if field.may_be_open else field.argument.default,
        "min": form(_OPEN if field.may_be_open else low),
        "max": form(min(high, _LARGEST[field.kind])),
        "step": 1 if whole else 0.01,
    }
    return settings if whole else {**settings, "round": _FINEST}


def read_values(fields: Mapping[str, Field], given: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's options out of a node's values; those that are left to it are left out.

    Args:
        given: as ComfyUI has them; None for what comes from a node that has not run yet.
    """
    known = {name: value for name, value in given.items() if name in fields and value is not None}
    read = {
        name: value if fields[name].is_picture else _read(fields[name], value)
        for name, value in known.items()
    }
    return {name: value for name, value in read.items() if value is not None}


def _read(field: Field, value: Any) -> Any:
    if field.kind == "STRING":
        texts = [line.strip() for line in str(value).splitlines() if line.strip()]
        found = [_plain(field, text) for text in texts]
        return (found if field.several else found[0]) if found else None
    open_ = field.may_be_open and value == (_DEFAULT if field.kind == "COMBO" else _OPEN)
    return None if open_ else value


def _plain(field: Field, text: str) -> Any:
    """A text as one of the types that the option may have; else as it is, for the engine to say."""
    for kind in (int, float):
        if kind in field.parts and text not in field.argument.choices:
            try:
                return kind(text)
            except ValueError:
                continue
    return text
