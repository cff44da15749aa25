"""Names, shapes and arithmetic of the published classifiers, against a few independent lines."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from belamy.networks.backbone import Backbone
from belamy.networks.backbones import imagenet
from belamy.networks.registry import NETWORKS

# Weights, and the first digits of the SHA-256 of the sorted lines "name shape" of the state dict,
# as torchvision 0.28's own networks gave them (without batch norm's counters). One letter of one
# name or one number of one shape changes them.
TORCHVISION = {
    "alexnet": (61_100_840, "935c1ea73a7869ee"),
    "vgg16": (138_357_544, "ba63c2556d912509"),
    "vgg19": (143_667_240, "393fac8b08b63fbe"),
    "googlenet": (6_624_904, "b2fadd85b321b7a9"),
    "squeezenet1_0": (1_248_424, "142983e4c19c76ad"),
    "squeezenet1_1": (1_235_496, "3fbd2a746421cada"),
    "resnet50": (25_557_032, "cf11dad974eadeaa"),
}
# The shortest side that each head can be reached with, from torchvision's documentation.
SMALLEST = {
    "alexnet": 63,
    "vgg16": 32,
    "vgg19": 32,
    "googlenet": 15,
    "squeezenet1_0": 21,
    "squeezenet1_1": 17,
    "resnet50": 1,
}
# Arguments that make the heads small, so that building takes no time.
SMALL = {"alexnet": {"hidden": 8}, "vgg16": {"hidden": 8}, "vgg19": {"hidden": 8}}

State = dict[str, Tensor]
Layers = dict[str, Tensor]


@pytest.mark.parametrize("name", TORCHVISION)
def test_names_shapes_and_count(name: str) -> None:
    with torch.device("meta"):
        network = NETWORKS[name].build()
    assert isinstance(network, nn.Module)
    state = {k: x for k, x in network.state_dict().items() if "num_batches" not in k}
    lines = sorted(f"{key} {tuple(tensor.shape)}" for key, tensor in state.items())
    count, digits = TORCHVISION[name]
    assert sum(parameter.numel() for parameter in network.parameters()) == count
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] == digits


def convolution(w: State, x: Tensor, name: str, stride: int = 1, padding: int = 0) -> Tensor:
    return functional.conv2d(x, w[f"{name}.weight"], w.get(f"{name}.bias"), stride, padding)


def linear(w: State, x: Tensor, name: str) -> Tensor:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def normed(w: State, x: Tensor, name: str, epsilon: float) -> Tensor:
    mean, variance = w[f"{name}.running_mean"], w[f"{name}.running_var"]
    gain, bias = w[f"{name}.weight"], w[f"{name}.bias"]
    x = (x - mean[:, None, None]) / (variance[:, None, None] + epsilon).sqrt()
    return x * gain[:, None, None] + bias[:, None, None]


def alexnet(w: State, x: Tensor) -> Layers:
    layers: Layers = {}
    rows = [(0, 4, 2, True), (3, 1, 2, True), (6, 1, 1, False), (8, 1, 1, False), (10, 1, 1, True)]
    for number, (place, stride, padding, pooled) in enumerate(rows, start=1):
        layers[f"conv{number}"] = x = convolution(w, x, f"features.{place}", stride, padding)
        layers[f"relu{number}"] = x = x.clamp(min=0)
        if pooled:
            layers[f"pool{number}"] = x = functional.max_pool2d(x, 3, 2)
    x = functional.adaptive_avg_pool2d(x, 6).flatten(1)
    layers["fc6"] = x = linear(w, x, "classifier.1")
    layers["fc7"] = x = linear(w, x.clamp(min=0), "classifier.4")
    layers["logits"] = linear(w, x.clamp(min=0), "classifier.6")
    return layers


def vgg(*counts: int) -> Callable[[State, Tensor], Layers]:
    def forward(w: State, x: Tensor) -> Layers:
        layers: Layers = {}
        place = 0
        for block, count in enumerate(counts, start=1):
            for number in range(1, count + 1):
                x = convolution(w, x, f"features.{place}", padding=1)
                layers[f"conv{block}_{number}"] = x
                layers[f"relu{block}_{number}"] = x = x.clamp(min=0)
                place += 2
            layers[f"pool{block}"] = x = functional.max_pool2d(x, 2)
            place += 1
        x = functional.adaptive_avg_pool2d(x, 7).flatten(1)
        layers["fc6"] = x = linear(w, x, "classifier.0")
        layers["fc7"] = x = linear(w, x.clamp(min=0), "classifier.3")
        layers["logits"] = linear(w, x.clamp(min=0), "classifier.6")
        return layers

    return forward


def squeezenet(places: dict[str, int], stride: int = 2) -> Callable[[State, Tensor], Layers]:
    def forward(w: State, x: Tensor) -> Layers:
        layers: Layers = {"conv1": (x := convolution(w, x, "features.0", stride))}
        layers["relu1"] = x = x.clamp(min=0)
        for name, place in places.items():
            if name.startswith("pool"):
                layers[name] = x = functional.max_pool2d(x, 3, 2, ceil_mode=True)
                continue
            layers[f"{name}.squeeze"] = x = convolution(w, x, f"features.{place}.squeeze")
            x = x.clamp(min=0)
            one = convolution(w, x, f"features.{place}.expand1x1").clamp(min=0)
            three = convolution(w, x, f"features.{place}.expand3x3", padding=1).clamp(min=0)
            layers[name] = x = torch.cat([one, three], dim=1)
        layers["conv10"] = x = convolution(w, x, "classifier.1")
        layers["logits"] = x.clamp(min=0).mean(dim=(2, 3))
        return layers

    return forward


SQUEEZENET1_0 = {
    "pool1": 2, "fire2": 3, "fire3": 4, "fire4": 5, "pool4": 6, "fire5": 7, "fire6": 8, "fire7": 9,
    "fire8": 10, "pool8": 11, "fire9": 12,
}  # fmt: skip
SQUEEZENET1_1 = {
    "pool1": 2, "fire2": 3, "fire3": 4, "pool3": 5, "fire4": 6, "fire5": 7, "pool5": 8, "fire6": 9,
    "fire7": 10, "fire8": 11, "fire9": 12,
}  # fmt: skip


def googlenet(w: State, x: Tensor) -> Layers:
    def basic(x: Tensor, name: str, stride: int = 1, padding: int = 0) -> Tensor:
        x = convolution(w, x, f"{name}.conv", stride, padding)
        return normed(w, x, f"{name}.bn", 1e-3).clamp(min=0)

    layers: Layers = {"conv1": (x := basic(x, "conv1", 2, 3))}
    layers["pool1"] = x = functional.max_pool2d(x, 3, 2, ceil_mode=True)
    layers["conv3"] = x = basic(basic(x, "conv2"), "conv3", 1, 1)
    layers["pool2"] = x = functional.max_pool2d(x, 3, 2, ceil_mode=True)
    for block in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        name = f"inception{block}"
        three = basic(basic(x, f"{name}.branch2.0"), f"{name}.branch2.1", 1, 1)
        five = basic(basic(x, f"{name}.branch3.0"), f"{name}.branch3.1", 1, 1)
        pooled = basic(functional.max_pool2d(x, 3, 1, padding=1), f"{name}.branch4.1")
        x = torch.cat([basic(x, f"{name}.branch1"), three, five, pooled], dim=1)
        layers[name], layers[f"{name}.branch2"] = x, three
        if block in ("3b", "4e"):
            size = 3 if block == "3b" else 2
            layers[f"pool{block[0]}"] = x = functional.max_pool2d(x, size, 2, ceil_mode=True)
    layers["logits"] = linear(w, x.mean(dim=(2, 3)), "fc")
    return layers


def resnet50(w: State, x: Tensor) -> Layers:
    def part(x: Tensor, name: str, number: int, stride: int = 1) -> Tensor:
        x = convolution(w, x, f"{name}.conv{number}", stride, padding=int(number == 2))
        return normed(w, x, f"{name}.bn{number}", 1e-5)

    layers: Layers = {"conv1": (x := convolution(w, x, "conv1", 2, 3))}
    layers["relu1"] = x = normed(w, x, "bn1", 1e-5).clamp(min=0)
    layers["pool1"] = x = functional.max_pool2d(x, 3, 2, padding=1)
    for group, count in (("layer1", 3), ("layer2", 4), ("layer3", 6), ("layer4", 3)):
        for index in range(count):
            name, stride = f"{group}.{index}", 1 + int(index == 0 and group != "layer1")
            middle = part(part(x, name, 1).clamp(min=0), name, 2, stride).clamp(min=0)
            if index == 0:
                x = convolution(w, x, f"{name}.downsample.0", stride)
                x = normed(w, x, f"{name}.downsample.1", 1e-5)
            layers[name] = x = (x + part(middle, name, 3)).clamp(min=0)
        layers[group] = x
    layers["logits"] = linear(w, x.mean(dim=(2, 3)), "fc")
    return layers


REFERENCES: dict[str, Callable[[State, Tensor], Layers]] = {
    "alexnet": alexnet,
    "vgg16": vgg(2, 2, 3, 3, 3),
    "vgg19": vgg(2, 2, 4, 4, 4),
    "googlenet": googlenet,
    "squeezenet1_0": squeezenet(SQUEEZENET1_0),
    "squeezenet1_1": squeezenet(SQUEEZENET1_1),
    "resnet50": resnet50,
}


def seeded(name: str, classes: int = 7) -> nn.Module:
    """A network with lively random weights: activations neither vanish nor explode."""
    with torch.device("meta"):
        network = NETWORKS[name].build(classes=classes, **SMALL.get(name, {}))
    assert isinstance(network, nn.Module)
    network.to_empty(device="cpu")
    randomness = torch.Generator().manual_seed(3)
    for key, tensor in network.state_dict().items():
        if key.endswith("running_var") or (tensor.dim() == 1 and key.endswith("weight")):
            tensor.uniform_(0.5, 1.5, generator=randomness)
        elif tensor.is_floating_point():
            spread = (2 / tensor[0].numel()) ** 0.5 if tensor.dim() > 1 else 0.1
            tensor.normal_(0, spread, generator=randomness)
    return network.eval()


@pytest.mark.parametrize("name", REFERENCES)
@torch.no_grad()
def test_layers_agree_with_functions_of_the_state_dict(name: str) -> None:
    network = seeded(name)
    state = network.state_dict()
    image = torch.rand(2, 3, 71, 94, generator=torch.Generator().manual_seed(1))
    backbone = Backbone(network, name=name, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4),
                        aliases=NETWORKS[name].aliases)  # fmt: skip
    mean, std = (torch.tensor(three)[:, None, None] for three in ((0.5, 0.4, 0.3), (0.2, 0.3, 0.4)))
    expected = REFERENCES[name](state, (image - mean) / std)
    found = backbone(image, expected)
    assert found.keys() == expected.keys()
    for layer, activation in expected.items():
        scale = float(activation.abs().max())
        assert scale > 1e-3, layer
        torch.testing.assert_close(
            found[layer], activation, rtol=1e-3, atol=1e-4 * scale, msg=layer
        )


@pytest.mark.parametrize("name", ["squeezenet1_1", "googlenet"])
@torch.no_grad()
def test_a_network_alone_is_its_chain(name: str) -> None:
    network = seeded(name)
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    backbone = Backbone(network, name=name, mean=(0, 0, 0), std=(1, 1, 1))
    torch.testing.assert_close(network(image), backbone(image, ["logits"])["logits"])


@pytest.mark.parametrize("name", SMALLEST)
def test_smallest_pictures(name: str) -> None:
    backbone = Backbone(seeded(name), name=name, mean=(0, 0, 0), std=(1, 1, 1))
    assert backbone.smallest(["logits"]) == SMALLEST[name]


@cache
def weightless(name: str) -> Backbone:
    with torch.device("meta"):
        network = NETWORKS[name].build()
    aliases = NETWORKS[name].aliases
    return Backbone(network, name=name, mean=(0, 0, 0), std=(1, 1, 1), aliases=aliases)


@pytest.mark.parametrize("name", REFERENCES)
def test_every_alias_leads_to_a_layer(name: str) -> None:
    layers = weightless(name).layers
    assert set(NETWORKS[name].aliases.values()) <= layers.keys()
    assert not NETWORKS[name].aliases.keys() & layers.keys()


@pytest.mark.parametrize(
    ("name", "asked", "own"),
    [
        ("googlenet", "inception_4c/output", "inception4c"),
        ("googlenet", "inception_4d_3x3_reduce", "inception4d.branch2.0"),
        ("googlenet", "inception_4d/3x3_reduce", "inception4d.branch2.0"),
        ("googlenet", "inception_5b/pool_proj", "inception5b.branch4.1"),
        ("googlenet", "mixed4c", "inception4c"),
        ("googlenet", "mixed4d_3x3_bottleneck_pre_relu", "inception4d.branch2.0.bn"),
        ("googlenet", "fc", "logits"),
        ("vgg16", "features.22", "relu4_3"),
        ("vgg19", "fc8", "logits"),
        ("alexnet", "features.12", "pool5"),
        ("squeezenet1_0", "features.3.squeeze", "fire2.squeeze"),
        ("squeezenet1_0", "fire9/concat", "fire9"),
        ("squeezenet1_1", "fire9/squeeze1x1", "fire9.squeeze"),
        ("resnet50", "layer3", "layer3.5"),
        ("resnet50", "maxpool", "pool1"),
    ],
)
def test_other_names(name: str, asked: str, own: str) -> None:
    assert weightless(name).resolve(asked) == own


# Bits of the ImageNet list that everybody who has looked at a classifier knows.
KNOWN_CLASSES = {
    0: "tench", 1: "goldfish", 9: "ostrich", 71: "scorpion", 130: "flamingo",
    207: "golden retriever", 281: "tabby", 285: "Egyptian cat", 291: "lion", 340: "zebra",
    388: "giant panda", 409: "analog clock", 483: "castle", 549: "envelope", 779: "school bus",
    817: "sports car", 954: "banana", 963: "pizza", 980: "volcano", 999: "toilet tissue",
}  # fmt: skip


def test_imagenet_classes() -> None:
    names = imagenet.class_names()
    assert len(names) == len(set(names)) == 1000
    assert {index: names[index] for index in KNOWN_CLASSES} == KNOWN_CLASSES
    assert all(name == name.strip() and name for name in names)
