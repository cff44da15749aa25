"""Several pictures as one."""

from __future__ import annotations

import math
from collections.abc import Sequence

from belamy.pixels.contact_sheet import PAPER
from belamy.pixels.images import Picture, compose, contact_sheet

__all__ = ["sheet"]


def sheet(
    pictures: Sequence[Picture],
    *,
    columns: int | None = None,
    captions: Sequence[str] | None = None,
    cell: int = 256,
) -> Picture:
    """Pictures in a grid on light paper, row by row, each with a line of text below it if wanted.

    Args:
        pictures: of any size; scaled to `cell`, proportions kept.
        columns: pictures in a row, at most; None makes as many columns as rows, or one more.
        captions: one for each picture; cut with an ellipsis where it is wider than the cell.
        cell: the longer side of every picture, in pixels.

    Returns:
        the sheet as a `Picture`, which has no recipe.

    Raises:
        OptionError: no pictures, a number below 1, or not as many captions as pictures.
    """
    if columns is None:
        columns = max(1, math.ceil(math.sqrt(len(pictures))))
    images = [compose(picture, PAPER) for picture in pictures]
    return Picture(contact_sheet(images, columns=columns, captions=captions, cell=cell))
