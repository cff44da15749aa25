"""From a configuration to networks that translate, in a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from belamy.engines.translate.api import TranslateConfig
from belamy.engines.translate.task import TranslateRecipe
from belamy.networks.image_to_image.network import save_painter
from belamy.training.domains import CROPS, load_worlds
from belamy.training.processes import accelerator_for
from belamy.training.runs import open_run
from belamy.training.trainer import Tick, rhythm_for, train

__all__ = ["KIND", "training"]

KIND = "translate"  # of the run, in its config.json


def training(config: TranslateConfig, folder: Path, device: str) -> Iterator[Tick]:
    """See `belamy.engines.translate.api.train_translation`."""
    accelerator = accelerator_for(device, config.precision)
    side = round(CROPS[config.crop][0] * config.size)
    with accelerator.main_process_first():  # it decodes and makes the folder, the others read
        worlds = load_worlds(config.a, config.b, side, paired=config.method == "pix2pix")
        run = open_run(folder, KIND, config)
    recipe = TranslateRecipe(config, worlds, run.samples, accelerator)
    trained = yield from train(recipe, run, accelerator, rhythm_for(recipe.total))
    if accelerator.is_main_process:
        notes = {name: f"{value:.4f}" for name, value in trained.measures.items()}
        labels = {"a": config.a_label or "", "b": config.b_label or ""}
        save_painter(
            folder / "network.safetensors",
            {name: trained.networks[name] for name in config.directions},
            network="translator",
            arguments=config.arguments,
            style=f"{labels['a']} and {labels['b']}",
            trained_on=f"{Path(config.a).name} and {Path(config.b).name}",
            notes={**notes, **labels, "method": config.method},
        )
    accelerator.wait_for_everyone()
