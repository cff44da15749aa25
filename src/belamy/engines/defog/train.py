"""From a configuration to a network that estimates fog, in a run folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.engines.defog.adapt_task import PERCEPTUAL_LAYERS, AdaptTask, Domains
from belamy.engines.defog.config import DefogAdaptConfig, DefogTrainConfig
from belamy.engines.defog.dataset import ImageSet, open_image_sets
from belamy.engines.defog.rendered import RenderedSet, open_rendered
from belamy.engines.defog.task import DefogTask
from belamy.errors import DataError
from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.dehaze import DehazeNet, pack_state
from belamy.networks.files.network_file import save_network_file, without_counters
from belamy.networks.find import IN_RUN
from belamy.networks.load import load_network
from belamy.training.run import Training, run_training
from belamy.training.run_folder import Run
from belamy.training.trainer import Trained, TrainingProgress

__all__ = ["ADAPTING", "TRAINING", "adapt", "train"]

_STORED = 1.25  # side of the stored pictures, in sides of the squares that are cut out of them
_LEAST_STORED = 200  # pixels of it, where textures of rendered scenes are cut out of them
_BATCH = 64  # pictures whose fog is estimated in one pass


@dataclass(frozen=True)
class _Data:
    """Pictures, and scenes that were rendered."""

    sets: Sequence[ImageSet]
    rendered: RenderedSet | None


def _load_data(config: DefogTrainConfig, accelerator: Accelerator) -> _Data:
    side = round(_STORED * config.size)
    if config.rendered:  # their textures must not depend on the squares' size
        side = max(side, _LEAST_STORED)
    sets = open_image_sets(config.data, side, config.held_out)
    rendered = open_rendered(sets, config.rendered, config.seed) if config.rendered else None
    return _Data(sets, rendered)


def _make_task(
    config: DefogTrainConfig, data: _Data, run: Run, accelerator: Accelerator
) -> DefogTask:
    return DefogTask(config, data.sets, run.samples, accelerator, data.rendered)


def _save(config: DefogTrainConfig, data: _Data, run: Run, trained: Trained) -> None:
    _write(run, trained, config.data)


@dataclass(frozen=True)
class _AdaptData:
    """The network as it was trained, pictures, and what compares two of them."""

    start: DehazeNet
    domains: Domains
    backbone: Backbone


def _load_adapt_data(config: DefogAdaptConfig, accelerator: Accelerator) -> _AdaptData:
    start = load_network(config.start, "dehaze").network
    domains = _load_domains(config, start.to(accelerator.device))
    backbone = load_backbone("iris", layers=PERCEPTUAL_LAYERS, device=accelerator.device)
    return _AdaptData(start, domains, backbone)


def _make_adapt_task(
    config: DefogAdaptConfig, data: _AdaptData, run: Run, accelerator: Accelerator
) -> AdaptTask:
    return AdaptTask(config, data.start, data.domains, data.backbone, run.samples, accelerator)


def _save_adapted(config: DefogAdaptConfig, data: _AdaptData, run: Run, trained: Trained) -> None:
    _write(run, trained, (*config.clear, *config.foggy))


TRAINING = Training("defog", _load_data, _make_task, _save)
ADAPTING = Training("defog-adapt", _load_adapt_data, _make_adapt_task, _save_adapted)


def train(config: DefogTrainConfig, folder: Path, device: str) -> Iterator[TrainingProgress]:
    """See `belamy.train_defog`."""
    return run_training(TRAINING, config, folder, device, precision=config.precision)


def adapt(config: DefogAdaptConfig, folder: Path, device: str) -> Iterator[TrainingProgress]:
    """See `belamy.adapt_defog`."""
    return run_training(ADAPTING, config, folder, device, precision=config.precision)


def _write(run: Run, trained: Trained, data: Sequence[str]) -> None:
    network = trained.networks["dehaze"]
    assert isinstance(network, DehazeNet)
    save_network_file(
        run.folder / IN_RUN,
        without_counters(pack_state(network)),
        network="dehaze",
        arguments=network.arguments,
        trained_on=", ".join(dict.fromkeys(Path(path).name for path in data)),
        metadata={name: f"{value:.3f}" for name, value in trained.measures.items()},
    )


def _load_domains(config: DefogAdaptConfig, network: DehazeNet) -> Domains:
    side = round(_STORED * config.size)
    foggy = open_image_sets(config.foggy, side, config.held_out)
    clear = open_image_sets(config.clear, side, config.held_out)
    if config.foggiest == 1:
        return Domains(clear, foggy)
    return Domains(
        [_select(one, network, 1 - config.foggiest, least=True) for one in clear],
        [_select(one, network, config.foggiest, least=False) for one in foggy],
    )


def _select(images: ImageSet, network: nn.Module, fraction: float, *, least: bool) -> ImageSet:
    """The fraction of a set's pictures that has the least fog, or the most, as a network estimates
    it."""
    with torch.inference_mode():
        amounts = torch.cat(
            [_fog_amounts(network, part) for part in torch.split(images.train, _BATCH)]
        )
    count = round(fraction * len(amounts))
    if count < 2:
        raise DataError(f"{fraction:.0%} of {len(amounts)} pictures are too few; take more of them")
    order = amounts.argsort(descending=not least)[:count].sort().values
    return replace(images, train=images.train[order])


def _fog_amounts(network: nn.Module, images: Tensor) -> Tensor:
    """How much of the light is the fog's: uint8 (N, S, S, 3) → (N,)."""
    device = next(network.parameters()).device
    pictures = images.permute(0, 3, 1, 2).float().div(255).to(device)
    transmission: Tensor = network(pictures)[0]
    return (1 - transmission).mean((1, 2, 3)).cpu()
