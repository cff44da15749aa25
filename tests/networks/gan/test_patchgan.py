"""PatchGAN: what a patch is, and instance norm by its definition."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from belamy.devices import make_rng
from belamy.networks.gan.patchgan import (
    MultiscaleDiscriminator,
    PatchDiscriminator,
    initialise,
)
from belamy.networks.image_to_image.instance_norm import InstanceNorm


def test_the_default_is_the_standard_network() -> None:
    network = PatchDiscriminator()
    assert sum(parameter.numel() for parameter in network.parameters()) == 2_764_737
    assert network(torch.rand(2, 3, 128, 128)).shape == (2, 1, 14, 14)


@pytest.mark.parametrize(("layers", "patch"), [(0, 1), (1, 16), (2, 34), (3, 70), (4, 142)])
def test_a_logit_sees_one_patch(layers: int, patch: int) -> None:
    network = PatchDiscriminator(4, layers)
    for part in network.modules():
        if isinstance(part, InstanceNorm):  # which sees the whole picture
            part.forward = lambda x: x  # type: ignore[method-assign]
    image = torch.rand((1, 3, 192, 192), generator=make_rng(0)).requires_grad_()
    logits = network(image)
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    assert image.grad is not None
    rows, columns = image.grad[0].abs().sum(dim=0).nonzero().T
    assert int(rows.max() - rows.min()) + 1 == patch
    assert int(columns.max() - columns.min()) + 1 == patch


@pytest.mark.parametrize("layers", [0, 1, 2, 3, 4])
def test_the_smallest_picture_is_judged(layers: int) -> None:
    network = PatchDiscriminator(2, layers, inputs=6)
    side = network.smallest
    assert network(torch.rand(1, 6, side, side + 1)).isfinite().all()


def test_each_scale_judges_the_picture_half_as_large() -> None:
    network = MultiscaleDiscriminator(3, 2, 1)
    side = network.smallest
    assert all(logits.isfinite().all() for logits in network(torch.rand(1, 3, side, side)))
    image = torch.rand((2, 3, 64, 64), generator=make_rng(0))
    logits = network(image)
    small = nn.functional.interpolate(image, scale_factor=0.25, mode="area")
    assert [one.shape[-1] for one in logits] == [30, 14, 6]
    torch.testing.assert_close(logits[0], network.parts[0](image))
    torch.testing.assert_close(logits[2], network.parts[2](small))


def test_without_norms_a_tint_is_judged() -> None:
    image = torch.rand((1, 3, 64, 64), generator=make_rng(0)) / 4
    changes = []
    for norm in (True, False):
        network = PatchDiscriminator(8, 2, norm=norm)
        initialise(network, make_rng(1))
        with torch.no_grad():
            logits = network(image)
            changes.append(float((network(image + 0.5) - logits).mean().abs() / logits.std()))
    assert changes[1] > 4 * changes[0]


def test_the_same_seed_starts_the_same() -> None:
    networks = [PatchDiscriminator(4, 1) for _ in range(2)]
    for network in networks:
        initialise(network, make_rng(3, "weights"))
    for one, other in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        assert torch.equal(one, other)
    spreads = [one.std() for one in networks[0].parameters() if one.ndim == 4]
    assert all(0.01 < spread < 0.03 for spread in spreads)


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("affine", [False, True])
def test_instance_norm_is_torchs(order: torch.memory_format, affine: bool) -> None:
    chance = make_rng(0)
    ours, theirs = InstanceNorm(5, affine=affine), nn.InstanceNorm2d(5, affine=affine)
    if affine:
        for one in ours.parameters():
            nn.init.normal_(one, generator=chance)
        theirs.load_state_dict(ours.state_dict())
    image = torch.randn((3, 5, 7, 6), generator=chance).mul(2).add(1)
    found = image.clone(memory_format=order).requires_grad_()
    wanted = image.clone().requires_grad_()
    weights = torch.randn(image.shape, generator=chance)
    (ours(found) * weights).sum().backward()
    (theirs(wanted) * weights).sum().backward()
    torch.testing.assert_close(ours(found), theirs(wanted), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found.grad, wanted.grad, atol=1e-5, rtol=1e-4)
    assert ours(found).is_contiguous(memory_format=order)
