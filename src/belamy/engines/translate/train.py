"""From a configuration to networks that translate, in a run folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from accelerate import Accelerator

from belamy.engines.translate.api import TranslateConfig
from belamy.engines.translate.task import TranslateTask
from belamy.networks.files.network_file import join_states, save_network_file
from belamy.networks.find import IN_RUN
from belamy.training.domains import CROPS, DomainPair, load_domains
from belamy.training.run import Training, run_training
from belamy.training.run_folder import Run
from belamy.training.trainer import Trained, TrainingProgress

__all__ = ["TRAINING", "train"]


def _load_data(config: TranslateConfig, accelerator: Accelerator) -> DomainPair:
    side = round(CROPS[config.crop][0] * config.size)
    return load_domains(config.a, config.b, side, paired=config.method == "pix2pix")


def _make_task(
    config: TranslateConfig, data: DomainPair, run: Run, accelerator: Accelerator
) -> TranslateTask:
    return TranslateTask(config, data, run.samples, accelerator)


def _save(config: TranslateConfig, data: DomainPair, run: Run, trained: Trained) -> None:
    notes = {name: f"{value:.4f}" for name, value in trained.measures.items()}
    labels = {"a": config.a_label or "", "b": config.b_label or ""}
    save_network_file(
        run.folder / IN_RUN,
        join_states({name: trained.networks[name] for name in config.directions}),
        network="translation",
        arguments=config.arguments,
        trained_on=f"{Path(config.a).name} and {Path(config.b).name}",
        metadata={
            **notes,
            **labels,
            "method": config.method,
            "style": f"{labels['a']} and {labels['b']}",
            "directions": json.dumps(list(config.directions)),
        },
        half=True,
    )


TRAINING = Training("translate", _load_data, _make_task, _save)


def train(config: TranslateConfig, folder: Path, device: str) -> Iterator[TrainingProgress]:
    """See `belamy.engines.translate.api.train_translation`."""
    return run_training(TRAINING, config, folder, device, precision=config.precision)
