"""Films through networks that paint in one pass: what flickers is held, its detail given back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

import torch
from torch import Tensor

from belamy.engines.anystyle.render import AnyStylist
from belamy.engines.faststyle.apply import StyleApplier
from belamy.engines.film.film_options import (
    AnyStyleFilmOptions,
    ApplyStyleFilmOptions,
    TranslateFilmOptions,
    film_path,
)
from belamy.engines.film.repaint import Painted
from belamy.engines.recipes import recipe_of
from belamy.engines.translate.render import Translator
from belamy.pixels.motion.detail import restore_detail
from belamy.pixels.motion.flow import Motion, Quality, warp
from belamy.pixels.motion.level import hold_level, match_level
from belamy.pixels.recipe import Recipe

__all__ = [
    "OnePass",
    "anystyle_film",
    "faststyle_film",
    "hold_frame",
    "steady_blend",
    "translate_film",
]

_NEW = 0.15  # of each new frame, where the one before can be trusted
# Lai et al. 2018, "Learning blind video temporal consistency": how far a warped frame is the same.
_TOLERANCE = 50.0

Paint: TypeAlias = Callable[[Tensor], Tensor]
FixTile: TypeAlias = Callable[[tuple[int, int]], str | int]


class OnePass:
    """Paints frames in one pass each: see `belamy.engines.film.repaint.FrameRenderer`.

    Args:
        open_scene: the first frame of a scene (1, 3, H, W) → what paints its frames, each by
            itself.
        recipe: how to make the film again.
        steady: how firmly frames are held, 0 to 1.
        fix_tile: (height, width) → how all frames of that size are cut from now on.
    """

    motion_quality: Quality = "coarse"

    def __init__(
        self,
        open_scene: Callable[[Tensor], Paint],
        recipe: Recipe,
        steady: float,
        fix_tile: FixTile,
    ) -> None:
        self._open_scene, self.recipe, self._steady = open_scene, recipe, steady
        self._fix_tile = fix_tile
        self._paint: Paint | None = None

    def fix_tile(self, size: tuple[int, int]) -> None:
        """Choose once how the frames are cut; the recipe says it."""
        options = {**self.recipe.options, "tile": self._fix_tile(size)}
        self.recipe = replace(self.recipe, options=options)

    def prepare(self, image: Tensor) -> None:
        """Styles are read once for a scene."""
        self._paint = self._open_scene(image)

    def begin(self, image: Tensor) -> Painted:
        """A frame by itself."""
        painted = self._paint_alone(image)
        return Painted(painted, {"image": painted})

    def _paint_alone(self, image: Tensor) -> Tensor:
        assert self._paint is not None, "a scene is prepared before its frames"
        return self._paint(image).clamp(0, 1)

    def follow(
        self, image: Tensor, previous: Tensor, state: Mapping[str, Tensor], motion: Motion
    ) -> Painted:
        """A frame held to the one before."""
        painted = self._paint_alone(image)
        if self._steady:
            painted = hold_frame(painted, state["image"], image, previous, motion, self._steady)
        return Painted(painted, {"image": painted})


def hold_frame(
    painted: Tensor,
    before: Tensor,
    image: Tensor,
    previous: Tensor,
    motion: Motion,
    steady: float,
    new: float = _NEW,
) -> Tensor:
    """A frame held to the one before in its level, and blended with it.

    Args:
        painted: (1, 3, H, W), by itself.
        before: the result before.
        image, previous: the film's frame, and the one before.
        motion: from that to this one.
        steady: how firmly, 0 to 1.
        new: how much of the new frame there is at least.
    """
    likeness = _likeness(image, previous, motion) * steady
    moved = warp(before, motion.flow)
    change = image - warp(previous, motion.flow, sharp=False)
    painted = hold_level(painted, moved, likeness, change)
    return steady_blend(painted, moved, likeness * (1 - new))


def _likeness(image: Tensor, previous: Tensor, motion: Motion) -> Tensor:
    """(1, 1, H, W) in [0, 1]: where the frame before shows the same, after it has been moved."""
    moved = warp(previous, motion.flow, sharp=False)
    difference = (image - moved).square().sum(1, keepdim=True)
    return motion.mask * torch.exp(-_TOLERANCE * difference)


def steady_blend(painted: Tensor, moved: Tensor, amount: Tensor) -> Tensor:
    """A frame with some of the one before, as sharp as it was, and as light as the blend.

    Args:
        painted: (1, 3, H, W), by itself.
        moved: the result before, moved to here.
        amount: (1, 1, H, W): how much of that.
    """
    blend = painted + amount * (moved.to(painted) - painted)
    # What is cut off beyond black and white would change the level a little more in each frame.
    return match_level(restore_detail(blend, painted), blend)


def faststyle_film(options: ApplyStyleFilmOptions) -> OnePass:
    """A film through a network that has learned one style."""
    film_path(options.image)
    applier = StyleApplier(replace(options, size=None))
    written = {"device": str(applier.device), "precision": applier.options.precision}
    recipe = recipe_of("film-faststyle", options, applier.weights, changed=written)
    return OnePass(lambda _: applier.repaint_frame, recipe, options.steady, applier.fix_tile)


def translate_film(options: TranslateFilmOptions) -> OnePass:
    """A film translated."""
    film_path(options.image)
    translator = Translator(replace(options, size=None))
    written = {"device": str(translator.device), "precision": translator.options.precision}
    recipe = recipe_of("film-translate", options, translator.weights, changed=written)
    return OnePass(lambda _: translator.repaint_frame, recipe, options.steady, translator.fix_tile)


def anystyle_film(options: AnyStyleFilmOptions) -> OnePass:
    """A film painted in any style."""
    film_path(options.content)
    stylist = AnyStylist(options)
    written = {"device": str(stylist.device), "precision": stylist.options.precision}
    recipe = recipe_of("film-anystyle", options, stylist.weights, changed=written)
    return OnePass(stylist.open_scene, recipe, options.steady, stylist.fix_tile)
