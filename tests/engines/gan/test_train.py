"""A real training in real processes: killed, resumed, bit-equal to an unbroken one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from belamy.engines.gan.api import GanConfig, train_gan
from belamy.networks.load import load_network

# A very small generator and discriminator; everything that keeps a memory is at work.
SCRIPT = """
from belamy.engines.gan.api import GanConfig, train_gan
from belamy.engines.gan.task import GanTask
import belamy.engines.gan.config as gan

gan._FEW = 10  # so that the changes adapt
witnessed(GanTask)
config = GanConfig(
    data=str(inputs[0]), size=16, width=0.1, steps=STEPS, batch=4, labels=True, enlarge=True,
    penalty_every=2, ARGUMENTS
)
for tick in train_gan(config, folder, device="cpu"):
    pass
"""
FILES = ("network.safetensors", "network-training.safetensors", "progress.gif")


def script(steps: int, arguments: str = "") -> str:
    return SCRIPT.replace("STEPS", str(steps)).replace("ARGUMENTS", arguments)


@pytest.fixture
def pictures(coloured: Callable[..., Path]) -> Path:
    return coloured("red", "blue")


def test_kill_and_resume(both: Callable[..., Any], pictures: Path) -> None:
    unbroken, resumed = both(script(60), [pictures], processes=1, total=60)
    ((name, steps),) = unbroken.steps().items()
    assert name == "0-of-1"
    assert [index for _, index in steps] == list(range(60))
    assert len({pid for pid, _ in resumed.steps()["0-of-1"]}) == 2
    resumed.assert_same_end(unbroken, *FILES)
    assert len({line["augment"] for line in unbroken.log()}) > 1
    assert load_network(resumed.folder / "network.safetensors", "generator").network.labels == (
        "test",
        "train",
    )


def test_kill_and_resume_two_processes(both: Callable[..., Any], pictures: Path) -> None:
    asked = script(30, "architecture='dcgan', discriminator_steps=2, accumulate=2, penalty=0.1,")
    unbroken, resumed = both(asked, [pictures], processes=2, total=30)
    steps = unbroken.steps()
    assert steps.keys() == {"0-of-2", "1-of-2"}  # the world was two, and both were in it
    for taken in steps.values():
        assert [index for _, index in taken] == list(range(30))
    assert len({taken[0][0] for taken in steps.values()}) == 2
    assert [line["step"] for line in unbroken.log()] == list(range(1, 31))  # logged once
    assert resumed.steps().keys() == steps.keys()
    resumed.assert_same_end(unbroken, *FILES)
    with safe_open(unbroken.folder / "network.safetensors", framework="pt") as file:
        assert file.metadata()["loss"] == "relativistic"


def test_a_run_of_before_goes_on(pictures: Path, tmp_path: Path) -> None:
    """Its configuration says `half_life`, its log `certainty` and `slopes`."""
    config = GanConfig(
        data=str(pictures), size=16, width=0.1, steps=4, batch=4, enlarge=True, ema_half_life=50
    )
    for _ in train_gan(config, tmp_path / "unbroken", device="cpu"):
        pass
    stream = train_gan(config, tmp_path / "run", device="cpu")
    while next(stream).step < 2:
        pass
    stream.close()  # type: ignore[attr-defined]
    path = tmp_path / "run" / "config.json"
    record = json.loads(path.read_text())
    record["config"]["half_life"] = record["config"].pop("ema_half_life")
    path.write_text(json.dumps(record))
    path = tmp_path / "run" / "log.jsonl"
    path.write_text(
        path.read_text().replace('"sign_mean"', '"certainty"').replace('"penalty"', '"slopes"')
    )
    assert [one.step for one in train_gan(config, tmp_path / "run", device="cpu")] == [2, 3, 4]
    for name in FILES[:2]:
        ends = [(tmp_path / folder / name).read_bytes() for folder in ("unbroken", "run")]
        assert ends[0] == ends[1]
    logged = [json.loads(line) for line in path.read_text().splitlines()]
    assert all({"sign_mean", "penalty"} <= record.keys() for record in logged)
