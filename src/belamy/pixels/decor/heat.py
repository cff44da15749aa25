"""Numbers as warmth over a picture, and a bar that says how sure somebody is."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from belamy.pixels.colors import luma

__all__ = ["label_bar", "lay_over", "paint_heat"]

# The map "inferno" at tenths: equal steps look equally large, light grows all along, and it reads
# in grey and with any kind of colour blindness. Source: van der Walt & Smith 2015, matplotlib.
_INFERNO = (
    "000004", "160b39", "420a68", "6a176e", "932667", "bc3754",
    "dd513a", "f37819", "fca50a", "f6d746", "fcffa4",
)  # fmt: skip
# All by eye.
_HEAT = 0.6  # how much of the warmth covers the picture
_PAPER, _INK, _EMPTY = "#f6f5f2", "#3c3a38", "#dedbd5"
_STRIP = 1 / 20  # height of a bar's strip, in its width
_SMALLEST_STRIP = 28  # pixels


def paint_heat(heat: Tensor) -> Tensor:
    """(N, 1, H, W) in [0, 1] as colours (N, 3, H, W), from black over purple and red to yellow."""
    colours = torch.tensor([list(bytes.fromhex(one)) for one in _INFERNO]).to(heat) / 255
    place = heat.clamp(0, 1)[:, 0] * (len(colours) - 1)  # (N, H, W)
    lower = place.floor().clamp_max(len(colours) - 2).long()
    share = (place - lower)[..., None]
    mixed = (1 - share) * colours[lower] + share * colours[lower + 1]  # (N, H, W, 3)
    return mixed.movedim(-1, 1)


def lay_over(image: Tensor, heat: Tensor) -> Tensor:
    """A picture (N, 3, H, W), in grey, under the warmth (N, 1, H, W) in [0, 1]."""
    return (1 - _HEAT) * luma(image) + _HEAT * paint_heat(heat)


def label_bar(width: int, label: str, share: float) -> Tensor:
    """A strip (1, 3, height, width): a label, a bar filled to `share`, and that in per cent."""
    height = max(_SMALLEST_STRIP, round(width * _STRIP))
    strip = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(strip)
    font = ImageFont.load_default(max(11, round(height * 0.46)))
    percent = f"{share:.1%}"
    gap = height // 3
    right = width - gap - draw.textlength("100.0%", font=font)
    left = max(gap, min(right - 2 * gap, draw.textlength(label, font=font) + 2 * gap))
    while label and draw.textlength(label, font=font) > left - 2 * gap + 1 and left > gap:
        label = label[:-1]
    draw.text((gap, height / 2), label, fill=_INK, font=font, anchor="lm")
    draw.text((width - gap, height / 2), percent, fill=_INK, font=font, anchor="rm")
    top, bottom, end = round(height * 0.32), round(height * 0.68), right - gap
    if end > left:
        draw.rectangle((left, top, end, bottom), fill=_EMPTY)
        full = left + (end - left) * min(max(share, 0.0), 1.0)
        if full >= left + 1:
            draw.rectangle((left, top, full, bottom), fill=f"#{_INFERNO[5]}")
    pixels = torch.from_numpy(np.array(strip, np.float32) / 255)
    return pixels.permute(2, 0, 1)[None]
