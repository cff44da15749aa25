"""Borders are made in the numbers that activations are in, and nothing else changes by it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from belamy.devices import autocast, make_rng
from belamy.networks.image_to_image.layers import build
from belamy.networks.image_to_image.padding import ReflectionPad, ReplicationPad

PADS = [(ReflectionPad, nn.ReflectionPad2d), (ReplicationPad, nn.ReplicationPad2d)]


@pytest.mark.parametrize(("own", "usual"), PADS)
def test_in_bfloat16_nothing_is_turned_to_float32(
    own: type[nn.Module], usual: type[nn.Module]
) -> None:
    x = torch.rand(1, 4, 9, 11, generator=make_rng(0, "x")).bfloat16()
    with torch.inference_mode(), autocast(torch.device("cpu"), "bfloat16"):
        padded = own((3, 2, 1, 4))(x)
        expected = usual((3, 2, 1, 4))(x)
    assert padded.dtype == torch.bfloat16
    assert torch.equal(padded.float(), expected.float())


def test_gradients_are_added_up_as_before() -> None:
    x = torch.rand(1, 4, 9, 11, generator=make_rng(1, "x")).bfloat16()
    found = []
    for pad in (ReflectionPad((3, 3, 3, 3)), nn.ReflectionPad2d(3)):
        given = x.clone().requires_grad_()
        with autocast(torch.device("cpu"), "bfloat16"):
            padded = pad(given)
        assert padded.dtype == torch.float32
        (gradient,) = torch.autograd.grad(padded.square().sum(), given)
        found.append(gradient)
    assert torch.equal(*found)


def test_networks_made_of_rows_have_them() -> None:
    sides = {"left": 1, "right": 1, "top": 1, "bottom": 1}
    first, second = build([{"layer": "pad", "mode": m, **sides} for m in ("reflect", "replicate")])
    assert isinstance(first, ReflectionPad)
    assert isinstance(second, ReplicationPad)


@pytest.mark.parametrize("pad", [ReflectionPad(2), ReplicationPad(2)])
def test_tensors_without_numbers_get_borders_too(pad: nn.Module) -> None:
    """They know no autocast, and a network's complexity is counted with them."""
    with torch.no_grad():
        assert pad(torch.zeros(1, 3, 8, 8, device="meta")).shape == (1, 3, 12, 12)
