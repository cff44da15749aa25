"""A network's atlas: what each layer, or each channel of one layer, likes best.

This module imports no torch, so that the command line can read its signature and defaults.
"""

from __future__ import annotations

from collections.abc import Iterator

from belamy.engines.dream.options import AtlasOptions
from belamy.steps import Step, run_to_end, with_options

__all__ = ["AtlasOptions", "atlas", "atlas_steps"]


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
