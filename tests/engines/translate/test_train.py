"""A translation learned in real processes: killed, resumed, bit-equal to an unbroken one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from belamy.networks.image_to_image.load import load_image_net

# Very small networks, with a pool that is full after a few steps and discriminators that see
# through random changes.
SCRIPT = """
from belamy.engines.translate.api import TranslateConfig, train_translation
from belamy.engines.translate.task import TranslateTask

witnessed(TranslateTask)
config = TranslateConfig(
    a=str(inputs[0]), b=str(inputs[1]), method="METHOD", steps=STEPS, size=64, batch=2,
    generator_channels=4, blocks=1, discriminator_channels=4, discriminator_layers=1, MORE
)
for tick in train_translation(config, folder, device="cpu"):
    pass
"""


def script(method: str, steps: int, more: str = "") -> str:
    return SCRIPT.replace("METHOD", method).replace("STEPS", str(steps)).replace("MORE", more)


@pytest.fixture
def worlds(coloured: Callable[..., Path]) -> list[Path]:
    archive = coloured("red", "blue")
    return [archive / "train" / "red", archive / "train" / "blue"]


def test_kill_and_resume(both: Callable[..., Any], worlds: list[Path]) -> None:
    unbroken, resumed = both(script("cyclegan", 40, "pool=5"), worlds, processes=1, total=40)
    resumed.assert_same_end(unbroken, "network.safetensors")
    assert (resumed.folder / "config.json").read_text().count('"a_label": "red"') == 1
    with safe_open(resumed.folder / "network.safetensors", framework="pt") as file:
        told = file.metadata()
    assert (told["a"], told["b"], told["method"]) == ("red", "blue", "cyclegan")
    for direction in ("a-to-b", "b-to-a"):
        load_image_net(resumed.folder / "network.safetensors", direction)


def test_kill_and_resume_two_processes(both: Callable[..., Any], worlds: list[Path]) -> None:
    unbroken, resumed = both(script("cyclegan", 24, "pool=5"), worlds, processes=2, total=24)
    assert unbroken.steps().keys() == {"0-of-2", "1-of-2"}
    assert [line["step"] for line in unbroken.log()] == list(range(1, 25))  # logged once
    resumed.assert_same_end(unbroken, "network.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["cut", "fastcut"])
def test_kill_and_resume_one_direction(
    method: str, both: Callable[..., Any], worlds: list[Path]
) -> None:
    unbroken, resumed = both(script(method, 24), worlds, processes=1, total=24)
    resumed.assert_same_end(unbroken, "network.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", "generator='unet'"])
def test_kill_and_resume_pairs(more: str, both: Callable[..., Any], worlds: list[Path]) -> None:
    unbroken, resumed = both(script("pix2pix", 24, more), worlds, processes=1, total=24)
    resumed.assert_same_end(unbroken, "network.safetensors")
    load_image_net(resumed.folder / "network.safetensors", "a-to-b")
