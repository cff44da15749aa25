"""What a learner typed, as numbers; anything else is answered with one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from belamy.checks import Between, check_number, flag_of
from belamy.errors import OptionError, UnknownName

__all__ = ["choose", "parse_numbers"]

Number = TypeVar("Number", int, float)
Choice = TypeVar("Choice")


def choose(kind: str, name: str, table: Mapping[str, Choice]) -> Choice:
    """The row of a table, for tables whose modules bring numpy, so that no signature names them.

    Raises:
        UnknownName: there is none; the nearest are suggested.
    """
    if name not in table:
        raise UnknownName(kind, name, table)
    return table[name]


def parse_numbers(
    name: str,
    text: str,
    kind: type[Number],
    allowed: Between,
    *,
    count: int | None = None,
    most: int = 8,
) -> tuple[Number, ...]:
    """`8,8` as (8, 8).

    Args:
        name: of the argument.
        text: numbers with commas between them.
        kind: int or float.
        allowed: the range of each.
        count: how many there must be; None for any number of them up to `most`.
        most: how many there may be.

    Raises:
        OptionError: something that is no such number, or too few or too many of them.
    """
    flag = flag_of(name)
    example = f"such as {flag} {','.join(['1'] * (count or 2))}"
    try:
        values = tuple(kind(part) for part in text.split(","))
    except ValueError:
        raise OptionError(f"{flag} {text!r} is not numbers with commas; write {example}") from None
    if count is not None and len(values) != count:
        raise OptionError(
            f"{flag} {text!r} has {len(values)} numbers, not {count}; write {example}"
        )
    if len(values) > most:
        raise OptionError(f"{flag} has {len(values)} numbers; there may be {most} at most")
    for value in values:
        check_number(name, value, allowed)
    return values
