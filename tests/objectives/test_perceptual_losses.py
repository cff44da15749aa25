"""Perceptual losses against their formulas, written out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.objectives.perceptual_losses import (
    gram_matrices,
    relative_content_loss,
    relative_gram_loss,
    total_variation_loss,
)


def features(seed: int, pictures: int = 2) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(pictures, 3, 4, 5, generator=rng, dtype=torch.float64)


def test_a_gram_matrix_is_a_mean_over_positions() -> None:
    x = features(0)
    (grams,) = gram_matrices({"x": x}).values()
    assert grams.dtype == torch.float32  # half precision would overflow
    expected = torch.einsum("nchw,ndhw->ncd", x, x) / 20
    torch.testing.assert_close(grams.double(), expected, rtol=1e-5, atol=1e-6)


def test_the_style_loss_is_relative_to_its_target() -> None:
    x, y = features(0), features(1)
    targets = gram_matrices({"x": features(2, 1), "y": 30 * features(3, 1)})
    actual = gram_matrices({"x": x, "y": y})
    expected = [
        ((actual[layer] - target) ** 2).mean() / (target**2).mean()
        for layer, target in targets.items()
    ]
    loss = relative_gram_loss({"x": x, "y": y, "z": x}, targets)  # more layers than compared
    assert loss.item() == pytest.approx((expected[0] + expected[1]).item() / 2)


def test_the_content_loss_is_relative_to_its_target() -> None:
    x, target = features(0), features(1)
    expected = ((x - target) ** 2).sum() / (target**2).sum()
    assert relative_content_loss({"x": x, "y": x}, {"x": target}).item() == pytest.approx(
        expected.item()
    )
    both = relative_content_loss({"x": x, "y": 2 * x}, {"x": target, "y": x})
    assert both.item() == pytest.approx((expected.item() + 1) / 2)


def test_a_black_target_is_not_divided_by() -> None:
    assert torch.isfinite(relative_content_loss({"x": features(0)}, {"x": 0 * features(0)}))


def test_total_variation_is_the_sum_of_two_means() -> None:
    image = torch.tensor([[0.0, 0.5, 0.5], [0.25, 0.75, 0.0]]).expand(1, 3, 2, 3)
    down = (0.25**2 + 0.25**2 + 0.5**2) / 3
    right = (0.5**2 + 0 + 0.5**2 + 0.75**2) / 4
    assert total_variation_loss(image).item() == pytest.approx(down + right)
