"""Features moved to a style have its moments, and go no farther than they must."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.objectives.style_losses import Moments, moments_of, wasserstein_loss
from belamy.objectives.whitening import standard_deviations, whitening_coloring


def features(seed: int, channels: int = 5, side: int = 12, pictures: int = 2) -> Tensor:
    chance = make_rng(seed, "features")
    x = torch.randn(pictures, channels, side, side, generator=chance)
    mix = torch.randn(channels, channels, generator=chance)
    return torch.einsum("ij,njhw->nihw", mix, x).relu() + seed


def test_the_style_is_reached() -> None:
    found, wanted = features(1), moments_of(features(2, side=7))
    moved = moments_of(whitening_coloring(moments_of(found), wanted, 1.0)(found))
    torch.testing.assert_close(moved.mean, wanted.mean)
    size = wanted.covariance.abs().amax()
    torch.testing.assert_close(moved.covariance, wanted.covariance, atol=3e-2 * float(size), rtol=0)


def test_each_feature_by_itself() -> None:
    found, wanted = features(1), moments_of(features(2))
    moved = whitening_coloring(moments_of(found), wanted, 0.0)(found)
    mine = moments_of(moved)
    torch.testing.assert_close(mine.mean, wanted.mean)
    torch.testing.assert_close(
        standard_deviations(mine), standard_deviations(wanted), atol=0, rtol=0.1
    )
    for before, after in zip(found.flatten(0, 1), moved.flatten(0, 1), strict=True):
        together = torch.corrcoef(torch.stack([before.flatten(), after.flatten()]))
        assert together[0, 1] > 0.9999


@pytest.mark.parametrize("mixing", [0.0, 0.5, 1.0])
def test_a_picture_in_its_own_style_stays(mixing: float) -> None:
    found = features(3)
    own = moments_of(found)
    torch.testing.assert_close(
        whitening_coloring(own, own, mixing)(found), found, atol=1e-3, rtol=1e-3
    )


def test_more_mixing_comes_nearer() -> None:
    found, wanted = features(1), moments_of(features(2))
    distance = wasserstein_loss("x", Moments(wanted.mean[:1], wanted.second[:1])).objective

    def left(mixing: float) -> float:
        moved = whitening_coloring(moments_of(found), wanted, mixing)(found)
        return float(distance({"x": moved[:1]}))

    assert left(1.0) < left(0.7) < left(0.0)


def test_it_is_the_shortest_way() -> None:
    """Whitening and colouring by Cholesky's roots reaches the same moments, and moves more."""
    found, wanted = features(1, pictures=1), moments_of(features(2, pictures=1))
    own = moments_of(found)
    moved = whitening_coloring(own, wanted, 1.0)(found)
    roots = [torch.linalg.cholesky(one.covariance[0]) for one in (wanted, own)]
    other = torch.einsum(
        "ij,njhw->nihw", roots[0] @ roots[1].inverse(), found - own.mean[:, :, None, None]
    )
    other += wanted.mean[:, :, None, None]
    torch.testing.assert_close(moments_of(other).covariance, wanted.covariance)
    assert (moved - found).square().mean() < (other - found).square().mean()


@pytest.mark.parametrize("mixing", [0.0, 0.7, 1.0])
@pytest.mark.parametrize(("content", "style"), [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
def test_flat_pictures_give_numbers(mixing: float, content: float, style: float) -> None:
    found, other = content * features(1), style * features(2)
    moved = whitening_coloring(moments_of(found), moments_of(other), mixing)(found)
    assert bool(moved.isfinite().all())
    assert moved.abs().max() < 100


def test_fewer_places_than_features() -> None:
    found, other = features(1, channels=20, side=3), features(2, channels=20, side=2)
    moved = whitening_coloring(moments_of(found), moments_of(other), 0.7)(found)
    assert bool(moved.isfinite().all())
    torch.testing.assert_close(moments_of(moved).mean, moments_of(other).mean)
