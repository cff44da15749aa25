"""From a configuration to a network that paints in one style, in a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from belamy.engines.faststyle.api import StyleTrainConfig
from belamy.engines.faststyle.task import STORED, Judge, StyleRecipe, arguments_of
from belamy.errors import OptionError
from belamy.networks.backbone import load_backbone
from belamy.networks.files.weights import find_weights, open_weights
from belamy.networks.image_to_image.network import save_painter
from belamy.pixels.images import fit, load_image, resize
from belamy.training.pictures import every_picture
from belamy.training.processes import accelerator_for
from belamy.training.runs import open_run
from belamy.training.trainer import Tick, rhythm_for, train

__all__ = ["JUDGES", "KIND", "training"]

KIND = "style"  # of the run, in its config.json

# Network → the layers of the style and those of the content. VGG-16's are Johnson's, the others
# are as deep, by eye.
JUDGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "iris": (("conv1", "conv2b", "mixed3a", "mixed3b", "mixed4a"), ("mixed3b",)),
    "vgg16": (("relu1_2", "relu2_2", "relu3_3", "relu4_3"), ("relu3_3",)),
    "vgg19": (("relu1_2", "relu2_2", "relu3_3", "relu4_3"), ("relu3_3",)),
    "squeezenet1_0": (("relu1", "fire2", "fire4", "fire6"), ("fire4",)),
}


def training(config: StyleTrainConfig, folder: Path, device: str) -> Iterator[Tick]:
    """See `belamy.engines.faststyle.api.train_style`."""
    accelerator = accelerator_for(device, config.precision)
    with accelerator.main_process_first():  # it decodes and makes the folder, the others read
        judge = _judge(config, accelerator.device)
        side = round(STORED * config.size)
        photographs = torch.from_numpy(every_picture(config.data, side))
        run = open_run(folder, KIND, config)
    recipe = StyleRecipe(config, photographs, judge, run.samples, accelerator)
    trained = yield from train(recipe, run, accelerator, rhythm_for(recipe.total))
    if accelerator.is_main_process:
        notes = {name: f"{value:.4f}" for name, value in trained.measures.items()}
        save_painter(
            folder / "network.safetensors",
            trained.networks["painter"],
            network="transformer",
            arguments=arguments_of(config),
            style=Path(config.painting).stem,
            trained_on=Path(config.data).name,
            notes={**notes, "judge": judge.backbone.name, "judge_sha256": judge.backbone.sha256},
        )
    accelerator.wait_for_everyone()


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
