"""The training of a classifier: cross-entropy, one learning-rate cycle, pictures that grow.

Progressive resizing (Howard 2018, DAWNBench): most steps are taken on small pictures, where a
step is cheap, the last ones at full size. One cycle: Smith and Topin 2017, "Super-convergence".
Label smoothing: Szegedy et al. 2015. Adversarial steps: Wong, Rice and Kolter 2020, "Fast is
better than free" (FGSM from a random start), after which features look more like things to us
(Engstrom et al. 2019, "Adversarial robustness as a prior for learned representations").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from belamy.devices import make_rng
from belamy.engines.classify.accuracy import count_hits, evaluation_batch, measure_hits
from belamy.engines.classify.config import ClassifyConfig
from belamy.networks.backbones import imagenet
from belamy.networks.sequential import Chain
from belamy.training.crops import resample, sample_crops
from belamy.training.data import Labelled, epoch_steps
from belamy.training.schedules import one_cycle, set_learning_rate
from belamy.training.task import Backward, TrainingTask

__all__ = [
    "IMAGENET",
    "ClassifierTask",
    "Normalisation",
    "Stage",
    "evaluation_side",
    "make_optimizer",
    "measured_side",
    "plan_stages",
    "summarize",
]

MOMENTUM = 0.9

Normalisation = tuple[tuple[float, ...], tuple[float, ...]]  # mean and standard deviation, RGB
IMAGENET: Normalisation = (imagenet.MEAN, imagenet.STD)


@dataclass(frozen=True)
class Stage:
    """A stretch of training at one picture size."""

    size: int
    first: int
    steps: int


def plan_stages(config: ClassifyConfig, count: int, world: int) -> list[Stage]:
    """The stages in steps, one after another."""
    stages: list[Stage] = []
    first = 0
    for size, epochs in config.stages:
        steps = max(1, round(epochs * epoch_steps(count, config.batch_size, world)))
        stages.append(Stage(size, first, steps))
        first += steps
    return stages


def evaluation_side(size: int) -> int:
    """The side in pixels at which to show pictures to a network trained on crops of `size`.

    A quarter larger, because crops show things larger than whole pictures do (Touvron et al. 2019,
    "Fixing the train-test resolution discrepancy"). Iris, trained at 64 px, is right on 48.8 % of
    2,000 pictures of Tiny ImageNet shown at 64 px, 49.5 at 80, 46.7 at 88 (they hold no more than
    64 px); taught cats and dogs out of 96 px, on 84.3 % shown at 64, 85.8 at 80, 86.0 at 96. The
    middle 64 of 73 px, as ImageNet's networks are shown it, gave 50.4 and 84.6; the whole was
    preferred, since the pictures of users hold more. A multiple of 8, so that three halvings leave
    no narrow rim.
    """
    return 8 * max(1, round(1.25 * size / 8))


def measured_side(config: ClassifyConfig) -> int:
    """The side in pixels at which the trained network is shown pictures: that of its training
    where it saw whole pictures, `evaluation_side` of it where it saw crops."""
    size = config.stages[-1][0]
    return size if config.head_alone else evaluation_side(size)


def make_optimizer(network: nn.Module, config: ClassifyConfig) -> torch.optim.Optimizer:
    """SGD with Nesterov's momentum; no weight decay on biases and norms (Goyal et al. 2017)."""
    trained = [p for p in network.parameters() if p.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in trained if p.ndim > 1]},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(
        groups,
        lr=config.peak_learning_rate,
        momentum=MOMENTUM,
        nesterov=True,
        weight_decay=config.decay,
    )


def summarize(sets: tuple[Labelled, Labelled], stages: list[Stage], network: nn.Module) -> str:
    """What will be done, and what the data set's reader has to say, in one line."""
    train_set, test_set = sets
    sizes = ", ".join(str(stage.size) for stage in stages)
    weights = [(p.numel(), p.requires_grad) for p in network.parameters()]
    count, trained = sum(n for n, _ in weights), sum(n for n, learns in weights if learns)
    parts = [
        f"{len(train_set.labels):,} pictures of {len(train_set.classes)} classes to learn from",
        f"{len(test_set.labels):,} to measure on",
        f"{sum(stage.steps for stage in stages):,} steps at {sizes} px",
        f"{count:,} weights" + ("" if trained == count else f", {trained:,} of them trained"),
    ]
    parts += dict.fromkeys((*train_set.messages, *test_set.messages))
    return "; ".join(parts)


class ClassifierTask(TrainingTask):
    """What the trainer runs: see `belamy.training.task.TrainingTask`.

    Args:
        network: gives logits (N, classes) from pictures normalised by `normalisation`; what needs
            no gradient in it is frozen.
        sets: the pictures to train on, and those to measure on.
    """

    def __init__(
        self,
        config: ClassifyConfig,
        network: nn.Module,
        sets: tuple[Labelled, Labelled],
        accelerator: Accelerator,
        normalisation: Normalisation = IMAGENET,
    ) -> None:
        self.stages = plan_stages(config, len(sets[0].labels), accelerator.num_processes)
        total_steps = sum(stage.steps for stage in self.stages)
        super().__init__(
            accelerator, total_steps=total_steps, ema_decay=config.ema, seed=config.seed
        )
        self.config = config
        self.device = accelerator.device
        self.train_set, self.test_set = sets
        self.images = torch.from_numpy(self.train_set.images)
        self.labels = torch.from_numpy(self.train_set.labels)
        mean, std = normalisation
        self.mean = torch.tensor(mean).view(1, 3, 1, 1).to(self.device)
        self.std = torch.tensor(std).view(1, 3, 1, 1).to(self.device)
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.frozen = _frozen_stages(network, config.freeze)
        self.networks = {"classifier": network}
        self.optimizers = {"classifier": make_optimizer(network, config)}
        self.summary = summarize(sets, self.stages, network)

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        network, optimizer = self.networks["classifier"], self.optimizers["classifier"]
        learning_rate = one_cycle(index, self.total_steps, self.config.peak_learning_rate)
        set_learning_rate(optimizer, learning_rate)
        images, labels = self._batch(index)
        network.train()
        for stage in self.frozen:  # their statistics stay, their dropout is off
            stage.eval()
        if self.config.adversarial > 0:
            unwrapped = self.accelerator.unwrap_model(network)
            images = self._attack(unwrapped, images, labels, index)
        optimizer.zero_grad(set_to_none=True)
        logits = network(self._normalise(images))
        loss = cross_entropy(logits, labels, label_smoothing=self.config.smoothing)
        backward(loss)
        optimizer.step()
        right = (logits.detach().argmax(dim=1) == labels).float().mean()
        return {"loss": loss, "train_accuracy": 100 * right}

    def _stage(self, index: int) -> Stage:
        return next(stage for stage in reversed(self.stages) if stage.first <= index)

    def _batch(self, index: int) -> tuple[Tensor, Tensor]:
        crops, chosen = sample_crops(
            self.images,
            index,
            batch=self.config.batch_size,
            size=self._stage(index).size,
            area=(self.config.crop, 1.0),
            seed=self.seed,
            rank=self.rank,
            world_size=self.world_size,
        )
        return crops.to(self.device), self.labels[chosen].to(self.device)

    def _attack(self, network: nn.Module, images: Tensor, labels: Tensor, index: int) -> Tensor:
        """The pictures moved, by at most ε a channel, to where the loss is higher."""
        epsilon = self.config.adversarial / 255
        rng = make_rng(self.config.seed, "attack", index, self.rank)
        start = torch.rand(images.shape, generator=rng).to(images) * 2 - 1
        noisy = (images + epsilon * start).requires_grad_(True)
        loss = cross_entropy(network(self._normalise(noisy)), labels)
        (gradient,) = torch.autograd.grad(loss, noisy)
        attacked = noisy.detach() + 1.25 * epsilon * gradient.sign()  # 1.25: Wong et al., section 4
        return attacked.clamp(images - epsilon, images + epsilon).clamp(0, 1)

    def _normalise(self, images: Tensor) -> Tensor:
        return ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """Accuracy in per cent on the test split, shared out among the processes."""
        network = networks["classifier"].eval()
        side = evaluation_side(self._stage(step - 1).size)
        images, labels = torch.from_numpy(self.test_set.images), self.test_set.labels
        counts = torch.zeros(3, device=self.device)
        count = evaluation_batch(side)
        starts = range(0, len(labels), count)
        for start in starts[self.rank :: self.world_size]:
            batch = slice(start, start + count)
            pixels = resample(images[batch], side).div(255).to(self.device)
            truth = torch.from_numpy(labels[batch]).to(self.device)
            counts += count_hits(network(self._normalise(pixels)), truth)
        return measure_hits(self.accelerator.reduce(counts, reduction="sum"))


def _frozen_stages(network: nn.Module, last: str | None) -> list[nn.Module]:
    """The stages up to the one called `last`."""
    assert isinstance(network, Chain)
    stages = network.stages()
    count = 0 if last in (None, "none") else [name for name, _ in stages].index(last) + 1
    return [stage for _, stage in stages[:count]]
