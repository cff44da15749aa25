"""Style transfer by optimisation: one picture in the manner of another, or of several.

This module imports no torch, so that the command line can read its signature and defaults.
"""

from __future__ import annotations

from collections.abc import Iterator

from belamy.engines.style.options import StyleOptions
from belamy.steps import Step, run_to_end, with_options

__all__ = ["StyleOptions", "style", "style_steps"]


@with_options(StyleOptions)
def style_steps(options: StyleOptions) -> Iterator[Step]:
    """Paint one picture in the manner of others: what it shows from one, its strokes from them.

    For many pictures, `belamy.Stylist` loads the network once.

    Yields:
        a `Step` each, with the average of the latest pictures, of projected-lbfgs with the latest;
        the last holds the finished one.

    Raises:
        ImageError: a picture cannot be read.
        UnknownName: no such model or layer.
        OptionError: a value out of its range, or options that exclude each other.
        WeightsError: the model's weights are not here.
        Diverged: a loss is no longer a number.

    Source: Gatys, Ecker and Bethge 2016, "Image style transfer using convolutional neural
    networks"; scales, averaging and the Wasserstein distance from crowsonkb/style-transfer-pytorch.
    **Differs** from the latter: layers of other networks than VGG are each divided by the size of
    the target's features, so that weights mean the same on any layer; the average looks back over a
    fifth of a scale's iterations, at most 100, where Crowson's always looks back over 100; two
    pixels are painted beyond each edge and cut off; the usual optimizer needs fewer steps.
    """
    from belamy.engines.style.render import Stylist

    yield from Stylist(options).steps()


style = run_to_end(style_steps)
