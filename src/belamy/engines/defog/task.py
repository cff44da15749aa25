"""The first training of a network that sees fog, on fog made up: see `TrainingTask`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import autocast, make_rng
from belamy.engines.defog.api import DefogTrainConfig
from belamy.engines.defog.dataset import Source, crops_of, fogged_batch
from belamy.engines.defog.metrics import Measured
from belamy.networks.dehaze import STRIDE, DehazeNet, initialise
from belamy.networks.load import load_network
from belamy.pixels.fog.model import Fog, remove_fog
from belamy.training.schedules import set_learning_rate, warmup_cosine
from belamy.training.task import Backward, TrainingTask

__all__ = ["DefogTask", "learning_rate_factor", "losses_of", "precision", "start_of"]

_FINAL_RATE = 0.01  # of the learning rate, at the end
_WARMUP_STEPS = 100  # steps until it is reached. By eye
_FLOOR = 1e-4  # mean squared error from which on better is not better: 40 dB
_DECIBELS = 0.1  # weight of the logarithms: most of the loss, since they are what is measured
_MAPS = 0.3  # weight of the maps' distances. By eye
_SCALES = (0.6, 0.8, 1.0, 1.2, 1.6)  # of the size of the squares, one for each step in turn


class DefogTask(TrainingTask):
    """What the trainer runs: see `belamy.training.task.TrainingTask`.

    Args:
        config: how the network learns.
        sources: clear pictures.
        samples: folder for what it makes of held-out ones.
        accelerator: where it is trained.
    """

    def __init__(
        self,
        config: DefogTrainConfig,
        sources: Sequence[Source],
        samples: Path,
        accelerator: Accelerator,
    ) -> None:
        super().__init__(
            accelerator, total_steps=config.steps, ema_decay=config.ema, seed=config.seed
        )
        self.config, self.sources, self.samples = config, sources, samples
        network = start_of(config)
        self.networks = {"fogsight": network}
        adam = torch.optim.AdamW(
            network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.optimizers = {"fogsight": adam}
        self.measured = Measured.of(sources, config.seed)
        weights = sum(parameter.numel() for parameter in network.parameters())
        pictures = sum(len(source.trained) for source in sources)
        told = (
            f"fog made up on {pictures:,} clear pictures; {self.total_steps:,} steps of {config.batch} "
            f"at about {config.size} px; {weights:,} weights"
        )
        self.summary = "; ".join((told, *(remark for one in sources for remark in one.remarks)))

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        network, optimizer = self.networks["fogsight"], self.optimizers["fogsight"]
        factor = learning_rate_factor(index, self.total_steps)
        set_learning_rate(optimizer, self.config.learning_rate * factor)
        network.train()
        clear, fog, seen = self._batch(index)
        with precision(self.config.mixed, self.accelerator.device):
            transmission, air = network(seen)
        losses = losses_of(transmission.float(), air.float(), clear, fog, seen)
        loss = losses["picture"] + losses["decibels"] + losses["transmission"] + losses["air"]
        optimizer.zero_grad(set_to_none=True)
        backward(loss)
        optimizer.step()
        return {"loss": loss, **losses}

    def _batch(self, index: int) -> tuple[Tensor, Fog, Tensor]:
        """Clear scenes, the fog on them, and what is seen."""
        scale = _SCALES[index % len(_SCALES)]
        size = max(1, round(self.config.size * scale / STRIDE)) * STRIDE
        # the smaller the squares, the more of them
        batch = max(2, round(self.config.batch * (self.config.size / size) ** 2))
        clear = crops_of(
            self.sources,
            index,
            batch=batch,
            size=size,
            seed=self.config.seed,
            rank=self.rank,
            world_size=self.world_size,
        )
        made = fogged_batch(clear, make_rng(self.config.seed, "fog", index, self.rank))
        clear, fog, seen = made
        device = self.accelerator.device
        return clear.to(device), fog.to(device), seen.to(device)

    @torch.no_grad()
    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """Decibels on held-out pictures, with fog that is the same each time."""
        network = networks["fogsight"].eval()
        path = self.samples / f"step-{step:07d}.png"
        main = self.accelerator.is_main_process
        return self.measured.of_network(network, self.accelerator.device, path if main else None)


def start_of(config: DefogTrainConfig) -> DehazeNet:
    """The network that is trained: a new one, or the one that it goes on from."""
    if config.start is not None:
        return load_network(config.start, "dehaze").network.requires_grad_(True)
    network = DehazeNet(config.widths)
    initialise(network, make_rng(config.seed, "weights"))
    return network


def losses_of(
    transmission: Tensor, air: Tensor, clear: Tensor, fog: Fog, seen: Tensor
) -> dict[str, Tensor]:
    """How far a network's answer is from the truth, 0 at the best but for `decibels`.

    Args:
        transmission, air: what it answers.
        clear, fog, seen: the scene, the fog on it, and what the network was shown.

    Returns:
        `picture`, the mean distance of what the answer makes of the picture; `decibels`, the mean
        of their mean squared errors' logarithms, since pictures are measured in decibels and a
        thin fog counts as much there as a dense one; `transmission`; and `air`, where there is fog.
        The last two count less: where they cannot be known, the picture should still be near.
    """
    made = remove_fog(seen, transmission, air)
    errors = (made - clear).square().mean((1, 2, 3))
    opaque = 1 - fog.transmission
    return {
        "picture": (made - clear).abs().mean(),
        "decibels": _DECIBELS * torch.log(errors / _FLOOR + 1).mean(),
        "transmission": _MAPS * (transmission - fog.transmission).abs().mean(),
        "air": _MAPS * ((air - fog.air).abs() * opaque).mean(),
    }


def precision(mixed: bool, device: torch.device) -> AbstractContextManager[None]:
    """Convolutions at bfloat16, if that is asked for."""
    return autocast(device, "bfloat16" if mixed else "float32")


def learning_rate_factor(step: int, total_steps: int) -> float:
    """A short linear warm-up, then a cosine to nearly nothing."""
    return warmup_cosine(step, total_steps, warmup_steps=_WARMUP_STEPS, final=_FINAL_RATE)
