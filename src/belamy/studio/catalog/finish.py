"""What a result is asked for that was made already: how much of it lies over the picture, where."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Annotated

from belamy.checks import Between, check_options

if TYPE_CHECKING:
    from belamy.pixels.images import Source

__all__ = ["FinishOptions"]


@dataclass(frozen=True, eq=False)
class FinishOptions:
    """How a result is laid over the picture that it was made of.

    Args:
        result: a result whose unblended pixels are kept.
        strength: how much of it is blended into the picture, 0 to 1.
        mask: only where this picture is white.
    """

    result: Source
    _: KW_ONLY
    strength: Annotated[float, Between(0, 1)] = 1.0
    mask: Source | None = None

    def __post_init__(self) -> None:
        check_options(self)
