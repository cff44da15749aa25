"""Classification held to its formulas: losses, steps, schedules, attacks, measures, guesses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.engines.classify.api import ClassifyConfig, classify, evaluate_classifier
from belamy.engines.classify.predict import center_square
from belamy.engines.classify.task import ClassifierTask, one_cycle
from belamy.engines.classify.train import _load_sets
from belamy.networks.backbone import load_backbone
from belamy.networks.sequential import Stages, follow
from belamy.pixels.images import load_image, save_image
from belamy.training.crops import resample
from belamy.training.data import Labelled

CLASSES = 7
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)


class Colours(nn.Module):
    """Logits out of the mean colour: nothing that depends on the mode or on other pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.logits = nn.Linear(3, CLASSES)
        with torch.no_grad():
            for number, parameter in enumerate(self.logits.parameters()):
                parameter.normal_(generator=make_rng(number, "logits"))

    def stages(self) -> Stages:
        return [("pool", self.pool), ("logits", self.logits)]

    def forward(self, x: Tensor) -> Tensor:
        return follow(self.stages(), x)


def labelled(count: int, side: int, seed: int) -> Labelled:
    rng = np.random.default_rng(seed)
    colours = rng.integers(0, 256, (count, 1, 1, 3), np.uint8)
    images = np.broadcast_to(colours, (count, side, side, 3)).copy()
    labels = rng.integers(0, CLASSES, count).astype(np.int64)
    return Labelled(images, labels, tuple(f"class {number}" for number in range(CLASSES)))


def make_task(**options: Any) -> ClassifierTask:
    config = ClassifyConfig("set", stages=((8, 3), (12, 2)), batch=16, **options)
    sets = labelled(48, 12, 0), labelled(260, 16, 1)  # more than are measured together
    return ClassifierTask(config, Colours(), sets, Accelerator(cpu=True), (MEAN, STD))


def logits_of(task: ClassifierTask, images: Tensor) -> Tensor:
    """The formula, from pictures in [0, 1]."""
    layer = task.networks["classifier"].logits
    assert isinstance(layer, nn.Linear)
    colours = images.mean(dim=(2, 3))
    return ((colours - torch.tensor(MEAN)) / torch.tensor(STD)) @ layer.weight.T + layer.bias


def test_the_loss_is_cross_entropy_with_the_label_smoothed_over_all_classes() -> None:
    task = make_task(label_smoothing=0.2)
    images, labels = task._batch(0)
    log = logits_of(task, images).log_softmax(dim=1)
    own = log.gather(1, labels[:, None])[:, 0]
    expected = -(0.8 * own + 0.2 * log.mean(dim=1)).mean()
    right = 100 * (log.argmax(dim=1) == labels).float().mean()
    losses = task.step(0, lambda loss: loss.backward())
    assert float(losses["loss"].detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    assert float(losses["train_accuracy"]) == pytest.approx(float(right))


def test_a_step_is_nesterovs_with_weight_decay_on_weights_alone() -> None:
    task = make_task(weight_decay=0.1, learning_rate=0.3)
    layer = task.networks["classifier"].logits
    assert isinstance(layer, nn.Linear)
    before = [parameter.detach().clone() for parameter in (layer.weight, layer.bias)]
    task.step(0, lambda loss: loss.backward())
    rate = one_cycle(0, task.total_steps, 0.3)
    assert layer.weight.grad is not None
    assert layer.bias.grad is not None
    moved = before[0] - rate * 1.9 * (layer.weight.grad + 0.1 * before[0])  # 1 + momentum
    assert torch.allclose(layer.weight, moved, atol=1e-6)
    assert torch.allclose(layer.bias, before[1] - rate * 1.9 * layer.bias.grad, atol=1e-6)


def test_the_learning_rate_follows_its_two_cosines() -> None:
    assert one_cycle(0, 100, 0.5) == pytest.approx(0.5 / 25)
    assert one_cycle(10, 100, 0.5) == pytest.approx((0.5 + 0.5 / 25) / 2)
    assert one_cycle(20, 100, 0.5) == pytest.approx(0.5)
    assert one_cycle(60, 100, 0.5) == pytest.approx(0.5 * (1 + 1e-4) / 2)
    assert one_cycle(100, 100, 0.5) == pytest.approx(0.5 * 1e-4)


def test_an_attack_is_a_random_start_and_one_signed_step_of_five_quarters() -> None:
    task = make_task(adversarial=8.0)
    network = task.networks["classifier"]
    images, labels = task._batch(0)
    epsilon = 8 / 255
    start = torch.rand(images.shape, generator=make_rng(0, "attack", 3, 0)) * 2 - 1
    noisy = (images + epsilon * start).requires_grad_(True)
    loss = nn.functional.cross_entropy(logits_of(task, noisy), labels)
    (gradient,) = torch.autograd.grad(loss, noisy)
    expected = noisy.detach() + 1.25 * epsilon * gradient.sign()
    expected = torch.minimum(torch.maximum(expected, images - epsilon), images + epsilon)
    assert torch.allclose(task._attack(network, images, labels, 3), expected.clamp(0, 1), atol=1e-6)


def test_measures_are_counted_over_all_pictures_of_the_test_set() -> None:
    task = make_task()
    network = task.networks["classifier"]
    images = torch.from_numpy(task.test_set.images).permute(0, 3, 1, 2) / 255
    order = logits_of(task, images).argsort(dim=1, descending=True)
    ranks = (order == torch.from_numpy(task.test_set.labels)[:, None]).int().argmax(dim=1)
    measures = task.evaluate({"classifier": network}, task.total_steps)
    assert measures["accuracy"] == pytest.approx(100 * float((ranks < 1).float().mean()))
    assert measures["top5"] == pytest.approx(100 * float((ranks < 5).float().mean()))
    assert measures["accuracy"] < measures["top5"] < 100


@pytest.mark.parametrize(("step", "side"), [(9, 8), (10, 16)])
def test_pictures_are_measured_a_quarter_larger_than_the_last_step_saw_them(
    step: int, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stage one is steps 0 to 8, of 8 px; 10 px are shown as 8, 15 as 16: multiples of 8."""
    sides: list[int] = []

    def watched(images: Tensor, size: int) -> Tensor:
        sides.append(size)
        return resample(images, size)

    monkeypatch.setattr("belamy.engines.classify.task.resample", watched)
    task = make_task()
    task.evaluate({"classifier": task.networks["classifier"]}, step)
    assert set(sides) == {side}


def test_pictures_to_measure_on_are_held_out(coloured: Any) -> None:
    config = ClassifyConfig(str(coloured("red", "blue")), stages=((8, 1), (24, 1)), keep=40)
    train_set, test_set = _load_sets(config)
    assert (len(train_set.labels), len(test_set.labels)) == (96, 16)
    assert train_set.images.shape[1] == 40
    assert test_set.images.shape[1] == 32  # a quarter more than 24, of eights


def test_probabilities_are_the_softmax_of_the_centre_crop(eye: Path) -> None:
    network = load_backbone(eye, layers=["logits"])
    image = torch.rand(1, 3, 256, 256, generator=make_rng(0, "picture"))
    with torch.no_grad():
        logits = network(image[..., 16:240, 16:240], ["logits"])["logits"][0]
    expected = [math.exp(x) for x in (logits - logits.max()).tolist()]
    guesses = classify(image, model=eye, top=10)
    assert torch.equal(center_square(image, 256, 224), image[..., 16:240, 16:240])
    assert [g.index for g in guesses] == logits.argsort(descending=True).tolist()
    for guess in guesses:
        assert guess.name == f"thing {guess.index}"
        assert guess.probability == pytest.approx(expected[guess.index] / sum(expected), rel=1e-4)


def test_accuracy_is_how_many_pictures_are_named_rightly(tmp_path: Path, eye: Path) -> None:
    """Pictures are laid into the folders of their first, third, fifth, sixth and last guess."""
    ranks = (0, 0, 0, 2, 4, 5, 9)
    for number, rank in enumerate(ranks):
        path = tmp_path / f"{number}.png"
        save_image(torch.rand(1, 3, 256, 256, generator=make_rng(number, "picture")), path)
        name = classify(load_image(path), model=eye, top=10)[rank].name
        (tmp_path / "data" / "test" / name).mkdir(parents=True, exist_ok=True)
        path.rename(tmp_path / "data" / "test" / name / path.name)
    measures = evaluate_classifier(str(tmp_path / "data"), model=str(eye))
    assert measures["pictures"] == 7
    assert measures["accuracy"] == pytest.approx(100 * 3 / 7)
    assert measures["top5"] == pytest.approx(100 * 5 / 7)


def test_the_rim_of_a_picture_is_not_measured(
    tmp_path: Path, eye: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = torch.ones(1, 3, 256, 256)
    image[..., 16:240, 16:240] = 0
    for name in ("thing 1", "thing 2"):
        save_image(image, tmp_path / "test" / name / "1.png")
    shown: list[Tensor] = []

    def watch(network: Any, images: Tensor) -> Tensor:
        shown.append(images)
        return torch.eye(10)[[1, 1]]

    monkeypatch.setattr("belamy.engines.classify.evaluate.compute_logits", watch)
    assert evaluate_classifier(str(tmp_path), model=str(eye))["accuracy"] == 50
    assert shown[0].shape == (2, 3, 224, 224)
    assert not shown[0].any()
