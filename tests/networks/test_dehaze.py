"""The network that sees fog: any size, what it starts with, and its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import WeightsError
from belamy.networks.dehaze import DehazeNet, initialise, pack_state
from belamy.networks.files.network_file import save_network_file, without_counters
from belamy.networks.files.tensors import write_tensors
from belamy.networks.load import load_network

SMALL = {"widths": (4, 4, 6, 6, 8), "blocks": (1, 1, 1, 1, 1)}


def small(seed: int = 0) -> DehazeNet:
    network = DehazeNet(**SMALL)
    initialise(network, make_rng(seed, "weights"))
    return network


def second(seed: int = 0) -> DehazeNet:
    network = DehazeNet(**SMALL, design=2)
    initialise(network, make_rng(seed, "weights"))
    return network.eval().requires_grad_(False)


def save(path: Path, network: DehazeNet, *, half: bool = False) -> None:
    save_network_file(
        path,
        without_counters(network.state_dict()),
        network="dehaze",
        arguments=network.arguments,
        trained_on="noise",
        half=half,
    )


def frozen() -> DehazeNet:
    return small().eval().requires_grad_(False)


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=make_rng(0, "test"))


@pytest.mark.parametrize("size", [(64, 64), (33, 71), (1, 1), (1, 100), (200, 3)])
def test_any_size(size: tuple[int, int]) -> None:
    transmission, air = frozen()(noise(2, 3, *size))
    assert transmission.shape == (2, 1, *size)
    assert air.shape == (2, 3, *size)
    assert 0 < float(transmission.min()) <= float(transmission.max()) <= 1
    assert 0 < float(air.min()) <= float(air.max()) < 1


def test_it_starts_with_thin_fog_in_a_colour_of_the_picture() -> None:
    colour = torch.tensor([0.7, 0.6, 0.5]).view(1, 3, 1, 1)
    transmission, air = frozen()(colour.expand(1, 3, 64, 64))
    assert 0.5 < float(transmission.mean()) < 0.95
    assert float((air - colour).abs().max()) < 0.15


def test_the_middle_knows_the_whole_picture() -> None:
    network = frozen()
    image = noise(1, 3, 256, 256)
    other = image.clone()
    other[..., 200:, 200:] = 1.0
    before, after = network(image)[0], network(other)[0]
    assert not torch.equal(before[..., :8, :8], after[..., :8, :8])


def test_every_weight_learns() -> None:
    network = small().train()
    transmission, air = network(noise(4, 3, 64, 64))
    with torch.no_grad():
        for module in network.modules():  # the residual blocks begin as nothing
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.fill_(1)
    transmission, air = network(noise(4, 3, 64, 64))
    (transmission.square().mean() + air.square().mean()).backward()
    silent = [name for name, p in network.named_parameters() if p.grad is None]
    assert silent == []


def test_there_and_back_through_a_file(tmp_path: Path) -> None:
    network = small()
    network.train()(noise(4, 3, 64, 64))  # moves the running statistics
    path = tmp_path / "fog.safetensors"
    save(path, network)
    again = load_network(path, "dehaze").network
    image = noise(1, 3, 40, 50)
    for mine, theirs in zip(network.eval().requires_grad_(False)(image), again(image), strict=True):
        assert torch.equal(mine, theirs)
    assert not any(parameter.requires_grad for parameter in again.parameters())
    with safe_open(path, framework="pt") as handle:
        told = handle.metadata()
    assert told["trained_on"] == "noise"
    assert json.loads(told["arguments"])["widths"] == [4, 4, 6, 6, 8]


def test_half_precision_is_as_good(tmp_path: Path) -> None:
    network, path = small(), tmp_path / "fog.safetensors"
    save(path, network, half=True)
    image = noise(1, 3, 40, 50)
    for mine, theirs in zip(
        network.eval().requires_grad_(False)(image),
        load_network(path, "dehaze").network(image),
        strict=True,
    ):
        assert float((mine - theirs).abs().max()) < 5e-3


@pytest.mark.parametrize("size", [(64, 64), (33, 71), (1, 1), (200, 3)])
def test_the_second_design_takes_any_size_too(size: tuple[int, int]) -> None:
    transmission, air = second()(noise(2, 3, *size))
    assert transmission.shape == (2, 1, *size)
    assert air.shape == (2, 3, *size)
    assert 0 < float(transmission.min()) <= float(transmission.max()) <= 1


def test_the_second_design_s_air_is_white_but_for_a_small_cast() -> None:
    network = second()
    assert isinstance(network.correction[-1], torch.nn.Linear)
    for strength in (0.0, 50.0, -50.0):
        network.correction[-1].bias.copy_(torch.tensor([1.0, 0.1, -1.1]) * strength)
        _, air = network(noise(1, 3, 64, 64))
        level = air.mean(1, keepdim=True)
        assert float((air / level - 1).abs().max()) < 0.25
    network.correction[-1].bias.fill_(50.0)
    assert float(network(noise(1, 3, 64, 64))[1].mean()) > 1  # white itself is within reach


def test_the_second_look_begins_by_changing_nothing_and_can_thicken_fog() -> None:
    network, image = second(), noise(1, 3, 64, 64)
    assert network.look is not None
    before = network(image)[0]
    look, network.look = network.look, None
    torch.testing.assert_close(network(image)[0], before)
    network.look = look
    look.factor.bias.fill_(1.0)
    assert (network(image)[0] < before).all()
    look.factor.bias.fill_(-1.0)
    assert (network(image)[0] > before).all()


def test_a_file_in_eight_bits_computes_the_same(tmp_path: Path) -> None:
    network = DehazeNet((8, 16, 24, 24, 32), (1, 1, 1, 1, 1), design=2)
    initialise(network, make_rng(0, "weights"))
    network.train()
    for seed in range(30):  # moves the running statistics
        network(torch.rand((4, 3, 64, 64), generator=make_rng(seed, "test")))
    network.eval().requires_grad_(False)
    packed = without_counters(pack_state(network))
    eighths = [x for x in packed.values() if x.dtype == torch.float8_e4m3fn]
    assert sum(x.numel() for x in eighths) > 0.5 * sum(x.numel() for x in packed.values())
    path, told = tmp_path / "fog.safetensors", network.arguments
    save_network_file(path, packed, network="dehaze", arguments=told, trained_on="noise")
    again = load_network(path, "dehaze").network
    image = noise(1, 3, 64, 80)
    for mine, its in zip(network(image), again(image), strict=True):
        assert float((mine - its).abs().mean()) < 5e-3


def test_an_unknown_design_is_said() -> None:
    with pytest.raises(ValueError, match="design is 3"):
        DehazeNet(design=3)


def test_a_level_too_few_is_said() -> None:
    with pytest.raises(ValueError, match="five levels"):
        DehazeNet((4, 4))


def written(path: Path, change: dict[str, str], state: dict[str, Tensor]) -> Path:
    told: dict[str, Any] = {"network": "fogsight", "arguments": json.dumps(SMALL), **change}
    write_tensors(path, state, told)
    return path


BAD: dict[str, tuple[dict[str, str], dict[str, Tensor | None]]] = {
    "is a backbone .*not a dehazing network": ({"network": "iris"}, {}),
    "describes itself wrongly": ({"arguments": '{"widths": [1]}'}, {}),
    r"lacks overview\.bias": ({}, {"overview.bias": None}),
    "no numbers": ({}, {"overview.bias": torch.full((8,), torch.nan)}),
}


@pytest.mark.parametrize("said", BAD)
def test_bad_files_are_said(said: str, tmp_path: Path) -> None:
    told, changed = BAD[said]
    state = {**small().state_dict(), **changed}
    kept = {name: tensor for name, tensor in state.items() if tensor is not None}
    path = written(tmp_path / "fog.safetensors", told, kept)
    with pytest.raises(WeightsError, match=said):
        load_network(path, "dehaze")


def test_files_that_are_damaged_or_changed_are_said(tmp_path: Path) -> None:
    path = tmp_path / "fog.safetensors"
    path.write_bytes(b"no weights at all")
    with pytest.raises(WeightsError, match="damaged"):
        load_network(path, "dehaze")
    written(path, {}, small().state_dict())
    (tmp_path / "fog.safetensors.sha256").write_text(f"{'0' * 64}  fog.safetensors\n")
    with pytest.raises(WeightsError, match="has changed"):
        load_network(path, "dehaze")
