"""What a mistyped name may mean: the names that are a slip away from it."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["nearest_names"]

_SEPARATORS = re.compile(r"[-_ .]+")
_SHORT = 4  # letters, up to which one letter alone can be wrong
_SHORTEST_PART = 4  # letters of a part that stands for the whole name, as wave for great-wave
_LONGEST = 100  # letters; nobody slips in what is longer


def nearest_names(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The names that somebody may have meant, the nearest first; none where none is near.

    Near is what differs in case, in hyphens and the like, in one letter or two that are wrong, left
    out, too many or swapped (one alone in a short name), or what the name is a whole part of.

    Args:
        name: what was typed.
        known: what there is.
        count: how many at most.
    """
    if not 0 < len(name) <= _LONGEST:
        return []
    found = []
    for order, other in enumerate(dict.fromkeys(known)):
        slips = _count_slips(name, other)
        if slips is not None:
            found.append((slips, order, other))
    return [other for _, _, other in sorted(found)[:count]]


def _count_slips(name: str, other: str) -> int | None:
    """How many slips lead from one name to the other; None where they are too many."""
    given, meant = _plain(name), _plain(other)
    if not given or not meant:
        return None
    allowed = 1 if min(len(given), len(meant)) <= _SHORT else 2
    if abs(len(given) - len(meant)) <= allowed:
        slips = _distance(given, meant)
        if slips <= allowed and slips < min(len(given), len(meant)):
            return slips
    is_part = len(given) >= _SHORTEST_PART and name.lower() in _SEPARATORS.split(other.lower())
    return allowed + 1 if is_part else None


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", name.lower())


def _distance(first: str, second: str) -> int:
    """Letters that are wrong, left out, too many, or swapped with their neighbour.

    The optimal string alignment distance.
    """
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        earlier, before, row = before, row, [i]
        for j, other in enumerate(second, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                best = min(best, earlier[j - 2] + 1)
            row.append(best)
    return row[-1]
