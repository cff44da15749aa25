"""From a configuration to a trained network in a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from torch import nn

from belamy.engines.classify.config import ClassifyConfig
from belamy.engines.classify.head_task import HeadTask, attach_head
from belamy.engines.classify.initial import Start, start_network
from belamy.engines.classify.task import ClassifierTask, measured_side
from belamy.networks.backbones.iris import Iris, fold
from belamy.networks.files.weights import save_weights
from belamy.training.data import Labelled, load_splits
from belamy.training.pictures import pictures_cache
from belamy.training.run import Training, run_training
from belamy.training.run_folder import Run
from belamy.training.trainer import Trained, TrainingProgress

__all__ = ["TRAINING", "Metadata", "export", "train"]


_Data = tuple[tuple[Labelled, Labelled], Start]  # pictures; the network before its first step


def _load_data(config: ClassifyConfig, accelerator: Accelerator) -> _Data:
    sets = _load_sets(config)
    return sets, start_network(config, sets[0].classes)


def _make_task(
    config: ClassifyConfig, data: _Data, run: Run, accelerator: Accelerator
) -> ClassifierTask | HeadTask:
    sets, start = data
    if config.head_alone:
        return HeadTask(config, start, sets, accelerator)
    return ClassifierTask(config, start.module, sets, accelerator, start.normalisation)


def _save(config: ClassifyConfig, data: _Data, run: Run, trained: Trained) -> None:
    (train_set, _), start = data
    kept = ("accuracy", "top5")
    notes = {name: f"{x:.2f}" for name, x in trained.measures.items() if name in kept}
    metadata = Metadata(train_set.classes, Path(config.data).name, notes)
    network = trained.networks["classifier"]
    if config.head_alone:
        network = attach_head(start, network)
    export(start, network, run.folder, config, metadata)


def _load_sets(config: ClassifyConfig) -> tuple[Labelled, Labelled]:
    """The pictures to train on, and those to measure on."""
    sides = (config.kept_side, measured_side(config))
    return load_splits(config.data, sides, pictures_cache())


@dataclass(frozen=True)
class Metadata:
    """What a file of weights should say about itself."""

    classes: tuple[str, ...]
    trained_on: str
    notes: dict[str, str]


def export(
    start: Start, network: nn.Module, folder: Path, config: ClassifyConfig, metadata: Metadata
) -> Path:
    """Write the trained network, to be used and to be trained further.

    Args:
        start: what it was before its first step.
        network: with its final (averaged) weights.
        folder: the run folder.
        config: how it was trained.
        metadata: the classes, the data in words, and measures.

    Returns:
        the path of the one to be used: half precision, batch norm folded where that is ours.
    """
    mean, std = start.normalisation
    side = measured_side(config)
    common: dict[str, Any] = {
        "network": start.name,
        "mean": mean,
        "std": std,
        "classes": metadata.classes,
        "trained_on": metadata.trained_on,
        "side": side,
        "short_side": side,
        "notes": metadata.notes,
    }
    further = folder / "network-training.safetensors"
    save_weights(further, network.state_dict(), arguments=start.arguments, **common)
    arguments = start.arguments
    if isinstance(network, Iris) and not network.folded:
        network, arguments = fold(network), {**arguments, "folded": True}
    half = {name: tensor.half() for name, tensor in network.state_dict().items()}
    path = folder / "network.safetensors"
    save_weights(path, half, arguments=arguments, **common)
    return path


TRAINING = Training("classify", _load_data, _make_task, _save)


def train(config: ClassifyConfig, folder: Path, device: str) -> Iterator[TrainingProgress]:
    """See `belamy.engines.classify.api.train_classifier`."""
    return run_training(TRAINING, config, folder, device)
