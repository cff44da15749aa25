"""Two processes that train together: what they share, what each keeps, who writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from belamy.devices import make_rng

SCRIPT = '''
import json, signal, sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from belamy.training.processes import average_gradients, choose_accelerator
from belamy.training.run import Training, run_training
from belamy.training.task import TrainingTask
from belamy.training.trainer import Intervals

place, stop = Path(sys.argv[1]), int(sys.argv[2])


@dataclass(frozen=True)
class Config:
    steps: int = 4


class Toy(TrainingTask):
    """Each process has a loss, a random number, a sum and a buffer of its own."""

    def __init__(self, accelerator):
        super().__init__(accelerator, total_steps=4, ema_decay=0.0, seed=5)
        network = nn.BatchNorm1d(1)
        self.networks["line"] = network
        self.optimizers["line"] = torch.optim.SGD(network.parameters(), 1.0)
        self.buffers["sum"] = torch.zeros(1)
        self.drawn = {}

    def step(self, index, backward):
        if index == stop and self.rank == 1:
            signal.raise_signal(signal.SIGINT)
        self.drawn[index] = torch.rand(1).item()
        self.buffers["sum"] += self.rank + 1
        network = self.unwrap("line")
        network.running_mean.fill_(10.0 * (self.rank + 1))
        self.optimizers["line"].zero_grad()
        loss = (self.rank + 1) * network.weight.sum()
        backward(loss)
        average_gradients([network.weight.grad], self.accelerator)
        self.optimizers["line"].step()
        return {"loss": torch.tensor(float(self.rank + 1))}

    def evaluate(self, networks, step):
        return {"mean": networks["line"].running_mean.item()}


tasks = []


def load(config, accelerator):
    with (place / "loaded").open("a") as file:
        file.write(f"{accelerator.process_index}")


def make(config, data, run, accelerator):
    tasks.append(Toy(accelerator))
    return tasks[-1]


def save(config, data, run, trained):
    with (place / "saved").open("a") as file:
        file.write(f"{tasks[0].rank}")


def watch(run, held):
    file = held.enter_context((place / "watched").open("a"))
    return lambda progress: file.write(f"{tasks[0].rank}")


training = Training("toy", load, make, save, lambda total: Intervals(1, 4, 4), watch)
stopped = False
reports = []
try:
    for report in run_training(training, Config(), place / "run", "cpu"):
        reports.append([report.step, report.losses, report.measures])
except KeyboardInterrupt:
    stopped = True
(task,) = tasks
weight = task.unwrap("line").weight.item()
kept = {"stopped": stopped, "reports": reports, "drawn": task.drawn, "weight": weight,
        "sum": task.buffers["sum"].item()}
(place / f"{task.rank}.json").write_text(json.dumps(kept))
'''


def train(place: Path, stop: int = -1) -> list[dict[str, Any]]:
    """What each of two processes has to tell."""
    script = place / "script.py"
    script.write_text(SCRIPT)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    subprocess.run(
        [*launcher, "--nproc-per-node", "2", str(script), str(place), str(stop)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
        timeout=300,
    )
    return [json.loads((place / f"{rank}.json").read_text()) for rank in (0, 1)]


def test_two_processes_train_together(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    first, second = train(tmp_path)
    assert first["reports"] == second["reports"]
    assert [report[1] for report in first["reports"]] == [{}, *[{"loss": 1.5}] * 4]
    assert first["reports"][-1][2] == {"mean": 10.0}  # the first process's
    assert first["weight"] == second["weight"] == 1 - 4 * 1.5
    assert (first["sum"], second["sum"]) == (4, 8)
    for rank, told in enumerate((first, second)):
        for index in range(4):
            seed = make_rng(5, "step", index, rank).initial_seed()
            wanted = torch.rand(1, generator=torch.Generator().manual_seed(seed))
            assert told["drawn"][str(index)] == wanted.item()
    assert (tmp_path / "loaded").read_text() == "01"
    assert (tmp_path / "saved").read_text() == "0"
    assert set((tmp_path / "watched").read_text()) == {"0"}
    (checkpoint,) = (tmp_path / "run" / "checkpoints").iterdir()
    assert load_file(checkpoint)["memory/sum"].tolist() == [[4.0], [8.0]]
    assert len((tmp_path / "run" / "log.jsonl").read_text().splitlines()) == 4


def test_ctrl_c_in_one_stops_both_at_the_same_step_and_each_goes_on_with_its_own(
    tmp_path: Path,
) -> None:
    pytest.importorskip("fcntl")
    for told, wanted in zip(train(tmp_path, stop=1), (2, 4), strict=True):
        assert told["stopped"]
        assert told["reports"][-1][0] in (2, 3)
        assert told["sum"] == wanted * told["reports"][-1][0] / 2
    first, second = train(tmp_path)
    assert not first["stopped"]
    assert (first["sum"], second["sum"]) == (4, 8)
    assert first["weight"] == 1 - 4 * 1.5
    assert (tmp_path / "saved").read_text() == "0"


def test_srun_and_mpirun_make_no_group() -> None:
    """accelerate counts their processes on a processor, and waits for those that never come."""
    names = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
    script = (
        "import os; from belamy.training.processes import choose_accelerator; "
        f"print(choose_accelerator('cpu').num_processes, *map(os.environ.get, {names}))"
    )
    said = {**dict.fromkeys(names, "2"), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29517"}
    known = {key: value for key, value in os.environ.items() if key != "WORLD_SIZE"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**known, **said},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["1", "2", "2", "2"], done.stderr
