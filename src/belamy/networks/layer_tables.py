"""The layers of the registry's backbones, written down beforehand: shown without building any.

`layer_tables.json` is written by `scripts/layer_tables`; a test compares it with what is built.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["TABLES", "Layer", "LayerTable", "find_table"]

TABLES = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class Layer:
    """One named place of a network.

    Attributes:
        name: as a person types it; a dot after the stage's name leads inside the stage.
        channels: the size of axis 1 of its output.
        stride: picture pixels from one place to the next; None when it has no places left.
        receptive_field: side in pixels of the square that one place looks at; None for the whole
            picture.
        stage: the stage of the chain that computes it; its own name unless it is an inner layer.
    """

    name: str
    channels: int
    stride: int | None
    receptive_field: int | None
    stage: str


@dataclass(frozen=True)
class LayerTable:
    """A network's stages, in the order they are computed.

    Args:
        parameters: numbers that were trained, in all.
        layers: the stages; what is inside them is left out.
    """

    parameters: int
    layers: tuple[Layer, ...]

    def to_json(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """As it is written down.

        Args:
            arguments: with which the network was built.
        """
        rows = [[one.name, one.channels, one.stride, one.receptive_field] for one in self.layers]
        return {"arguments": dict(arguments), "parameters": self.parameters, "layers": rows}


def find_table(network: str, arguments: Mapping[str, Any] | None = None) -> LayerTable | None:
    """What is written down of a backbone; None where nothing is, or of other arguments.

    Args:
        network: its name in the registry.
        arguments: with which it is built; None for those that are written down.
    """
    row = _tables().get(network)
    if row is None or (arguments is not None and row["arguments"] != dict(arguments)):
        return None
    layers = (
        Layer(name, channels, stride, field, stage=name)
        for name, channels, stride, field in row["layers"]
    )
    return LayerTable(row["parameters"], tuple(layers))


@cache
def _tables() -> dict[str, Any]:
    return dict(json.loads(TABLES.read_text("utf-8")))
