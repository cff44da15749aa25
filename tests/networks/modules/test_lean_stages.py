"""What a lean pass gives is what torch's own layers give, forth and back, in far less memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.networks.backbone import Backbone
from belamy.networks.backbones.iris import initialise
from belamy.networks.modules import lean_stages
from belamy.networks.registry import NETWORKS

TAPS = ("relu1_1", "relu2_1", "relu2_2", "relu3_1")


@pytest.fixture(scope="module")
def network() -> Backbone:
    module: Any = NETWORKS["vgg19"].build(hidden=8)
    initialise(module, make_rng(0, "vgg19"))
    return Backbone(module, name="vgg19", layers=["relu3_2"], mean=(0.5,) * 3, std=(0.3,) * 3)


def picture(height: int, width: int) -> Tensor:
    return torch.rand((1, 3, height, width), generator=make_rng(0, "picture"))


def look(network: Backbone, image: Tensor, layers: Sequence[str], lean: bool) -> list[Tensor]:
    """The activations, and the gradient of a sum of them in which every place counts its own."""
    pixels = image.clone().requires_grad_(True)
    activations = network(pixels, layers, lean=lean)
    weights = [torch.randn(x.shape, generator=make_rng(1, "w")) for x in activations.values()]
    total = sum((x.float() * w).sum() for x, w in zip(activations.values(), weights, strict=True))
    assert isinstance(total, Tensor)
    (gradient,) = torch.autograd.grad(total, pixels)
    return [*(x.detach().clone() for x in activations.values()), gradient]


@pytest.mark.parametrize("layers", [TAPS, ("conv1_1", "conv2_2", "relu3_1"), ("pool1", "pool2")])
@pytest.mark.parametrize("size", [(40, 48), (37, 43)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_same_bits(
    network: Backbone, layers: tuple[str, ...], size: tuple[int, int], dtype: torch.dtype
) -> None:
    network.to(dtype)
    plain = look(network, picture(*size), layers, lean=False)
    lean = look(network, picture(*size), layers, lean=True)
    network.float()
    assert all(map(torch.equal, plain, lean))


def test_of_equal_numbers_the_first_is_the_maximum() -> None:
    flat = torch.tensor([[1.0, 1.0, -1.0, -1.0], [1.0, 1.0, -1.0, -2.0]])[None, None]
    one = nn.Conv2d(1, 1, 1, bias=False).requires_grad_(False)
    one.weight.fill_(1.0)
    pixels = flat.requires_grad_(True)
    modules = [one, nn.ReLU(), nn.MaxPool2d(2)]
    out = lean_stages.run_lean(["a", "b", "c"], modules, {}, pixels)
    (gradient,) = torch.autograd.grad(out.sum(), pixels)
    assert out.flatten().tolist() == [1, 0]
    assert gradient[0, 0].tolist() == [[1, 0, 0, 0], [0, 0, 0, 0]]


def test_what_is_kept_for_the_way_back_is_small(network: Backbone) -> None:
    def kept(lean: bool) -> int:
        held: dict[int, int] = {}  # where a tensor lies → bytes, beside those of the weights

        def pack(x: Tensor) -> Tensor:
            held[x.data_ptr()] = x.nbytes
            return x

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
            network.through(
                picture(64, 64).requires_grad_(True), {"relu3_1": lambda x: x}, lean=lean
            )
        own = {parameter.data_ptr() for parameter in network.parameters()}
        return sum(size for place, size in held.items() if place not in own)

    assert kept(lean=True) < 0.2 * kept(lean=False)


def test_first_activations_are_made_again_when_they_are_needed(
    network: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = look_squared(network, picture(32, 32))
    made: list[int] = []
    convolve = torch.nn.functional.conv2d

    def count(x: Tensor, *rest: Any) -> Tensor:
        made.append(x.shape[1])
        return convolve(x, *rest)

    monkeypatch.setattr(lean_stages.F, "conv2d", count)

    pixels = picture(32, 32).requires_grad_(True)
    out = network.through(pixels, {"relu1_1": lambda x: x.square()}, lean=True)
    assert made == [3]
    (gradient,) = torch.autograd.grad(out.sum(), pixels)
    assert made == [3, 3]
    torch.testing.assert_close(gradient, expected, rtol=0, atol=0)


def look_squared(network: Backbone, image: Tensor) -> Tensor:
    pixels = image.requires_grad_(True)
    features = network(pixels, ["relu1_1"])["relu1_1"]
    (gradient,) = torch.autograd.grad(features.square().sum(), pixels)
    return gradient


def test_too_small_a_picture_is_said_so(network: Backbone) -> None:
    with pytest.raises(RuntimeError, match="too small"):
        network._run(picture(1, 8), {"pool1": lambda x: x}, 4, True)
