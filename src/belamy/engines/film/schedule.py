"""What is dreamt of along the way: layers, classes and guides, each passing over into the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from belamy.engines.dream.objective import (
    REFERENCE_SIDE,
    SMALLEST_SCALE,
    objective_for,
    read_target,
)
from belamy.errors import OptionError
from belamy.networks.backbone import Backbone
from belamy.objectives.objective import Activations, Objective, total
from belamy.pixels.images import fit, resize

__all__ = ["Schedule", "blend_stops", "make_schedule"]


@dataclass(frozen=True)
class Schedule:
    """The objective at any moment of a journey.

    Args:
        layers: a row for each layer, an objective for each guide in it; one alone without guides.
        classes: one for each class.
        loop: whether the last passes over into the first.
    """

    layers: Sequence[Sequence[Objective]]
    classes: Sequence[Objective]
    loop: bool

    def at(self, position: float) -> Objective:
        """The objective at a position, 0 at the beginning and 1 at the end."""
        parts: list[tuple[float, Objective]] = []
        for row, weight in blend_stops(len(self.layers), position, self.loop):
            guided = self.layers[row]
            for column, share in blend_stops(len(guided), position, self.loop):
                parts.append((weight * share, guided[column]))
        for index, weight in blend_stops(len(self.classes), position, self.loop):
            parts.append((weight, self.classes[index]))
        if len(parts) == 1:
            return parts[0][1]
        return total(weight * _level(part) for weight, part in parts)


def blend_stops(count: int, position: float, loop: bool) -> list[tuple[int, float]]:
    """Which of so many stops count at a position, and how much; the weights add up to 1.

    Each has an equal part of the way, in whose middle it is alone.
    """
    if count == 0:
        return []
    place = position * count - 0.5
    if not loop:
        place = min(max(place, 0.0), count - 1.0)
    before = math.floor(place)
    part = place - before
    weight = part * part * (3 - 2 * part)
    stops = [(before % count, 1 - weight), ((before + 1) % count, weight)]
    return [(index, share) for index, share in stops if share > 0] if count > 1 else [(0, 1.0)]


def make_schedule(
    layers: Sequence[str],
    classes: Sequence[str],
    guides: Sequence[Tensor],
    backbone: Backbone,
    base: Tensor,
    loop: bool,
) -> Schedule:
    """The objectives of all stops.

    Args:
        base: (1, 3, H, W), what is dreamt on at first.
        guides: (1, 3, H, W) each.

    Raises:
        UnknownName, OptionError: no such layer, channel or class; or guides without layers.
    """
    if guides and not layers:
        raise OptionError("guides need layers to be compared in; name one with layers")
    seen = _shrink(base)
    images: list[Tensor | None] = [*map(_shrink, guides)] if guides else [None]
    rows = [
        [objective_for(read_target(layer, None, None), backbone, seen, one) for one in images]
        for layer in layers
    ]
    scores = [objective_for(read_target((), one, None), backbone, seen, None) for one in classes]
    return Schedule(rows, scores, loop)


def _shrink(image: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    if max(height, width) <= REFERENCE_SIDE:
        return image
    return resize(image, fit(height, width, REFERENCE_SIDE))


def _level(part: Objective) -> Objective:
    """A part over its own size at each moment, so that all count alike, whatever their numbers."""

    def score(activations: Activations) -> Tensor:
        value = part(activations)
        return value / value.detach().abs().clamp_min(SMALLEST_SCALE)

    return Objective(score, part.layers, part.name)
