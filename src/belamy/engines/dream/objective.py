"""The objective of a dream: layers as `mixed4b:12*0.5`, a class, a guide, or the user's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from belamy.engines.dream.options import Smoothing
from belamy.engines.dream.views import COMPARING, View, read_view
from belamy.errors import OptionError, UnknownName
from belamy.networks.backbone import Backbone
from belamy.networks.backbones.class_words import find_class
from belamy.networks.modules.open_network import Model, name_model, say_no_layer
from belamy.networks.registry import NETWORKS
from belamy.objectives.comparisons import diversity, interpolation
from belamy.objectives.features import (
    channel,
    class_score,
    energy,
    guide,
    strongest,
    weakest,
)
from belamy.objectives.objective import IMAGE, Activations, Objective, total
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
# How much pictures made together must differ, in proportion to what they show. By eye: with less
# they are alike, with more they show something else.
DIVERSITY = 1.0

_CLASS = re.compile(r"(?P<name>.+?)\s*(?:[*:]\s*(?P<weight>[-+]?(?:\d+\.?\d*|\.\d+)))?")
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
        classes: to excite as well, as they were written.
        pick: (strongest or weakest, how many channels).
        objectives: of the user's own, minimised as they stand.
        views: what `--objective` names.
        towards: where a row of pictures leads.
        several: whether pictures are made together that are to differ.
    """

    terms: tuple[Term, ...]
    classes: tuple[str, ...] = ()
    pick: tuple[str, int] | None = None
    objectives: tuple[Objective, ...] = ()
    views: tuple[View, ...] = ()
    towards: View | None = None
    several: bool = False

    @property
    def layers(self) -> frozenset[str]:
        """What the network has to compute."""
        logits = {"logits"} if self.classes else set()
        own = {layer for objective in self.objectives for layer in objective.layers}
        views = {view.layer for view in self.all_views}
        return frozenset({term.layer for term in self.terms} | logits | own | views) - {IMAGE}

    @property
    def all_views(self) -> tuple[View, ...]:
        return self.views if self.towards is None else (*self.views, self.towards)

    @property
    def compares(self) -> bool:
        """Whether it looks at the picture as well as at what becomes of it."""
        return any(view.kind in COMPARING for view in self.all_views)

    @property
    def has_positions(self) -> bool:
        """Whether it asks for a place of its own in the picture."""
        return any(view.position is not None for view in self.all_views)

    def describe(self) -> dict[str, str | list[str] | None]:
        """The options as a recipe has them; of the user's own objectives, their names."""
        own = [f"{_OWN}{objective.name}" for objective in self.objectives]
        return {
            "layer": [str(term) for term in self.terms] + own,
            "objective": [str(view) for view in self.views],
            "towards": None if self.towards is None else str(self.towards),
        }


def read_target(
    layer: str | Objective | Sequence[str | Objective],
    class_: str | Sequence[str] | None,
    channels: str | None,
    objective: str | Sequence[str] = (),
    towards: str | None = None,
    several: bool = False,
) -> DreamTarget:
    """The target that these options name; without a term where they name no layer.

    Raises:
        OptionError: a text that cannot be read, or options that exclude each other.
    """
    given = [layer] if isinstance(layer, (str, Objective)) else list(layer)
    terms = tuple(_read_term(one) for one in given if isinstance(one, str))
    objectives = tuple(one for one in given if isinstance(one, Objective))
    classes = () if class_ is None else (class_,) if isinstance(class_, str) else tuple(class_)
    views = tuple(
        read_view(one) for one in ([objective] if isinstance(objective, str) else objective)
    )
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
    end = None if towards is None else read_view(towards)
    return DreamTarget(terms, classes, pick, objectives, views, end, several)


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
        guided = {} if guide_image is None else activations_of(backbone, guide_image, layers)
    parts = [
        (-term.weight, _part(term, target, activations[term.layer], guided.get(term.layer)))
        for term in target.terms
    ]
    if target.classes:
        parts.append((1.0, _of_classes(backbone, target.classes)))
    parts += [(1.0, objective) for objective in target.objectives]
    parts += [_of_view(view, backbone, activations) for view in target.views if view.measured]
    compared = [_of_view(view, backbone, activations) for view in target.views if not view.measured]
    main = _join(parts, activations, scaled=len(parts) + len(compared) > 1) if parts else None
    if target.towards is not None:
        if main is None:
            raise OptionError("there is nothing to go from; name an objective, a layer or a class")
        weight, end = _of_view(target.towards, backbone, activations)
        main = interpolation(main, _weigh(weight, end))
    whole = total([*([] if main is None else [main]), *(_weigh(*one) for one in compared)])
    alike = target.towards is None and all(view.kind != "diversity" for view in target.views)
    return _apart(whole, target, backbone) if target.several and alike else whole


def _join(
    parts: Sequence[tuple[float, Objective]], activations: Activations, *, scaled: bool
) -> Objective:
    """The sum of weighted parts, each over its own size in these activations if `scaled`."""
    if not scaled:
        return total(_weigh(weight, part) for weight, part in parts)
    with torch.no_grad():
        scales = [float(part(activations).abs()) for _, part in parts]
    return total(
        _weigh(weight / max(scale, SMALLEST_SCALE), part)
        for (weight, part), scale in zip(parts, scales, strict=True)
    )


def _of_view(view: View, backbone: Backbone, activations: Activations) -> tuple[float, Objective]:
    """A view's weight, and what is minimised for it."""
    if view.kind == "class":
        return view.weight, _of_classes(backbone, (view.name,))
    return view.weight, view.objective(activations[view.layer])


def _of_classes(backbone: Backbone, classes: Sequence[str]) -> Objective:
    """Minus the classes' scores, weighted as they are written."""
    pairs = [pair for text in classes for pair in weighted_classes(backbone, text)]
    return total(_weigh(-weight, class_score(index)) for index, weight in pairs)


def _apart(main: Objective, target: DreamTarget, backbone: Backbone) -> Objective:
    """`main` for pictures that differ: diversity counts in proportion to what they show by then."""
    layer = _layer_of_difference(target, backbone)
    differ = diversity(layer)

    def score(activations: Activations) -> Tensor:
        shown = main(activations)
        return shown - DIVERSITY * shown.detach().abs() * differ(activations)

    return Objective(score, main.layers | {layer}, f"{main.name} - diversity({layer})")


def _layer_of_difference(target: DreamTarget, backbone: Backbone) -> str:
    """Where pictures are to differ: in the first layer that is named, or before a class."""
    for layer in (*(term.layer for term in target.terms), *(view.layer for view in target.views)):
        if backbone.layers[backbone.resolve(layer)].stride is not None:
            return layer
    placed = [row for row in backbone.layers.values() if row.stride]
    stages = [row for row in placed if row.stage == row.name] or placed  # a module has no stages
    return stages[-1].name


def _weigh(weight: float, part: Objective) -> Objective:
    if weight in (1, -1):
        return part if weight == 1 else -part
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


def weighted_classes(backbone: Backbone, text: str) -> list[tuple[int, float]]:
    """Number and weight of each class in `golden retriever*0.7, tabby*0.3`; one alone counts 1.

    Raises:
        UnknownName: the network knows no such class.
        OptionError: a weight is 0.
    """
    lowered = text.strip().lower()
    if lowered in (known.lower() for known in backbone.classes):
        return [(find_class(text.strip(), backbone.classes, backbone.name), 1.0)]
    pairs = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        match = _CLASS.fullmatch(part)
        assert match is not None, "the name takes whatever there is"
        weight = 1.0 if match["weight"] is None else float(match["weight"])
        if weight == 0:
            raise OptionError(f"class {part!r} has weight 0 and would do nothing; leave it out")
        pairs.append((find_class(match["name"], backbone.classes, backbone.name), weight))
    if not pairs:
        raise UnknownName(f"class of {backbone.name}", text, backbone.classes)
    return pairs
