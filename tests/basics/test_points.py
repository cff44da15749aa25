"""Toy data: balanced, repeatable, in the picture, and as hard as their texts say."""

from __future__ import annotations

import numpy as np
import pytest

from belamy.basics.neuron import train_perceptron
from belamy.basics.points import POINTS


@pytest.mark.parametrize("name", POINTS)
@pytest.mark.parametrize("count", [2, 7, 100])
def test_shapes_halves_and_range(name: str, count: int) -> None:
    points, labels = POINTS[name](count, 0.0, np.random.default_rng(0))
    assert points.shape == (count, 2)
    assert set(labels) == {0, 1}
    assert abs(int(labels.sum()) - count / 2) <= 0.5
    assert np.abs(points).max() <= 1.2


@pytest.mark.parametrize("name", POINTS)
def test_the_same_seed_gives_the_same_points_and_noise_throws_them(name: str) -> None:
    def points(noise: float, seed: int = 1) -> np.ndarray:
        return POINTS[name](50, noise, np.random.default_rng(seed))[0]

    assert np.array_equal(points(0.1), points(0.1))
    assert not np.array_equal(points(0.1), points(0.1, seed=2))
    assert np.std(points(0.2) - points(0.0)) == pytest.approx(0.2, rel=0.2)


@pytest.mark.parametrize("name", POINTS)
def test_a_line_parts_the_blobs_alone(name: str) -> None:
    points, labels = POINTS[name](200, 0.0, np.random.default_rng(0))
    last = train_perceptron(points, 2 * labels - 1, sweeps=300)[-1]
    assert (last.sweep < 300) == (name == "blobs")


@pytest.mark.parametrize("name", POINTS)
def test_without_noise_the_classes_do_not_touch(name: str) -> None:
    points, labels = POINTS[name](300, 0.0, np.random.default_rng(0))
    zeros, ones = points[labels == 0], points[labels == 1]
    distances = np.linalg.norm(zeros[:, None] - ones[None], axis=-1)
    assert distances.min() > 0.05
