"""Dehazing held to its formulas: the scattering model, gates, losses, metrics, held-out sets."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.engines.defog import adapt_task, add, look, metrics, remove, train
from belamy.engines.defog.adapt_task import AdaptTask, Domains
from belamy.engines.defog.config import DefogAdaptConfig, DefogTrainConfig
from belamy.engines.defog.dataset import (
    ImageSet,
    jitter_exposure,
    open_image_sets,
    order_by_hash,
    sample_crops,
)
from belamy.engines.defog.fog_api import fog_steps
from belamy.engines.defog.metrics import ValidationSet
from belamy.engines.defog.options import DefogOptions
from belamy.engines.defog.remove import Defogger
from belamy.engines.defog.task import DefogTask, compute_losses, learning_rate_factor
from belamy.networks.dehaze import DehazeNet
from belamy.pixels.fog.dark_channel import dark_channel
from belamy.pixels.fog.depth import depth_of, smooth_noise
from belamy.pixels.fog.model import Fog, apply_fog, density_for, remove_fog
from belamy.pixels.guided import guided_upsample
from belamy.pixels.images import save_image
from belamy.training.data import batch_indices
from belamy.training.metrics import psnr


def color(*channels: float, size: int = 24) -> Tensor:
    return torch.tensor(channels).view(1, 3, 1, 1).expand(1, 3, size, size).clone()


def even_fog(transmission: float, air: float | Tensor, size: int = 24) -> Fog:
    airlight = torch.as_tensor(air).expand(1, 3, 1, 1) if isinstance(air, float) else air
    return Fog(torch.full((1, 1, size, size), transmission), airlight)


def finds(fog: Fog) -> remove.Estimator:
    """An estimator that finds this fog, at whatever size it is asked for."""

    def estimate(image: Tensor) -> Fog:
        size = (image.shape[-2], image.shape[-1])
        return Fog(torch.nn.functional.interpolate(fog.transmission, size), fog.air)

    return estimate


@pytest.mark.parametrize(
    ("transmission", "strength", "luma_gain", "chroma_gain"),
    [
        (0.5, 1.0, 1.0, 1.0),  # J − A = (I − A)/t
        (0.25, 1.0, 3.0, 2.0),  # colours are raised to three times at most
        (0.25, 0.5, 1.0, 1.0),  # t^s
        (0.5, 2.0, 3.0, 2.0),
        (0.02, 1.0, 9.0, 2.0),  # no transmission is below 0.1
    ],
)
def test_the_scattering_model_is_solved(
    transmission: float, strength: float, luma_gain: float, chroma_gain: float
) -> None:
    image = color(0.72, 0.73, 0.74)
    # I − A = (−0.03, −0.02, −0.01): a luma of −0.02, a chroma of (−0.01, 0, 0.01)
    fog = even_fog(transmission, 0.75)
    expected = [
        own + luma_gain * -0.02 + chroma_gain * chroma
        for own, chroma in zip((0.72, 0.73, 0.74), (-0.01, 0, 0.01), strict=True)
    ]
    made = remove.dehaze(image, fog, strength)
    torch.testing.assert_close(made, color(*expected), atol=1e-5, rtol=0)


def test_smoothstep() -> None:
    points = [look.smoothstep(x, (1, 3)) for x in (0, 1, 1.5, 2, 2.5, 3, 4)]
    assert points == pytest.approx([0, 0, 0.15625, 0.5, 0.84375, 1, 1])


def test_the_transmission_is_refined_by_a_guided_filter() -> None:
    right = (torch.arange(256) >= 128).float().expand(1, 1, 256, 256)
    image = (0.55 + 0.1 * right).repeat(1, 3, 1, 1)
    image[..., 128, 120] = 0.3  # darker than anything that tells how light goes with fog
    coarse = 0.4 + 0.5 * right
    airlight = torch.tensor([0.8, 0.9, 1.0]).view(1, 3, 1, 1)
    fog, level = remove.estimate_refined(finds(Fog(coarse, airlight)), image)
    kept = remove._strength_for(image, Fog(coarse, airlight), level.amount)
    refined = guided_upsample(image, coarse**kept, radius=8, epsilon=1e-4)
    assert level.fraction == 1
    torch.testing.assert_close(fog.transmission, refined.clamp(float((coarse**kept).min()), 1))
    assert float(refined.min()) < float(fog.transmission.min())  # the filter overshoots
    assert level.amount == pytest.approx(float(1 - coarse.mean()))
    torch.testing.assert_close(fog.air, torch.full((1, 1, 256, 256), 0.9))  # it is grey


def test_shadows_may_stay_as_dark_as_they_were() -> None:
    dusk, dark_air = color(0.06, 0.06, 0.06), even_fog(0.5, 0.05)
    assert remove._strength_for(dusk, dark_air, 0.5) == 1  # it only becomes lighter
    day = even_fog(0.5, 0.9)
    # shadows may be 0.12 in thin fog: 0.5 → 0.1 at full strength, 0.127 at 0.95
    assert remove._strength_for(color(0.5, 0.5, 0.5), day, 0.3) == 0.95
    # and 0.27 in dense: 0.9 − 0.4·2^s
    assert remove._strength_for(color(0.5, 0.5, 0.5), day, 0.8) == 0.65


def test_keep_sky_and_compare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(remove.dark_channel, "estimate_fog", finds(even_fog(0.6, 0.75)))
    sky = torch.zeros(1, 1, 200, 200)
    sky[..., :100, :] = 1
    monkeypatch.setattr(remove, "segment_sky", lambda image: sky * 0.75)
    image, path = color(0.72, 0.73, 0.74, size=200), tmp_path / "cut.png"
    alpha = torch.zeros(1, 1, 200, 200)
    alpha[..., 50:] = 1
    save_image(image, path, alpha=alpha)
    through, made = Defogger(DefogOptions(method="dcp", keep_sky=True, compare=True)).steps(path)
    assert float(through.image[..., 0, 0].mean()) == pytest.approx(1 - 0.4 * 0.25, abs=1e-3)
    assert float(through.image[..., 199, 0].mean()) == pytest.approx(0.6, abs=1e-3)
    assert made.alpha is not None
    assert torch.equal(made.alpha, torch.cat([alpha, torch.ones(1, 1, 200, 2), alpha], dim=-1))
    assert through.alpha is not None
    assert torch.equal(through.alpha, alpha)


def test_fog_is_the_model_at_the_depth_that_is_guessed(photo: Tensor) -> None:
    through, made = fog_steps(
        photo, amount=0.4, depth="ground", patches=0.5, color="#804020", seed=3
    )
    uneven = smooth_noise(photo, make_rng(3, "patches"), cells=2, octaves=4) - 0.5
    depth = (0.05 + 0.95 * depth_of(photo, "ground", make_rng(3, "depth"))) * (1 + 0.5 * uneven)
    transmission = torch.exp(-density_for(depth, 0.4) * depth)
    torch.testing.assert_close(through.image, transmission.expand(1, 3, -1, -1))
    airlight = torch.tensor([0x80, 0x40, 0x20]).view(1, 3, 1, 1) / 255
    torch.testing.assert_close(made.image, apply_fog(photo, transmission, airlight).clamp(0, 1))
    assert add._NEAREST > 0


def test_every_loss_of_the_first_training() -> None:
    clear, foggy = torch.full((2, 3, 8, 8), 0.4), torch.full((2, 3, 8, 8), 0.6)
    fog = Fog(torch.full((2, 1, 8, 8), 0.5), torch.full((2, 3, 8, 8), 0.8))
    # found: t = 0.8, A = 0.7, so that J = 0.7 − 0.1/0.8 = 0.575
    transmission, airlight = torch.full((2, 1, 8, 8), 0.8), torch.full((2, 3, 8, 8), 0.7)
    losses = compute_losses(transmission, airlight, clear, fog, foggy)
    assert {name: float(value) for name, value in losses.items()} == {
        "picture": pytest.approx(0.175),
        "decibels": pytest.approx(0.1 * math.log(0.175**2 / 1e-4 + 1)),
        "transmission": pytest.approx(0.3 * (0.3 + 0.3 * math.log(0.8 / 0.5))),
        "airlight": pytest.approx(0.3 * 0.1 * 0.5),
    }


def test_the_learning_rate_at_its_corners() -> None:
    assert learning_rate_factor(0, 1000) == pytest.approx(0.01)
    assert learning_rate_factor(49, 100_000) == pytest.approx(0.5, rel=1e-4)
    assert learning_rate_factor(500, 1000) == pytest.approx(0.01 + 0.99 / 2)
    assert learning_rate_factor(1000, 1000) == pytest.approx(0.01)


def images_of(count: int, seed: int, size: int = 40) -> Tensor:
    rng = make_rng(seed, "test")
    rough = torch.rand((count, 3, 5, 5), generator=rng)
    smooth = torch.nn.functional.interpolate(rough, (size, size), mode="bicubic").clamp(0, 1)
    return (smooth.permute(0, 2, 3, 1) * 255).round().to(torch.uint8)


def test_the_first_training_minimises_the_sum_on_squares_of_every_size(tmp_path: Path) -> None:
    images = ImageSet(images_of(6, 0, 160), images_of(2, 1, 160))
    config = DefogTrainConfig(
        ("x",), size=96, batch=4, widths=(4, 4, 4, 4, 4), precision="float32", steps=100
    )
    task = DefogTask(config, [images], tmp_path, Accelerator(cpu=True))
    for index, side in ((0, 64), (2, 96), (4, 160)):
        clear, _, foggy = task._sample_batch(index)
        assert clear.shape == foggy.shape == (max(2, round(4 * (96 / side) ** 2)), 3, side, side)
    seen: list[Tensor] = []
    losses = task.step(2, seen.append)
    parts = sum(value for name, value in losses.items() if name != "loss")
    torch.testing.assert_close(seen[0], parts)
    assert losses.keys() == {"loss", "picture", "decibels", "transmission", "airlight"}


def test_a_crop_is_of_the_set_and_the_picture_that_its_number_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from belamy.engines.defog import dataset

    monkeypatch.setattr(
        dataset, "random_resized_crops", lambda images, size, rng, area: images[:, 0, 0, :1].float()
    )
    sets = [
        ImageSet(torch.arange(start, start + 9, dtype=torch.uint8).view(9, 1, 1, 1), torch.empty(0))
        for start in (0, 100)
    ]
    place = {"rank": 1, "world_size": 2}
    found = sample_crops(sets, 3, batch=5, size=1, seed=7, **place)
    first = batch_indices(9, 3, 3, seed=7, **place)
    second = 100 + batch_indices(9, 2, 3, seed=8, **place)
    assert found.flatten().int().tolist() == [*first.tolist(), *second.tolist()]


def test_two_in_five_pictures_stay_as_they_are() -> None:
    images = torch.rand((600, 3, 8, 8), generator=make_rng(0)) * 0.5 + 0.3
    changed = jitter_exposure(images, make_rng(1))
    same = (changed == images).flatten(1).all(1)
    assert float(same.float().mean()) == pytest.approx(0.4, abs=0.05)
    lighter = (changed.mean((1, 2, 3)) / images.mean((1, 2, 3)))[~same]
    dim = float((lighter < 0.35).float().mean())
    assert 0.01 < dim < 0.1


def test_the_first_names_by_their_hashes_are_held_out_and_no_other(tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(9)]
    for number, name in enumerate(names):
        save_image(torch.full((1, 3, 40, 40), (20 + 20 * number) / 255), tmp_path / "in" / name)
    (images,) = open_image_sets([str(tmp_path / "in")], 32, 4)
    order = [20 + 20 * names.index(name) for name in order_by_hash(names)]
    assert images.held_out[:, 0, 0, 0].tolist() == order[:4]
    assert images.train[:, 0, 0, 0].tolist() == order[4:]


class Finds(nn.Module):
    """A network that finds what it is told to, and nothing else."""

    def __init__(self, find: Callable[[Tensor], tuple[Tensor, Tensor]]) -> None:
        super().__init__()
        self.find = find

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return self.find(image)


def same_everywhere(transmission: float, airlight: float) -> Finds:
    return Finds(
        lambda image: (
            torch.full_like(image[:, :1], transmission),
            torch.full_like(image, airlight),
        )
    )


def test_validation_is_the_mean_psnr_of_seen_and_dehazed() -> None:
    clear = (images_of(5, 0).permute(0, 3, 1, 2).float() / 255) * 0.6
    foggy = apply_fog(clear, torch.tensor(0.5), torch.tensor(0.8))
    validation = ValidationSet((clear[:3], clear[3:]), (foggy[:3], foggy[3:]))
    found = validation.evaluate(same_everywhere(0.6, 0.7), torch.device("cpu"), None)
    dehazed = remove_fog(foggy, torch.tensor(0.6), torch.tensor(0.7)).clamp(0, 1)
    before, after = (
        sum(psnr(clear[i : i + 1], x[i : i + 1]) for i in range(5)) / 5 for x in (foggy, dehazed)
    )
    assert found == {"psnr_in_fog": pytest.approx(before), "psnr": pytest.approx(after)}
    assert metrics._mean([math.inf, 40.0]) == 50


def test_the_pictures_with_the_most_fog_and_the_least() -> None:
    grey = torch.tensor([10, 200, 90, 30, 150], dtype=torch.uint8)
    images = ImageSet(grey.view(5, 1, 1, 1).expand(5, 4, 4, 3), torch.empty(0))

    class Light(Finds):
        def __init__(self) -> None:
            super().__init__(lambda image: (image[:, :1], image))
            self.weight = nn.Parameter(torch.zeros(()))

    most, least = (train._select(images, Light(), 0.4, least=one) for one in (False, True))
    assert most.train[:, 0, 0, 0].tolist() == [10, 30]  # dark here is what lets nothing through
    assert least.train[:, 0, 0, 0].tolist() == [200, 150]


@pytest.fixture
def adapting(tmp_path: Path) -> AdaptTask:
    config = DefogAdaptConfig(
        "x",
        ("foggy",),
        ("clear",),
        size=64,
        batch=2,
        steps=100,
        precision="float32",
        learning_rate=0.02,
        discriminator_learning_rate=0.05,
    )
    domains = Domains(
        [ImageSet(images_of(4, 0, 80), images_of(2, 1, 80))],
        [ImageSet(images_of(4, 2, 80), images_of(2, 3, 80))],
    )
    network = DehazeNet((4, 4, 4, 4, 4), (1, 1, 1, 1, 1))
    pools: Any = lambda image, layers: {"pool": torch.nn.functional.avg_pool2d(image, 4)}  # noqa: E731
    return AdaptTask(config, network, domains, pools, tmp_path, Accelerator(cpu=True))


class MeanLogits(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, image: Tensor) -> Tensor:
        return self.gain * image.mean((1, 2, 3))


def test_every_loss_of_the_adaptation(adapting: AdaptTask, monkeypatch: pytest.MonkeyPatch) -> None:
    clear, dehazed = torch.full((2, 3, 64, 64), 0.4), torch.full((2, 3, 64, 64), 0.3)
    adapting.networks = {"dehaze": same_everywhere(0.5, 0.8), "discriminator": MeanLogits()}
    # J = 0.8 − 0.4/0.5 = 0
    assert float(adapting._identity_loss(clear)) == pytest.approx(0.4)
    # D(clear) = 0.4, D(dehazed) = 0.3
    assert float(adapting._adversarial_loss(dehazed, clear).detach()) == pytest.approx(0.7**2 / 2)
    found = float(adapting._discriminator_loss(clear, dehazed).detach())
    assert found == pytest.approx((0.6**2 + 0.3**2) / 2)
    features = adapting._perceptual_loss(dehazed, clear)
    assert float(features) == pytest.approx((0.1 / 0.4) ** 2)
    # the other fog: t = 0.6^p, A = 0.7 + s
    draws = iter([torch.tensor([1.0, 2.0]).view(2, 1, 1, 1), torch.full((2, 1, 1, 1), 0.1)])
    bounds: list[tuple[float, float]] = []

    def uniform(count: int, low: float, high: float, rng: torch.Generator) -> Tensor:
        bounds.append((low, high))
        return next(draws)

    monkeypatch.setattr(adapt_task, "uniform", uniform)
    transmission, airlight = torch.full((2, 1, 64, 64), 0.6), torch.full((2, 3, 64, 64), 0.7)
    value = float(adapting._cycle_loss(dehazed, transmission, airlight, make_rng(0)))
    expected = 0.0
    for thickness in (0.6, 0.36):
        foggy = 0.3 * thickness + 0.8 * (1 - thickness)
        scene = 0.8 + (foggy - 0.8) / 0.5
        expected += (abs(scene - 0.3) + abs(0.5 - thickness)) / 2
    assert value == pytest.approx(expected)
    assert bounds == [(0.4, 1.6), (-0.15, 0.15)]


def test_a_step_of_the_adaptation_is_the_weighted_sum(adapting: AdaptTask) -> None:
    network = adapting.networks["dehaze"]
    statistics = [x.clone() for name, x in network.named_buffers() if "running" in name]
    weights = {"adversarial": 0.02, "cycle": 0.5, "identity": 1, "known": 1}
    assert adapting.config.weights == {**weights, "perceptual": 0.05, "dark": 0.05}
    seen: list[float] = []
    gradients: list[bool] = []

    def backward(loss: Tensor) -> None:
        seen.append(float(loss.detach()))
        loss.backward()  # type: ignore[no-untyped-call]
        judge = adapting.networks["discriminator"].parameters()
        gradients.append(any(one.grad is not None for one in judge))

    losses = {name: float(x.detach()) for name, x in adapting.step(49, backward).items()}
    total = sum(weight * losses[name] for name, weight in adapting.config.weights.items())
    assert seen == [pytest.approx(total, rel=1e-4), losses["discriminator"]]
    assert gradients == [False, True]
    after = [x for name, x in network.named_buffers() if "running" in name]
    assert all(torch.equal(*pair) for pair in zip(statistics, after, strict=True))
    factor = learning_rate_factor(49, 100)
    for name, rate in (("dehaze", 0.02), ("discriminator", 0.05)):
        assert adapting.optimizers[name].param_groups[0]["lr"] == pytest.approx(rate * factor)


def test_real_fog_is_dehazed_and_its_dark_channel_is_lowered(adapting: AdaptTask) -> None:
    adapting.networks = {"dehaze": same_everywhere(0.5, 0.8), "discriminator": MeanLogits()}
    clear, foggy = torch.full((2, 3, 64, 64), 0.5), torch.full((2, 3, 64, 64), 0.6)
    losses, dehazed = adapting._dehazing_losses(clear, foggy, 0)
    torch.testing.assert_close(dehazed, torch.full_like(foggy, 0.4))
    assert float(losses["dark"]) == pytest.approx(float(dark_channel(dehazed).mean()))
    again, scene, known = adapting._supervised_losses(clear, make_rng(0, "fog", 0, 0))
    assert float(losses["known"]) == pytest.approx(float(known))
    assert again.shape == scene.shape


def test_configurations_take_what_the_papers_say() -> None:
    config = DefogTrainConfig(("x",))
    assert (config.learning_rate, config.weight_decay, config.ema) == (2e-3, 1e-4, 0.995)
    assert replace(config, widths=[4, 4, 4, 4, 4]).widths == (4, 4, 4, 4, 4)  # type: ignore[arg-type]
