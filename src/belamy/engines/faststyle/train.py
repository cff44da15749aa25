"""From a configuration to a network that paints in one style, in a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from belamy.engines.faststyle.config import StyleTrainConfig
from belamy.engines.faststyle.task import STORED, FastStyleTask, Judge, arguments_of
from belamy.errors import OptionError
from belamy.networks.backbone import load_backbone
from belamy.networks.files.network_file import save_network_file
from belamy.networks.find import IN_RUN, name_network
from belamy.networks.registry import NETWORKS
from belamy.pixels.images import fit, load_image, resize
from belamy.training.pictures import every_picture
from belamy.training.run import Training, run_training
from belamy.training.run_folder import Run
from belamy.training.trainer import Trained, TrainingProgress

__all__ = ["TRAINING", "train"]

_Data = tuple[Judge, Tensor]  # what a picture is judged by; photographs to practise on


def _load_data(config: StyleTrainConfig, accelerator: Accelerator) -> _Data:
    judge = _judge(config, accelerator.device)
    photographs = every_picture(config.data, round(STORED * config.size))
    return judge, torch.from_numpy(photographs)


def _make_task(
    config: StyleTrainConfig, data: _Data, run: Run, accelerator: Accelerator
) -> FastStyleTask:
    judge, photographs = data
    return FastStyleTask(config, photographs, judge, run.samples, accelerator)


def _save(config: StyleTrainConfig, data: _Data, run: Run, trained: Trained) -> None:
    notes = {name: f"{value:.4f}" for name, value in trained.measures.items()}
    backbone = data[0].backbone
    save_network_file(
        run.folder / IN_RUN,
        trained.networks["painter"].state_dict(),
        network="johnson",
        arguments=arguments_of(config),
        trained_on=Path(config.data).name,
        metadata={
            **notes,
            "judge": backbone.name,
            "judge_sha256": backbone.sha256,
            "style": Path(config.painting).stem,
        },
        half=True,
    )


TRAINING = Training("style", _load_data, _make_task, _save)


def train(config: StyleTrainConfig, folder: Path, device: str) -> Iterator[TrainingProgress]:
    """See `belamy.engines.faststyle.api.train_style`."""
    return run_training(TRAINING, config, folder, device, precision=config.precision)


def _judge(config: StyleTrainConfig, device: torch.device) -> Judge:
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
    return Judge.of(backbone, resize(painting, size).to(device), style, content)
