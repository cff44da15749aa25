"""From a configuration to a network that sees fog, in a run folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from belamy.engines.defog.adapt_task import SEEN_IN, AdaptRecipe, Worlds
from belamy.engines.defog.api import DefogAdaptConfig, DefogTrainConfig
from belamy.engines.defog.dataset import Source, open_sources
from belamy.engines.defog.remove import find_network
from belamy.engines.defog.task import FogRecipe
from belamy.errors import DataError
from belamy.networks.backbone import load_backbone
from belamy.networks.dehaze import FogSight, load_fogsight, save_fogsight
from belamy.training.processes import accelerator_for
from belamy.training.runs import open_run
from belamy.training.trainer import Tick, Trained, rhythm_for, train

__all__ = ["ADAPTED", "KIND", "adapting", "training"]

KIND = "defog"  # of the first training's runs, in their config.json
ADAPTED = "defog-adapt"  # of the second's

_STORED = 1.25  # side of the stored pictures, in sides of the squares that are cut out of them
_TOGETHER = 64  # pictures that are looked at in one pass


def training(config: DefogTrainConfig, folder: Path, device: str) -> Iterator[Tick]:
    """See `belamy.engines.defog.api.train_defog`."""
    accelerator = accelerator_for(device)
    with accelerator.main_process_first():  # it decodes and makes the folder, the others read
        sources = open_sources(config.data, round(_STORED * config.size), config.held_out)
        run = open_run(folder, KIND, config)
    recipe = FogRecipe(config, sources, run.samples, accelerator)
    trained = yield from train(recipe, run, accelerator, rhythm_for(recipe.total))
    if accelerator.is_main_process:
        _save(folder, trained, config.data)
    accelerator.wait_for_everyone()


def adapting(config: DefogAdaptConfig, folder: Path, device: str) -> Iterator[Tick]:
    """See `belamy.engines.defog.api.adapt_defog`."""
    accelerator = accelerator_for(device)
    start = load_fogsight(find_network(config.start))
    with accelerator.main_process_first():
        worlds = _worlds(config, start.to(accelerator.device))
        eye = load_backbone("iris", layers=SEEN_IN, device=accelerator.device)
        run = open_run(folder, ADAPTED, config)
    recipe = AdaptRecipe(config, start, worlds, eye, run.samples, accelerator)
    trained = yield from train(recipe, run, accelerator, rhythm_for(recipe.total))
    if accelerator.is_main_process:
        _save(folder, trained, (*config.clear, *config.foggy))
    accelerator.wait_for_everyone()


def _save(folder: Path, trained: Trained, data: Sequence[str]) -> None:
    save_fogsight(
        folder / "network.safetensors",
        trained.networks["fogsight"],
        trained_on=", ".join(dict.fromkeys(Path(path).name for path in data)),
        notes={name: f"{value:.3f}" for name, value in trained.measures.items()},
    )


def _worlds(config: DefogAdaptConfig, eye: FogSight) -> Worlds:
    side = round(_STORED * config.size)
    foggy = open_sources(config.foggy, side, config.held_out)
    clear = open_sources(config.clear, side, config.held_out)
    if config.foggiest == 1:
        return Worlds(clear, foggy)
    return Worlds(
        [_ranked(source, eye, 1 - config.foggiest, least=True) for source in clear],
        [_ranked(source, eye, config.foggiest, least=False) for source in foggy],
    )


def _ranked(source: Source, eye: nn.Module, part: float, *, least: bool) -> Source:
    """The part of a source's pictures that has the least fog, or the most, as a network sees it."""
    with torch.inference_mode():
        amounts = torch.cat(
            [_amounts(eye, some) for some in torch.split(source.trained, _TOGETHER)]
        )
    count = round(part * len(amounts))
    if count < 2:
        raise DataError(f"{part:.0%} of {len(amounts)} pictures are too few; take more of them")
    order = amounts.argsort(descending=not least)[:count].sort().values
    return replace(source, trained=source.trained[order])


def _amounts(eye: nn.Module, images: Tensor) -> Tensor:
    """How much of the light is the fog's: uint8 (N, S, S, 3) → (N,)."""
    device = next(eye.parameters()).device
    transmission: Tensor = eye(images.permute(0, 3, 1, 2).float().div(255).to(device))[0]
    return (1 - transmission).mean((1, 2, 3)).cpu()
