"""From a configuration to a network that paints in one style, in a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from belamy.engines.faststyle.config import StyleTrainConfig
from belamy.engines.faststyle.task import STORED, FastStyleTask, PerceptualLoss, network_arguments
from belamy.errors import OptionError
from belamy.networks.backbone import load_backbone
from belamy.networks.find import IN_RUN, name_network
from belamy.networks.image_to_image.load import save_image_net
from belamy.networks.registry import NETWORKS
from belamy.pixels.images import fit, load_image, resize
from belamy.training.pictures import load_squares
from belamy.training.run import Training, run_training
from belamy.training.run_folder import Run
from belamy.training.trainer import Trained, TrainingProgress

__all__ = ["TRAINING", "train"]

_Data = tuple[PerceptualLoss, Tensor]  # and photographs to practise on


def _load_data(config: StyleTrainConfig, accelerator: Accelerator) -> _Data:
    loss = _make_loss(config, accelerator.device)
    photographs = load_squares(config.data, round(STORED * config.size))
    return loss, torch.from_numpy(photographs)


def _make_task(
    config: StyleTrainConfig, data: _Data, run: Run, accelerator: Accelerator
) -> FastStyleTask:
    loss, photographs = data
    return FastStyleTask(config, photographs, loss, run.samples, accelerator)


def _save(config: StyleTrainConfig, data: _Data, run: Run, trained: Trained) -> None:
    notes = {name: f"{value:.4f}" for name, value in trained.measures.items()}
    backbone = data[0].backbone
    save_image_net(
        run.folder / IN_RUN,
        trained.networks["painter"],
        network="johnson",
        arguments=network_arguments(config),
        style=Path(config.painting).stem,
        trained_on=Path(config.data).name,
        notes={**notes, "judge": backbone.name, "judge_sha256": backbone.sha256},
    )


TRAINING = Training("style", _load_data, _make_task, _save)


def train(config: StyleTrainConfig, folder: Path, device: str) -> Iterator[TrainingProgress]:
    """See `belamy.engines.faststyle.api.train_style`."""
    return run_training(TRAINING, config, folder, device, precision=config.precision)


def _make_loss(config: StyleTrainConfig, device: torch.device) -> PerceptualLoss:
    style, content = config.style_layers, config.content_layers
    if not (style and content):
        name = name_network(config.model, "backbone")
        known = NETWORKS[name].layers.perceptual
        if known is None:
            raise OptionError(
                f"no layers are known to suit {name}; name some with --style-layers and "
                f"--content-layers (belamy models show {name})"
            )
        style, content = style or known.style, content or known.content
    backbone = load_backbone(config.model, layers={*style, *content}, device=device)
    painting = load_image(config.painting)
    size = fit(painting.shape[-2], painting.shape[-1], config.painting_side)
    return PerceptualLoss.of(backbone, resize(painting, size).to(device), style, content)
