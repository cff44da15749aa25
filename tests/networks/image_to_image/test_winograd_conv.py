"""Fewer products, the same sums."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.devices import make_rng
from belamy.networks.image_to_image import winograd_conv
from belamy.networks.image_to_image.layers import build
from belamy.networks.image_to_image.winograd_conv import WinogradConv, is_wide


@pytest.fixture(autouse=True)
def faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winograd_conv, "_is_faster", lambda: True)


def convolution(bias: bool = True) -> WinogradConv:
    module = WinogradConv(12, 7, bias=bias)
    for number, weight in enumerate(module.parameters()):
        weight.data.normal_(generator=make_rng(number))
    return module


def picture(rows: int, columns: int, channels: int = 12) -> Tensor:
    return torch.randn((2, channels, rows, columns), generator=make_rng(9))


def is_own(y: Tensor) -> bool:
    return "_Convolution" in type(y.grad_fn).__name__


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [(6, 6), (10, 18), (34, 14)])
def test_values_and_slopes_are_those_of_the_convolution(
    size: tuple[int, int], bias: bool, order: torch.memory_format
) -> None:
    module = convolution(bias).to(memory_format=order)  # type: ignore[call-overload]
    image = picture(*size).contiguous(memory_format=order).requires_grad_()
    y = module(image)
    assert is_own(y)
    plain = F.conv2d(image.double(), module.weight.double(), module.bias.double() if bias else None)
    torch.testing.assert_close(y, plain.float(), rtol=1e-4, atol=1e-3)
    towards = picture(size[0] - 2, size[1] - 2, 7)
    inputs = [image, *module.parameters()]
    slopes = torch.autograd.grad((y * towards).sum(), inputs)
    exact = torch.autograd.grad((plain * towards.double()).sum(), inputs)
    for own, other in zip(slopes, exact, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-3)


def test_a_picture_without_a_gradient_teaches_the_weights_all_the_same() -> None:
    module = convolution()
    module(picture(10, 10)).square().sum().backward()
    own = module.weight.grad
    assert own is not None
    (plain,) = torch.autograd.grad(
        F.conv2d(picture(10, 10), module.weight, module.bias).square().sum(), module.weight
    )
    torch.testing.assert_close(own, plain, rtol=1e-4, atol=1e-2)


def test_finished_weights_and_other_sides_are_left_to_torch() -> None:
    module, image = convolution(), picture(10, 10)
    with torch.no_grad():
        assert torch.equal(module(image), F.conv2d(image, module.weight, module.bias))
    with torch.autocast("cpu", torch.bfloat16):
        assert module(image).dtype == torch.bfloat16
    assert not is_own(module(picture(11, 10)))
    assert not is_own(module.requires_grad_(False)(picture(10, 10).requires_grad_()))


def test_it_is_not_taken_where_it_is_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(winograd_conv, "_is_faster", lambda: False)
    assert not is_own(convolution()(picture(10, 10)))


def test_it_is_taken_between_many_channels_alone() -> None:
    rows = [
        {"layer": "conv", "inputs": 3, "outputs": 128, "kernel": [3, 3]},
        {"layer": "conv", "inputs": 128, "outputs": 64, "kernel": [3, 3]},
        {"layer": "conv", "inputs": 64, "outputs": 128, "kernel": [3, 3], "padding": [1, 1]},
        {"layer": "conv", "inputs": 128, "outputs": 128, "kernel": [3, 3], "stride": [2, 2]},
    ]
    found = [type(module).__name__ for module in build(rows)]
    assert found == ["Conv2d", "WinogradConv", "Conv2d", "Conv2d"]
    assert is_wide(128, 64, (3, 3), (1, 1))
    assert not is_wide(64, 64, (3, 3), (1, 1))
    assert not is_wide(128, 128, (5, 5), (1, 1))
