"""The registry: every row is built, saved, found, loaded and used; so is one that a test adds."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.engines.dream.objective import default_layers
from belamy.errors import UnknownName
from belamy.networks.architecture import Architecture, LayerDefaults, StyleLayers
from belamy.networks.backbone import load_backbone
from belamy.networks.files.network_file import save_network_file
from belamy.networks.files.weights import save_weights
from belamy.networks.find import find_network, name_network
from belamy.networks.geometry import layer_table
from belamy.networks.image_to_image.arbitrary_style import IMAGE, LAYERS
from belamy.networks.load import load_network
from belamy.networks.registry import (
    NETWORKS,
    build_backbone,
    build_generator,
    embedded_names,
    find_architecture,
    find_gan,
    names_of,
)

GAN = {"size": 16, "latent": 4, "width": 0.05, "labels": ["dark", "light"]}
BACKBONES: dict[str, dict[str, Any]] = {
    "alexnet": {"classes": 2, "hidden": 3},
    **{name: {"classes": 2, "hidden": 3} for name in NETWORKS if name.startswith("vgg")},
}
TINY: dict[str, dict[str, Any]] = {
    **{name: BACKBONES.get(name, {"classes": 2}) for name in names_of("backbone")},
    **dict.fromkeys(names_of("generator"), GAN),
    "johnson": {"widths": [4, 5, 6], "blocks": 1},
    "translation": {"shape": "unet", "channels": 2, "blocks": 1},
    "layers": {"layers": [{"layer": "conv", "inputs": 3, "outputs": 3, "kernel": [1, 1]}]},
    "anystyle": {"channels": [6, 5], "widths": [8, 6, 4, 4], "code": 7, "compared": 3},
    "dehaze": {"widths": [4, 4, 6, 6, 8], "blocks": [1, 1, 1, 1, 1]},
}
TINY["layers"]["colours"] = "caffe"
LARGE = {"resnet101"}  # which is built as resnet50 is, of twice as many blocks


def randomise(network: nn.Module) -> nn.Module:
    """Every weight other than it was built, so that none can be forgotten unseen."""
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                tensor.normal_(std=0.1, generator=make_rng(0, name))
                if name.endswith("running_var"):
                    tensor.abs_().add_(0.5)
    return network.eval().requires_grad_(False)


def use(network: Any, kind: str) -> Tensor:
    """What a network makes of the same numbers each time."""
    image = torch.rand(1, 3, 64, 64, generator=make_rng(1))
    if kind == "generator":
        z = torch.randn(2, network.latent, generator=make_rng(2))
        return network(z, torch.tensor([0, 1]))  # type: ignore[no-any-return]
    if kind == "dehaze":
        return torch.cat(network(image), dim=1)
    if kind == "arbitrary-style":
        features: Mapping[str, Tensor] = {
            IMAGE: image,
            LAYERS[0]: torch.rand(1, 6, 8, 8, generator=make_rng(3)),
            LAYERS[1]: torch.rand(1, 5, 16, 16, generator=make_rng(4)),
        }
        style = torch.randn(1, 2 * (3 + 11), generator=make_rng(5))
        return network(features, [(style, None)])  # type: ignore[no-any-return]
    return network(image)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in LARGE])
def test_every_row_goes_through_a_file(name: str, tmp_path: Path) -> None:
    row, arguments = NETWORKS[name], TINY[name]
    network, path = randomise(row.build(**arguments)), tmp_path / "network.safetensors"
    state = network.state_dict()
    if row.kind == "backbone":
        plain = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0), "classes": ("a", "b")}
        save_weights(path, state, network=name, arguments=arguments, **plain)  # type: ignore[arg-type]
    else:
        save_network_file(path, state, network=name, arguments=arguments, trained_on="noise")
    for source in (path, tmp_path):  # the file; the folder, as if of a run
        loaded = load_network(source)
        assert (loaded.name, loaded.kind, loaded.path) == (name, row.kind, path)
        assert loaded.metadata["network"] == name
        own = loaded.network
        if row.kind == "backbone":
            image = torch.rand(1, 3, 80, 80, generator=make_rng(1))
            actual, target = own(image, ["logits"])["logits"], network(image)
        else:
            actual, target = use(own, row.kind), use(network, row.kind)
        torch.testing.assert_close(actual, target, atol=1e-5, rtol=1e-4)
        assert not any(weight.requires_grad for weight in own.parameters())


class Dot(nn.Sequential):
    """The smallest backbone: a convolution, and the mean as logits."""

    def __init__(self, classes: int = 2) -> None:
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        parts["conv1"] = nn.Conv2d(3, 4, 3, padding=1)
        parts["relu1"] = nn.ReLU()
        parts["pool1"] = nn.AdaptiveAvgPool2d(1)
        parts["_flatten"] = nn.Flatten()
        parts["logits"] = nn.Linear(4, classes)
        super().__init__(parts)

    def stages(self) -> list[tuple[str, nn.Module]]:
        return list(self.named_children())


def test_a_network_is_added_by_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file defines it; the row says the rest: then it is found, loaded and dreamt with."""
    style = StyleLayers({"relu1": 1}, {"conv1": 1}, 0.1, 0.2)
    row = Architecture(
        "backbone", Dot, aliases={"first": "conv1"}, layers=LayerDefaults(("relu1",), style)
    )
    monkeypatch.setitem(NETWORKS, "dot", row)
    path, network = tmp_path / "dot.safetensors", Dot(3)
    save_weights(
        path,
        network.state_dict(),
        network="dot",
        arguments={"classes": 3},
        mean=(0.5,) * 3,
        std=(2.0,) * 3,
        classes="abc",
    )
    image = torch.rand(1, 3, 8, 8)
    backbone = load_network(path, "backbone").network
    expected = network((image - 0.5) / 2)
    torch.testing.assert_close(backbone(image, ["logits"])["logits"], expected)
    assert load_backbone(path, layers=["first"]).resolve("first") == "conv1"
    assert (name_network(path), name_network("dot")) == ("dot", "dot")
    assert default_layers(path) == default_layers("dot") == ("relu1",)
    with pytest.raises(UnknownName, match="did you mean 'dot'"):
        find_network("dott")
    assert isinstance(build_backbone("dot"), Dot)


@pytest.mark.parametrize("name", names_of("backbone"))
def test_the_layers_of_a_row_are_layers_of_its_network(name: str) -> None:
    with torch.device("meta"):
        network = build_backbone(name)
    table, layers = layer_table(network), NETWORKS[name].layers
    named = [*layers.dream]
    if layers.style is not None:
        named += [*layers.style.content, *layers.style.style]
    if layers.perceptual is not None:
        named += [*layers.perceptual.content, *layers.perceptual.style]
    assert all(table[layer].stride is not None for layer in named)
    assert set(NETWORKS[name].aliases.values()) <= table.keys()


def test_what_suits_the_networks_of_the_literature() -> None:
    vgg = NETWORKS["vgg19"].layers
    assert vgg == NETWORKS["vgg16"].layers
    assert vgg.dream == ("relu4_3",)
    assert vgg.style is not None
    assert (vgg.style.content_weight, vgg.style.tv, vgg.style.normalized) == (0.015, 2.0, False)
    assert vgg.style.style["relu1_1"] == 256
    assert vgg.perceptual is not None
    assert vgg.perceptual.content == ("relu3_3",)
    iris = NETWORKS["iris"].layers.style
    assert iris is not None
    assert (iris.content_weight, iris.tv, iris.normalized) == (0.06, 0.5, True)


def test_names() -> None:
    assert "iris" in names_of("backbone")
    assert names_of("generator") == ("light", "dcgan", "art-dcgan", "vanilla")
    assert len(names_of()) == len(NETWORKS)
    assert embedded_names("image-to-image") == {
        "starry-night": "johnson",
        "great-wave": "johnson",
        "the-scream": "johnson",
        "composition-vii": "johnson",
        "old-photographs": "translation",
        "impressionism": "translation",
    }
    assert all(re.fullmatch(r"[a-z0-9_-]+", name) for name in (*NETWORKS, *embedded_names()))
    with pytest.raises(UnknownName, match="johnson"):
        find_architecture("jonson")
    with pytest.raises(UnknownName):
        find_architecture("johnson", "backbone")
    for wrong in ("lihgt", "iris"):
        with pytest.raises(UnknownName, match="architecture"):
            find_gan(wrong)
        with pytest.raises(UnknownName):
            build_generator(wrong, None)  # type: ignore[arg-type]
