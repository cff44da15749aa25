"""A painted picture changed, and a given one found among those that could be painted.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from belamy.steps import Step, run_to_end

if TYPE_CHECKING:
    from belamy.pixels.images import Source

__all__ = ["gan_edit", "gan_edit_steps", "gan_project", "gan_project_steps"]


def gan_edit_steps(
    picture: str = "1",
    *,
    network: str = "portraits",
    direction: int | None = None,
    amount: float = 2.0,
    count: int | None = None,
    where: Literal["all", "coarse", "fine"] = "all",
    truncation: float | None = None,
    label: str | None = None,
    latents: str | Sequence[str] = (),
    upscale: int = 1,
    sign: bool = False,
    frame: bool = False,
    device: str = "auto",
) -> Iterator[Step]:
    """Change a picture in one of the directions in which the painter's pictures differ most.

    Args:
        picture: by its seed and number, as 3:7, the seventh of `belamy gan paint --seed 3`; a
            number alone is of seed 0, or of the latents where they are given.
        network: `portraits`, the painter inside the package; a file that `belamy gan train` made,
            or its run folder.
        direction: which, from 1, the strongest; what it does is for you to see. None shows the
            first six, one in each row.
        amount: how far, in standard deviations of the painter's pictures; below 0 the other way.
        count: pictures from minus to plus the amount; 1, the usual for one direction, gives the
            end alone, 5 is the usual for an overview.
        where: coarse changes form and pose, fine colours and strokes, all both; of painters that
            have levels.
        truncation: 1 paints all that the painter can, 0 the most ordinary picture alone; 0.8 by
            default; latents from files are left as they are.
        label: of the picture, of painters that learned several kinds.
        latents: a file, or several, of latents that were saved.
        upscale: times as high and as wide, 1 to 16, with the grain of a brush instead of blur.
        sign: write the formula that both networks played for at the lower right, by hand.
        frame: put each picture in a plain gilt frame.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Step` for each direction, with the sheet so far.

    Raises:
        UnknownName: no such painter, or no such label.
        WeightsError: the painter or the latents are not here, damaged, or of another kind.
        OptionError: a value out of its range.

    Source: Härkönen et al. 2020, "GANSpace".
    """
    asked = dict(locals())
    from belamy.engines.gan import edit

    yield from edit.edit(**asked)


gan_edit = run_to_end(gan_edit_steps)


def gan_project_steps(
    image: Source,
    *,
    network: str = "portraits",
    steps: int = 150,
    freedom: float = 1.0,
    model: str = "iris",
    label: str | None = None,
    seed: int = 0,
    upscale: int = 1,
    sign: bool = False,
    frame: bool = False,
    device: str = "auto",
) -> Iterator[Step]:
    """Find the latents with which a painter comes nearest to a picture: you, as it would paint you.

    Args:
        image: a file, PIL image, array or tensor; its middle square is looked for.
        network: `portraits`, the painter inside the package; a file that `belamy gan train` made,
            or its run folder.
        steps: of the search.
        freedom: how far the painter may leave what it usually paints: below 1 a likelier painting
            that resembles less, above 1 the reverse.
        model: the network that judges the likeness, a name (`belamy models list`) or a file.
        label: search among pictures of this kind, of painters that learned several.
        seed: of the pictures among which the search begins.
        upscale: times as high and as wide, 1 to 16, with the grain of a brush instead of blur.
        sign: write the formula that both networks played for at the lower right, by hand.
        frame: put the picture in a plain gilt frame.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Step` for each few steps of the search: the way there.

    Raises:
        ImageError: the picture cannot be read.
        UnknownName: no such painter, model or label.
        WeightsError: the painter or the model is not here, damaged, or of another kind.
        OptionError: a value out of its range.
        Diverged: the loss is no longer a number.

    Source: Abdal et al. 2019, "Image2StyleGAN", and Karras et al. 2020: all levels are fitted, by
    a perceptual loss and pixels. **Differs** in that what holds them near usual styles is how
    unusual they are in each direction, measured on the painter's own styles.
    """
    asked = dict(locals())
    from belamy.engines.gan import projection

    yield from projection.run(**asked)


gan_project = run_to_end(gan_project_steps)
