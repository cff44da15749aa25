"""Where sampling, walks, mixes and projections go in the latent space: values, not looks."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from belamy.engines.gan.edit import INTERPOLATIONS
from belamy.engines.gan.framing import crop_square
from belamy.engines.gan.metrics import find_nearest, measure
from belamy.engines.gan.options import FEWEST_MEASURED
from belamy.engines.gan.projection import PerceptualDistance, StylePrior
from belamy.engines.gan.sample import interpolate_loop
from belamy.engines.gan.sample_api import gan_mix_steps, gan_project_steps, gan_walk_steps
from belamy.engines.gan.sampler import PostProcess, Sampler, parse_id
from belamy.errors import OptionError
from belamy.networks.gan.latents import draw_styles
from belamy.objectives.perceptual_losses import relative_content_loss
from belamy.training.distribution_metrics import FEWEST, kernel_distance

Painters = Callable[..., Path]


@pytest.fixture
def painter(painters: Painters) -> str:
    return str(painters())


def test_truncation_goes_to_the_mean_style(painter: str) -> None:
    """1 leaves a style, 0 gives the mean, 0.25 lies a quarter of the way out."""
    whole, part, none = (Sampler(painter, truncation=t, device="cpu") for t in (1.0, 0.25, 0.0))
    styles, centre = whole.sample([3, 5], 2), whole.mean_style
    assert torch.equal(styles, draw_styles(whole.generator, [3, 5], seed=2, truncation=1.0))
    assert torch.allclose(part.sample([3, 5], 2), centre + 0.25 * (styles - centre), atol=1e-5)
    assert torch.allclose(none.sample([3, 5], 2), centre.expand_as(styles), atol=1e-5)
    usual = Sampler(painter, device="cpu").sample([3], 2)
    assert torch.allclose(usual[0], centre + 0.8 * (styles[0] - centre), atol=1e-5)


def test_a_sampler_is_called_often(painter: str) -> None:
    sampler = Sampler(painter, device="cpu")
    images = sampler([1, 2, 3], seed=7)
    assert images.shape == (3, 3, 16, 16)
    assert 0 <= float(images.min()) < float(images.max()) <= 1
    assert torch.allclose(sampler([2], seed=7), images[1:2], atol=1e-5)
    assert not torch.allclose(sampler([2], seed=8), images[1:2], atol=1e-2)
    post = PostProcess(16, upscale=2)
    (finished,) = sampler.render(sampler.sample_one("7:2"), post)
    assert torch.equal(finished, post.apply(sampler([2], seed=7))[0])


def test_ids_of_pictures() -> None:
    assert parse_id("7") == (None, 7)
    assert parse_id(" 3:12 ") == (3, 12)
    with pytest.raises(OptionError, match="numbers begin with 1"):
        parse_id("3:0")


def circle(*angles: float) -> Tensor:
    """(N, 2, 2): points on a circle of radius 2 around (1, 1), the same on both levels."""
    points = torch.tensor([[math.cos(a), math.sin(a)] for a in angles]) * 2 + 1
    return points[:, None].expand(-1, 2, -1)


def test_a_walk_goes_along_circles_and_returns() -> None:
    """Four stops a quarter apart, eight frames: the odd ones are halfway, on the circle too."""
    stops, centre = circle(*(math.pi / 2 * k for k in range(4))), torch.ones(2)
    styles = interpolate_loop(stops, 8, centre)
    assert torch.allclose(styles, circle(*(math.pi / 4 * k for k in range(8))), atol=1e-5)
    assert torch.allclose(interpolate_loop(stops, 4, centre), stops, atol=1e-5)


def test_a_walk_lingers_at_its_stops() -> None:
    """A quarter of the way in time is 3·(1/4)² − 2·(1/4)³ = 5/32 of the way in angle."""
    stops, centre = circle(0.0, math.pi / 2), torch.ones(2)
    styles = interpolate_loop(stops, 8, centre)
    assert torch.allclose(styles[1], circle(math.pi / 2 * 5 / 32)[0], atol=1e-5)
    assert torch.allclose(styles[7], circle(math.pi / 2 * 5 / 32)[0], atol=1e-5)  # and back


def test_the_walk_of_a_painter_is_around_its_mean_style(painter: str) -> None:
    steps = list(gan_walk_steps(painter, stops=2, seconds=1, fps=8, seed=3, device="cpu"))
    sampler = Sampler(painter, device="cpu")
    stops = sampler.sample([1, 2], 3)
    expected = interpolate_loop(stops, 8, sampler.mean_style)
    assert torch.equal(
        torch.cat([one.latents for one in steps if one.latents is not None]), expected
    )


def test_a_mix_by_latents_keeps_its_distance_from_the_mean(painter: str) -> None:
    """On the straight line the middle would be nearer to the mean style than both ends are."""
    (step,) = gan_mix_steps("1", "2", network=painter, by="latents", count=3, device="cpu")
    assert step.latents is not None
    centre = Sampler(painter, device="cpu").mean_style
    first, middle, second = (step.latents - centre).norm(dim=-1)
    assert torch.allclose(middle, (first + second) / 2, rtol=1e-3)


def test_style_mixing_takes_the_seconds_levels_one_by_one() -> None:
    first, second = torch.zeros(3, 1), torch.ones(3, 1)
    colours, form = INTERPOLATIONS["levels"].values()
    fine = colours(first, second, 4, torch.zeros(1))[..., 0]
    coarse = form(first, second, 4, torch.zeros(1))[..., 0]
    expected = torch.tensor([[0.0, 0, 0], [0, 0, 1], [0, 1, 1], [1, 1, 1]])
    assert torch.allclose(fine, expected, atol=1e-6)
    assert torch.allclose(coarse, expected.flip(-1), atol=1e-6)
    halfway = form(first, second, 7, torch.zeros(1))[..., 0]
    assert torch.allclose(halfway[1], torch.tensor([0.5, 0, 0]))


def test_the_middle_square_is_looked_for() -> None:
    image = torch.zeros(1, 3, 8, 16)
    image[..., 4:12] = 1
    assert torch.equal(crop_square(image, 8), torch.ones(1, 3, 8, 8))


def test_the_distance_is_of_features_and_six_times_of_pixels(eye: Path) -> None:
    target = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    other = (target * 0.5 + 0.25).clone()
    distance = PerceptualDistance.to_target(eye, target)
    assert float(distance.loss(target)) == pytest.approx(0, abs=1e-6)
    features = distance.backbone(other, distance.features.keys())
    expected = (
        relative_content_loss(features, distance.features) + 6 * (other - target).square().mean()
    )
    assert float(distance.loss(other)) == pytest.approx(float(expected), rel=1e-5)
    assert float(distance.losses(torch.cat([target, other]))[1]) == pytest.approx(float(expected))


def test_the_prior_weighs_the_unusual_and_the_uneven() -> None:
    """Two levels at +1 and +3 deviations: mean square 5, spread between levels 1."""
    prior = StylePrior(torch.tensor([1.0, 1.0]), torch.tensor([[2.0, 0.0], [0.0, 0.5]]), 4.0)
    coordinates = torch.tensor([[[1.0, 1.0], [3.0, 3.0]]])
    assert float(prior.loss(coordinates)) == pytest.approx(4 * (0.010 * 5 + 0.030 * 1))
    styles = prior.styles(coordinates)
    assert styles.tolist() == [[[3.0, 1.5], [7.0, 2.5]]]
    assert torch.allclose(prior.coordinates(styles), coordinates)


def test_twice_the_freedom_weighs_a_quarter(painter: str) -> None:
    sampler = Sampler(painter, device="cpu")
    assert StylePrior.of(sampler, 2.0).weight == pytest.approx(0.25)
    prior = StylePrior.of(sampler, 1.0)
    coordinates = prior.coordinates(sampler.sample(range(1, 201), 5))
    assert 0.3 < float(coordinates[:, :, :5].std()) < 1.3  # in deviations


def test_the_search_begins_with_the_nearest_candidate(painters: Painters, eye: Path) -> None:
    """The target is a candidate itself: its distance is small from the first step on."""
    painter = str(painters(size=32))
    sampler = Sampler(painter, truncation=0.7, device="cpu")
    (target,) = sampler.render(sampler.sample([11], 4), PostProcess(32))
    steps = gan_project_steps(
        target, network=painter, model=str(eye), seed=4, steps=1, device="cpu"
    )
    (step,) = steps
    assert step.losses["unlike"] < 0.1
    (other,) = gan_project_steps(
        target, network=painter, model=str(eye), seed=5, steps=1, device="cpu"
    )
    assert other.losses["unlike"] > 3 * step.losses["unlike"]


def test_precision_is_of_the_fake_and_recall_of_the_real() -> None:
    """Fake pictures are those of one of two kinds: all look real, half of the real are missed."""
    rng = torch.Generator().manual_seed(0)
    near, far = (torch.randn(60, 4, generator=rng) + shift for shift in (0, 50))
    fake = torch.randn(60, 4, generator=rng)
    metrics, notes = measure(torch.cat([near, far]), fake, 0)
    assert metrics["precision"] > 0.8
    assert 0.4 < metrics["recall"] <= 0.5
    real = torch.cat([near, far])
    assert metrics["kid"] == pytest.approx(1000 * kernel_distance(real, fake, seed=0))
    assert metrics["fid"] > 100
    assert not notes


def test_the_nearest_and_the_nearest_other() -> None:
    points = torch.tensor([[0.0], [1.0], [5.0]])
    distances, indices = find_nearest(torch.tensor([[4.0], [0.2]]), points)
    assert torch.allclose(distances, torch.tensor([1.0, 0.2]))
    assert indices.tolist() == [2, 0]
    distances, indices = find_nearest(points, points, own=True)
    assert torch.allclose(distances, torch.tensor([1.0, 1.0, 4.0]))
    assert indices.tolist() == [1, 0, 1]


def test_the_fewest_pictures_are_the_same_in_options_and_metrics() -> None:
    assert FEWEST_MEASURED == FEWEST


def test_signatures_and_grain_are_of_the_picture_and_the_seed() -> None:
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    both = PostProcess(16, upscale=4, sign=True, seed=3).apply(images, first=5)
    later = PostProcess(16, upscale=4, sign=True, seed=3).apply(images[1:], first=6)
    assert torch.equal(both[1], later[0])
    assert not torch.equal(both[1], PostProcess(16, upscale=4, sign=True, seed=4).apply(images)[1])
    with pytest.raises(OptionError, match="upscale is 16"):
        PostProcess(1024, upscale=16)
