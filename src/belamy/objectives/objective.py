"""Objectives: scalars to minimise, and their algebra.

One sign rule: everything is minimised. To excite something, write minus:

    dream = -energy("mixed4c") + 0.5 * -channel("mixed4d", 17) + 2 * total_variation()

A function of one's own becomes one too:

    @objective("mixed4b")
    def contrast(features):
        return -features.std()
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Real

from torch import Tensor

from belamy.errors import OptionError

# Layer name → activations (N,C,H,W), or (N,classes) for "logits".
Activations = Mapping[str, Tensor]

# The picture itself, among the activations, for objectives that look at pixels.
IMAGE = "image"


@dataclass(frozen=True)
class Objective:
    """A scalar to MINIMISE.

    Sums, differences, and multiples by a number are objectives again. Adding a number or
    multiplying two objectives is a `TypeError`: the first would change nothing, the second is not
    a goal that anyone can read.

    Args:
        score: activations → tensor without dimensions. Means over pictures, channels and positions,
            so that weights keep their meaning on every size.
        layers: the keys that `score` reads.
        name: how a person reads it, for instance `-energy(mixed4c) + 2*range`.
    """

    score: Callable[[Activations], Tensor]
    layers: frozenset[str]
    name: str

    def __call__(self, activations: Activations) -> Tensor:
        return self.score(activations)

    def __add__(self, other: Objective) -> Objective:
        other = _require_objective(other, "+")
        return Objective(
            lambda activations: self.score(activations) + other.score(activations),
            self.layers | other.layers,
            _join_names(self.name, other.name),
        )

    __radd__ = __add__  # reached by `3 + objective` alone, to say why that is refused

    def __neg__(self) -> Objective:
        return Objective(
            lambda activations: -self.score(activations), self.layers, _negate_name(self.name)
        )

    def __sub__(self, other: Objective) -> Objective:
        return self + -_require_objective(other, "-")

    def __rsub__(self, other: object) -> Objective:
        return -self + _require_objective(other, "-")

    def __mul__(self, weight: float) -> Objective:
        weight = _check_weight(weight)
        return Objective(
            lambda activations: weight * self.score(activations),
            self.layers,
            f"{weight:g}*{_parenthesize(self.name)}",
        )

    __rmul__ = __mul__


def objective(*layers: str) -> Callable[[Callable[..., Tensor]], Objective]:
    """A decorator that makes an `Objective` of a function of activations.

    Args:
        layers: whose activations the function takes, in this order: (N, C, H, W) each, or
            (N, classes) for "logits"; `IMAGE` is the picture itself, (N, 3, H, W) in [0, 1].

    Returns:
        function → `Objective`, called as the function is. The function returns the scalar to
        minimise; one that is a mean over positions keeps its meaning on every size, and works in
        tiles (see `scale_crop_gradients`).

    Raises:
        OptionError: no layer, or one twice.
    """
    if not layers or len(set(layers)) < len(layers):
        raise OptionError(
            f"an objective of the layers {list(layers)}; name each that it reads once"
        )

    def decorate(function: Callable[..., Tensor]) -> Objective:
        return Objective(
            lambda activations: function(*(activations[layer] for layer in layers)),
            frozenset(layers),
            getattr(function, "__name__", "objective"),
        )

    return decorate


def total(objectives: Iterable[Objective]) -> Objective:
    """The sum of one or more objectives.

    Raises:
        OptionError: there is none.
    """
    parts = tuple(objectives)
    if not parts:
        raise OptionError("there is no objective; name a layer, a class or a guide")
    return functools.reduce(operator.add, parts)


def scale_crop_gradients(activations: Activations, whole: Mapping[str, float]) -> Activations:
    """A crop's activations, such that the gradients of all crops add up to the whole picture's.

    Objectives are means over positions, and a mean over a crop weighs each position by the crop's
    own count. Here the gradient that enters each layer is multiplied by (positions in the crop /
    positions in the whole picture), which turns it into the crop's part of the whole mean, exactly,
    for any sum of objectives on any layers. Values stay as they are.

    That holds for objectives that score each position by itself and take the mean: `energy`,
    `channel`, `direction`, `guide`, `strongest`, `weakest` and the priors. It does not for one
    place (`neuron`) or the whole picture (`class_score`).

    Args:
        activations: of one crop.
        whole: layer → number of positions (H·W) that the whole picture has there. Picture area over
            stride² will do: being the same for all crops, it keeps their sum consistent. Layers
            that are not named pass as they are.
    """
    return {
        layer: _amplify(activation, math.prod(activation.shape[2:]) / whole[layer])
        if layer in whole
        else activation
        for layer, activation in activations.items()
    }


def _amplify(activation: Tensor, factor: float) -> Tensor:
    if not activation.requires_grad:
        return activation
    view = activation.view_as(activation)  # the network's own path through it stays untouched
    view.register_hook(lambda gradient: gradient * factor)  # type: ignore[no-untyped-call]
    return view


def _require_objective(other: object, sign: str) -> Objective:
    if not isinstance(other, Objective):
        raise TypeError(
            f"objective {sign} {type(other).__name__}: only objectives add up; "
            "a constant would not change what is optimal"
        )
    return other


def _check_weight(weight: object) -> float:
    if isinstance(weight, Objective):
        raise TypeError("objective * objective: an objective is multiplied by a number only")
    if isinstance(weight, bool) or not isinstance(weight, Real):
        raise TypeError(f"{type(weight).__name__} * objective: the weight must be a number")
    if not math.isfinite(weight):
        raise OptionError(f"weight {weight} is not finite; give an ordinary number")
    return float(weight)


def _is_sum(name: str) -> bool:
    """Whether a name has a + or - between two terms, outside all brackets."""
    depth = 0
    for before, sign, after in zip(name, name[1:], name[2:], strict=False):
        depth += (before in "([") - (before in ")]")
        if depth == 0 and before == after == " " and sign in "+-":
            return True
    return False


def _parenthesize(name: str) -> str:
    return f"({name})" if _is_sum(name) or name.startswith("-") else name


def _negate_name(name: str) -> str:
    if name.startswith("-") and not _is_sum(name):
        return name[1:]
    return f"-({name})" if _is_sum(name) else f"-{name}"


def _join_names(left: str, right: str) -> str:
    if right.startswith("-"):
        return f"{left} - {right[1:]}"
    return f"{left} + {right}"
