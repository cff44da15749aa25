from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from belamy.networks.registry import NETWORKS
from belamy.networks.unfilled import skip_filling


class Random(nn.Module):
    """Every way in which a network here begins."""

    def __init__(self) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(0)
        self.plain = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.drawn = nn.Parameter(torch.randn(5, 2) / 3)
        self.cut = nn.Parameter(nn.init.trunc_normal_(torch.empty(6), std=0.02))
        nn.init.kaiming_normal_(self.plain.weight, mode="fan_out")
        self.register_buffer("uniform", torch.rand((7, 1), generator=rng) * 2)
        self.own = nn.Parameter(torch.empty(2, 3).normal_(0, 0.5))


def test_shapes_are_those_of_the_network_and_numbers_there_are_none() -> None:
    filled = Random()
    with skip_filling():
        empty = Random()
    assert {n: x.shape for n, x in empty.state_dict().items()} == {
        n: x.shape for n, x in filled.state_dict().items()
    }
    assert all(x.is_meta for x in empty.state_dict().values())
    assert not any(x.is_meta for x in Random().state_dict().values())  # outside all is as ever


def test_what_is_multiplied_by_a_tensor_keeps_its_shape() -> None:
    with skip_filling():
        product = torch.empty(3, 1) * torch.empty(1, 4)
    assert product.shape == (3, 4)


@pytest.mark.parametrize(
    "line",
    [
        "belamy.dream(picture, model='iris', size=32, octaves=1, steps=1)",
        "belamy.style(picture, picture, model='iris', size=32, iterations=1)",
        "belamy.any_style(picture, picture, size=32)",
        "belamy.apply_style(picture, network='starry-night', size=32)",
        "belamy.translate(picture, network='impressionism', size=32)",
        "belamy.gan_paint(count=1)",
        "belamy.defog(picture)",
        "belamy.classify(picture, model='iris')",
    ],
)
def test_no_engine_loads_torch_s_compiler(line: str) -> None:
    code = (
        "import sys, torch, belamy\n"
        "picture = torch.rand(1, 3, 40, 48)\n"
        f"{line}\n"
        "print(sorted({'sympy', 'torch._dynamo', 'torch._inductor'} & {*sys.modules}))"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert found.stdout == "[]\n", found.stderr


@pytest.mark.parametrize("name", ["iris", "efficientnet_lite2", "resnet18", "convnext_tiny"])
def test_networks_of_the_registry_are_built_so(name: str) -> None:
    with skip_filling():
        network = NETWORKS[name].build()
    assert all(one.is_meta for one in network.parameters())
