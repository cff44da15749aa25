"""The training of networks that translate: see `belamy.training.task.TrainingTask`."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import autocast, choose_precision, make_rng
from belamy.engines.translate.api import TranslateConfig
from belamy.engines.translate.methods import LEARNERS, Made, Scene, looked_at
from belamy.engines.translate.monitor import complaints, sheet
from belamy.networks.gan.patch_mlp import PatchSampleMLP
from belamy.networks.gan.patchgan import PatchDiscriminator, initialise
from belamy.networks.image_to_image.network import ImageTransformNet, build_translation_net
from belamy.objectives.adversarial import LOSSES
from belamy.pixels.diffaugment import diff_augment
from belamy.pixels.images import save_image
from belamy.training.domains import DomainPair
from belamy.training.image_pool import ImagePool
from belamy.training.loss_scale import LossScale
from belamy.training.processes import average_gradients
from belamy.training.schedules import constant_then_linear, set_learning_rates
from belamy.training.task import Backward, TrainingTask

__all__ = ["SHOWN", "TranslateTask"]

SHOWN = 8  # pictures of each world that are translated to see how far it is
_BETAS = (0.5, 0.999)  # of Adam (Radford et al. 2015)
_CONSTANT = 0.5  # part of the steps before the learning rate falls, as 100 of 200 epochs
_FEW = 500  # pictures in a world, below which discriminators learn them by heart. By eye
_QUIET = 0.1  # of the first weights, in the last convolution of what is added to a picture. By eye
# CycleGAN has no ½ before its generators' least squares, ours as in the paper on them has.
_FOOLED = {"least-squares": 2.0}


class TranslateTask(TrainingTask):
    """What the trainer runs.

    Args:
        worlds: the pictures.
        samples: the folder for pictures made on the way.
    """

    def __init__(
        self, config: TranslateConfig, worlds: DomainPair, samples: Path, accelerator: Accelerator
    ) -> None:
        super().__init__(
            accelerator, total_steps=config.steps, ema_decay=config.ema, seed=config.seed
        )
        self.config, self.worlds, self.samples = config, worlds, samples
        dtype = choose_precision(config.precision, accelerator.device)
        self.loss_scale = LossScale(["makers", "judges"], dtype)
        self.buffers = {"rate": torch.ones(1), **self.loss_scale.buffers}
        generators = {name: _generator(config, name) for name in config.directions}
        judges = {f"judge-{name[-1]}": _judge(config, name[-1]) for name in config.directions}
        heads = _heads(config, generators["a-to-b"])
        networks: dict[str, nn.Module] = {**generators, **judges, **heads}
        self.networks = {
            name: network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            for name, network in networks.items()
        }
        self.makers, self.judges = (*generators, *heads), tuple(judges)
        self.optimizers = {"makers": self._adam(self.makers), "judges": self._adam(self.judges)}
        self.pools = {
            name: ImagePool(self.buffers, name, config.pool or 0, config.size) for name in judges
        }
        few = min(len(worlds.a), len(worlds.b)) < _FEW and not worlds.paired
        self.augments = config.augment == "always" or (config.augment == "auto" and few)
        self.summary = self._summarise()

    def _adam(self, names: tuple[str, ...]) -> torch.optim.Optimizer:
        weights = [one for name in names for one in self.networks[name].parameters()]
        return torch.optim.Adam(weights, lr=self.config.learning_rate, betas=_BETAS, fused=True)

    def _summarise(self) -> str:
        config, count = self.config, _weights
        arrow = "⇄" if len(config.directions) > 1 else "→"
        told = (
            f"{config.a_label} {arrow} {config.b_label} by {config.method}: {len(self.worlds.a):,} "
            f"and {len(self.worlds.b):,} pictures, {self.total_steps:,} steps at {config.size} px; "
            f"{count(self.networks['a-to-b']):,} weights a generator, "
            f"{count(self.networks['judge-b']):,} a discriminator"
            + ("; discriminators see pictures through random changes" if self.augments else "")
        )
        return "; ".join((told, *self.worlds.messages))

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        """The generators first, then the discriminators on what was made."""
        factor = constant_then_linear(index, self.total_steps, constant=_CONSTANT)
        learning_rate = self.config.learning_rate * factor * float(self.buffers["rate"])
        set_learning_rates(self.optimizers, learning_rate)
        networks = {
            name: self.accelerator.unwrap_model(network).train()
            for name, network in self.networks.items()
        }
        a, b = self._batch(index)
        fool = functools.partial(self._fooled, networks, index)
        chance = make_rng(self.seed, "places", index, self.rank)
        for name in self.judges:  # their weights' slopes are of no use in the generators' part
            networks[name].requires_grad_(False)
        fakes, losses = dict[str, Tensor](), dict[str, Tensor]()
        parts = LEARNERS[self.config.method](Scene(self.config, networks, a, b, fool, chance))
        while (made := self._next(parts)) is not None:
            backward(self.loss_scale.scale("makers", made.loss))
            fakes.update(made.fakes)
            for name, value in made.losses.items():
                losses[name] = losses.get(name, 0) + value.detach()
        self._move("makers", self.makers, networks)
        with autocast(self.accelerator.device, self.config.precision):
            judged = self._judged(networks, index, fakes, {"a": a, "b": self._truth(a, b)})
        backward(self.loss_scale.scale("judges", judged))
        self._move("judges", self.judges, networks)
        return {**losses, "judges": judged}

    def _next(self, parts: Iterator[Made]) -> Made | None:
        with autocast(self.accelerator.device, self.config.precision):
            return next(parts, None)

    def recover(self) -> str:
        """See `belamy.training.task.Recoverable`."""
        self.buffers["rate"] /= 2
        return "half the learning rate"

    def _truth(self, a: Tensor, b: Tensor) -> Tensor:
        """What a discriminator of the world B is shown as true."""
        return torch.cat([a, b], dim=1) if self.worlds.paired else b

    def _batch(self, index: int) -> tuple[Tensor, Tensor]:
        config = self.config
        a, b = self.worlds.batch(
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

    def _fooled(
        self, networks: Mapping[str, nn.Module], index: int, world: str, real: Tensor, fake: Tensor
    ) -> Tensor:
        """How well pictures pass for true; none of these losses looks at the true ones."""
        seen = self._seen(fake, "fool", world, index)
        logits = networks[f"judge-{world}"](seen).float()
        assert self.config.loss is not None
        scale = _FOOLED.get(self.config.loss, 1.0)
        return scale * LOSSES[self.config.loss].generator(logits, logits)

    def _judged(
        self,
        networks: Mapping[str, nn.Module],
        index: int,
        fakes: Mapping[str, Tensor],
        truth: Mapping[str, Tensor],
    ) -> Tensor:
        """The discriminators' loss; true and made pictures in one batch."""
        losses = []
        for world, fake in fakes.items():
            name = f"judge-{world}"
            networks[name].requires_grad_(True)
            chance = make_rng(self.seed, "pool", world, index, self.rank)
            older = self.pools[name].exchange(fake.float(), chance)
            both = self._seen(torch.cat([truth[world], older]), "judge", world, index)
            real, made = networks[name](both).float().chunk(2)
            assert self.config.loss is not None
            losses.append(LOSSES[self.config.loss].discriminator(real, made))
        return torch.stack(losses).sum()

    def _seen(self, pictures: Tensor, *place: str | int) -> Tensor:
        """As the discriminators see them."""
        if not self.augments:
            return pictures
        return diff_augment(pictures, make_rng(self.seed, "changes", *place, self.rank))

    def _move(
        self, optimizer: str, names: tuple[str, ...], networks: Mapping[str, nn.Module]
    ) -> None:
        """One step down the slopes, which are then dropped: the next part needs the memory."""
        weights = [one for name in names for one in networks[name].parameters()]
        average_gradients([one.grad for one in weights if one.grad is not None], self.accelerator)
        self.loss_scale.step(optimizer, self.optimizers[optimizer])
        self.optimizers[optimizer].zero_grad(set_to_none=True)

    @torch.no_grad()
    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """Translations of the same pictures each time, drawn into `samples/`; what looks wrong in
        them is said."""
        shown = {"a": self._shown(self.worlds.a), "b": self._shown(self.worlds.b)}
        rows, measures = list[Tensor](), dict[str, float]()
        labels = {"a": self.config.a_label or "A", "b": self.config.b_label or "B"}
        for name in self.config.directions:
            pictures = shown[name[0]]
            made = networks[name](pictures).clamp(0, 1)
            rows += [pictures, made]
            measures[f"change_{name.replace('-', '_')}"] = float((made - pictures).abs().mean())
            self.messages += complaints(
                f"{labels[name[0]]} to {labels[name[-1]]}", pictures, made, step / self.total_steps
            )
            if len(self.config.directions) > 1:
                back = networks["-".join(reversed(name.split("-")))](made).clamp(0, 1)
                rows.append(back)
                measures[f"cycle_{name[0]}"] = float((back - pictures).abs().mean())
        if self.accelerator.is_main_process:
            save_image(sheet(rows), self.samples / f"step-{step:07d}.png")
        return measures

    def _shown(self, images: Tensor) -> Tensor:
        side = self.config.size
        first = (images.shape[1] - side) // 2
        spread = torch.linspace(0, len(images) - 1, SHOWN).round().long()
        cut = images[spread, first : first + side, first : first + side]
        return cut.permute(0, 3, 1, 2).float().div(255).to(self.accelerator.device)


def _weights(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _generator(config: TranslateConfig, name: str) -> ImageTransformNet:
    painter = build_translation_net(**config.arguments)
    initialise(painter, make_rng(config.seed, "weights", name))
    if config.generator == "residual":
        *_, last = (part for part in painter.modules() if isinstance(part, nn.Conv2d))
        with torch.no_grad():
            last.weight.mul_(_QUIET)
    return painter


def _judge(config: TranslateConfig, world: str) -> PatchDiscriminator:
    judge = PatchDiscriminator(
        config.discriminator_channels,
        config.discriminator_layers,
        inputs=6 if config.method == "pix2pix" else 3,
    )
    initialise(judge, make_rng(config.seed, "weights", "judge", world))
    return judge


def _heads(config: TranslateConfig, painter: ImageTransformNet) -> dict[str, nn.Module]:
    """Those that the methods need which compare patches."""
    if config.contrast_weight is None:
        return {}
    heads = PatchSampleMLP(looked_at(painter)[1])
    heads.initialise(make_rng(config.seed, "weights", "heads"))
    return {"heads": heads}
