"""Films dreamt on: the detail that a frame was given is carried along, and dreamt on a little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from belamy.engines.dream.options import PixelSettings, settings_of
from belamy.engines.dream.render import Dreamer, dream_on
from belamy.engines.dream.scene import Scene, finish
from belamy.engines.film.film_options import DreamFilmOptions, film_path
from belamy.engines.film.repaint import Painted
from belamy.engines.recipes import recipe_of
from belamy.errors import OptionError
from belamy.pixels.motion.detail import band_energies, hold_detail
from belamy.pixels.motion.flow import Motion, Quality, warp
from belamy.pixels.recipe import Recipe

__all__ = ["LARGEST_SIDE", "FilmDreamer"]

LARGEST_SIDE = 512  # long side of a film that is dreamt on, unless another is asked for

_KEEP = 0.9  # of the detail of the frame before; with all of it, it would never change again
# A start that is dreamt already needs few steps, on the larger sizes alone. Measured: a fourth of
# the work of a still, and sharper than a picture that is carried along.
_OCTAVES = 2
_STEPS = 0.3  # of a still's


class FilmDreamer:
    """Dreams on frames: see `belamy.engines.film.repaint.FrameRenderer`.

    Raises:
        UnknownName, WeightsError: no such model or layer, or its weights are not here.
        OptionError: options that make no sense on a film.
    """

    motion_quality: Quality = "fine"

    def __init__(self, options: DreamFilmOptions) -> None:
        if options.canvas not in (None, "pixels") or options.from_ == "noise":
            raise OptionError("films are dreamt on pixels; leave canvas and from out")
        still = replace(options, image=None, size="full", canvas="pixels")
        self.options = self._given = options
        self._path = film_path(options.image)
        self._dreamer = Dreamer(still)
        self._scene: Scene | None = None
        self._recipe: Recipe | None = None

    @property
    def recipe(self) -> Recipe:
        """How to make the film again."""
        if self._recipe is None:
            dreamer = self._dreamer
            weights = {dreamer.backbone.name: dreamer.backbone.sha256 or ""}
            changed = {**dreamer.target.describe(), "model": dreamer.options.model}
            written = replace(
                self.options, device=str(dreamer.device), precision=dreamer.options.precision
            )
            self._recipe = recipe_of(
                "film-dream",
                written,
                {k: v for k, v in weights.items() if v},
                changed=changed,
                given=self._given,
            )
        return self._recipe

    def fix_tile(self, size: tuple[int, int]) -> None:
        """Choose once how frames of (height, width) are cut; the recipe says it."""
        self.options = replace(self.options, tile=self._dreamer.fix_tile(size))

    def prepare(self, image: Tensor) -> None:
        """The objective is measured on the first frame of a scene, and stays."""
        self._scene = self._dreamer.prepare(image)

    def begin(self, image: Tensor) -> Painted:
        """A frame dreamt on in full."""
        scene, settings = self._settings()
        dreamt = dream_on(scene, settings)
        energies = image.new_tensor(band_energies(dreamt - scene.base))
        shown, _ = finish(scene, dreamt)
        return Painted(shown, {"image": dreamt, "energies": energies})

    def follow(
        self, image: Tensor, previous: Tensor, state: Mapping[str, Tensor], motion: Motion
    ) -> Painted:
        """A frame with the detail of the one before, dreamt on a little."""
        scene, settings = self._settings()
        if self.options.steady == 0:
            dreamt = dream_on(scene.on(image.to(scene.base)), settings)
            return Painted(finish(scene.on(image), dreamt)[0], {"image": dreamt})
        detail = warp(state["image"] - previous, motion.flow)
        start = image + self.options.steady * _KEEP * motion.mask * detail
        few = replace(
            settings,
            octaves=min(settings.octaves, _OCTAVES),
            steps=max(1, round(_STEPS * settings.steps)),
        )
        dreamt = dream_on(scene.on(start.clamp(0, 1).to(scene.base)), few)
        energies = state["energies"]
        dreamt = image + hold_detail(dreamt - image, energies.tolist())
        dreamt = dreamt.clamp(0, 1)
        shown, _ = finish(scene.on(image.to(scene.base)), dreamt)
        return Painted(shown, {"image": dreamt, "energies": energies})

    def _settings(self) -> tuple[Scene, PixelSettings]:
        assert self._scene is not None, "a scene is prepared before its frames"
        settings = settings_of(self._scene.options)
        assert isinstance(settings, PixelSettings)
        return self._scene, settings
