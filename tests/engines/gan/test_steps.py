"""The two steps of a GAN against gradients that are worked out by hand.

Generator and discriminator have one weight each, and gradient descent takes Adam's place.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.engines.gan.config import GanConfig
from belamy.engines.gan.dataset import Pictures
from belamy.engines.gan.networks import GanNetworks
from belamy.engines.gan.penalty import penalty_decay
from belamy.engines.gan.task import GanTask
from belamy.networks.gan.generator import Generator, GeneratorArguments
from belamy.objectives.adversarial import LOSSES, AdversarialLoss

W, G = 0.5, 0.25  # the discriminator's weight, and the brightness of the fake pictures
LINEAR = AdversarialLoss(
    lambda real, fake: fake.mean() - real.mean(), lambda real, fake: -fake.mean()
)
SIDE = 8
NUMBERS = 3 * SIDE * SIDE  # of a picture
ROOT = math.sqrt(NUMBERS)


class FlatGenerator(nn.Module):
    """Pictures of one brightness, `value`, whatever the latents; what it was given is kept."""

    def __init__(self, value: float = 0.25) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))
        self.arguments = GeneratorArguments(SIDE, 2)
        self.latents: list[Tensor] = []
        self.labels: list[Tensor | None] = []

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        self.latents.append(z)
        self.labels.append(label)
        return self.value.expand(len(z), 3, SIDE, SIDE)


class LinearDiscriminator(nn.Module):
    """D(x) = weight · Σx / √n: its gradient has the length of the weight everywhere."""

    def __init__(self, weight: float = 0.5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.images: list[Tensor] = []
        self.labels: list[Tensor | None] = []

    def forward(self, images: Tensor, label: Tensor | None = None) -> Tensor:
        self.images.append(images.detach())
        self.labels.append(label)
        return self.weight * images.flatten(1).sum(1, keepdim=True) / ROOT


def grey(*levels: int, count: int = 1) -> Tensor:
    """uint8 (N, S, S, 3): pictures of one level each, `count` of every one."""
    each = torch.tensor(levels, dtype=torch.uint8).repeat_interleave(count)
    return each[:, None, None, None].expand(-1, SIDE, SIDE, 3).clone()


def make_task(
    tmp_path: Path,
    images: Tensor | None = None,
    labels: Tensor | None = None,
    label_names: tuple[str, ...] = (),
    **options: Any,
) -> GanTask:
    """A task of the two, with gradient descent for Adam: a step is the gradient times `lr`."""
    usual: dict[str, Any] = {
        "data": "none",
        "size": SIDE,
        "batch": 4,
        "augment": 0.0,
        "mirror": False,
        "steps": 1000,
        "learning_rate": 0.5,
        "precision": "float32",
        "penalty": 0.0,
    }
    config = GanConfig(**{**usual, **options})
    images = grey(255, count=8) if images is None else images
    own = torch.zeros(len(images), dtype=torch.int64) if labels is None else labels
    pictures = Pictures(images, own, label_names, "grey pictures")
    networks = GanNetworks(cast(Generator, FlatGenerator()), LinearDiscriminator())
    task = GanTask(config, pictures, networks, tmp_path, Accelerator(cpu=True))
    for name, parameters in task.trained.items():
        task.optimizers[name] = torch.optim.SGD(parameters, lr=1.0)
    return task


def backward(loss: Tensor) -> None:
    """As without accelerate."""
    loss.backward()  # type: ignore[no-untyped-call]


def weight_of(task: GanTask) -> float:
    """The discriminator's."""
    return float(cast(LinearDiscriminator, task.networks["discriminator"]).weight.detach())


def value_of(task: GanTask) -> float:
    """The generator's."""
    return float(cast(FlatGenerator, task.networks["generator"]).value.detach())


def shown_to(task: GanTask) -> LinearDiscriminator:
    """The discriminator, with what it was shown."""
    return cast(LinearDiscriminator, task.networks["discriminator"])


def drawn_by(task: GanTask) -> FlatGenerator:
    """The generator, with what it was given."""
    return cast(FlatGenerator, task.networks["generator"])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@pytest.fixture
def linear(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss by one row: D minimises D(fake) − D(real), G minimises −D(fake)."""
    monkeypatch.setitem(LOSSES, "linear", LINEAR)


def test_a_loss_is_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A made-up loss with a penalty of its own: the row is all that it takes."""
    row = AdversarialLoss(
        lambda real, fake: (real + fake).mean(),
        lambda real, fake: 2 * fake.mean(),
        penalty=3.0,
        penalty_power=1,
        penalty_every=2,
    )
    monkeypatch.setitem(LOSSES, "made-up", row)
    task = make_task(tmp_path, loss="made-up", penalty=None)
    assert task.config.penalty_weight == 3.0 * SIDE / 64
    assert task.config.penalty_interval == 2
    for index in range(2):
        losses = task.step(index, backward)
        assert math.isfinite(float(losses["generator"]))
    assert weight_of(task) < W  # it minimises the logits of both
    assert value_of(task) < G


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_discriminator_descends_its_loss(accumulate: int, linear: None, tmp_path: Path) -> None:
    """dL/dw = (fake − real)·√n, however many parts a batch is worked through in."""
    task = make_task(tmp_path, loss="linear", accumulate=accumulate)
    losses, _ = task.discriminator_step(0, backward)
    assert weight_of(task) - W == pytest.approx(-(G - 1) * ROOT, rel=1e-5)
    assert float(losses["discriminator"]) == pytest.approx(W * (G - 1) * ROOT, rel=1e-5)
    assert float(losses["penalty"]) == 0
    assert value_of(task) == G


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_generator_descends_its_loss(accumulate: int, linear: None, tmp_path: Path) -> None:
    """dL/dg = −w·√n, and the discriminator stays as it is."""
    task = make_task(tmp_path, loss="linear", accumulate=accumulate)
    losses = task.generator_step(0, backward, None)
    assert value_of(task) - G == pytest.approx(W * ROOT, rel=1e-5)
    assert float(losses["generator"]) == pytest.approx(-W * G * ROOT, rel=1e-5)
    assert weight_of(task) == W
    assert shown_to(task).weight.grad is None  # or the discriminator's next step would have it


def test_a_relativistic_generator_sees_the_real_logits(tmp_path: Path) -> None:
    """dL/dg of softplus(D(x) − D(G(z))) is −σ(D(x) − D(G(z)))·w·√n."""
    task = make_task(tmp_path, loss="relativistic")
    task.generator_step(0, backward, None)
    logit = W * (1 - G) * ROOT
    assert value_of(task) - G == pytest.approx(sigmoid(logit) * W * ROOT, rel=1e-4)


def test_each_step_has_its_own_learning_rate(linear: None, tmp_path: Path) -> None:
    """The first of a hundred warm-up steps moves by a hundredth of the learning rate."""
    task = make_task(tmp_path, loss="linear", learning_rate=0.5)
    task.step(0, backward)
    assert weight_of(task) - W == pytest.approx(0.005 * (1 - G) * ROOT, rel=1e-4)
    moved = weight_of(task)
    assert value_of(task) - G == pytest.approx(0.005 * moved * ROOT, rel=1e-4)


def test_the_generator_may_learn_at_a_rate_of_its_own(linear: None, tmp_path: Path) -> None:
    task = make_task(tmp_path, loss="linear", learning_rate=0.5, generator_learning_rate=0.1)
    task.step(0, backward)
    assert weight_of(task) - W == pytest.approx(0.005 * (1 - G) * ROOT, rel=1e-4)
    assert value_of(task) - G == pytest.approx(0.001 * weight_of(task) * ROOT, rel=1e-4)


@pytest.mark.parametrize(("turn", "due"), [(0, True), (1, False), (3, True)])
def test_r1_and_r2_are_weighted_up_by_their_interval(
    turn: int, due: bool, linear: None, tmp_path: Path
) -> None:
    """γ/2·(R1 + R2) every third turn, three times as heavy: its derivative is 3·γ·decay·2w."""
    task = make_task(tmp_path, loss="linear", penalty=0.7, penalty_every=3)
    losses, _ = task.discriminator_step(turn, backward)
    of_loss = (G - 1) * ROOT
    of_penalty = 3 * 0.7 / 2 * penalty_decay(turn, 1000) * 4 * W if due else 0.0
    assert weight_of(task) - W == pytest.approx(-(of_loss + of_penalty), rel=1e-5)
    assert float(losses["penalty"]) == pytest.approx(3 * W**2 if due else 0.0, rel=1e-5)


def test_the_penalty_may_keep_its_weight(linear: None, tmp_path: Path) -> None:
    task = make_task(tmp_path, loss="linear", penalty=0.7, penalty_every=1, penalty_final=1.0)
    task.discriminator_step(900, backward)
    change = (1 - G) * ROOT - 0.7 * 2 * W
    assert weight_of(task) - W == pytest.approx(change, rel=1e-5)


def test_the_penalty_is_of_the_step_not_of_the_turn(linear: None, tmp_path: Path) -> None:
    """With two turns a step, turn 200 of 1,000 steps belongs to step 100."""
    task = make_task(tmp_path, loss="linear", penalty=1.0, penalty_every=1, discriminator_steps=2)
    task.discriminator_step(200, backward)
    change = (1 - G) * ROOT - penalty_decay(100, 1000) * 2 * W
    assert weight_of(task) - W == pytest.approx(change, rel=1e-5)


def test_wassersteins_penalty_wants_gradients_of_length_one(tmp_path: Path) -> None:
    """λ·(‖∇D‖ − 1)² = 10·(w − 1)²: its derivative pulls the weight up."""
    task = make_task(tmp_path, loss="wasserstein", penalty=None)
    losses, _ = task.discriminator_step(0, backward)
    change = (1 - G) * ROOT - 10 * 2 * (W - 1)
    assert weight_of(task) - W == pytest.approx(change, rel=1e-4)
    assert float(losses["penalty"]) == pytest.approx((W - 1) ** 2, rel=1e-4)


def test_several_discriminator_steps_before_one_of_the_generator(
    linear: None, tmp_path: Path
) -> None:
    task = make_task(tmp_path, loss="linear", discriminator_steps=3)
    task.step(0, backward)
    assert weight_of(task) - W == pytest.approx(3 * 0.005 * (1 - G) * ROOT, rel=1e-4)
    assert value_of(task) - G == pytest.approx(0.005 * weight_of(task) * ROOT, rel=1e-4)


def test_the_sign_mean_moves_the_augmentation_and_is_watched(linear: None, tmp_path: Path) -> None:
    """All real logits are above 0: r_t is 1, and the probability rises by a batch's part."""
    images = grey(*range(0, 250, 2), count=9)[:1100]
    images[..., 0] = torch.arange(1100)[:, None, None] % 256  # none twice
    task = make_task(tmp_path, images.add(1), loss="linear", augment="auto")
    losses = task.step(0, backward)
    assert float(losses["sign_mean"]) == 1
    assert float(losses["augment"]) == pytest.approx(4 / 100_000)
    assert task.monitor.buffers["pairs"].tolist() == [1.0, 1.0]
    shown_to(task).weight.data.neg_()
    assert float(task.step(1, backward)["augment"]) == 0


def test_labels_stay_with_their_pictures(linear: None, tmp_path: Path) -> None:
    """Bright pictures have label 1; the generator is asked for the same labels."""
    labels = torch.arange(16) % 2
    images = grey(50, 200).repeat(8, 1, 1, 1)
    task = make_task(
        tmp_path, images, labels, ("dark", "bright"), loss="relativistic", discriminator_steps=2
    )
    task.step(0, backward)
    shown = shown_to(task)
    seen = 0
    for pictures, own in zip(shown.images, shown.labels, strict=True):
        assert own is not None
        real = pictures.mean((1, 2, 3))
        if float(real.std()) > 0.01:  # a real batch of both
            assert torch.equal((real > 0.5).long(), own)
            seen += 1
    assert seen >= 1
    first_real, first_fake = shown.labels[:2]
    assert first_real is not None
    assert first_fake is not None
    assert torch.equal(first_real, first_fake)
    given = drawn_by(task).labels[0]
    assert given is not None
    assert torch.equal(given, first_real)


@pytest.mark.parametrize("mirror", [True, False])
def test_half_the_pictures_are_mirrored_if_at_all(
    mirror: bool, linear: None, tmp_path: Path
) -> None:
    images = grey(0, count=64)
    images[:, :, : SIDE // 2] = 255  # the left half is white
    task = make_task(tmp_path, images, loss="linear", mirror=mirror, batch=64)
    task.discriminator_step(0, backward)
    left = shown_to(task).images[0][..., : SIDE // 2].mean((1, 2, 3))
    assert set(left.tolist()) == ({0.0, 1.0} if mirror else {1.0})
    if mirror:
        assert 0.3 < float(left.mean()) < 0.7


def test_latents_are_of_the_seed_the_turn_and_the_part(linear: None, tmp_path: Path) -> None:
    drawn = {}
    for seed in (0, 1):
        task = make_task(tmp_path, loss="linear", accumulate=2, seed=seed)
        task.discriminator_step(0, backward)
        task.discriminator_step(1, backward)
        drawn[seed] = drawn_by(task).latents
    every = [tuple(z.flatten().tolist()) for latents in drawn.values() for z in latents]
    assert len(set(every)) == 8
    task = make_task(tmp_path, loss="linear", accumulate=2)
    task.discriminator_step(0, backward)
    assert torch.equal(drawn_by(task).latents[0], drawn[0][0])
    together = torch.cat(drawn[0])
    assert abs(float(together.mean())) < 1
    assert 0.4 < float(together.std()) < 1.8


def test_the_generator_is_judged_on_the_pictures_that_were_just_shown(
    linear: None, tmp_path: Path
) -> None:
    for accumulate, draws in ((1, 1), (2, 4)):
        task = make_task(tmp_path, loss="linear", accumulate=accumulate)
        task.step(0, backward)
        latents = drawn_by(task).latents
        assert len(latents) == draws
        half = draws // 2
        for one, again in zip(latents[:half], latents[half:], strict=False):
            assert torch.equal(one, again)


def test_each_batch_of_a_turn_is_augmented_its_own_way(linear: None, tmp_path: Path) -> None:
    task = make_task(tmp_path, grey(255, count=8), loss="relativistic", augment=1.0)
    task.step(0, backward)
    shown = shown_to(task).images  # real, fake; fake again, real again
    assert len(shown) == 4
    assert not any(torch.equal(shown[k], shown[0]) for k in range(1, 4))
    assert not torch.equal(shown[1], shown[2])


@pytest.mark.parametrize(
    ("options", "decay"),
    [({"batch": 4, "ema_half_life": 8}, 0.5**0.5), ({"batch": 16, "ema_half_life": 16}, 0.5)],
)
def test_after_the_half_life_half_of_the_average_is_left(
    options: dict[str, Any], decay: float, linear: None, tmp_path: Path
) -> None:
    assert make_task(tmp_path, loss="linear", **options).ema_decay == pytest.approx(decay)


def test_what_is_tried_again_has_half_the_learning_rate(linear: None, tmp_path: Path) -> None:
    task = make_task(tmp_path, loss="linear", learning_rate=0.5)
    assert task.recover() == "half the learning rate (0.25)"
    task.step(0, backward)
    assert weight_of(task) - W == pytest.approx(0.0025 * (1 - G) * ROOT, rel=1e-4)


def test_samples_have_a_label_a_column_and_stay_the_same(tmp_path: Path) -> None:
    task = make_task(tmp_path, None, None, ("a", "b", "c"), loss="hinge", penalty=None)
    first = task.draw_samples(drawn_by(task))
    assert first.shape == (40, 3, SIDE, SIDE)
    labels = drawn_by(task).labels
    assert len(labels) == 5
    for row in labels:
        assert row is not None
        assert row.tolist() == [0, 1, 2, 0, 1, 2, 0, 1]
    latents = torch.cat(drawn_by(task).latents)
    task.draw_samples(drawn_by(task))
    assert torch.equal(torch.cat(drawn_by(task).latents[5:]), latents)
