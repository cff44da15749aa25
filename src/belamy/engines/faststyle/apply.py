"""A picture in the one style that a network has learned."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from belamy.engines.faststyle.options import ApplyStyleOptions
from belamy.engines.faststyle.stroke_sizes import paint_by_sizes
from belamy.engines.faststyle.variation import vary_picture
from belamy.engines.feedforward import Repainter, extend_by_mirroring, repaint
from belamy.networks.files.header import SUFFIX, network_in, read_metadata
from belamy.networks.image_to_image.layers import Crop

if TYPE_CHECKING:
    from torch import Tensor

    from belamy.engines.compact import CompactPicture

__all__ = ["StyleApplier"]

# Long side of the picture, at least and over that of the painting as the network was shown it, at
# which strokes of one pass are as broad as they should be. By eye
_LEAST, _ROOM = 340.0, 0.85
_USUAL_STYLE = 400.0  # pixels of the painting, where a network does not say it


class StyleApplier(Repainter[ApplyStyleOptions]):
    """A network that has learned one style, loaded once, for many pictures.

    Args:
        options: for all pictures; its `image` is repainted where no other is named.

    Raises:
        WeightsError: the network is not here, damaged, or has a part that is unknown.
        OptionError: the runtime cannot run this file, or not on this device.
        MissingExtra: the runtime is not installed.
    """

    def __init__(self, options: ApplyStyleOptions) -> None:
        super().__init__("faststyle", options)
        words = read_metadata(self.path) if self.path.suffix == SUFFIX else {}
        own = words if network_in(words) == "johnson" else {}
        self._style_size = _read_number(own.get("style_size"), _USUAL_STYLE)
        self._variation = _read_number(own.get("variation"), 0.0)

    def paint(self, image: CompactPicture, options: ApplyStyleOptions, tile: int | None) -> Tensor:
        given = options.variation
        amount = self._variation if given is None else given
        pass_once = functools.partial(repaint, self.runtime, tile=tile)

        def paint(image: Tensor) -> Tensor:
            varied = vary_picture(image, amount, options.seed)
            del image  # where nobody else needs it, it makes room
            if options.border == 0:
                return pass_once(varied)
            height, width = (side + 2 * options.border for side in varied.shape[-2:])
            corner = (options.border, options.border)
            varied = extend_by_mirroring(varied, (height, width), corner)
            return Crop(options.border)(pass_once(varied))  # type: ignore[no-any-return]

        if options.stroke_size == "fixed":
            return paint(image.floats())
        first = max(_LEAST, _ROOM * self._style_size) / options.stroke_size
        return paint_by_sizes(paint, image, first)


def _read_number(text: str | None, usual: float) -> float:
    """What a file says; the usual where it says nothing that makes sense."""
    try:
        number = float(text or "")
    except ValueError:
        return usual
    return number if 0 <= number < float("inf") else usual
