"""Small paintings that tests of style share: a quick one, and one whose every option is set."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from belamy.devices import make_rng

LAYERS = ("conv1", "mixed3a")
QUICK: dict[str, Any] = {
    "size": 48,
    "min_size": 32,
    "iterations": "4,2",
    "style_layer": LAYERS,
    "content_layer": "conv2b",
    "tile": "none",
}

CONTENT = {"conv2b": 3.0, "mixed3a": 1.0}
STYLE = {"conv1": 1.0, "mixed3a": 4.0}
NAMES: dict[str, Any] = {
    "content_layer": ("conv2b*3", "mixed3a"),
    "style_layer": ("conv1", "mixed3a*4"),
}
PLAIN: dict[str, Any] = {
    **NAMES, "size": 40, "min_size": 40, "iterations": 1, "init": "noise", "tile": "none",
    "content_weight": 0.3, "tv": 0.7, "optimizer": "adam", "step_size": 0.05,
}  # fmt: skip


def noise(height: int, width: int, seed: int) -> Tensor:
    rough = torch.rand((1, 3, height, width), generator=make_rng(seed, "noise"))
    return 0.3 + 0.4 * rough


PAINTINGS = (noise(30, 44, 1), noise(36, 28, 2))
