"""The chain rule by machine: against torch, against `mlp`, and on very long chains."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from belamy.basics.autodiff import Value
from belamy.basics.mlp import LOSSES, backward, forward, make_network

# Each is written once, for our numbers and for torch's.
EXPRESSIONS: dict[str, Callable[[Any, Any], Any]] = {
    "sum": lambda x, y: x + y + 3.0,
    "product": lambda x, y: x * y * 2.0,
    "difference": lambda x, y: 1.0 - x - y,
    "quotient": lambda x, y: x / y + 2.0 / x,
    "power": lambda x, y: x**3 + y**-1.5,
    "exp and log": lambda x, y: (x * y).exp() + (x + y).log(),
    "activations": lambda x, y: x.tanh() * y.sigmoid() + (x - y).relu() + (y - x).relu(),
    "absolute": lambda x, y: abs(x - y) + abs(-x),
    "used often": lambda x, y: (x * x + x) * (x * x + y) * x,
}
POINTS = [(0.7, 1.9), (2.0, 0.5), (1.1, 1.2)]


@pytest.mark.parametrize("name", EXPRESSIONS)
@pytest.mark.parametrize("point", POINTS)
def test_values_and_gradients_are_those_of_torch(name: str, point: tuple[float, float]) -> None:
    ours = [Value(number) for number in point]
    theirs = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in point]
    result, wanted = EXPRESSIONS[name](*ours), EXPRESSIONS[name](*theirs)
    result.backward()
    wanted.backward()
    assert result.data == pytest.approx(wanted.item(), abs=1e-12)
    for one, other in zip(ours, theirs, strict=True):
        assert one.gradient == pytest.approx(other.grad.item(), abs=1e-10)


@pytest.mark.parametrize("name", EXPRESSIONS)
@pytest.mark.parametrize("point", POINTS)
def test_gradients_are_finite_differences(name: str, point: tuple[float, float]) -> None:
    ours = [Value(number) for number in point]
    EXPRESSIONS[name](*ours).backward()
    for place in range(2):
        sides = []
        for shift in (1e-6, -1e-6):
            moved = [Value(x + shift * (place == index)) for index, x in enumerate(point)]
            sides.append(EXPRESSIONS[name](*moved).data)
        assert ours[place].gradient == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-7)


def test_a_chain_longer_than_pythons_stack() -> None:
    x = Value(2.0)
    total = x
    for _ in range(20_000):
        total = total + x
    total.backward()
    assert (total.data, x.gradient) == (40_002.0, 20_001.0)


def test_doubling_does_not_take_twice_as_long_each_time() -> None:
    """Every number is visited once, though 2⁶⁰ paths lead to the first."""
    x = Value(1.0)
    total = x
    for _ in range(60):
        total = total + total
    total.backward()
    assert x.gradient == 2.0**60


def test_backward_twice_gives_the_same() -> None:
    x = Value(3.0)
    y = x * x
    y.backward()
    y.backward()
    assert x.gradient == 6


def test_a_network_has_the_gradients_that_mlp_works_out() -> None:
    random = np.random.default_rng(0)
    network = make_network((2, 3, 1), random)
    inputs, targets = random.standard_normal((4, 2)), random.standard_normal((4, 1))
    outputs, traces = forward(network, inputs)
    wanted = backward(network, traces, LOSSES["squared"].gradient(outputs, targets))

    weights = [[[Value(w) for w in row] for row in level.weights] for level in network]
    biases = [[Value(b) for b in level.biases] for level in network]
    error = Value(0.0)
    for example, (target,) in zip(inputs, targets, strict=True):
        hidden = [
            sum((w[j] * x for w, x in zip(weights[0], example, strict=True)), biases[0][j]).tanh()
            for j in range(3)
        ]
        output = sum((w[0] * h for w, h in zip(weights[1], hidden, strict=True)), biases[1][0])
        error = error + (output - target) ** 2 / 8
    error.backward()
    for level in range(2):
        gradients = np.array([[w.gradient for w in row] for row in weights[level]])
        assert gradients == pytest.approx(wanted[level][0], abs=1e-12)
        assert [b.gradient for b in biases[level]] == pytest.approx(wanted[level][1], abs=1e-12)


def test_the_example_of_the_text() -> None:
    x, y = Value(2.0), Value(3.0)
    z = x * y + x.exp()
    z.backward()
    assert x.gradient == pytest.approx(3 + math.exp(2))
    assert y.gradient == 2
    assert repr(y) == "Value(3, gradient=2)"
