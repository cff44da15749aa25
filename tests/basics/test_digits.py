"""Digits are laid out as MNIST's are, none like another, and a user's own become like them."""

from __future__ import annotations

import numpy as np
import pytest

from belamy.basics.digits import BOX, SIDE, as_mnist, draw_digits, draw_handwritten, draw_printed
from belamy.basics.strokes import HABITS, curves


@pytest.mark.parametrize("draw", [draw_printed, draw_handwritten])
@pytest.mark.parametrize("digit", range(10))
def test_the_layout_is_that_of_mnist(draw: object, digit: int) -> None:
    pictures = draw(digit, 16, np.random.default_rng(0))  # type: ignore[operator]
    assert pictures.shape == (16, SIDE, SIDE)
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    for picture in pictures:
        rows, columns = np.nonzero(picture > 0.5)
        longer = max(np.ptp(rows), np.ptp(columns)) + 1
        assert BOX - 5 <= longer <= BOX + 3
        y, x = (np.average(axis, weights=picture) for axis in np.mgrid[:SIDE, :SIDE])
        assert abs(y - 13.5) < 2.5
        assert abs(x - 13.5) < 2.5


def test_the_same_seed_draws_the_same_and_no_digit_twice() -> None:
    pictures, labels = draw_digits(200, 3)
    again, same = draw_digits(200, 3)
    assert np.array_equal(pictures, again)
    assert np.array_equal(labels, same)
    assert not np.array_equal(pictures, draw_digits(200, 4)[0])
    assert len(np.unique(pictures.reshape(200, -1), axis=0)) == 200
    assert set(labels) == set(range(10))


def test_a_corner_is_kept_sharp_and_other_points_are_passed_smoothly() -> None:
    random = np.random.default_rng(0)
    sharp, ends = curves("0,0 50,0! 50,50", 1, 0.0, random)
    angles = np.arctan2(*(ends - sharp)[0].T[::-1])
    assert np.allclose(angles[:5], 0, atol=1e-3)
    assert np.allclose(angles[5:], np.pi / 2, atol=1e-3)
    smooth, ends = curves("0,0 50,0 50,50", 1, 0.0, random)
    turns = np.abs(np.diff(np.arctan2(*(ends - smooth)[0].T[::-1])))
    assert turns.max() < 1.0


def test_every_digit_has_habits_that_stay_in_their_square() -> None:
    assert list(HABITS) == list(range(10))
    for habits in HABITS.values():
        for habit in habits:
            starts, ends = curves(habit, 1, 0.0, np.random.default_rng(0))
            assert np.array_equal(starts[:, 1:][0], ends[:, :-1][0]) or "|" in habit
            assert min(starts.min(), ends.min()) > -0.25
            assert max(starts.max(), ends.max()) < 1.25


@pytest.mark.parametrize("dark_on_light", [True, False])
@pytest.mark.parametrize("scale", [1, 7])
def test_a_picture_of_a_digit_becomes_what_it_came_from(dark_on_light: bool, scale: int) -> None:
    (digit,) = draw_handwritten(5, 1, np.random.default_rng(1))
    photo = np.zeros((SIDE * scale + 40, SIDE * scale + 90), np.float32)
    photo[30:][: SIDE * scale, 11 : 11 + SIDE * scale] = digit.repeat(scale, 0).repeat(scale, 1)
    photo = 0.2 + 0.5 * photo
    laid = as_mnist(1 - photo if dark_on_light else photo)
    assert np.corrcoef(laid.ravel(), digit.ravel())[0, 1] > 0.8


def test_an_empty_picture_stays_empty() -> None:
    assert as_mnist(np.full((50, 60), 0.7, np.float32)).max() == 0
