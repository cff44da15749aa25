"""A real training in real processes: killed, resumed, bit-equal to an unbroken one."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from belamy.networks.backbone import load_backbone

# Trains a very small iris, and writes down which process took which step.
SCRIPT = """
import os, sys
from pathlib import Path
from belamy.networks import embedded

embedded.STEM = (4, 4, 8)
embedded.BLOCKS = {"mixed3a": (8, 4, 8, 4, 4, 4), "mixed4a": (8, 4, 8, 4, 4, 4)}

from belamy.engines.classifier import ClassifierRecipe
from belamy.engines.classify import ClassifyConfig, train_classifier

data, folder, witness = map(Path, sys.argv[1:])
whole_step = ClassifierRecipe.step

def step(self, index, backward):
    with (witness / f"{self.rank}-of-{self.world}").open("a") as file:
        file.write(f"{os.getpid()} {index}\\n")
    return whole_step(self, index, backward)

ClassifierRecipe.step = step
config = ClassifyConfig(
    data=str(data), stages=((8, 4), (12, 2)), batch=8, learning_rate=0.05, adversarial=1.0
)
for tick in train_classifier(config, folder, device="cpu"):
    pass
"""
ALONE = [sys.executable]
TOGETHER = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.fixture
def pictures(coloured: Callable[..., Path]) -> Path:
    return coloured("red", "blue")


class Training:
    """One run folder, and the processes that work in it."""

    def __init__(self, place: Path, pictures: Path, launcher: list[str]) -> None:
        place.mkdir()
        self.folder, self.witness = place / "run", place / "witness"
        self.witness.mkdir()
        script = place / "script.py"
        script.write_text(SCRIPT)
        words = (str(script), str(pictures), str(self.folder), str(self.witness))
        self.command = [*launcher, *words]
        self.environment = os.environ | {
            "BELAMY_HOME": str(place / "home"),
            "OMP_NUM_THREADS": "1",  # sums in another order would not be bit-equal
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command, env=self.environment, stderr=subprocess.PIPE, text=True
        )

    def finish(self, process: subprocess.Popen[str] | None = None) -> None:
        process = process or self.start()
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said

    def steps(self) -> dict[str, list[list[int]]]:
        """ "RANK-of-WORLD" → [process, step], in the order in which they were taken."""
        return {
            path.name: [[int(word) for word in line.split()] for line in lines]
            for path in sorted(self.witness.iterdir())
            if (lines := path.read_text().splitlines())
        }

    def kill_at(self, step: int, pause: float) -> None:
        """`kill -9` to every process, a moment after `step` was begun."""
        process = self.start()
        deadline = time.monotonic() + 200
        while not any(taken[-1][1] >= step for taken in self.steps().values()):
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.002)
        time.sleep(pause)
        workers = {taken[-1][0] for taken in self.steps().values()}
        for victim in {process.pid, *workers}:
            os.kill(victim, signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL

    def log(self) -> list[dict[str, Any]]:
        lines = (self.folder / "log.jsonl").read_text().splitlines()
        return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def assert_same_end(one: Training, other: Training) -> None:
    assert one.log() == other.log()
    for name in ("network.safetensors", "network-training.safetensors"):
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes(), name
    assert not list(one.folder.rglob("*.part*"))


def both(place: Path, pictures: Path, launcher: list[str], total: int) -> tuple[Training, Training]:
    """A run that was left in peace, and one that was killed and resumed, side by side."""
    unbroken = Training(place / "unbroken", pictures, launcher)
    process = unbroken.start()
    chance = random.Random()
    step, pause = chance.randrange(3, total - 6), chance.uniform(0, 0.05)
    resumed = Training(place / "killed", pictures, launcher)
    resumed.kill_at(step, pause)
    taken = max(steps[-1][1] for steps in resumed.steps().values())
    print(f"killed {pause:.3f} s after step {step}, at step {taken} of {total}")
    assert taken < total - 1
    resumed.finish()
    unbroken.finish(process)
    return unbroken, resumed


def test_kill_and_resume(tmp_path: Path, pictures: Path) -> None:
    unbroken, resumed = both(tmp_path, pictures, ALONE, 72)
    ((name, steps),) = unbroken.steps().items()
    assert name == "0-of-1"
    assert [index for _, index in steps] == list(range(72))
    assert len({pid for pid, _ in resumed.steps()["0-of-1"]}) == 2
    assert_same_end(resumed, unbroken)
    network = load_backbone(resumed.folder / "network.safetensors", layers=[])
    assert network.classes == ("blue", "red")
    assert unbroken.log()[-1]["accuracy"] > 80


def test_kill_and_resume_two_processes(tmp_path: Path, pictures: Path) -> None:
    unbroken, resumed = both(tmp_path, pictures, TOGETHER, 36)
    steps = unbroken.steps()
    assert steps.keys() == {"0-of-2", "1-of-2"}  # the world was two, and both were in it
    for taken in steps.values():
        assert [index for _, index in taken] == list(range(36))
    assert len({taken[0][0] for taken in steps.values()}) == 2
    assert [line["step"] for line in unbroken.log()] == list(range(1, 37))  # logged once
    assert resumed.steps().keys() == steps.keys()
    assert_same_end(resumed, unbroken)
