"""The one format of networks: what a file says, what it must not say, and what changed since."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from belamy import files
from belamy.errors import WeightsError
from belamy.networks.files.header import read_metadata, sidecar_of
from belamy.networks.files.network_file import (
    fill_network,
    join_states,
    open_network_file,
    save_network_file,
    without_counters,
)
from belamy.networks.files.tensors import write_tensors
from belamy.networks.load import load_network


class Small(nn.Module):
    """A convolution and a batch norm."""

    def __init__(self, channels: int = 2) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 1)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))  # type: ignore[no-any-return]


def save(path: Path, network: Small, **changes: Any) -> Path:
    usual: dict[str, Any] = {"network": "small", "arguments": {"channels": 2}, "trained_on": "x"}
    save_network_file(path, network.state_dict(), **{**usual, **changes})
    return path


def test_a_network_comes_back_frozen(tmp_path: Path) -> None:
    network = Small()
    network.train()(torch.rand(4, 3, 5, 5))  # moves the running statistics
    path = save(tmp_path / "x.safetensors", network)
    with open_network_file(path) as file:
        assert (file.network, file.arguments) == ("small", {"channels": 2})
        assert file.sha256 == files.sha256(path)
        assert file.shapes()["conv.weight"] == (2, 3, 1, 1)
        again = file.build(Small)
    image = torch.rand(1, 3, 4, 4)
    assert torch.equal(again(image), network.eval()(image))
    assert not again.training
    assert not any(parameter.requires_grad for parameter in again.parameters())
    assert again.norm.num_batches_tracked == 1


def test_half_precision_is_half_of_the_floats_alone(tmp_path: Path) -> None:
    path = save(tmp_path / "x.safetensors", Small(), half=True)
    with open_network_file(path) as file:
        assert file.read("conv.weight").dtype == torch.float16
        assert file.read("norm.num_batches_tracked").dtype == torch.int64
        assert file.state()["conv.weight"].dtype == torch.float32


def test_what_a_file_says_is_not_changed_by_notes(tmp_path: Path) -> None:
    notes = {"network": "iris", "licence": "CC0"}
    path = save(tmp_path / "x.safetensors", Small(), metadata=notes)
    expected = {"network": "small", "trained_on": "x", "licence": "CC0"}
    assert read_metadata(path) == {**expected, "arguments": '{"channels": 2}'}


def test_building_draws_no_random_numbers_of_others(tmp_path: Path) -> None:
    path = save(tmp_path / "x.safetensors", Small())
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    with open_network_file(path) as file:
        file.build(Small)
    assert torch.equal(torch.rand(3), expected)


def test_several_networks_in_a_file(tmp_path: Path) -> None:
    one, two = Small(), Small()
    path = tmp_path / "x.safetensors"
    tensors = {**one.state_dict(), **join_states({"other": two})}
    save_network_file(path, tensors, network="small", arguments={}, trained_on="")
    with open_network_file(path) as file:
        assert torch.equal(file.build(Small).conv.weight, one.conv.weight)
        assert torch.equal(file.build(Small, "other").conv.weight, two.conv.weight)
        assert file.state("third") == {}


def test_the_sidecar_is_sha256sums_and_counts(tmp_path: Path) -> None:
    path = save(tmp_path / "x.safetensors", Small())
    assert sidecar_of(path).read_text() == f"{files.sha256(path)}  x.safetensors\n"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="has changed since"), open_network_file(path):
        pass
    sidecar_of(path).unlink()  # a file without one is taken as it is
    with open_network_file(path) as file:
        assert file.sha256 == files.sha256(path)


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    path, state = tmp_path / "x.safetensors", without_counters(Small().state_dict())
    lacking = {name: x for name, x in state.items() if name != "conv.bias"}
    for wrong, reason in (
        (lacking, "lacks conv.bias"),
        ({**state, "conv.bias": torch.zeros(3)}, "conv.bias is 3 rather than 2"),
        ({**state, "more": torch.zeros(3)}, "has more beyond it"),
        ({**state, "conv.bias": torch.full((2,), torch.inf)}, "conv.bias that are no numbers"),
    ):
        save_network_file(path, wrong, network="small", arguments={}, trained_on="")
        with open_network_file(path) as file, pytest.raises(WeightsError, match=reason):
            file.build(Small)
        with pytest.raises(WeightsError, match=reason):
            fill_network(Small(), wrong, path, "small")


@pytest.mark.parametrize(
    ("network", "arguments"),
    [
        ("johnson", {"widths": [16, 32, 64], "blocks": 10**9}),
        ("johnson", {"widths": [16, 32, 64], "blocks": 60_000}),
        ("johnson", {"widths": [10**9, 32, 64]}),
        ("transformer", {"blocks": 10**9}),
        ("translation", {"blocks": 10**9}),
        ("translation", {"shape": "unet", "blocks": 60_000}),
        ("translation", {"channels": 10**12}),
        ("dehaze", {"blocks": [1, 1, 1, 1, 10**9]}),
        ("dehaze", {"blocks": [1, 1, 1, 1, 60_000]}),
        ("anystyle", {"channels": [1, 2], "code": 10**9}),
        ("light", {"size": 1024, "latent": 60_000, "width": 1000.0}),
        ("light", {"size": 64, "latent": 4, "width": 1e300}),
        ("vanilla", {"size": 64, "latent": 60_000, "width": 60.0}),
        ("iris", {"classes": 10**9}),
        ("vgg16", {"hidden": 10**9}),
        ("layers", {"layers": [{"layer": "relu"}] * 50_000, "colours": "signed"}),
    ],
)
def test_a_file_cannot_ask_for_more_than_it_holds(
    network: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    """Refused from the shapes alone: no memory, and no time, for what is not in the file."""
    path = tmp_path / "large.safetensors"
    metadata = {"network": network, "arguments": json.dumps(arguments)}
    metadata |= {"mean": "[0, 0, 0]", "std": "[1, 1, 1]"}
    write_tensors(path, {"x": torch.zeros(2)}, metadata)
    begin = time.perf_counter()
    with pytest.raises(WeightsError, match=r"large\.safetensors"):
        load_network(path)
    assert time.perf_counter() - begin < 10
