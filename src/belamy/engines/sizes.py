"""At which size engines work that optimise a picture, where no size is asked for."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Literal

from belamy.errors import PictureWarning
from belamy.pixels.images import Source, fit

__all__ = ["choose_side"]


def choose_side(
    source: Source,
    side: int | Literal["full"] | None,
    size: tuple[int, int],
    largest: int,
    doing: str,
) -> int | Literal["full"]:
    """The long side asked for; where none is, the picture's own, but `largest` at most.

    Such work takes minutes on a photo as cameras make them; that it is shrunk is a
    `PictureWarning`.

    Args:
        source: the picture.
        side: as it was asked for.
        size: height and width of the picture.
        largest: the long side that is worked at then.
        doing: for the warning, "dreaming".
    """
    if side is not None:
        return side
    height, width = size
    if max(size) <= largest:
        return "full"
    new_height, new_width = fit(height, width, largest)
    name = Path(source).name if isinstance(source, (str, os.PathLike)) else "the picture"
    warnings.warn(
        f"{name} is {width} × {height}; {doing} at {new_width} × {new_height} "
        "(--size full for all of it)",
        PictureWarning,
        stacklevel=2,
    )
    return largest
