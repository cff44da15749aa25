"""Options of feed-forward style transfer, with their defaults, ranges and texts."""

from __future__ import annotations

import os
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from belamy.checks import Between, check_options
from belamy.networks.files.ranges import Range
from belamy.precision import PassPrecision

if TYPE_CHECKING:
    from belamy.pixels.images import Source

__all__ = ["ApplyStyleOptions"]


@dataclass(frozen=True, eq=False)
class ApplyStyleOptions:
    """What a network that has learned one style is asked for.

    Args:
        image: a file, PIL image, array or tensor; any size. Transparency is kept.
        network: a file that `belamy style train` made, a .t7 of fast-neural-style, a .pth of
            PyTorch's fast_neural_style, or an .onnx.
        size: long side of the result in pixels. None: the image's own.
        stroke_size: how broad strokes are: 1 as the painting has them beside its own size, however
            large the picture is, 2 twice as broad; at the finest, and in small pictures, as the
            network makes them. Large pictures are painted small first, and then filled with finer
            strokes. fixed: as many pixels as the network makes them, whatever the size.
        border: pixels by which the picture goes on beyond its edges, as in mirrors, while it is
            painted, and which are cut off then: what a network draws along edges, a frame, lies in
            them. 0 keeps it.
        variation: how strong the smooth noise is that is added first, of which empty places get
            strokes of their own; 0 adds none. None: as the network has learned it.
        seed: of this noise.
        strength: how much of the painting is blended into the image, 0 to 1.
        keep_colors: take only light and dark from the painting, and colours from the image.
        tile: longest side of the tiles that large pictures are worked on in; auto decides by the
            memory that is free, none never tiles.
        runtime: what runs the network: torch; or onnxruntime or openvino, which are faster on
            processors and come with `pip install 'belamy[fast]'`. auto takes torch where it can.
        range: the numbers that another program's network takes for black and white: 0-255, 0-1,
            -1-1, imagenet or caffe; auto is found out on a drawn picture.
        precision: of the convolutions; auto takes bfloat16 where this network is faster in it on
            this machine (nobody sees the difference), float32 elsewhere, and with onnxruntime.
        device: auto, cpu, cuda or mps.

    Raises:
        OptionError: a value out of its range.
        UnknownName: none of the choices.
    """

    image: Source | None = None
    _: KW_ONLY
    network: str | os.PathLike[str]
    size: Annotated[int | None, Between(1, 32_768, "pixels")] = None
    stroke_size: Literal["fixed"] | Annotated[float, Between(0.1, 10)] = 1.0
    border: Annotated[int, Between(0, 256, "pixels")] = 24
    variation: Annotated[float | None, Between(0, 1)] = None
    seed: int = 0
    strength: Annotated[float, Between(0, 1)] = 1.0
    keep_colors: bool = False
    tile: Literal["auto", "none"] | Annotated[int, Between(256, unit="pixels")] = "auto"
    runtime: Literal["auto", "torch", "onnxruntime", "openvino"] = "auto"
    range: Range = "auto"
    precision: PassPrecision = "auto"
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.network, "image-to-image")
