"""A contact sheet of what a network's layers or channels like best, drawn from noise."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace

from belamy.engines.dream.options import AtlasOptions, DreamOptions
from belamy.engines.dream.render import Dreamer
from belamy.engines.recipes import recipe_of
from belamy.errors import OptionError, UnknownName
from belamy.networks.files.weights import open_weights
from belamy.networks.geometry import Layer, layer_table
from belamy.networks.modules.module_backbone import ModuleBackbone
from belamy.networks.modules.open_network import Model, is_module, list_models, open_backbone
from belamy.networks.unfilled import skip_filling
from belamy.pixels.images import contact_sheet
from belamy.steps import Step

__all__ = ["draw_atlas"]

COLUMNS = 4
# Stages that only pass on or pick from what the one before them found.
_PASSING = re.compile(r"(pool|norm|drop|avg|fc|logits)")


def draw_atlas(options: AtlasOptions) -> Iterator[Step]:
    """A picture for each layer or channel, and the sheet so far: see `atlas_steps`."""
    model = list_models(options.model)[0]
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
                augment=options.augment,
                precision="float32",  # as ever: the recipe of a sheet does not name it
                seed=options.seed,
                device=options.device,
            )
        )()
        pictures.append(drawn.image)
        sheet = contact_sheet(pictures, columns=COLUMNS, captions=layers[:index])
        assert drawn.recipe is not None
        made = drawn.recipe
        settled = replace(options, model=model, device=str(made.options["device"]))
        changed = {"model": made.options["model"]}
        recipe = recipe_of(
            "atlas", settled, made.weights, changed=changed, given=options, step=index
        )
        yield Step(index, len(layers), sheet, {}, recipe=recipe)


def _layers_to_draw(model: Model) -> list[str]:
    """The layers worth a picture: of a convolution and its ReLU, the ReLU."""
    if is_module(model):
        main = set(_open_module(model).main_layers())
        return [row.name for row in _layers(model) if row.name in main and row.stride is not None]
    stages = [layer.name for layer in _layers(model) if layer.name == layer.stage]
    rectified = {name.replace("relu", "conv") for name in stages if name.startswith("relu")}
    return [name for name in stages if not _PASSING.match(name) and name not in rectified]


def _channels(model: Model, options: AtlasOptions) -> list[str]:
    rows = {row.name: row for row in _layers(model)}
    layer, count = options.layer, options.channels
    if layer not in rows:
        name = _open_module(model).name if is_module(model) else model
        raise UnknownName(f"layer of {name}", str(layer), rows)
    if count > rows[layer].channels:
        raise OptionError(
            f"channels is {count}; {layer!r} has {rows[layer].channels}: ask for 1 to as many"
        )
    return [f"{layer}:{number}" for number in range(count)]


def _open_module(model: Model) -> ModuleBackbone:
    backbone = open_backbone(model)
    assert isinstance(backbone, ModuleBackbone)
    return backbone


def _layers(model: Model) -> list[Layer]:
    """The network's layers, without building it; a module's are those of the module."""
    if is_module(model):
        return list(_open_module(model).layers.values())
    assert isinstance(model, (str, os.PathLike))
    with open_weights(os.fspath(model)) as weights, skip_filling():
        return list(layer_table(weights.build()).values())
