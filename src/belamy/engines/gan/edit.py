"""The work behind `belamy.engines.gan.edit_api.gan_edit_steps`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from belamy.engines.gan.sampler import Easel, sheet_of, whole
from belamy.errors import OptionError
from belamy.networks.gan.latents import principal_directions
from belamy.steps import Step

__all__ = ["edit"]

_OVERVIEW = 6  # directions
_ROW = 5  # pictures of each of them
_FURTHEST = 20.0  # standard deviations


def edit(**options: Any) -> Iterator[Step]:
    """See `belamy.engines.gan.edit_api.gan_edit_steps`; takes every one of its arguments."""
    asked, amount = options["direction"], options["amount"]
    if not abs(amount) <= _FURTHEST:  # catches NaN too
        raise OptionError(f"amount is {amount:g}; it must be from −{_FURTHEST:g} to {_FURTHEST:g}")
    count = options["count"] or (_ROW if asked is None else 1)
    options["count"] = whole("count", count, 1, 100)
    if asked is not None:
        whole("direction", asked, 1, 10_000)
    easel = Easel(options)
    base = easel.called(options["picture"])  # (1, levels, style)
    found = principal_directions(easel.generator, _OVERVIEW if asked is None else asked)
    shown = range(1, len(found) + 1) if asked is None else [asked]
    levels = _steered(easel, options["where"])
    amounts = _amounts(amount, count)
    pictures: list[Tensor] = []
    latents: list[Tensor] = []
    for index, number in enumerate(shown, start=1):
        moved = base + amounts * found[number - 1] * levels
        latents.append(moved.cpu())
        pictures += easel.finished(moved)
        yield Step(
            index,
            len(shown),
            sheet_of(pictures, count, _captions(shown[:index], amount, count, asked)),
            {},
            recipe=easel.recipe("gan-edit", index),
            note=easel.finish.note(easel.generator.size) if index == 1 else "",
            latents=torch.cat(latents),
        )


def _amounts(amount: float, count: int) -> Tensor:
    """(count, 1, 1)."""
    ways = torch.tensor([amount]) if count == 1 else torch.linspace(-amount, amount, count)
    return ways[:, None, None]


def _steered(easel: Easel, where: str) -> Tensor:
    """(levels, 1): 1 for the levels that are moved."""
    levels = easel.generator.levels
    if levels == 1 and where != "all":
        raise OptionError(f"{easel.file} has no levels; where can only be all")
    half = math.ceil(levels / 2)
    rows = torch.zeros(levels, 1, device=easel.device)
    rows[_WHERE[where](half)] = 1
    return rows


_WHERE: dict[str, Callable[[int], slice]] = {
    "all": lambda half: slice(None),
    "coarse": lambda half: slice(0, half),
    "fine": lambda half: slice(half, None),
}


def _captions(shown: Any, amount: float, count: int, asked: int | None) -> list[str] | None:
    """For an overview: which direction, and how far."""
    if asked is not None:
        return None
    ways = _amounts(amount, count).flatten().tolist()
    return [f"{number}: {way:+g}" if way else f"{number}: 0" for number in shown for way in ways]
