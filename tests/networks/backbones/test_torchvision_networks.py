"""torchvision's networks: as many weights as were published, its names, layers at their places."""

from __future__ import annotations

import re

import pytest
import torch
from torch import Tensor, nn

from belamy.networks.backbone import Backbone
from belamy.networks.backbones import convnext, densenet
from belamy.networks.backbones.alexnet_vgg import build_vgg
from belamy.networks.geometry import layer_table
from belamy.networks.registry import NETWORKS, build_backbone
from belamy.networks.sequential import Chain
from belamy.networks.torchvision_networks import TORCHVISION_NETWORKS

# As torchvision counts them; Inception v3's 27,161,264 have an auxiliary classifier among them.
PARAMETERS = {
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "vgg11_bn": 132_868_840,
    "vgg13_bn": 133_053_736,
    "vgg16_bn": 138_365_992,
    "vgg19_bn": 143_678_248,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "densenet121": 7_978_856,
    "mobilenet_v2": 3_504_872,
    "mobilenet_v3_large": 5_483_032,
    "mobilenet_v3_small": 2_542_856,
    "convnext_tiny": 28_589_128,
    "inception_v3": 27_161_264 - 3_326_696,
}
# Some of torchvision's names, one of each kind of part, and their shapes.
NAMES: dict[str, dict[str, tuple[int, ...]]] = {
    "vgg11": {"features.18.weight": (512, 512, 3, 3), "classifier.6.bias": (1000,)},
    "vgg13": {"features.22.weight": (512, 512, 3, 3)},
    "vgg16_bn": {"features.41.running_var": (512,), "features.40.weight": (512, 512, 3, 3)},
    "vgg19_bn": {"features.50.bias": (512,)},
    "resnet18": {"layer2.0.downsample.0.weight": (128, 64, 1, 1), "fc.weight": (1000, 512)},
    "resnet34": {"layer3.5.conv2.weight": (256, 256, 3, 3), "layer4.2.bn2.running_mean": (512,)},
    "resnet101": {"layer3.22.conv3.weight": (1024, 256, 1, 1)},
    "densenet121": {
        "features.denseblock4.denselayer16.norm1.weight": (992,),
        "features.transition3.conv.weight": (512, 1024, 1, 1),
        "features.norm5.running_mean": (1024,),
        "classifier.weight": (1000, 1024),
    },
    "mobilenet_v2": {
        "features.1.conv.1.weight": (16, 32, 1, 1),
        "features.17.conv.1.0.weight": (960, 1, 3, 3),
        "features.18.1.running_var": (1280,),
        "classifier.1.weight": (1000, 1280),
    },
    "mobilenet_v3_large": {
        "features.4.block.2.fc1.weight": (24, 72, 1, 1),
        "features.15.block.3.0.weight": (160, 960, 1, 1),
        "features.16.0.weight": (960, 160, 1, 1),
        "classifier.3.weight": (1000, 1280),
    },
    "mobilenet_v3_small": {"features.1.block.1.fc2.bias": (16,), "classifier.0.bias": (1024,)},
    "convnext_tiny": {
        "features.0.1.weight": (96,),
        "features.5.8.layer_scale": (384, 1, 1),
        "features.1.0.block.3.weight": (384, 96),
        "features.6.1.weight": (768, 384, 2, 2),
        "classifier.2.weight": (1000, 768),
    },
    "inception_v3": {
        "Mixed_5b.branch5x5_2.conv.weight": (64, 48, 5, 5),
        "Mixed_6e.branch7x7dbl_5.conv.weight": (192, 192, 1, 7),
        "Mixed_7a.branch7x7x3_4.bn.running_mean": (192,),
        "Mixed_7c.branch3x3dbl_3b.conv.weight": (384, 384, 3, 1),
        "Mixed_7c.branch_pool.conv.weight": (192, 2048, 1, 1),
    },
}
# layer → channels, stride, receptive field
PLACES: dict[str, dict[str, tuple[int, int | None, int | None]]] = {
    "vgg11": {"relu5_2": (512, 16, 134), "relu1_1": (64, 1, 3)},
    "vgg13": {"relu4_2": (512, 8, 68)},
    "vgg19_bn": {"relu5_1": (512, 16, 156), "norm1_1": (64, 1, 3)},
    "resnet18": {"layer3.1": (256, 16, 211), "layer4.1": (512, 32, 435)},
    "resnet34": {"layer3.5": (256, 16, 547), "layer4": (512, 32, 899)},
    "densenet121": {"denseblock1": (256, 4, 59), "transition1": (128, 8, 63)},
    "mobilenet_v2": {"block1": (16, 2, 7), "conv2": (1280, 32, 491)},
    "mobilenet_v3_large": {
        "block3": (24, 4, 19),
        "block4": (40, 8, None),
        "conv2": (960, 32, None),
    },
    "convnext_tiny": {"stem": (96, 4, 4), "stage1.0": (96, 4, 28), "down1": (192, 8, 80)},
    # one of seven across and one of seven down see seven, not thirteen
    "inception_v3": {
        "Mixed_5d": (288, 8, 127),
        "Mixed_6a": (768, 16, 159),
        "mixed6b": (768, 16, 351),
    },
}


def on_meta(name: str, **arguments: int) -> nn.Module:
    with torch.device("meta"):
        network = build_backbone(name, **arguments)
    assert isinstance(network, nn.Module)
    return network


@pytest.mark.parametrize("name", PARAMETERS)
def test_as_many_weights_as_published(name: str) -> None:
    assert sum(weight.numel() for weight in on_meta(name).parameters()) == PARAMETERS[name]


def test_every_row_is_counted() -> None:
    assert TORCHVISION_NETWORKS.keys() <= PARAMETERS.keys()


@pytest.mark.parametrize("name", NAMES)
def test_the_names_are_torchvisions(name: str) -> None:
    state = on_meta(name).state_dict()
    assert {key: tuple(state[key].shape) for key in NAMES[name]} == NAMES[name]


@pytest.mark.parametrize("name", PLACES)
def test_layers_lie_where_they_should(name: str) -> None:
    network = on_meta(name)
    assert isinstance(network, Chain)
    backbone = Backbone(
        network, name=name, mean=(0,) * 3, std=(1,) * 3, aliases=NETWORKS[name].aliases
    )
    for layer, (channels, stride, field) in PLACES[name].items():
        found = backbone.layers[backbone.resolve(layer)]
        assert (found.channels, found.stride) == (channels, stride), layer
        assert found.receptive_field == field, layer


@pytest.mark.parametrize("name", [*TORCHVISION_NETWORKS])
def test_odd_sizes_go_through(name: str) -> None:
    network = on_meta(name)
    assert isinstance(network, Chain)
    side = 333 if name == "inception_v3" else 71
    x = torch.empty(2, 3, side, side + 20, device="meta")
    for stage, module in network.eval().stages():  # type: ignore[attr-defined]
        x = module(x)
        assert stage != "logits" or x.shape == (2, 1000)


def test_densenets_old_names_are_its_own() -> None:
    ((pattern, name),) = densenet.PUBLISHED_NAMES
    old = "features.denseblock2.denselayer3.norm.1.weight"
    assert re.sub(pattern, name, old) == "features.denseblock2.denselayer3.norm1.weight"
    own = "features.transition1.norm.weight"
    assert re.sub(pattern, name, own) == own


def test_convnext_is_what_its_paper_says_in_torchvisions_words() -> None:
    """A block by hand, with channels last as torchvision has it."""
    torch.manual_seed(0)
    block = convnext.Block(6)
    with torch.no_grad():
        block.layer_scale.normal_()
    x = torch.randn(1, 6, 9, 8)
    filter_, _, norm, wide, _, narrow = block.block
    y = filter_(x).permute(0, 2, 3, 1)
    y = nn.functional.layer_norm(y, (6,), norm.weight, norm.bias, 1e-6)  # type: ignore[arg-type]
    y = nn.functional.gelu(y @ wide.weight.T + wide.bias)  # type: ignore[operator, union-attr]
    y = y @ narrow.weight.T + narrow.bias  # type: ignore[operator, union-attr]
    expected = x + block.layer_scale * y.permute(0, 3, 1, 2)
    torch.testing.assert_close(block(x), expected)


def test_a_vgg_without_its_head_ends_with_its_last_maximum() -> None:
    network = build_vgg(11)(classes=0)
    assert not any(name.startswith("classifier") for name in network.state_dict())
    assert network.stages()[-1][0] == "pool5"
    assert "logits" not in layer_table(network)
    x: Tensor = network(torch.zeros(1, 3, 32, 32))
    assert x.shape == (1, 512, 1, 1)


def test_a_vgg_with_norms_is_one_without_where_they_do_nothing() -> None:
    torch.manual_seed(0)
    plain, normed = build_vgg(11)(classes=0), build_vgg(11, norm=True)(classes=0).eval()
    pairs = [
        (a, b)
        for a, b in zip(
            (m for m in plain.features if isinstance(m, nn.Conv2d)),
            (m for m in normed.features if isinstance(m, nn.Conv2d)),
            strict=True,
        )
    ]
    for a, b in pairs:
        b.load_state_dict(a.state_dict())
    x = torch.rand(1, 3, 40, 33)
    torch.testing.assert_close(normed(x), plain(x), rtol=1e-3, atol=1e-6)
