"""Masks: pictures that say where."""

from __future__ import annotations

from torch import Tensor

from belamy.pixels.images import Source, compose, load_picture

__all__ = ["read_mask"]

_VARIES = 0.5 / 255  # less is the same transparency everywhere, but for rounding


def read_mask(source: Source) -> Tensor:
    """How much counts where, (1, 1, H, W) in [0, 1].

    A mask that was painted on a transparent ground says it by how opaque it is; any other by how
    light it is.

    Raises:
        ImageError: it cannot be read.
    """
    picture = load_picture(source)
    alpha = picture.alpha
    if alpha is not None and bool(alpha.max() - alpha.min() > _VARIES):
        return alpha
    return compose(picture, "black").mean(dim=1, keepdim=True)
