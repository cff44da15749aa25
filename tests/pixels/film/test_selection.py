"""Which frames are taken, and when: without a film, by times alone."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

import pytest

from belamy.pixels.film.frame import Moment
from belamy.pixels.film.selection import Selection, as_rate


def moments(times: Sequence[float | Fraction]) -> list[Moment]:
    exact = [Fraction(time).limit_denominator(10_000) for time in times]
    return [
        Moment(a, b - a, lambda: (_ for _ in ()).throw(AssertionError("nothing is loaded")))
        for a, b in itertools.pairwise(exact)
    ]


def take(times: Sequence[float | Fraction], **options: float) -> list[tuple[float, float]]:
    chosen = Selection(**options).apply(iter(moments(times)))  # type: ignore[arg-type]
    return [(float(one.time), float(one.duration)) for one in chosen]


EVEN = [index / 10 for index in range(11)]


def test_everything() -> None:
    assert take(EVEN) == [(i / 10, 0.1) for i in range(10)]


def test_a_part_cuts_the_frames_at_its_ends() -> None:
    assert take(EVEN, start=0.25, end=0.48) == [(0.25, 0.05), (0.3, 0.1), (0.4, 0.08)]
    assert take([0, 100], start=30, end=31.5) == [(30, 1.5)]


def test_every_so_many_stands_for_those_left_out() -> None:
    assert take(EVEN, every=4) == [(0, 0.4), (0.4, 0.4), (0.8, pytest.approx(0.2))]


def test_fewer_and_more_frames() -> None:
    assert take(EVEN, fps=5) == [(i / 5, 0.2) for i in range(5)]
    assert len(take(EVEN, fps=25)) == 25
    assert take(EVEN, fps=10) == take(EVEN)


@pytest.mark.parametrize("fps", [23.976, 24, 25, 29.97, 30, 50, 59.94, 60])
def test_a_rate_that_is_nearly_its_own_repeats_nothing(fps: float) -> None:
    times = [round(index / fps, 3) for index in range(2001)]  # as a container of milliseconds
    assert len(take(times, fps=fps)) == 2000


def test_an_uneven_film_keeps_its_clock() -> None:
    """A slow second stays one."""
    times = [0, 0.02, 0.04, 0.06, 1.06, 1.08, 1.1]
    taken = take(times, fps=50)
    assert len(taken) == 55
    assert sum(duration for _, duration in taken) == pytest.approx(1.1)


def test_a_film_shorter_than_a_tick_has_one_frame() -> None:
    assert take([0, 0.01], fps=10) == [(0, 0.1)]


def test_rates_as_they_are_meant() -> None:
    assert as_rate(23.976) == Fraction(24_000, 1001)
    assert as_rate(29.97) == Fraction(30_000, 1001)
    assert as_rate(59.94) == Fraction(60_000, 1001)
    assert as_rate(25) == 25
    assert as_rate(12.5) == Fraction(25, 2)


def test_how_many_there_will_be() -> None:
    rate = Fraction(10)
    for options in (
        {},
        {"start": 0.25},
        {"end": 0.5},
        {"every": 3},
        {"fps": 7},
        {"fps": 30, "every": 2},
    ):
        expected = Selection(**options).count(Fraction(1), 10, rate)  # type: ignore[arg-type]
        assert abs(expected - len(take(EVEN, **options))) <= 1
    assert Selection().count(None, None, rate) is None
    assert Selection(every=2).count(None, 11, rate) == 6
