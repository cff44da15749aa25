"""DeepDream: the weights stay fixed, the pixels change, to excite what a network sees.

This module imports no torch, so that the command line can read its signature and defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from belamy.steps import Step, drained

if TYPE_CHECKING:
    from belamy.pixels.images import Source


def dream_steps(
    image: Source | None = None,
    *,
    model: str = "iris",
    layer: str | Sequence[str] = (),
    class_: str | None = None,
    guide: Source | None = None,
    channels: str | None = None,
    octaves: int | None = None,
    octave_scale: float | None = None,
    steps: int | None = None,
    step_size: float | None = None,
    jitter: int | None = None,
    smooth: Literal["laplacian", "gaussian", "none"] | None = None,
    from_: Literal["image", "noise"] | None = None,
    canvas: Literal["pixels", "fourier"] | None = None,
    size: int | None = None,
    mask: Source | None = None,
    strength: float = 1.0,
    keep_colors: bool = False,
    tile: Literal["auto", "none"] | int = "auto",
    seed: int = 0,
    device: str = "auto",
) -> Iterator[Step]:
    """Dream a picture: change its pixels until a network sees more of what it looks for.

    Args:
        image: what to dream on; a file, PIL image, array or tensor. None dreams from noise.
        model: a network's name (`belamy models list`) or weights file.
        layer: what to excite, as NAME[:CHANNEL][*WEIGHT]; several add up, and a negative weight
            calms. None takes the model's favourite. Shallow layers draw strokes and eyes, deep ones
            parts of animals and things.
        class_: a class to excite, by name or number, as the classifier's last level knows it.
        guide: a picture whose features are wanted: each place takes the one that it matches best.
        channels: strongest:N or weakest:N, only the N channels that the picture excites most or
            least in the layers.
        octaves: sizes dreamt one after another, small to large; each adds finer detail. None: 4 on
            pixels as in Google's notebook; a Fourier canvas has one.
        octave_scale: factor from one size to the next. None: 1.4 as in the notebook.
        steps: steps in each octave. None: 10 on pixels, 256 on a Fourier canvas.
        step_size: how far one step goes. On pixels the mean change in levels of 255 (None: 1.5, as
            in the notebook); on a Fourier canvas Adam's learning rate (None: 0.05, as in Lucid).
        jitter: the picture is shifted by up to so many pixels before each step and back after it,
            so that no place always meets the same grid. None: 32 on pixels as in the notebook; a
            Fourier canvas is shifted, turned and scaled its own way.
        smooth: how the gradient is freed of grain: its bands levelled (laplacian), blurred
            (gaussian), or not at all. None: laplacian on pixels.
        from_: start from the image, or from noise. None: the image where there is one.
        canvas: pixels, or fourier: the spectrum of decorrelated colours, which draws large shapes
            as readily as fine ones. None: pixels on an image, fourier from noise.
        size: long side of the result in pixels. None: the image's own; 384 from noise.
        mask: dream where this picture is white, keep the image where it is black.
        strength: how much of the dream is blended into the image, 0 to 1.
        keep_colors: take only light and dark from the dream, and colours from the image.
        tile: longest side of the tiles that large pictures are worked on in; auto decides by the
            memory that is free, none never tiles.
        seed: of the noise, the jitter and the tiles' places.
        device: auto, cpu, cuda or mps.

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
    asked = dict(locals())
    from belamy.engines.dream import render

    yield from render.run(**asked)


dream = drained(dream_steps)
