"""The numbers that networks may compute in while they train, by name.

Without torch, so that the commands' help can read it.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from belamy.errors import UnknownName

__all__ = ["TRAINING_PRECISIONS", "Precision", "check_precision"]

Precision: TypeAlias = Literal["auto", "float32", "bfloat16", "float16"]

TRAINING_PRECISIONS: tuple[str, ...] = get_args(Precision)


def check_precision(name: str) -> None:
    """Raises:
    UnknownName: it is none of `TRAINING_PRECISIONS`.
    """
    if name not in TRAINING_PRECISIONS:
        raise UnknownName("precision", name, TRAINING_PRECISIONS)
