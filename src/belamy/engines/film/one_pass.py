"""Films through networks that paint in one pass: what flickers is held, its detail given back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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
from belamy.engines.film.repaint import Painted, RepaintedFilm, Seen
from belamy.engines.film.source import SourceFilm
from belamy.engines.recipes import recipe_of
from belamy.engines.translate.render import Translator
from belamy.pixels.motion.detail import restore_detail
from belamy.pixels.motion.flow import Motion, Quality, warp
from belamy.pixels.motion.level import hold_level, match_level
from belamy.pixels.recipe import Recipe

__all__ = [
    "OnePass",
    "OnePassFilm",
    "PaintedAlone",
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
        in_parallel: whether several threads may paint frames at a time.
    """

    motion_quality: Quality = "coarse"

    def __init__(
        self,
        open_scene: Callable[[Tensor], Paint],
        recipe: Recipe,
        steady: float,
        fix_tile: FixTile,
        in_parallel: bool = False,
    ) -> None:
        self._open_scene, self.recipe, self._steady = open_scene, recipe, steady
        self._fix_tile, self.in_parallel = fix_tile, in_parallel
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
        return self.hold(self.paint_alone(image, None, None), {})

    def follow(
        self, image: Tensor, previous: Tensor, state: Mapping[str, Tensor], motion: Motion
    ) -> Painted:
        """A frame held to the one before."""
        return self.hold(self.paint_alone(image, previous, motion), state)

    def paint_alone(
        self, image: Tensor, previous: Tensor | None, motion: Motion | None
    ) -> PaintedAlone:
        """A frame before the one before it is painted; several threads may do so at a time."""
        assert self._paint is not None, "a scene is prepared before its frames"
        painted = self._paint(image).clamp(0, 1)
        if previous is None or motion is None or not self._steady:
            return PaintedAlone(painted, None)
        return PaintedAlone(painted, _relate(image, previous, motion))

    def hold(self, alone: PaintedAlone, state: Mapping[str, Tensor]) -> Painted:
        """That frame held to the one before, whose state is given."""
        painted = alone.image
        if alone.relation is not None:
            painted = _hold(painted, state["image"], alone.relation, self._steady, _NEW)
        return Painted(painted, {"image": painted})


@dataclass(frozen=True)
class _Relation:
    """How a frame of the film came from the one before it.

    Args:
        flow: (1, 2, H, W), see `belamy.pixels.motion.flow.Motion`.
        likeness: (1, 1, H, W) in [0, 1]: where the frame before, moved, shows the same.
        change: (1, 3, H, W), from the frame before, moved, to this one.
    """

    flow: Tensor
    likeness: Tensor
    change: Tensor


@dataclass(frozen=True)
class PaintedAlone:
    """A frame painted by itself.

    Args:
        image: (1, 3, H, W) in [0, 1].
        relation: to the frame before; None where it is not held to that.
    """

    image: Tensor
    relation: _Relation | None


class OnePassFilm(RepaintedFilm):
    """A film whose frames are painted before those before them are done, several at a time.

    Args:
        source: the film.
        renderer: what paints its frames.
        workers: frames that are painted at a time.
    """

    def __init__(self, source: SourceFilm, renderer: OnePass, workers: int = 1) -> None:
        super().__init__(source, renderer, workers)
        self._one_pass = renderer

    def look(self, seen: Seen) -> Seen:
        """The motion, and the frame painted by itself; on another thread."""
        seen = super().look(seen)
        if seen.is_made:
            return seen
        alone = self._one_pass.paint_alone(seen.frame.image, seen.previous, seen.motion)
        return _SeenPainted(
            *(seen.index, seen.frame, seen.previous, seen.motion, seen.is_made), alone
        )

    def paint(self, seen: Seen, state: Mapping[str, Tensor]) -> Painted:
        """A frame, with the state of the one before it."""
        assert isinstance(seen, _SeenPainted), "frames are painted by themselves before"
        return self._one_pass.hold(seen.alone, state)


@dataclass(frozen=True)
class _SeenPainted(Seen):
    """A frame that is painted already, but not held to the one before it."""

    alone: PaintedAlone


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
    return _hold(painted, before, _relate(image, previous, motion), steady, new)


def _relate(image: Tensor, previous: Tensor, motion: Motion) -> _Relation:
    change = image - warp(previous, motion.flow, sharp=False)
    likeness = motion.mask * torch.exp(-_TOLERANCE * change.square().sum(1, keepdim=True))
    return _Relation(motion.flow, likeness, change)


def _hold(
    painted: Tensor, before: Tensor, relation: _Relation, steady: float, new: float
) -> Tensor:
    likeness = relation.likeness * steady
    moved = warp(before, relation.flow)
    painted = hold_level(painted, moved, likeness, relation.change)
    return steady_blend(painted, moved, likeness * (1 - new))


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
    return _of_repainter(applier, recipe, options.steady)


def translate_film(options: TranslateFilmOptions) -> OnePass:
    """A film translated."""
    film_path(options.image)
    translator = Translator(replace(options, size=None))
    written = {"device": str(translator.device), "precision": translator.options.precision}
    recipe = recipe_of("film-translate", options, translator.weights, changed=written)
    return _of_repainter(translator, recipe, options.steady)


def _of_repainter(repainter: StyleApplier | Translator, recipe: Recipe, steady: float) -> OnePass:
    in_parallel = repainter.device.type == "cpu"  # a card has no cores to share
    paint = repainter.repaint_frame
    return OnePass(lambda _: paint, recipe, steady, repainter.fix_tile, in_parallel)


def anystyle_film(options: AnyStyleFilmOptions) -> OnePass:
    """A film painted in any style."""
    film_path(options.content)
    stylist = AnyStylist(options)
    written = {"device": str(stylist.device), "precision": stylist.options.precision}
    recipe = recipe_of("film-anystyle", options, stylist.weights, changed=written)
    return OnePass(stylist.open_scene, recipe, options.steady, stylist.fix_tile)
