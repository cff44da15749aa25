"""The training of translation networks: generators against PatchGAN discriminators."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import autocast, choose_precision, make_rng
from belamy.engines.translate.config import TranslateConfig
from belamy.engines.translate.methods import GENERATOR_LOSSES, Batch, GeneratorLosses, nce_layers
from belamy.engines.translate.monitor import contact_sheet_of, find_faults
from belamy.engines.translate.perceptual import PerceptualLosses
from belamy.networks.gan.patch_mlp import PatchSampleMLP
from belamy.networks.gan.patchgan import MultiscaleDiscriminator, PatchDiscriminator, initialise
from belamy.networks.image_to_image.network import ImageTransformNet, build_translation_net
from belamy.networks.image_to_image.network import initialise as initialise_for_relu
from belamy.objectives.adversarial import LOSSES
from belamy.pixels.diffaugment import diff_augment
from belamy.pixels.images import save_image
from belamy.training.domains import DomainPair
from belamy.training.image_pool import ImagePool
from belamy.training.loss_scale import LossScale
from belamy.training.processes import average_gradients
from belamy.training.schedules import constant_then_linear, set_learning_rates
from belamy.training.task import Backward, TrainingTask

__all__ = ["SAMPLES", "TranslateTask"]

SAMPLES = 8  # pictures of each domain that are translated to see how far it is
_BETAS = (0.5, 0.999)  # of Adam (Radford et al. 2015)
_CONSTANT = 0.5  # part of the steps before the learning rate falls, as 100 of 200 epochs
_FEW = 500  # pictures in a domain, below which discriminators learn them by heart. By eye
# Of the first weights, in the last convolution of what is added to a picture. By eye
_RESIDUAL_GAIN = 0.1
# CycleGAN has no ½ before its generators' least squares, ours as in the paper on them has.
_GENERATOR_SCALES = {"least-squares": 2.0}


class TranslateTask(TrainingTask):
    """CycleGAN, CUT, FastCUT or pix2pix: what the training loop runs.

    (The names of random streams, as "judge", are part of the numbers that are drawn.)

    Args:
        config: how it is learned.
        domains: the pictures.
        samples: the folder for pictures made on the way.
        accelerator: where it is trained.
        perceptual: the losses on features, where the training has any.
    """

    def __init__(
        self,
        config: TranslateConfig,
        domains: DomainPair,
        samples: Path,
        accelerator: Accelerator,
        perceptual: PerceptualLosses | None = None,
    ) -> None:
        super().__init__(
            accelerator, total_steps=config.steps, ema_decay=config.ema, seed=config.seed
        )
        self.config, self.domains, self.samples = config, domains, samples
        self.perceptual = perceptual
        dtype = choose_precision(config.precision, accelerator.device)
        self.loss_scale = LossScale(["generators", "discriminators"], dtype)
        self.buffers = {"learning-rate-factor": torch.ones(1), **self.loss_scale.buffers}
        generators: dict[str, ImageTransformNet] = {
            name: _build_generator(config, name) for name in config.directions
        }
        discriminators = {
            f"discriminator-{name[-1]}": _build_discriminator(config, name[-1])
            for name in config.directions
            if config.adversarial_weight > 0
        }
        mlp = _build_patch_mlp(config, generators["a-to-b"])
        networks: dict[str, nn.Module] = {**generators, **discriminators, **mlp}
        self.networks = {
            name: network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            for name, network in networks.items()
        }
        self.generators, self.discriminators = (*generators, *mlp), tuple(discriminators)
        self.optimizers = {"generators": self._make_adam(self.generators)}
        if discriminators:
            self.optimizers["discriminators"] = self._make_adam(self.discriminators)
        self.pools = {
            name: ImagePool(self.buffers, name, config.pool or 0, config.size)
            for name in discriminators
        }
        few = min(len(domains.a), len(domains.b)) < _FEW and not domains.paired
        self.augments = config.augment == "always" or (config.augment == "auto" and few)
        self.augments = self.augments and bool(discriminators)
        self.summary = self._summarise()

    def _make_adam(self, names: tuple[str, ...]) -> torch.optim.Optimizer:
        weights = [one for name in names for one in self.networks[name].parameters()]
        return torch.optim.Adam(weights, lr=self.config.learning_rate, betas=_BETAS, fused=True)

    def _summarise(self) -> str:
        config, count = self.config, _count_weights
        a, b = self.domains.a, self.domains.b
        arrow = "⇄" if len(config.directions) > 1 else "→"
        line = (
            f"{config.a_label} {arrow} {config.b_label} by {config.method}: {len(a):,} "
            f"and {len(b):,} pictures, {self.total_steps:,} steps at {config.size} px; "
            f"{count(self.networks['a-to-b']):,} weights a generator"
            + (
                f", {count(self.networks['discriminator-b']):,} a discriminator"
                if self.discriminators
                else ""
            )
            + ("; discriminators see pictures through random changes" if self.augments else "")
        )
        return "; ".join((line, *self.domains.messages))

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        """The generators first, then the discriminators on what was generated."""
        factor = constant_then_linear(index, self.total_steps, constant=_CONSTANT)
        recovered = float(self.buffers["learning-rate-factor"])
        set_learning_rates(self.optimizers, self.config.learning_rate * factor * recovered)
        networks = {
            name: self.accelerator.unwrap_model(network).train()
            for name, network in self.networks.items()
        }
        a, b = self._sample_batch(index)
        adversarial = functools.partial(self._adversarial_loss, networks, index)
        rng = make_rng(self.seed, "places", index, self.rank)
        batch = Batch(self.config, networks, a, b, adversarial, rng, self.perceptual)
        warming = index < self.config.warm_up
        fakes, losses = self._translate(batch) if warming else self._generator_step(batch, backward)
        if not self.discriminators:
            return losses
        real = {"a": a, "b": torch.cat([a, b], dim=1) if self.domains.paired else b}
        loss = self._discriminator_step(networks, index, fakes, real, backward)
        return {**losses, "discriminators": loss}

    def _generator_step(
        self, batch: Batch, backward: Backward
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Fake pictures by their domains, and the losses."""
        for name in self.discriminators:  # their weights' gradients are of no use here
            batch.networks[name].requires_grad_(False)
        fakes, losses = dict[str, Tensor](), dict[str, Tensor]()
        parts = GENERATOR_LOSSES[self.config.method](batch)
        while (part := self._compute_next(parts)) is not None:
            backward(self.loss_scale.scale("generators", part.total))
            fakes.update(part.fakes)
            for name, value in part.losses.items():
                losses[name] = losses.get(name, 0) + value.detach()
        self._update("generators", self.generators, batch.networks)
        return fakes, losses

    @torch.no_grad()
    def _translate(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Fake pictures by their domains, from which the generators learn nothing."""
        fakes = dict[str, Tensor]()
        pictures = {"a": batch.a, "b": batch.b}
        with autocast(self.accelerator.device, self.config.precision):
            for name in self.config.directions:
                fake = batch.networks[name](pictures[name[0]])
                paired = self.domains.paired
                fakes[name[-1]] = torch.cat([batch.a, fake], dim=1) if paired else fake
        return fakes, {}

    def _compute_next(self, parts: Iterator[GeneratorLosses]) -> GeneratorLosses | None:
        with autocast(self.accelerator.device, self.config.precision):
            return next(parts, None)

    def _discriminator_step(
        self,
        networks: Mapping[str, nn.Module],
        index: int,
        fakes: Mapping[str, Tensor],
        real: Mapping[str, Tensor],
        backward: Backward,
    ) -> Tensor:
        """The discriminators' loss; real and fake pictures in one batch."""
        with autocast(self.accelerator.device, self.config.precision):
            losses = [
                self._discriminator_loss(networks, index, domain, real[domain], fake)
                for domain, fake in fakes.items()
            ]
            loss = torch.stack(losses).sum()
        backward(self.loss_scale.scale("discriminators", loss))
        self._update("discriminators", self.discriminators, networks)
        return loss

    def recover(self) -> str:
        """See `belamy.training.task.Recoverable`."""
        self.buffers["learning-rate-factor"] /= 2
        return "half the learning rate"

    def _sample_batch(self, index: int) -> tuple[Tensor, Tensor]:
        config = self.config
        a, b = self.domains.batch(
            index,
            size=config.size,
            crop=config.crop,
            batch=config.batch,
            seed=self.seed,
            rank=self.rank,
            world_size=self.world_size,
        )
        device, order = self.accelerator.device, torch.channels_last
        return a.to(device, memory_format=order), b.to(device, memory_format=order)

    def _adversarial_loss(
        self, networks: Mapping[str, nn.Module], index: int, domain: str, fake: Tensor
    ) -> Tensor:
        """How far fakes are from passing for real; none of these losses looks at real ones."""
        shown = self._augment(fake, "fool", domain, index)
        assert self.config.loss is not None
        loss = LOSSES[self.config.loss].generator
        found = _logits_of(networks[f"discriminator-{domain}"], shown)
        scale = _GENERATOR_SCALES.get(self.config.loss, 1.0)
        return scale * torch.stack([loss(logits, logits) for logits in found]).mean()

    def _discriminator_loss(
        self,
        networks: Mapping[str, nn.Module],
        index: int,
        domain: str,
        real: Tensor,
        fake: Tensor,
    ) -> Tensor:
        name = f"discriminator-{domain}"
        discriminator = networks[name].requires_grad_(True)
        rng = make_rng(self.seed, "pool", domain, index, self.rank)
        older = self.pools[name].exchange(fake.float(), rng)
        both = self._augment(torch.cat([real, older]), "judge", domain, index)
        assert self.config.loss is not None
        loss = LOSSES[self.config.loss].discriminator
        found = [logits.chunk(2) for logits in _logits_of(discriminator, both)]
        return torch.stack(
            [loss(real_logits, fake_logits) for real_logits, fake_logits in found]
        ).mean()

    def _augment(self, pictures: Tensor, *stream: str | int) -> Tensor:
        """As the discriminators see them."""
        if not self.augments:
            return pictures
        return diff_augment(pictures, make_rng(self.seed, "changes", *stream, self.rank))

    def _update(
        self, optimizer: str, names: tuple[str, ...], networks: Mapping[str, nn.Module]
    ) -> None:
        """One step of an optimiser; gradients are then dropped: the next part needs the memory."""
        weights = [one for name in names for one in networks[name].parameters()]
        average_gradients([one.grad for one in weights if one.grad is not None], self.accelerator)
        self.loss_scale.step(optimizer, self.optimizers[optimizer])
        self.optimizers[optimizer].zero_grad(set_to_none=True)

    @torch.no_grad()
    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """Translations of the same pictures each time, drawn into `samples/`; what looks wrong in
        them is said."""
        samples = {"a": self._samples_of(self.domains.a), "b": self._samples_of(self.domains.b)}
        rows, metrics = list[Tensor](), dict[str, float]()
        labels = {"a": self.config.a_label or "A", "b": self.config.b_label or "B"}
        for name in self.config.directions:
            pictures = samples[name[0]]
            fakes = networks[name](pictures).clamp(0, 1)
            rows += [pictures, fakes]
            metrics[f"change_{name.replace('-', '_')}"] = float((fakes - pictures).abs().mean())
            words = f"{labels[name[0]]} to {labels[name[-1]]}"
            self.messages += find_faults(words, pictures, fakes, step / self.total_steps)
            if len(self.config.directions) > 1:
                back = networks["-".join(reversed(name.split("-")))](fakes).clamp(0, 1)
                rows.append(back)
                metrics[f"cycle_{name[0]}"] = float((back - pictures).abs().mean())
        if self.accelerator.is_main_process:
            save_image(contact_sheet_of(rows), self.samples / f"step-{step:07d}.png")
        return metrics

    def _samples_of(self, images: Tensor) -> Tensor:
        side = self.config.size
        first = (images.shape[1] - side) // 2
        spread = torch.linspace(0, len(images) - 1, SAMPLES).round().long()
        cut = images[spread, first : first + side, first : first + side]
        return cut.permute(0, 3, 1, 2).float().div(255).to(self.accelerator.device)


def _logits_of(discriminator: nn.Module, pictures: Tensor) -> list[Tensor]:
    """Of each of its scales."""
    logits = discriminator(pictures)
    return [one.float() for one in (logits if isinstance(logits, list) else [logits])]


def _count_weights(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _build_generator(config: TranslateConfig, name: str) -> ImageTransformNet:
    generator = build_translation_net(
        config.generator,
        config.generator_channels,
        config.blocks or 0,
        config.sampling,
        config.generator_norm,
    )
    rng = make_rng(config.seed, "weights", name)
    if config.generator_norm == "none":  # where nothing else keeps activations from vanishing
        initialise_for_relu(generator, rng)
    else:
        initialise(generator, rng)
    if config.generator in ("residual", "coarse", "tones"):
        *_, last = (part for part in generator.modules() if isinstance(part, nn.Conv2d))
        with torch.no_grad():
            last.weight.mul_(_RESIDUAL_GAIN)
    return generator


def _build_discriminator(config: TranslateConfig, domain: str) -> nn.Module:
    shape = config.discriminator_channels, config.discriminator_layers
    inputs = 6 if config.paired else 3
    norm = config.discriminator_norm == "instance"
    discriminator: nn.Module
    if config.discriminator_scales > 1:
        scales = config.discriminator_scales
        discriminator = MultiscaleDiscriminator(scales, *shape, inputs=inputs, norm=norm)
    else:
        discriminator = PatchDiscriminator(*shape, inputs=inputs, norm=norm)
    rng = make_rng(config.seed, "weights", "judge", domain)
    if config.discriminator_layers == 0:  # of three inputs, weights of 0.02 leave next to nothing
        initialise_for_relu(discriminator, rng)
    else:
        initialise(discriminator, rng)
    return discriminator


def _build_patch_mlp(
    config: TranslateConfig, generator: ImageTransformNet
) -> dict[str, PatchSampleMLP]:
    """What compares patches, for the methods that do."""
    if config.contrast_weight is None:
        return {}
    mlp = PatchSampleMLP(nce_layers(generator)[1])
    mlp.initialise(make_rng(config.seed, "weights", "heads"))
    return {"patch-mlp": mlp}
