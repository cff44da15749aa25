"""A real training in real processes: killed, resumed, bit-equal to an unbroken one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from belamy.networks.backbone import load_backbone

# Trains a very small iris.
SCRIPT = """
from belamy.networks.backbones import iris

iris.STEM = (4, 4, 8)
iris.BLOCKS = {"mixed3a": (8, 4, 8, 4, 4, 4), "mixed4a": (8, 4, 8, 4, 4, 4)}

from belamy.engines.classify.task import ClassifierTask
from belamy.engines.classify.api import ClassifyConfig, train_classifier

witnessed(ClassifierTask)
config = ClassifyConfig(
    data=str(inputs[0]), stages=((8, 4), (12, 2)), batch=8, learning_rate=0.05, adversarial=1.0
)
for tick in train_classifier(config, folder, device="cpu"):
    pass
"""
FILES = ("network.safetensors", "network-training.safetensors")


@pytest.fixture
def pictures(coloured: Callable[..., Path]) -> Path:
    return coloured("red", "blue")


def test_kill_and_resume(both: Callable[..., Any], pictures: Path) -> None:
    unbroken, resumed = both(SCRIPT, [pictures], processes=1, total=72)
    ((name, steps),) = unbroken.steps().items()
    assert name == "0-of-1"
    assert [index for _, index in steps] == list(range(72))
    assert len({pid for pid, _ in resumed.steps()["0-of-1"]}) == 2
    resumed.assert_same_end(unbroken, *FILES)
    network = load_backbone(resumed.folder / "network.safetensors", layers=[])
    assert network.classes == ("blue", "red")
    assert unbroken.log()[-1]["accuracy"] > 80


def test_kill_and_resume_two_processes(both: Callable[..., Any], pictures: Path) -> None:
    unbroken, resumed = both(SCRIPT, [pictures], processes=2, total=36)
    steps = unbroken.steps()
    assert steps.keys() == {"0-of-2", "1-of-2"}  # the world was two, and both were in it
    for taken in steps.values():
        assert [index for _, index in taken] == list(range(36))
    assert len({taken[0][0] for taken in steps.values()}) == 2
    assert [line["step"] for line in unbroken.log()] == list(range(1, 37))  # logged once
    assert resumed.steps().keys() == steps.keys()
    resumed.assert_same_end(unbroken, *FILES)
