"""One way to any network: names, files, runs' folders, other programs' files, files of before."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
import torch

from belamy.errors import UnknownName, WeightsError
from belamy.networks.architecture import KINDS, Kind
from belamy.networks.backbone import Backbone
from belamy.networks.files import cache
from belamy.networks.files.cache import embedded_path
from belamy.networks.files.convert import import_weights
from belamy.networks.files.tensors import write_tensors
from belamy.networks.find import FOREIGN, IN_RUN, find_network, name_network, open_network
from belamy.networks.image_to_image.load import LOADERS, ONNX, load_image_net
from belamy.networks.load import load_network
from belamy.networks.registry import NETWORKS, embedded_names


def run_of(path: Path) -> str:
    return path.parent.name


Painters = Callable[..., Path]
FIXTURES = Path(__file__).parents[1] / "fixtures" / "before-0.2"


@pytest.mark.parametrize("name", embedded_names())
def test_a_name_inside_the_package_loads_by_itself(name: str) -> None:
    loaded = load_network(name)
    assert loaded.path == embedded_path(name) == find_network(name)
    assert (loaded.name, loaded.kind) == (embedded_names()[name], NETWORKS[loaded.name].kind)
    assert not any(weight.requires_grad for weight in loaded.network.parameters())
    assert not loaded.network.training
    assert name_network(name) == loaded.name


@pytest.mark.parametrize("name", embedded_names())
@pytest.mark.parametrize("kind", get_args(Kind))
def test_another_kind_is_refused_by_name(name: str, kind: Kind, tmp_path: Path) -> None:
    own = NETWORKS[embedded_names()[name]].kind
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(embedded_path(name).read_bytes())
    for network in (name, copy):
        if kind == own:
            with open_network(network, kind) as file:
                assert file.network == embedded_names()[name]
        else:
            with pytest.raises(WeightsError) as caught, open_network(network, kind):
                pass
            assert f"is {KINDS[own].noun}, not {KINDS[kind].noun}" in str(caught.value)
            assert str(caught.value).endswith(KINDS[own].taken_by)


def test_a_cached_backbone(saved: Path) -> None:
    with pytest.raises(WeightsError, match=r"belamy models download vgg16 \(528 MB\)"):
        find_network("vgg16", "backbone")
    path = import_weights("squeezenet1_1", saved)
    assert find_network("squeezenet1_1") == path
    assert isinstance(load_network("squeezenet1_1").network, Backbone)
    assert name_network("vgg16") == "vgg16"  # its weights are not needed to know that


def test_the_folder_of_a_run(painters: Painters, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="let its training end"):
        find_network(tmp_path, "generator")
    with pytest.raises(WeightsError, match="--resume goes on with one that was stopped"):
        find_network(tmp_path / IN_RUN, "generator")
    (tmp_path / IN_RUN).write_bytes(painters().read_bytes())
    assert find_network(str(tmp_path), "generator") == tmp_path / IN_RUN
    assert load_network(tmp_path, "generator").network.size == 16


@pytest.mark.parametrize("suffix", [*LOADERS, ONNX, ".safetensors", ".T7"])
def test_files_are_found_by_their_paths(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"wave{suffix}"
    with pytest.raises(WeightsError, match="there is no such file"):
        find_network(path, "image-to-image")
    path.touch()
    assert find_network(path, "image-to-image") == find_network(path) == path
    if suffix != ".safetensors":
        with pytest.raises(WeightsError, match=r"known are|models import"):
            find_network(path, "generator" if suffix == ONNX else "backbone")


def test_every_other_format_has_a_reader() -> None:
    assert set(FOREIGN["image-to-image"]) == {*LOADERS, ONNX}


def test_misuse_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownName, match="'portrats'; did you mean 'portraits'"):
        find_network("portrats", "generator")
    with pytest.raises(UnknownName, match="did you mean 'vgg16'"):
        find_network("vgg61")
    with pytest.raises(UnknownName, match="there are: starry-night, great-wave"):
        find_network("zzz", "image-to-image")
    with pytest.raises(WeightsError, match=r"known are \.safetensors, \.t7"):
        find_network("somewhere/wave.exe", "image-to-image")
    with pytest.raises(WeightsError, match=r"belamy models import auto .*vgg\.pth"):
        find_network("vgg.pth", "backbone")
    monkeypatch.setattr(cache, "_EMBEDDED", tmp_path)
    with pytest.raises(WeightsError, match=r"not in this copy of belamy.*belamy gan train"):
        find_network("portraits")
    with pytest.raises(WeightsError, match="iris are not here; train it"):
        find_network("iris")


def test_a_file_that_says_nothing_or_something_unknown(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    for metadata, reason in (({}, "does not say which"), ({"network": "vgg99"}, "no network here")):
        write_tensors(path, {"x": torch.zeros(1)}, metadata)
        for use in (load_network, name_network):
            with pytest.raises(WeightsError, match=reason):
                use(path)


def test_the_translation_inside_goes_both_ways() -> None:
    path = find_network("impressionism")
    there, back = (load_image_net(path, direction) for direction in ("a-to-b", "b-to-a"))
    assert not torch.equal(*(next(one.parameters()) for one in (there, back)))
    for wrong in ("a-to-c", ""):
        with pytest.raises(WeightsError, match="it has a-to-b, b-to-a"):
            load_network(path, "image-to-image", direction=wrong)
    with pytest.raises(WeightsError, match="one network alone"):
        load_network("starry-night", direction="a-to-b")


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("runs/*/network.safetensors")), ids=run_of)
def test_what_earlier_versions_made_loads(path: Path) -> None:
    loaded = load_network(path)
    assert loaded.name in NETWORKS
    assert load_network(path.parent).kind == loaded.kind  # by its run, too


@pytest.mark.parametrize("name", ["any", "dcgan", "fog", "light", "style", "translator"])
def test_files_of_earlier_versions_load(name: str) -> None:
    assert load_network(FIXTURES / "networks" / f"{name}.safetensors").name in NETWORKS


def test_old_names_in_files_are_understood(tmp_path: Path) -> None:
    old = embedded_path("starry-night").parent / "older" / "starry-night-3eea7583.safetensors"
    path = tmp_path / "x.safetensors"
    with open_network(old) as file:
        assert (file.metadata["network"], file.network) == ("transformer", "johnson")
        tensors = {name: file.read(name) for name in file.tensors}
        arguments = json.dumps(file.arguments)
    write_tensors(path, tensors, {"network": "johnson", "arguments": arguments})
    image = torch.rand(1, 3, 64, 64)
    assert torch.equal(load_network(path).network(image), load_network(old).network(image))
