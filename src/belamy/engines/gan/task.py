"""The training of a GAN: a discriminator step and a generator step, by turns."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import autocast, choose_precision, make_rng
from belamy.engines.gan.augmentation import AdaptiveAugmentation, sign_mean
from belamy.engines.gan.config import GanConfig
from belamy.engines.gan.dataset import Pictures
from belamy.engines.gan.monitor import (
    CollapseMonitor,
    draw_latents,
    generate_rows,
    label_columns,
    tile_samples,
)
from belamy.engines.gan.networks import GanNetworks
from belamy.engines.gan.penalty import WARMUP, DiscriminatorPenalty, scale_learning_rate
from belamy.networks.registry import find_gan
from belamy.pixels.images import save_image
from belamy.training.data import batch_indices
from belamy.training.loss_scale import LossScale
from belamy.training.processes import average_gradients
from belamy.training.schedules import set_learning_rate
from belamy.training.task import Backward, TrainingTask

__all__ = ["GanTask"]


class GanTask(TrainingTask):
    """A generator against a discriminator, as Goodfellow et al. 2014 have it (algorithm 1).

    Gradients are averaged over the processes here, not by DDP, whose hooks do not go together
    with the second derivatives that the penalties need.

    Args:
        config: how to train.
        pictures: the real ones.
        networks: both; what requires no gradient stays as it is.
        samples: the folder for pictures made on the way.
        accelerator: where.
    """

    def __init__(
        self,
        config: GanConfig,
        pictures: Pictures,
        networks: GanNetworks,
        samples: Path,
        accelerator: Accelerator,
    ) -> None:
        seen = config.batch * accelerator.num_processes
        decay = 0.5 ** (seen / config.ema_half_life)
        super().__init__(accelerator, total_steps=config.steps, ema_decay=decay, seed=config.seed)
        self.config, self.pictures, self.samples = config, pictures, samples
        self.arguments = networks.arguments
        self.loss = config.adversarial_loss
        self.penalty = DiscriminatorPenalty(
            config.penalty_weight,
            config.penalty_interval,
            config.steps,
            self.loss.needs_gradient_penalty,
            config.penalty_final,
        )
        self.augmentation = AdaptiveAugmentation(
            config.augment_probability(len(pictures.images)), seen
        )
        self.monitor = CollapseMonitor(pictures.images, pictures.labels)
        self._fill_networks(networks)
        dtype = choose_precision(config.precision, accelerator.device)
        self.loss_scale = LossScale(list(self.networks), dtype)
        self.buffers = {
            "retries": torch.zeros((), dtype=torch.int64),
            **self.augmentation.buffers,
            **self.monitor.buffers,
            **self.loss_scale.buffers,
        }
        self.summary = self._summarise()

    def _fill_networks(self, networks: GanNetworks) -> None:
        """The networks, their weights that are trained, and an optimiser for each."""
        traits = find_gan(self.config.architecture)
        self.learning_rate = self.config.learning_rate or traits.learning_rate
        own = self.config.generator_learning_rate or self.learning_rate
        self.generator_factor = own / self.learning_rate
        self.trained: dict[str, list[nn.Parameter]] = {}
        for name, network in networks.by_name().items():
            self.networks[name] = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.trained[name] = [one for one in network.parameters() if one.requires_grad]
            self.optimizers[name] = torch.optim.Adam(
                self.trained[name], lr=self.learning_rate, betas=traits.betas, fused=True
            )

    def _summarise(self) -> str:
        weights = [sum(p.numel() for p in net.parameters()) for net in self.networks.values()]
        return (
            f"{self.pictures.summary}; {self.total_steps:,} steps of {self.config.batch} at "
            f"{self.config.size} px; {self.config.architecture}, {weights[0]:,} weights against "
            f"{weights[1]:,}; {self.config.loss}; augmentation {self.augmentation}"
        )

    def recover(self) -> str:
        """After the loop went back from a loss that was no number: what is tried now."""
        self.buffers["retries"] += 1
        return f"half the learning rate ({self._learning_rate_at(0, warmup=1):.2g})"

    def _learning_rate_at(self, step: int, warmup: int = WARMUP) -> float:
        retries = int(self.buffers["retries"])
        return scale_learning_rate(
            self.learning_rate, step, self.total_steps, retries=retries, warmup=warmup
        )

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        """One or several discriminator steps, then a generator step."""
        learning_rate = self._learning_rate_at(index)
        set_learning_rate(self.optimizers["discriminator"], learning_rate)
        set_learning_rate(self.optimizers["generator"], learning_rate * self.generator_factor)
        for network in self.networks.values():
            network.train()
        first, count = index * self.config.discriminator_steps, self.config.discriminator_steps
        last = first + count - 1
        # drawing the fake pictures once for both networks saves a sixth of the time
        share = self.config.accumulate == 1
        with autocast(self.accelerator.device, self.config.precision):
            for turn in range(first, last):
                self.discriminator_step(turn, backward)
            alone = index < self.config.warm_up
            losses, fake = self.discriminator_step(last, backward, keep_graph=share and not alone)
            if alone:
                losses["generator"] = torch.zeros_like(losses["discriminator"])
            else:
                losses |= self.generator_step(last, backward, fake if share else None)
        if self.augmentation.fixed is None:
            mean = self.accelerator.reduce(losses["sign_mean"], "mean")
            self.augmentation.adapt(float(mean))
        self.monitor.count(float(losses["sign_mean"]))
        augment = self.buffers["augment"].to(self.accelerator.device).clone()
        return {**losses, "augment": augment}

    def discriminator_step(
        self, turn: int, backward: Backward, *, keep_graph: bool = False
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Descend the discriminator's loss on real and fake pictures, and its penalty when due.

        Returns:
            the losses, and the last fake pictures, with the generator's graph if it is kept.
        """
        self._set_trained("discriminator")
        losses: dict[str, Tensor] = {}
        due = self.penalty.is_due(turn)
        for part in range(self.config.accumulate):
            real, label = self._load_real(turn, part)
            with torch.set_grad_enabled(keep_graph):
                fake = self._generate(turn, part, label)
            shown = (
                self._augment(real, turn, part, 0),
                self._augment(fake.detach(), turn, part, 1),
            )
            if due:
                shown = (shown[0].detach().requires_grad_(), shown[1].detach().requires_grad_())
            logits = (self._discriminate(shown[0], label), self._discriminate(shown[1], label))
            loss = self._sum_losses(self.loss.discriminator, *logits)
            uses_real = self.loss.uses_real_logits
            found = {
                "discriminator": loss.detach(),
                "sign_mean": sign_mean(*logits, uses_real_logits=uses_real),
            }
            if due:
                penalty, found["penalty"] = self.penalty(
                    functools.partial(self._discriminate_pixels, label=label),
                    shown,
                    (logits[0][:, :1], logits[1][:, :1]),  # of the pixels
                    turn // self.config.discriminator_steps,
                    make_rng(self.seed, "between", turn, part, self.rank),
                )
                loss = loss + penalty
            backward(self.loss_scale.scale("discriminator", loss) / self.config.accumulate)
            _accumulate(losses, found, self.config.accumulate)
        self._update("discriminator")
        losses.setdefault("penalty", torch.zeros((), device=self.accelerator.device))
        return losses, fake

    def generator_step(
        self, turn: int, backward: Backward, shared: Tensor | None
    ) -> dict[str, Tensor]:
        """Descend the generator's loss.

        Args:
            turn: of the discriminator, whose pictures are shown again, augmented otherwise.
            shared: fake pictures that the discriminator has just been shown, with their graph;
                None draws the same ones again.
        """
        self._set_trained("generator")
        losses: dict[str, Tensor] = {}
        for part in range(self.config.accumulate):
            real, label = self._load_real(turn, part)
            fake = self._generate(turn, part, label) if shared is None else shared
            fake_logits = self._discriminate(self._augment(fake, turn, part, 2), label)
            real_logits = fake_logits.detach()
            if self.loss.uses_real_logits:
                with torch.no_grad():
                    real_logits = self._discriminate(self._augment(real, turn, part, 3), label)
            loss = self._sum_losses(self.loss.generator, real_logits, fake_logits)
            backward(self.loss_scale.scale("generator", loss) / self.config.accumulate)
            _accumulate(losses, {"generator": loss.detach()}, self.config.accumulate)
        self._update("generator")
        return losses

    def _set_trained(self, name: str) -> None:
        """Let gradients reach the discriminator's weights in its own step alone; the generator's
        are only reached where its graph is kept."""
        for parameter in self.trained["discriminator"]:
            parameter.requires_grad_(name == "discriminator")

    def _update(self, name: str) -> None:
        """One step of Adam, the same in every process."""
        gradients = [one.grad for one in self.trained[name] if one.grad is not None]
        average_gradients(gradients, self.accelerator)
        self.loss_scale.step(name, self.optimizers[name])
        self.optimizers[name].zero_grad(set_to_none=True)

    def _discriminate(self, images: Tensor, label: Tensor | None) -> Tensor:
        logits: Tensor = self.unwrap("discriminator")(images, label)
        return logits

    def _discriminate_pixels(self, images: Tensor, label: Tensor | None) -> Tensor:
        return self._discriminate(images, label)[:, :1]

    def _sum_losses(
        self, loss: Callable[[Tensor, Tensor], Tensor], real: Tensor, fake: Tensor
    ) -> Tensor:
        """Over the discriminators that one may be made of, each of which counts as much."""
        discriminator = self.unwrap("discriminator")
        counts: list[int] = list(getattr(discriminator, "counts", (real.shape[1],)))
        parts = zip(*(torch.split(each, counts, dim=1) for each in (real, fake)), strict=True)
        return torch.stack([loss(*part) for part in parts]).sum()

    def _load_real(self, turn: int, part: int) -> tuple[Tensor, Tensor | None]:
        """The real pictures of a turn, (N, 3, S, S) in [0, 1], and their labels."""
        count = self.config.batch // self.config.accumulate
        indices = batch_indices(
            len(self.pictures.images),
            self.config.batch,
            turn,
            seed=self.seed,
            rank=self.rank,
            world_size=self.world_size,
        )[part * count :][:count]
        images = self.pictures.images[indices].permute(0, 3, 1, 2).float().div_(255)
        if self.config.mirror:
            rng = make_rng(self.seed, "mirror", turn, part, self.rank)
            mirrored = torch.rand(count, 1, 1, 1, generator=rng) < 0.5
            images = torch.where(mirrored, images.flip(-1), images)
        device = self.accelerator.device
        label = self.pictures.labels[indices].to(device) if self.pictures.label_names else None
        return images.to(device), label

    def _generate(self, turn: int, part: int, label: Tensor | None) -> Tensor:
        """The fake pictures of a turn, (N, 3, S, S)."""
        count = self.config.batch // self.config.accumulate
        rng = make_rng(self.seed, "latents", turn, part, self.rank)
        z = torch.randn(count, self.arguments.latent, generator=rng)
        fake: Tensor = self.unwrap("generator")(z.to(self.accelerator.device), label)
        return fake

    def _augment(self, images: Tensor, turn: int, part: int, which: int) -> Tensor:
        """As the discriminator is shown pictures: each of a turn's four batches its own way."""
        rng = make_rng(self.seed, "changes", turn, part, which, self.rank)
        return self.augmentation.augment(images, rng)

    @torch.no_grad()
    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """Draw the samples into `samples/`, and look for collapse and copies."""
        images = self.draw_samples(networks["generator"])
        if self.accelerator.is_main_process:
            save_image(tile_samples(images), self.samples / f"step-{step:07d}.png")
        seen = step * self.config.batch * self.world_size
        measures, messages = self.monitor.check(images, seen, self._sample_labels())
        self.messages += messages
        return measures

    @torch.no_grad()
    def draw_samples(self, generator: Callable[..., Tensor]) -> Tensor:
        """(40, 3, S, S), always of the same latents, on the CPU; each column of its own label."""
        rng = make_rng(self.seed, "samples")
        z = draw_latents(self.arguments.latent, rng).to(self.accelerator.device)
        return generate_rows(generator, z, self._sample_labels())

    def _sample_labels(self) -> Tensor | None:
        return label_columns(len(self.pictures.label_names))


def _accumulate(losses: dict[str, Tensor], found: Mapping[str, Tensor], parts: int) -> None:
    """Add the mean's part that one part of a batch has."""
    for name, value in found.items():
        losses[name] = losses.get(name, torch.zeros_like(value)) + value / parts
