"""Pictures in time, which notebooks show as a player that goes round and round."""

from __future__ import annotations

import base64
import importlib.util
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from belamy.errors import ImageError
from belamy.pixels.display import notebook
from belamy.pixels.film.save import save_video
from belamy.pixels.film.writer import QUALITY, VideoCodec
from belamy.pixels.images import Picture, fit, resize
from belamy.pixels.recipe import Recipe

__all__ = ["Film"]

_LONGEST_SIDE = 512  # pixels of a player: a film in a notebook's file is large soon
_NARROWEST = 256  # pixels on which a browser has room for a player's buttons
_FASTEST = 50.0  # frames a second that a GIF has


@dataclass(frozen=True)
class Film:
    """Frames, and how fast they go.

    Args:
        frames: each (1, 3, H, W), sRGB in [0, 1], of one size.
        fps: frames a second.
        recipe: how it was made, if belamy made it.

    Raises:
        ImageError: there are no frames.
    """

    frames: Sequence[Tensor]
    fps: float = 25.0
    recipe: Recipe | None = None

    def __post_init__(self) -> None:
        if not self.frames:
            raise ImageError("a film has at least one frame")

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        quality: int = QUALITY,
        codec: VideoCodec | None = None,
    ) -> None:
        """Save it, with its recipe, in any of the formats of `save_video`."""
        save_video(
            self.frames, path, fps=self.fps, quality=quality, codec=codec, recipe=self.recipe
        )

    def show(self) -> None:
        """Show it in a Jupyter notebook below the cell, elsewhere its first frame in a viewer."""
        if notebook.is_running():
            notebook.display(self)
        else:
            Picture(self.frames[0]).show()

    def __repr__(self) -> str:
        size = f"{self.frames[0].shape[-1]} × {self.frames[0].shape[-2]}"
        return f"Film({len(self.frames)} frames, {size}, {self.fps:g} frames a second)"

    def _repr_html_(self) -> str:
        """What Jupyter shows: a player, where PyAV is installed; else a GIF. Scaled down."""
        height, width = self.frames[0].shape[-2:]
        side = min(_LONGEST_SIDE, max(height, width))
        scaled = (resize(frame, fit(height, width, side)) for frame in self.frames)
        player = importlib.util.find_spec("av") is not None
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / ("film.mp4" if player else "film.gif")
            save_video(scaled, path, fps=self.fps if player else min(self.fps, _FASTEST))
            data = base64.b64encode(path.read_bytes()).decode("ascii")
        if player:
            size = fit(height, width, side)
            shown = f'controls loop muted width="{max(size[1], _NARROWEST)}" title="{self!r}"'
            return f'<video {shown} src="data:video/mp4;base64,{data}"></video>'
        return f'<img alt="{self!r}" src="data:image/gif;base64,{data}">'
