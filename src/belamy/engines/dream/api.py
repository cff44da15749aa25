"""DeepDream: the weights stay fixed, the pixels change, to excite what a network sees.

This module imports no torch, so that the command line can read its signature and defaults.
"""

from __future__ import annotations

from collections.abc import Iterator

from belamy.engines.dream.options import DreamOptions
from belamy.steps import Step, run_to_end, with_options

__all__ = ["DreamOptions", "dream", "dream_steps"]


@with_options(DreamOptions)
def dream_steps(options: DreamOptions) -> Iterator[Step]:
    """Dream a picture: change its pixels until a network sees more of what it looks for.

    For many pictures, `belamy.Dreamer` loads the network once.

    Yields:
        a `Step` each; the last one holds the finished picture.

    Raises:
        ImageError: a picture cannot be read.
        UnknownName: no such model, layer or class.
        OptionError: a value out of its range, or options that exclude each other.
        WeightsError: the model's weights are not here.
        Diverged: the gradient is no longer a number.

    Source: Mordvintsev, Olah and Tyka 2015, "Inceptionism"; the Fourier canvas from Mordvintsev et
    al. 2018, "Differentiable image parameterizations". **Differs** from the notebook: gradients are
    levelled by a Laplacian pyramid, as in TensorFlow's tutorial, and several layers are each
    measured by what they see in the picture at first, so that weights mean the same on any layer.
    """
    from belamy.engines.dream.render import Dreamer

    yield from Dreamer(options).steps(options.image)


dream = run_to_end(dream_steps)
