"""What a trained generator is good for: pictures of nobody, walks, mixes, edits, and likenesses.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

from collections.abc import Iterator

from belamy.engines.gan.options import (
    EditOptions,
    MixOptions,
    PaintOptions,
    ProjectOptions,
    WalkOptions,
)
from belamy.steps import Step, run_to_end, run_to_film, with_options

__all__ = [
    "gan_edit",
    "gan_edit_steps",
    "gan_mix",
    "gan_mix_steps",
    "gan_paint",
    "gan_paint_steps",
    "gan_project",
    "gan_project_steps",
    "gan_walk",
    "gan_walk_steps",
]


@with_options(PaintOptions)
def gan_paint_steps(options: PaintOptions) -> Iterator[Step]:
    """Paint pictures from nothing.

    Yields:
        a `Step` for each picture; or, on a sheet, for each few of them, with the sheet so far.

    Raises:
        UnknownName: no such painter, or no such label.
        WeightsError: the painter or the latents are not here, damaged, or of another kind.
        OptionError: a value out of its range.

    Source: Goodfellow et al. 2014; truncation: Brock et al. 2019, Karras et al. 2019.
    """
    from belamy.engines.gan.sample import paint

    yield from paint(options)


gan_paint = run_to_end(gan_paint_steps)


@with_options(WalkOptions)
def gan_walk_steps(options: WalkOptions) -> Iterator[Step]:
    """Walk from one picture to the next, and back to the first: a film that can go round for ever.

    Yields:
        a `Step` for each frame.

    Raises:
        UnknownName: no such painter, or no such label.
        WeightsError: the painter or the latents are not here, damaged, or of another kind.
        OptionError: a value out of its range.

    Source: White 2016, "Sampling generative networks" (on a circle instead of a line). **Differs**
    in the circle's centre, which is the most ordinary picture, and in that the walk lingers at
    each stop.
    """
    from belamy.engines.gan.sample import walk

    yield from walk(options)


gan_walk = run_to_film(gan_walk_steps)


@with_options(MixOptions)
def gan_mix_steps(options: MixOptions) -> Iterator[Step]:
    """Cross two pictures: what lies between them, on a sheet.

    Yields:
        a `Step` for each row, with the sheet so far.

    Raises:
        UnknownName: no such painter, or no such label.
        WeightsError: the painter or the latents are not here, damaged, or of another kind.
        OptionError: a value out of its range, or a painter without levels asked to mix by them.

    Source: by levels, Karras et al. 2019 ("style mixing").
    """
    from belamy.engines.gan.edit import mix

    yield from mix(options)


gan_mix = run_to_end(gan_mix_steps)


@with_options(EditOptions)
def gan_edit_steps(options: EditOptions) -> Iterator[Step]:
    """Change a picture in one of the directions in which the painter's pictures differ most.

    Yields:
        a `Step` for each direction, with the sheet so far.

    Raises:
        UnknownName: no such painter, or no such label.
        WeightsError: the painter or the latents are not here, damaged, or of another kind.
        OptionError: a value out of its range.

    Source: Härkönen et al. 2020, "GANSpace".
    """
    from belamy.engines.gan.edit import edit

    yield from edit(options)


gan_edit = run_to_end(gan_edit_steps)


@with_options(ProjectOptions)
def gan_project_steps(options: ProjectOptions) -> Iterator[Step]:
    """Find the latents with which a painter comes nearest to a picture: you, as it would paint you.

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
    from belamy.engines.gan.projection import project

    yield from project(options)


gan_project = run_to_end(gan_project_steps)
