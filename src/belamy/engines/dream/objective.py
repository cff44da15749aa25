"""The objective of a dream: layers as `mixed4b:12*0.5`, a class, a guide, or the user's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from belamy.engines.dream.options import Smoothing
from belamy.errors import OptionError, UnknownName
from belamy.networks.backbone import Backbone
from belamy.networks.modules.open_network import Model, name_model, say_no_layer
from belamy.networks.registry import NETWORKS
from belamy.objectives.features import (
    channel,
    class_score,
    energy,
    guide,
    strongest,
    weakest,
)
from belamy.objectives.objective import IMAGE, Objective, total
from belamy.optimise import activations_of

# How large each part of the objective is, is measured on a picture of at most this long side, in
# pixels: enough for every layer to see something, and never a matter of memory. By eye.
REFERENCE_SIDE = 320
# A part that is next to nothing on the picture is not divided by less than this. By eye.
SMALLEST_SCALE = 1e-3

_TERM = re.compile(
    r"(?P<layer>[^:*\s]+)(?::(?P<channel>\d+))?(?:\*(?P<weight>[-+]?(?:\d+\.?\d*|\.\d+)))?"
)
_PICK = re.compile(r"(strongest|weakest):(\d+)")
_OWN = "objective "  # begins, in a recipe, the name of what the user wrote in Python
_PICKERS = {"strongest": strongest, "weakest": weakest}


@dataclass(frozen=True)
class Term:
    """One `--layer`: what to excite, and how much it counts."""

    layer: str
    channel: int | None = None
    weight: float = 1.0

    def __str__(self) -> str:
        number = "" if self.channel is None else f":{self.channel}"
        weight = "" if self.weight == 1 else f"*{self.weight!r}"
        return f"{self.layer}{number}{weight}"


@dataclass(frozen=True)
class DreamTarget:
    """What is excited, read but not yet tied to a network.

    Args:
        terms: the layers.
        class_: a class to excite as well.
        pick: (strongest or weakest, how many channels).
        objectives: of the user's own, minimised as they stand.
    """

    terms: tuple[Term, ...]
    class_: str | None = None
    pick: tuple[str, int] | None = None
    objectives: tuple[Objective, ...] = ()

    @property
    def layers(self) -> frozenset[str]:
        """What the network has to compute."""
        logits = {"logits"} if self.class_ is not None else set()
        own = {layer for objective in self.objectives for layer in objective.layers}
        return frozenset({term.layer for term in self.terms} | logits | own) - {IMAGE}

    def describe(self) -> list[str]:
        """The layers as a recipe has them; of the user's own objectives, their names."""
        own = [f"{_OWN}{objective.name}" for objective in self.objectives]
        return [str(term) for term in self.terms] + own


def read_target(
    layer: str | Objective | Sequence[str | Objective], class_: str | None, channels: str | None
) -> DreamTarget:
    """The target that these options name; without a term where they name no layer.

    Raises:
        OptionError: a text that cannot be read, or options that exclude each other.
    """
    given = [layer] if isinstance(layer, (str, Objective)) else list(layer)
    terms = tuple(_read_term(one) for one in given if isinstance(one, str))
    objectives = tuple(one for one in given if isinstance(one, Objective))
    pick = None
    if channels is not None:
        match = _PICK.fullmatch(channels)
        if match is None:
            raise OptionError(
                f"channels is {channels!r}; write strongest:N or weakest:N, as strongest:8"
            )
        pick = (match[1], int(match[2]))
        if not terms or any(term.channel is not None for term in terms):
            raise OptionError("channels chooses among a layer's channels; name layers without :N")
    return DreamTarget(terms, class_, pick, objectives)


def _read_term(text: str) -> Term:
    if text.startswith(_OWN):
        raise OptionError(
            f"{text!r} was a function in somebody's program, which no recipe can hold; dream with "
            "it from Python"
        )
    match = _TERM.fullmatch(text.strip())
    if match is None:
        raise OptionError(
            f"layer {text!r} cannot be read; write NAME[:CHANNEL][*WEIGHT], as mixed4b:12*0.5"
        )
    number = None if match["channel"] is None else int(match["channel"])
    weight = 1.0 if match["weight"] is None else float(match["weight"])
    if weight == 0:
        raise OptionError(f"layer {text!r} has weight 0 and would do nothing; leave it out")
    return Term(match["layer"], number, weight)


def default_layers(model: Model) -> tuple[str, ...]:
    """The layers that a model dreams with when none is named.

    Raises:
        UnknownName, WeightsError: there is no such model, or its weights are not here.
        OptionError: no layer of it is anybody's favourite.
    """
    name = name_model(model)
    if not name:
        raise OptionError(say_no_layer(model, "layer"))
    layers = NETWORKS[name].layers.dream
    if not layers:
        raise OptionError(f"{name} has no favourite layer; name one with layer")
    return layers


def default_smoothing(model: Model) -> Smoothing:
    """How the gradient of a model is best freed of noise; of a module, by blurring and levelling.

    Raises:
        UnknownName, WeightsError: there is no such model, or its weights are not here.
    """
    name = name_model(model)
    return NETWORKS[name].layers.dream_smoothing if name else "both"


def objective_for(
    target: DreamTarget, backbone: Backbone, base: Tensor, guide_image: Tensor | None
) -> Objective:
    """One objective out of a target, its parts measured on the picture to dream on.

    Each part is divided by its own size on `base` at first, so that `*0.5` means half as much
    whatever the layer's own numbers are. (One part alone needs no measure: a dream divides the
    gradient by its size anyway.)

    Args:
        base: (1, 3, H, W), at most about `REFERENCE_SIDE` pixels long.
        guide_image: likewise; its features are wanted instead of the layers' own energy.

    Raises:
        UnknownName, OptionError: no such layer, channel or class.
    """
    layers = [term.layer for term in target.terms]
    with torch.no_grad():
        activations = activations_of(backbone, base, target.layers | {IMAGE})
        guided = {} if guide_image is None else backbone(guide_image, layers)
    parts = [
        (-term.weight, _part(term, target, activations[term.layer], guided.get(term.layer)))
        for term in target.terms
    ]
    if target.class_ is not None:
        parts.append((-1.0, class_score(class_index(backbone, target.class_))))
    parts += [(1.0, objective) for objective in target.objectives]
    if len(parts) == 1:
        weight, part = parts[0]
        return part if weight == 1 else -part if weight == -1 else -(-weight * part)
    with torch.no_grad():
        scales = [float(part(activations).abs()) for _, part in parts]
    return total(
        _weighted(weight / max(scale, SMALLEST_SCALE), part)
        for (weight, part), scale in zip(parts, scales, strict=True)
    )


def _weighted(weight: float, part: Objective) -> Objective:
    return -(-weight * part) if weight < 0 else weight * part


def _part(term: Term, target: DreamTarget, seen: Tensor, guided: Tensor | None) -> Objective:
    if guided is not None:
        return guide(term.layer, guided)
    if target.pick is not None:
        picker: Callable[[str, Tensor, int], Objective] = _PICKERS[target.pick[0]]
        return picker(term.layer, seen, target.pick[1])
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
