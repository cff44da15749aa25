"""From a configuration to networks that translate, in a run folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from accelerate import Accelerator
from torch import nn

from belamy.checks import show_value
from belamy.engines.translate.config import TranslateConfig
from belamy.engines.translate.perceptual import PerceptualLosses, load_perceptual_losses
from belamy.engines.translate.task import TranslateTask
from belamy.errors import OptionError
from belamy.networks.find import IN_RUN, find_network
from belamy.networks.image_to_image.load import load_image_net, save_image_net
from belamy.networks.image_to_image.network import ImageTransformNet
from belamy.training.domains import CROPS, DomainPair, load_domains
from belamy.training.run import Training, run_training
from belamy.training.run_folder import Run
from belamy.training.trainer import Trained, TrainingProgress

__all__ = ["TRAINING", "start_from", "train"]


_Data = tuple[DomainPair, PerceptualLosses | None]


def _load_data(config: TranslateConfig, accelerator: Accelerator) -> _Data:
    side = round(CROPS[config.crop][0] * config.size)
    domains = load_domains(config.a, config.b, side, paired=config.paired)
    if config.direction == "b-to-a":
        domains = domains.swap()
    return domains, load_perceptual_losses(config, domains, accelerator.device)


def _make_task(
    config: TranslateConfig, data: _Data, run: Run, accelerator: Accelerator
) -> TranslateTask:
    domains, perceptual = data
    task = TranslateTask(config, domains, run.samples, accelerator, perceptual)
    if config.start is not None and not run.saved_steps():
        start_from(task.networks, config)
    return task


def start_from(networks: Mapping[str, nn.Module], config: TranslateConfig) -> None:
    """Fill the generators from the file `config.start`; discriminators stay new.

    Raises:
        OptionError: its generators are built otherwise.
        UnknownName, WeightsError: it is not here, damaged, or lacks a direction.
    """
    assert config.start is not None
    path = find_network(config.start, "image-to-image")
    for direction in config.directions:
        generator, known = networks[direction], load_image_net(path, direction)
        if not isinstance(generator, ImageTransformNet) or known.rows != generator.rows:
            raise OptionError(
                f"the generators of {show_value(config.start)} are built otherwise; give the "
                "generator, generator-channels, blocks and sampling that it was trained with"
            )
        generator.load_state_dict(known.state_dict())


def _save(config: TranslateConfig, data: _Data, run: Run, trained: Trained) -> None:
    notes = {name: f"{value:.4f}" for name, value in trained.measures.items()}
    labels = {"a": config.a_label or "", "b": config.b_label or ""}
    save_image_net(
        run.folder / IN_RUN,
        {name: trained.networks[name] for name in config.directions},
        network="translation",
        arguments={
            "shape": config.generator,
            "channels": config.generator_channels,
            "blocks": config.blocks,
            "sampling": config.sampling,
            **({} if config.generator_norm == "instance" else {"norm": config.generator_norm}),
        },
        style=f"{labels['a']} and {labels['b']}",
        trained_on=f"{Path(config.a).name} and {Path(config.b).name}",
        notes={**notes, **labels, "method": config.method},
    )


TRAINING = Training("translate", _load_data, _make_task, _save)


def train(config: TranslateConfig, folder: Path, device: str) -> Iterator[TrainingProgress]:
    """See `belamy.train_translation`."""
    return run_training(TRAINING, config, folder, device, precision=config.precision)
