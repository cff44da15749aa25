"""The work behind `belamy.engines.anystyle.api.any_style_steps`: pictures read, moved, drawn."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import belamy
from belamy.devices import choose_device
from belamy.engines.anystyle.encoder import encoder
from belamy.engines.anystyle.synthesis import CELL_SIDE, Eye, Measure, drawn
from belamy.engines.style.gradient import View
from belamy.engines.style.inputs import Pictures, listed, read_pictures, shrunk
from belamy.engines.style.options import check_range, read_size, read_weights
from belamy.errors import OptionError, UnknownName, WeightsError
from belamy.networks.backbone import Backbone
from belamy.networks.files.weights import embedded_path
from belamy.networks.image_to_image.arbitrary_style import LEVELS, REACH, STRIDE, load_any_painter
from belamy.objectives.patch_match import PIECE
from belamy.optimise import Tiling
from belamy.pixels.colors import keep_colors
from belamy.pixels.images import input_of
from belamy.pixels.recipe import Recipe
from belamy.pixels.tiles import available_memory, tile_for_memory
from belamy.steps import Step

__all__ = ["EMBEDDED", "run"]

EMBEDDED = ("anystyle",)
"""Networks inside the package."""

COLORS = ("luma", "match")
_BYTES_PER_PIXEL = 1700.0  # of memory, for a tile at the peak: measured at 512 px
_LARGEST_TILE = 1024  # pixels: larger ones gain nothing, and memory is for others too
# Styles are seen whole, and strokes as large as on a larger one would be no strokes any more.
_LARGEST_STYLE = 1024  # pixels
_PLACES = ("content", "style", "mask", "style_mask")  # options that are pictures
_RANGES: dict[str, tuple[float, float]] = {
    "strength": (0, 1),
    "pieces": (0, 1),
    "style_scale": (0.01, 100),
    "style_size": (8, _LARGEST_STYLE),
}


def run(**asked: Any) -> Iterator[Step]:
    """See `belamy.engines.anystyle.api.any_style_steps`; takes every one of its arguments."""
    options = _resolved(asked)
    device = choose_device(options["device"])
    loaded = load_any_painter(_found(options["network"]))
    backbone = _encoder(loaded.encoder, loaded.encoder_sha256, device)
    pictures = read_pictures(options, device)
    tiling = _tiling(options["tile"], backbone, pictures.content)
    options |= {"tile": "none" if tiling is None else tiling.tile, "device": str(device)}
    eye = Eye(loaded.painter.to(device), View(backbone, tiling))
    with torch.inference_mode():
        painted = _finished(pictures, _painted(eye, pictures, options), options)
    name = Path(options["network"]).stem
    weights = {name: loaded.sha256, backbone.name: backbone.sha256}
    recipe = _recipe(options, asked, weights)
    yield Step(1, 1, painted.clone(), {}, pictures.alpha, recipe, pictures.note)


def _resolved(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The options, checked."""
    options = dict(asked)
    if options["keep_colors"] is not None and options["keep_colors"] not in COLORS:
        raise UnknownName("keep colors", str(options["keep_colors"]), COLORS)
    for name, (low, high) in _RANGES.items():
        check_range(name, options[name], low, high)
    options["size"] = read_size(options["size"])
    options["style_weight"] = read_weights(options["style_weight"])
    tile = options["tile"]
    if tile not in ("auto", "none") and not isinstance(tile, int):
        raise OptionError(f"tile is {tile!r}; write auto, none, or a number of pixels")
    return options


def _found(network: str) -> Path:
    """The file that `network` means."""
    if network in EMBEDDED:
        return embedded_path(network)
    path = Path(network).expanduser()
    if path.suffix == "" and len(path.parts) < 2 and not path.exists():
        raise UnknownName("network", network, EMBEDDED)
    return path


def _encoder(model: str, sha256: str, device: torch.device) -> Backbone:
    backbone = encoder(model, (), device)
    if backbone.sha256 != sha256:
        raise WeightsError(
            f"the network was trained on another {model} (SHA-256 {sha256[:8]}…, this one has "
            f"{backbone.sha256[:8]}…); train it again"
        )
    return backbone


def _tiling(asked: str | int, backbone: Backbone, image: Tensor) -> Tiling | None:
    """How the picture is cut; None where it is painted whole."""
    if asked == "none":
        return None
    field = max(backbone.layers[backbone.resolve(level)].receptive_field or 1 for level in LEVELS)
    # A pixel sees so far; what is laid there may begin a place beside, and belong to a stretch that
    # the cell beside that place's own has chosen, by a piece around its middle.
    reach = field // 2 + REACH + 2 * (PIECE // 2) * STRIDE + 3 * CELL_SIDE // 2
    margin = -(-reach // CELL_SIDE) * CELL_SIDE
    least = 2 * margin + 2 * CELL_SIDE
    if isinstance(asked, int) and asked < least:
        raise OptionError(f"a tile of {asked} px is too small here; take {least} px or more")
    if asked == "auto":
        free = available_memory(image.device)
        side = tile_for_memory(_BYTES_PER_PIXEL, free, least, align=CELL_SIDE)
        asked = max(least, min(side, _LARGEST_TILE))
    assert isinstance(asked, int)
    return None if max(image.shape[-2:]) <= asked else Tiling(asked, margin, CELL_SIDE)


def _painted(eye: Eye, pictures: Pictures, options: Mapping[str, Any]) -> Tensor:
    """(1, 3, H, W), not clamped."""
    long_side = options["style_size"] or round(
        max(pictures.content.shape[-2:]) * options["style_scale"]
    )
    styles = [shrunk(one, min(long_side, _LARGEST_STYLE)) for one in pictures.styles]
    measure = Measure(options["strength"], options["pieces"], options["seed"])
    return drawn(eye, pictures.content, styles, pictures.masks, measure)


def _finished(pictures: Pictures, painted: Tensor, options: Mapping[str, Any]) -> Tensor:
    content = pictures.content
    painted = painted.clamp(0, 1)
    if options["keep_colors"] == "luma":
        painted = keep_colors(content, painted)
    cover = pictures.cover((content.shape[-2], content.shape[-1]))
    return painted if cover is None else content + cover * (painted - content)


def _recipe(
    options: Mapping[str, Any], asked: Mapping[str, Any], weights: dict[str, str]
) -> Recipe:
    given = [(role, source) for role in _PLACES for source in listed(asked[role])]
    plain = {name: value for name, value in options.items() if name not in _PLACES}
    return Recipe(
        engine="anystyle",
        options={**plain, "network": os.fspath(options["network"])},
        inputs=tuple(input_of(role, source) for role, source in given),
        weights=weights,
        seed=options["seed"],
        belamy=belamy.__version__,
        torch=torch.__version__,
        step=1,
    )
