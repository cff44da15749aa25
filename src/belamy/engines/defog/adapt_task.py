"""Unsupervised adaptation of a network that estimates fog to real fog: a physical CycleGAN.

Its one generator is the scattering model. Fog to clear and back costs nothing here: what was seen
is J·t + A·(1 − t) of the estimate, by construction. The cycle that teaches is the other one: the
dehazed scene is put into other fog, as dense as the random generator has it, and must be found
again (Yang et al. 2022, D4). A PatchGAN says whether a dehazed picture looks like a clear one (Zhu
et al. 2017); a clear picture must stay as it is; and clear pictures in synthetic fog keep the
network at what it learned first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import autocast, choose_precision, make_rng
from belamy.engines.defog.config import DefogAdaptConfig
from belamy.engines.defog.dataset import ImageSet, sample_crops, synthesize_fog
from belamy.engines.defog.metrics import ValidationSet
from belamy.engines.defog.task import compute_losses, learning_rate_factor
from belamy.networks.backbone import Backbone
from belamy.networks.dehaze import DehazeNet
from belamy.networks.gan.patchgan import PatchDiscriminator
from belamy.networks.gan.patchgan import initialise as initialise_discriminator
from belamy.objectives.adversarial import LOSSES
from belamy.objectives.perceptual_losses import relative_content_loss
from belamy.pixels.fog.dark_channel import dark_channel
from belamy.pixels.fog.depth import uniform
from belamy.pixels.fog.model import apply_fog, remove_fog
from belamy.training.loss_scale import LossScale
from belamy.training.schedules import set_learning_rate
from belamy.training.task import Backward, TrainingTask

__all__ = ["PERCEPTUAL_LAYERS", "AdaptTask", "Domains"]

PERCEPTUAL_LAYERS = ("conv1", "conv2b", "mixed3a")
"""The layers of iris that dehazed pictures are compared in."""

_CHANNELS, _LAYERS = 32, 3  # of the discriminator: half of pix2pix's channels. By eye
_THINNER, _THICKER = 0.4, 1.6  # of the optical depth that was estimated, in the cycle's other fog
_AIRLIGHT_SHIFT = 0.15  # of the other fog's airlight, at most
_BETAS = (0.5, 0.99)  # of Adam, as in CycleGAN


@dataclass(frozen=True)
class Domains:
    """Unpaired pictures.

    Args:
        clear: of scenes without fog.
        foggy: of scenes in fog.
    """

    clear: Sequence[ImageSet]
    foggy: Sequence[ImageSet]


class AdaptTask(TrainingTask):
    """Adaptation to real fog: what the training loop runs.

    Args:
        config: how the network goes on.
        start: the network, as it was trained.
        domains: clear and foggy pictures.
        backbone: what compares two pictures, up to the last of `PERCEPTUAL_LAYERS`.
        samples: folder for what it makes of held-out pictures.
        accelerator: where it is trained.
    """

    def __init__(
        self,
        config: DefogAdaptConfig,
        start: DehazeNet,
        domains: Domains,
        backbone: Backbone,
        samples: Path,
        accelerator: Accelerator,
    ) -> None:
        super().__init__(
            accelerator, total_steps=config.steps, ema_decay=config.ema, seed=config.seed
        )
        self.config, self.domains, self.backbone = config, domains, backbone
        self.samples = samples
        discriminator = PatchDiscriminator(_CHANNELS, _LAYERS)
        initialise_discriminator(discriminator, make_rng(config.seed, "critic"))
        self.networks = {
            "dehaze": start.requires_grad_(True),
            "discriminator": discriminator,
        }
        self.learning_rates = {
            "dehaze": config.learning_rate,
            "discriminator": config.discriminator_learning_rate,
        }
        self.optimizers = {
            name: torch.optim.Adam(network.parameters(), lr=self.learning_rates[name], betas=_BETAS)
            for name, network in self.networks.items()
        }
        self.loss_scale = LossScale(
            list(self.networks), choose_precision(config.precision, accelerator.device)
        )
        self.buffers = dict(self.loss_scale.buffers)
        self.validation = ValidationSet.create(domains.clear, config.seed)
        self.summary = self._summarise()

    def _summarise(self) -> str:
        domains, config = self.domains, self.config
        counts = [sum(len(s.train) for s in side) for side in (domains.clear, domains.foggy)]
        line = (
            f"{counts[0]:,} clear and {counts[1]:,} foggy pictures; {self.total_steps:,} steps of "
            f"{config.batch} at {config.size} px"
        )
        messages = (text for one in (*domains.clear, *domains.foggy) for text in one.messages)
        return "; ".join((line, *dict.fromkeys(messages)))

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        factor = learning_rate_factor(index, self.total_steps)
        for name, optimizer in self.optimizers.items():
            set_learning_rate(optimizer, self.learning_rates[name] * factor)
        # Batch norm keeps the statistics of the first training: a few real pictures have others.
        self.networks["dehaze"].eval()
        clear = self._sample_crops(self.domains.clear, index)
        foggy = self._sample_crops(self.domains.foggy, index)
        losses, dehazed = self._dehazing_losses(clear, foggy, index)
        weights = self.config.weights
        loss = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
        self._update("dehaze", loss, backward)
        discriminator_loss = self._discriminator_loss(clear, dehazed.detach())
        self._update("discriminator", discriminator_loss, backward)
        return {"loss": loss, **losses, "discriminator": discriminator_loss}

    def _update(self, name: str, loss: Tensor, backward: Backward) -> None:
        optimizer = self.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        backward(self.loss_scale.scale(name, loss))
        self.loss_scale.step(name, optimizer)

    def _sample_crops(self, sets: Sequence[ImageSet], index: int) -> Tensor:
        crops = sample_crops(
            sets,
            index,
            batch=self.config.batch,
            size=self.config.size,
            seed=self.config.seed,
            rank=self.rank,
            world_size=self.world_size,
        )
        return crops.to(self.accelerator.device)

    def _estimate(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Transmission and airlight."""
        with autocast(self.accelerator.device, self.config.precision):
            transmission, airlight = self.networks["dehaze"](image)
        return transmission.float(), airlight.float()

    def _dehazing_losses(
        self, clear: Tensor, foggy: Tensor, index: int
    ) -> tuple[dict[str, Tensor], Tensor]:
        """What the dehazing network minimises, by name; and the real pictures dehazed."""
        rng = make_rng(self.config.seed, "fog", index, self.rank)
        transmission, airlight = self._estimate(foggy)
        dehazed = remove_fog(foggy, transmission, airlight).clamp(0, 1)
        synthetic, scene, known = self._supervised_losses(clear, rng)
        losses = {
            "adversarial": self._adversarial_loss(dehazed, clear),
            "cycle": self._cycle_loss(dehazed, transmission, airlight, rng),
            "identity": self._identity_loss(clear),
            "known": known,
            "perceptual": self._perceptual_loss(synthetic, scene),
            "dark": dark_channel(dehazed).mean(),
        }
        return losses, dehazed

    def _supervised_losses(
        self, clear: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Clear pictures in synthetic fog, as in the first training: dehazed; as they were; and
        the sum of the losses."""
        scene, fog, foggy = synthesize_fog(clear.cpu(), rng)
        device = self.accelerator.device
        scene, fog, foggy = scene.to(device), fog.to(device), foggy.to(device)
        transmission, airlight = self._estimate(foggy)
        dehazed = remove_fog(foggy, transmission, airlight).clamp(0, 1)
        losses = compute_losses(transmission, airlight, scene, fog, foggy)
        loss = losses["picture"] + losses["decibels"] + losses["transmission"] + losses["airlight"]
        return dehazed, scene, loss

    def _perceptual_loss(self, dehazed: Tensor, scene: Tensor) -> Tensor:
        features, targets = (self.backbone(x, PERCEPTUAL_LAYERS) for x in (dehazed, scene))
        return relative_content_loss(features, targets)

    def _cycle_loss(
        self, dehazed: Tensor, transmission: Tensor, airlight: Tensor, rng: torch.Generator
    ) -> Tensor:
        """The scene, put into other fog, must be found again, and so must that fog's transmission:
        L1 of both."""
        count, device = len(dehazed), dehazed.device
        power = uniform(count, _THINNER, _THICKER, rng).to(device)
        shift = uniform(count, -_AIRLIGHT_SHIFT, _AIRLIGHT_SHIFT, rng).to(device)
        scene, other_airlight = dehazed.detach(), (airlight + shift).clamp(0, 1).detach()
        other_transmission = transmission.detach() ** power
        foggy = apply_fog(scene, other_transmission, other_airlight)
        found_transmission, found_airlight = self._estimate(foggy)
        found = remove_fog(foggy, found_transmission, found_airlight)
        distance = (found - scene).abs().mean()
        return distance + (found_transmission - other_transmission).abs().mean()

    def _identity_loss(self, clear: Tensor) -> Tensor:
        """L1 between clear pictures and what is made of them."""
        transmission, airlight = self._estimate(clear)
        return (remove_fog(clear, transmission, airlight) - clear).abs().mean()

    def _adversarial_loss(self, dehazed: Tensor, clear: Tensor) -> Tensor:
        """How far dehazed pictures are from passing for clear ones."""
        discriminator = self.networks["discriminator"].requires_grad_(False)
        logits = discriminator(clear), discriminator(dehazed)
        loss = LOSSES[self.config.loss].generator(*logits)
        discriminator.requires_grad_(True)
        return loss

    def _discriminator_loss(self, clear: Tensor, dehazed: Tensor) -> Tensor:
        discriminator = self.networks["discriminator"]
        loss = LOSSES[self.config.loss].discriminator
        return loss(discriminator(clear), discriminator(dehazed))

    @torch.no_grad()
    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """PSNR on held-out pictures, with fog that is the same each time."""
        network = networks["dehaze"].eval()
        sheet = self.samples / f"step-{step:07d}.png"
        main = self.accelerator.is_main_process
        return self.validation.evaluate(network, self.accelerator.device, sheet if main else None)
