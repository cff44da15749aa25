"""The numbers that networks may compute in, and on what, by name.

Without torch, so that the commands' help can read it.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias, get_args

from belamy.errors import UnknownName

__all__ = [
    "AUTO",
    "MACHINE",
    "TRAINING_PRECISIONS",
    "PassPrecision",
    "Precision",
    "check_precision",
    "is_device",
]

Precision: TypeAlias = Literal["auto", "float32", "bfloat16", "float16"]
PassPrecision: TypeAlias = Literal["auto", "float32", "bfloat16"]
"""Of networks that are shown a picture, and not trained."""

AUTO = "auto"
MACHINE = ("device", "precision", "tile")
"""Options that say how is computed, not what: where they are `auto`, each machine decides. A recipe
has what it came to on the machine that wrote it, which `belamy replay` keeps to."""

_DEVICE = re.compile(r"auto|cpu|mps(:0)?|cuda(:\d{1,2})?")

TRAINING_PRECISIONS: tuple[str, ...] = get_args(Precision)


def check_precision(name: str) -> None:
    """Raises:
    UnknownName: it is none of `TRAINING_PRECISIONS`.
    """
    if name not in TRAINING_PRECISIONS:
        raise UnknownName("precision", name, TRAINING_PRECISIONS)


def is_device(name: str) -> bool:
    """Whether some machine has a device of this name: auto, cpu, cuda, cuda:1, mps."""
    return _DEVICE.fullmatch(name) is not None
