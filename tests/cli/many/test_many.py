"""Many pictures at a time: in order, errors in their place, stopped at once, the same bytes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import torch
import typer

from belamy.cli.groups import remark
from belamy.cli.many.cores import MemoryBudget, share_cores
from belamy.cli.many.in_order import work_in_order
from belamy.cli.many.together import count_pixels, do_together
from belamy.cli.outputs import Job
from belamy.cli.pictures import work_on
from belamy.devices import computing_on
from belamy.errors import BelamyError, ImageError
from belamy.pixels.images import Source, load_image, save_image
from belamy.steps import Step


class Meeting:
    """Counts how many are inside at a time, and lets them wait until there were so many."""

    def __init__(self, expected: int) -> None:
        self._expected, self._inside, self.most = expected, 0, 0
        self._changed = threading.Condition()

    def __call__(self) -> None:
        with self._changed:
            self._inside += 1
            self.most = max(self.most, self._inside)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most >= self._expected, timeout=20)
        with self._changed:
            self._inside -= 1


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_so_many_are_at_work_and_what_they_make_is_in_order(workers: int) -> None:
    meeting = Meeting(workers)

    def work(number: int) -> int:
        meeting()
        time.sleep(0.02 * (number % 3 == 0))  # the first takes longer than the second
        return 10 * number

    made = [outcome.made for outcome in work_in_order(range(7), work, workers)]
    assert made == [10 * number for number in range(7)]
    assert meeting.most == workers


def test_errors_and_remarks_come_in_their_place(capsys: pytest.CaptureFixture[str]) -> None:
    def work(number: int) -> int:
        remark(f"of {number}")
        if number % 2:
            raise ImageError(f"{number} is odd")
        return number

    found = []
    for number, made in do_together(range(5), work, 2, "counting"):
        typer.echo(f"{number} is told of", err=True)
        found.append(made if isinstance(made, int) else str(made))
    assert found == [0, "1 is odd", 2, "3 is odd", 4]
    lines = [line for n in range(5) for line in (f"belamy: of {n}", f"{n} is told of")]
    assert capsys.readouterr().err.splitlines() == lines


def test_what_nobody_expected_ends_it() -> None:
    begun = []

    def work(number: int) -> int:
        begun.append(number)
        time.sleep(0.01)
        return 1 // (3 - number)

    with pytest.raises(ZeroDivisionError):
        list(do_together(range(100), work, 2, "dividing"))
    assert len(begun) < 20


def test_nothing_goes_on_when_its_reader_has_stopped() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        time.sleep(0.01)
        return number

    with closing(do_together(range(200), work, 2, "counting")) as working:
        assert next(working) == (0, 0)
    assert len(begun) < 50
    count = len(begun)
    time.sleep(0.1)
    assert len(begun) == count


def test_memory_that_is_missing_is_said_as_ever() -> None:
    def work(number: int) -> int:
        raise MemoryError

    ((_, made),) = do_together([1], work, 2, "growing")
    assert isinstance(made, BelamyError)
    assert "out of memory" in str(made)


def test_ctrl_c_interrupts_what_is_at_work() -> None:
    ended: list[int] = []
    begun = threading.Barrier(3)

    def work(number: int) -> None:
        try:
            begun.wait(20)
            while True:
                time.sleep(0.01)
        finally:
            ended.append(number)

    def stop() -> None:
        begun.wait(20)
        os.kill(os.getpid(), signal.SIGINT)  # which wakes the main thread, as a terminal does

    threading.Thread(target=stop).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(work_in_order(range(9), work, 2))
    assert sorted(ended) == [0, 1]
    assert time.monotonic() - start < 20


def test_room_is_shared_and_what_is_too_large_has_it_alone() -> None:
    budget, order = MemoryBudget(10), []

    def take(name: str, amount: float) -> None:
        with budget.take(amount):
            order.append(name)
            time.sleep(0.05)
            order.append(name)

    threads = [threading.Thread(target=take, args=one) for one in (("a", 8), ("b", 99), ("c", 2))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    place = order.index("b")
    assert order[place : place + 2] == ["b", "b"]
    assert len(order) == 6


def test_cores_are_shared_by_several_pictures_alone(tmp_path: Path) -> None:
    with computing_on(2):
        with share_cores([Path("a.png")], "cpu") as one, share_cores([tmp_path], "cpu") as several:
            assert (one, several) == (1, 2)
        with share_cores([Path("a.png")] * 2, "meta") as elsewhere:
            assert elsewhere == 1


def test_each_computes_on_one_thread(tmp_path: Path) -> None:
    """Which is what its recipe says."""
    with computing_on(2):
        with share_cores([tmp_path], "cpu") as workers:
            assert workers == 2
            counted = work_in_order(range(3), lambda _: torch.get_num_threads(), workers)
            assert [outcome.made for outcome in counted] == [1, 1, 1]
        assert torch.get_num_threads() == 2


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.png" for name in "abcde"]
    for number, path in enumerate(paths):
        save_image(torch.full((1, 3, 4, 4), number / 10), path)
    paths[2].write_bytes(b"no picture")
    return paths


def lighten(image: Source, job: Job) -> Iterator[Step]:
    yield Step(1, 1, load_image(image) + 0.5, {}, note="lighter")


def test_a_command_says_the_same_on_several_threads(
    pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said, made = [], []
    for workers in (1, 2):
        folder, there = tmp_path / "made", list[str]()
        with pytest.raises(typer.Exit) as failure:
            work_on(
                pictures,
                f"{folder}/",
                lighten,
                "lightening",
                overwrite=True,
                workers=workers,
                on_made=lambda job: there.append(job.target.stem),  # noqa: B023
            )
        assert there == ["a", "b", "d", "e"]
        assert failure.value.exit_code == 1
        shown = capsys.readouterr()
        said.append((shown.out, [line for line in shown.err.splitlines() if "\x1b" not in line]))
        made.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert said[0] == said[1]
    assert made[0] == made[1]
    assert len(made[0]) == 4


def test_pixels_are_counted_by_the_head_of_a_file(pictures: list[Path]) -> None:
    assert [count_pixels(path) for path in pictures[1:3]] == [16, 0]
    assert count_pixels(Path("photos.zip/a.png")) == 0
