"""The training of a network that paints in one style: see `TrainingTask`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import autocast, choose_precision, make_rng
from belamy.engines.faststyle.config import StyleTrainConfig
from belamy.networks.backbone import Backbone
from belamy.networks.image_to_image.network import ImageTransformNet, build_johnson_net, initialise
from belamy.objectives.perceptual_losses import (
    gram_matrices,
    relative_content_loss,
    relative_gram_loss,
    total_variation_loss,
)
from belamy.pixels.images import contact_sheet, save_image
from belamy.training.crops import resample, sample_crops
from belamy.training.loss_scale import LossScale
from belamy.training.schedules import set_learning_rate, warmup_cosine
from belamy.training.task import Backward, TrainingTask

__all__ = ["STORED", "FastStyleTask", "PerceptualLoss", "network_arguments"]

STORED = 1.5  # side of the stored photographs, in sides of the squares that are cut out of them
_SHOWN = 4  # photographs that are painted for the samples
_CELL = 256  # pixels of one picture in them
_FINAL_RATE = 0.01  # factor on the learning rate, at the end
_EXCESS_WEIGHT = 10.0  # of colours that no picture has. By eye
_BETAS = (0.9, 0.99)  # of Adam: the second is shorter than usual, for runs of few steps
_COPY_FRACTION = 1 / 20  # of the steps: at the start it only learns to copy. By eye
_WARMUP_STEPS = 50  # until the learning rate is reached. By eye


@dataclass(frozen=True)
class PerceptualLoss:
    """The style and content losses of a feed-forward style network (Johnson et al. 2016).

    Args:
        backbone: the network whose features are compared.
        style: layer → (1, C, C), the Gram matrices of the painting that is learned.
        content: the layers in which a picture must stay what it was.
    """

    backbone: Backbone
    style: Mapping[str, Tensor]
    content: tuple[str, ...]

    @classmethod
    def of(
        cls, backbone: Backbone, painting: Tensor, style: Sequence[str], content: Sequence[str]
    ) -> PerceptualLoss:
        """The loss whose target is the style of a painting (1, 3, H, W)."""
        with torch.no_grad():
            return cls(backbone, gram_matrices(backbone(painting, style)), tuple(content))

    def __call__(self, painted: Tensor, photographs: Tensor) -> dict[str, Tensor]:
        """`style` and `content`, both 0 at the best; (N, 3, H, W) in [0, 1] each."""
        with torch.no_grad():
            targets = self.backbone(photographs, self.content)
        features = self.backbone(painted, {*self.style, *self.content})
        return {
            "style": relative_gram_loss(features, self.style),
            "content": relative_content_loss(features, targets),
        }


def network_arguments(config: StyleTrainConfig) -> dict[str, object]:
    """What `belamy.networks.image_to_image.network.build_johnson_net` is called with."""
    widths = [config.width, 2 * config.width, 4 * config.width]
    return {"widths": widths, "blocks": config.blocks}


class FastStyleTask(TrainingTask):
    """What the trainer runs: see `belamy.training.task.TrainingTask`.

    Args:
        photographs: uint8 (N, S, S, 3), to practise on.
        perceptual_loss: its backbone on the accelerator's device.
        samples: the folder for pictures made on the way.
    """

    def __init__(
        self,
        config: StyleTrainConfig,
        photographs: Tensor,
        perceptual_loss: PerceptualLoss,
        samples: Path,
        accelerator: Accelerator,
    ) -> None:
        super().__init__(
            accelerator, total_steps=config.steps, ema_decay=config.ema, seed=config.seed
        )
        self.config = config
        self.photographs, self.samples = photographs, samples
        self.perceptual_loss = perceptual_loss
        net = build_johnson_net(**network_arguments(config))  # type: ignore[arg-type]
        nn.Module.to(net, memory_format=torch.channels_last)  # type: ignore[call-overload]
        initialise(net, make_rng(config.seed, "weights"))
        self.loss_scale = LossScale(
            ["painter"], choose_precision(config.precision, accelerator.device)
        )
        self.buffers = self.loss_scale.buffers
        self.networks = {"painter": net}
        adam = torch.optim.Adam(net.parameters(), lr=config.learning_rate, betas=_BETAS)
        self.optimizers = {"painter": adam}
        self.summary = self._summarise(net)

    def _summarise(self, net: ImageTransformNet) -> str:
        weights = sum(parameter.numel() for parameter in net.parameters())
        config, loss = self.config, self.perceptual_loss
        return (
            f"{Path(config.painting).stem} on {len(self.photographs):,} photographs; "
            f"{self.total_steps:,} steps at {config.size} px, judged by {loss.backbone.name} in "
            f"{', '.join(loss.style)}; {weights:,} weights"
        )

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        net, optimizer = self.networks["painter"], self.optimizers["painter"]
        factor = warmup_cosine(
            index, self.total_steps, warmup_steps=_WARMUP_STEPS, final=_FINAL_RATE
        )
        set_learning_rate(optimizer, self.config.learning_rate * factor)
        net.train()
        photographs = self._batch(index).contiguous(memory_format=torch.channels_last)
        with autocast(self.accelerator.device, self.config.precision):
            painted = net(photographs).float()
            losses = self.perceptual_loss(painted, photographs)
        if index < _COPY_FRACTION * self.total_steps:
            loss = (painted - photographs).abs().mean()
        else:
            loss = self._loss(painted, losses)
        optimizer.zero_grad(set_to_none=True)
        backward(self.loss_scale.scale("painter", loss))
        self.loss_scale.step("painter", optimizer)
        return {"loss": loss, **losses}

    def _loss(self, painted: Tensor, losses: Mapping[str, Tensor]) -> Tensor:
        return (
            self.config.style_weight * losses["style"]
            + self.config.content_weight * losses["content"]
            + self.config.smoothness * total_variation_loss(painted)
            + _EXCESS_WEIGHT * (painted - painted.clamp(0, 1)).square().mean()
        )

    def _batch(self, index: int) -> Tensor:
        crops, _ = sample_crops(
            self.photographs,
            index,
            batch=self.config.batch,
            size=self.config.size,
            area=(STORED**-2, 1.0),
            seed=self.seed,
            rank=self.rank,
            world_size=self.world_size,
        )
        return crops.to(self.accelerator.device)

    @torch.no_grad()
    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """The losses on a few photographs, which are painted into `samples/` too."""
        net = networks["painter"].eval()
        side = self.photographs.shape[1] // 4 * 4
        shown = resample(self.photographs[:_SHOWN], side).div(255).to(self.accelerator.device)
        painted = net(shown).clamp(0, 1)
        losses = self.perceptual_loss(painted, shown)
        if self.accelerator.is_main_process:
            pictures = [one[None] for one in (*shown, *painted)]
            sheet = contact_sheet(pictures, columns=len(shown), cell=_CELL)
            save_image(sheet, self.samples / f"step-{step:07d}.png")
        return {f"shown_{name}": float(value) for name, value in losses.items()}
