"""The loop: resuming is bit-equal, Ctrl-C is safe, what is no number stops it."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.errors import Diverged, RunError
from belamy.training.run_folder import Run, create_run
from belamy.training.task import Backward, TrainingTask
from belamy.training.trainer import (
    Intervals,
    Trained,
    TrainingProgress,
    choose_intervals,
    is_due,
    train,
)

TOTAL = 12
INTERVALS = Intervals(report=2, evaluate=4, save=2)


class Toy(TrainingTask):
    """A line fitted to points, with dropout, so that torch's own generator matters."""

    def __init__(self, ema_decay: float = 0.9) -> None:
        super().__init__(Accelerator(cpu=True), total_steps=TOTAL, ema_decay=ema_decay, seed=0)
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 1))
        self.networks["line"] = network
        optimizer = torch.optim.SGD(network.parameters(), 0.01, momentum=0.9)
        self.optimizers["line"] = optimizer
        self.buffers["sum"] = torch.zeros(())
        self.summary = "a line"
        self.before: Callable[[int], None] = lambda index: None
        self.spoil = -1

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        self.before(index)
        points = torch.randn(16, 3, generator=make_rng(0, index)) + self.buffers["sum"] / 100
        self.buffers["sum"] += points.mean()
        self.networks["line"].train()
        self.optimizers["line"].zero_grad()
        loss = (self.networks["line"](points) - points.sum(1, keepdim=True)).square().mean()
        backward(loss * (float("nan") if index == self.spoil else 1))
        self.optimizers["line"].step()
        return {"loss": loss}

    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        with torch.no_grad():
            return {"height": float(networks["line"].eval()(torch.ones(1, 3)))}


def steps(toy: Toy, run: Run) -> Generator[TrainingProgress, None, Trained]:
    return train(toy, run, Accelerator(cpu=True), INTERVALS)


def run_to_end(toy: Toy, run: Run) -> tuple[list[TrainingProgress], Trained]:
    reports, stream = [], steps(toy, run)
    while True:
        try:
            reports.append(next(stream))
        except StopIteration as end:
            return reports, end.value


def test_messages_reach_the_next_report_and_the_log(tmp_path: Path) -> None:
    toy, run = Toy(), made(tmp_path / "run")
    toy.before = lambda index: toy.messages.append("three") if index == 3 else None
    reports, _ = run_to_end(toy, run)
    assert [report.step for report in reports if report.note == "three"] == [4]
    assert [line["step"] for line in log_of(run) if line.get("note") == "three"] == [4]


@dataclass(frozen=True)
class Nothing:
    """No options."""


def made(folder: Path) -> Run:
    return create_run(folder, "toy", Nothing())


def log_of(run: Run) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def assert_equal(one: Trained, other: Trained) -> None:
    for name, value in one.networks["line"].state_dict().items():
        assert torch.equal(value, other.networks["line"].state_dict()[name]), name
    assert one.measures == other.measures


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Trained]:
    run = made(tmp_path_factory.mktemp("toy") / "unbroken")
    return run, run_to_end(Toy(), run)[1]


def test_what_it_tells(tmp_path: Path) -> None:
    reports, trained = run_to_end(Toy(), made(tmp_path / "run"))
    assert [report.step for report in reports] == [0, 2, 4, 6, 8, 10, 12]
    assert reports[0].note == "a line"
    assert all(report.losses for report in reports[1:])
    assert [report.step for report in reports if report.measures] == [4, 8, 12]
    assert trained.measures == reports[-1].measures
    assert [report.seconds for report in reports] == sorted(report.seconds for report in reports)


@pytest.mark.parametrize("stop", [1, 2, 11])
def test_a_run_that_broke_off_goes_on_bit_for_bit(
    tmp_path: Path, unbroken: tuple[Run, Trained], stop: int
) -> None:
    """Broken off without a warning within a step, as `kill -9` would."""
    run, toy = made(tmp_path / "run"), Toy()

    def die(index: int) -> None:
        if index == stop:
            raise MemoryError

    toy.before = die
    with pytest.raises(MemoryError):
        run_to_end(toy, run)
    reports, trained = run_to_end(Toy(), run)
    saved = stop // 2 * 2
    assert reports[0].step == saved
    assert reports[0].note == ("a line" if saved == 0 else f"a line; going on from step {saved}")
    assert_equal(trained, unbroken[1])
    assert log_of(run) == log_of(unbroken[0])


@pytest.mark.parametrize("stop", [0, 7])
def test_ctrl_c_finishes_the_step_and_saves(
    tmp_path: Path, unbroken: tuple[Run, Trained], stop: int
) -> None:
    run, toy = made(tmp_path / "run"), Toy()

    def press(index: int) -> None:
        if index == stop:
            signal.raise_signal(signal.SIGINT)

    toy.before = press
    with pytest.raises(KeyboardInterrupt):
        run_to_end(toy, run)
    saved = run.saved_steps()[-1]
    assert stop < saved <= stop + 2
    reports, trained = run_to_end(Toy(), run)
    assert reports[0].step == saved
    assert_equal(trained, unbroken[1])
    assert log_of(run) == log_of(unbroken[0])


def test_a_stream_that_is_left_can_be_taken_up_again(
    tmp_path: Path, unbroken: tuple[Run, Trained]
) -> None:
    run = made(tmp_path / "run")
    before = signal.getsignal(signal.SIGINT)
    stream = steps(Toy(), run)
    for _ in range(4):
        next(stream)
    stream.close()
    assert signal.getsignal(signal.SIGINT) is before
    assert_equal(run_to_end(Toy(), run)[1], unbroken[1])


def test_a_finished_run_tells_its_measures_again(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    _, first = run_to_end(Toy(), run)
    reports, again = run_to_end(Toy(), run)
    assert [(report.step, report.measures) for report in reports] == [(TOTAL, first.measures)]
    assert_equal(again, first)


def test_a_damaged_checkpoint_is_said_and_not_kept(
    tmp_path: Path, unbroken: tuple[Run, Trained]
) -> None:
    run = made(tmp_path / "run")
    stream = steps(Toy(), run)
    for _ in range(5):
        next(stream)
    stream.close()
    path = run.checkpoints / "step-0000008.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    stream = steps(Toy(), run)
    note = next(stream).note
    assert "going on from step 6 (step-0000008.safetensors is damaged)" in note
    assert run.saved_steps() == [6]
    stream.close()
    assert_equal(run_to_end(Toy(), run)[1], unbroken[1])


def test_without_averages_the_networks_themselves_are_kept(tmp_path: Path) -> None:
    toy, run = Toy(ema_decay=0.0), made(tmp_path / "run")
    _, trained = run_to_end(toy, run)
    assert trained.networks["line"] is toy.networks["line"]
    tensors, _ = run.load(TOTAL)
    assert not any(name.startswith("average/") for name in tensors)


def test_averages_follow_the_networks(tmp_path: Path) -> None:
    toy = Toy()
    _, trained = run_to_end(toy, made(tmp_path / "run"))
    average, network = trained.networks["line"], toy.networks["line"]
    assert not average.training
    assert not torch.equal(average[0].weight, network[0].weight)  # type: ignore[index]
    assert int(average[1].num_batches_tracked) == TOTAL  # type: ignore[index]


def test_what_is_no_number_stops_it_and_names_the_step(tmp_path: Path) -> None:
    run, toy = made(tmp_path / "run"), Toy()

    def burst(index: int) -> None:
        if index == 4:
            with torch.no_grad():
                toy.networks["line"][3].bias.fill_(float("inf"))  # type: ignore[index]

    toy.before = burst
    with pytest.raises(Diverged, match=r"loss is (inf|nan) at step 5;"):
        run_to_end(toy, run)
    assert run.saved_steps()[-1] == 4


def test_weights_that_are_no_numbers_are_never_saved(tmp_path: Path) -> None:
    """The loss of the step is still a number; what it does to the weights is not."""
    for spoilt, said in ((5, "no numbers after step 6"), (3, "height is nan at step 4")):
        run, toy = made(tmp_path / str(spoilt)), Toy()
        toy.spoil = spoilt
        with pytest.raises(Diverged, match=said):
            run_to_end(toy, run)
        assert run.saved_steps()[-1] == spoilt - 1


def test_the_callers_random_numbers_are_not_touched(tmp_path: Path) -> None:
    stream = steps(Toy(), made(tmp_path / "run"))
    next(stream)
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    next(stream)
    assert torch.equal(torch.rand(3), wanted)
    stream.close()


def test_another_number_of_processes_is_refused(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    run_to_end(Toy(), run)
    tensors, structure = run.load(TOTAL)
    structure["trainer"]["processes"] = 2
    run.save(TOTAL, (tensors, structure))
    with pytest.raises(RunError, match="by 2 processes, not by 1"):
        next(steps(Toy(), run))


def test_two_trainings_in_one_folder_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    run = made(tmp_path / "run")
    stream = steps(Toy(), run)
    next(stream)
    with pytest.raises(RunError, match="another process"):
        next(steps(Toy(), run))
    stream.close()


def test_what_is_due_at_the_end_is_not_done_shortly_before() -> None:
    assert [step for step in range(1, 43) if is_due(10, step, 42)] == [10, 20, 30, 42]
    assert [step for step in range(1, 6) if is_due(1, step, 5)] == [1, 2, 3, 4, 5]


def test_eight_evaluations_and_twenty_five_checkpoints() -> None:
    assert choose_intervals(1) == Intervals(1, 1, 1)
    assert choose_intervals(200) == Intervals(2, 24, 8)
    assert choose_intervals(8_000) == Intervals(50, 1_000, 300)
    assert choose_intervals(80_000) == Intervals(50, 10_000, 500)


@pytest.mark.parametrize("total", [1, 7, 99, 300, 12_496, 1_000_000])
def test_the_intervals_fit_every_length(total: int) -> None:
    intervals = choose_intervals(total)
    assert 1 <= intervals.report <= 50
    assert intervals.save % intervals.report == intervals.evaluate % intervals.report == 0
    assert intervals.save <= 500
