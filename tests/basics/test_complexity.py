"""Networks are as large as was published, and counted as the module says."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from belamy.basics.complexity import CORTEX, Complexity, measure, original_alexnet
from belamy.errors import OptionError
from belamy.networks.registry import NETWORKS


def of(name: str, side: int = 224) -> Complexity:
    with torch.device("meta"):
        network: Any = original_alexnet() if name == "alexnet 2012" else NETWORKS[name].build()
    return measure(network, (3, side, side))


def test_the_alexnet_of_2012() -> None:
    """8 levels, "650,000 neurons", "60 million parameters" (its abstract)."""
    found = of("alexnet 2012", 227)
    assert found.depth == 8
    assert found.neurons == 659_272
    assert found.weights == 60_965_224
    shapes = [level.neurons for level in found.layers]
    # section 3.5 has these (and 253,440 for the first, where 55 × 55 × 96 are 290,400)
    assert shapes == [290_400, 186_624, 64_896, 64_896, 43_264, 4096, 4096, 1000]


def test_the_alexnet_that_everyone_downloads() -> None:
    found = of("alexnet")
    assert (found.depth, found.neurons, found.weights) == (8, 494_184, 61_100_840)


@pytest.mark.parametrize(
    ("name", "depth", "weights"),
    [
        ("vgg16", 16, 138_357_544),
        ("vgg19", 19, 143_667_240),
        ("googlenet", 22, 6_624_904),
        ("resnet50", 50, 25_557_032),
    ],
)
def test_depths_are_those_in_the_names_and_papers(name: str, depth: int, weights: int) -> None:
    found = of(name)
    assert (found.depth, found.weights) == (depth, weights)


def test_fifteen_million_neurons_of_vgg16_count_its_pools() -> None:
    found = of("vgg16")
    assert found.neurons == 13_556_712
    assert found.neurons + found.pooled == 15_087_080
    assert round(found.multiply_adds / 1e9, 1) == 15.5


def test_the_cortex_is_as_published() -> None:
    assert (CORTEX.neurons, CORTEX.connections) == (21e9, 1.5e14)
    assert "Pakkenberg" in CORTEX.source


@pytest.mark.parametrize(
    "part",
    [
        nn.Conv2d(4, 6, 3, padding=1, bias=False),
        nn.Conv2d(4, 6, (3, 2), stride=2, groups=2),
        nn.ConvTranspose2d(4, 6, 4, stride=2, bias=False),
        nn.Sequential(nn.Flatten(), nn.Linear(4 * 8 * 8, 5)),
    ],
    ids=lambda part: type(part).__name__,
)
def test_multiply_adds_are_torchs_own_count(part: nn.Module) -> None:
    with FlopCounterMode(display=False) as counter:
        part(torch.zeros(1, 4, 8, 8))
    assert measure(part, (4, 8, 8)).multiply_adds == counter.get_total_flops() / 2


def test_a_small_network_counted_by_hand() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 4))
    found = measure(network, (1, 8, 8))
    first, second = found.layers
    assert (first.neurons, first.weights, first.shape) == (2 * 36, 20, (2, 6, 6))
    assert (first.connections, first.multiply_adds) == (72 * 10, 72 * 9)
    assert (second.neurons, second.connections, second.weights) == (4, 4 * 19, 76)
    assert (found.depth, found.inputs, found.pooled, found.weights) == (2, 64, 18, 96)


class Detour(nn.Module):
    """Two convolutions, and one beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.long = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU(), nn.Conv2d(1, 1, 1))
        self.short = nn.Conv2d(1, 1, 1)
        self.norm = nn.BatchNorm2d(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.long(x) + self.short(x))  # type: ignore[no-any-return]


def test_levels_are_counted_along_the_longest_chain() -> None:
    found = measure(nn.Sequential(Detour(), Detour()), (1, 4, 4))
    assert (found.depth, len(found.layers)) == (4, 6)
    assert found.weights == sum(level.weights for level in found.layers) + 2 * 2


def test_tables_that_are_no_level_are_named() -> None:
    network = nn.Sequential(nn.Linear(3, 3))
    network.register_parameter("table", nn.Parameter(torch.zeros(2, 2)))
    assert measure(network, (3,)).uncounted == ("",)


def test_the_network_is_left_as_it_was() -> None:
    network = nn.Sequential(nn.Linear(3, 3), nn.Dropout())
    measure(network, (3,))
    assert network.training
    assert not network[0]._forward_hooks
    assert network[0].weight.device.type == "cpu"


def test_an_input_that_does_not_fit_is_said_in_a_line() -> None:
    with pytest.raises(OptionError, match="an input of 3×8×8 does not go through") as said:
        of("alexnet", 8)
    assert "\n" not in str(said.value)
