"""A sheet of pictures with captions, as a museum's catalogue would print it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageColor, ImageDraw, ImageFont
from torch import Tensor

# All by eye.
_PAPER = (0.965, 0.96, 0.95)
PAPER = "#{:02x}{:02x}{:02x}".format(*(round(255 * channel) for channel in _PAPER))
_INK = (0.40, 0.39, 0.38)
_MARGIN = 1 / 14  # of the cell
_FONT = 1 / 15  # of the cell, and never below what can be read:
_SMALLEST_FONT = 11
_LINE = 1.9  # height of a caption's strip, in font sizes
_WIDEST_ROW = 4  # a sheet of one row, in its own heights; small, more of it says no more
_NEAR_PAPER = 3  # levels of 255: paper that was rounded


@dataclass(frozen=True)
class _Grid:
    """Where things stand: all in pixels, pictures counted row by row."""

    columns: int
    heights: tuple[int, ...]  # of each row, without its captions
    width: int
    margin: int
    strip: int

    @property
    def size(self) -> tuple[int, int]:
        return (
            sum(self.heights) + len(self.heights) * (self.strip + self.margin) + self.margin,
            self.columns * (self.width + self.margin) + self.margin,
        )

    def cell(self, index: int) -> tuple[int, int, int]:
        """Top, left and height of a picture's cell."""
        row, column = divmod(index, self.columns)
        top = sum(self.heights[:row]) + row * (self.strip + self.margin) + self.margin
        return top, self.margin + column * (self.width + self.margin), self.heights[row]


def arrange(
    images: Sequence[Tensor], *, columns: int, captions: Sequence[str] | None, cell: int
) -> Tensor:
    """Images (1, 3, H, W), already scaled, on one sheet (1, 3, height, width)."""
    font_size = max(_SMALLEST_FONT, round(cell * _FONT))
    grid = _Grid(
        columns=columns,
        heights=tuple(
            max(image.shape[-2] for image in images[start : start + columns])
            for start in range(0, len(images), columns)
        ),
        width=max(image.shape[-1] for image in images),
        margin=max(2, round(cell * _MARGIN)),
        strip=0 if captions is None else round(font_size * _LINE),
    )
    sheet = torch.tensor(_PAPER).reshape(1, 3, 1, 1).expand(1, 3, *grid.size).clone()
    for index, image in enumerate(images):
        top, left, available = grid.cell(index)
        height, width = image.shape[-2:]
        top, left = top + (available - height) // 2, left + (grid.width - width) // 2
        sheet[:, :, top : top + height, left : left + width] = image
    if captions is None:
        return sheet
    ink = _render_captions(grid, captions, font_size)
    return sheet + (torch.tensor(_INK).reshape(1, 3, 1, 1) - sheet) * ink


def _render_captions(grid: _Grid, captions: Sequence[str], font_size: int) -> Tensor:
    """How much ink lies where: (height, width) in [0, 1]."""
    mask = Image.new("L", (grid.size[1], grid.size[0]))
    draw = ImageDraw.Draw(mask)
    font = ImageFont.load_default(font_size)
    for index, caption in enumerate(captions):
        top, left, height = grid.cell(index)
        centre = (left + grid.width / 2, top + height + grid.strip / 2)
        draw.text(centre, _shorten(caption, font, grid.width), fill=255, font=font, anchor="mm")
    return torch.from_numpy(np.array(mask, np.float32)) / 255


def _shorten(caption: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    text = " ".join(caption.split())
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text.rstrip() + "…"


def take_off_paper(picture: Image.Image) -> Image.Image:
    """Make a sheet's paper transparent, and keep of a long row of pictures its beginning.

    Args:
        picture: of any size; one whose border is not all of paper comes back as it is.

    Returns:
        RGBA where there was paper.
    """
    if "A" in picture.getbands() or min(picture.size) < 3:
        return picture
    pixels = np.asarray(picture.convert("RGB"))
    away = np.abs(pixels.astype(np.int16) - ImageColor.getrgb(PAPER)[:3]).max(-1)
    paper = away <= _NEAR_PAPER
    border = (paper[0], paper[-1], paper[:, 0], paper[:, -1])
    if not all(side.all() for side in border):
        return picture
    empty = paper.all(0)  # columns between pictures
    width = picture.width
    if width > _WIDEST_ROW * picture.height:
        gaps = np.flatnonzero(empty[: _WIDEST_ROW * picture.height])
        width = int(gaps[-1]) + 1
    alpha = np.where(paper, 0, 255).astype(np.uint8)
    shown = Image.fromarray(np.dstack([pixels, alpha])[:, :width])
    box = shown.getchannel("A").getbbox()
    return shown if box is None else shown.crop(box)
