"""The frame of every training: what is done in which order, by which process."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.errors import OptionError, RunError
from belamy.training.run import Observer, Training, run_training
from belamy.training.run_folder import Run
from belamy.training.task import Backward, TrainingTask
from belamy.training.trainer import Intervals, Trained, TrainingProgress


@dataclass(frozen=True)
class Config:
    steps: int = 4


class Toy(TrainingTask):
    """A number that is counted up, its gradient being −1."""

    def __init__(self, config: Config, accelerator: Accelerator) -> None:
        super().__init__(accelerator, total_steps=config.steps, ema_decay=0.5, seed=0)
        number = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(number.weight)
        self.networks["number"] = number
        self.optimizers["number"] = torch.optim.SGD(number.parameters(), 1.0)

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        self.optimizers["number"].zero_grad()
        loss = -self.networks["number"](torch.ones(1, 1)).sum()
        backward(loss)
        self.optimizers["number"].step()
        return {"loss": loss}

    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        return {"number": number_of(networks)}


def number_of(networks: Mapping[str, nn.Module]) -> float:
    return next(networks["number"].parameters()).item()


class Frame:
    """A training that notes what is done."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.trained: Trained | None = None
        self.training: Training[Config, str] = Training(
            "toy", self.load, self.make, self.save, lambda total: Intervals(1, 2, 2), self.open
        )

    def load(self, config: Config, accelerator: Accelerator) -> str:
        self.done.append("load")
        return "data"

    def make(self, config: Config, data: str, run: Run, accelerator: Accelerator) -> Toy:
        assert data == "data"
        assert run.samples.is_dir()
        self.done.append("make")
        return Toy(config, accelerator)

    def save(self, config: Config, data: str, run: Run, trained: Trained) -> None:
        self.done.append("save")
        self.trained = trained

    def open(self, run: Run, held: ExitStack) -> Observer | None:
        held.callback(lambda: self.done.append("closed"))
        self.done.append("open")
        return lambda progress: self.done.append(f"step {progress.step}")

    def run(self, config: Config, folder: Path) -> list[TrainingProgress]:
        return list(run_training(self.training, config, folder, "cpu"))


def test_everything_is_done_in_its_order(tmp_path: Path) -> None:
    frame = Frame()
    reports = frame.run(Config(), tmp_path / "run")
    assert [report.step for report in reports] == [0, 1, 2, 3, 4]
    steps = [f"step {step}" for step in range(5)]
    assert frame.done == ["load", "make", "open", *steps, "closed", "save"]
    assert Run(tmp_path / "run").run_type == "toy"


def test_what_is_saved_is_averaged_and_what_the_last_step_left_is_there_too(tmp_path: Path) -> None:
    frame = Frame()
    frame.run(Config(), tmp_path / "run")
    assert frame.trained is not None
    assert number_of(frame.trained.unaveraged) == 4
    average = 0.0
    for step in range(4):
        decay = min(0.5, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * (step + 1)
    assert number_of(frame.trained.networks) == pytest.approx(average)
    assert frame.trained.measures == {"number": pytest.approx(average)}


def test_a_training_that_is_left_is_closed_and_goes_on(tmp_path: Path) -> None:
    frame = Frame()
    stream = run_training(frame.training, Config(), tmp_path / "run", "cpu")
    for _ in range(4):
        next(stream)
    del stream
    assert frame.done[-1] == "closed"
    assert "save" not in frame.done
    reports = frame.run(Config(), tmp_path / "run")
    assert [report.step for report in reports] == [2, 3, 4]
    assert frame.trained is not None
    assert number_of(frame.trained.unaveraged) == 4


def test_without_an_observer_the_news_are_the_same(tmp_path: Path) -> None:
    frame = Frame()
    frame.training = replace(frame.training, open_observer=lambda run, held: None)
    assert [report.step for report in frame.run(Config(), tmp_path / "run")] == [0, 1, 2, 3, 4]


def test_nothing_is_made_where_the_device_is_none_or_the_run_another(tmp_path: Path) -> None:
    frame = Frame()
    with pytest.raises(OptionError):
        next(run_training(frame.training, Config(), tmp_path / "run", "cpu", precision="float16"))
    assert frame.done == []
    frame.run(Config(), tmp_path / "run")
    with pytest.raises(RunError, match="started with steps 4, not 5"):
        frame.run(Config(5), tmp_path / "run")
