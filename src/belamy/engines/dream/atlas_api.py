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

    With `activations`, what a layer finds in pictures of your own: an activation atlas.

    Yields:
        a `Step` for each picture (of an activation atlas, for a few), with the sheet so far.

    Raises:
        UnknownName: no such model or layer.
        OptionError: a value out of its range.
        WeightsError: the model's weights are not here.
        DataError: the folder holds no pictures, or too few.

    Source: Olah, Mordvintsev and Schubert 2017, "Feature visualization"; Carter et al. 2019,
    "Activation atlas".
    """
    from belamy.engines.dream.activation_atlas import draw_activation_atlas
    from belamy.engines.dream.atlas import draw_atlas

    draw = draw_atlas if options.activations is None else draw_activation_atlas
    yield from draw(options.resolve())


atlas = run_to_end(atlas_steps)
