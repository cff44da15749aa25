"""The signature of pictures that nobody painted: what their two networks were playing for.

min over G, max over D, of E[log D(x)] + E[log(1 − D(G(y)))], as Goodfellow et al. wrote it in 2014,
and as it stands at the lower right of *Edmond de Belamy* (Obvious, 2018).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

from belamy.pixels.colors import LUMA_709
from belamy.pixels.decor.handwriting import Stroke, write

__all__ = ["FORMULA", "add_signature"]

FORMULA = "min_G max_D E_x[log D(x)] + E_y[log(1−D(G(y)))]"

# All by eye.
_SPAN = 0.60  # of the picture's width
_MARGIN = 0.035  # of its shorter side, to the right and below
_PEN = 0.17  # width of a stroke, in heights of an x
_FINEST = 1.15  # pixels that a stroke is wide at least, or it would be lost
_FINER = 4  # drawn larger by this, then reduced
_INKS = ((0.13, 0.075, 0.04), (0.90, 0.80, 0.60))  # umber for light grounds, ochre for dark ones
_DARK, _LIGHT = 0.36, 0.53  # luma of the ground below and above which the other ink is taken up
_AROUND = 0.6  # heights of an x, over which the ground is looked at each way
_STRENGTH = 0.92  # of the ink: a little of the ground shows through


def add_signature(image: Tensor, *, seed: int = 0) -> Tensor:
    """Sign a picture with the formula of the GAN game, at its lower right.

    Below about 400 pixels it is a trace of ink that cannot be read, as on a small reproduction.

    Args:
        image: (N, 3, H, W), sRGB in [0, 1].
        seed: of the hand's irregularities; each picture of the batch has its own.

    Returns:
        the same shape: umber ink where the ground is light, ochre where it is dark; where the
        writing passes from one to the other, as from a coat to a collar, so does the ink.
    """
    pictures = [_sign(picture, seed + index) for index, picture in enumerate(image)]
    return torch.stack(pictures)


def _sign(picture: Tensor, seed: int) -> Tensor:
    """(3, H, W) → (3, H, W)."""
    strokes = write(FORMULA, seed)
    line = _Layout.of(strokes, *picture.shape[-2:])
    weights = torch.tensor(LUMA_709).to(picture)[:, None, None]
    luma = (picture * weights).sum(0)  # (H, W)
    inks = line.render(strokes, line.choose_inks(strokes, luma)).to(picture)  # umber's, ochre's
    tones = torch.tensor(_INKS).to(picture)[:, :, None, None]
    for own, ink in enumerate(inks):
        colour, against = tones[own], tones[1 - own]
        # where the ground is as bright as the ink, a breath of the other tone lies under it
        alike = 1 - ((luma - (colour * weights).sum()).abs() / 0.30).clamp(0, 1)
        halo = 0.75 * _blur(ink, max(1, round(0.004 * luma.shape[1]))).sqrt() * alike
        picture = picture + (against - picture) * halo
        picture = picture + (colour - picture) * ink * _STRENGTH
    return picture


def _blur(ink: Tensor, reach: int) -> Tensor:
    """(H, W) blurred over squares."""
    return F.avg_pool2d(ink[None], 2 * reach + 1, 1, reach, count_include_pad=False)[0]


@dataclass(frozen=True)
class _Layout:
    """Where the writing stands; all in pixels.

    Args:
        size: height and width of the picture.
        scale: of an x, its height.
        origin: where the line begins that one writes on: x, y.
        pen: its width.
        top: above which nothing is written.
    """

    size: tuple[int, int]
    scale: float
    origin: tuple[float, float]
    pen: float
    top: int

    @classmethod
    def of(cls, strokes: Sequence[Stroke], height: int, width: int) -> _Layout:
        points = torch.cat([stroke.points for stroke in strokes])
        low, high = points.amin(0), points.amax(0)
        scale = _SPAN * width / float(high[0] - low[0])
        margin = _MARGIN * min(height, width)
        pen = max(_PEN * scale, _FINEST)
        right, bottom = width - margin - pen, height - margin - pen
        origin = right - float(high[0]) * scale, bottom + float(low[1]) * scale
        top = max(0, int(origin[1] - float(high[1]) * scale - 2 * pen))
        return cls((height, width), scale, origin, pen, top)

    def to_pixels(self, stroke: Stroke) -> Tensor:
        """(P, 2): x to the right, y down."""
        return torch.tensor(self.origin) + stroke.points * self.scale * torch.tensor([1.0, -1.0])

    def choose_inks(self, strokes: Sequence[Stroke], luma: Tensor) -> list[list[bool]]:
        """For each point of each stroke, whether it is written in the light ink.

        The hand begins with the ink that suits the whole ground, keeps what is on its brush while
        that can be read, and takes up the other where it cannot.

        Args:
            luma: (H, W), of the ground.
        """
        ground = _blur(luma, max(1, round(_AROUND * self.scale)))
        limit = torch.tensor([self.size[1] - 1, self.size[0] - 1])
        under = []
        for stroke in strokes:
            x, y = self.to_pixels(stroke).round().long().clamp_min(0).minimum(limit).unbind(1)
            under.append(ground[y, x])
        light = float(torch.cat(under).mean()) < (_DARK + _LIGHT) / 2
        chosen = []
        for values in under:
            row = []
            for value in values.tolist():
                light = value < (_LIGHT if light else _DARK)
                row.append(light)
            chosen.append(row)
        return chosen

    def render(self, strokes: Sequence[Stroke], light: Sequence[Sequence[bool]]) -> Tensor:
        """(2, H, W), 0 to 1: how much of each pixel is written on with each ink, dark and light."""
        height, width = self.size
        shape = width * _FINER, (height - self.top) * _FINER
        sheets = [Image.new("L", shape), Image.new("L", shape)]
        pens = [ImageDraw.Draw(sheet) for sheet in sheets]
        for stroke, tones in zip(strokes, light, strict=True):
            self._draw([pens[tone] for tone in tones], stroke)
        masks = torch.stack([torch.from_numpy(np.array(sheet, np.float32)) for sheet in sheets])
        ink = torch.zeros(2, height, width)
        ink[:, self.top :] = F.avg_pool2d(masks / 255, _FINER)
        return ink

    def _draw(self, pens: Sequence[ImageDraw.ImageDraw], stroke: Stroke) -> None:
        """With a pen for each point."""
        points = (self.to_pixels(stroke) - torch.tensor([0.0, float(self.top)])) * _FINER
        radii = (self.pen * stroke.pressure * _FINER / 2).tolist()
        dots = [(x, y, radius) for (x, y), radius in zip(points.tolist(), radii, strict=True)]
        for pen, ((x0, y0, r0), (x1, y1, r1)) in zip(pens, itertools.pairwise(dots), strict=False):
            pen.line((x0, y0, x1, y1), fill=255, width=max(1, round(r0 + r1)))
        for pen, (x0, y0, radius) in zip(pens, dots, strict=True):
            pen.ellipse((x0 - radius, y0 - radius, x0 + radius, y0 + radius), fill=255)
