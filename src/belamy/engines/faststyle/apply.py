"""A picture in the one style that a network has learned: one forward pass."""

from __future__ import annotations

from belamy.engines.faststyle.options import ApplyStyleOptions
from belamy.engines.feedforward import Repainter

__all__ = ["StyleApplier"]


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
