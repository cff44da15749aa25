"""From a configuration to networks that translate, in a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from accelerate import Accelerator

from belamy.engines.translate.config import TranslateConfig
from belamy.engines.translate.task import TranslateTask
from belamy.networks.find import IN_RUN
from belamy.networks.image_to_image.load import save_image_net
from belamy.training.domains import CROPS, DomainPair, load_domains
from belamy.training.run import Training, run_training
from belamy.training.run_folder import Run
from belamy.training.trainer import Trained, TrainingProgress

__all__ = ["TRAINING", "train"]


def _load_data(config: TranslateConfig, accelerator: Accelerator) -> DomainPair:
    side = round(CROPS[config.crop][0] * config.size)
    domains = load_domains(config.a, config.b, side, paired=config.paired)
    return domains.swap() if config.direction == "b-to-a" else domains


def _make_task(
    config: TranslateConfig, data: DomainPair, run: Run, accelerator: Accelerator
) -> TranslateTask:
    return TranslateTask(config, data, run.samples, accelerator)


def _save(config: TranslateConfig, data: DomainPair, run: Run, trained: Trained) -> None:
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
        },
        style=f"{labels['a']} and {labels['b']}",
        trained_on=f"{Path(config.a).name} and {Path(config.b).name}",
        notes={**notes, **labels, "method": config.method},
    )


TRAINING = Training("translate", _load_data, _make_task, _save)


def train(config: TranslateConfig, folder: Path, device: str) -> Iterator[TrainingProgress]:
    """See `belamy.train_translation`."""
    return run_training(TRAINING, config, folder, device, precision=config.precision)
