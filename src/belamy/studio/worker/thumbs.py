"""`python -m belamy.studio.worker.thumbs`: draws what layers and channels like, small."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from belamy.engines.dream.options import DreamOptions
from belamy.engines.dream.render import Dreamer
from belamy.errors import BelamyError
from belamy.files import atomic_path
from belamy.studio.catalog.layers import layers_of
from belamy.studio.worker.channel import Channel

__all__ = ["CELL_SIDE", "LAYER_SIDE", "draw_thumb", "main"]

LAYER_SIDE, CELL_SIDE = 144, 72  # pixels of a layer's picture, and of a channel's
_DRAWN = {LAYER_SIDE: (144, 96), CELL_SIDE: (96, 64)}  # at which side, in how many steps
_SMOOTH = Image.Resampling.LANCZOS
_FINE = 16  # pixels: a layer that sees no more is shown by some of its channels
_LOOKED_AT = 24  # channels, to choose those from
_GREY = 6.0  # levels of 255: a picture that differs less from its mean is a target left cold
_QUALITY = {LAYER_SIDE: 78, CELL_SIDE: 70}


def main() -> None:
    """Draw what the server names, until it is gone."""
    os.nice(5)  # pictures that somebody waits for come first
    channel = Channel.take_over()
    channel.send({"type": "ready"})
    for order in channel.orders():
        answer: dict[str, Any] = {"error": ""}
        try:
            draw_thumb(order["model"], order["layer"], order["channel"], Path(order["path"]))
        except BelamyError as error:
            answer = {"error": " ".join(str(error).split())}
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"it cannot be drawn ({type(error).__name__})"}
        channel.send({"type": "drawn", "id": order["id"], **answer})


def draw_thumb(model: str, layer: str, channel: int | None, path: Path) -> None:
    """Draw what a layer, or one of its channels, likes best.

    A layer that sees a few pixels only likes noise of many colours, which says nothing: it is shown
    by four of its channels that differ, enlarged.

    Args:
        channel: None for the layer.
        path: of the WEBP that is written.

    Raises:
        BelamyError: there is no such layer, or its weights are not here.
    """
    side = LAYER_SIDE if channel is None else CELL_SIDE
    field = next((one.receptive_field for one in layers_of(model) if one.name == layer), None)
    if channel is None and field is not None and field <= _FINE:
        picture = _mosaic(model, layer)
    else:
        target = layer if channel is None else f"{layer}:{channel}"
        picture = _dream(model, target, *_DRAWN[side]).resize((side, side), _SMOOTH)
    with atomic_path(path) as temporary:
        picture.save(temporary, "WEBP", quality=_QUALITY[side], method=6)


def _dream(model: str, target: str, size: int, steps: int) -> Image.Image:
    """From soft noise; from noise as strong as photos where that leaves the target cold."""
    picture = Image.new("RGB", (size, size))
    for canvas in ("fourier", "maco"):
        options = DreamOptions(model=model, layer=target, size=size, steps=steps, canvas=canvas)
        picture = Dreamer(options)().pil.convert("RGB")
        if np.asarray(picture, float).std() >= _GREY:
            break
    return picture


def _mosaic(model: str, layer: str) -> Image.Image:
    """Four of a layer's first channels, the liveliest that look least alike."""
    count = next(one.channels for one in layers_of(model) if one.name == layer)
    size, steps = _DRAWN[CELL_SIDE]
    drawn = [_dream(model, f"{layer}:{n}", size, steps) for n in range(min(_LOOKED_AT, count))]
    cut = size // 2 - LAYER_SIDE // 8, size // 2 + LAYER_SIDE // 8
    parts = [one.crop((cut[0], cut[0], cut[1], cut[1])) for one in drawn]
    sheet = Image.new("RGB", (LAYER_SIDE, LAYER_SIDE))
    half = LAYER_SIDE // 2
    for place, part in enumerate(_choose([np.asarray(part, float) for part in parts])):
        where = (place % 2 * half, place // 2 * half)
        sheet.paste(parts[part].resize((half, half), _SMOOTH), where)
    return sheet


def _choose(pictures: list[NDArray[np.float64]]) -> list[int]:
    """The numbers of four: the liveliest, then always the one least like those before it."""
    grey = np.stack([one.mean(-1) - one.mean() for one in pictures])
    lively = grey[:, 1:, 1:] * 2 - grey[:, :-1, 1:] - grey[:, 1:, :-1]
    energy = lively.std((1, 2))
    spectra = np.abs(np.fft.rfft2(grey))
    looks = spectra / np.linalg.norm(spectra, axis=(1, 2), keepdims=True).clip(1e-9)
    known = energy >= np.median(energy)
    chosen = [int(energy.argmax())]
    while len(chosen) < min(4, len(pictures)):
        alike = np.einsum("nij,kij->nk", looks, looks[chosen]).max(1)
        chosen.append(int(np.where(known, -alike, -9.0 - alike).argmax()))
    return chosen


if __name__ == "__main__":
    main()
