"""A task that can be tried again goes back once; everything else stops at what is no number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.errors import Diverged
from belamy.training.run_folder import Run, create_run
from belamy.training.task import Backward, TrainingTask
from belamy.training.trainer import Intervals, TrainingProgress, train

INTERVALS = Intervals(report=2, evaluate=2, save=4)


@dataclass(frozen=True)
class Config:
    """Nothing was asked."""


class Fragile(TrainingTask):
    """A number that grows; from some step on it breaks, unless it was told to grow slower."""

    def __init__(self, breaks: int, *, cured: bool = True) -> None:
        super().__init__(Accelerator(cpu=True), total_steps=12, ema_decay=0.0, seed=0)
        number = nn.Linear(1, 1, bias=False)
        nn.init.ones_(number.weight)
        self.networks = {"number": number}
        self.optimizers = {"number": torch.optim.SGD(number.parameters(), 0.1)}
        self.summary = "a number"
        self.buffers["tries"] = torch.zeros((), dtype=torch.int64)
        self.breaks, self.cured, self.taken = breaks, cured, 0

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        self.taken += 1
        assert self.taken < 30  # it is never tried for ever
        tries = int(self.buffers["tries"])
        factor = (
            math.nan if index == self.breaks and not (tries and self.cured) else 1 / (1 + tries)
        )
        self.optimizers["number"].zero_grad()
        loss = -self.networks["number"](torch.ones(1, 1)).mean()
        backward(loss * factor)
        self.optimizers["number"].step()
        return {"loss": loss * factor}

    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        return {"weight": next(networks["number"].parameters()).item()}

    def recover(self) -> str:
        self.buffers["tries"] += 1
        return "smaller steps"


def reports(task: Fragile, place: Path) -> tuple[list[TrainingProgress], Run]:
    run = create_run(place, "toy", Config())
    return list(train(task, run, Accelerator(cpu=True), INTERVALS)), run


def test_it_goes_back_to_the_last_checkpoint_and_says_so(tmp_path: Path) -> None:
    task = Fragile(breaks=6)
    seen, run = reports(task, tmp_path)
    notes = [report.note for report in seen if report.note][1:]
    assert notes == ["loss is nan at step 7: back to step 4, with smaller steps"]
    weight = next(task.networks["number"].parameters()).item()
    assert weight == pytest.approx(1 + 4 * 0.1 + 8 * 0.05)  # half as large from step 4 on
    assert [line["step"] for line in run.history()] == [2, 4, 6, 8, 10, 12]


def test_the_second_time_it_stops_and_the_checkpoint_stands(tmp_path: Path) -> None:
    with pytest.raises(Diverged, match="loss is nan at step 7"):
        reports(Fragile(breaks=6, cured=False), tmp_path)
    assert Run(tmp_path).saved_steps() == [4]


def test_there_must_be_something_to_go_back_to(tmp_path: Path) -> None:
    with pytest.raises(Diverged, match="step 3"):
        reports(Fragile(breaks=2), tmp_path)
