"""Supervised training of a network that estimates fog, on synthetic fog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import autocast, choose_precision, make_rng
from belamy.engines.defog.config import DefogTrainConfig
from belamy.engines.defog.dataset import ImageSet, sample_crops, synthesize_fog
from belamy.engines.defog.metrics import ValidationSet
from belamy.engines.defog.rendered import RenderedSet, sample_rendered
from belamy.networks.dehaze import STRIDE, DehazeNet, initialise
from belamy.networks.load import load_network
from belamy.pixels.fog.model import Fog, remove_fog
from belamy.training.loss_scale import LossScale
from belamy.training.schedules import set_learning_rate, warmup_cosine
from belamy.training.task import Backward, TrainingTask

__all__ = ["DefogTask", "build_network", "compute_losses", "learning_rate_factor"]

_FINAL_RATE = 0.01  # of the learning rate, at the end
_WARMUP_STEPS = 100  # steps until it is reached. By eye
_FLOOR = 1e-4  # mean squared error from which on better is not better: 40 dB
_DECIBELS = 0.1  # weight of the logarithms: most of the loss, since they are what is measured
_MAPS = 0.3  # weight of the maps' distances. By eye
_DEPTHS = 0.3  # of it, that of their logarithms
_LEAST = 0.05  # transmission: below, depths are not told apart
_OUTSIDE = 0.1  # of what leaves [0, 1] counts
_SCALES = (0.6, 0.8, 1.0, 1.2, 1.6)  # of the size of the squares, one for each step in turn


class DefogTask(TrainingTask):
    """Supervised dehazing: what the training loop runs.

    Args:
        config: how the network learns.
        sets: clear pictures.
        samples: folder for what it makes of held-out ones.
        accelerator: where it is trained.
        rendered: scenes with exact depth.
    """

    def __init__(
        self,
        config: DefogTrainConfig,
        sets: Sequence[ImageSet],
        samples: Path,
        accelerator: Accelerator,
        rendered: RenderedSet | None = None,
    ) -> None:
        super().__init__(
            accelerator, total_steps=config.steps, ema_decay=config.ema, seed=config.seed
        )
        self.config, self.sets, self.samples = config, sets, samples
        self.rendered = rendered
        self.loss_scale = LossScale(
            ["dehaze"], choose_precision(config.precision, accelerator.device)
        )
        self.buffers = dict(self.loss_scale.buffers)
        network = build_network(config)
        self.networks = {"dehaze": network}
        adam = torch.optim.AdamW(
            network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.optimizers = {"dehaze": adam}
        self.validation = ValidationSet.create(sets, config.seed, rendered)
        weights = sum(parameter.numel() for parameter in network.parameters())
        pictures = sum(len(one.train) for one in sets)
        line = (
            f"fog made up on {pictures:,} clear pictures{_describe(rendered)}; "
            f"{self.total_steps:,} steps of "
            f"{config.batch} at about {config.size} px; {weights:,} weights"
        )
        self.summary = "; ".join((line, *(message for one in sets for message in one.messages)))

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        network, optimizer = self.networks["dehaze"], self.optimizers["dehaze"]
        factor = learning_rate_factor(index, self.total_steps)
        set_learning_rate(optimizer, self.config.learning_rate * factor)
        network.train()
        clear, fog, foggy = self._sample_batch(index)
        with autocast(self.accelerator.device, self.config.precision):
            transmission, airlight = network(foggy)
        losses = compute_losses(transmission.float(), airlight.float(), clear, fog, foggy)
        loss = losses["picture"] + losses["decibels"] + losses["transmission"] + losses["airlight"]
        optimizer.zero_grad(set_to_none=True)
        backward(self.loss_scale.scale("dehaze", loss))
        self.loss_scale.step("dehaze", optimizer)
        return {"loss": loss, **losses}

    def _sample_batch(self, index: int) -> tuple[Tensor, Fog, Tensor]:
        """Clear scenes, the fog on them, and what a camera sees."""
        scale = _SCALES[index % len(_SCALES)]
        size = max(1, round(self.config.size * scale / STRIDE)) * STRIDE
        # the smaller the squares, the more of them
        batch = max(2, round(self.config.batch * (self.config.size / size) ** 2))
        drawn = 0 if self.rendered is None else round(batch * self.config.rendered_share)
        where = {"size": size, "seed": self.config.seed}
        where |= {"rank": self.rank, "world_size": self.world_size}
        parts = []
        if drawn < batch:
            crops = sample_crops(self.sets, index, batch=batch - drawn, **where)
            rng = make_rng(self.config.seed, "fog", index, self.rank)
            parts.append(synthesize_fog(crops, rng))
        if self.rendered is not None and drawn > 0:
            parts.append(sample_rendered(self.rendered.train, index, batch=drawn, **where))
        device = self.accelerator.device
        clear, fogs, foggy = zip(*parts, strict=True)
        transmission = torch.cat([one.transmission for one in fogs])
        fog = Fog(transmission, torch.cat([one.air for one in fogs]))
        return torch.cat(clear).to(device), fog.to(device), torch.cat(foggy).to(device)

    @torch.no_grad()
    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """PSNR on held-out pictures, with fog that is the same each time."""
        network = networks["dehaze"].eval()
        sheet = self.samples / f"step-{step:07d}.png"
        main = self.accelerator.is_main_process
        return self.validation.evaluate(network, self.accelerator.device, sheet if main else None)


def build_network(config: DefogTrainConfig) -> DehazeNet:
    """The network that is trained: a new one, or the one that it goes on from."""
    start = None if config.start is None else load_network(config.start, "dehaze").network
    if start is not None and start.design == config.design:
        return start.requires_grad_(True)
    if start is None:
        network = DehazeNet(config.widths, design=config.design)
    else:
        network = DehazeNet(start.widths, start.blocks, design=config.design)
    initialise(network, make_rng(config.seed, "weights"))
    if start is not None:  # an older design: what is new in this one begins by changing nothing
        network.load_state_dict(start.state_dict(), strict=False)
    return network


def _describe(rendered: RenderedSet | None) -> str:
    return "" if rendered is None else f" and {len(rendered.train.images):,} rendered scenes"


def compute_losses(
    transmission: Tensor, airlight: Tensor, clear: Tensor, fog: Fog, foggy: Tensor
) -> dict[str, Tensor]:
    """How far an estimate of fog is from the truth, 0 at the best.

    Args:
        transmission, airlight: what the network estimates.
        clear, fog, foggy: the scene, the fog on it, and what the network was shown.

    Returns:
        `picture`, the mean distance of the dehazed picture; `decibels`, the mean of the mean
        squared errors' logarithms, since pictures are measured in decibels and a thin fog counts
        as much there as a dense one; `transmission`; and `airlight`, where there is fog. The last
        two count less: where they cannot be known, the picture should still be near.
    """
    made = remove_fog(foggy, transmission, airlight)
    inside = made.clamp(0, 1)  # what leaves the range is cut off later, and counts little
    difference = inside + _OUTSIDE * (made - inside) - clear
    errors = difference.square().mean((1, 2, 3))
    opacity = 1 - fog.transmission
    return {
        "picture": difference.abs().mean(),
        "decibels": _DECIBELS * torch.log(errors / _FLOOR + 1).mean(),
        "transmission": _MAPS * _map_distance(transmission, fog.transmission),
        "airlight": _MAPS * ((airlight - fog.air).abs() * opacity).mean(),
    }


def _map_distance(found: Tensor, true: Tensor) -> Tensor:
    """How far two transmissions are apart, as they are, as depths, and in their edges."""
    apart = (found - true).abs().mean()
    depths = (found.clamp_min(_LEAST).log() - true.clamp_min(_LEAST).log()).abs().mean()
    error = found - true
    edges = (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
    edges = edges + (error[..., 1:] - error[..., :-1]).abs().mean()
    return apart + _DEPTHS * depths + edges


def learning_rate_factor(step: int, total_steps: int) -> float:
    """A short linear warm-up, then a cosine to nearly nothing."""
    return warmup_cosine(step, total_steps, warmup_steps=_WARMUP_STEPS, final=_FINAL_RATE)
