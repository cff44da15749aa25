from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from belamy import files
from belamy.errors import UnknownName, WeightsError
from belamy.networks.backbone import load_backbone
from belamy.networks.backbones import imagenet
from belamy.networks.files import cache
from belamy.networks.files.cache import Status, cached_path, get_status, remove_weights
from belamy.networks.files.convert import import_weights
from belamy.networks.files.weights import open_weights, save_weights
from belamy.networks.registry import NETWORKS

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.5)

State = dict[str, Tensor]


PUBLISHED = {
    name: row.published
    for name, row in NETWORKS.items()
    if row.published is not None and row.published.package is None
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_rows_are_complete(name: str) -> None:
    row = PUBLISHED[name]
    assert row.url.startswith("https://download.pytorch.org/models/")
    assert row.url.endswith(f"-{row.digits}.pth")
    assert len(bytes.fromhex(row.digits)) == 4
    with torch.device("meta"):
        network = NETWORKS[name].build()
    assert isinstance(network, nn.Module)
    numbers = [*network.parameters(), *network.buffers()]
    own = 4 * sum(tensor.numel() for tensor in numbers) / 2**20
    # auxiliary classifiers that are in the published file come on top
    more = {"googlenet": 25.5, "inception_v3": 13.0}.get(name, 0.6)
    assert own - 0.1 < row.megabytes < own + more
    assert tuple(row.classes) == imagenet.class_names()
    assert "BSD" in row.licence


def test_googlenet_is_normalised_as_torchvision_does_with_transform_input() -> None:
    assert (PUBLISHED["googlenet"].mean, PUBLISHED["googlenet"].std) == ((0.5,) * 3, (0.5,) * 3)
    assert PUBLISHED["vgg16"].mean == (0.485, 0.456, 0.406)
    assert PUBLISHED["vgg16"].std == (0.229, 0.224, 0.225)


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert files.cache_folder() == tmp_path / "home"
    monkeypatch.delenv("BELAMY_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cached_path("vgg16") == tmp_path / "belamy" / "vgg16.safetensors"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.cache_folder() == tmp_path / ".cache" / "belamy"


def test_status(saved: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert get_status("vgg16").state == "to download"
    assert get_status("vgg16").megabytes == pytest.approx(527.8)
    path = import_weights("squeezenet1_1", saved)
    found = get_status("squeezenet1_1")
    assert (found.state, found.path) == ("cached", path)
    assert found.megabytes == pytest.approx(4.7, abs=0.1)
    monkeypatch.setattr(cache, "_EMBEDDED", tmp_path)
    assert get_status("iris").state == "absent"
    (tmp_path / "iris.safetensors").write_bytes(b"0" * 2**20)
    assert get_status("iris") == Status("iris", "embedded", 1.0, tmp_path / "iris.safetensors")


def test_remove(saved: Path, home: Path) -> None:
    path = import_weights("squeezenet1_1", saved)
    assert remove_weights("squeezenet1_1") == path
    assert list(home.iterdir()) == []
    with pytest.raises(WeightsError, match="nothing to remove"):
        remove_weights("squeezenet1_1")
    with pytest.raises(UnknownName):
        remove_weights("../squeezenet1_1")


def test_a_file_says_what_it_is(saved: Path) -> None:
    with open_weights(saved) as opened:
        description = opened.description
        assert opened.sha256 == files.sha256(saved)
    assert description.network == "squeezenet1_1"
    assert (description.mean, description.std) == (MEAN, STD)
    assert (description.arguments, description.classes) == ({}, ())
    assert description.trained_on == "noise"
    assert (description.side, description.short_side) == (224, 256)


def test_a_file_says_how_pictures_are_shown(saved: Path, state: State) -> None:
    sides = {"side": 64, "short_side": 80}
    save_weights(saved, state, network="squeezenet1_1", mean=MEAN, std=STD, **sides)
    backbone = load_backbone(saved, layers=["conv1"])
    assert (backbone.side, backbone.short_side) == (64, 80)


def test_the_hash_beside_it_is_sha256sums(saved: Path) -> None:
    text = saved.with_name("mine.safetensors.sha256").read_text()
    assert text == f"{files.sha256(saved)}  mine.safetensors\n"


def test_the_same_weights_are_the_same_bytes(saved: Path, state: State) -> None:
    before = saved.read_bytes()
    save_weights(saved, state, network="squeezenet1_1", mean=MEAN, std=STD, trained_on="noise")
    assert saved.read_bytes() == before


@pytest.mark.parametrize("place", [30, 5_000, -1])
def test_one_flipped_bit_is_found_before_anything_is_loaded(saved: Path, place: int) -> None:
    data = bytearray(saved.read_bytes())
    data[place] ^= 1
    saved.write_bytes(data)
    with pytest.raises(WeightsError, match="has changed since it was written"):
        load_backbone(saved, layers=["conv1"])


def header(**entries: Any) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text


DESCRIBED = {"network": "squeezenet1_1", "mean": "[0,0,0]", "std": "[1,1,1]"}
DAMAGED = {
    "empty": b"",
    "short": b"abc",
    "pickle": pickle.dumps({"a": 1}),
    "zip": b"PK\x03\x04" + bytes(200),
    "header of 100 MB": struct.pack("<Q", 100 << 20) + b" " * (100 << 20),
    "header beyond the end": struct.pack("<Q", 500) + b"{}",
    "header that is no JSON": struct.pack("<Q", 50) + b"x" * 60,
    "header that is no UTF-8": struct.pack("<Q", 50) + b"\xff" * 60,
    "numbers beyond the end": header(
        __metadata__=DESCRIBED, a={"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}
    ),
    "no metadata": header(),
    "no tensors": header(__metadata__=DESCRIBED),
}
NONSENSE = {
    "network": "vgg99",
    "arguments": "[1]",
    "mean": "[1, 2]",
    "std": "[0, 1, 1]",
    "classes": '"abc"',
    "side": "300",
    "short_side": "99999",
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_files(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(DAMAGED[kind])
    with pytest.raises(WeightsError) as caught:
        load_backbone(path)
    assert "\n" not in str(caught.value)
    assert "bad.safetensors" in str(caught.value)
    with pytest.raises(WeightsError):
        import_weights("squeezenet1_1", path)


@pytest.mark.parametrize("key", NONSENSE)
@pytest.mark.parametrize("value", ["nonsense", "{", "[[[" * 2000, "NaN"])
def test_files_that_describe_themselves_wrongly(key: str, value: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    for text in (value, NONSENSE[key]):
        path.write_bytes(header(__metadata__={**DESCRIBED, key: text}))
        with pytest.raises(WeightsError, match=r"bad\.safetensors"):
            load_backbone(path)


@pytest.mark.parametrize("arguments", ['{"classes": -1}', '{"depth": 3}', '{"classes": "many"}'])
def test_networks_that_cannot_be_built(arguments: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(header(__metadata__={**DESCRIBED, "arguments": arguments}))
    with pytest.raises(WeightsError, match="describes itself wrongly"):
        load_backbone(path)


def test_missing_and_misshapen_tensors_are_named(state: State, tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    wrong = {**state, "features.0.bias": torch.zeros(3)}
    for name in [name for name in state if ".expand" in name]:
        del wrong[name]
    save_weights(path, wrong, network="squeezenet1_1", mean=MEAN, std=STD)
    fault = r"lacks features\.3\.expand1x1\.weight; lacks .*; lacks .*; and 30 more"
    with pytest.raises(WeightsError, match=fault):
        load_backbone(path)
    with pytest.raises(WeightsError, match=r"features\.0\.bias is 3 rather than 64"):
        load_backbone(path, layers=["relu1"])
