"""What one step of a translation's training does, and what it says when it goes wrong."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy import devices
from belamy.devices import make_rng
from belamy.engines.translate.config import METHODS, TranslateConfig
from belamy.engines.translate.methods import nce_layers, translate_with_identity
from belamy.engines.translate.monitor import find_faults
from belamy.engines.translate.task import TranslateTask
from belamy.networks.gan.patchgan import initialise
from belamy.networks.image_to_image.architectures import SAMPLINGS
from belamy.networks.image_to_image.network import ImageTransformNet, build_translation_net
from belamy.training.domains import CROPS, DomainPair
from belamy.training.task import Recoverable

SMALL: dict[str, Any] = {
    "size": 64,
    "generator_channels": 4,
    "blocks": 1,
    "discriminator_channels": 4,
    "discriminator_layers": 1,
    "precision": "float32",
}


def worlds(paired: bool = False) -> DomainPair:
    """Reddish and bluish noise."""
    side = round(CROPS["jitter"][0] * 64)
    sets = []
    for channel in (0, 2):
        images = torch.randint(0, 150, (12, side, side, 3), generator=make_rng(channel))
        images[..., channel] += 100
        sets.append(images.to(torch.uint8))
    return DomainPair(sets[0], sets[1], paired)


def task(tmp_path: Path, **options: Any) -> TranslateTask:
    config = TranslateConfig("a", "b", **{**SMALL, "steps": 40, **options})
    return TranslateTask(
        config, worlds(config.method == "pix2pix"), tmp_path, Accelerator(cpu=True)
    )


def run(made: TranslateTask, steps: int) -> list[dict[str, float]]:
    found = []
    for index in range(steps):
        losses = made.step(index, lambda loss: loss.backward())  # type: ignore[no-untyped-call]
        found.append({name: float(value.detach()) for name, value in losses.items()})
    return found


def small_painter() -> ImageTransformNet:
    painter = build_translation_net("resnet", 4, 2)
    initialise(painter, make_rng(0))
    return painter


def test_two_passes_in_one_batch_have_the_gradients_of_two() -> None:
    """The mathematics of instance norm: each picture is alone."""
    together, apart = (copy.deepcopy(small_painter()).double() for _ in range(2))
    foreign, own = (torch.rand((2, 3, 64, 64), generator=make_rng(i)).double() for i in (1, 2))
    weights = torch.rand((2, 2, 3, 64, 64), generator=make_rng(3)).double()

    def loss(translated: Tensor, same: Tensor) -> Tensor:
        return (translated * weights[0]).sum() + (same - own).abs().sum() * weights[1].mean()

    loss(*translate_with_identity(together, foreign, own)).backward()  # type: ignore[no-untyped-call]
    loss(apart(foreign), apart(own)).backward()  # type: ignore[no-untyped-call]
    for one, other in zip(together.parameters(), apart.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns(method: str, tmp_path: Path) -> None:
    options = {"generator": "unet", "blocks": 0} if method == "pix2pix" else {}
    made = task(tmp_path, method=method, learning_rate=2e-3, ema=0.0, **options)
    picture = made._samples_of(made.domains.a)
    before = made.networks["a-to-b"](picture).detach()
    losses = run(made, 24)
    after = made.networks["a-to-b"](picture).detach()
    kept = {"cyclegan": "cycle", "cut": "contrast", "fastcut": "contrast", "pix2pix": "pair"}
    name = kept[method]
    first, last = (sum(one[name] for one in part) for part in (losses[:5], losses[-5:]))
    assert last < first
    if method != "fastcut":  # where nothing but the discriminator, behind its norms, sees colours
        assert blueness(after) > blueness(before)


def blueness(images: Tensor) -> float:
    return float(images[:, 2].mean() - images[:, 0].mean())


@pytest.mark.parametrize(
    "options",
    [
        {"loss": "hinge"},
        {"loss": "non-saturating"},
        {"crop": "zoom"},
        {"crop": "whole"},
        {"crop": "detail"},
        {"augment": "never"},
        {"identity_weight": 0.0},
        {"pool": 0},
        {"generator": "residual"},
        {"generator": "coarse"},
        {"generator": "tones"},
        {"cycle_noise": 0.1},
        {"generator_norm": "none"},
        {"discriminator_scales": 2},
        {"discriminator_norm": "none"},
        {"adversarial_weight": 2.0},
        {"sampling": "transposed"},
        {"precision": "bfloat16"},
        {"cycle_weight": 3.0},
        {"seed": 1},
    ],
    ids=str,
)
def test_every_option_changes_the_training(options: dict[str, Any], tmp_path: Path) -> None:
    usual = run(task(tmp_path, pool=1), 4)
    if "crop" in options:  # other crops want other pictures
        side = round(CROPS[options["crop"]][0] * 64)
        made = task(tmp_path, pool=1, **options)
        images = torch.randint(0, 255, (2, 12, side, side, 3), generator=make_rng(5))
        made.domains = DomainPair(*images.to(torch.uint8))
    else:
        made = task(tmp_path, **{"pool": 1, **options})
    assert run(made, 4) != usual


def test_the_same_seed_twice_is_the_same(tmp_path: Path) -> None:
    assert run(task(tmp_path), 3) == run(task(tmp_path), 3)


def test_discriminators_learn_nothing_from_the_generators_step(tmp_path: Path) -> None:
    made = task(tmp_path)
    gradients: list[bool] = []

    def backward(loss: Tensor) -> None:
        loss.backward()  # type: ignore[no-untyped-call]
        discriminator = made.networks["discriminator-b"]
        gradients.append(any(one.grad is not None for one in discriminator.parameters()))

    made.step(0, backward)
    assert gradients == [False, False, True]  # there and back are two parts


def test_the_learning_rate_is_constant_and_then_falls_to_nothing(tmp_path: Path) -> None:
    made, rates = task(tmp_path, steps=8), []
    for index in range(8):
        made.step(index, lambda loss: loss.backward())  # type: ignore[no-untyped-call]
        rates.append(made.optimizers["generators"].param_groups[0]["lr"] / 2e-4)
    assert rates == pytest.approx([1, 1, 1, 1, 1, 0.75, 0.5, 0.25])


def test_what_diverged_is_tried_again_at_half_the_rate(tmp_path: Path) -> None:
    made = task(tmp_path)
    assert isinstance(made, Recoverable)
    assert made.recover() == "half the learning rate"
    run(made, 1)
    assert made.optimizers["discriminators"].param_groups[0]["lr"] == pytest.approx(1e-4)


def test_small_sets_are_seen_through_changes(tmp_path: Path) -> None:
    assert task(tmp_path).augments
    assert "random changes" in task(tmp_path).summary
    assert not task(tmp_path, augment="never").augments
    assert not task(tmp_path, method="pix2pix").augments


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_patches_are_compared_on_the_way_down_and_in_the_blocks(sampling: str) -> None:
    painter = build_translation_net("resnet", 4, 5, sampling)
    places, channels = nce_layers(painter)
    assert channels == [3, 8, 16, 16, 16]
    assert len(painter.activations(torch.rand(1, 3, 64, 64), places)) == 5
    assert places == sorted(set(places))


class Same(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return image


class Negative(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return 1 - image


class Opposed(nn.Module):
    """As light as it was, but red is cyan and blue is yellow."""

    def forward(self, image: Tensor) -> Tensor:
        light = (image * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
        return 2 * light - image


class Stuck(nn.Module):
    """Whatever it is given, it paints nearly the same."""

    def forward(self, image: Tensor) -> Tensor:
        return 0.05 * image + torch.linspace(0, 0.9, image.shape[-1])


class Warmer(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        return (image * torch.tensor([1.1, 1.0, 0.8]).view(1, 3, 1, 1)).clamp(0, 1)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (Same, "changes nothing"),
        (Negative, "light into dark"),
        (Opposed, "colours into their opposites"),
        (Stuck, "all pictures alike"),
    ],
)
def test_what_goes_wrong_is_said(network: type[nn.Module], said: str, tmp_path: Path) -> None:
    made = task(tmp_path)
    made.evaluate({"a-to-b": network(), "b-to-a": Warmer()}, made.total_steps)
    assert len(made.messages) == 1
    assert said in made.messages[0]
    assert made.messages[0].startswith("a to b")


def test_what_goes_well_is_not_complained_of(tmp_path: Path) -> None:
    made = task(tmp_path)
    measures = made.evaluate({"a-to-b": Warmer(), "b-to-a": Warmer()}, made.total_steps)
    assert made.messages == []
    assert measures.keys() == {"change_a_to_b", "change_b_to_a", "cycle_a", "cycle_b"}
    assert (tmp_path / "step-0000040.png").exists()
    pictures = torch.rand((4, 3, 64, 64), generator=make_rng(1))
    assert find_faults("a to b", pictures, pictures, progress=0.05) == []  # it has hardly begun


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_narrow_numbers_learn_what_wide_ones_do(
    precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "_NO_HALVES", ())  # slow here, but it can be computed
    wide = run(task(tmp_path), 4)[-1]
    made = task(tmp_path, precision=precision)
    assert ("scale generators" in made.buffers) == (precision == "float16")
    assert run(made, 4)[-1] == pytest.approx(wide, rel=0.1, abs=0.01)


def test_a_step_beyond_float16_moves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "_NO_HALVES", ())
    made = task(tmp_path, precision="float16")
    made.buffers["scale generators"][0] = 1e30
    before = [weight.clone() for weight in made.networks["a-to-b"].parameters()]
    run(made, 1)
    after = list(made.networks["a-to-b"].parameters())
    assert all(torch.equal(*pair) for pair in zip(before, after, strict=True))
    assert float(made.buffers["scale generators"][0]) == pytest.approx(5e29)
