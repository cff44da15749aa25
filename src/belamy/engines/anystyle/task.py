"""The training of a network that paints in any style: see `TrainingTask`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import autocast, choose_precision, make_rng
from belamy.engines.anystyle.config import AnyStyleConfig
from belamy.engines.anystyle.encoder import encode_moments, transfer_moments
from belamy.networks.backbone import Backbone
from belamy.networks.image_to_image.arbitrary_style import IMAGE, LAYERS, ArbitraryStyleNet
from belamy.objectives.adain_losses import log_moment_loss, normalized_content_loss
from belamy.objectives.patch_match import extract_patches, project_features, swap_patches
from belamy.objectives.perceptual_losses import total_variation_loss
from belamy.objectives.style_losses import Moments, moments_of
from belamy.pixels.images import contact_sheet, save_image
from belamy.training.crops import resample, sample_crops
from belamy.training.loss_scale import LossScale
from belamy.training.schedules import set_learning_rate, warmup_cosine
from belamy.training.task import Backward, TrainingTask

__all__ = ["CONTENT_LAYERS", "STORED", "STYLE_LAYERS", "AnyStyleTask", "permute_colors"]

STORED = {"photographs": 1.5, "paintings": 1.0}
"""Side of the stored pictures, in sides of the squares that are cut out of them."""

STYLE_LAYERS = ("conv1", "conv2b", "mixed3a", "mixed3b", "mixed4a")
"""Layers in which a painting is compared with its style."""

CONTENT_LAYERS = ("mixed3b", "mixed4a")
"""Layers in which it must show what the photograph shows."""

# Fractions of their area that are cut out of them; by eye
_PHOTOGRAPH_AREA, _PAINTING_AREA = (0.44, 1.0), (0.15, 1.0)
_IDENTITY = 4  # one of so many squares is its own style
SAMPLE_FRACTION = 0.6
"""Of patches, in the samples: as in use."""

_SHOWN = 5  # photographs, and paintings, in the samples
_CELL = 192  # pixels of one picture in them
_FINAL_RATE, _WARMUP_STEPS = 0.01, 50  # factor on the learning rate at the end. By eye
_EXCESS_WEIGHT = 5.0  # of what is outside of [0, 1], where a picture is cut off
_MAX_NORM = 5.0  # of the gradient, which is clipped: that of a dark style is large


Features: TypeAlias = "Mapping[str, Tensor]"


class AnyStyleTask(TrainingTask):
    """What the trainer runs: see `belamy.training.task.TrainingTask`.

    Args:
        photographs: uint8 (N, S, S, 3), to practise on.
        paintings: uint8 (M, T, T, 3), the styles.
        net: what is trained.
        backbone: whose features are read and judged by, on the accelerator's device.
        samples: the folder for pictures made on the way.
    """

    def __init__(
        self,
        config: AnyStyleConfig,
        photographs: Tensor,
        paintings: Tensor,
        net: ArbitraryStyleNet,
        backbone: Backbone,
        samples: Path,
        accelerator: Accelerator,
    ) -> None:
        super().__init__(
            accelerator, total_steps=config.steps, ema_decay=config.ema, seed=config.seed
        )
        self.config = config
        self.photographs, self.paintings = photographs, paintings
        self.backbone, self.samples = backbone, samples
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.mixing, self.basis = net.mixing, net.basis.to(accelerator.device)
        self.loss_scale = LossScale(
            ["painter"], choose_precision(config.precision, accelerator.device)
        )
        self.buffers = self.loss_scale.buffers
        self.networks = {"painter": net}
        adam = torch.optim.Adam(net.parameters(), lr=config.learning_rate, betas=(0.9, 0.99))
        self.optimizers = {"painter": adam}
        weights = sum(parameter.numel() for parameter in net.parameters())
        self.summary = (
            f"{len(paintings):,} paintings on {len(photographs):,} photographs; "
            f"{self.total_steps:,} steps at {config.size} px, seen by {backbone.name}; "
            f"{weights:,} weights"
        )

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        net, optimizer = self.networks["painter"], self.optimizers["painter"]
        factor = warmup_cosine(
            index, self.total_steps, warmup_steps=_WARMUP_STEPS, final=_FINAL_RATE
        )
        set_learning_rate(optimizer, self.config.learning_rate * factor)
        net.train()
        losses = self._losses(net, *self._batch(index))
        optimizer.zero_grad(set_to_none=True)
        loss = torch.stack([_WEIGHTS[name](self.config) * losses[name] for name in losses]).sum()
        backward(self.loss_scale.scale("painter", loss))
        self.loss_scale.step("painter", optimizer, max_norm=_MAX_NORM)
        return losses

    def _losses(
        self, net: nn.Module, contents: Tensor, styles: Tensor, fractions: Tensor
    ) -> dict[str, Tensor]:
        with torch.no_grad():
            content_features, style_features = self._extract(contents), self._extract(styles)
        painted = self._paint(net, content_features, style_features, fractions)
        identity = -(-len(contents) // _IDENTITY)
        return {
            **self._distances(painted, content_features, style_features),
            "identity": (painted - contents)[:identity].square().mean(),
            "roughness": total_variation_loss(painted),
            "excess": (painted - painted.clamp(0, 1)).square().mean(),
        }

    def _distances(
        self, painted: Tensor, contents: Features, styles: Features
    ) -> dict[str, Tensor]:
        """The perceptual losses of what is painted, (N, 3, H, W), to features of N pictures."""
        actual = self._extract(painted)
        style_target = _moments({layer: styles[layer] for layer in STYLE_LAYERS})
        content_target = {layer: contents[layer] for layer in CONTENT_LAYERS}
        return {
            "style": log_moment_loss(_moments(actual), style_target),
            "content": normalized_content_loss(actual, content_target),
        }

    def _paint(
        self, net: nn.Module, contents: Features, styles: Features, fractions: Tensor
    ) -> Tensor:
        """(N, 3, H, W), each content in its style, in a fraction (N,) of swapped patches."""
        with torch.no_grad():
            features = self._transfer(contents, styles, fractions)
        with autocast(self.accelerator.device, self.config.precision):
            painted: Tensor = net(features, [(encode_moments(_moments(styles)), None)])
        return painted.float()

    def _transfer(
        self, contents: Features, styles: Features, fractions: Tensor
    ) -> dict[str, Tensor]:
        """The contents' features with the styles' moments, mixed with the styles' patches."""
        own, other = ({x: some[x] for x in self.mixing} for some in (contents, styles))
        own_moments, other_moments = _moments(own), _moments(other)
        queries, keys = (
            torch.split(project_features(some[LAYERS[0]], moments[LAYERS[0]], self.basis), 1)
            for some, moments in ((own, own_moments), (other, other_moments))
        )
        swapped = [
            swap_patches(extract_patches({x: y[n : n + 1] for x, y in other.items()}, key), query)
            for n, (key, query) in enumerate(zip(keys, queries, strict=True))
        ]
        weight = fractions.view(-1, 1, 1, 1)
        return {
            layer: x.lerp(torch.cat([one[layer] for one in swapped]), weight)
            for layer, x in transfer_moments(own, own_moments, other_moments, self.mixing).items()
        }

    def _extract(self, images: Tensor) -> dict[str, Tensor]:
        """Layer → features in float32, the pictures themselves among them."""
        with autocast(self.accelerator.device, self.config.precision):
            features = self.backbone(images, {*STYLE_LAYERS, *LAYERS})
        return {IMAGE: images, **{layer: x.float() for layer, x in features.items()}}

    def _batch(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        """Contents, styles, and the fraction of swapped patches in each; the first fourth are their
        own styles, every other one of them a painting."""
        config = self.config
        contents, styles = (
            sample_crops(
                pictures,
                index,
                batch=config.batch,
                size=config.size,
                area=area,
                seed=make_rng(config.seed, name).initial_seed(),
                rank=self.rank,
                world_size=self.world_size,
            )[0].to(self.accelerator.device)
            for name, pictures, area in (
                ("photographs", self.photographs, _PHOTOGRAPH_AREA),
                ("paintings", self.paintings, _PAINTING_AREA),
            )
        )
        styles = permute_colors(styles, make_rng(config.seed, "palette", index, self.rank))
        identity = -(-len(contents) // _IDENTITY)
        paintings = slice(index % 2, identity, 2)
        contents[paintings] = styles[paintings]
        styles[:identity] = contents[:identity]
        rng = make_rng(config.seed, "part", index, self.rank)
        fractions = torch.rand(len(contents), generator=rng)
        return contents, styles, config.patches * fractions.to(self.accelerator.device)

    @torch.no_grad()
    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """The distances on a few photographs, each in a style; they are in `samples/` too."""
        net = networks["painter"].eval()
        contents, styles = (
            resample(pictures[:: max(1, len(pictures) // _SHOWN)][:_SHOWN], _CELL).div(255)
            for pictures in (self.photographs, self.paintings)
        )
        contents, styles = (x.to(self.accelerator.device) for x in (contents, styles))
        content_features, style_features = self._extract(contents), self._extract(styles)
        fractions = torch.full((len(contents),), SAMPLE_FRACTION, device=contents.device)
        painted = self._paint(net, content_features, style_features, fractions).clamp(0, 1)
        distances = self._distances(painted, content_features, style_features)
        if self.accelerator.is_main_process:
            pictures = [one[None] for one in (*contents, *styles, *painted)]
            sheet = contact_sheet(pictures, columns=len(contents), cell=_CELL)
            save_image(sheet, self.samples / f"step-{step:07d}.png")
        return {f"shown_{name}": float(value) for name, value in distances.items()}


_WEIGHTS: dict[str, Callable[[AnyStyleConfig], float]] = {
    "style": lambda config: config.style_weight,
    "content": lambda config: config.content_weight,
    "identity": lambda config: config.identity_weight,
    "roughness": lambda config: config.smoothness,
    "excess": lambda config: _EXCESS_WEIGHT,
}
"""Loss → how much it counts."""


def permute_colors(images: Tensor, rng: torch.Generator) -> Tensor:
    """Every other picture (N, 3, H, W) with red, green and blue exchanged at random.

    Most paintings are brown: with these a network sees all palettes.
    """
    orders = [torch.randperm(3, generator=rng).tolist() for _ in images[::2]]
    exchanged = images.clone()
    for number, order in enumerate(orders):
        exchanged[2 * number] = images[2 * number, order]
    return exchanged


def _moments(features: Mapping[str, Tensor]) -> dict[str, Moments]:
    return {layer: moments_of(x) for layer, x in features.items()}
