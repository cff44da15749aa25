"""Where a film is cut: a frame that shows another scene than the one before.

Two signs have to come together: the picture changes much, and no motion explains the change. A
flash has the first, a fast pan the second. By ten cuts, eight pans, dissolves and flashes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch.nn.functional as F
from torch import Tensor

from belamy.pixels.colors import luma
from belamy.pixels.images import fit, resize
from belamy.pixels.motion.flow import estimate_flow, warp

__all__ = ["find_cuts"]

_COARSE = (36, 64)  # rows and columns at which the change is measured
_SIDE = 160  # pixels of the long side at which motion is looked for
_MOST_CHANGE = 30 / 255  # cuts have 51 levels of 255 and more; pans, dissolves 21 at most
_MOST_UNEXPLAINED = 0.6  # of the contrast: cuts have 1.03 and more, others .21 at most


def find_cuts(frames: Iterable[Tensor]) -> Iterator[bool]:
    """Whether a scene begins with each frame (1, 3, H, W), in order; one does with the first.

    After a flash of a single frame the scene goes on.

    Raises:
        MissingExtra: OpenCV is not installed.
    """
    older: Tensor | None = None
    previous: Tensor | None = None
    changed = False  # whether `previous` differs from both frames before it
    for frame in frames:
        small = luma(resize(frame, fit(frame.shape[-2], frame.shape[-1], _SIDE)))
        if previous is not None:
            back = older is not None and not _differs(older, small)
            yield older is None or (changed and not back)
            changed = _differs(previous, small) and not back
        older, previous = previous, small
    if previous is not None:
        yield older is None or changed


def _differs(before: Tensor, now: Tensor) -> bool:
    coarse = [F.interpolate(one, _COARSE, mode="area") for one in (before, now)]
    if float((coarse[1] - coarse[0]).abs().mean()) <= _MOST_CHANGE:
        return False
    colours = [one.expand(-1, 3, -1, -1) for one in (before, now)]
    moved = warp(before, estimate_flow(colours[1], colours[0], "fast"), sharp=False)
    unexplained = (moved - now).abs().mean() / now.std().clamp_min(1e-3)
    return float(unexplained) > _MOST_UNEXPLAINED
