from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from belamy.errors import OptionError
from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.files.weights import save_weights
from belamy.networks.folding import fold_norms
from belamy.networks.registry import NETWORKS
from belamy.networks.sequential import Chain, follow

# One of each family that has batch norms.
FAMILIES = (
    "densenet121",
    "efficientnet_lite0",
    "googlenet",
    "inception_v3",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "resnet18",
    "resnet50",
    "vgg11_bn",
)


def with_random_norms(network: nn.Module) -> nn.Module:
    """Norms that do something, lest a fold that is left out go unseen."""
    rng = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_var, module.weight):
                assert tensor is not None
                tensor.data.uniform_(0.5, 1.5, generator=rng)
            for tensor in (module.running_mean, module.bias):
                assert tensor is not None
                tensor.data.uniform_(-0.2, 0.2, generator=rng)
    return network.eval().requires_grad_(False)


def count_norms(network: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize("name", FAMILIES)
def test_the_folded_network_sees_the_same(name: str) -> None:
    network = with_random_norms(NETWORKS[name].build(classes=4))
    assert isinstance(network, Chain)
    side = 80 if name == "inception_v3" else 40
    image = torch.rand((1, 3, side, side), generator=torch.Generator().manual_seed(1))
    stages = network.stages()[:-3]  # without the head, whose means hide what a place gives
    before, norms = follow(stages, image), count_norms(network)
    changed = fold_norms(stages)
    after = follow(stages, image)
    left = sum(count_norms(module) for _, module in stages)
    assert len(changed) + left >= norms - 1  # a norm in the head may stay out of sight
    # DenseNet's norms come before its convolutions, but for those inside a layer.
    assert left == 0 or name == "densenet121"
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-4 * float(before.abs().max()))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("folding") / "random.safetensors"
    network = with_random_norms(NETWORKS["efficientnet_lite0"].build(classes=2))
    save_weights(
        path,
        network.state_dict(),
        network="efficientnet_lite0",
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
        arguments={"classes": 2},
    )
    return path


def look(backbone: Backbone, layer: str) -> Tensor:
    image = torch.rand((1, 3, 48, 48), generator=torch.Generator().manual_seed(2))
    return backbone(image, [layer])[layer]


@pytest.mark.parametrize(
    "layer", ["stem", "block3", "block3.depthwise.0", "block3.depthwise.1", "block5.project.1"]
)
def test_a_layer_that_is_asked_for_gives_what_it_gave(file: Path, layer: str) -> None:
    folded, whole = load_backbone(file, layers=iter([layer])), load_backbone(file)
    assert count_norms(folded) <= 1 < count_norms(whole)
    torch.testing.assert_close(look(folded, layer), look(whole, layer), rtol=1e-3, atol=1e-4)


def test_a_convolution_that_was_not_asked_for_says_so(file: Path) -> None:
    backbone = load_backbone(file, layers=["block3"])
    with pytest.raises(OptionError, match=r"'block3\.depthwise\.0' .* was not loaded"):
        look(backbone, "block3.depthwise.0")
