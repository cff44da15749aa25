"""From a configuration to a network that sees fog, in a run folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.engines.defog.adapt_task import SEEN_IN, AdaptTask, Worlds
from belamy.engines.defog.api import DefogAdaptConfig, DefogTrainConfig
from belamy.engines.defog.dataset import Source, open_sources
from belamy.engines.defog.task import DefogTask
from belamy.errors import DataError
from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.dehaze import DehazeNet
from belamy.networks.files.network_file import save_network_file, without_counters
from belamy.networks.find import IN_RUN
from belamy.networks.load import load_network
from belamy.training.run import Training, run_training
from belamy.training.run_folder import Run
from belamy.training.trainer import Trained, TrainingProgress

__all__ = ["ADAPTING", "TRAINING", "adapt", "train"]

_STORED = 1.25  # side of the stored pictures, in sides of the squares that are cut out of them
_TOGETHER = 64  # pictures that are looked at in one pass


def _load_sources(config: DefogTrainConfig, accelerator: Accelerator) -> Sequence[Source]:
    return open_sources(config.data, round(_STORED * config.size), config.held_out)


def _make_task(
    config: DefogTrainConfig, data: Sequence[Source], run: Run, accelerator: Accelerator
) -> DefogTask:
    return DefogTask(config, data, run.samples, accelerator)


def _save(config: DefogTrainConfig, data: Sequence[Source], run: Run, trained: Trained) -> None:
    _write(run, trained, config.data)


@dataclass(frozen=True)
class _AdaptData:
    """The network as it was trained, pictures, and what compares two of them."""

    start: DehazeNet
    worlds: Worlds
    backbone: Backbone


def _load_adapt_data(config: DefogAdaptConfig, accelerator: Accelerator) -> _AdaptData:
    start = load_network(config.start, "dehaze").network
    worlds = _worlds(config, start.to(accelerator.device))
    backbone = load_backbone("iris", layers=SEEN_IN, device=accelerator.device)
    return _AdaptData(start, worlds, backbone)


def _make_adapt_task(
    config: DefogAdaptConfig, data: _AdaptData, run: Run, accelerator: Accelerator
) -> AdaptTask:
    return AdaptTask(config, data.start, data.worlds, data.backbone, run.samples, accelerator)


def _save_adapted(config: DefogAdaptConfig, data: _AdaptData, run: Run, trained: Trained) -> None:
    _write(run, trained, (*config.clear, *config.foggy))


TRAINING = Training("defog", _load_sources, _make_task, _save)
ADAPTING = Training("defog-adapt", _load_adapt_data, _make_adapt_task, _save_adapted)


def train(config: DefogTrainConfig, folder: Path, device: str) -> Iterator[TrainingProgress]:
    """See `belamy.engines.defog.api.train_defog`."""
    return run_training(TRAINING, config, folder, device)


def adapt(config: DefogAdaptConfig, folder: Path, device: str) -> Iterator[TrainingProgress]:
    """See `belamy.engines.defog.api.adapt_defog`."""
    return run_training(ADAPTING, config, folder, device)


def _write(run: Run, trained: Trained, data: Sequence[str]) -> None:
    network = trained.networks["fogsight"]
    assert isinstance(network, DehazeNet)
    save_network_file(
        run.folder / IN_RUN,
        without_counters(network.state_dict()),
        network="dehaze",
        arguments=network.arguments,
        trained_on=", ".join(dict.fromkeys(Path(path).name for path in data)),
        metadata={name: f"{value:.3f}" for name, value in trained.measures.items()},
        half=True,
    )


def _worlds(config: DefogAdaptConfig, eye: DehazeNet) -> Worlds:
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
