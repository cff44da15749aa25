"""A contact sheet of what a network's layers or channels like best, drawn from noise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import torch

from belamy.engines.dream.options import AtlasOptions, DreamOptions
from belamy.engines.dream.render import Dreamer
from belamy.engines.recipes import recipe_of
from belamy.errors import OptionError, UnknownName
from belamy.networks.files.weights import open_weights
from belamy.networks.find import choose_backbone
from belamy.networks.geometry import Layer, layer_table
from belamy.pixels.images import contact_sheet
from belamy.steps import Step

__all__ = ["draw_atlas"]

COLUMNS = 4
# Stages that only pass on or pick from what the one before them found.
_PASSING = re.compile(r"(pool|norm|drop|avg|fc|logits)")


def draw_atlas(options: AtlasOptions) -> Iterator[Step]:
    """A picture for each layer or channel, and the sheet so far: see `atlas_steps`."""
    model = choose_backbone(options.model)
    layers = _channels(model, options) if options.layer is not None else _layers_to_draw(model)
    pictures = []
    for index, layer in enumerate(layers, start=1):
        drawn = Dreamer(
            DreamOptions(
                model=model,
                layer=layer,
                size=options.size,
                steps=options.steps,
                canvas="fourier",
                seed=options.seed,
                device=options.device,
            )
        )()
        pictures.append(drawn.image)
        sheet = contact_sheet(pictures, columns=COLUMNS, captions=layers[:index])
        assert drawn.recipe is not None
        device = str(drawn.recipe.options["device"])
        recipe = recipe_of(
            "atlas", replace(options, model=model, device=device), drawn.recipe.weights, step=index
        )
        yield Step(index, len(layers), sheet, {}, recipe=recipe)


def _layers_to_draw(model: str) -> list[str]:
    """The layers worth a picture: of a convolution and its ReLU, the ReLU."""
    stages = [layer.name for layer in _layers(model) if layer.name == layer.stage]
    rectified = {name.replace("relu", "conv") for name in stages if name.startswith("relu")}
    return [name for name in stages if not _PASSING.match(name) and name not in rectified]


def _channels(model: str, options: AtlasOptions) -> list[str]:
    rows = {row.name: row for row in _layers(model)}
    layer, count = options.layer, options.channels
    if layer not in rows:
        raise UnknownName(f"layer of {model}", str(layer), rows)
    if count > rows[layer].channels:
        raise OptionError(
            f"channels is {count}; {layer!r} has {rows[layer].channels}: ask for 1 to as many"
        )
    return [f"{layer}:{number}" for number in range(count)]


def _layers(model: str) -> list[Layer]:
    """The network's layers, without building it."""
    with open_weights(model) as weights, torch.device("meta"):
        return list(layer_table(weights.build()).values())
