"""The training of a generator of pictures: see `TrainingTask`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import autocast, choose_precision
from belamy.devices import make_rng as chance
from belamy.engines.gan.api import GanConfig
from belamy.engines.gan.dataset import Pictures
from belamy.engines.gan.monitor import Alarms
from belamy.networks.gan.registry import ARCHITECTURES, Generator, Shape
from belamy.objectives.adversarial import LOSSES, gradient_penalty, zero_centred_penalty
from belamy.pixels.diffaugment import diff_augment
from belamy.pixels.images import save_image
from belamy.training.data import batch_indices
from belamy.training.loss_scale import LossScale
from belamy.training.processes import average_gradients
from belamy.training.schedules import cosine_decay, linear_warmup, set_learning_rates
from belamy.training.task import Backward, TrainingTask

__all__ = ["GanTask", "Pair", "grid"]

SHOWN = (5, 8)  # rows and columns of the samples
_LOWEST = 0.25  # of the learning rate, at the end; R3GAN's
_RISE = 100  # steps until it is reached: the first of Adam are as long as the later ones. By eye
_SOFTEST, _SOFTENING = 0.1, 0.25  # of the penalty, and part of the steps after which. R3GAN's
_TARGET = 0.6  # of the critic's certainty, from which changes grow: Karras et al. 2020
_SPAN = 100_000  # pictures seen while the chance of changes may go from 0 to 1; 500,000 there
_RETRY = 0.5  # factor on the learning rate after a loss was no number

Pair = tuple[Generator, nn.Module]  # a generator and its critic


class GanTask(TrainingTask):
    """What the trainer runs: see `belamy.training.task.TrainingTask`.

    Gradients are averaged over the processes here, not by DDP, whose hooks do not go together
    with the second derivatives that the penalties need.

    Args:
        pair: the networks.
        shape: what they were built with.
        frozen: of the critic, what stays as it is.
        samples: the folder for pictures made on the way.
    """

    def __init__(
        self,
        config: GanConfig,
        pictures: Pictures,
        pair: Pair,
        shape: Shape,
        frozen: list[nn.Module],
        samples: Path,
        accelerator: Accelerator,
    ) -> None:
        decay = 0.5 ** (config.batch * accelerator.num_processes / config.half_life)
        super().__init__(accelerator, total_steps=config.steps, ema_decay=decay, seed=config.seed)
        self.config, self.pictures, self.shape = config, pictures, shape
        self.samples = samples
        self.loss = LOSSES[config.loss]
        for module in frozen:
            module.requires_grad_(False)
        self.networks = {
            name: network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            for name, network in zip(("generator", "discriminator"), pair, strict=True)
        }
        self.trained = {
            name: [parameter for parameter in network.parameters() if parameter.requires_grad]
            for name, network in self.networks.items()
        }
        known = ARCHITECTURES[config.architecture]
        self.rate = config.learning_rate or known.learning_rate
        self.optimizers = {
            name: torch.optim.Adam(parameters, lr=self.rate, betas=known.betas, fused=True)
            for name, parameters in self.trained.items()
        }
        self.fixed_chance = config.chance(len(pictures.images))
        self.buffers = {
            "augment": torch.tensor(self.fixed_chance or 0.0, dtype=torch.float64),
            "retries": torch.zeros((), dtype=torch.int64),
        }
        self.alarms = Alarms(pictures.images, pictures.labels)
        self.buffers |= self.alarms.buffers
        dtype = choose_precision(config.precision, accelerator.device)
        self.loss_scale = LossScale(list(self.networks), dtype)
        self.buffers |= self.loss_scale.buffers
        self.summary = self._summarise()

    def _summarise(self) -> str:
        weights = [sum(p.numel() for p in net.parameters()) for net in self.networks.values()]
        changed = "adapting" if self.fixed_chance is None else f"{self.fixed_chance:g}"
        return (
            f"{self.pictures.found}; {self.total_steps:,} steps of {self.config.batch} at "
            f"{self.config.size} px; {self.config.architecture}, {weights[0]:,} weights against "
            f"{weights[1]:,}; {self.config.loss}; changes {changed}"
        )

    def recover(self) -> str:
        """After the trainer went back from a loss that was no number: what is tried now."""
        self.buffers["retries"] += 1
        return f"half the learning rate ({self._rate(0, rise=1):.2g})"

    def _rate(self, index: int, rise: int = _RISE) -> float:
        fall = cosine_decay(index, self.total_steps, final=_LOWEST)
        retried = _RETRY ** int(self.buffers["retries"])
        return self.rate * fall * retried * linear_warmup(index, rise)

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        """The critic's turn, once or several times, then the generator's."""
        set_learning_rates(self.optimizers, self._rate(index))
        for network in self.networks.values():
            network.train()
        turns = self.config.discriminator_steps
        with autocast(self.accelerator.device, self.config.precision):
            for turn in range(index * turns, (index + 1) * turns - 1):
                self._judge(turn, False, backward)
            turn = (index + 1) * turns - 1
            judged, made = self._judge(turn, self.config.accumulate == 1, backward)
            forged = self._forge(turn, made, backward)
        self._adapt(judged["certainty"])
        self.alarms.watch(float(judged["certainty"]))
        augment = self.buffers["augment"].to(self.accelerator.device).clone()
        return {**judged, **forged, "augment": augment}

    def _judge(
        self, turn: int, again: bool, backward: Backward
    ) -> tuple[dict[str, Tensor], Tensor | None]:
        """Train the critic; gives its losses, and what was made for it if it will be judged again:
        drawing it once for both saves a sixth of the time."""
        critic = self._bare("discriminator")
        self._open("discriminator", True)
        losses: dict[str, Tensor] = {}
        made = None
        for part in range(self.config.accumulate):
            real, label = self._real(turn, part)
            with torch.set_grad_enabled(again):
                made = self._made(turn, part, label)
            pair = (real, made.detach())
            shown = [self._changed(images, turn, part, who) for who, images in enumerate(pair)]
            due = self.config.strength > 0 and turn % self.config.interval == 0
            if due:
                shown = [images.detach().requires_grad_() for images in shown]
            logits = [critic(images, label) for images in shown]
            loss = self.loss.discriminator(*logits)
            found = {"discriminator": loss.detach(), "certainty": self._certainty(*logits)}
            if due:
                penalty, slopes = self._penalty(turn, part, shown, logits, label)
                loss, found["slopes"] = loss + penalty, slopes
            backward(self.loss_scale.scale("discriminator", loss) / self.config.accumulate)
            _add(losses, found, self.config.accumulate)
        self._update("discriminator")
        losses.setdefault("slopes", torch.zeros((), device=self.accelerator.device))
        return losses, made if again else None

    def _penalty(
        self, turn: int, part: int, shown: list[Tensor], logits: list[Tensor], label: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """What is added to the critic's loss, and the mean square of its slopes on pictures."""
        critic, config = self._bare("discriminator"), self.config
        if self.loss.needs_gradient_penalty:
            between = chance(config.seed, "between", turn, part, self.rank)
            real, made = (images.detach() for images in shown)
            penalty = gradient_penalty(lambda x: critic(x, label), real, made, between)
            return config.strength * penalty, penalty.detach()
        slopes = [zero_centred_penalty(x, images) for x, images in zip(logits, shown, strict=True)]
        total = slopes[0] + slopes[1]
        # seen by the tick as a mean over all steps
        index = turn // config.discriminator_steps
        weight = config.strength * _softened(index, self.total_steps) / 2 * config.interval
        return weight * total, total.detach() * config.interval / 2

    def _forge(self, turn: int, made: Tensor | None, backward: Backward) -> dict[str, Tensor]:
        """Train the generator, on what the critic has just been shown where that is at hand."""
        critic = self._bare("discriminator")
        self._open("discriminator", False)
        losses: dict[str, Tensor] = {}
        for part in range(self.config.accumulate):
            real, label = self._real(turn, part)
            images = self._made(turn, part, label) if made is None else made
            fake = critic(self._changed(images, turn, part, 2), label)
            with torch.no_grad():
                seen = self._changed(real, turn, part, 3) if self.loss.uses_real_logits else None
                genuine = fake.detach() if seen is None else critic(seen, label)
            loss = self.loss.generator(genuine, fake)
            backward(self.loss_scale.scale("generator", loss) / self.config.accumulate)
            _add(losses, {"generator": loss.detach()}, self.config.accumulate)
        self._update("generator")
        return losses

    def _bare(self, name: str) -> Callable[..., Tensor]:
        return self.accelerator.unwrap_model(self.networks[name])  # type: ignore[no-any-return]

    def _open(self, name: str, learns: bool) -> None:
        for parameter in self.trained[name]:
            parameter.requires_grad_(learns)

    def _update(self, name: str) -> None:
        """One step of Adam, the same in every process."""
        slopes = [p.grad for p in self.trained[name] if p.grad is not None]
        average_gradients(slopes, self.accelerator)
        self.loss_scale.step(name, self.optimizers[name])
        self.optimizers[name].zero_grad(set_to_none=True)

    def _real(self, turn: int, part: int) -> tuple[Tensor, Tensor | None]:
        """The pictures of a turn, (N, 3, S, S) in [0, 1], and their labels where there are any."""
        count, own = self.config.batch // self.config.accumulate, self.config.seed
        chosen = batch_indices(
            len(self.pictures.images),
            self.config.batch,
            turn,
            seed=own,
            rank=self.rank,
            world_size=self.world_size,
        )[part * count :][:count]
        images = self.pictures.images[chosen].permute(0, 3, 1, 2).float().div_(255)
        if self.config.mirror:
            draw = chance(own, "mirror", turn, part, self.rank)
            turned = torch.rand(count, 1, 1, 1, generator=draw) < 0.5
            images = torch.where(turned, images.flip(-1), images)
        place = self.accelerator.device
        label = self.pictures.labels[chosen].to(place) if self.pictures.kinds else None
        return images.to(place), label

    def _made(self, turn: int, part: int, label: Tensor | None) -> Tensor:
        count = self.config.batch // self.config.accumulate
        draw = chance(self.config.seed, "latents", turn, part, self.rank)
        z = torch.randn(count, self.shape.latent, generator=draw)
        return self._bare("generator")(z.to(self.accelerator.device), label)

    def _changed(self, images: Tensor, turn: int, part: int, who: int) -> Tensor:
        """As the critic is shown pictures, with the present chance of changes."""
        probability = float(self.buffers["augment"])
        if probability == 0:
            return images
        draw = chance(self.config.seed, "changes", turn, part, who, self.rank)
        return diff_augment(images, draw, probability=probability)

    def _certainty(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[sign D(x)], 0 for a critic that guesses and 1 for one that knows the pictures by
        heart; a relativistic critic has no zero, so it is asked which of two is real."""
        compared = real - fake if self.loss.uses_real_logits else real
        return compared.detach().sign().mean()

    def _adapt(self, certainty: Tensor) -> None:
        """Adaptive augmentation: Karras et al. 2020 ("Training GANs with limited data")."""
        if self.fixed_chance is not None:
            return
        certain = float(self.accelerator.reduce(certainty, "mean"))
        pace = self.config.batch * self.world_size / _SPAN
        stepped = float(self.buffers["augment"]) + math.copysign(pace, certain - _TARGET)
        self.buffers["augment"].fill_(min(1.0, max(0.0, stepped)))

    @torch.no_grad()
    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """Draw the samples into `samples/`, and look for trouble."""
        images = self.drawn(networks["generator"])
        if self.accelerator.is_main_process:
            save_image(grid(images), self.samples / f"step-{step:07d}.png")
        seen = step * self.config.batch * self.world_size
        measures, remarks = self.alarms.look(images, seen, self._kinds_drawn())
        self.messages += remarks
        return measures

    @torch.no_grad()
    def drawn(self, made: nn.Module) -> Tensor:
        """(40, 3, S, S), always of the same latents, on the CPU; each column of its own label."""
        rows, columns = SHOWN
        z = torch.randn(
            rows * columns, self.shape.latent, generator=chance(self.seed, "samples")
        ).to(self.accelerator.device)
        label = self._kinds_drawn()
        label = label if label is None else label.to(z.device)
        parts = zip(torch.split(z, columns), _split(label, columns, rows), strict=True)
        return torch.cat([made(one, kind).cpu() for one, kind in parts])

    def _kinds_drawn(self) -> Tensor | None:
        """Of what is `drawn`, (40,); None where all are of one kind."""
        (rows, columns), kinds = SHOWN, len(self.pictures.kinds)
        return torch.arange(rows * columns) % columns % kinds if kinds else None


def _softened(index: int, total: int) -> float:
    """Of the penalty: the whole at first, when it keeps the critic from shouting before there is
    anything to see; a tenth later, when it would keep it from seeing detail.

    Source: the schedule of R3GAN (Huang et al. 2024), which has burnt in after about as much.
    """
    fallen = (1 - math.cos(math.pi * min(1.0, index / (_SOFTENING * total)))) / 2
    return 1 - (1 - _SOFTEST) * fallen


def _split(label: Tensor | None, size: int, count: int) -> list[Tensor | None]:
    return [None] * count if label is None else list(torch.split(label, size))


def grid(images: Tensor) -> Tensor:
    """(rows·columns, 3, S, S) → (1, 3, rows·S, columns·S), without gaps."""
    rows, columns = SHOWN
    side = images.shape[-1]
    tiles = images.reshape(rows, columns, 3, side, side).permute(2, 0, 3, 1, 4)
    return tiles.reshape(1, 3, rows * side, columns * side)


def _add(losses: dict[str, Tensor], found: Mapping[str, Tensor], parts: int) -> None:
    for name, value in found.items():
        losses[name] = losses.get(name, torch.zeros_like(value)) + value / parts
