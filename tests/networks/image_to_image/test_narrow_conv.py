"""Four pixels made at once are the four pixels."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.devices import make_rng
from belamy.networks.image_to_image.layers import build
from belamy.networks.image_to_image.narrow_conv import NarrowConv, is_narrow


def narrow(bias: bool = True, kernel: tuple[int, int] = (9, 7)) -> NarrowConv:
    module = NarrowConv(4, 3, kernel, bias=bias).double()
    for number, weight in enumerate(module.parameters()):
        weight.data.normal_(generator=make_rng(number))
    return module


def picture(rows: int, columns: int) -> Tensor:
    return torch.randn((2, 4, rows, columns), generator=make_rng(9), dtype=torch.float64)


@pytest.mark.parametrize("size", [(16, 16), (9, 7), (10, 8), (9, 8), (11, 12), (24, 13)])
@pytest.mark.parametrize("bias", [True, False])
def test_it_is_the_convolution_at_even_and_odd_sizes(size: tuple[int, int], bias: bool) -> None:
    module, image = narrow(bias), picture(*size)
    torch.testing.assert_close(module(image), F.conv2d(image, module.weight, module.bias))


def test_its_slopes_are_those_of_the_convolution() -> None:
    module, image = narrow(), picture(16, 14).requires_grad_()
    towards = picture(8, 8)[:, :3]
    own = torch.autograd.grad((module(image) * towards).sum(), [image, *module.parameters()])
    plain = F.conv2d(image, module.weight, module.bias)
    other = torch.autograd.grad((plain * towards).sum(), [image, *module.parameters()])
    for mine, theirs in zip(own, other, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_it_is_taken_for_the_last_strokes_alone() -> None:
    rows = [
        {"layer": "conv", "inputs": 3, "outputs": 8, "kernel": [9, 9]},
        {"layer": "conv", "inputs": 8, "outputs": 3, "kernel": [9, 9]},
        {"layer": "conv", "inputs": 3, "outputs": 3, "kernel": [3, 3]},
        {"layer": "conv", "inputs": 3, "outputs": 3, "kernel": [7, 7], "padding": [3, 3]},
    ]
    found = [type(module).__name__ for module in build(rows)]
    assert found == ["Conv2d", "NarrowConv", "Conv2d", "Conv2d"]
    assert is_narrow(4, (5, 5), (1, 1))
    assert not is_narrow(5, (5, 5), (1, 1))
    assert not is_narrow(3, (5, 5), (2, 2))
