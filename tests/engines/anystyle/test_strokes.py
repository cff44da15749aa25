"""Where a stretch of a style is laid whole, its own strokes are; elsewhere a network draws."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.anystyle import synthesis
from belamy.engines.anystyle.strokes import (
    find_stretches,
    lay_strokes,
    stroke_amount,
    vary_fraction,
)
from belamy.objectives.patch_match import extract_patches, project_features, swap_coherently
from belamy.objectives.style_losses import moments_of


def noise(height: int, width: int, seed: int = 0, channels: int = 3) -> Tensor:
    return torch.rand((1, channels, height, width), generator=make_rng(seed, "noise"))


def test_a_stretch_is_coherent_and_a_mixture_is_not() -> None:
    style, basis = noise(12, 15, 1, 6), torch.eye(6)

    def swap(content: Tensor) -> Tensor:
        keys = [project_features(x, moments_of(x), basis) for x in (style, content)]
        return swap_coherently(extract_patches({"deep": style}, keys[0]), keys[1]).coherence

    whole, mixed = swap(style), swap(noise(12, 15, 2, 6))
    assert whole.shape == (1, 1, 12, 15)
    assert bool((whole == 1).all())  # of itself: one stretch
    assert float(mixed.mean()) < 0.4


def test_stretches_begin_at_a_third_and_are_smooth() -> None:
    coherence = torch.full((1, 1, 6, 9), 1 / 3)
    assert float(find_stretches(coherence).abs().max()) < 1e-6
    coherence[..., 5:] = 1.0
    found = find_stretches(coherence)[0, 0, 2]
    expected = torch.tensor([0, 0, 0, 0, 1 / 3, 2 / 3, 1, 1, 1])
    torch.testing.assert_close(found, expected)


def test_more_is_laid_in_a_stretch_and_less_elsewhere() -> None:
    stretches = torch.tensor([0.0, 0.5, 1.0]).view(1, 1, 1, 3)
    varied = vary_fraction(0.6, stretches, 1.0).flatten()
    torch.testing.assert_close(varied, torch.tensor([0.192, 0.402, 0.612]))
    torch.testing.assert_close(vary_fraction(0.6, stretches, 0.0).flatten(), torch.full((3,), 0.6))
    assert float(vary_fraction(1.0, stretches, 1.0).max()) == 1.0
    assert [stroke_amount(x, 0.8) for x in (0.0, 0.25, 1.0)] == [0.0, 0.4, 0.8]


def broad(image: Tensor) -> Tensor:
    """Means of squares of 16 pixels, enlarged."""
    means = torch.nn.functional.avg_pool2d(image, 16)
    return torch.nn.functional.interpolate(means, scale_factor=16, mode="bilinear")


def test_sides_need_not_be_multiples_of_the_squares() -> None:
    painted, laid = noise(24, 40), noise(24, 40, 1)
    change = lay_strokes(painted, laid, torch.ones(1, 1, 3, 5), 1.0)
    assert change.shape == painted.shape
    torch.testing.assert_close(change[..., :8, :8], broad_change(painted, laid))


def broad_change(painted: Tensor, laid: Tensor) -> Tensor:
    """In the first eight pixels each way, which see the first square alone."""
    first = (broad(laid[..., :16, :32]) - broad(painted[..., :16, :32]))[..., :8, :8]
    return (laid - painted)[..., :8, :8] - first


def test_details_are_the_styles_there_and_only_there() -> None:
    painted, laid = noise(64, 96), noise(64, 96, 1)
    nowhere, everywhere = torch.zeros(1, 1, 8, 12), torch.ones(1, 1, 8, 12)
    assert float(lay_strokes(painted, laid, nowhere, 1.0).abs().max()) == 0
    result = painted + lay_strokes(painted, laid, everywhere, 1.0)
    torch.testing.assert_close(result, broad(painted) + laid - broad(laid))
    half = painted + lay_strokes(painted, laid, everywhere, 0.5)
    torch.testing.assert_close(half, (painted + result) / 2)


@pytest.mark.parametrize(("inset", "expected"), [(False, None), (True, 6 * 10)])
def test_no_patch_is_taken_from_a_styles_edge(inset: bool, expected: Any) -> None:
    deepest = noise(8, 12)
    allowed = synthesis._find_allowed(None, deepest, inset)
    assert (allowed if allowed is None else int(allowed.sum())) == expected
    mask = torch.zeros(1, 1, 64, 96)
    mask[..., :24, :24] = 1
    shown = synthesis._find_allowed(mask, deepest, inset)
    assert shown is not None
    assert int(shown.sum()) == (4 if inset else 9)
    mask = torch.zeros(1, 1, 64, 96)
    mask[..., :8, :] = 1  # the edge is all there is
    edge = synthesis._find_allowed(mask, deepest, inset)
    assert edge is not None
    assert int(edge.sum()) == 12


def test_a_plain_sky_gets_the_styles_own_strokes() -> None:
    from belamy.engines.anystyle.api import any_style

    ramp = torch.linspace(0.4, 0.6, 96).view(1, 1, 96, 1).expand(1, 3, 96, 128)
    style = (noise(96, 128, 3).round() + noise(96, 128, 4).round()) / 2  # crisp grain
    crisp, drawn = (
        any_style(ramp, style, size=128, strokes=strokes).image for strokes in (1.0, 0.0)
    )
    fine = [float(image.diff(dim=-1).square().mean()) for image in (crisp, drawn)]
    assert fine[0] > 1.3 * fine[1]
