"""Fog put into pictures, by the same physics that takes it out: to teach, and to learn on.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from belamy.steps import Step, run_to_end

if TYPE_CHECKING:
    from belamy.pixels.images import Source

__all__ = ["fog", "fog_steps"]


def fog_steps(
    image: Source,
    *,
    amount: float = 0.5,
    depth: Literal[
        "scene", "ramp", "ground", "room", "regions", "skies", "clouds", "tunnel", "even"
    ] = "scene",
    color: str = "#dfe2e5",
    patches: float = 0.2,
    seed: int = 0,
    device: str = "auto",
) -> Iterator[Step]:
    """Put fog into a picture: I = J·t + A·(1 − t), with t = exp(−β·depth).

    Nobody knows how far away the things in a picture are; `depth` says how that is guessed.

    Args:
        image: a file, PIL image, array or tensor; any size. Transparency is kept.
        amount: of the light that is the fog's, as a mean over the picture: 0 for none, up to 0.99.
        depth: how far things are taken to be: scene mixes ground, sky and regions, as outdoors;
            ramp is near below and far above; ground is a plane up to a horizon; room is a box seen
            from within; regions follow the picture's colours; skies are far and all else near;
            clouds are smooth noise; tunnel is far in the middle; even is the same everywhere.
        color: of the fog, a name or #rrggbb.
        patches: how far the fog is denser in some places than in others, 0 to 1.
        seed: of the depth and the patches.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Step` with the transmission as a picture, then one with the picture in fog.

    Raises:
        ImageError: the picture cannot be read.
        OptionError: a value out of its range.

    Source: Koschmieder 1924, as Narasimhan and Nayar 2002 and the benchmarks of the field have it:
    on sRGB values, though the law holds for linear light.
    """
    asked = dict(locals())
    from belamy.engines.defog import add

    yield from add.run(**asked)


fog = run_to_end(fog_steps)
