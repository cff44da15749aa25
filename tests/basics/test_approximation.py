"""Width: within the bound of the construction, and ever better. Depth: pieces counted."""

from __future__ import annotations

import numpy as np
import pytest

from belamy.basics.approximation import (
    FUNCTIONS,
    answer,
    count_pieces,
    deep_sawtooth,
    fit,
    fit_sawtooth,
    largest_change,
    largest_error,
    shallow_sawtooth,
    sum_of_steps,
)
from belamy.basics.mlp import ACTIVATIONS, Layer


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("width", [1, 2, 3, 10, 64, 256])
def test_steps_keep_the_bound_that_is_promised(name: str, width: int) -> None:
    function = FUNCTIONS[name]
    network = sum_of_steps(function, width)
    assert network[0].biases.size == width
    assert largest_error(function, network) <= largest_change(function, 0.5 / (width + 1)) + 1e-9


@pytest.mark.parametrize("name", FUNCTIONS)
def test_steps_come_as_near_as_one_wants(name: str) -> None:
    errors = [largest_error(FUNCTIONS[name], sum_of_steps(FUNCTIONS[name], 4**k)) for k in range(6)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.05


def test_the_largest_change_of_a_straight_line_is_its_rise() -> None:
    assert largest_change(lambda x: 3 * x, 0.1) == pytest.approx(0.3, abs=1e-3)
    assert largest_change(np.sqrt, 0.04) == pytest.approx(0.2, abs=1e-9)  # where it is steepest


@pytest.mark.parametrize("name", ["sine", "bump"])
def test_training_beats_steps_of_the_same_width(name: str) -> None:
    function = FUNCTIONS[name]
    trained = largest_error(function, fit(function, 8, np.random.default_rng(0), steps=1500))
    assert trained < 0.1 * largest_error(function, sum_of_steps(function, 8))


def test_sixteen_trained_neurons_come_nearer_than_a_thousand_steps() -> None:
    """As the tour says of its picture."""
    function = FUNCTIONS["chirp"]
    trained = largest_error(function, fit(function, 16, np.random.default_rng(0)))
    assert trained < largest_error(function, sum_of_steps(function, 1000))


def test_training_is_the_same_for_the_same_seed() -> None:
    def weights() -> np.ndarray:
        return fit(FUNCTIONS["sine"], 4, np.random.default_rng(5), steps=50)[0].weights

    assert np.array_equal(weights(), weights())


@pytest.mark.parametrize("levels", range(1, 9))
def test_a_deep_network_makes_two_to_the_k_pieces_of_2k_neurons(levels: int) -> None:
    deep = deep_sawtooth(levels)
    assert sum(level.biases.size for level in deep[:-1]) == 2 * levels
    assert count_pieces(deep, levels + 2) == 2**levels


@pytest.mark.parametrize("levels", range(1, 9))
def test_a_shallow_one_takes_two_to_the_k_neurons_for_the_same_function(levels: int) -> None:
    shallow = shallow_sawtooth(levels)
    assert len(shallow) == 2
    assert shallow[0].biases.size == 2**levels
    x = np.linspace(0, 1, 4097)
    assert answer(shallow, x) == pytest.approx(answer(deep_sawtooth(levels), x), abs=1e-12)


@pytest.mark.parametrize("neurons", [1, 4, 9])
@pytest.mark.parametrize("seed", range(3))
def test_n_neurons_in_one_level_bend_a_line_n_times_at_most(neurons: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    bends = random.integers(0, 64, neurons) / 64
    signs = random.choice([-1.0, 1.0], neurons)
    hidden = Layer(signs[None, :], -signs * bends, ACTIVATIONS["relu"])
    weights = random.integers(-3, 4, (neurons, 1)).astype(float)
    network = [hidden, Layer(weights, np.zeros(1), ACTIVATIONS["linear"])]
    assert count_pieces(network, 6) <= neurons + 1


@pytest.mark.parametrize("levels", [4, 6])
def test_as_many_neurons_in_one_level_hardly_follow(levels: int) -> None:
    x = np.linspace(0, 1, 4097)
    wanted = answer(deep_sawtooth(levels), x)
    flat = answer(fit_sawtooth(levels, 2 * levels), x)
    assert np.mean((wanted - flat) ** 2) > 0.9 * np.var(wanted)
    enough = answer(fit_sawtooth(levels, 2**levels), x)
    assert enough == pytest.approx(wanted, abs=1e-9)
