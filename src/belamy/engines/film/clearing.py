"""Films that lose their fog: transmission and airlight steady in time, grain held down.

Most of what flickers in a cleared film is the camera's grain, divided by the transmission. So the
result is held to the one before it where they differ by no more than grain can make them, and the
more of the fog was taken out, the more that is.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from belamy.engines.defog.remove import Defogger, dehaze, estimate_refined
from belamy.engines.film.film_options import DefogFilmOptions, film_path
from belamy.engines.film.one_pass import steady_blend
from belamy.engines.film.repaint import Painted
from belamy.engines.recipes import recipe_of
from belamy.pixels.fog.model import MIN_TRANSMISSION, Fog
from belamy.pixels.fog.sky import segment_sky
from belamy.pixels.motion.flow import Motion, Quality, warp
from belamy.pixels.pyramid import gaussian_blur
from belamy.pixels.recipe import Recipe

__all__ = ["FilmDefogger"]

_NEW_AIR, _NEW_TRANSMISSION = 0.05, 0.1  # of each new frame's estimate
_NEW = 0.25  # of each new frame's result, where it differs by no more than grain
_GRAIN = 4 / 255  # what a camera's grain is taken for, before it is divided by the transmission
_WINDOW = 1.5  # sigma in pixels of the window in which differences are measured


class FilmDefogger:
    """Clears frames: see `belamy.engines.film.repaint.FrameRenderer`.

    Raises:
        UnknownName, WeightsError: the network is not here, damaged, or another one.
        OptionError: options that exclude each other.
    """

    motion_quality: Quality = "fine"

    def __init__(self, options: DefogFilmOptions) -> None:
        film_path(options.image)
        self.options = options
        self._defogger = Defogger(options)
        self.recipe: Recipe = recipe_of(
            "film-defog",
            options,
            self._defogger.method.weights,
            changed={"device": str(self._defogger.device)},
        )

    def prepare(self, image: Tensor) -> None:
        """Nothing is measured on the first frame alone."""

    def begin(self, image: Tensor) -> Painted:
        """A frame by itself."""
        fog = self._estimate(image)
        return self._result(image, self._clear(image, fog), fog)

    def follow(
        self, image: Tensor, previous: Tensor, state: Mapping[str, Tensor], motion: Motion
    ) -> Painted:
        """A frame whose fog is that of the one before, changed a little."""
        new = self._estimate(image)
        steady = self.options.steady
        if steady == 0:
            return self._result(image, self._clear(image, new), new)
        keep = motion.mask * steady * (1 - _NEW_TRANSMISSION)
        moved = warp(state["transmission"], motion.flow, sharp=False)
        transmission = new.transmission + keep * (moved - new.transmission)
        air = new.air + steady * (1 - _NEW_AIR) * (state["air"] - new.air)
        fog = Fog(transmission, air)
        clear = self._clear(image, fog)
        before = warp(state["image"], motion.flow).clamp(0, 1)
        amount = steady * (1 - _NEW) * motion.mask * self._likeness(clear, before, fog)
        return self._result(image, steady_blend(clear, before, amount), fog)

    def _estimate(self, image: Tensor) -> Fog:
        fog, _ = estimate_refined(self._defogger.method.estimate, image.to(self._defogger.device))
        if self.options.keep_sky:
            return Fog(1 - (1 - fog.transmission) * (1 - segment_sky(image)), fog.air)
        return fog

    def _clear(self, image: Tensor, fog: Fog) -> Tensor:
        return dehaze(image.to(fog.air), fog, self.options.strength)

    def _likeness(self, clear: Tensor, before: Tensor, fog: Fog) -> Tensor:
        """Where both differ by no more than grain does, (1, 1, H, W) in [0, 1]."""
        grain = _GRAIN / fog.transmission.clamp_min(MIN_TRANSMISSION) ** self.options.strength
        difference = gaussian_blur((clear - before).square().mean(1, keepdim=True), _WINDOW)
        variance = grain.square()
        return torch.exp(-(difference - 2 * variance).clamp_min(0) / variance)

    def _result(self, image: Tensor, clear: Tensor, fog: Fog) -> Painted:
        state = {"image": clear, "transmission": fog.transmission, "air": fog.air}
        shown = torch.cat([image.to(clear), clear], dim=-1) if self.options.compare else clear
        return Painted(shown, state)
