"""What is read ahead and saved behind: the order, the errors, the ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from belamy.devices import computing_on
from belamy.engines.film import overlap
from belamy.engines.film.overlap import (
    Background,
    choose_threads,
    choose_workers,
    read_ahead,
    work_ahead,
)


def numbers(count: int, closed: list[int], stop: int = 99) -> Iterator[int]:
    try:
        for number in range(count):
            if number == stop:
                raise ValueError("damaged")
            yield number
    finally:
        closed.append(threading.get_ident())


def test_the_order_stays_and_another_thread_reads() -> None:
    closed: list[int] = []
    assert list(read_ahead(numbers(7, closed))) == list(range(7))
    assert closed != [threading.get_ident()]


def test_no_more_is_read_than_may_wait() -> None:
    taken: list[int] = []

    def count() -> Iterator[int]:
        for number in range(9):
            taken.append(number)
            yield number

    ahead = read_ahead(count(), 2)
    assert next(ahead) == 0
    ahead.close()  # type: ignore[attr-defined]
    assert len(taken) <= 3


def test_what_comes_before_an_error_is_given_and_the_error_then() -> None:
    ahead = read_ahead(numbers(9, [], stop=3))
    assert [next(ahead) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="damaged"):
        next(ahead)


def test_who_stops_early_closes_what_was_read() -> None:
    closed: list[int] = []
    ahead = read_ahead(numbers(9, closed))
    next(ahead)
    ahead.close()  # type: ignore[attr-defined]
    assert len(closed) == 1


def test_two_are_worked_on_at_a_time_and_come_in_order() -> None:
    both = threading.Barrier(2, timeout=10)

    def double(number: int) -> int:
        both.wait()  # nobody gets past it alone
        return 2 * number

    closed: list[int] = []
    assert list(work_ahead(numbers(6, closed), double, 2)) == [0, 2, 4, 6, 8, 10]
    assert len(closed) == 1


def test_few_wait_to_be_taken() -> None:
    taken: list[int] = []
    ahead = work_ahead(iter(range(99)), lambda number: taken.append(number), 2)
    next(ahead)
    ahead.close()
    assert len(taken) <= 4


@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_made_before_an_error_is_given_first(workers: int) -> None:
    def fail(number: int) -> int:
        if number == 3:
            raise OSError("full")
        return number

    for ahead, error in (
        (work_ahead(numbers(9, [], stop=3), int, workers), ValueError),
        (work_ahead(numbers(9, []), fail, workers), OSError),
    ):
        assert [next(ahead) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(error):
            next(ahead)


def test_small_frames_share_the_cores_and_large_ones_have_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small, large = (360, 640), (4320, 7680)
    monkeypatch.setattr(overlap, "available_memory", lambda device: 16 << 30)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    with computing_on(4):
        assert choose_threads(small) == 1
        assert choose_threads(large) == 4
    with computing_on(32):
        assert choose_threads(small) == 4
    with computing_on(1):
        assert choose_workers(small) == 4
        assert choose_workers(large) == 1
    with computing_on(4):  # as a film was made that is made again
        assert choose_workers(small) == 1


def test_all_is_done_at_the_end_in_its_order() -> None:
    done: list[int] = []
    with Background() as behind:
        for number in range(20):
            behind.run(lambda number=number: done.append(number))  # type: ignore[misc]
    assert done == list(range(20))


def test_an_error_of_earlier_work_is_raised_and_work_is_done_in_spite_of_one_outside() -> None:
    def fail() -> None:
        raise OSError("full")

    with pytest.raises(OSError, match="full"), Background() as behind:
        behind.run(fail)
    done: list[int] = []

    def stop() -> None:
        with Background() as behind:
            behind.run(lambda: done.append(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert done == [1]
