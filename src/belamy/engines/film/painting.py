"""Films painted by steps: each frame begins as the one before, moved, and is held to it.

Source: Ruder, Dosovitskiy and Brox 2016, "Artistic style transfer for videos": the start, the
temporal loss, its long-term form, its passes. **Differs** in that what came to light begins as the
film shows it, that the first frame alone goes through all scales, and that blends between passes
get their detail back, and are painted further in shorter steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from belamy.engines.film.film_options import StyleFilmOptions, film_path
from belamy.engines.film.one_pass import steady_blend
from belamy.engines.film.repaint import Painted
from belamy.engines.recipes import recipe_of
from belamy.engines.style.options import (
    PRESETS,
    describe_layers,
    iterations_of,
    step_size_of,
)
from belamy.engines.style.render import Stylist, finish, paint_on
from belamy.networks.modules.open_network import describe_model
from belamy.pixels.motion.flow import Motion, Quality, estimate_motion, warp
from belamy.pixels.recipe import Recipe

__all__ = ["FilmStylist", "largest_side"]

_PART = 0.4  # of a still's steps at a scale
_PART_AGAIN = 0.1  # in each further pass (Ruder et al.: 100 of 1000)
# Of a still's step. An optimizer that begins anew goes as far in its first steps as in any, which
# stirs again what a pass has settled: at 1 three passes flicker as one does.
_STEP_AGAIN = 0.75
_BLEND = 0.5  # of the neighbour, in the start of a further pass (Ruder et al.: δ)
_TEMPORAL = 200.0  # how much a pixel counts that should be as it was. By trial
_BEFORE = (1, 2, 4)  # the frames that each is compared with, so many before it (Ruder et al.: J)


def largest_side(options: StyleFilmOptions) -> int:
    """Long side of a film that is painted by steps, unless another is asked for."""
    return PRESETS[options.preset].size


class FilmStylist:
    """Paints frames by steps: see `belamy.engines.film.repaint.FrameRenderer`.

    Raises:
        UnknownName, WeightsError: no such model or layer, or its weights are not here.
        OptionError: options that exclude each other.
    """

    motion_quality: Quality = "fine"

    def __init__(self, options: StyleFilmOptions) -> None:
        film_path(options.content)
        self.options = self._given = options
        self._stylist = Stylist(replace(options, size="full"))
        self.recipe = _recipe(options, self._stylist, options)

    def fix_tile(self, size: tuple[int, int]) -> None:
        """Choose once how frames of (height, width) are cut; the recipe says it."""
        self.options = replace(self.options, tile=self._stylist.fix_tile(size))
        self.recipe = _recipe(self.options, self._stylist, self._given)

    def prepare(self, image: Tensor) -> None:
        """Nothing is measured on the first frame alone."""

    def begin(self, image: Tensor) -> Painted:
        """A frame by itself, from the smallest scale up."""
        (last,) = deque(self._stylist.steps(image), maxlen=1)
        return _keep(last.image, image, {})

    def follow(
        self, image: Tensor, previous: Tensor, state: Mapping[str, Tensor], motion: Motion
    ) -> Painted:
        """A frame that begins as the one before, and is held to it and to earlier ones."""
        if self.options.steady == 0:
            return self.begin(image)
        start = image + motion.mask * (warp(state["image-1"], motion.flow) - image)
        return self._paint_on(image, start, state, motion, _PART)

    def paint_again(
        self, image: Tensor, own: Tensor, state: Mapping[str, Tensor], motion: Motion | None
    ) -> Painted:
        """See `belamy.engines.film.passes.PassRenderer`."""
        start = own
        if motion is not None:
            amount = self.options.steady * _BLEND * motion.mask
            start = steady_blend(own, warp(state["image-1"], motion.flow), amount)
        return self._paint_on(image, start, state, motion, _PART_AGAIN, _STEP_AGAIN)

    def _paint_on(
        self,
        image: Tensor,
        start: Tensor,
        state: Mapping[str, Tensor],
        motion: Motion | None,
        part: float,
        length: float = 1.0,
    ) -> Painted:
        """A frame painted for some of a still's steps, held to those that are kept of others.

        Args:
            length: of each step, over a still's.
        """
        scene = self._stylist.prepare(image)
        step_size = length * step_size_of(scene.options)
        scene = replace(scene, options=replace(scene.options, step_size=step_size))
        target, trust = image, torch.zeros_like(image[:, :1])
        if motion is not None:
            target, trust = _target(image, state, motion)
        _, following = iterations_of(scene.options)
        steps = max(1, round(part * following))
        weight = self.options.steady * _TEMPORAL * trust
        painted = paint_on(scene, start.clamp(0, 1), steps, target, weight)
        return _keep(finish(scene, painted), image, state)


def _target(image: Tensor, state: Mapping[str, Tensor], motion: Motion) -> tuple[Tensor, Tensor]:
    """What a frame should be where earlier ones show it, and how far they can be trusted.

    The nearest that shows a place decides; those before it where that was hidden.
    """
    target, total = torch.zeros_like(image), torch.zeros_like(motion.mask)
    for steps, found in _motions(image, state, motion):
        moved = warp(state[f"image-{steps}"], found.flow).clamp(0, 1)
        trust = (found.mask - total).clamp_min(0)
        target, total = target + trust * moved, total + trust
    return target / total.clamp_min(1e-6), total


def _motions(
    image: Tensor, state: Mapping[str, Tensor], motion: Motion
) -> Iterator[tuple[int, Motion]]:
    for steps in _BEFORE:
        if f"image-{steps}" in state:
            earlier = state[f"film-{steps}"]
            yield steps, motion if steps == 1 else estimate_motion(earlier, image)


def _keep(painted: Tensor, image: Tensor, state: Mapping[str, Tensor]) -> Painted:
    """The last few frames and results, as many as later ones look back at."""
    kept = {"image-1": painted, "film-1": image}
    for steps in range(1, max(_BEFORE)):
        for name in ("image", "film"):
            if f"{name}-{steps}" in state:
                kept[f"{name}-{steps + 1}"] = state[f"{name}-{steps}"]
    return Painted(painted, kept)


def _recipe(options: StyleFilmOptions, stylist: Stylist, given: StyleFilmOptions) -> Recipe:
    found, layers = stylist.options, stylist.layers
    written = replace(options, device=str(stylist.device), precision=found.precision)
    changed: dict[str, object] = {
        "content_layer": describe_layers(layers.content),
        "style_layer": describe_layers(layers.style),
        "content_weight": layers.content_weight,
        "tv": layers.tv,
        "iterations": found.iterations,
        "optimizer": found.optimizer,
        "model": describe_model(options.model, stylist.backbone),
        "init": options.init if isinstance(options.init, str) else None,
    }
    digest = stylist.backbone.sha256
    weights = {stylist.backbone.name: digest} if digest else {}
    return recipe_of("film-style", written, weights, changed=changed, given=given)
