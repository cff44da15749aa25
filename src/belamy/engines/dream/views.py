"""What `--objective` names: a neuron, a direction, a caricature …, and their objectives.

KIND:LAYER[:WHAT][^POWER][*WEIGHT]

energy:block14                  a layer, as --layer writes it
channel:block14:7               one of its channels, everywhere
neuron:block14:7[:ROW,COLUMN]   the channel at one position; the middle one if none is named
direction:block14:FILE          a direction in it: .npy, .json, or the numbers in brackets
class:tabby                     a class
caricature:block8               of the picture: what the layer sees in it, exaggerated
inversion:block8                of the picture: what the layer keeps of it, and no more
diversity:block14               of several pictures: they differ in what the layer sees
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeGuard

import numpy as np
import torch
from torch import Tensor

from belamy.checks import show_value
from belamy.errors import OptionError
from belamy.files import missing_file
from belamy.objectives.comparisons import caricature, diversity, inversion
from belamy.objectives.features import channel, direction, energy, neuron
from belamy.objectives.objective import Objective
from belamy.objectives.priors import squared_variation

__all__ = ["COMPARING", "View", "read_view"]

COMPARING = ("caricature", "inversion")
"""The kinds that look at the picture that is given."""

MOST_NUMBERS = 65_536  # of a direction; no layer has as many channels
_LARGEST = float(np.finfo(np.float32).max)
_LARGEST_FILE = 4 * 2**20  # bytes of a direction's file: so many numbers, written at length
# What an inversion leaves to chance is drawn smooth: weight of the squared variation. By eye.
SMOOTHNESS = 3.0

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)"
_TAIL = re.compile(rf"(?P<head>.+?)(?:\^(?P<power>{_NUMBER}))?(?:\*(?P<weight>{_NUMBER}))?")
_FORMS = {
    "energy": "energy:LAYER",
    "channel": "channel:LAYER:NUMBER",
    "neuron": "neuron:LAYER:NUMBER or neuron:LAYER:NUMBER:ROW,COLUMN",
    "direction": "direction:LAYER:FILE",
    "class": "class:NAME",
    "caricature": "caricature:LAYER",
    "inversion": "inversion:LAYER",
    "diversity": "diversity:LAYER",
}
_REST = {
    "channel": re.compile(r"(?P<channel>\d{1,9})"),
    "neuron": re.compile(r"(?P<channel>\d{1,9})(?::(?P<row>\d{1,9}),(?P<column>\d{1,9}))?"),
    "direction": re.compile(r"(?P<source>.+)", re.DOTALL),
}
_POWERED = ("direction", "caricature")


@dataclass(frozen=True)
class View:
    """One `--objective`, read but not yet tied to a network.

    Args:
        kind: one of `_FORMS`.
        layer: "logits" for a class.
        name: of a class.
        channel: its number.
        position: row and column of a neuron.
        vector: of a direction.
        power: of the cosine.
        weight: how much it counts; a negative one calms.
    """

    kind: str
    layer: str
    name: str = ""
    channel: int = 0
    position: tuple[int, int] | None = None
    vector: tuple[float, ...] = ()
    power: float = 1.0
    weight: float = 1.0

    def __str__(self) -> str:
        """As it is written, and in the recipe: a direction with its numbers, not its file."""
        middle = {
            "channel": f"{self.layer}:{self.channel}",
            "neuron": f"{self.layer}:{self.channel}",
            "direction": f"{self.layer}:{json.dumps(list(self.vector))}",
            "class": self.name,
        }.get(self.kind, self.layer)
        if self.position is not None:
            middle += f":{self.position[0]},{self.position[1]}"
        power = "" if self.power == 1 else f"^{self.power!r}"
        weight = "" if self.weight == 1 else f"*{self.weight!r}"
        return f"{self.kind}:{middle}{power}{weight}"

    @property
    def measured(self) -> bool:
        """Whether its value depends on the layer's own numbers, so that it has to be scaled."""
        return self.kind not in (*COMPARING, "diversity")

    def objective(self, seen: Tensor) -> Objective:
        """What is minimised to see it, its weight aside.

        Args:
            seen: what the picture excites in the layer.

        Raises:
            OptionError: no such channel, or a direction of another length.
        """
        return _MAKERS[self.kind](self, seen)


def _of_direction(view: View, seen: Tensor) -> Objective:
    if len(view.vector) != seen.shape[1]:
        raise OptionError(
            f"a direction of {len(view.vector)} numbers, but {view.layer!r} has {seen.shape[1]} "
            "channels; give one number for each"
        )
    return -direction(view.layer, torch.tensor(view.vector), view.power)


def _of_channel(view: View, seen: Tensor) -> Objective:
    count = seen.shape[1]
    if view.channel >= count:
        raise OptionError(
            f"layer {view.layer!r} has no channel {view.channel}; it has 0 to {count - 1}"
        )
    if view.kind == "channel":
        return -channel(view.layer, view.channel)
    if seen.dim() < 4:
        raise OptionError(f"{view.layer!r} has no positions; name channel:{view.layer}:NUMBER")
    return -neuron(view.layer, view.channel, *(view.position or (None, None)))


_MAKERS: dict[str, Callable[[View, Tensor], Objective]] = {
    "energy": lambda view, seen: -energy(view.layer),
    "channel": _of_channel,
    "neuron": _of_channel,
    "direction": _of_direction,
    "caricature": lambda view, seen: -caricature(view.layer, seen, view.power),
    "inversion": lambda view, seen: inversion(view.layer, seen) + SMOOTHNESS * squared_variation(),
    "diversity": lambda view, seen: -diversity(view.layer),
}


def read_view(text: str) -> View:
    """The view that a text names; a direction's file is read.

    Raises:
        OptionError: it cannot be read, or the file cannot.
    """
    kind, _, rest = text.strip().partition(":")
    if kind not in _FORMS:
        forms = ", ".join(form.split(" or ")[0] for form in _FORMS.values())
        raise OptionError(f"objective {show_value(text)} is none of {forms}")
    tail = _TAIL.fullmatch(rest) if kind != "direction" else _tail_of_direction(rest)
    view = None if tail is None else _read_rest(kind, tail["head"])
    if tail is None or view is None:
        raise OptionError(f"objective {show_value(text)} cannot be read; write {_FORMS[kind]}")
    if tail["power"] is not None and kind not in _POWERED:
        raise OptionError(f"objective {show_value(text)}: {kind} has no power; leave ^ out")
    power = 1.0 if tail["power"] is None else float(tail["power"])
    weight = 1.0 if tail["weight"] is None else float(tail["weight"])
    if weight == 0 or power < 0:
        raise OptionError(
            f"objective {show_value(text)}: a weight is not 0, and a power not negative"
        )
    return replace(view, power=power, weight=weight)


def _tail_of_direction(rest: str) -> re.Match[str] | None:
    """A direction's name may hold ^ and *; only what follows its suffix or bracket is a tail."""
    end = re.search(r"(?:\.npy|\.json|\])(?=(?:\^[^\]^*]*)?(?:\*[^\]*]*)?$)", rest)
    if end is None:
        return None
    return re.fullmatch(
        rf"(?P<head>.{{{end.end()}}})(?:\^(?P<power>{_NUMBER}))?(?:\*(?P<weight>{_NUMBER}))?",
        rest,
        re.DOTALL,
    )


def _read_rest(kind: str, head: str) -> View | None:
    """A view out of its kind and what stands before its tail; None if it cannot be read."""
    if kind == "class":
        return View(kind, "logits", name=head)
    layer, _, rest = head.partition(":")
    if not layer or kind not in _REST:
        return View(kind, layer) if layer and not rest else None
    match = _REST[kind].fullmatch(rest)
    if match is None:
        return None
    if kind == "direction":
        return View(kind, layer, vector=_read_vector(match["source"]))
    place = match.groupdict()
    position = (int(place["row"]), int(place["column"])) if place.get("row") else None
    return View(kind, layer, channel=int(match["channel"]), position=position)


def _read_vector(source: str) -> tuple[float, ...]:
    """The numbers of a direction: in brackets, or in a .npy or .json file.

    Nothing in the file is executed: a .npy of Python objects is refused.
    """
    numbers: object
    try:
        if source.startswith("["):
            numbers = json.loads(source)
        else:
            path = Path(source)
            if path.stat().st_size > _LARGEST_FILE:
                raise OptionError(f"{source} is too large for a direction")
            if path.suffix == ".npy":
                numbers = np.load(path, allow_pickle=False).squeeze().tolist()
            else:
                numbers = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise missing_file(OptionError, source) from error
    except (OSError, ValueError, EOFError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is not a list of numbers"
        raise OptionError(f"cannot read the direction {show_value(source)}: {reason}") from error
    if not _is_vector(numbers):
        raise OptionError(
            f"the direction {show_value(source)} must be a list of finite numbers, not all 0"
        )
    # In single precision, as the network computes, a recipe has half as many digits to carry.
    return tuple(float(str(np.float32(one))) for one in numbers)


def _is_vector(numbers: object) -> TypeGuard[list[float]]:
    if not isinstance(numbers, list) or not 1 <= len(numbers) <= MOST_NUMBERS:
        return False
    plain = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in numbers)
    return plain and all(abs(one) <= _LARGEST for one in numbers) and any(numbers)
