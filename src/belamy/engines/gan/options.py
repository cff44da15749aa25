"""What pictures out of a generator are asked for: every option, once."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from belamy.checks import Between, check_number, check_options, show_value
from belamy.errors import OptionError
from belamy.precision import PassPrecision

if TYPE_CHECKING:
    from belamy.pixels.images import Source

__all__ = [
    "FEWEST_MEASURED",
    "LARGEST_SHEET",
    "EditOptions",
    "EvaluateOptions",
    "MixOptions",
    "PaintOptions",
    "ProjectOptions",
    "WalkOptions",
    "read_face",
]

LARGEST_SHEET = 400  # pictures
FEWEST_MEASURED = 50  # pictures, below which distances between distributions mean nothing
_LONGEST = 100_000  # frames
_NUMBER = r"\d{1,6}(?:\.\d{1,3})?"
_SQUARE = re.compile(rf"(?P<x>{_NUMBER}),(?P<y>{_NUMBER}),(?P<side>{_NUMBER})")

Network: TypeAlias = str | os.PathLike[str]
Truncation: TypeAlias = Annotated[float | None, Between(0, 2)]
Latents: TypeAlias = str | os.PathLike[str] | Sequence[str]
Rejection: TypeAlias = Literal["auto", "face", "none"]
Upscale: TypeAlias = Annotated[int, Between(1, 16)]


@dataclass(frozen=True, eq=False)
class PaintOptions:
    """What paintings are asked for.

    Args:
        network: `portraits`, the painter inside the package; a file that `belamy gan train` made,
            or its run folder.
        count: how many pictures; 16 unless the latents say how many.
        seed: of the latents: picture 7 of seed 3 is always the same one, and is called 3:7 by
            the other commands.
        truncation: 1 paints all that the painter can, 0 the same most ordinary picture each time;
            between them, less is safer and less varied. 0.8 by default; latents from files are
            left as they are.
        label: paint only pictures of this label, of painters that learned several.
        rejection: what is drawn again. face: pictures in which the detector of `faces` sees none,
            up to 16 times each; none; auto: face of `portraits`, none of other painters. Saved
            latents never are.
        latents: a file, or several, of latents that were saved, instead of drawing new ones.
        sheet: all on one sheet; otherwise each picture is a step of its own.
        upscale: times as high and as wide, 1 to 16, with the grain of a brush instead of blur.
        sign: write the formula that both networks played for at the lower right, by hand.
        frame: put each picture in a plain gilt frame.
        precision: of the painter's convolutions; auto takes bfloat16 where it is faster in it on
            this machine (nobody sees the difference), float32 elsewhere.
        device: auto, cpu, cuda or mps.
    """

    network: Network = "portraits"
    _: KW_ONLY
    count: Annotated[int | None, Between(1, 10_000)] = None
    seed: int = 0
    truncation: Truncation = None
    label: str | None = None
    rejection: Rejection = "auto"
    latents: Latents = ()
    sheet: bool = True
    upscale: Upscale = 1
    sign: bool = False
    frame: bool = False
    precision: PassPrecision = "auto"
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.network, "generator")
        if self.sheet and self.count is not None:
            check_number("count", self.count, Between(1, LARGEST_SHEET))


@dataclass(frozen=True, eq=False)
class WalkOptions:
    """What a walk is asked for.

    Args:
        network: `portraits`, the painter inside the package; a file that `belamy gan train` made,
            or its run folder.
        stops: pictures that the walk passes through; 6 unless the latents say how many.
        seconds: how long one round is.
        fps: frames a second.
        seed: of the latents: stop 7 of seed 3 is what `belamy gan paint` calls 3:7.
        truncation: 1 paints all that the painter can, 0 the most ordinary picture alone; 0.8 by
            default; latents from files are left as they are.
        label: paint only pictures of this label, of painters that learned several.
        rejection: what is drawn again. face: pictures in which the detector of `faces` sees none,
            up to 16 times each; none; auto: face of `portraits`, none of other painters. Saved
            latents never are.
        latents: a file, or several, of latents that were saved: the stops of the walk.
        upscale: times as high and as wide, 1 to 16, with the grain of a brush instead of blur.
        sign: write the formula that both networks played for at the lower right, by hand.
        frame: put the picture in a plain gilt frame.
        device: auto, cpu, cuda or mps.
    """

    network: Network = "portraits"
    _: KW_ONLY
    stops: Annotated[int | None, Between(2, 1000)] = None
    seconds: Annotated[float, Between(0, above=True)] = 12.0
    fps: Annotated[float, Between(0, above=True)] = 25.0
    seed: int = 0
    truncation: Truncation = None
    label: str | None = None
    rejection: Rejection = "auto"
    latents: Latents = ()
    upscale: Upscale = 1
    sign: bool = False
    frame: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.network, "generator")
        check_number("seconds × fps", self.frames, Between(2, _LONGEST, "frames"))

    @property
    def frames(self) -> int:
        """How many there are in all."""
        return round(self.seconds * self.fps)


@dataclass(frozen=True, eq=False)
class MixOptions:
    """What a mix of two pictures is asked for.

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
        label: of both pictures, of painters that learned several.
        rejection: what is drawn again. face: pictures in which the detector of `faces` sees none,
            up to 16 times each; none; auto: face of `portraits`, none of other painters. Saved
            latents never are.
        latents: a file, or several, of latents that were saved.
        upscale: times as high and as wide, 1 to 16, with the grain of a brush instead of blur.
        sign: write the formula that both networks played for at the lower right, by hand.
        frame: put each picture in a plain gilt frame.
        device: auto, cpu, cuda or mps.
    """

    first: str = "1"
    second: str = "2"
    _: KW_ONLY
    network: Network = "portraits"
    by: Literal["both", "latents", "levels"] = "both"
    count: Annotated[int | None, Between(1, 100)] = None
    truncation: Truncation = None
    label: str | None = None
    rejection: Rejection = "auto"
    latents: Latents = ()
    upscale: Upscale = 1
    sign: bool = False
    frame: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.network, "generator")


@dataclass(frozen=True, eq=False)
class EditOptions:
    """What an edit of a picture is asked for.

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
        label: of the picture, of painters that learned several.
        rejection: what is drawn again. face: pictures in which the detector of `faces` sees none,
            up to 16 times each; none; auto: face of `portraits`, none of other painters. Saved
            latents never are.
        latents: a file, or several, of latents that were saved.
        upscale: times as high and as wide, 1 to 16, with the grain of a brush instead of blur.
        sign: write the formula that both networks played for at the lower right, by hand.
        frame: put each picture in a plain gilt frame.
        device: auto, cpu, cuda or mps.
    """

    picture: str = "1"
    _: KW_ONLY
    network: Network = "portraits"
    direction: Annotated[int | None, Between(1, 10_000)] = None
    amount: Annotated[float, Between(-20, 20)] = 2.0
    count: Annotated[int | None, Between(1, 100)] = None
    where: Literal["all", "coarse", "fine"] = "all"
    truncation: Truncation = None
    label: str | None = None
    rejection: Rejection = "auto"
    latents: Latents = ()
    upscale: Upscale = 1
    sign: bool = False
    frame: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.network, "generator")


@dataclass(frozen=True, eq=False)
class ProjectOptions:
    """What a projection of a picture into a painter's latents is asked for.

    Args:
        image: a file, PIL image, array or tensor.
        face: what of the picture is looked for. auto: the face in it, as portraits are framed, or
            the middle square where none is found; X,Y,SIDE: a square about that place, in pixels;
            none: the middle square. Of a face, its features count most, the ground least.
        network: `portraits`, the painter inside the package; a file that `belamy gan train` made,
            or its run folder.
        steps: of the search.
        freedom: how far the painter may leave what it usually paints: below 1 a likelier painting
            that resembles less, above 1 the reverse.
        model: the feature extractor of the perceptual loss, a name (`belamy models list`) or a
            file.
        label: search among pictures of this label, of painters that learned several.
        seed: of the pictures among which the search begins.
        upscale: times as high and as wide, 1 to 16, with the grain of a brush instead of blur.
        sign: write the formula that both networks played for at the lower right, by hand.
        frame: put the picture in a plain gilt frame.
        device: auto, cpu, cuda or mps.
    """

    image: Source
    _: KW_ONLY
    network: Network = "portraits"
    face: str = "auto"
    steps: Annotated[int, Between(1, 100_000)] = 200
    freedom: Annotated[float, Between(0, above=True)] = 1.0
    model: Network = "iris"
    label: str | None = None
    seed: int = 0
    upscale: Upscale = 1
    sign: bool = False
    frame: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.network, "generator")
        read_face(self.face)


def read_face(text: str) -> tuple[float, float, float] | None:
    """The middle (x, y) and the side of the square that `face` names; None for auto and none.

    Raises:
        OptionError: it is none of these.
    """
    if text in ("auto", "none"):
        return None
    match = _SQUARE.fullmatch(text)
    if match is None or float(match["side"]) < 1:
        raise OptionError(
            f"face is {show_value(text)}; it must be auto, none, or X,Y,SIDE in pixels"
        )
    return float(match["x"]), float(match["y"]), float(match["side"])


@dataclass(frozen=True, eq=False)
class EvaluateOptions:
    """What an evaluation of a painter is asked for.

    Args:
        data: folder or zip of pictures, in any folders in it; those that it learned from, or
            others of the kind.
        network: `portraits`, the painter inside the package; a file that `belamy gan train` made,
            or its run folder.
        count: pictures that it paints for this. None: as many as there are real ones, 1,000 at
            least and 5,000 at most, of which as many are taken.
        model: the feature extractor: iris, a name (`belamy models list`), a file; auto, the best
            eye that is here, whose distances say nothing beside those of iris; or inception, for
            numbers as in papers, which needs `pip install 'belamy[metrics]'` and its weights.
        truncation: 1 paints all that the painter can; less raises precision and lowers recall.
        shown: pictures on the sheet, each with its nearest real one.
        seed: of the latents, and of what is drawn by lot.
        device: auto, cpu, cuda or mps.
    """

    data: str | os.PathLike[str]
    _: KW_ONLY
    network: Network = "portraits"
    count: Annotated[int | None, Between(FEWEST_MEASURED, 1_000_000)] = None
    model: Network = "iris"
    truncation: Annotated[float, Between(0, 2)] = 1.0
    shown: Annotated[int, Between(1, 200)] = 12
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        check_options(self)
