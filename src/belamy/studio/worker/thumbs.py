"""`python -m belamy.studio.worker.thumbs`: draws what layers and channels like, small."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import Any

from PIL import Image

from belamy.engines.dream.options import DreamOptions
from belamy.engines.dream.render import Dreamer
from belamy.errors import BelamyError
from belamy.files import atomic_path
from belamy.studio.worker.channel import Channel

__all__ = ["CELL_SIDE", "LAYER_SIDE", "draw_thumb", "main"]

LAYER_SIDE, CELL_SIDE = 144, 72  # pixels of a layer's picture, and of a channel's
_DRAWN = {LAYER_SIDE: (144, 96), CELL_SIDE: (96, 64)}  # at which side, in how many steps
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

    Args:
        channel: None for the layer.
        path: of the WEBP that is written.

    Raises:
        BelamyError: there is no such layer, or its weights are not here.
    """
    target = layer if channel is None else f"{layer}:{channel}"
    side = LAYER_SIDE if channel is None else CELL_SIDE
    drawn, steps = _DRAWN[side]
    options = DreamOptions(model=model, layer=target, size=drawn, steps=steps, canvas="fourier")
    picture = Dreamer(options)().pil.convert("RGB")
    if picture.width != side:
        picture = picture.resize((side, side), Image.Resampling.LANCZOS)
    with atomic_path(path) as temporary:
        picture.save(temporary, "WEBP", quality=_QUALITY[side], method=6)


if __name__ == "__main__":
    main()
