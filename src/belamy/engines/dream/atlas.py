"""What each layer, or each channel of one layer, likes best: a contact sheet of favourites.

This module imports no torch, so that the command line can read its signature and defaults.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from belamy.steps import Step, drained

if TYPE_CHECKING:
    from belamy.networks.geometry import Layer
    from belamy.pixels.recipe import Recipe

COLUMNS = 4
# Stages that only pass on or pick from what the one before them found.
_PASSING = re.compile(r"(pool|norm|drop|avg|fc|logits)")


def atlas_steps(
    model: str = "iris",
    *,
    layer: str | None = None,
    channels: int = 12,
    size: int = 160,
    steps: int = 128,
    seed: int = 0,
    device: str = "auto",
) -> Iterator[Step]:
    """Draw a network's favourites from noise: one picture a layer, or one a channel.

    Args:
        model: a network's name (`belamy models list`) or weights file.
        layer: draw the channels of this layer; None draws each layer's favourite pattern.
        channels: how many channels of the layer, from its first on.
        size: side of each picture in pixels.
        steps: of the Fourier canvas, for each picture; half of what a single dream takes, since
            small pictures settle sooner.
        seed: of the noise that they start from.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Step` for each picture, with the sheet so far.

    Raises:
        UnknownName: no such model or layer.
        OptionError: a value out of its range.
        WeightsError: the model's weights are not here.

    Source: Olah, Mordvintsev and Schubert 2017, "Feature visualization".
    """
    from belamy.engines.dream.api import dream
    from belamy.pixels.images import contact_sheet

    asked = {
        "model": os.fspath(model),
        "layer": layer,
        "channels": channels,
        "size": size,
        "steps": steps,
    }
    goals = _channels(model, layer, channels) if layer is not None else _favourites(model)
    pictures = []
    for index, goal in enumerate(goals, start=1):
        made = dream(
            model=model,
            layer=goal,
            size=size,
            steps=steps,
            canvas="fourier",
            seed=seed,
            device=device,
        )
        pictures.append(made.image)
        sheet = contact_sheet(pictures, columns=COLUMNS, captions=goals[:index])
        assert made.recipe is not None
        yield Step(index, len(goals), sheet, {}, recipe=_recipe(made.recipe, asked, seed, index))


atlas = drained(atlas_steps)


def _favourites(model: str) -> list[str]:
    """The layers worth a picture: of a convolution and its ReLU, the ReLU."""
    stages = [layer.name for layer in _layers(model) if layer.name == layer.stage]
    rectified = {name.replace("relu", "conv") for name in stages if name.startswith("relu")}
    return [name for name in stages if not _PASSING.match(name) and name not in rectified]


def _channels(model: str, layer: str, count: int) -> list[str]:
    from belamy.errors import OptionError, UnknownName

    rows = {row.name: row for row in _layers(model)}
    if layer not in rows:
        raise UnknownName(f"layer of {model}", layer, rows)
    if not 1 <= count <= rows[layer].channels:
        raise OptionError(
            f"channels is {count}; {layer!r} has {rows[layer].channels}: ask for 1 to as many"
        )
    return [f"{layer}:{number}" for number in range(count)]


def _layers(model: str) -> list[Layer]:
    """The network's layers, without building it."""
    import torch

    from belamy.networks.files.weights import find_weights, open_weights
    from belamy.networks.geometry import layer_table

    with open_weights(find_weights(model)) as weights, torch.device("meta"):
        return list(layer_table(weights.build()).values())


def _recipe(made: Recipe, asked: dict[str, Any], seed: int, index: int) -> Recipe:
    options = {**asked, "seed": seed, "device": made.options["device"]}
    return replace(made, engine="atlas", options=options, step=index)
