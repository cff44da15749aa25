"""The signature of pictures that nobody painted: what their two networks were playing for.

min over G, max over D, of E[log D(x)] + E[log(1 − D(G(y)))], as Goodfellow et al. wrote it in 2014,
and as it stands at the lower right of *Edmond de Belamy* (Obvious, 2018).
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from belamy.pixels.handwriting import Stroke, written

__all__ = ["FORMULA", "signed"]

FORMULA = "min_G max_D E_x[log D(x)] + E_y[log(1−D(G(y)))]"

# All by eye.
_SPAN = 0.60  # of the picture's width
_MARGIN = 0.035  # of its shorter side, to the right and below
_PEN = 0.17  # width of a stroke, in heights of an x
_FINEST = 1.15  # pixels that a stroke is wide at least, or it would be lost
_FINER = 4  # drawn larger by this, then reduced
_UMBER, _OCHRE = (0.13, 0.075, 0.04), (0.90, 0.80, 0.60)  # inks for light and for dark grounds
_DARK = 0.42  # luma below which a ground is dark
_STRENGTH = 0.92  # of the ink: a little of the ground shows through
_LUMA = (0.2126, 0.7152, 0.0722)


def signed(image: Tensor, *, seed: int = 0) -> Tensor:
    """The picture with the formula at its lower right.

    Below about 400 pixels it is a trace of ink that cannot be read, as on a small reproduction.

    Args:
        image: (N, 3, H, W), sRGB in [0, 1].
        seed: of the hand's irregularities; each picture of the batch has its own.

    Returns:
        the same shape: umber ink where the ground is light, ochre where it is dark.
    """
    pictures = [_signed(picture, seed + index) for index, picture in enumerate(image)]
    return torch.stack(pictures)


def _signed(picture: Tensor, seed: int) -> Tensor:
    """(3, H, W) → (3, H, W)."""
    height, width = picture.shape[-2:]
    ink = _ink(height, width, seed).to(picture)
    weights = torch.tensor(_LUMA).to(picture)[:, None, None]
    luma = (picture * weights).sum(0)  # (H, W)
    near = _spread(ink, max(1, round(0.02 * width)))
    dark = bool((luma * near).sum() < _DARK * near.sum())
    own, other = (_OCHRE, _UMBER) if dark else (_UMBER, _OCHRE)
    colour, against = (torch.tensor(tone).to(picture)[:, None, None] for tone in (own, other))
    # where the ground is as bright as the ink, a breath of the other tone lies under it
    alike = 1 - ((luma - (colour * weights).sum()).abs() / 0.30).clamp(0, 1)
    halo = 0.75 * _spread(ink, max(1, round(0.004 * width))).sqrt() * alike
    ground = picture + (against - picture) * halo
    return ground + (colour - ground) * ink * _STRENGTH


def _spread(ink: Tensor, reach: int) -> Tensor:
    """(H, W) blurred over squares."""
    return F.avg_pool2d(ink[None], 2 * reach + 1, 1, reach, count_include_pad=False)[0]


def _ink(height: int, width: int, seed: int) -> Tensor:
    """(H, W), 0 to 1: how much of each pixel is written on."""
    strokes = written(FORMULA, seed)
    points = torch.cat([stroke.points for stroke in strokes])
    low, high = points.amin(0), points.amax(0)
    scale = _SPAN * width / float(high[0] - low[0])  # pixels of the height of an x
    margin = _MARGIN * min(height, width)
    pen = max(_PEN * scale, _FINEST)
    right, bottom = width - margin - pen, height - margin - pen
    origin = right - float(high[0]) * scale, bottom + float(low[1]) * scale
    top = max(0, int(origin[1] - float(high[1]) * scale - 2 * pen))
    sheet = Image.new("L", (width * _FINER, (height - top) * _FINER))
    draw = ImageDraw.Draw(sheet)
    for stroke in strokes:
        _draw(draw, stroke, scale, (origin[0], origin[1] - top), pen)
    mask = torch.from_numpy(np.array(sheet, np.float32))[None] / 255
    ink = torch.zeros(height, width)
    ink[top:] = F.avg_pool2d(mask, _FINER)[0]
    return ink


def _draw(
    draw: ImageDraw.ImageDraw,
    stroke: Stroke,
    scale: float,
    origin: tuple[float, float],
    pen: float,
) -> None:
    x = (origin[0] + stroke.points[:, 0] * scale) * _FINER
    y = (origin[1] - stroke.points[:, 1] * scale) * _FINER
    radii = (pen * stroke.pressure * _FINER / 2).tolist()
    places = list(zip(x.tolist(), y.tolist(), radii, strict=True))
    for (x0, y0, r0), (x1, y1, r1) in itertools.pairwise(places):
        draw.line((x0, y0, x1, y1), fill=255, width=max(1, round(r0 + r1)))
    for x0, y0, radius in places:
        draw.ellipse((x0 - radius, y0 - radius, x0 + radius, y0 + radius), fill=255)
