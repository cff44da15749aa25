"""From a configuration to a network that paints in any style, in a run folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.anystyle.config import AnyStyleConfig
from belamy.engines.anystyle.encoder import count_channels, load_encoder
from belamy.engines.anystyle.task import STORED, STYLE_LAYERS, AnyStyleTask
from belamy.errors import WeightsError
from belamy.networks.backbone import Backbone
from belamy.networks.files.network_file import save_network_file
from belamy.networks.find import IN_RUN
from belamy.networks.image_to_image.arbitrary_style import (
    LAYERS,
    ArbitraryStyleNet,
    initialise,
)
from belamy.networks.load import load_network
from belamy.objectives.style_losses import eigendecompose, moments_of
from belamy.training.crops import resample
from belamy.training.pictures import load_squares
from belamy.training.run import Training, run_training
from belamy.training.run_folder import Run
from belamy.training.trainer import Trained, TrainingProgress

__all__ = ["TRAINING", "train"]

_COMBINATIONS = 48  # of features, by which positions are compared; three quarters of what varies
_COMPARED, _GROUP = 64, 16  # pictures of each kind, and how many at a time, to know what varies


@dataclass(frozen=True)
class _Data:
    """What it learns from, and by which features."""

    backbone: Backbone
    photographs: Tensor
    paintings: Tensor
    net: ArbitraryStyleNet


def _load_data(config: AnyStyleConfig, accelerator: Accelerator) -> _Data:
    backbone = load_encoder(config.model, STYLE_LAYERS, accelerator.device)
    photographs, paintings = (
        torch.from_numpy(load_squares(path, round(STORED[kind] * config.size)))
        for kind, path in (("photographs", config.data), ("paintings", config.paintings))
    )
    net = _make_network(config, backbone, (photographs, paintings))
    return _Data(backbone, photographs, paintings, net)


def _make_task(
    config: AnyStyleConfig, data: _Data, run: Run, accelerator: Accelerator
) -> AnyStyleTask:
    return AnyStyleTask(
        config,
        data.photographs,
        data.paintings,
        data.net,
        data.backbone,
        run.samples,
        accelerator,
    )


def _save(config: AnyStyleConfig, data: _Data, run: Run, trained: Trained) -> None:
    learned = trained.networks["painter"]
    assert isinstance(learned, ArbitraryStyleNet)
    notes = {name: f"{value:.4f}" for name, value in trained.measures.items()}
    encoder = {"encoder": config.model, "encoder_sha256": data.backbone.sha256}
    save_network_file(
        run.folder / IN_RUN,
        learned.state_dict(),
        network="anystyle",
        arguments=learned.arguments,
        trained_on=f"{Path(config.paintings).name}, {Path(config.data).name}",
        metadata={**notes, **encoder},
        half=True,
    )


TRAINING = Training("any-style", _load_data, _make_task, _save)


def train(config: AnyStyleConfig, folder: Path, device: str) -> Iterator[TrainingProgress]:
    """See `belamy.engines.anystyle.api.train_any_style`."""
    return run_training(TRAINING, config, folder, device, precision=config.precision)


def _make_network(
    config: AnyStyleConfig, backbone: Backbone, pictures: Sequence[Tensor]
) -> ArbitraryStyleNet:
    """The network at its start, or the one to go on from."""
    if config.start:
        loaded = load_network(config.start, "arbitrary-style")
        if loaded.metadata.get("encoder_sha256") != backbone.sha256:
            raise WeightsError(
                f"{config.start} was trained with another encoder than {config.model}"
            )
        return loaded.network.requires_grad_(True)
    widths = [config.width * part for part in (6, 4, 2, 1)]
    channels = count_channels(backbone)
    net = ArbitraryStyleNet(channels, widths, compared=min(_COMBINATIONS, channels[0]))
    initialise(net, make_rng(config.seed, "weights"))
    net.basis.copy_(_compute_basis(len(net.basis), backbone, pictures, config.size))
    return net


@torch.no_grad()
def _compute_basis(count: int, backbone: Backbone, pictures: Sequence[Tensor], size: int) -> Tensor:
    """The combinations of the deepest features that vary most within pictures: (count, C)."""
    covariance = torch.zeros((), dtype=torch.float64)
    for some in pictures:
        for group in torch.split(some[:: max(1, len(some) // _COMPARED)], _GROUP):
            images = resample(group, size).div(255).to(backbone.mean.device)
            features = backbone(images, LAYERS[:1])[LAYERS[0]].cpu().double()
            covariance = covariance + moments_of(features).covariance.sum(dim=0)
    _, vectors = eigendecompose(covariance)
    return vectors[:, -count:].T.float()
