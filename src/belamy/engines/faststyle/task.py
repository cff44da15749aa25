"""The training of a network that paints in one style: see `TrainingTask`.

**Differs** from Johnson, Alahi and Fei-Fei 2016: the painting is compared at several sizes, so that
there are strokes at several scales (as Gatys et al. 2017 and Wang et al. 2017 have them); and what
is painted has a little noise added first, which gives an empty sky something to begin swirls with
(as Ulyanov et al. 2016 do).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import autocast, choose_precision, make_rng
from belamy.engines.faststyle.config import StyleTrainConfig
from belamy.engines.faststyle.variation import add_variation
from belamy.networks.backbone import Backbone
from belamy.networks.image_to_image.layers import Crop
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
        style: for each scale, the full size first and each half of the one before: layer →
            (1, C, C), the Gram matrices of the painting that is learned.
        content: the layers in which a picture must stay what it was; at half the size where there
            are several scales, since what is smaller is strokes.
    """

    backbone: Backbone
    style: tuple[Mapping[str, Tensor], ...]
    content: tuple[str, ...]

    @classmethod
    def of(
        cls,
        backbone: Backbone,
        painting: Tensor,
        style: Sequence[str],
        content: Sequence[str],
        scales: int = 1,
    ) -> PerceptualLoss:
        """The loss whose target is the style of a painting (1, 3, H, W)."""
        with torch.no_grad():
            grams = [gram_matrices(backbone(x, style)) for x in _halve(painting, scales)]
        return cls(backbone, tuple(grams), tuple(content))

    def __call__(self, painted: Tensor, photographs: Tensor) -> dict[str, Tensor]:
        """`style` and `content`, both 0 at the best; (N, 3, H, W) in [0, 1] each."""
        scales = len(self.style)
        with torch.no_grad():
            photograph = _halve(photographs, min(2, scales))[-1]
            content = self.backbone(photograph, self.content)
        layers = {*self.style[0], *self.content}
        seen = [self.backbone(x, layers) for x in _halve(painted, scales)]
        styles = [relative_gram_loss(*both) for both in zip(seen, self.style, strict=True)]
        return {
            "style": torch.stack(styles).mean(),
            "content": relative_content_loss(seen[min(1, scales - 1)], content),
        }


def _halve(images: Tensor, scales: int) -> list[Tensor]:
    """The pictures (N, 3, H, W), at half of the size, at a quarter …, as many as `scales`."""
    pyramid = [images]
    while len(pyramid) < scales:
        pyramid.append(F.interpolate(pyramid[-1], scale_factor=0.5, mode="area"))
    return pyramid


def network_arguments(config: StyleTrainConfig) -> dict[str, object]:
    """What `belamy.networks.image_to_image.network.build_johnson_net` is called with."""
    widths = [config.width, 2 * config.width, 4 * config.width]
    return {"widths": widths, "blocks": config.blocks, "enlarging": config.enlarging}


class FastStyleTask(TrainingTask):
    """What the trainer runs: see `belamy.training.task.TrainingTask`.

    Args:
        photographs: uint8 (N, S, S, 3), to practise on.
        perceptual_loss: its backbone on the accelerator's device.
        samples: the folder for pictures made on the way.
        start: the weights to go on from; None begins anew.
    """

    def __init__(
        self,
        config: StyleTrainConfig,
        photographs: Tensor,
        perceptual_loss: PerceptualLoss,
        samples: Path,
        accelerator: Accelerator,
        start: Mapping[str, Tensor] | None = None,
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
        if start is not None:
            net.load_state_dict(start)
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
            f"{', '.join(loss.style[0])}; {weights:,} weights"
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
            painted = net(self._vary(photographs, index)).float()
            losses = self._judge(painted, photographs)
        if not self.config.start and index < _COPY_FRACTION * self.total_steps:
            loss = (painted - photographs).abs().mean()
        else:
            loss = self._loss(painted, losses)
        optimizer.zero_grad(set_to_none=True)
        backward(self.loss_scale.scale("painter", loss))
        self.loss_scale.step("painter", optimizer)
        return {"loss": loss, **losses}

    def _judge(self, painted: Tensor, photographs: Tensor) -> dict[str, Tensor]:
        """The losses of what lies within the border, (N, 3, H, W) each."""
        cut = Crop(self.config.border)
        return self.perceptual_loss(cut(painted), cut(photographs))

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

    def _vary(self, photographs: Tensor, index: int) -> Tensor:
        rng = make_rng(self.config.seed, "variation", index, self.rank)
        return add_variation(photographs, self.config.variation, rng)

    @torch.no_grad()
    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """The losses on a few photographs, which are painted into `samples/` too."""
        net = networks["painter"].eval()
        side = self.photographs.shape[1] // 4 * 4
        shown = resample(self.photographs[:_SHOWN], side).div(255).to(self.accelerator.device)
        painted = net(self._vary(shown, 0)).clamp(0, 1)
        losses = self._judge(painted, shown)
        if self.accelerator.is_main_process:
            pictures = [one[None] for one in (*shown, *painted)]
            sheet = contact_sheet(pictures, columns=len(shown), cell=_CELL)
            save_image(sheet, self.samples / f"step-{step:07d}.png")
        return {f"shown_{name}": float(value) for name, value in losses.items()}
