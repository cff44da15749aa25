"""Distances for training in many styles at once."""

from __future__ import annotations

import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.objectives.adain_losses import (
    instance_normalize,
    log_moment_loss,
    normalized_content_loss,
)
from belamy.objectives.style_losses import moments_of


def features(seed: int, pictures: int = 2) -> Tensor:
    chance = make_rng(seed, "features")
    return torch.randn(pictures, 4, 6, 5, generator=chance, dtype=torch.float64).relu() + 0.1


def manner(found: Tensor, wanted: Tensor) -> Tensor:
    return log_moment_loss({"x": moments_of(found)}, {"x": moments_of(wanted)})


def content(found: Tensor, wanted: Tensor) -> Tensor:
    return normalized_content_loss({"x": found}, {"x": wanted})


def test_gradients_are_right() -> None:
    target, found = features(1), features(0).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: manner(x, target), (found,))
    assert torch.autograd.gradcheck(lambda x: content(x, target), (found,))


def test_both_are_zero_at_the_target() -> None:
    assert float(manner(features(0), features(0))) == 0
    assert float(content(features(0), features(0))) == 0


def test_instance_normalisation_is_its_formula() -> None:
    x = features(0)
    centred = x - x.mean(dim=(2, 3), keepdim=True)
    deviation = x.std(dim=(2, 3), correction=0, keepdim=True)
    whole = centred.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
    expected = centred / (deviation + 0.05 * whole)
    torch.testing.assert_close(instance_normalize(x), expected)
    difference = instance_normalize(x) - instance_normalize(features(1))
    torch.testing.assert_close(content(x, features(1)), difference.square().mean())


def test_the_style_loss_is_its_formula() -> None:
    own, target = moments_of(features(0)), moments_of(features(1))
    expected = []
    for kind in ("mean", "covariance"):
        actual, wanted = getattr(own, kind).flatten(1), getattr(target, kind).flatten(1)
        error = (actual - wanted).square().sum(1) / wanted.square().sum(1)
        expected.append((1 + error).log().mean())
    torch.testing.assert_close(manner(features(0), features(1)), sum(expected) / 2)


def test_a_manner_does_not_know_where() -> None:
    found = features(0)
    places = torch.randperm(30, generator=make_rng(0, "places"))
    scattered = found.flatten(2)[..., places].view(2, 4, 6, 5)
    torch.testing.assert_close(manner(scattered, features(1)), manner(found, features(1)))
    assert float(content(scattered, found)) > 0.5


def test_content_does_not_know_how_strongly() -> None:
    found = features(0)
    louder = found * torch.tensor([1.0, 2.0, 3.0, 0.5]).view(1, 4, 1, 1) + 7
    assert float(content(louder, found)) < 0.01 < float(manner(louder, found))


def test_unrelated_contents_are_about_two_apart() -> None:
    assert 1.5 < float(content(features(0, 64), features(1, 64))) < 2.2


def test_a_dark_style_does_not_outweigh_the_others() -> None:
    dark = features(1) * torch.tensor([0.01, 1.0]).view(2, 1, 1, 1)
    assert float(manner(features(0), dark)) < 10


def test_what_is_flat_is_bare_of_everything() -> None:
    assert torch.equal(instance_normalize(torch.full((1, 2, 3, 3), 0.5)), torch.zeros(1, 2, 3, 3))


def test_features_that_are_the_same_everywhere_have_a_slope() -> None:
    """Half precision rounds quiet features to one number; the slope was no number there."""
    for flat in (slice(0, 1), slice(0, 3)):
        features = torch.randn(2, 3, 4, 4, generator=make_rng(0, "features"))
        features[:, flat] = 0.25
        features.requires_grad_(True)
        wanted = {"a": torch.randn(2, 3, 4, 4, generator=make_rng(1, "features"))}
        normalized_content_loss({"a": features}, wanted).backward()  # type: ignore[no-untyped-call]
        assert features.grad is not None
        assert bool(features.grad.isfinite().all())
