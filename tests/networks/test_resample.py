from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.networks.resample import (
    Downsample,
    Upsample,
    downsample,
    resample,
    soften,
    upsample,
)


def noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


@pytest.mark.parametrize("size", [(2, 2), (5, 8), (9, 7), (16, 16)])
def test_sizes_and_flat_pictures(size: tuple[int, int]) -> None:
    flat = torch.full((2, 3, *size), 0.7)
    halved, doubled = downsample(flat), upsample(flat)
    assert halved.shape == (2, 3, -(-size[0] // 2), -(-size[1] // 2))
    assert doubled.shape == (2, 3, 2 * size[0], 2 * size[1])
    torch.testing.assert_close(halved, torch.full_like(halved, 0.7))
    torch.testing.assert_close(doubled, torch.full_like(doubled, 0.7))


@pytest.mark.parametrize("resize", [downsample, upsample])
def test_nothing_moves_to_one_side(resize: type[Tensor]) -> None:
    x = noise(1, 2, 8, 10)
    for dim in (-1, -2):
        torch.testing.assert_close(resize(x.flip(dim)), resize(x).flip(dim))


def test_one_and_a_half_times_as_large() -> None:
    flat = torch.full((2, 3, 8, 8), 0.7)
    torch.testing.assert_close(resample(flat, 12), torch.full((2, 3, 12, 12), 0.7))
    x = noise(1, 2, 8, 8)
    for dim in (-1, -2):
        torch.testing.assert_close(
            resample(x.flip(dim), 12), resample(x, 12).flip(dim), atol=1e-6, rtol=0
        )


def test_the_finest_stripes_are_softened() -> None:
    stripes = torch.tensor([0.0, 1.0]).repeat(8).expand(1, 2, 16, 16)
    softer = 0.5 + 0.4 * (stripes - 0.5)
    torch.testing.assert_close(soften(stripes)[..., 1:-1], softer[..., 1:-1])
    torch.testing.assert_close(soften(stripes.mT)[..., 1:-1, :], softer.mT[..., 1:-1, :])


def test_resampling_keeps_waves_that_bilinear_weights_dim() -> None:
    def wave(side: int) -> Tensor:
        return ((torch.arange(side) + 0.5) / side * 24 * torch.pi).cos().expand(1, 1, side, side)

    inside = (..., slice(9, -9), slice(9, -9))
    bilinear = torch.nn.functional.interpolate(wave(32), size=48, mode="bilinear")
    ours, theirs = (
        float((one - wave(48))[inside].abs().max()) for one in (resample(wave(32), 48), bilinear)
    )
    assert ours < 0.35 < theirs


def test_the_finest_stripes_do_not_come_through() -> None:
    stripes = torch.tensor([0.0, 1.0]).repeat(8).expand(1, 1, 16, 16)
    inside = downsample(stripes)[..., 1:-1]
    torch.testing.assert_close(inside, torch.full_like(inside, 0.5))
    assert stripes[..., ::2].max() == 0  # as a stride would have seen them


def test_doubling_leaves_no_checkerboard() -> None:
    """Each place of the input weighs the same on all four pixels that it becomes."""
    x = noise(1, 1, 6, 6).requires_grad_()
    upsample(x).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.full_like(x, 4.0))


@pytest.mark.parametrize("layer", [Downsample(), Upsample()])
def test_slopes_of_slopes(layer: torch.nn.Module) -> None:
    x = noise(1, 2, 4, 5).requires_grad_()
    assert torch.autograd.gradcheck(layer, x)
    assert torch.autograd.gradgradcheck(layer, x)
