"""Narrow numbers: what each device takes, and float16's gradients, kept from vanishing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from belamy.engines import gan_precision
from belamy.engines.gan import GanConfig, train_gan
from belamy.engines.gan_precision import LossScale, precision_for
from belamy.errors import OptionError, UnknownName
from belamy.networks.gan import read_network
from belamy.training.trainer import Tick

CPU, CARD = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def config(coloured: Callable[..., Path]) -> GanConfig:
    data = str(coloured("red", "blue"))
    return GanConfig(data=data, size=16, enlarge=True, width=0.1, steps=4, batch=4)


def trained(config: GanConfig, folder: Path) -> list[Tick]:
    return list(train_gan(config, folder, device="cpu"))


def test_what_each_device_takes(config: GanConfig) -> None:
    asked = {name: replace(config, precision=name) for name in ("full", "bfloat16", "float16")}
    assert precision_for(asked["full"], CPU) is precision_for(asked["full"], CARD) is None
    assert precision_for(asked["bfloat16"], CPU) == torch.bfloat16
    assert precision_for(asked["float16"], CARD) == torch.float16
    with pytest.raises(UnknownName, match="unknown precision 'half'"):
        replace(config, precision="half")  # type: ignore[arg-type]


def test_float16_is_refused_on_a_processor_before_anything_is_made(
    config: GanConfig, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match=r"float16 is for graphics cards.*take auto"):
        trained(replace(config, precision="float16", data="nowhere"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.fixture
def halves(monkeypatch: pytest.MonkeyPatch) -> None:
    """This processor taken for a card: it can compute float16, if slowly."""
    monkeypatch.setattr(gan_precision, "_NO_HALVES", ())


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_narrow_numbers_learn_what_wide_ones_do(
    precision: str, config: GanConfig, halves: None, tmp_path: Path
) -> None:
    narrow = trained(replace(config, precision=precision), tmp_path / "narrow")[-1]  # type: ignore[arg-type]
    wide = trained(replace(config, precision="full"), tmp_path / "wide")[-1]
    for name in ("generator", "discriminator", "slopes"):
        assert narrow.losses[name] == pytest.approx(wide.losses[name], rel=0.1, abs=0.01)
    _, _, one, _ = read_network(tmp_path / "narrow" / "network-training.safetensors")
    _, _, other, _ = read_network(tmp_path / "wide" / "network-training.safetensors")
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


def test_a_step_that_overflows_is_left_out_and_the_factor_halved() -> None:
    scale = LossScale(["a", "b"], torch.float16)
    weight = torch.tensor([2.0], requires_grad=True)
    scale.scaled("a", (3 * weight).sum()).backward()
    slope = weight.grad
    assert slope is not None
    assert scale.unscaled("a", [slope])
    assert float(slope) == 3.0
    assert not scale.unscaled("a", [torch.tensor([1.0, torch.inf]), torch.ones(2)])
    assert scale.memory["scale a"].tolist() == [2.0**15, 0.0]
    assert scale.memory["scale b"].tolist() == [2.0**16, 0.0]


def test_the_factor_grows_with_patience_and_has_ends() -> None:
    scale = LossScale(["a"], torch.float16)
    kept = scale.memory["scale a"]
    kept[1] = 1998
    assert scale.unscaled("a", [torch.ones(1)])
    assert kept.tolist() == [2.0**16, 1999.0]
    assert scale.unscaled("a", [torch.ones(1)])
    assert kept.tolist() == [2.0**17, 0.0]
    kept[0] = 1.0
    assert not scale.unscaled("a", [torch.tensor([torch.nan])])
    assert kept.tolist() == [1.0, 0.0]
    kept.copy_(torch.tensor([2.0**24, 1999.0]))
    assert scale.unscaled("a", [torch.ones(1)])
    assert kept.tolist() == [2.0**24, 0.0]


def test_other_numbers_are_left_alone() -> None:
    for dtype in (None, torch.bfloat16):
        scale = LossScale(["a"], dtype)
        loss, slope = torch.tensor(3.0), torch.tensor([torch.inf])
        assert scale.scaled("a", loss) is loss
        assert scale.unscaled("a", [slope])
        assert not scale.memory  # so that checkpoints are as they were
