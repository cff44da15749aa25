"""Weights of backbones: a network file that also says how pictures are shown to the network.

mean, std   JSON lists of three numbers: red, green, blue in [0, 1]
classes     JSON list of the logits' names, in order; empty when there are none
side        pixels of the square that a classifier is shown; 224 where nothing is said
short_side  what the shorter side of a picture is brought to, before that square is cut out of
            its middle; 256 where nothing is said (so torchvision measures its networks)
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from belamy.networks.files.network_file import (
    NetworkFile,
    check_shapes,
    save_network_file,
    without_counters,
)
from belamy.networks.find import open_network
from belamy.networks.registry import build_backbone, find_architecture
from belamy.networks.sequential import Chain

__all__ = ["SHORT_SIDE", "SIDE", "Description", "Weights", "open_weights", "save_weights"]

SIDE, SHORT_SIDE = 224, 256  # pixels, of the published networks
_LARGEST_SIDE = 4096  # pixels; more would be an error of writing


@dataclass(frozen=True)
class Description:
    """What a file of weights says about itself; the fields are those of the module's docstring."""

    network: str
    arguments: Mapping[str, Any]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    classes: tuple[str, ...]
    trained_on: str
    side: int = SIDE
    short_side: int = SHORT_SIDE

    @classmethod
    def of(cls, file: NetworkFile) -> Description:
        """What an open file says.

        Raises:
            WeightsError: nothing, or nonsense.
        """
        metadata = file.metadata
        with file.describing():
            classes = json.loads(metadata.get("classes", "[]"))
            if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
                raise ValueError("classes is not a list of names")
            mean, std = (_read_color(metadata, name) for name in ("mean", "std"))
            if min(std) <= 0:
                raise ValueError("std is not above zero")
            words = metadata.get("trained_on", "")
            colors, sides = (mean, std), _read_sides(metadata)
            return cls(file.network, file.arguments, *colors, tuple(classes), words, *sides)

    def to_metadata(self) -> dict[str, str]:
        """What a file says beside its network, its arguments and its data."""
        lists = {name: json.dumps(getattr(self, name)) for name in ("mean", "std", "classes")}
        return {**lists, "side": str(self.side), "short_side": str(self.short_side)}


def _read_sides(metadata: Mapping[str, str]) -> tuple[int, int]:
    side = int(metadata.get("side", SIDE))
    short_side = int(metadata.get("short_side", SHORT_SIDE))
    if not 1 <= side <= short_side <= _LARGEST_SIDE:
        raise ValueError(f"side {side} and short_side {short_side} are no sides of pictures")
    return side, short_side


def _read_color(metadata: Mapping[str, str], name: str) -> tuple[float, ...]:
    numbers = tuple(float(number) for number in json.loads(metadata[name]))
    if len(numbers) != 3 or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{name} is not three numbers")
    return numbers


class Weights:
    """An open file of a backbone's weights; tensors are read when asked for."""

    def __init__(self, file: NetworkFile) -> None:
        self.file, self.path, self.sha256 = file, file.path, file.sha256
        self.metadata = file.metadata
        self.description = Description.of(file)

    def build(self) -> Chain:
        """The network that the file is for, with its arguments, on torch's default device."""
        with self.file.describing():
            return build_backbone(self.description.network, **self.description.arguments)

    def check(self, shapes: Mapping[str, torch.Size]) -> None:
        """Raises WeightsError unless the file has all of `shapes`."""
        check_shapes(self.path, self.description.network, self.file.shapes(), shapes)

    def read(self, name: str) -> Tensor:
        """One tensor, as it lies in the file (a view of it: copy what is to be kept)."""
        return self.file.read(name)


@contextmanager
def open_weights(model: str | Path) -> Iterator[Weights]:
    """A backbone's weights by name or file, verified, ready to be read a tensor at a time.

    Raises:
        UnknownName, WeightsError: see `belamy.networks.find.open_network`.
    """
    with open_network(model, "backbone") as file:
        yield Weights(file)


def save_weights(
    path: Path,
    state: Mapping[str, Tensor],
    *,
    network: str,
    mean: Sequence[float],
    std: Sequence[float],
    classes: Sequence[str] = (),
    arguments: Mapping[str, Any] | None = None,
    trained_on: str = "",
    side: int = SIDE,
    short_side: int = SHORT_SIDE,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Write weights that `load_backbone(path)` loads, and their SHA-256 beside them.

    Args:
        path: a `.safetensors` file, replaced whole.
        state: the network's state dict; batch norm's counters are left out.
        network: its name in the registry.
        mean, std: three numbers each: red, green, blue in [0, 1].
        classes: names of the logits, in order.
        arguments: what the network is built with, where that is not the default.
        trained_on: the data, in words.
        side: of the square that a classifier is shown, in pixels.
        short_side: what the shorter side of a picture is brought to before that.
        notes: further metadata (source, licence, accuracy).
    """
    find_architecture(network, "backbone")
    own, colors = dict(arguments or {}), (tuple(mean), tuple(std))
    description = Description(network, own, *colors, tuple(classes), trained_on, side, short_side)
    save_network_file(
        path,
        without_counters(state),
        network=network,
        arguments=own,
        trained_on=trained_on,
        metadata={**(notes or {}), **description.to_metadata()},
    )
