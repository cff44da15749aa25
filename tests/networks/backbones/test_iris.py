"""Iris: its stages, its size, and batch norm folded away."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.networks.backbones.iris import BLOCKS, Iris, PooledUnit, fold, initialise
from belamy.networks.registry import build_backbone
from belamy.networks.sequential import Chain, follow

STAGES = (
    *("conv1", "pool1", "conv2a", "conv2b", "pool2", "mixed3a", "mixed3b", "pool3"),
    *("mixed4a", "mixed4b", "mixed4c", "pool4", "mixed5a", "mixed5b", "logits"),
)


@pytest.fixture(scope="module")
def trained() -> Iris:
    """In its training form, as if it had been trained: every norm does something."""
    network, chance = Iris(7, folded=False), make_rng(0, "iris")
    initialise(network, chance)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(std=0.3, generator=chance)
            module.running_var.uniform_(0.5, 2, generator=chance)
            nn.init.uniform_(module.weight, 0.5, 1.5, generator=chance)
            nn.init.normal_(module.bias, std=0.3, generator=chance)
    return network.eval()


def image(height: int, width: int) -> torch.Tensor:
    return torch.randn(2, 3, height, width, generator=make_rng(1, height, width))


def test_stages_follow_the_protocol() -> None:
    network = Iris(3)
    assert isinstance(network, Chain)
    assert tuple(name for name, _ in network.stages()) == STAGES
    x = image(16, 16)
    assert torch.equal(network(x), follow(network.stages(), x))
    assert not any(getattr(module, "inplace", False) for module in network.modules())


def test_size() -> None:
    """About three million weights, at most 8 MB in half precision; that is what ships."""
    weights = sum(parameter.numel() for parameter in Iris().parameters())
    assert 3.1e6 < weights < 3.3e6
    assert 2 * weights < 8e6


@pytest.mark.parametrize(("height", "width"), [(64, 64), (33, 47), (17, 8), (1, 1)])
def test_folding_changes_nothing(trained: Iris, height: int, width: int) -> None:
    """In double precision, so that only the rounding of the folded weights is left."""
    folded, trained = fold(trained).double(), copy.deepcopy(trained).double()
    assert folded.folded
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    with torch.no_grad():
        x = image(height, width).double()
        for name, module in trained.stages():
            y = module(x)
            torch.testing.assert_close(folded.get_submodule(name)(x), y, rtol=1e-5, atol=1e-5)
            x = y
        assert x.shape == (2, 7)


def test_folding_leaves_the_original_alone(trained: Iris) -> None:
    before = copy.deepcopy(trained.state_dict())
    fold(trained)
    assert all(torch.equal(value, before[name]) for name, value in trained.state_dict().items())


def test_the_whole_answer_is_the_same(trained: Iris) -> None:
    with torch.no_grad():
        x = image(45, 31)
        torch.testing.assert_close(fold(trained)(x), trained(x), rtol=1e-5, atol=1e-5)


def test_state_round_trip(trained: Iris) -> None:
    other = Iris(7, folded=False).eval()
    other.load_state_dict(trained.state_dict())
    x = image(20, 20)
    with torch.no_grad():
        assert torch.equal(other(x), trained(x))


def test_reductions_halve_and_round_up() -> None:
    network, x = Iris(3), image(37, 21)
    sizes = {}
    with torch.no_grad():
        for name, module in network.stages():
            x = module(x)
            sizes[name] = tuple(x.shape[2:])
    assert sizes["conv1"] == (37, 21)
    assert sizes["conv2b"] == (19, 11)
    assert sizes["mixed3b"] == (10, 6)
    assert sizes["mixed4c"] == (5, 3)
    assert sizes["mixed5b"] == (3, 2)


def test_blocks_join_their_four_looks() -> None:
    network, x = Iris(3), image(16, 16)
    with torch.no_grad():
        for name, module in network.stages():
            x = module(x)
            if name in BLOCKS:
                one, _, three, _, five, pool = BLOCKS[name]
                assert x.shape[1] == one + three + five + pool


def test_the_start_depends_on_the_seed_alone() -> None:
    networks = [Iris(3, folded=False) for _ in range(3)]
    for network, seed in zip(networks, (0, 0, 1), strict=True):
        initialise(network, make_rng(seed, "weights"))
    first, again, other = (network.state_dict() for network in networks)
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not torch.equal(first["conv1.conv.weight"], other["conv1.conv.weight"])


def test_every_weight_of_a_classic_starts_from_the_seed_too() -> None:
    """SqueezeNet's convolutions have biases, which torch would draw from its own numbers."""
    first, again = (build_backbone("squeezenet1_1", classes=2) for _ in range(2))
    for network in (first, again):
        assert isinstance(network, nn.Module)
        initialise(network, make_rng(3, "weights"))
    assert isinstance(first, nn.Module)
    assert isinstance(again, nn.Module)
    pairs = zip(first.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_fewer_channels_are_averaged_in_bfloat16() -> None:
    unit = PooledUnit(24, 4, folded=True).eval().requires_grad_(False)
    averaged: list[int] = []
    pool = nn.functional.avg_pool2d

    def count(x: Tensor, *args: object, **named: object) -> Tensor:
        averaged.append(x.shape[1])
        return pool(x, *args, **named)  # type: ignore[arg-type,no-any-return]

    x = torch.rand(1, 24, 9, 11, generator=make_rng(0))
    usual = nn.Sequential.forward(unit, x)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.nn.modules.pooling.F.avg_pool2d", count)
        assert torch.equal(unit(x), usual)
        half = unit.to(torch.bfloat16)(x.bfloat16())
    assert averaged == [24, 4]
    torch.testing.assert_close(half.float(), usual, atol=0.01, rtol=0.02)


def test_what_is_watched_within_a_pooled_unit_is_as_ever() -> None:
    unit = PooledUnit(6, 4, folded=True).to(torch.bfloat16).requires_grad_(False)
    seen: list[torch.Size] = []
    unit[0].register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
    unit(torch.rand(1, 6, 5, 5, dtype=torch.bfloat16))
    assert seen == [(1, 6, 5, 5)]
