"""Larger painters that begin as smaller ones were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from belamy.engines.gan.api import GanConfig, train_gan
from belamy.engines.gan.networks import adopt_start, build_networks, save_generator, start_from
from belamy.networks.gan.generator import Generator
from belamy.networks.gan.layers import NoiseInput, ToRGB
from belamy.networks.gan.light import LightSynthesis
from belamy.networks.load import load_network
from belamy.networks.resample import resample, upsample
from belamy.training.trainer import TrainingProgress


@pytest.fixture(scope="module")
def config(coloured: Callable[..., Path]) -> GanConfig:
    return GanConfig(
        data=str(coloured("red", "blue")), size=16, enlarge=True, width=0.1, steps=4, batch=4
    )


def trained(config: GanConfig, folder: Path) -> list[TrainingProgress]:
    return list(train_gan(config, folder, device="cpu"))


@pytest.mark.parametrize(("size", "aimed"), [(16, 32), (16, 48), (48, 64), (64, 128)])
def test_a_painter_is_grown(config: GanConfig, tmp_path: Path, size: int, aimed: int) -> None:
    """It begins as it was, enlarged: what is finer adds nothing yet, whatever its noise; of
    one between two powers of two, the power below is gone on from."""
    first = replace(config, size=size, noise=True, smoothing=0.5 if size >= 64 else 0)
    networks = build_networks(first, ())
    for part in networks.generator.modules():
        if isinstance(part, (ToRGB, NoiseInput)):
            for weight in part.parameters():
                torch.nn.init.normal_(weight)
    file = tmp_path / "first.safetensors"
    save_generator(file, first, networks.generator.half().float(), {})
    grown = build_networks(config := adopt_start(replace(config, size=aimed, start=str(file))), ())
    start_from(grown, config)
    z = torch.randn(2, 128, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        styles = grown.generator.eval().styles(z)
        small = _finest_power(networks.generator.eval(), styles)
        large = grown.generator.synthesis(styles)
    assert large.shape == (2, 3, aimed, aimed)
    while 2 * small.shape[-1] <= aimed:
        small = upsample(small)
    torch.testing.assert_close(large, small if aimed == small.shape[-1] else resample(small, aimed))


def _finest_power(generator: Generator, styles: Tensor) -> Tensor:
    """The picture before the last block."""
    assert isinstance(generator.synthesis, LightSynthesis)
    generator.synthesis.last = None
    picture: Tensor = generator.synthesis(styles)
    return picture


def test_a_grown_painter_learns(config: GanConfig, tmp_path: Path) -> None:
    trained(config, tmp_path / "first")
    grown = replace(config, start=str(tmp_path / "first"), size=48)
    last = trained(grown, tmp_path / "second")[-1]
    assert last.step == 4
    assert load_network(tmp_path / "second", "generator").network.size == 48
