"""Sets of pictures and trainings, all very small; and real processes that are killed."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from belamy import devices
from belamy.networks.backbones import iris


@pytest.fixture(autouse=True, scope="module")
def single_precision() -> Iterator[None]:
    """`auto` means float32 here, so that values are the same on every processor."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "times_bfloat16", lambda: 1.0)
        yield


CHANNELS = {"red": 0, "green": 1, "blue": 2}


def noise(name: str, rng: np.random.Generator, side: int = 12) -> bytes:
    """A PNG of noise in which one colour is stronger."""
    pixels = rng.integers(0, 150, (side, side, 3), np.uint8)
    pixels[..., CHANNELS[name]] += 100
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a zip of noise in two or three colours, 48 of each to learn and 8 to measure."""

    def make(*names: str) -> Path:
        path = tmp_path_factory.mktemp("set") / f"{'-'.join(names)}.zip"
        rng = np.random.default_rng(0)
        with zipfile.ZipFile(path, "w") as archive:
            for split, count in (("train", 48), ("test", 8)):
                for name in names:
                    for number in range(count):
                        archive.writestr(f"{split}/{name}/{number:03}.png", noise(name, rng))
        return path

    return make


@pytest.fixture
def small_iris(monkeypatch: pytest.MonkeyPatch) -> None:
    """Iris with a hundredth of its weights."""
    block = (8, 4, 8, 4, 4, 4)
    monkeypatch.setattr(iris, "STEM", (4, 4, 8))
    monkeypatch.setattr(iris, "BLOCKS", {"mixed3a": block, "mixed4a": block})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


_WITNESS = """
import os, sys
from pathlib import Path

*inputs, folder, witness = map(Path, sys.argv[1:])

def witnessed(recipe):
    whole_step = recipe.step

    def step(self, index, backward):
        with (witness / f"{self.rank}-of-{self.world_size}").open("a") as file:
            file.write(f"{os.getpid()} {index}\\n")
        return whole_step(self, index, backward)

    recipe.step = step
"""


_ALONE = [sys.executable]
_TOGETHER = [*_ALONE, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


class Training:
    """One run folder, and the processes that work in it."""

    def __init__(self, place: Path, script: str, inputs: Sequence[Path], processes: int) -> None:
        place.mkdir()
        self.folder, self.witness = place / "run", place / "witness"
        self.witness.mkdir()
        file = place / "script.py"
        file.write_text(_WITNESS + script)
        launcher = _ALONE if processes == 1 else _TOGETHER
        self.command = [*launcher, *map(str, (file, *inputs, self.folder, self.witness))]
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
        _, said = process.communicate(timeout=600)
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
        deadline = time.monotonic() + 500  # on a machine that others work on too
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

    def assert_same_end(self, other: Training, *files: str) -> None:
        """The same log, and the same bytes in the files."""
        assert self.log() == other.log()
        for name in files:
            assert (self.folder / name).read_bytes() == (other.folder / name).read_bytes(), name
        assert not list(self.folder.rglob("*.part*"))


@pytest.fixture
def both(tmp_path: Path) -> Callable[..., tuple[Training, Training]]:
    """A run that is left in peace, and one that is killed and resumed, side by side.

    Its script trains in `folder` on its `inputs`, and hands its recipe's class to `witnessed`.
    """

    def train(
        script: str, inputs: Sequence[Path], *, processes: int, total: int
    ) -> tuple[Training, Training]:
        unbroken = Training(tmp_path / "unbroken", script, inputs, processes)
        process = unbroken.start()
        chance = random.Random()
        step, pause = chance.randrange(3, total - 6), chance.uniform(0, 0.05)
        resumed = Training(tmp_path / "killed", script, inputs, processes)
        resumed.kill_at(step, pause)
        taken = max(steps[-1][1] for steps in resumed.steps().values())
        print(f"killed {pause:.3f} s after step {step}, at step {taken} of {total}")
        assert taken < total - 1
        resumed.finish()
        unbroken.finish(process)
        return unbroken, resumed

    return train
