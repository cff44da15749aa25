"""Content and style: right gradients, zero at the target, blind or not to where things are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from belamy.errors import OptionError
from belamy.objectives.objective import total
from belamy.objectives.statistics import Window, content_loss, moment_statistics
from belamy.objectives.style_losses import (
    STYLE_LOSSES,
    Moments,
    blend_moments,
    gram_loss,
    moments_of,
    normalize_weights,
    trace_of_sqrt,
    wasserstein_loss,
)


def gradcheck(score: Callable[[Tensor], Tensor], found: Tensor) -> bool:
    """Roots of what is zero but for rounding are noise of 1e-8, so that steps must not be tiny."""
    return torch.autograd.gradcheck(score, (found,), eps=1e-4, atol=1e-4)


every_loss = pytest.mark.parametrize("loss", STYLE_LOSSES)
# Features (H, W) of six channels: more places than channels, and fewer.
grids = pytest.mark.parametrize("grid", [(5, 4), (2, 2), (1, 1)])


def features(seed: int, channels: int = 6, grid: tuple[int, int] = (5, 4)) -> Tensor:
    torch.manual_seed(seed)
    return torch.randn(1, channels, *grid, dtype=torch.float64).relu_() + 0.1


def value(loss: str, found: Tensor, target: Moments, weights: Tensor | None = None) -> Tensor:
    return STYLE_LOSSES[loss]("x", target, weights).objective({"x": found})


@every_loss
@grids
def test_gradients_are_right_for_singular_statistics_too(loss: str, grid: tuple[int, int]) -> None:
    target = moments_of(features(1))
    found = features(0, grid=grid).requires_grad_(True)
    assert gradcheck(lambda x: value(loss, x, target), found)


@every_loss
def test_a_singular_target_has_right_gradients(loss: str) -> None:
    target = moments_of(features(1, grid=(2, 1)))
    found = features(0).requires_grad_(True)
    assert gradcheck(lambda x: value(loss, x, target), found)


@every_loss
def test_gradients_of_a_region_are_right(loss: str) -> None:
    target, weights = moments_of(features(1)), torch.rand(5, 4, dtype=torch.float64)
    found = features(0).requires_grad_(True)
    assert gradcheck(lambda x: value(loss, x, target, weights), found)


def test_the_gradient_of_content_is_right() -> None:
    pooled = content_loss("x", features(1))
    found = features(0).requires_grad_(True)
    assert gradcheck(lambda x: pooled.objective({"x": x}), found)


def test_the_root_s_trace_is_that_of_the_eigenvalues() -> None:
    torch.manual_seed(0)
    tall = torch.randn(2, 5, 7, dtype=torch.float64)
    matrices = (tall @ tall.mT).requires_grad_(True)
    expected = torch.linalg.svdvals(tall).sum(dim=-1)
    assert torch.allclose(trace_of_sqrt(matrices), expected)
    assert gradcheck(lambda x: trace_of_sqrt((x + x.mT) / 2), matrices)


def test_the_root_of_nothing_is_nothing() -> None:
    nothing = torch.zeros(1, 3, 3, requires_grad=True)
    trace_of_sqrt(nothing).sum().backward()
    assert nothing.grad is not None
    assert nothing.grad.isfinite().all()


def test_a_flat_target_has_finite_gradients() -> None:
    """Its covariance is rounding, down to numbers that MKL makes NaN of."""
    torch.manual_seed(0)
    noise = torch.randn(1, 208, 208)
    faint = (noise @ noise.mT) * torch.logspace(-45, -6, 208)
    covariance = (faint + faint.mT) / 2
    got = trace_of_sqrt(covariance.requires_grad_(True)).sum()
    assert got.isfinite()
    (gradient,) = torch.autograd.grad(got, covariance)
    assert gradient.isfinite().all()


@every_loss
@grids
def test_zero_at_the_target(loss: str, grid: tuple[int, int]) -> None:
    found = features(0, grid=grid)
    assert abs(value(loss, found, moments_of(found))) < 1e-6
    assert value(loss, features(1), moments_of(found)) > 1e-3


@every_loss
def test_nearly_zero_at_the_target_in_single_precision(loss: str) -> None:
    found = features(0, 64, (40, 40)).float()
    far = value(loss, features(1, 64, (40, 40)).float().square(), moments_of(found))
    assert abs(value(loss, found, moments_of(found))) < 1e-3 * far


def test_content_is_zero_at_the_target_and_sees_where_things_are() -> None:
    found = features(0)
    objective = content_loss("x", found).objective
    assert objective({"x": found}) == 0
    assert objective({"x": found.flip(-1)}) > 0.01


@every_loss
def test_style_is_blind_to_where_things_are(loss: str) -> None:
    found, target = features(0), moments_of(features(1))
    torch.manual_seed(0)
    mixed = found.flatten(2)[..., torch.randperm(20)].view_as(found)
    assert torch.allclose(value(loss, found, target), value(loss, mixed, target))


def test_moments_between_shifted_features_are_the_shift() -> None:
    found = features(0)
    assert value("moments", found + 2, moments_of(found)).item() == pytest.approx(4)


def test_moments_are_wasserstein_distances_of_gaussians() -> None:
    """Of diagonal covariances the distance is that of the deviations."""
    mean = torch.zeros(1, 3, dtype=torch.float64)
    first, second = (torch.tensor(d, dtype=torch.float64) for d in ([1, 2, 3], [4.0, 0, 1]))
    pooled = wasserstein_loss("x", Moments(mean, torch.diag(first.square())[None]))
    found = pooled.loss((mean, torch.diag(second.square())[None]))
    assert found.item() == pytest.approx(float((first - second).square().mean()))


@every_loss
def test_both_losses_have_the_unit_of_squared_features(loss: str) -> None:
    found, target = features(0), features(1)
    once = value(loss, found, moments_of(target))
    assert torch.allclose(value(loss, 3 * found, moments_of(3 * target)), 9 * once)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@every_loss
def test_half_precision_does_not_overflow(loss: str, dtype: torch.dtype) -> None:
    """Features of 3000: their squares are beyond the largest number of float16."""
    found, target = (3000 * features(seed, 16, (30, 30)).to(dtype) for seed in (0, 1))
    found.requires_grad_(True)
    got = value(loss, found, moments_of(target))
    got.backward()  # type: ignore[no-untyped-call]
    exact = value(loss, found.detach().double(), moments_of(target.double()))
    assert got.item() == pytest.approx(exact.item(), rel=0.02)
    assert found.grad is not None
    assert found.grad.isfinite().all()


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_bfloat16_is_as_exact_as_its_numbers_in_many_places(layout: torch.memory_format) -> None:
    """More places than are worked on at a time; what is added up is in float32."""
    torch.manual_seed(2)
    found = torch.randn(2, 16, 90, 100).relu_().bfloat16().contiguous(memory_format=layout)
    exact = found.double().requires_grad_(True)
    got, true = moments_of(found), moments_of(exact)
    assert got.second.dtype == torch.float32
    assert torch.allclose(got.second.double(), true.second, rtol=1e-5)
    assert torch.allclose(got.mean.double(), true.mean, rtol=1e-5)
    target = moments_of(features(1, 16, (30, 30)))
    value("moments", exact, target).backward()  # type: ignore[no-untyped-call]
    single = Moments(target.mean.float(), target.second.float())
    value("moments", found.requires_grad_(True), single).backward()  # type: ignore[no-untyped-call]
    assert found.grad is not None
    assert exact.grad is not None
    assert found.grad.dtype == torch.bfloat16
    error = (found.grad.double() - exact.grad).square().mean((0, 2, 3)).sqrt()
    assert (error < 0.01 * exact.grad.square().mean((0, 2, 3)).sqrt()).all()


def test_a_blend_is_what_all_places_together_are() -> None:
    one, other = features(0, grid=(3, 4)), features(1, grid=(9, 4))
    joined = moments_of(torch.cat([one, other], dim=2))
    mixed = blend_moments([moments_of(one), moments_of(other)], [1, 3])
    assert torch.allclose(mixed.mean, joined.mean)
    assert torch.allclose(mixed.covariance, joined.covariance)


@pytest.mark.parametrize("weights", [[1.0], [0.0, 0.0], [2.0, -1.0]])
def test_weights_that_are_no_blend(weights: list[float]) -> None:
    both = [moments_of(features(0)), moments_of(features(1))]
    with pytest.raises(OptionError, match="weights"):
        blend_moments(both, weights)


def test_a_region_s_moments_are_those_of_a_crop() -> None:
    found = features(0)
    weights = torch.zeros(5, 4)
    weights[1:3, 2:] = 0.5
    inside, crop = moments_of(found, weights), moments_of(found[..., 1:3, 2:])
    assert torch.allclose(inside.mean, crop.mean)
    assert torch.allclose(inside.second, crop.second)


@every_loss
def test_outside_of_its_region_a_style_has_no_gradient(loss: str) -> None:
    weights = torch.zeros(5, 4)
    weights[:, :2] = 1
    found = features(0).requires_grad_(True)
    value(loss, found, moments_of(features(1)), weights).backward()  # type: ignore[no-untyped-call]
    assert found.grad is not None
    assert found.grad[..., :2].abs().min() > 0
    assert found.grad[..., 2:].abs().max() == 0


def test_a_black_region_is_refused() -> None:
    with pytest.raises(OptionError, match="black"):
        moments_of(features(0), torch.zeros(5, 4))


@pytest.mark.parametrize("masked", [False, True])
def test_the_sums_of_windows_are_those_of_the_whole(masked: bool) -> None:
    found = features(0)
    share = normalize_weights(torch.rand(5, 4, dtype=torch.float64)) if masked else None
    windows = [
        Window(rows, columns, 20)
        for rows in (slice(0, 2), slice(2, 5))
        for columns in (slice(0, 3), slice(3, 4))
    ]
    parts = [moment_statistics(window.of(found), window, share) for window in windows]
    whole = moment_statistics(found, Window.whole(found), share)
    for part, expected in zip(zip(*parts, strict=True), whole, strict=True):
        assert torch.allclose(torch.stack(part).sum(dim=0), expected)
    target = content_loss("x", features(1))
    shown = [target.statistics(window.of(found), window)[0] for window in windows]
    assert torch.allclose(torch.stack(shown).sum(), target.objective({"x": found}))


def test_the_algebra_of_objectives_takes_them() -> None:
    found = features(0)
    style, shown = gram_loss("x", moments_of(features(1))), content_loss("x", features(1))
    goal = total([2 * style.objective, 0.5 * shown.objective])
    assert goal.name == "2*gram(x) + 0.5*content(x)"
    assert goal.layers == {"x"}
    activations = {"x": found}
    expected = 2 * style.objective(activations) + 0.5 * shown.objective(activations)
    assert torch.allclose(goal(activations), expected)


@every_loss
def test_pictures_of_a_batch_are_judged_one_by_one(loss: str) -> None:
    both, target = [features(0), features(2)], moments_of(features(1))
    alone = [value(loss, found, target) for found in both]
    assert torch.allclose(value(loss, torch.cat(both), target), torch.stack(alone).mean())
