"""Image-to-image translation of pictures of any size, by a generator that is loaded once."""

from __future__ import annotations

from belamy.engines.feedforward import Repainter
from belamy.engines.translate.options import TranslateOptions

__all__ = ["Translator"]


class Translator(Repainter[TranslateOptions]):
    """A generator of one direction, loaded once, for many pictures.

    Args:
        options: for all pictures; its `image` is translated where no other is named.

    Raises:
        UnknownName, WeightsError: the network is not here, damaged, or has not learned this
            direction.
        OptionError: the runtime cannot run this file, or not on this device.
        MissingExtra: the runtime is not installed.
    """

    def __init__(self, options: TranslateOptions) -> None:
        super().__init__("translate", options, options.direction)
