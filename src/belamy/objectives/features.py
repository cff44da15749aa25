"""Feature visualisation objectives: layers, channels, neurons, directions, classes, a guide.

Each function makes an `Objective`, a mean over pictures and positions; write minus to excite.
Activations are (N,C,H,W), or (N,C) for a layer without positions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from belamy.errors import OptionError
from belamy.objectives.objective import Activations, Objective

# Matching a guide compares this many pairs of positions at a time: 16 MiB in single precision.
PAIRS_AT_ONCE = 2**22
# Cosines below this count as this much, so that a position that points away still gets a gradient.
# Source: lucid, optvis/objectives.py, `_dot_cossim`.
LEAST_COSINE = 0.1


def energy(layer: str) -> Objective:
    """Mean of the squares of all activations: DeepDream's objective, "more of what you see".

    Blind to where in the picture something is. Zero for a silent layer, never negative.

    Source: google/deepdream, `objective_L2`. Differs: a mean, not half the sum.
    """
    return Objective(
        lambda activations: activations[layer].square().mean(),
        frozenset({layer}),
        f"energy({layer})",
    )


def channel(layer: str, index: int) -> Objective:
    """Mean activation of one channel, everywhere.

    Raises:
        OptionError: (when evaluated) the layer has no such channel.
    """
    return Objective(
        lambda activations: _channel(activations, layer, index).mean(),
        frozenset({layer}),
        f"channel({layer}, {index})",
    )


def neuron(layer: str, channel: int, y: int | None = None, x: int | None = None) -> Objective:
    """Activation of one channel at one position, by default the middle one.

        +---+---+---+      +---+---+---+---+
        |   | X |   |      |   |   | X |   |   of an even number, the second
        +---+---+---+      +---+---+---+---+

    Args:
        y, x: row and column among the layer's positions, from 0.

    Raises:
        OptionError: (when evaluated) the layer has no such channel or position.
    """

    def score(activations: Activations) -> Tensor:
        plane = _channel(activations, layer, channel)  # (N,H,W)
        row, column = _position(plane, layer, y, x)
        return plane[:, row, column].mean()

    position = "" if y is None and x is None else f", {y}, {x}"
    return Objective(score, frozenset({layer}), f"neuron({layer}, {channel}{position})")


def class_score(index: int, layer: str = "logits") -> Objective:
    """How much the picture looks like one class: its logit, before the softmax.

    The softmax can also be raised by lowering all other classes, which draws nothing of this one.

    Source: Simonyan, Vedaldi & Zisserman, "Deep inside convolutional networks", 2013, section 2.

    Raises:
        OptionError: (when evaluated) there is no such class.
    """
    return Objective(
        lambda activations: _channel(activations, layer, index).mean(),
        frozenset({layer}),
        f"class_score({index})",
    )


def direction(layer: str, vector: Tensor, power: float = 1.0) -> Objective:
    """Mean over positions of dot · cosineᵖ between the activation and a direction.

    The plain dot product (p = 0) is raised by anything strong; times the cosine, only what points
    the same way pays, the more so the larger p. The vector's length does not matter.

    Args:
        vector: (C,), one number for each channel of the layer; (N, C) gives each picture its own.
        power: p; 1 as in lucid's atlases, 4 for directions that lie close together.

    Raises:
        OptionError: a vector is zero, or not a vector; the power is negative.

    Source: Carter et al., "Activation atlas", 2019; lucid's `direction` with `cossim_pow`.
    """
    lengths = torch.linalg.vector_norm(vector.detach(), dim=-1, keepdim=True)
    if vector.dim() not in (1, 2) or not bool((lengths > 0).all()):
        raise OptionError(f"a direction of shape {tuple(vector.shape)} must be a non-zero vector")
    units = vector.detach() / lengths  # (C,) or (N,C)

    def score(activations: Activations) -> Tensor:
        features = activations[layer].movedim(1, -1)  # (N,H,W,C)
        aim = units.to(features)
        aim = aim if aim.dim() == 1 else aim.view(len(aim), *[1] * (features.dim() - 2), -1)
        return dot_times_cosine(features, aim, power).mean()

    return Objective(score, frozenset({layer}), f"direction({layer})")


def dot_times_cosine(features: Tensor, aims: Tensor, power: float) -> Tensor:
    """dot · cosineᵖ of vectors along the last axis, the aims' length left out of the cosine.

    Args:
        features: (…, C).
        aims: (…, C), which broadcast.
        power: p, 0 or more; a cosine counts as at least `LEAST_COSINE`.

    Raises:
        OptionError: the power is negative.
    """
    if not power >= 0:
        raise OptionError(f"the power of the cosine is {power}; it must be 0 or more")
    dot = (features * aims).sum(dim=-1)
    tiny = torch.finfo(features.dtype).tiny
    lengths: Tensor = torch.linalg.vector_norm(features, dim=-1)
    of_aims: Tensor = torch.linalg.vector_norm(aims, dim=-1)
    cosine = dot / (lengths * of_aims).clamp_min(tiny)
    return dot * cosine.clamp_min(LEAST_COSINE) ** power


def guide(layer: str, guide_activations: Tensor) -> Objective:
    """Each place moves towards the guide's feature that it matches best.

    The score is the mean over channels and positions of x · y, where y is, at each position, the
    feature of the guide with the greatest dot product. The match is held fixed in the gradient,
    which is the true gradient all the same: at a maximum, which one is best does not change.

    Args:
        guide_activations: (1,C,h,w): what the guide picture excites in the same layer.

    Source: google/deepdream, `objective_guide`.
    """
    features = guide_activations.detach()[0].flatten(1)  # (C, h·w)

    def score(activations: Activations) -> Tensor:
        positions = activations[layer].transpose(0, 1).flatten(1)  # (C, N·H·W)
        matches = features.to(positions)
        with torch.no_grad():
            best = _best_matches(positions, matches)  # (N·H·W,)
        return (positions * matches[:, best]).mean()

    return Objective(score, frozenset({layer}), f"guide({layer})")


def _best_matches(positions: Tensor, features: Tensor) -> Tensor:
    """For each of (C,P) positions, the index of the (C,M) feature with the greatest dot product."""
    at_once = max(1, PAIRS_AT_ONCE // features.shape[1])
    chunks = torch.split(positions, at_once, dim=1)
    return torch.cat([(chunk.T @ features).argmax(dim=1) for chunk in chunks])


def strongest(layer: str, reference: Tensor, count: int) -> Objective:
    """Energy of the `count` channels that a picture excites most: more of what is there.

    Args:
        reference: (N,C,H,W): what the picture excites in the layer; channels are ranked by their
            mean over it.
        count: 1 … C.

    Raises:
        OptionError: the layer does not have that many channels.
    """
    return _energy_of(layer, _mean_activations(reference), count, "strongest")


def weakest(layer: str, reference: Tensor, count: int) -> Objective:
    """Energy of the `count` channels that a picture excites least: what it hardly shows.

    Channels that are even everywhere (silent behind a ReLU) come last: they have no gradient that
    could wake them.

    Args:
        reference, count: as in `strongest`.

    Raises:
        OptionError: the layer does not have that many channels.
    """
    means = _mean_activations(reference)
    planes = reference.detach().transpose(0, 1).flatten(1)  # (C, N·H·W)
    even = planes.amax(dim=1) == planes.amin(dim=1)
    return _energy_of(layer, -means.masked_fill(even, torch.inf), count, "weakest")


def _mean_activations(reference: Tensor) -> Tensor:
    return reference.detach().transpose(0, 1).flatten(1).mean(dim=1)  # (C,)


def _energy_of(layer: str, rank: Tensor, count: int, name: str) -> Objective:
    if not 1 <= count <= len(rank):
        raise OptionError(f"{name}:{count}: layer {layer!r} has {len(rank)} channels; ask for 1 up")
    chosen = rank.argsort(descending=True, stable=True)[:count]
    return Objective(
        lambda activations: activations[layer][:, chosen].square().mean(),
        frozenset({layer}),
        f"{name}({layer}, {count})",
    )


def _channel(activations: Activations, layer: str, index: int) -> Tensor:
    """(N,H,W), or (N,) of a layer without positions."""
    activation = activations[layer]
    if not 0 <= index < activation.shape[1]:
        raise OptionError(
            f"{layer!r} has no channel {index}; it has 0 to {activation.shape[1] - 1}"
        )
    return activation[:, index]


def _position(plane: Tensor, layer: str, y: int | None, x: int | None) -> tuple[int, int]:
    height, width = plane.shape[-2:]
    row, column = height // 2 if y is None else y, width // 2 if x is None else x
    if not (0 <= row < height and 0 <= column < width):
        raise OptionError(f"{layer!r} has no position ({row}, {column}); it is {height} x {width}")
    return row, column
