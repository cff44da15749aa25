"""A real training in real processes: killed, resumed, bit-equal to an unbroken one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

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
