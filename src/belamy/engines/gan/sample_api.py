"""Pictures that nobody sat for: painted from nothing, on a walk, and crossed with each other.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from belamy.steps import Step, run_to_end

__all__ = ["gan_mix", "gan_mix_steps", "gan_paint", "gan_paint_steps", "gan_walk_steps"]


def gan_paint_steps(
    network: str = "portraits",
    *,
    count: int | None = None,
    seed: int = 0,
    truncation: float | None = None,
    label: str | None = None,
    latents: str | Sequence[str] = (),
    sheet: bool = True,
    upscale: int = 1,
    sign: bool = False,
    frame: bool = False,
    device: str = "auto",
) -> Iterator[Step]:
    """Paint pictures from nothing.

    Args:
        network: `portraits`, the painter inside the package; a file that `belamy gan train` made,
            or its run folder.
        count: how many pictures; 16 unless the latents say how many.
        seed: of the latents: picture 7 of seed 3 is always the same one, and is called 3:7 by
            the other commands.
        truncation: 1 paints all that the painter can, 0 the same most ordinary picture each time;
            between them, less is safer and less varied. 0.8 by default; latents from files are
            left as they are.
        label: paint only pictures of this kind, of painters that learned several.
        latents: a file, or several, of latents that were saved, instead of drawing new ones.
        sheet: all on one sheet; otherwise each picture is a step of its own.
        upscale: times as high and as wide, 1 to 16, with the grain of a brush instead of blur.
        sign: write the formula that both networks played for at the lower right, by hand.
        frame: put each picture in a plain gilt frame.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Step` for each picture; or, on a sheet, for each few of them, with the sheet so far.

    Raises:
        UnknownName: no such painter, or no such label.
        WeightsError: the painter or the latents are not here, damaged, or of another kind.
        OptionError: a value out of its range.

    Source: Goodfellow et al. 2014; truncation: Brock et al. 2019, Karras et al. 2019.
    """
    asked = dict(locals())
    from belamy.engines.gan import sample

    yield from sample.paint(**asked)


gan_paint = run_to_end(gan_paint_steps)


def gan_walk_steps(
    network: str = "portraits",
    *,
    stops: int | None = None,
    seconds: float = 12.0,
    fps: float = 25.0,
    seed: int = 0,
    truncation: float | None = None,
    label: str | None = None,
    latents: str | Sequence[str] = (),
    upscale: int = 1,
    sign: bool = False,
    frame: bool = False,
    device: str = "auto",
) -> Iterator[Step]:
    """Walk from one picture to the next, and back to the first: a film that can go round for ever.

    Args:
        network: `portraits`, the painter inside the package; a file that `belamy gan train` made,
            or its run folder.
        stops: pictures that the walk passes through; 6 unless the latents say how many.
        seconds: how long one round is.
        fps: frames a second.
        seed: of the latents: stop 7 of seed 3 is what `belamy gan paint` calls 3:7.
        truncation: 1 paints all that the painter can, 0 the most ordinary picture alone; 0.8 by
            default; latents from files are left as they are.
        label: paint only pictures of this kind, of painters that learned several.
        latents: a file, or several, of latents that were saved: the stops of the walk.
        upscale: times as high and as wide, 1 to 16, with the grain of a brush instead of blur.
        sign: write the formula that both networks played for at the lower right, by hand.
        frame: put the picture in a plain gilt frame.
        device: auto, cpu, cuda or mps.

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
    asked = dict(locals())
    from belamy.engines.gan import sample

    yield from sample.walk(**asked)


def gan_mix_steps(
    first: str = "1",
    second: str = "2",
    *,
    network: str = "portraits",
    by: Literal["both", "latents", "levels"] = "both",
    count: int | None = None,
    truncation: float | None = None,
    label: str | None = None,
    latents: str | Sequence[str] = (),
    upscale: int = 1,
    sign: bool = False,
    frame: bool = False,
    device: str = "auto",
) -> Iterator[Step]:
    """Cross two pictures: what lies between them, on a sheet.

    Args:
        first: a picture by its seed and number, as 3:7, the seventh of `belamy gan paint --seed 3`;
            a number alone is of seed 0, or of the latents where they are given.
        second: the other one.
        network: `portraits`, the painter inside the package; a file that `belamy gan train` made,
            or its run folder.
        by: latents: the way from one to the other, evenly. levels: two rows; in the upper one the
            second picture's colours and strokes come first and its form last, in the lower one
            its form first. both: all three rows.
        count: pictures on the way, with both ends; 1 gives the middle alone. By default as many as
            the painter has levels, and one more.
        truncation: 1 paints all that the painter can, 0 the most ordinary picture alone; 0.8 by
            default; latents from files are left as they are.
        label: of both pictures, of painters that learned several kinds.
        latents: a file, or several, of latents that were saved.
        upscale: times as high and as wide, 1 to 16, with the grain of a brush instead of blur.
        sign: write the formula that both networks played for at the lower right, by hand.
        frame: put each picture in a plain gilt frame.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Step` for each row, with the sheet so far.

    Raises:
        UnknownName: no such painter, or no such label.
        WeightsError: the painter or the latents are not here, damaged, or of another kind.
        OptionError: a value out of its range, or a painter without levels asked to mix by them.

    Source: by levels, Karras et al. 2019 ("style mixing").
    """
    asked = dict(locals())
    from belamy.engines.gan import sample

    yield from sample.mix(**asked)


gan_mix = run_to_end(gan_mix_steps)
