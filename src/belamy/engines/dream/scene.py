"""What one dream needs, read and on the device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import Tensor

from belamy.engines.compact import CompactPicture
from belamy.engines.dream.options import DreamOptions
from belamy.networks.backbone import Backbone
from belamy.objectives.objective import Objective
from belamy.optimise import Tiling
from belamy.pixels.colors import keep_colors
from belamy.pixels.images import resize
from belamy.pixels.recipe import Recipe

__all__ = ["Scene", "finish"]


@dataclass(frozen=True)
class Scene:
    """Everything that one dream needs.

    Args:
        options: resolved, as the recipe has them.
        ground: what is dreamt on.
        alpha: (1, 1, H, W) or None.
        mask: (1, 1, H, W) in [0, 1] or None.
        objective_of: the objective as it is for a changed base, where it compares with that; else
            None.
    """

    options: DreamOptions
    backbone: Backbone
    objective: Objective
    ground: CompactPicture
    alpha: Tensor | None
    mask: Tensor | None
    tiling: Tiling | None
    recipe: Recipe
    objective_of: Callable[[Tensor], Objective] | None = None

    @property
    def base(self) -> Tensor:
        """(1, 3, H, W), what is dreamt on; not to be written over."""
        return self.ground.floats()

    def on(self, image: Tensor) -> Scene:
        """The same dream on another picture (1, 3, H, W)."""
        return replace(self, ground=CompactPicture.of(image))


def finish(scene: Scene, image: Tensor) -> tuple[Tensor, Tensor | None]:
    """The picture to show: colours kept, blended in, dreamt only where the mask is white."""
    size = (image.shape[-2], image.shape[-1])
    options = scene.options
    alpha = None if scene.alpha is None else resize(scene.alpha, size)
    untouched = scene.mask is None and options.strength == 1 and not options.keep_colors
    if untouched:
        return image, alpha
    ground = scene.ground.resize(size)
    if options.keep_colors:
        image = keep_colors(ground, image)
    amount: Tensor | float = options.strength
    if scene.mask is not None:
        amount = amount * resize(scene.mask, size)
    return ground + (image - ground) * amount, alpha
