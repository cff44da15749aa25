"""The numbers that networks may compute in, by name.

Without torch, so that the commands' help can read it.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from belamy.errors import UnknownName

__all__ = ["TRAINING_PRECISIONS", "PassPrecision", "Precision", "check_precision"]

Precision: TypeAlias = Literal["auto", "float32", "bfloat16", "float16"]
PassPrecision: TypeAlias = Literal["auto", "float32", "bfloat16"]
"""Of networks that are shown a picture, and not trained."""

TRAINING_PRECISIONS: tuple[str, ...] = get_args(Precision)


def check_precision(name: str) -> None:
    """Raises:
    UnknownName: it is none of `TRAINING_PRECISIONS`.
    """
    if name not in TRAINING_PRECISIONS:
        raise UnknownName("precision", name, TRAINING_PRECISIONS)
