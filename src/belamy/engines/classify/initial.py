"""A classifier before its first step: from nothing, or from a network that can already see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from belamy.devices import make_rng
from belamy.engines.classify.config import ClassifyConfig
from belamy.engines.classify.task import IMAGENET, Normalisation
from belamy.errors import OptionError, UnknownName
from belamy.networks.backbones.iris import initialise
from belamy.networks.files.network_file import without_counters
from belamy.networks.files.weights import Weights, open_weights
from belamy.networks.registry import build_backbone, find_architecture
from belamy.networks.sequential import Chain

__all__ = ["Start", "find_head", "start_network"]


@dataclass(frozen=True)
class Start:
    """A network before its first step, and what it was built with."""

    network: Chain
    name: str
    arguments: dict[str, Any]
    normalisation: Normalisation

    @property
    def module(self) -> nn.Module:
        assert isinstance(self.network, nn.Module)
        return self.network


def start_network(config: ClassifyConfig, classes: Sequence[str]) -> Start:
    """The network as it is before the first step, its frozen stages without gradients.

    Raises:
        UnknownName: no such network or stage.
        WeightsError: the weights to start from are not here, or do not fit.
        OptionError: the smallest pictures are too small for the network.
    """
    if config.start is None:
        start = _from_nothing(config, classes)
    else:
        with open_weights(config.start) as weights:
            start = _from_weights(weights, classes, config.seed)
    if config.freeze not in (None, "none"):
        _freeze(start, config.freeze)
    _check_size(start, min(size for size, _ in config.stages))
    return start


def _from_nothing(config: ClassifyConfig, classes: Sequence[str]) -> Start:
    form = find_architecture(config.network, "backbone").training_form
    arguments: dict[str, Any] = {"classes": len(classes), **form}
    start = Start(build_backbone(config.network, **arguments), config.network, arguments, IMAGENET)
    initialise(start.module, make_rng(config.seed, "weights"))
    return start


def _from_weights(weights: Weights, classes: Sequence[str], seed: int) -> Start:
    """The network of a file, with a new head unless the classes are the same."""
    saved = weights.description
    arguments = {**saved.arguments, "classes": len(classes)}
    network = build_backbone(saved.network, **arguments)
    start = Start(network, saved.network, arguments, (saved.mean, saved.std))
    initialise(start.module, make_rng(seed, "weights"))
    new = set[str]()
    if tuple(classes) != saved.classes:
        _, head = find_head(network)
        new = {n for n, part in start.module.named_parameters() if part in set(head.parameters())}
    state = {
        name: tensor
        for name, tensor in without_counters(start.module.state_dict()).items()
        if name not in new
    }
    weights.check({name: tensor.shape for name, tensor in state.items()})
    for name, tensor in state.items():
        tensor.copy_(weights.read(name))
    return start


def find_head(network: Chain) -> tuple[int, nn.Module]:
    """The last layer, which gives a logit for each class, and which stage it is in."""
    layers = [
        (index, part)
        for index, (_, stage) in enumerate(network.stages())
        for part in stage.modules()
        if isinstance(part, nn.Linear | nn.Conv2d)
    ]
    return layers[-1]


def _freeze(start: Start, last: str) -> None:
    stages = start.network.stages()
    # the head is never frozen: something must be left to learn
    names = [name for name, _ in stages[: find_head(start.network)[0]]]
    if last == "all":
        last = names[-1]
    if last not in names:
        layers = [name for name in names if not name.startswith("_")]
        known = ["all", "none", *layers]
        raise UnknownName(f"stage of {start.name} before its last layer", last, known)
    for _, part in stages[: names.index(last) + 1]:
        part.requires_grad_(False)


def _check_size(start: Start, size: int) -> None:
    try:
        with torch.no_grad():
            start.module.eval()(torch.zeros(1, 3, size, size))
    except RuntimeError as error:
        raise OptionError(
            f"pictures of {size} px are too small for {start.name}; train on larger ones, as "
            f"--stages {2 * size}:8"
        ) from error
