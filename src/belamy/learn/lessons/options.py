"""What a learner typed, as numbers; anything else is answered with one line."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from belamy.errors import OptionError, UnknownName

__all__ = ["known", "numbers", "within"]

Number = TypeVar("Number", int, float)


def within(flag: str, value: Number, lowest: Number, highest: Number) -> Number:
    """`value`, if it is from `lowest` to `highest`.

    Raises:
        OptionError: it is not (nor is NaN).
    """
    if not lowest <= value <= highest:
        raise OptionError(f"{flag} {value} is out of range; use {lowest} to {highest}")
    return value


def known(kind: str, name: str, names: Collection[str]) -> str:
    """`name`, if it is one of `names`.

    Raises:
        UnknownName: it is not; the nearest are suggested.
    """
    if name not in names:
        raise UnknownName(kind, name, names)
    return name


def numbers(
    flag: str,
    text: str,
    kind: type[Number],
    lowest: Number,
    highest: Number,
    *,
    count: int | None = None,
    most: int = 8,
) -> tuple[Number, ...]:
    """`8,8` as (8, 8).

    Args:
        flag: what the user typed before it.
        text: numbers with commas between them.
        kind: int or float.
        lowest: a number may be.
        highest: a number may be.
        count: how many there must be; None for any number of them up to `most`.
        most: how many there may be.

    Raises:
        OptionError: something that is no such number, or too few or too many of them.
    """
    example = f"such as {flag} {','.join(['1'] * (count or 2))}"
    try:
        found = tuple(kind(part) for part in text.split(","))
    except ValueError:
        raise OptionError(f"{flag} {text!r} is not numbers with commas; write {example}") from None
    if count is not None and len(found) != count:
        raise OptionError(f"{flag} {text!r} has {len(found)} numbers, not {count}; write {example}")
    if len(found) > most:
        raise OptionError(f"{flag} has {len(found)} numbers; there may be {most} at most")
    return tuple(within(flag, value, lowest, highest) for value in found)
