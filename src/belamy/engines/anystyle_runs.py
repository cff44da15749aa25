"""From a configuration to a network that paints in any style, in a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

from belamy.engines.anystyle import AnyStyleConfig
from belamy.engines.anystyle_eye import encoder
from belamy.engines.anystyle_training import SEEN, STORED, AnyStyleRecipe
from belamy.networks.anypainter import AnyPainter, save_any_painter
from belamy.training.pictures import every_picture
from belamy.training.runs import open_run
from belamy.training.trainer import Tick, accelerator_for, rhythm_for, train

__all__ = ["KIND", "training"]

KIND = "any-style"  # of the run, in its config.json


def training(config: AnyStyleConfig, folder: Path, device: str) -> Iterator[Tick]:
    """See `belamy.engines.anystyle.train_any_style`."""
    accelerator = accelerator_for(device)
    with accelerator.main_process_first():  # it decodes and makes the folder, the others read
        backbone = encoder(config.model, SEEN, accelerator.device)
        photographs, paintings = (
            torch.from_numpy(every_picture(path, round(STORED[kind] * config.size)))
            for kind, path in (("photographs", config.data), ("paintings", config.paintings))
        )
        run = open_run(folder, KIND, config)
    recipe = AnyStyleRecipe(config, photographs, paintings, backbone, run.samples, accelerator)
    trained = yield from train(recipe, run, accelerator, rhythm_for(recipe.total))
    if accelerator.is_main_process:
        painter = trained.networks["painter"]
        assert isinstance(painter, AnyPainter)
        save_any_painter(
            folder / "network.safetensors",
            painter,
            encoder=config.model,
            encoder_sha256=backbone.sha256,
            trained_on=f"{Path(config.paintings).name}, {Path(config.data).name}",
            notes={name: f"{value:.4f}" for name, value in trained.measures.items()},
        )
    accelerator.wait_for_everyone()
