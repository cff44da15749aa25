"""Style transfer by optimisation: one picture in the manner of another, or of several.

This module imports no torch, so that the command line can read its signature and defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from belamy.steps import Step, run_to_end

if TYPE_CHECKING:
    from belamy.pixels.images import Source


def style_steps(
    content: Source,
    style: Source | Sequence[Source],
    *,
    preset: Literal["sketch", "standard", "fine"] = "standard",
    size: int | str | None = None,
    min_size: int = 128,
    iterations: int | str | None = None,
    model: str = "iris",
    content_layer: str | Sequence[str] = (),
    style_layer: str | Sequence[str] = (),
    style_loss: Literal["moments", "gram"] = "moments",
    content_weight: float | None = None,
    style_weight: float | Sequence[float] = (),
    tv: float | None = None,
    style_scale: float = 1.0,
    style_size: int | None = None,
    init: Literal["content", "noise", "grey", "style-statistics"] | Source = "content",
    mask: Source | Sequence[Source] = (),
    style_mask: Source | Sequence[Source] = (),
    keep_colors: Literal["luma", "match"] | None = None,
    pooling: Literal["max", "average", "l2"] | None = None,
    optimizer: Literal["adam", "lbfgs"] = "adam",
    step_size: float | None = None,
    precision: Literal["float32", "bfloat16", "float16"] = "float32",
    tile: Literal["auto", "none"] | int = "auto",
    seed: int = 0,
    device: str = "auto",
) -> Iterator[Step]:
    """Paint one picture in the manner of others: what it shows from one, its strokes from them.

    Args:
        content: what to paint; a file, PIL image, array or tensor.
        style: in whose manner; one picture or several, which are blended, or each have their
            region (see mask). Where they are transparent they do not count.
        preset: how much work: sketch (256 px, a first look), standard (512 px), or fine (512 px,
            three times the iterations).
        size: long side of the result in pixels; N+ for as many pixels as a square of N has. None:
            the preset's.
        min_size: long side of the first and smallest scale, in pixels; each next is √2 larger.
            Strokes as large as half of it are found.
        iterations: steps at each scale, or FIRST,NEXT for the first and each next. None: the
            preset's.
        model: a network's name (`belamy models list`) or weights file.
        content_layer: where content is compared, as NAME[*WEIGHT]; several add up. None named: the
            model's own.
        style_layer: where style is compared, likewise; shallow layers see paint, deep ones shapes.
        style_loss: moments (how far features would have to move, the cleaner one), or gram (Gatys'
            squared difference, coarser and more contrasty).
        content_weight: how much content counts against style. None: the model's own, so that it
            can be read but is painted.
        style_weight: how much a style counts, one number for each style; 1 if none is given. Blends
            are in these proportions, and their mean counts against the content.
        tv: how much smoothness counts, which quiets grain. None: the model's own.
        style_scale: long side of the styles over that of the result; smaller makes strokes smaller.
        style_size: long side of the styles in pixels at every scale, instead of style_scale. They
            are never enlarged.
        init: start from the content, noise, grey, style-statistics (noise in the styles' colours),
            or another picture.
        mask: paint where this picture is white, keep the content where it is black; with two
            styles white is the first's region and black the second's, or give one mask a style.
        style_mask: one for each style: only where it is white the style is looked at.
        keep_colors: luma takes only light and dark from the result, and colours from the content;
            match gives the styles the content's colours beforehand.
        pooling: how the network shrinks its layers: max, average or l2. None: as it was trained.
        optimizer: adam, or lbfgs, which is coarser at first and needs more memory.
        step_size: how far one step goes, of Adam in [0, 1] of a pixel. None: 0.02 for Adam, 1 for
            L-BFGS.
        precision: of the network's numbers; the halves save memory and, on GPUs, time.
        tile: longest side of the tiles that large pictures are worked on in, exactly; auto decides
            by the memory that is free, none never tiles.
        seed: of the noise and of the tiles' places.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Step` each, with the average of the latest pictures; the last holds the finished one.

    Raises:
        ImageError: a picture cannot be read.
        UnknownName: no such model or layer.
        OptionError: a value out of its range, or options that exclude each other.
        WeightsError: the model's weights are not here.
        Diverged: a loss is no longer a number.

    Source: Gatys, Ecker and Bethge 2016, "Image style transfer using convolutional neural
    networks"; scales, averaging and the Wasserstein distance from crowsonkb/style-transfer-pytorch.
    **Differs** from the latter: layers of other networks than VGG are each measured by what they
    see in the target, so that weights mean the same on any layer; the average looks back over a
    fifth of a scale's iterations, at most 100, where Crowson's always looks back over 100; two
    pixels are painted beyond each edge and cut off.
    """
    asked = dict(locals())
    from belamy.engines.style import render

    yield from render.run(**asked)


style = run_to_end(style_steps)
