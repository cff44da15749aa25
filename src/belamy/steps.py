"""The stream that every engine yields, and how it is drained.

A progress bar, a live view, a notebook and "stop" all read this one stream; there are no
callbacks. This module imports no torch, so that faces can name its types.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec

if TYPE_CHECKING:
    from torch import Tensor

    from belamy.pixels.images import Picture
    from belamy.pixels.recipe import Recipe

P = ParamSpec("P")


@dataclass(frozen=True)
class Step:
    """One step of the work, with the picture as it is by then.

    Args:
        index: which step this was, from 1 to `total`.
        total: steps in all.
        image: float32 (1, 3, H, W), sRGB in [0, 1]; smaller than the result in early octaves.
        losses: what is minimised, by name.
        alpha: float32 (1, 1, H, W), the transparency carried through; None where there is none.
        recipe: how to make this very picture again.
        note: a line for the user, when there is something to say.
        latents: (N, levels, style), what the picture was drawn from, of painters that paint from
            nothing.
    """

    index: int
    total: int
    image: Tensor
    losses: dict[str, float]
    alpha: Tensor | None = None
    recipe: Recipe | None = None
    note: str = ""
    latents: Tensor | None = None


def drained(steps: Callable[P, Iterator[Step]]) -> Callable[P, Picture]:
    """A function with the signature of `steps` that runs them all and returns the picture."""

    @functools.wraps(steps)
    def run(*args: P.args, **kwargs: P.kwargs) -> Picture:
        from belamy.pixels.images import Picture

        (last,) = deque(steps(*args, **kwargs), maxlen=1)
        return Picture(last.image, last.alpha, last.recipe)

    run.__name__ = run.__qualname__ = steps.__name__.removesuffix("_steps")
    return run
