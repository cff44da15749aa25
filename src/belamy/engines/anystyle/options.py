"""Options of arbitrary style transfer, with their defaults, ranges and texts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

from belamy.checks import Between, check_options
from belamy.engines.style.options import read_size, read_weights
from belamy.precision import PassPrecision

if TYPE_CHECKING:
    from belamy.pixels.images import Source

__all__ = ["LARGEST_STYLE", "AnyStyleOptions", "resolve"]

# Styles are taken whole, and strokes as large as on a larger one would be no strokes any more.
LARGEST_STYLE = 1024  # pixels


@dataclass(frozen=True, eq=False)
class AnyStyleOptions:
    """What a network that paints in any style is asked for.

    Args:
        content: what to paint; a file, PIL image, array or tensor. Transparency is kept.
        style: in whose manner; one picture or several, which are blended, or each have their
            region (see mask). Where they are transparent they do not count.
        network: anystyle, which is in the package, or a file that `belamy style train-any` made.
        size: long side of the result in pixels; N+ for as many pixels as a square of N has.
        strength: how much of the style there is, 0 (the content as it is) to 1.
        patches: how much is laid of patches of the styles, where the content resembles them: 0
            takes their colours and what paint looks like alone, 1 is free and hardly legible.
        strokes: how much of what is laid in skies and other plain places are strokes as the style
            has them, instead of those that the network draws; 0 is as before 0.3.
        style_weight: how much a style counts, one number for each style; 1 if none is given. Blends
            are in these proportions.
        style_scale: long side of the styles over that of the result; smaller makes strokes smaller.
        style_size: long side of the styles in pixels, instead of style_scale. They are never
            enlarged, and 1024 px at most.
        mask: paint where this picture is white, keep the content where it is black; with two
            styles white is the first's region and black the second's, or give one mask a style.
            Of one that is transparent in places, what is painted counts as white.
        style_mask: one for each style: only where it is white the style is looked at.
        keep_colors: luma takes only light and dark from the result, and colours from the content;
            match gives the styles the content's colours beforehand.
        tile: longest side of the tiles that large pictures are worked on in, exactly; auto decides
            by the memory that is free, none never tiles.
        seed: of the choice among patches that are alike.
        precision: of both networks; auto takes bfloat16 where they are faster in it on this
            machine, float32 elsewhere. Patches are compared, and moments taken, in float32.
        device: auto, cpu, cuda or mps.

    Raises:
        OptionError: a value out of its range, or a text that cannot be read.
        UnknownName: none of the choices.
    """

    content: Source
    style: Source | Sequence[Source]
    _: KW_ONLY
    network: str | os.PathLike[str] = "anystyle"
    size: int | str = 512
    strength: Annotated[float, Between(0, 1)] = 1.0
    patches: Annotated[float, Between(0, 1)] = 0.6
    strokes: Annotated[float, Between(0, 1)] = 1.0
    style_weight: float | Sequence[float] = ()
    style_scale: Annotated[float, Between(0.01, 100)] = 1.0
    style_size: Annotated[int | None, Between(8, LARGEST_STYLE, "pixels")] = None
    mask: Source | Sequence[Source] = ()
    style_mask: Source | Sequence[Source] = ()
    keep_colors: Literal["luma", "match"] | None = None
    tile: Literal["auto", "none"] | Annotated[int, Between(64, unit="pixels")] = "auto"
    seed: int = 0
    precision: PassPrecision = "auto"
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.network, "arbitrary-style")
        read_size(self.size)
        read_weights(self.style_weight)


def resolve(options: AnyStyleOptions) -> AnyStyleOptions:
    """The options as the recipe has them: texts read, one number as a list of one."""
    weights = read_weights(options.style_weight)
    return replace(options, size=read_size(options.size), style_weight=weights)
