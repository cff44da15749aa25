"""A GAN's training in narrow numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from belamy import devices
from belamy.engines.gan.api import GanConfig, train_gan
from belamy.networks.find import open_network
from belamy.training.trainer import TrainingProgress


@pytest.fixture
def config(coloured: Callable[..., Path]) -> GanConfig:
    data = str(coloured("red", "blue"))
    return GanConfig(data=data, size=16, enlarge=True, width=0.1, steps=4, batch=4)


def trained(config: GanConfig, folder: Path) -> list[TrainingProgress]:
    return list(train_gan(config, folder, device="cpu"))


@pytest.fixture
def halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """This processor taken for a card: it can compute float16, if slowly."""
    monkeypatch.setattr(devices, "_NO_HALVES", ())


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_narrow_numbers_learn_what_wide_ones_do(
    precision: str, config: GanConfig, halves: None, tmp_path: Path
) -> None:
    narrow = trained(replace(config, precision=precision), tmp_path / "narrow")[-1]  # type: ignore[arg-type]
    wide = trained(replace(config, precision="float32"), tmp_path / "wide")[-1]
    for name in ("generator", "discriminator", "penalty"):
        assert narrow.losses[name] == pytest.approx(wide.losses[name], rel=0.1, abs=0.01)
    with open_network(tmp_path / "narrow" / "network-training.safetensors") as file:
        one = {name: file.read(name).float() for name in file.tensors}
    with open_network(tmp_path / "wide" / "network-training.safetensors") as file:
        other = {name: file.read(name).float() for name in file.tensors}
    assert one.keys() == other.keys()
    assert any(not torch.equal(one[key], other[key]) for key in one)


def test_a_run_of_float16_goes_on_to_the_same_bytes(
    config: GanConfig, halves: None, tmp_path: Path
) -> None:
    asked = replace(config, precision="float16")
    trained(asked, tmp_path / "unbroken")
    stream = train_gan(asked, tmp_path / "broken", device="cpu")
    while next(stream).step < 2:
        pass
    stream.close()  # type: ignore[attr-defined]
    trained(asked, tmp_path / "broken")
    files = [tmp_path / name / "network.safetensors" for name in ("unbroken", "broken")]
    assert files[0].read_bytes() == files[1].read_bytes()
