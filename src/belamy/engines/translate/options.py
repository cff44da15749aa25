"""What a translation is asked for: every option, once."""

from __future__ import annotations

import os
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, get_args

from belamy.checks import Between, check_options
from belamy.networks.files.ranges import Range
from belamy.precision import PassPrecision

if TYPE_CHECKING:
    from belamy.pixels.images import Source

__all__ = ["DIRECTIONS", "Direction", "TranslateOptions"]

Direction: TypeAlias = Literal["a-to-b", "b-to-a"]

DIRECTIONS: tuple[Direction, ...] = get_args(Direction)


@dataclass(frozen=True, eq=False)
class TranslateOptions:
    """What a translation is asked for.

    Args:
        image: a file, PIL image, array or tensor; any size. Transparency is kept.
        network: a file that `belamy translate train` made, or one that is inside the package:
            old-photographs, photographs of today as of about 1890, and old ones in colour; or
            impressionism, landscapes as paintings, and back, which learned on small pictures, so
            that size 256 or 384 shows its brush.
        direction: from domain A to domain B, or back; methods that learn one direction alone have
            a-to-b.
        size: long side of the result in pixels; a network changes things that are as large as
            they were when it learned. None: the image's own.
        strength: how much of the translation is blended into the image, 0 to 1.
        keep_colors: take only light and dark from the translation, and colours from the image.
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
    direction: Direction = "a-to-b"
    size: Annotated[int | None, Between(1, 32_768)] = None
    strength: Annotated[float, Between(0, 1)] = 1.0
    keep_colors: bool = False
    # smaller tiles would be nearly all margin
    tile: Literal["auto", "none"] | Annotated[int, Between(256, unit="pixels")] = "auto"
    runtime: Literal["auto", "torch", "onnxruntime", "openvino"] = "auto"
    range: Range = "auto"
    precision: PassPrecision = "auto"
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.network, "image-to-image")
