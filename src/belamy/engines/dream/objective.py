"""What a dream is after: from `mixed4b:12*0.5`, a class, a guide to one objective."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from belamy.errors import OptionError, UnknownName
from belamy.networks.backbone import Backbone
from belamy.networks.files.weights import find_weights, open_weights
from belamy.objectives.features import (
    channel,
    class_score,
    energy,
    guide,
    strongest,
    weakest,
)
from belamy.objectives.objective import Objective, total

# What a layer is worth is measured on a picture of at most this long side, in pixels: enough for
# every layer to see something, and never a matter of memory. By eye.
REFERENCE_SIDE = 320

FAVOURITES: dict[str, tuple[str, ...]] = {
    "alexnet": ("relu4",),
    "googlenet": ("inception4c",),
    "iris": ("mixed4b",),
    "resnet50": ("layer3.2",),
    "squeezenet1_0": ("fire7",),
    "squeezenet1_1": ("fire7",),
    "vgg16": ("relu4_3",),
    "vgg19": ("relu4_3",),
}
"""The layers that a model dreams with when none is named. By eye, or the literature's."""

_TERM = re.compile(
    r"(?P<layer>[^:*\s]+)(?::(?P<channel>\d+))?(?:\*(?P<weight>[-+]?(?:\d+\.?\d*|\.\d+)))?"
)
_PICK = re.compile(r"(strongest|weakest):(\d+)")
_PICKERS = {"strongest": strongest, "weakest": weakest}


@dataclass(frozen=True)
class Term:
    """One `--layer`: what to excite, and how much it counts."""

    layer: str
    channel: int | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class Goal:
    """What was asked, read but not yet tied to a network.

    Args:
        terms: the layers.
        class_: a class to excite as well.
        pick: (strongest or weakest, how many channels).
    """

    terms: tuple[Term, ...]
    class_: str | None = None
    pick: tuple[str, int] | None = None

    @property
    def layers(self) -> frozenset[str]:
        logits = {"logits"} if self.class_ is not None else set()
        return frozenset({term.layer for term in self.terms} | logits)


def read_goal(layer: str | Sequence[str], class_: str | None, channels: str | None) -> Goal:
    """The goal that these options name; without a term where they name no layer.

    Raises:
        OptionError: a text that cannot be read, or options that exclude each other.
    """
    texts = [layer] if isinstance(layer, str) else list(layer)
    terms = tuple(_read_term(text) for text in texts)
    pick = None
    if channels is not None:
        found = _PICK.fullmatch(channels)
        if found is None:
            raise OptionError(
                f"channels is {channels!r}; write strongest:N or weakest:N, as strongest:8"
            )
        pick = (found[1], int(found[2]))
        if not terms or any(term.channel is not None for term in terms):
            raise OptionError("channels chooses among a layer's channels; name layers without :N")
    return Goal(terms, class_, pick)


def _read_term(text: str) -> Term:
    found = _TERM.fullmatch(text.strip())
    if found is None:
        raise OptionError(
            f"layer {text!r} cannot be read; write NAME[:CHANNEL][*WEIGHT], as mixed4b:12*0.5"
        )
    number = None if found["channel"] is None else int(found["channel"])
    weight = 1.0 if found["weight"] is None else float(found["weight"])
    if weight == 0:
        raise OptionError(f"layer {text!r} has weight 0 and would do nothing; leave it out")
    return Term(found["layer"], number, weight)


def favourites(model: str | os.PathLike[str]) -> tuple[str, ...]:
    """The layers that a model, by name or file, dreams with when none is named.

    Raises:
        UnknownName, WeightsError: there is no such model, or its weights are not here.
        OptionError: no layer of it is anybody's favourite.
    """
    name = os.fspath(model)
    if name not in FAVOURITES:
        with open_weights(find_weights(name)) as weights:
            name = weights.description.network
    if name not in FAVOURITES:
        raise OptionError(f"{name} has no favourite layer; name one with layer")
    return FAVOURITES[name]


def objective_for(
    goal: Goal, backbone: Backbone, base: Tensor, guide_image: Tensor | None
) -> Objective:
    """One objective out of a goal, its parts measured on the picture to dream on.

    Each part is divided by what it is worth on `base` at first, so that `*0.5` means half as much
    whatever the layer's own numbers are. (One part alone needs no measure: a dream divides the
    gradient by its size anyway.)

    Args:
        base: (1, 3, H, W), at most about `REFERENCE_SIDE` pixels long.
        guide_image: likewise; its features are wanted instead of the layers' own energy.

    Raises:
        UnknownName, OptionError: no such layer, channel or class.
    """
    layers = [term.layer for term in goal.terms]
    with torch.no_grad():
        seen = backbone(base, goal.layers)
        guided = {} if guide_image is None else backbone(guide_image, layers)
    parts = [
        (term.weight, _part(term, goal, seen[term.layer], guided.get(term.layer)))
        for term in goal.terms
    ]
    if goal.class_ is not None:
        parts.append((1.0, class_score(class_index(backbone, goal.class_))))
    if len(parts) == 1:
        weight, part = parts[0]
        return -part if weight == 1 else -(weight * part)
    with torch.no_grad():
        worths = [float(part(seen).abs()) for _, part in parts]
    return total(
        -((weight / max(worth, 1e-3)) * part)
        for (weight, part), worth in zip(parts, worths, strict=True)
    )


def _part(term: Term, goal: Goal, seen: Tensor, guided: Tensor | None) -> Objective:
    if guided is not None:
        return guide(term.layer, guided)
    if goal.pick is not None:
        picker: Callable[[str, Tensor, int], Objective] = _PICKERS[goal.pick[0]]
        return picker(term.layer, seen, goal.pick[1])
    if term.channel is None:
        return energy(term.layer)
    count = seen.shape[1]
    if term.channel >= count:
        raise OptionError(
            f"layer {term.layer!r} has no channel {term.channel}; it has 0 to {count - 1}"
        )
    return channel(term.layer, term.channel)


def class_index(backbone: Backbone, name: str) -> int:
    """The number of the class that `name` names, or is.

    Raises:
        UnknownName: the network knows no such class.
    """
    names = [known.lower() for known in backbone.classes]
    if name.lower() in names:
        return names.index(name.lower())
    if name.isdigit() and int(name) < len(names):
        return int(name)
    raise UnknownName(f"class of {backbone.name}", name, backbone.classes)
