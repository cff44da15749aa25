"""Files of tensors: the library reads back what we write, and the bytes are always the same."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from belamy.networks.files.tensors import (
    is_scale,
    pack_kernels,
    unpack_kernels,
    write_tensors,
)

METADATA = {"network": "iris", "words": 'größer – 絵 "quoted"\n', "accuracy": "1", "empty": ""}


def mixed() -> dict[str, Tensor]:
    kinds = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
    whole = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
    tensors = {str(kind): torch.arange(5).to(kind) / 4 for kind in kinds}
    tensors |= {str(kind): torch.arange(7).to(kind) for kind in whole}
    return tensors | {
        "switches": torch.tensor([True, False, True]),
        "number": torch.tensor(3.5),
        "nothing": torch.zeros(0, 4),
        "channels last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "turned": torch.arange(6.0).view(2, 3).T,
        "trained": torch.ones(2, requires_grad=True),
    }


def test_the_library_reads_it_back(tmp_path: Path) -> None:
    path, tensors = tmp_path / "file.safetensors", mixed()
    write_tensors(path, tensors, METADATA)
    with safe_open(path, framework="pt") as file:
        assert file.metadata() == METADATA
        assert set(file.keys()) == tensors.keys()
        for name, tensor in tensors.items():
            found = file.get_tensor(name)
            assert found.dtype == tensor.dtype
            assert torch.equal(found, tensor.detach())


def test_the_bytes_depend_on_nothing_else(tmp_path: Path) -> None:
    """Not on the order in which things are given, nor on Python's seed of hashes."""
    tensors = {"b": torch.arange(3.0), "a": torch.arange(4)}
    write_tensors(tmp_path / "1", tensors, METADATA)
    backwards = dict(reversed(tensors.items())), dict(reversed(METADATA.items()))
    write_tensors(tmp_path / "2", *backwards)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_permissions_are_those_of_any_file(tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    path.touch(0o644)
    write_tensors(path, {"a": torch.ones(1)}, {})
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_numbers_lie_where_their_kind_may(tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    write_tensors(path, {"a": torch.ones(3, dtype=torch.uint8), "b": torch.ones(2)}, {"x": "y"})
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    assert length % 8 == 0
    assert data[8 + length :][:4] == torch.ones(1).numpy().tobytes()


def test_large_kernels_lie_in_8_bits_and_come_back() -> None:
    rng = torch.Generator().manual_seed(0)
    channels = torch.logspace(-6, 2, 64).view(-1, 1, 1, 1)  # each of its own size
    state = {
        "large.weight": channels * torch.randn(64, 8, 3, 3, generator=rng),
        "small.weight": torch.randn(8, 8, 3, 3, generator=rng),
        "matrix.weight": channels[:, :, 0, 0] * torch.randn(64, 96, generator=rng),
        "large.bias": torch.randn(64, generator=rng),
        "counter": torch.tensor(3),
    }
    packed = pack_kernels(state)
    assert packed["large.weight"].dtype == torch.int8
    assert packed["small.weight"].dtype == packed["large.bias"].dtype == torch.float16
    assert [name for name in packed if is_scale(name)] == [
        "large.weight.scale8",
        "matrix.weight.scale8",
    ]
    back = unpack_kernels(packed)
    assert back.keys() == state.keys()
    assert torch.equal(back["counter"], state["counter"])
    for name in ("large.weight", "matrix.weight"):
        off = (back[name] - state[name]).abs().flatten(1).amax(1)
        largest = state[name].abs().flatten(1).amax(1)
        assert bool((off <= largest / 127 / 2 * 1.001).all())
    torch.testing.assert_close(back["small.weight"], state["small.weight"].half())


def test_a_channel_of_nothing_stays_nothing() -> None:
    kernel = torch.zeros(64, 8, 3, 3)
    kernel[0] = 1.0
    back = unpack_kernels(pack_kernels({"weight": kernel}))
    assert torch.equal(back["weight"], kernel)
