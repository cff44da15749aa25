from __future__ import annotations

import functools
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from belamy.errors import ImageError, OptionError, UnknownName, WeightsError
from belamy.networks.architecture import Architecture
from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.files import weights
from belamy.networks.files.weights import save_weights
from belamy.networks.geometry import Layer, layer_table
from belamy.networks.registry import NETWORKS
from belamy.networks.sequential import Stages, follow, weightless

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.5)


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Conv2d(6, 4, 5, padding=2)
        self.narrow = nn.Sequential(nn.Conv2d(6, 3, 1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.wide(x), self.narrow(x)], dim=1)


class Tiny(nn.Module):
    """Everything that a network here may have, in eight stages."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU()
        )
        self.pool = nn.MaxPool2d(3, 2)
        self.mixed = Branches()
        self.head = nn.Linear(7, classes)

    def stages(self) -> Stages:
        return [
            ("conv1", self.features[0]),
            ("norm1", self.features[1]),
            ("relu1", self.features[2]),
            ("pool1", self.pool),
            ("mixed2", self.mixed),
            ("average", nn.AdaptiveAvgPool2d(1)),
            ("_flatten", nn.Flatten()),
            ("logits", self.head),
        ]

    def forward(self, x: Tensor) -> Tensor:
        return follow(self.stages(), x)


@pytest.fixture
def network() -> Tiny:
    torch.manual_seed(0)
    return Tiny()


@pytest.fixture
def backbone(network: Tiny) -> Backbone:
    aliases = {"first": "conv1", "mixed2/wide": "mixed2.wide"}
    return Backbone(network, name="tiny", mean=MEAN, std=STD, classes="abcde", aliases=aliases)


@pytest.fixture
def image() -> Tensor:
    return torch.rand(2, 3, 11, 14, generator=torch.Generator().manual_seed(0))


def normalised(image: Tensor) -> Tensor:
    mean, std = (torch.tensor(three).view(1, 3, 1, 1) for three in (MEAN, STD))
    return (image - mean) / std


def test_activations_are_those_of_the_normalised_picture(
    network: Tiny, backbone: Backbone, image: Tensor
) -> None:
    found = backbone(image, ["norm1", "mixed2.narrow.0", "mixed2", "logits"])
    x = network.features[1](network.features[0](normalised(image)))
    pooled = network.pool(x.relu())
    torch.testing.assert_close(found["norm1"], x)  # not overwritten by the ReLU after it
    torch.testing.assert_close(found["mixed2.narrow.0"], network.mixed.narrow[0](pooled))
    torch.testing.assert_close(found["mixed2"], network.mixed(pooled))
    torch.testing.assert_close(found["logits"], network(normalised(image)))


def test_keys_are_the_names_asked_for(backbone: Backbone, image: Tensor) -> None:
    found = backbone(image, ("first", "mixed2/wide", "features.2", "mixed.narrow"))
    assert list(found) == ["first", "mixed2/wide", "features.2", "mixed.narrow"]
    same = backbone(image, ["conv1", "mixed2.wide", "relu1", "mixed2.narrow"])
    for asked, own in zip(found.values(), same.values(), strict=True):
        torch.testing.assert_close(asked, own, rtol=0, atol=0)
    assert backbone(image, []) == {}


def test_it_stops_at_the_deepest_layer_asked(backbone: Backbone, image: Tensor) -> None:
    ran: list[int] = []
    for index, module in enumerate(backbone.chain):
        module.register_forward_hook(lambda *_, index=index: ran.append(index))
    backbone(image, ["relu1", "conv1"])
    assert ran == [0, 1, 2]


def test_a_tap_decides_what_goes_on(backbone: Backbone, image: Tensor) -> None:
    seen: list[str] = []

    def noted(name: str, x: Tensor) -> Tensor:
        seen.append(name)
        return torch.zeros_like(x)

    taps = {name: functools.partial(noted, name) for name in ("mixed2.narrow", "conv1")}
    deepest = backbone.through(image, taps)
    assert seen == ["conv1", "mixed2.narrow"]
    assert deepest.shape == backbone(image, ["mixed2"])["mixed2"].shape
    assert float(backbone.through(image, {"conv1": torch.zeros_like}).abs().max()) == 0


def test_hooks_are_gone_even_after_a_failure(backbone: Backbone, image: Tensor) -> None:
    backbone(image, ["mixed2.wide"])
    with pytest.raises(ImageError):
        backbone(image[..., :2, :2], ["mixed2.wide"])
    assert not any(module._forward_hooks for module in backbone.modules())


def test_it_is_frozen_and_stays_in_evaluation_mode(backbone: Backbone, image: Tensor) -> None:
    assert not any(parameter.requires_grad for parameter in backbone.parameters())
    backbone.train()
    assert not any(module.training for module in backbone.modules())
    before = backbone.chain[1].running_mean.clone()
    backbone(image, ["logits"])
    torch.testing.assert_close(backbone.chain[1].running_mean, before, rtol=0, atol=0)


def test_gradients_reach_the_picture(backbone: Backbone) -> None:
    backbone = backbone.double()
    # not a parameter more than the picture: leaves with gradients would slow every step
    image = torch.rand(1, 3, 7, 9, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: backbone(x, ["mixed2"])["mixed2"], image)


@pytest.mark.parametrize("size", [(3, 3), (7, 5), (11, 4), (64, 33)])
def test_odd_sizes(backbone: Backbone, size: tuple[int, int]) -> None:
    found = backbone(torch.rand(1, 3, *size), ["mixed2", "logits"])
    assert found["mixed2"].shape == (1, 7, (size[0] - 1) // 2, (size[1] - 1) // 2)
    assert found["logits"].shape == (1, 5)


def test_a_picture_too_small_is_told_the_smallest_size(backbone: Backbone) -> None:
    assert (backbone.smallest(["relu1"]), backbone.smallest(["first", "logits"])) == (1, 3)
    backbone(torch.rand(1, 3, 1, 1), ["relu1"])
    with pytest.raises(ImageError, match=r"picture of 9×2 is too small for 'logits' of tiny.*3×3"):
        backbone(torch.rand(1, 3, 2, 9), ["logits"])


def test_other_failures_are_not_hidden(backbone: Backbone) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    backbone.chain[4].register_forward_hook(fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        backbone(torch.rand(1, 3, 9, 9), ["conv1", "mixed2", "logits"])


def test_unknown_layers_are_told_the_nearest(backbone: Backbone, image: Tensor) -> None:
    with pytest.raises(UnknownName, match=r"layer of tiny 'mixed3'.*'mixed2'"):
        backbone(image, ["mixed3"])
    with pytest.raises(UnknownName) as failed:
        backbone(image, ["mixed2.widee"])
    assert str(failed.value).count("'mixed2.wide'") == 1  # though it has two names
    for name in ("_flatten", "", ".", "conv1.weight", "mixed2."):
        with pytest.raises(UnknownName):
            backbone.resolve(name)


def test_layers_in_the_order_they_are_computed(backbone: Backbone) -> None:
    expected = [
        Layer("conv1", 6, 1, 3, "conv1"),
        Layer("norm1", 6, 1, 3, "norm1"),
        Layer("relu1", 6, 1, 3, "relu1"),
        Layer("pool1", 6, 2, 5, "pool1"),
        Layer("mixed2.wide", 4, 2, 13, "mixed2"),
        Layer("mixed2.narrow.0", 3, 2, 5, "mixed2"),
        Layer("mixed2.narrow.1", 3, 2, 5, "mixed2"),
        Layer("mixed2.narrow", 3, 2, 5, "mixed2"),
        Layer("mixed2", 7, 2, 13, "mixed2"),
        Layer("average", 7, None, None, "average"),
        Layer("logits", 5, None, None, "logits"),
    ]
    assert list(backbone.layers.values()) == expected


# By hand: a 3×3 convolution widens the field by 2 strides, a 2×2 maximum by 1, then doubles them.
VGG16_BY_HAND = {
    "conv1_1": (64, 1, 3),
    "relu1_2": (64, 1, 5),
    "pool1": (64, 2, 6),
    "relu2_1": (128, 2, 10),
    "relu2_2": (128, 2, 14),
    "pool2": (128, 4, 16),
    "conv3_1": (256, 4, 24),
    "relu3_3": (256, 4, 40),
    "pool3": (256, 8, 44),
    "relu4_1": (512, 8, 60),
    "relu4_3": (512, 8, 92),
    "pool4": (512, 16, 100),
    "relu5_1": (512, 16, 132),
    "relu5_3": (512, 16, 196),
    "pool5": (512, 32, 212),
    "fc6": (4096, None, None),
    "logits": (1000, None, None),
}


def test_the_table_of_vgg16_is_the_one_computed_by_hand() -> None:
    with torch.device("meta"):
        table = layer_table(NETWORKS["vgg16"].build())
    found = {name: table[name] for name in VGG16_BY_HAND}
    numbers = {n: (row.channels, row.stride, row.receptive_field) for n, row in found.items()}
    assert numbers == VGG16_BY_HAND


@pytest.mark.parametrize("name", ["pool1", "mixed2.wide", "mixed2"])
def test_the_receptive_field_is_where_gradients_come_from(backbone: Backbone, name: str) -> None:
    image = torch.rand(1, 3, 41, 41, requires_grad=True)
    activation = backbone(image, [name])[name]
    height, width = activation.shape[-2:]
    activation[0, :, height // 2, width // 2].square().sum().backward()
    assert image.grad is not None
    rows = image.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    field = backbone.layers[name].receptive_field
    # a maximum lets one place in nine through, so that an edge of the field may stay dark
    assert field is not None
    assert field - 4 <= int(rows.max() - rows.min()) + 1 <= field


def test_convolution_weights_lie_channels_last_on_the_cpu(backbone: Backbone) -> None:
    weight = backbone.chain[0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    activation = backbone(torch.rand(1, 3, 8, 8), ["conv1"])["conv1"]
    assert activation.is_contiguous(memory_format=torch.channels_last)


def test_a_weightless_copy_takes_no_memory_and_leaves_the_original(network: Tiny) -> None:
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    copy = weightless(network)
    assert copy.get_parameter("head.weight").untyped_storage().nbytes() == 4
    assert copy(torch.empty(0, 3, 20, 20)).shape == (0, 5)
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, before[name], rtol=0, atol=0)


def test_looking_at_a_network_does_not_load_a_compiler() -> None:
    code = """
import sys, torch
from belamy.networks.registry import NETWORKS, names_of
from belamy.networks.geometry import layer_table
for name in names_of("backbone"):
    with torch.device("meta"):
        network = NETWORKS[name].build()
    layer_table(network)
assert "torch._dynamo" not in sys.modules
assert "sympy" not in sys.modules
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(weights.__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


@pytest.fixture
def tiny_file(network: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(
        NETWORKS, "tiny", Architecture("backbone", Tiny, aliases={"first": "conv1"})
    )
    path = tmp_path / "tiny.safetensors"
    save_weights(path, network.state_dict(), network="tiny", mean=MEAN, std=STD, classes="abcde")
    return path


def test_a_file_says_by_itself_which_network_it_is(
    tiny_file: Path, backbone: Backbone, image: Tensor
) -> None:
    loaded = load_backbone(tiny_file, device="cpu")
    assert (loaded.name, loaded.classes) == ("tiny", tuple("abcde"))
    assert loaded.layers == backbone.layers
    assert len(loaded.sha256) == 64
    asked = ["first", "mixed2.narrow", "logits"]
    expected = backbone(image, asked)
    for name, activation in loaded(image, asked).items():
        torch.testing.assert_close(activation, expected[name], rtol=0, atol=0)
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert loaded.chain[0].weight.is_contiguous(memory_format=torch.channels_last)


def test_no_more_is_built_and_read_than_asked(
    tiny_file: Path, image: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    reading = weights.Weights.read

    def counted(self: weights.Weights, name: str) -> Tensor:
        read.append(name)
        return reading(self, name)

    monkeypatch.setattr(weights.Weights, "read", counted)
    loaded = load_backbone(tiny_file, layers=["features.2", "norm1"])
    assert len(loaded.chain) == 3
    assert list(loaded.layers) == ["norm1", "relu1"]  # conv1 has taken its norm in
    assert {name.split(".")[1] for name in read} == {"0", "1"}
    assert loaded(image, ["relu1"])["relu1"].shape == (2, 6, 11, 14)
    with pytest.raises(OptionError, match="'mixed2' of tiny was not loaded"):
        loaded(image, ["mixed2"])
    with pytest.raises(UnknownName):
        load_backbone(tiny_file, layers=["mixed7"])


def test_half_precision_files_are_loaded_as_single(network: Tiny, tiny_file: Path) -> None:
    save_weights(tiny_file, network.half().state_dict(), network="tiny", mean=MEAN, std=STD)
    loaded = load_backbone(tiny_file)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    assert loaded(torch.rand(1, 3, 9, 9), ["logits"])["logits"].dtype == torch.float32


def test_arguments_are_part_of_the_file(tiny_file: Path) -> None:
    torch.manual_seed(0)
    described = {"network": "tiny", "mean": MEAN, "std": STD, "arguments": {"classes": 3}}
    save_weights(tiny_file, Tiny(3).state_dict(), classes="abc", **described)
    assert load_backbone(tiny_file).layers["logits"].channels == 3
    save_weights(tiny_file, Tiny(3).state_dict(), classes="abcd", **described)
    with pytest.raises(WeightsError, match="4 classes, but has 3 logits"):
        load_backbone(tiny_file)


def sparse_vgg19(path: Path) -> None:
    """A file of all VGG-19's zeros that takes no room on the disk."""
    with torch.device("meta"):
        network = NETWORKS["vgg19"].build()
    assert isinstance(network, nn.Module)
    described = {"network": "vgg19", "mean": "[0,0,0]", "std": "[1,1,1]"}
    header: dict[str, object] = {"__metadata__": described}
    offset = 0
    for name, tensor in network.state_dict().items():
        end = offset + 4 * tensor.numel()
        header[name] = {"dtype": "F32", "shape": [*tensor.shape], "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + offset)


MEASURE = """
import sys
import torch
from belamy.networks.registry import NETWORKS
from belamy.networks.backbone import load_backbone
from belamy.networks.geometry import layer_table
layer_table(NETWORKS["squeezenet1_1"].build())  # what torch takes by itself, at its first use
def peak():  # not getrusage's, which begins at the parent's
    return int(next(x for x in open("/proc/self/status") if x.startswith("VmHWM")).split()[1])
before = peak()
backbone = load_backbone(sys.argv[1], layers=["relu4_1"])
after = peak()
print(sum(p.numel() for p in backbone.parameters()), after - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from Linux's /proc")
def test_vgg19_to_relu4_1_takes_no_head(tmp_path: Path) -> None:
    path = tmp_path / "vgg19.safetensors"
    sparse_vgg19(path)
    assert path.stat().st_size > 574e6
    command = [sys.executable, "-W", "error", "-c", MEASURE, str(path)]
    source = Path(weights.__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    parameters, kilobytes = map(int, answer.stdout.split())
    # 3·64 + 64·64 + 64·128 + 128·128 + 128·256 + 3·256·256 + 256·512 filters of 9, and biases
    assert parameters == 9 * 389_312 + 1_920
    assert kilobytes < 60_000  # of the file's 561,000
