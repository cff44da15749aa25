"""A network made ready: its pooling, its padding, its precision."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from belamy.devices import DTYPES, make_rng
from belamy.engines.style.network import POOLINGS, set_pooling_and_padding
from belamy.errors import OptionError
from belamy.networks.backbone import Backbone
from belamy.networks.backbones.alexnet_vgg import build_vgg
from belamy.networks.backbones.iris import Iris, initialise
from belamy.networks.backbones.squeezenet import squeezenet1_0

PLAIN = {"mean": (0.5, 0.5, 0.5), "std": (0.3, 0.3, 0.3)}


def vgg(layers: tuple[str, ...]) -> Backbone:
    torch.manual_seed(0)  # of the biases
    network = build_vgg(19)(hidden=8)
    initialise(network, make_rng(0, "vgg"))
    return Backbone(network, name="vgg19", layers=layers, **PLAIN)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_poolings_keep_shapes_and_differ(pooling: str) -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 3, 37, 50)
    with torch.no_grad():
        plain, made = (
            set_pooling_and_padding(vgg(("relu3_1",)), kind, "float32")(image, ["relu3_1"])[
                "relu3_1"
            ]
            for kind in (None, pooling)
        )
    assert made.shape == plain.shape
    assert torch.equal(made, plain) == (pooling == "max")
    assert 0.5 < made.mean() / plain.mean() < 2  # about as large as a maximum


@pytest.mark.parametrize("pooling", ["average", "l2"])
def test_poolings_of_what_is_silent_have_a_gradient(pooling: str) -> None:
    pool = POOLINGS[pooling](nn.MaxPool2d(3, 2, ceil_mode=True))
    silent = torch.zeros(1, 1, 6, 6, requires_grad=True)
    pool(silent).sum().backward()
    assert silent.grad is not None
    assert silent.grad.isfinite().all()
    assert pool(torch.ones(1, 1, 6, 6)).std() < 1e-6  # at the edge as inside


def test_squeezenet_pools_too() -> None:
    backbone = Backbone(squeezenet1_0(10), name="squeezenet1_0", layers=["fire4"], **PLAIN)
    set_pooling_and_padding(backbone, "average", "float32")
    assert not any(isinstance(module, nn.MaxPool2d) for module in backbone.modules())


def test_a_network_without_maxima_is_said() -> None:
    backbone = Backbone(Iris(10), name="iris", layers=["mixed3a"], **PLAIN)
    with pytest.raises(OptionError, match="iris has no maxima"):
        set_pooling_and_padding(backbone, "l2", "float32")


def test_the_edge_goes_on_as_its_last_pixels() -> None:
    grey = torch.full((1, 3, 20, 20), 0.8)
    with torch.no_grad():
        framed = vgg(("relu1_1",))(grey, ["relu1_1"])["relu1_1"]
        replicating = set_pooling_and_padding(vgg(("relu1_1",)), None, "float32")
        even = replicating(grey, ["relu1_1"])["relu1_1"]
    assert framed.std(dim=(2, 3)).max() > 1e-3
    assert even.std(dim=(2, 3)).max() < 1e-5


@pytest.mark.parametrize("precision", DTYPES)
def test_precisions(precision: str) -> None:
    backbone = set_pooling_and_padding(vgg(("relu2_1",)), "l2", precision)
    image = torch.rand(1, 3, 16, 16).to(DTYPES[precision])
    with torch.no_grad():
        found = backbone(image, ["relu2_1"])["relu2_1"]
    assert found.dtype == DTYPES[precision]
    assert found.isfinite().all()
