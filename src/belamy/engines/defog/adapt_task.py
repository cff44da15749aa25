"""The second training of a network that sees fog, on real fog without its truth: a CycleGAN whose
one generator is physics. See `TrainingTask`.

Fog to clear and back costs nothing here: what was seen is J·t + A·(1 − t) of what was found, by
construction. The cycle that teaches is the other one: what was found is put into other fog, as
dense as chance has it, and must be found again (Yang et al. 2022, D4). A PatchGAN says whether what
is found looks like a clear picture (Zhu et al. 2017); a clear picture must stay as it is; and clear
pictures in fog made up keep the network at what it learned first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.engines.defog.api import DefogAdaptConfig
from belamy.engines.defog.dataset import Source, crops_of, fogged_batch
from belamy.engines.defog.metrics import Measured
from belamy.engines.defog.task import learning_rate_factor, losses_of, precision
from belamy.networks.backbone import Backbone
from belamy.networks.dehaze import DehazeNet
from belamy.networks.gan.patchgan import PatchDiscriminator
from belamy.networks.gan.patchgan import initialise as initialise_discriminator
from belamy.objectives.adversarial import LOSSES
from belamy.objectives.perceptual_losses import relative_content_loss
from belamy.pixels.fog.dark_channel import dark_channel
from belamy.pixels.fog.depth import uniform
from belamy.pixels.fog.model import apply_fog, remove_fog
from belamy.training.schedules import set_learning_rate
from belamy.training.task import Backward, TrainingTask

__all__ = ["SEEN_IN", "AdaptTask", "Worlds"]

SEEN_IN = ("conv1", "conv2b", "mixed3a")  # iris's layers that a found picture is compared in

_CHANNELS, _LAYERS = 32, 3  # of the discriminator: half of pix2pix's channels. By eye
_THINNER, _THICKER = 0.4, 1.6  # of the optical depth that was found, in the fog put on again
_BETAS = (0.5, 0.99)  # of Adam, as in CycleGAN


@dataclass(frozen=True)
class Worlds:
    """Pictures that do not belong together.

    Args:
        clear: of scenes without fog.
        foggy: of scenes in fog.
    """

    clear: Sequence[Source]
    foggy: Sequence[Source]


class AdaptTask(TrainingTask):
    """What the trainer runs: see `belamy.training.task.TrainingTask`.

    Args:
        config: how the network goes on.
        start: the network, as it was trained.
        worlds: clear and foggy pictures.
        eye: the network that compares what two pictures show, up to the last of `SEEN_IN`.
        samples: folder for what it makes of held-out pictures.
        accelerator: where it is trained.
    """

    def __init__(
        self,
        config: DefogAdaptConfig,
        start: DehazeNet,
        worlds: Worlds,
        eye: Backbone,
        samples: Path,
        accelerator: Accelerator,
    ) -> None:
        super().__init__(
            accelerator, total_steps=config.steps, ema_decay=config.ema, seed=config.seed
        )
        self.config, self.worlds, self.eye, self.samples = config, worlds, eye, samples
        critic = PatchDiscriminator(_CHANNELS, _LAYERS)
        initialise_discriminator(critic, make_rng(config.seed, "critic"))
        self.networks = {
            "fogsight": start.requires_grad_(True),
            "critic": critic,
        }
        self.rates = {
            "fogsight": config.learning_rate,
            "critic": config.critic_rate,
        }
        self.optimizers = {
            name: torch.optim.Adam(network.parameters(), lr=self.rates[name], betas=_BETAS)
            for name, network in self.networks.items()
        }
        self.measured = Measured.of(worlds.clear, config.seed)
        self.summary = self._summarise()

    def _summarise(self) -> str:
        worlds, config = self.worlds, self.config
        counts = [sum(len(s.trained) for s in side) for side in (worlds.clear, worlds.foggy)]
        told = (
            f"{counts[0]:,} clear and {counts[1]:,} foggy pictures; {self.total_steps:,} steps of "
            f"{config.batch} at {config.size} px"
        )
        remarks = (remark for one in (*worlds.clear, *worlds.foggy) for remark in one.remarks)
        return "; ".join((told, *dict.fromkeys(remarks)))

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        factor = learning_rate_factor(index, self.total_steps)
        for name, optimizer in self.optimizers.items():
            set_learning_rate(optimizer, self.rates[name] * factor)
        # Batch norm keeps the statistics of the first training: a few real pictures have others.
        self.networks["fogsight"].eval()
        clear, foggy = self._crops(self.worlds.clear, index), self._crops(self.worlds.foggy, index)
        losses, found = self._losses(clear, foggy, index)
        weights = self.config.weights
        loss = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
        self._descend("fogsight", loss, backward)
        critic = self._critic_loss(clear, found.detach())
        self._descend("critic", critic, backward)
        return {"loss": loss, **losses, "critic": critic}

    def _descend(self, name: str, loss: Tensor, backward: Backward) -> None:
        optimizer = self.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        backward(loss)
        optimizer.step()

    def _crops(self, sources: Sequence[Source], index: int) -> Tensor:
        crops = crops_of(
            sources,
            index,
            batch=self.config.batch,
            size=self.config.size,
            seed=self.config.seed,
            rank=self.rank,
            world_size=self.world_size,
        )
        return crops.to(self.accelerator.device)

    def _look(self, image: Tensor) -> tuple[Tensor, Tensor]:
        with precision(self.config.mixed, self.accelerator.device):
            transmission, air = self.networks["fogsight"](image)
        return transmission.float(), air.float()

    def _losses(self, clear: Tensor, foggy: Tensor, index: int) -> tuple[dict[str, Tensor], Tensor]:
        """What the network that sees fog minimises, by name; and what it found in real fog."""
        chance = make_rng(self.config.seed, "fog", index, self.rank)
        transmission, air = self._look(foggy)
        found = remove_fog(foggy, transmission, air).clamp(0, 1)
        made, known = self._known(clear, chance)
        losses = {
            "adversarial": self._adversarial(found, clear),
            "cycle": self._cycle(found, transmission, air, chance),
            "identity": self._identity(clear),
            "known": known["picture"] + known["decibels"] + known["transmission"] + known["air"],
            "perceptual": relative_content_loss(
                self.eye(made[0], SEEN_IN), self.eye(made[1], SEEN_IN)
            ),
            "dark": dark_channel(found).mean(),
        }
        return losses, found

    def _known(
        self, clear: Tensor, chance: torch.Generator
    ) -> tuple[tuple[Tensor, Tensor], dict[str, Tensor]]:
        """Clear pictures in fog made up: what is found beside what was there, and the losses."""
        scene, fog, seen = fogged_batch(clear.cpu(), chance)
        device = self.accelerator.device
        scene, fog, seen = scene.to(device), fog.to(device), seen.to(device)
        transmission, air = self._look(seen)
        found = remove_fog(seen, transmission, air).clamp(0, 1)
        return (found, scene), losses_of(transmission, air, scene, fog, seen)

    def _cycle(
        self, found: Tensor, transmission: Tensor, air: Tensor, chance: torch.Generator
    ) -> Tensor:
        """What was found, in other fog, must be found again, and so must that fog."""
        count, device = len(found), found.device
        power = uniform(count, _THINNER, _THICKER, chance).to(device)
        other = (air + uniform(count, -0.15, 0.15, chance).to(device)).clamp(0, 1)
        scene, thickness = found.detach(), transmission.detach() ** power
        again, colour = self._look(apply_fog(scene, thickness, other.detach()))
        back = remove_fog(apply_fog(scene, thickness, other.detach()), again, colour)
        return (back - scene).abs().mean() + (again - thickness).abs().mean()

    def _identity(self, clear: Tensor) -> Tensor:
        transmission, air = self._look(clear)
        return (remove_fog(clear, transmission, air) - clear).abs().mean()

    def _adversarial(self, found: Tensor, clear: Tensor) -> Tensor:
        """Whether the critic takes what was found for a clear picture."""
        critic = self.networks["critic"].requires_grad_(False)
        value = LOSSES[self.config.loss].generator(critic(clear), critic(found))
        critic.requires_grad_(True)
        return value

    def _critic_loss(self, clear: Tensor, found: Tensor) -> Tensor:
        critic = self.networks["critic"]
        return LOSSES[self.config.loss].discriminator(critic(clear), critic(found))

    @torch.no_grad()
    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """Decibels on held-out pictures, with fog that is the same each time."""
        network = networks["fogsight"].eval()
        path = self.samples / f"step-{step:07d}.png"
        main = self.accelerator.is_main_process
        return self.measured.of_network(network, self.accelerator.device, path if main else None)
