"""The options of a style transfer: presets, ranges, and what the recipe keeps of them."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import belamy
from belamy.devices import PRECISIONS
from belamy.engines.style.inputs import listed
from belamy.engines.style.network import POOLINGS
from belamy.engines.style.optimizers import OPTIMIZERS
from belamy.engines.style.targets import Taste, written_layers
from belamy.errors import OptionError, UnknownName
from belamy.networks.backbone import Backbone
from belamy.objectives.style_losses import STYLE_LOSSES
from belamy.pixels.images import input_of
from belamy.pixels.recipe import Recipe

PRESETS: dict[str, dict[str, Any]] = {
    "sketch": {"size": 256, "iterations": "80,40"},
    "standard": {"size": 512, "iterations": "200,100"},
    "fine": {"size": 512, "iterations": "600,300"},
}
"""How much work. Seconds of one core (AMD EPYC) with iris, a picture of 4:3, all scales: sketch 15,
standard 136, measured once on a busy machine; fine has three times the steps of standard."""

INITS = ("content", "noise", "grey", "style-statistics")
COLORS = ("luma", "match")
_PLACES = ("content", "style", "mask", "style_mask")  # options that are pictures
_RANGES: dict[str, tuple[float, float]] = {
    "min_size": (8, 32_768),
    "content_weight": (0, 1e6),
    "tv": (0, 1e6),
    "style_scale": (0.01, 100),
    "style_size": (8, 32_768),
    "step_size": (1e-6, 100),
}
_SIZES = (8, 32_768)
_MOST_STEPS = 1_000_000


def resolved(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The options with every open one filled in, checked.

    Raises:
        OptionError: a value out of its range.
        UnknownName: a choice that there is not.
    """
    options = dict(asked)
    tables: dict[str, Collection[str]] = {
        "preset": PRESETS,
        "style_loss": STYLE_LOSSES,
        "optimizer": OPTIMIZERS,
        "precision": PRECISIONS,
        "pooling": POOLINGS,
        "keep_colors": COLORS,
    }
    for name, table in tables.items():
        if options[name] is not None and options[name] not in table:
            raise UnknownName(name.replace("_", " "), str(options[name]), table)
    for name, value in PRESETS[options["preset"]].items():
        options[name] = value if options[name] is None else options[name]
    if options["step_size"] is None:
        options["step_size"] = OPTIMIZERS[options["optimizer"]][1]
    for name, (low, high) in _RANGES.items():
        check_range(name, options[name], low, high)
    _check_init(options["init"])
    options["size"] = read_size(options["size"])
    options["iterations"] = _iterations(options["iterations"])
    options["style_weight"] = read_weights(options["style_weight"])
    tile = options["tile"]
    if tile not in ("auto", "none") and not (isinstance(tile, int) and tile >= 64):
        raise OptionError(f"tile is {tile!r}; write auto, none, or 64 pixels or more")
    return options


def _check_init(init: Any) -> None:
    """A word that nobody knows is no picture either; better said before any work."""
    init = os.fspath(init) if isinstance(init, os.PathLike) else init  # as the command line has it
    if isinstance(init, str) and init not in INITS and not Path(init).exists():
        close = difflib.get_close_matches(init, INITS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(INITS)}"
        raise OptionError(f"init is {init!r}, which is no picture and no way to start; {hint}")


def read_weights(given: float | Sequence[float]) -> list[float]:
    """How much each style counts, as a list.

    Raises:
        OptionError: one is not over 0.
    """
    weights = [float(weight) for weight in listed(given)]
    for weight in weights:
        if not 0 < weight < math.inf:
            raise OptionError(
                f"style-weight is {weight:g}; it must be over 0, or leave the style out"
            )
    return weights


def check_range(name: str, value: float | None, low: float, high: float) -> None:
    """Raise `OptionError` for a number that is out of its range; None is no number."""
    if value is not None and not low <= value <= high:
        raise OptionError(
            f"{name.replace('_', '-')} is {value}; it must be from {low:g} to {high:g}"
        )


def read_size(size: int | str) -> int | str:
    """A long side in pixels, or `N+` for as many pixels as a square of N has.

    Raises:
        OptionError: neither, or out of range.
    """
    match = re.fullmatch(r"(\d{1,9})(\+?)", str(size))
    if match is None:
        raise OptionError(f"size is {size!r}; write the long side in pixels, or N+ for N*N pixels")
    check_range("size", int(match[1]), *_SIZES)
    return f"{int(match[1])}+" if match[2] else int(match[1])


def _iterations(text: int | str) -> tuple[int, int]:
    """Steps at the first scale, and at each next one."""
    parts = str(text).split(",")
    if len(parts) > 2 or not all(part.strip().isdecimal() for part in parts):
        raise OptionError(f"iterations is {text!r}; write N, or FIRST,NEXT as 600,300")
    first, following = int(parts[0]), int(parts[-1])
    for steps in (first, following):
        check_range("iterations", steps, 1, _MOST_STEPS)
    return first, following


def recipe_of(
    options: Mapping[str, Any], asked: Mapping[str, Any], taste: Taste, backbone: Backbone
) -> Recipe:
    """How to make the picture again; `asked` has the pictures as they were given."""
    given = [(role, source) for role in _PLACES for source in listed(asked[role])]
    plain = {name: value for name, value in options.items() if name not in _PLACES}
    init = options["init"]
    if not (isinstance(init, str) and init in INITS):
        given.append(("init", plain.pop("init")))
    plain |= {
        "model": os.fspath(options["model"]),
        "content_layer": written_layers(taste.content),
        "style_layer": written_layers(taste.style),
        "content_weight": taste.content_weight,
        "tv": taste.tv,
        "iterations": ",".join(map(str, options["iterations"])),
    }
    return Recipe(
        engine="style",
        options=plain,
        inputs=tuple(input_of(role, source) for role, source in given),
        weights={backbone.name: backbone.sha256} if backbone.sha256 else {},
        seed=options["seed"],
        belamy=belamy.__version__,
        torch=torch.__version__,
    )
