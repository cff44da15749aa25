"""Synthetic fog: the atmospheric scattering model, forwards; to teach, and to learn on.

This module imports no torch, so that the command line can read its signature and defaults.
"""

from __future__ import annotations

from collections.abc import Iterator

from belamy.engines.defog.options import FogOptions
from belamy.steps import Step, run_to_end, with_options

__all__ = ["FogOptions", "fog", "fog_steps"]


@with_options(FogOptions)
def fog_steps(options: FogOptions) -> Iterator[Step]:
    """Put fog into a picture: I = J·t + A·(1 − t), with t = exp(−β·depth).

    Nobody knows how far away the things in a picture are; `depth` says how that is guessed.

    Yields:
        a `Step` with the transmission as a picture, then one with the picture in fog.

    Raises:
        ImageError: the picture cannot be read.
        OptionError: a value out of its range.

    Source: Koschmieder 1924, as Narasimhan and Nayar 2002 and the benchmarks of the field have it:
    on sRGB values, though the law holds for linear light.
    """
    from belamy.engines.defog.add import add_fog

    yield from add_fog(options)


fog = run_to_end(fog_steps)
