"""Several pictures as one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

from belamy.pixels.contact_sheet import PAPER
from belamy.pixels.display import notebook
from belamy.pixels.images import Picture, Source, compose, contact_sheet, load_picture

__all__ = ["Pictures", "sheet"]


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


class Pictures(Sequence[Picture]):
    """Pictures in their order, which a notebook shows as a sheet.

        belamy.Pictures(step.picture for step in belamy.gan_paint_steps(count=6, sheet=False))

    Args:
        pictures: pictures, or what `load_picture` reads.
    """

    def __init__(self, pictures: Iterable[Picture | Source]) -> None:
        self._pictures = tuple(
            one if isinstance(one, Picture) else load_picture(one) for one in pictures
        )

    def __len__(self) -> int:
        return len(self._pictures)

    @overload
    def __getitem__(self, index: int) -> Picture: ...

    @overload
    def __getitem__(self, index: slice) -> Pictures: ...

    def __getitem__(self, index: int | slice) -> Picture | Pictures:
        found = self._pictures[index]
        return found if isinstance(found, Picture) else Pictures(found)

    def __iter__(self) -> Iterator[Picture]:
        return iter(self._pictures)

    def sheet(self, *, columns: int | None = None, cell: int = 256) -> Picture:
        """All of them on one sheet: see `belamy.sheet`."""
        return sheet(self, columns=columns, cell=cell)

    def show(self) -> None:
        """Show the sheet: in a Jupyter notebook below the cell, elsewhere in a viewer."""
        if notebook.is_running():
            notebook.display(self)
        elif self:
            self.sheet().show()

    def __repr__(self) -> str:
        return f"Pictures({len(self)})"

    def _repr_png_(self) -> bytes | None:
        """What Jupyter shows; of no pictures, their number alone."""
        return self.sheet()._repr_png_() if self else None
