"""Narrow numbers: what each device takes, and float16's gradients, kept from vanishing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from belamy import devices
from belamy.devices import choose_precision
from belamy.engines.anystyle.api import AnyStyleConfig, train_any_style
from belamy.engines.faststyle.api import StyleTrainConfig, train_style
from belamy.engines.gan.api import GanConfig, train_gan
from belamy.engines.translate.api import TranslateConfig, train_translation
from belamy.errors import OptionError, UnknownName
from belamy.training.loss_scale import LossScale

CONFIGS: dict[str, Callable[..., Any]] = {
    "gan": lambda **options: GanConfig("data", **options),
    "style": lambda **options: StyleTrainConfig("painting", "data", **options),
    "any style": lambda **options: AnyStyleConfig("paintings", "data", **options),
    "translation": lambda **options: TranslateConfig("a", "b", **options),
}

TRAININGS: dict[str, Callable[..., Any]] = {
    "gan": train_gan,
    "style": train_style,
    "any style": train_any_style,
    "translation": train_translation,
}

CPU, CARD = torch.device("cpu"), torch.device("cuda")


def test_what_each_device_takes() -> None:
    assert choose_precision("float32", CPU) == choose_precision("float32", CARD) == torch.float32
    assert choose_precision("bfloat16", CPU) == torch.bfloat16
    assert choose_precision("float16", CARD) == torch.float16
    with pytest.raises(UnknownName, match="unknown precision 'half'"):
        choose_precision("half", CPU)


@pytest.mark.parametrize(
    ("known", "ratio", "taken"),
    [(True, 0.5, torch.bfloat16), (True, 1.1, torch.float32), (False, 0.5, torch.float32)],
)
def test_auto_takes_what_the_processor_computes_fast(
    known: bool, ratio: float, taken: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: known)
    monkeypatch.setattr(devices, "times_bfloat16", lambda: ratio)
    assert choose_precision("auto", CPU) == taken
    assert choose_precision("auto", torch.device("mps")) == torch.float32


def test_the_processor_is_timed_once_and_remembered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    timed: list[torch.dtype] = []

    def time_convolution(dtype: torch.dtype) -> float:
        timed.append(dtype)
        return 1.0 if dtype == torch.float32 else 0.6

    monkeypatch.setattr(devices, "_time_convolution", time_convolution)
    measure = devices.times_bfloat16.__wrapped__  # each call as in a new process
    assert measure() == measure() == 0.6
    assert timed == [torch.bfloat16, torch.float32]
    (kept,) = tmp_path.rglob("*.json")
    kept.write_text("{ cut")  # a damaged file is measured anew
    assert measure() == 0.6
    assert len(timed) == 4


def test_a_convolution_takes_time_in_any_precision() -> None:
    assert 0 < devices._time_convolution(torch.float32) < 1


@pytest.mark.parametrize("name", CONFIGS)
def test_unknown_numbers_are_refused_by_every_training(name: str) -> None:
    with pytest.raises(UnknownName, match=r"unknown precision 'half'.*float16"):
        CONFIGS[name](precision="half")


def test_a_step_that_overflows_is_left_out_and_the_factor_halved() -> None:
    scale = LossScale(["a", "b"], torch.float16)
    weight = torch.tensor([2.0], requires_grad=True)
    scale.scale("a", (3 * weight).sum()).backward()
    gradient = weight.grad
    assert gradient is not None
    assert scale.unscale("a", [gradient])
    assert float(gradient) == 3.0
    assert not scale.unscale("a", [torch.tensor([1.0, torch.inf]), torch.ones(2)])
    assert scale.buffers["scale a"].tolist() == [2.0**15, 0.0]
    assert scale.buffers["scale b"].tolist() == [2.0**16, 0.0]


def test_the_factor_grows_with_patience_and_has_ends() -> None:
    scale = LossScale(["a"], torch.float16)
    kept = scale.buffers["scale a"]
    kept[1] = 1998
    assert scale.unscale("a", [torch.ones(1)])
    assert kept.tolist() == [2.0**16, 1999.0]
    assert scale.unscale("a", [torch.ones(1)])
    assert kept.tolist() == [2.0**17, 0.0]
    kept[0] = 1.0
    assert not scale.unscale("a", [torch.tensor([torch.nan])])
    assert kept.tolist() == [1.0, 0.0]
    kept.copy_(torch.tensor([2.0**24, 1999.0]))
    assert scale.unscale("a", [torch.ones(1)])
    assert kept.tolist() == [2.0**24, 0.0]


def test_an_optimiser_steps_along_divided_and_shortened_gradients() -> None:
    scale = LossScale(["a"], torch.float16)
    weight = torch.zeros(2, requires_grad=True)
    descent = torch.optim.SGD([weight], lr=1.0)
    scale.scale("a", (torch.tensor([30.0, 40.0]) * weight).sum()).backward()
    scale.step("a", descent, max_norm=5.0)
    torch.testing.assert_close(weight.detach(), torch.tensor([-3.0, -4.0]))
    assert weight.grad is not None
    weight.grad[0] = torch.inf
    scale.step("a", descent)
    torch.testing.assert_close(weight.detach(), torch.tensor([-3.0, -4.0]))


def test_other_numbers_are_left_alone() -> None:
    for dtype in (torch.float32, torch.bfloat16):
        scale = LossScale(["a"], dtype)
        loss, gradient = torch.tensor(3.0), torch.tensor([torch.inf])
        assert scale.scale("a", loss) is loss
        assert scale.unscale("a", [gradient])
        assert not scale.buffers  # so that checkpoints are as they were


@pytest.mark.parametrize("name", TRAININGS)
def test_float16_is_refused_on_a_processor_before_anything_is_made(
    name: str, tmp_path: Path
) -> None:
    config = CONFIGS[name](precision="float16")
    with pytest.raises(OptionError, match=r"float16 is for graphics cards.*take auto"):
        next(iter(TRAININGS[name](config, tmp_path / "run", device="cpu")))
    assert not (tmp_path / "run").exists()
