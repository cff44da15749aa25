"""From a configuration to a network that sees fog, in a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from belamy.engines.defog import DefogTrainConfig
from belamy.engines.defog_data import open_sources
from belamy.engines.defog_training import FogRecipe
from belamy.networks.fogsight import save_fogsight
from belamy.training.runs import open_run
from belamy.training.trainer import Tick, accelerator_for, rhythm_for, train

__all__ = ["KIND", "training"]

KIND = "defog"  # of the run, in its config.json

_STORED = 1.25  # side of the stored pictures, in sides of the squares that are cut out of them


def training(config: DefogTrainConfig, folder: Path, device: str) -> Iterator[Tick]:
    """See `belamy.engines.defog.train_defog`."""
    accelerator = accelerator_for(device)
    with accelerator.main_process_first():  # it decodes and makes the folder, the others read
        sources = open_sources(config.data, round(_STORED * config.size), config.held_out)
        run = open_run(folder, KIND, config)
    recipe = FogRecipe(config, sources, run.samples, accelerator)
    trained = yield from train(recipe, run, accelerator, rhythm_for(recipe.total))
    if accelerator.is_main_process:
        save_fogsight(
            folder / "network.safetensors",
            trained.networks["fogsight"],
            trained_on=", ".join(Path(path).name for path in config.data),
            notes={name: f"{value:.3f}" for name, value in trained.measures.items()},
        )
    accelerator.wait_for_everyone()
