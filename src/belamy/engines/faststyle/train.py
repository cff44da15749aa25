"""From a configuration to a network that paints in one style, in a run folder."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.engines.faststyle.config import StyleTrainConfig
from belamy.engines.faststyle.task import STORED, FastStyleTask, PerceptualLoss, network_arguments
from belamy.errors import OptionError
from belamy.networks.backbone import load_backbone
from belamy.networks.find import IN_RUN, find_network, name_network
from belamy.networks.image_to_image.load import load_image_net, save_image_net
from belamy.networks.image_to_image.network import build_johnson_net
from belamy.networks.registry import NETWORKS
from belamy.pixels.images import fit, load_image, resize
from belamy.training.pictures import load_squares
from belamy.training.run import Training, run_training
from belamy.training.run_folder import Run
from belamy.training.trainer import Trained, TrainingProgress

__all__ = ["TRAINING", "train"]

_Data = tuple[PerceptualLoss, Tensor]  # and photographs to practise on


def _load_data(config: StyleTrainConfig, accelerator: Accelerator) -> _Data:
    loss = _make_loss(config, accelerator.device)
    photographs = load_squares(config.data, round(STORED * config.size))
    return loss, torch.from_numpy(photographs)


def _make_task(
    config: StyleTrainConfig, data: _Data, run: Run, accelerator: Accelerator
) -> FastStyleTask:
    loss, photographs = data
    start = _load_start(config) if config.start else None
    return FastStyleTask(config, photographs, loss, run.samples, accelerator, start)


def _load_start(config: StyleTrainConfig) -> Mapping[str, Tensor]:
    """The weights to go on from.

    Raises:
        OptionError: they are of another width, or of other blocks. (What enlarges has no weights.)
    """
    network = load_image_net(find_network(config.start, "image-to-image"))
    own = build_johnson_net(**network_arguments(config))  # type: ignore[arg-type]
    state = network.state_dict()
    if _shapes(state) != _shapes(own.state_dict()):
        raise OptionError(
            f"start is {config.start}, which is not of width {config.width} and {config.blocks} "
            "blocks; name its own width and blocks, or begin anew"
        )
    return state


def _shapes(state: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: value.shape for name, value in state.items()}


def _save(config: StyleTrainConfig, data: _Data, run: Run, trained: Trained) -> None:
    notes = {name: f"{value:.4f}" for name, value in trained.measures.items()}
    backbone = data[0].backbone
    learned = {name: str(getattr(config, name)) for name in ("size", "style_size", "variation")}
    save_image_net(
        run.folder / IN_RUN,
        _keep_some(config, trained.networks["painter"]),
        network="johnson",
        arguments=network_arguments(config),
        style=Path(config.painting).stem,
        trained_on=Path(config.data).name,
        notes={**notes, "judge": backbone.name, "judge_sha256": backbone.sha256, **learned},
    )


def _keep_some(config: StyleTrainConfig, learned: nn.Module) -> nn.Module:
    """What has been learned, and in a part what it was learned from.

    Source: Wortsman et al. 2022, "Robust fine-tuning of zero-shot models": weights that one
    training led to from the others can be averaged.
    """
    if config.keep == 0:
        return learned
    start, mixed = _load_start(config), copy.deepcopy(learned)
    mixed.load_state_dict(
        {
            name: value.cpu().lerp(start[name], config.keep)
            for name, value in learned.state_dict().items()
        }
    )
    return mixed


TRAINING = Training("style", _load_data, _make_task, _save)


def train(config: StyleTrainConfig, folder: Path, device: str) -> Iterator[TrainingProgress]:
    """See `belamy.engines.faststyle.api.train_style`."""
    return run_training(TRAINING, config, folder, device, precision=config.precision)


def _make_loss(config: StyleTrainConfig, device: torch.device) -> PerceptualLoss:
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
    shrunk = resize(painting, size).to(device)
    return PerceptualLoss.of(backbone, shrunk, style, content, config.scales)
