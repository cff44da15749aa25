"""From a configuration to a network that paints in one style, in a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from belamy.engines.faststyle.api import StyleTrainConfig
from belamy.engines.faststyle.task import STORED, FastStyleTask, Judge, arguments_of
from belamy.errors import OptionError
from belamy.networks.backbone import load_backbone
from belamy.networks.files.weights import find_weights, open_weights
from belamy.networks.image_to_image.network import save_painter
from belamy.pixels.images import fit, load_image, resize
from belamy.training.pictures import every_picture
from belamy.training.run import Training, run_training
from belamy.training.run_folder import Run
from belamy.training.trainer import Trained, TrainingProgress

__all__ = ["JUDGES", "train"]

# Network → the layers of the style and those of the content. VGG-16's are Johnson's, the others
# are as deep, by eye.
JUDGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "iris": (("conv1", "conv2b", "mixed3a", "mixed3b", "mixed4a"), ("mixed3b",)),
    "vgg16": (("relu1_2", "relu2_2", "relu3_3", "relu4_3"), ("relu3_3",)),
    "vgg19": (("relu1_2", "relu2_2", "relu3_3", "relu4_3"), ("relu3_3",)),
    "squeezenet1_0": (("relu1", "fire2", "fire4", "fire6"), ("fire4",)),
}


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
    save_painter(
        run.folder / "network.safetensors",
        trained.networks["painter"],
        network="transformer",
        arguments=arguments_of(config),
        style=Path(config.painting).stem,
        trained_on=Path(config.data).name,
        notes={**notes, "judge": backbone.name, "judge_sha256": backbone.sha256},
    )


_TRAINING = Training("style", _load_data, _make_task, _save)


def train(config: StyleTrainConfig, folder: Path, device: str) -> Iterator[TrainingProgress]:
    """See `belamy.engines.faststyle.api.train_style`."""
    return run_training(_TRAINING, config, folder, device, precision=config.precision)


def _judge(config: StyleTrainConfig, device: torch.device) -> Judge:
    style, content = config.style_layers, config.content_layers
    if not (style and content):
        with open_weights(find_weights(config.model)) as weights:
            name = weights.description.network
        if name not in JUDGES:
            raise OptionError(
                f"no layers are known to suit {name}; name some with --style-layers and "
                f"--content-layers (belamy models show {name})"
            )
        style, content = style or JUDGES[name][0], content or JUDGES[name][1]
    backbone = load_backbone(config.model, layers={*style, *content}, device=device)
    painting = load_image(config.painting)
    size = fit(painting.shape[-2], painting.shape[-1], config.painting_side)
    return Judge.of(backbone, resize(painting, size).to(device), style, content)
