from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from belamy.errors import UnknownName, WeightsError
from belamy.networks.backbone import load_backbone
from belamy.networks.backbones import imagenet
from belamy.networks.files import containers
from belamy.networks.files.cache import cached_path
from belamy.networks.files.convert import import_weights
from belamy.networks.files.weights import open_weights
from belamy.networks.registry import NETWORKS

MEAN = (0.5, 0.4, 0.3)

State = dict[str, Tensor]
DAMAGED = (b"", b"abc", b"PK\x03\x04" + bytes(50), bytes(1000), b"\x80\x02.")


def published(state: State, path: Path, **options: Any) -> Path:
    torch.save(state, path, **options)
    return path


def same(path: Path, state: State) -> bool:
    with safe_open(path, framework="pt") as handle:
        own = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
    return own.keys() == state.keys() and all(own[n].equal(state[n]) for n in own)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_torchs_files(state: State, tmp_path: Path, zipped: bool) -> None:
    file = published(state, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    path = import_weights("squeezenet1_1", file)
    assert path == cached_path("squeezenet1_1")
    assert same(path, state)
    backbone = load_backbone("squeezenet1_1")
    assert backbone.classes == imagenet.class_names()
    image = torch.rand(1, 3, 40, 40)
    network = NETWORKS["squeezenet1_1"].build()
    assert isinstance(network, nn.Module)
    network.load_state_dict(state)
    mean, std = (torch.tensor(x).view(3, 1, 1) for x in (imagenet.MEAN, imagenet.STD))
    expected = network.eval()((image - mean) / std)
    torch.testing.assert_close(backbone(image, ["logits"])["logits"], expected)


def test_arrays_and_plain_safetensors(state: State, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **{name: tensor.numpy() for name, tensor in state.items()})
    assert same(import_weights("squeezenet1_1", tmp_path / "x.npz"), state)
    save_file(state, tmp_path / "x.safetensors")
    assert same(import_weights("squeezenet1_1", tmp_path / "x.safetensors"), state)


def test_our_own_files_keep_what_they_say(saved: Path) -> None:
    with open_weights(import_weights("squeezenet1_1", saved)) as opened:
        assert opened.description.trained_on == "noise"
        assert opened.description.mean == MEAN
    with pytest.raises(WeightsError, match="is for squeezenet1_1, not for vgg16"):
        import_weights("vgg16", saved)


def test_wrappings_of_state_dicts(state: State, tmp_path: Path) -> None:
    wrapped = {"epoch": 3, "state_dict": {f"module.{name}": x for name, x in state.items()}}
    torch.save(wrapped, tmp_path / "x.pt")
    assert same(import_weights("squeezenet1_1", tmp_path / "x.pt"), state)


def test_counters_and_auxiliary_heads_are_left_out(tmp_path: Path) -> None:
    network = NETWORKS["googlenet"].build()
    assert isinstance(network, nn.Module)
    full = network.state_dict()
    assert any(name.endswith("num_batches_tracked") for name in full)
    bare = {name: x for name, x in full.items() if not name.endswith("num_batches_tracked")}
    heads = {"aux1.conv.conv.weight": torch.zeros(2), "aux2.fc2.bias": torch.zeros(2)}
    for variant in (bare, full, {**full, **heads}):
        path = import_weights("googlenet", published(variant, tmp_path / "x.pth"))
        assert same(path, bare)
    loaded = load_backbone("googlenet", layers=["inception3a"])
    assert loaded(torch.rand(1, 3, 33, 33), ["inception3a"])["inception3a"].shape == (1, 256, 4, 4)


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('code in a file of weights was run')",))


def test_archives_that_unpack_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "x.npz", a=np.zeros(1 << 20))
    monkeypatch.setattr(containers, "_LARGEST", 1 << 20)
    with pytest.raises(WeightsError, match="unpacks to more than"):
        import_weights("squeezenet1_1", tmp_path / "x.npz")


def test_pickles_are_not_run(tmp_path: Path) -> None:
    file = tmp_path / "trap.pth"
    for data in (pickle.dumps(Trap()), pickle.dumps({"a": Trap()}, protocol=2)):
        file.write_bytes(data)
        with pytest.raises(WeightsError, match=r"trap\.pth"):
            import_weights("vgg16", file)
    torch.save({"features.0.weight": Trap()}, file)
    with pytest.raises(WeightsError, match=r"trap\.pth"):
        import_weights("vgg16", file)
    np.savez(tmp_path / "trap.npz", a=np.array([Trap()], dtype=object))
    with pytest.raises(WeightsError, match=r"trap\.npz"):
        import_weights("vgg16", tmp_path / "trap.npz")


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".npz"])
@pytest.mark.parametrize("data", DAMAGED)
def test_damaged_files_of_others(suffix: str, data: bytes, tmp_path: Path) -> None:
    file = tmp_path / f"bad{suffix}"
    file.write_bytes(data)
    with pytest.raises(WeightsError) as caught:
        import_weights("vgg16", file)
    assert "\n" not in str(caught.value)
    assert file.name in str(caught.value)


def test_truncated_files(state: State, tmp_path: Path) -> None:
    file = published(state, tmp_path / "x.pth")
    data = file.read_bytes()
    for length in (10, len(data) // 2, len(data) - 30):
        file.write_bytes(data[:length])
        with pytest.raises(WeightsError, match="damaged"):
            import_weights("squeezenet1_1", file)


def test_what_does_not_fit_is_said(state: State, tmp_path: Path) -> None:
    def fault(changed: State, text: str) -> None:
        with pytest.raises(WeightsError, match=text):
            import_weights("squeezenet1_1", published(changed, tmp_path / "x.pth"))

    fault({}, "holds no plain tensors")
    fault({**state, "features.0.bias": torch.zeros(3)}, "features.0.bias is 3 rather than 64")
    fault({**state, "more": torch.zeros(3)}, "has more beyond it")
    fault({**state, "features.0.bias": torch.full((64,), torch.nan)}, "not all finite")
    fault({**state, "features.0.bias": torch.zeros(64, dtype=torch.int8)}, "bias of int8; save the")
    torch.save([1, 2], tmp_path / "x.pth")
    with pytest.raises(WeightsError, match="holds a list rather than a state dict"):
        import_weights("squeezenet1_1", tmp_path / "x.pth")
    (tmp_path / "x.bin").write_bytes(b"something else")
    with pytest.raises(WeightsError, match="not a file of weights"):
        import_weights("squeezenet1_1", tmp_path / "x.bin")
    with pytest.raises(WeightsError, match="there is no such file"):
        import_weights("squeezenet1_1", tmp_path / "none.pth")
    with pytest.raises(UnknownName):
        import_weights("nonet", tmp_path / "x.pth")
    with pytest.raises(WeightsError, match="must say how they were trained"):
        import_weights("iris", published(state, tmp_path / "x.pth"))
