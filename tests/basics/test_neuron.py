"""One neuron: its gates, what it cannot be, and that it stops erring when it can."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from belamy.basics.neuron import (
    GATES,
    Perceptron,
    boolean_functions,
    fires,
    margin,
    mistake_bound,
    train_perceptron,
    truth_table,
    widest_margin,
    xor_of_two_layers,
)
from belamy.basics.points import blobs, xor

XOR = (0, 1, 1, 0)
TABLES = {
    "AND": (0, 0, 0, 1),
    "OR": (0, 1, 1, 1),
    "NAND": (1, 1, 1, 0),
    "NOR": (1, 0, 0, 0),
    "NOT": (1, 0),
}


@pytest.mark.parametrize("name", GATES)
def test_gates_are_what_they_are_called(name: str) -> None:
    assert truth_table(*GATES[name]) == TABLES[name]


def test_at_the_threshold_it_fires() -> None:
    assert fires((1, 0), (0.5, 9), 0.5) == 1
    assert fires((1, 0), (0.5, 9), 0.5000001) == 0


@pytest.mark.parametrize(("inputs", "possible"), [(1, 4), (2, 14), (3, 104)])
def test_as_many_functions_as_are_known(inputs: int, possible: int) -> None:
    """The numbers of linearly separable functions: 4, 14, 104 (OEIS A000609)."""
    assert len(boolean_functions(inputs)) == possible


def test_xor_and_its_opposite_are_what_is_missing() -> None:
    every = set(itertools.product((0, 1), repeat=4))
    assert every - boolean_functions(2) == {XOR, (1, 0, 0, 1)}


@given(st.tuples(*[st.floats(-1e6, 1e6)] * 3))
def test_no_weights_at_all_make_an_xor(numbers: tuple[float, float, float]) -> None:
    assert truth_table(numbers[:2], numbers[2]) != XOR


@given(st.tuples(*[st.fractions(-9, 9)] * 3))
def test_the_proof_in_the_text(numbers: tuple[float, float, float]) -> None:
    """Three of the four inequalities never leave room for the last."""
    w1, w2, threshold = numbers
    if threshold > 0 and w1 >= threshold and w2 >= threshold:
        assert w1 + w2 > threshold


def test_two_levels_make_an_xor() -> None:
    assert tuple(itertools.starmap(xor_of_two_layers, itertools.product((0, 1), repeat=2))) == XOR


def separable(seed: int, dimensions: int, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Points on both sides of a random plane, none nearer to it than `gap`."""
    random = np.random.default_rng(seed)
    plane = random.standard_normal(dimensions)
    plane /= np.linalg.norm(plane)
    points = random.uniform(-2, 2, (60, dimensions))
    labels = np.where(points @ plane + 0.3 > 0, 1.0, -1.0)
    return points + gap * labels[:, None] * plane, labels


@pytest.mark.parametrize("dimensions", [1, 2, 5, 20])
@pytest.mark.parametrize("seed", range(4))
def test_it_stops_within_novikoffs_bound(seed: int, dimensions: int) -> None:
    points, labels = separable(seed, dimensions, 0.2)
    mistakes = train_perceptron(points, labels, sweeps=10_000)
    last = mistakes[-1].perceptron
    assert (last.decide(points) == labels).all()
    widest = margin(widest_margin(points, labels), points, labels)
    assert widest >= margin(last, points, labels) > 0
    assert len(mistakes) <= mistake_bound(points, widest)


def test_the_widest_margin_is_the_widest_of_a_fine_search() -> None:
    points, labels = blobs(40, 0.0, np.random.default_rng(0))
    labels = 2 * labels - 1
    found = margin(widest_margin(points, labels), points, labels)
    turns, heights = np.meshgrid(np.linspace(0, 2 * np.pi, 361), np.linspace(-1.5, 1.5, 181))
    normals = np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    values = (normals @ points.T + heights[..., None]) * labels  # (turn, height, point)
    best = (values.min(axis=-1) / np.sqrt(1 + heights**2)).max()
    assert best <= found * 1.01
    assert found == pytest.approx(best, rel=0.05)


def test_every_mistake_is_one_and_moves_the_line_towards_the_point() -> None:
    points, labels = separable(0, 2, 0.1)
    before = Perceptron(np.zeros(2), 0.0)
    for mistake in train_perceptron(points, labels):
        point, label = points[mistake.index], labels[mistake.index]
        after = mistake.perceptron
        old = label * (before.weights @ point + before.bias)
        new = label * (after.weights @ point + after.bias)
        assert old <= 0
        assert new == pytest.approx(old + point @ point + 1)
        before = after


def test_where_no_line_parts_them_it_never_ends() -> None:
    points, labels = xor(40, 0.0, np.random.default_rng(0))
    mistakes = train_perceptron(points, 2 * labels - 1, sweeps=200)
    assert mistakes[-1].sweep == 200
