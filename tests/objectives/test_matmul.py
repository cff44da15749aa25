"""Products by way of convolutions are products."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.objectives import matmul as module
from belamy.objectives.matmul import matmul, scatter_matrix


def matrix(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=make_rng(seed))


# Large enough, and even, to go the other way; too small; of no even number of rows; several.
SHAPES = [
    (1, 256, 128, 160),
    (1, 64, 128, 128),
    (1, 256, 96, 128),
    (1, 250, 128, 128),
    (2, 128, 128, 128),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products_and_their_slopes(shape: tuple[int, int, int, int]) -> None:
    count, rows, inner, columns = shape
    a, b = matrix(count, rows, inner).requires_grad_(), matrix(count, inner, columns, seed=1)
    b.requires_grad_()
    wanted = a.double() @ b.double()
    torch.testing.assert_close(matmul(a, b).double(), wanted, rtol=1e-4, atol=1e-4)
    towards = matrix(count, rows, columns, seed=2)
    found = torch.autograd.grad((matmul(a, b) * towards).sum(), [a, b])
    plain = torch.autograd.grad((wanted * towards.double()).sum(), [a, b])
    for one, other in zip(found, plain, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-3)


def test_turned_matrices_are_seen_as_they_are() -> None:
    a, b = matrix(1, 128, 256).mT, matrix(1, 160, 128, seed=1).mT
    torch.testing.assert_close(matmul(a, b), a @ b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("places", [256, 250, 60])
@pytest.mark.parametrize("channels", [8, 33, 128, 144])
def test_scatter_is_symmetric_whichever_way(places: int, channels: int) -> None:
    x = matrix(1, places, channels)
    weights = torch.rand((places, 1), generator=make_rng(1))
    wanted = (x * weights).double().mT @ x.double()
    found = scatter_matrix(x * weights, x)
    torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(found, found.mT, rtol=1e-4, atol=1e-3)


def test_doubles_and_machines_without_onednn_go_the_plain_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert module._suits_convolution(matrix(1, 256, 128))
    assert not module._suits_convolution(matrix(1, 256, 128).double())
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert not module._suits_convolution(matrix(1, 256, 128))
