"""A network's atlas: what each layer, or each channel of one layer, likes best.

This module imports no torch, so that the command line can read its signature and defaults.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Annotated

from belamy.checks import Between, check_options
from belamy.steps import Step, run_to_end, with_options

__all__ = ["AtlasOptions", "atlas", "atlas_steps"]


@dataclass(frozen=True)
class AtlasOptions:
    """What an atlas is asked for.

    Args:
        model: a network's name (`belamy models list`) or weights file; auto is the best one whose
            weights are here.
        layer: draw the channels of this layer; None draws each layer's favourite pattern.
        channels: how many channels of the layer, from its first on.
        size: side of each picture in pixels.
        steps: of the Fourier canvas, for each picture; half of what a single dream takes, since
            small pictures settle sooner.
        seed: of the noise that they start from.
        device: auto, cpu, cuda or mps.
    """

    model: str | os.PathLike[str] = "auto"
    _: KW_ONLY
    layer: str | None = None
    channels: Annotated[int, Between(1, 100_000)] = 12
    size: Annotated[int, Between(8, 32_768)] = 160
    steps: Annotated[int, Between(1, 100_000)] = 128
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        check_options(self)


@with_options(AtlasOptions)
def atlas_steps(options: AtlasOptions) -> Iterator[Step]:
    """Draw a network's favourites from noise: one picture a layer, or one a channel.

    Yields:
        a `Step` for each picture, with the sheet so far.

    Raises:
        UnknownName: no such model or layer.
        OptionError: a value out of its range.
        WeightsError: the model's weights are not here.

    Source: Olah, Mordvintsev and Schubert 2017, "Feature visualization".
    """
    from belamy.engines.dream.atlas import draw_atlas

    yield from draw_atlas(options)


atlas = run_to_end(atlas_steps)
