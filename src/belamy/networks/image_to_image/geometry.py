"""How rows of layers look at a picture: their stride, their reach, and what they cost.

A row is a JSON object: `{"layer": "conv", "inputs": 3, …}`; see `layers`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

__all__ = [
    "LARGEST_KERNEL",
    "Geometry",
    "Row",
    "Span",
    "check_sizes",
    "compute_geometry",
    "least_floats",
    "measure_span",
]

Row: TypeAlias = "Mapping[str, Any]"

LARGEST_KERNEL = 64
_MOST_ROWS = 1000
_MOST_FLOATS = 4096  # of one activation, for each pixel of the picture; Johnson's has 64
_COARSEST, _FINEST = Fraction(256), Fraction(1, 4)  # input pixels from one position to the next


@dataclass(frozen=True)
class Geometry:
    """What a tile has to know about a network.

    Args:
        stride: tiles begin, and end, at multiples of it, in pixels.
        margin: no result depends on pixels farther away than this.
        floats: of the largest activation, for each pixel of the picture.
    """

    stride: int
    margin: int
    floats: float


def compute_geometry(rows: Sequence[Row]) -> Geometry:
    """How far the network looks, and how finely it must be cut.

    Raises:
        ValueError: there are too many rows, or the picture grows or shrinks beyond reason.
        TypeError: rows are no objects, or their entries no numbers.
    """
    places = list(itertools.islice(_walk(rows, _START), _MOST_ROWS + 1))
    if len(places) > _MOST_ROWS:
        raise ValueError(f"there are more than {_MOST_ROWS} layers")
    if any(not _FINEST <= place.step <= _COARSEST for place in places):
        raise ValueError(f"the picture is made smaller than 1/{_COARSEST}, or larger than 4 times")
    floats = max((place.channels / float(place.step) ** 2 for place in places), default=3.0)
    if floats > _MOST_FLOATS:
        raise ValueError(f"{floats:.0f} numbers for each pixel are more than {_MOST_FLOATS}")
    margin = sum((place.reach for place in places), Fraction(0))
    stride = max((place.step for place in places), default=Fraction(1))
    whole = max(1, int(stride))
    return Geometry(whole, int(margin) + whole, max(floats, 3.0))


@dataclass(frozen=True)
class Span:
    """What a strip has to know about a few layers of a network, in places of what goes into them.

    Args:
        stride: strips begin at multiples of it.
        margin: no result depends on places farther away than this; a multiple of the stride.
        floats: of the largest activation, for each place.
        scale: places that come out for each, along a side.
        channels: that come out.
    """

    stride: int
    margin: int
    floats: float
    scale: Fraction
    channels: int


def measure_span(rows: Sequence[Row], channels: int) -> Span:
    """How far a few layers look.

    Args:
        rows: of a network that `compute_geometry` has looked at.
        channels: of what goes into them.
    """
    start = _Place(Fraction(0), Fraction(1), channels)
    places = [start, *_walk(rows, start)]
    stride = max(1, int(max(place.step for place in places)))
    reach = sum((place.reach for place in places), Fraction(0))
    margin = (int(reach / stride) + 1) * stride if reach else 0
    floats = max(place.channels / float(place.step) ** 2 for place in places)
    last = places[-1]
    return Span(stride, margin, floats, 1 / last.step, last.channels)


def least_floats(rows: Sequence[Row]) -> float | None:
    """Of the smallest activation at an instance norm, for each pixel of the picture; None where
    there is none."""
    return min(_floats_at_norms(rows, _START), default=None)


def _floats_at_norms(rows: Sequence[Row], place: _Place) -> Iterator[float]:
    for row in rows:
        if row.get("layer") == "instance":
            yield place.channels / float(place.step) ** 2
        if row.get("layer") in _BRANCHING:
            for branch in row["branches"]:
                yield from _floats_at_norms(branch, place)
        *_, place = _walk([row], place)


@dataclass(frozen=True)
class _Place:
    """After a layer: how far it reaches and the distance of two places, both in pixels of the
    picture; and the channels."""

    reach: Fraction
    step: Fraction
    channels: int


_START = _Place(Fraction(0), Fraction(1), 3)


def _walk(rows: Sequence[Row], place: _Place) -> Iterator[_Place]:
    """One place for each layer. The branches of a sum are counted one after another, which errs
    on the safe side."""
    for row in rows:
        place = _after(row, place)
        yield place
        if row.get("layer") in _BRANCHING:
            ends = []
            for branch in row["branches"]:
                end = place
                for end in _walk(branch, place):
                    yield end
                ends.append(end)
            step = max((end.step for end in ends), default=place.step)
            channels = _BRANCHING[row["layer"]](end.channels for end in ends)
            place = _Place(Fraction(0), step, channels)
            yield place


_BRANCHING: dict[str, Callable[[Iterable[int]], int]] = {
    "sum": functools.partial(max, default=0),
    "join": sum,
}
"""Layers with branches → the channels after them, from those at the ends of the branches."""


def _after(row: Row, place: _Place) -> _Place:
    name = row.get("layer")
    if name == "conv":
        stride, reach = _positive(row.get("stride", (1,))), _positive(row["kernel"])
        step = place.step * stride
        return _Place((reach - 1) * place.step / 2, step, int(row["outputs"]))
    if name == "deconv":
        stride, reach = _positive(row.get("stride", (1,))), _positive(row["kernel"])
        step = place.step / stride
        return _Place((reach - 1) * step / 2, step, int(row["outputs"]))
    if name == "upsample":
        factor = _positive((row["factor"],))
        step = place.step / factor
        return _Place((factor - 1) * step / 2, step, place.channels)
    if name == "halve":
        return _Place(3 * place.step / 2, place.step * 2, place.channels)
    if name == "double":
        return _Place(place.step, place.step / 2, place.channels)
    return _Place(Fraction(0), place.step, place.channels)


def _positive(numbers: Sequence[int]) -> Fraction:
    """The largest of what must be whole numbers from 1 on, and not too large."""
    check_sizes("a size", numbers, 1, LARGEST_KERNEL)
    return Fraction(max(numbers))


def check_sizes(name: str, numbers: Sequence[int], low: int, high: int) -> None:
    """Raise ValueError unless all of `numbers` are whole and within the range."""
    if not all(isinstance(number, int) and low <= number <= high for number in numbers):
        raise ValueError(f"{name} is {tuple(numbers)}; it must be from {low} to {high}")
