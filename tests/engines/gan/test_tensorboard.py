"""What TensorBoard is told: by a stand-in that writes it down; by the true one, if it is here."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from belamy.engines.gan.api import GanConfig, train_gan

# A package as belamy finds it, and the one class that it takes from torch, which keeps a diary.
STAND_IN = """
import json
from pathlib import Path

class SummaryWriter:
    def __init__(self, log_dir, purge_step=None):
        self.path = Path(log_dir) / "diary.jsonl"
        self.path.parent.mkdir(exist_ok=True)
        self.tell("opened", purge_step)

    def tell(self, *line):
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\\n")

    def add_scalar(self, tag, value, step):
        self.tell(tag, float(value), step)

    def add_image(self, tag, image, step):
        self.tell(tag, list(image.shape), step)

    def close(self):
        self.tell("closed")
"""


@pytest.fixture
def config(coloured: Callable[..., Path]) -> GanConfig:
    data = str(coloured("red", "blue"))
    return GanConfig(data=data, size=16, enlarge=True, width=0.1, steps=4, batch=4)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "packages"
    (place / "tensorboard").mkdir(parents=True)
    (place / "tensorboard" / "__init__.py").touch()
    (place / "belamy_diary.py").write_text(STAND_IN)
    monkeypatch.delitem(sys.modules, "tensorboard", raising=False)
    monkeypatch.syspath_prepend(place)
    writer = importlib.import_module("belamy_diary")
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", writer)


def diary(folder: Path) -> list[list[object]]:
    lines = (folder / "tensorboard" / "diary.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_it_is_told_what_the_log_is(config: GanConfig, stand_in: None, tmp_path: Path) -> None:
    ticks = list(train_gan(config, tmp_path / "run", device="cpu"))
    told = diary(tmp_path / "run")
    assert told[0] == ["opened", 1]
    assert told[-1] == ["closed"]
    wanted = [
        [name, value, tick.step]
        for tick in ticks
        for name, value in {**tick.losses, **tick.measures}.items()
    ]
    images = [line for line in told if line[0] == "samples"]
    assert [line for line in told[1:-1] if line not in images] == wanted
    names = {line[0] for line in wanted}
    assert {"generator", "discriminator", "sign_mean", "augment", "diversity"} <= names
    drawn = sorted((tmp_path / "run" / "samples").iterdir())
    assert images == [["samples", [3, 80, 128], step] for step in range(1, 1 + len(drawn))]


def test_what_is_done_again_is_struck_out(
    config: GanConfig, stand_in: None, tmp_path: Path
) -> None:
    stream = train_gan(config, tmp_path / "run", device="cpu")
    while next(stream).step < 3:
        pass
    stream.close()  # type: ignore[attr-defined]
    list(train_gan(config, tmp_path / "run", device="cpu"))
    told = diary(tmp_path / "run")
    assert [line for line in told if line[0] in ("opened", "closed")] == [
        *(["opened", 1], ["closed"]),
        *(["opened", 4], ["closed"]),
    ]
    steps = [line[2] for line in told if line[0] == "generator"]
    assert steps == [1, 2, 3, 4]


def test_nothing_is_written_without_it(
    config: GanConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    hidden: Callable[[str], object] = lambda name: None if name == "tensorboard" else found(name)  # noqa: E731
    monkeypatch.setattr("importlib.util.find_spec", hidden)
    list(train_gan(config, tmp_path / "run", device="cpu"))
    assert not (tmp_path / "run" / "tensorboard").exists()


@pytest.mark.filterwarnings("default")
def test_the_true_one_can_read_it(config: GanConfig, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    ticks = list(train_gan(config, tmp_path / "run", device="cpu"))
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    seen = events.Scalars("generator")
    assert [event.step for event in seen] == [1, 2, 3, 4]
    wanted = [tick.losses["generator"] for tick in ticks[1:]]
    assert np.allclose([event.value for event in seen], wanted)
    assert events.Images("samples")[0].width == 128
