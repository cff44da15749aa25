"""What journeys are asked for: every option, once."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from belamy.checks import Between, check_number, check_options, show_value
from belamy.errors import OptionError

if TYPE_CHECKING:
    from belamy.pixels.images import Source

__all__ = ["LARGEST_SIDE", "DreamWalkOptions", "DreamZoomOptions", "read_shift", "split_stops"]

LARGEST_SIDE = 512  # long side of a journey through a larger picture, unless another is asked for
_LONGEST = 1_000_000  # frames

Rate: TypeAlias = Annotated[float, Between(0, 240, "frames a second", above=True)]
Seconds: TypeAlias = Annotated[float, Between(0, 86_400, "seconds", above=True)]
Steps: TypeAlias = Annotated[int, Between(1, 1000)]
_SHIFT = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+))\s*,\s*([-+]?(?:\d+\.?\d*|\.\d+))\s*")


@dataclass(frozen=True, eq=False)
class DreamZoomOptions:
    """What a journey into a dream is asked for.

    Args:
        image: where it begins; a file, PIL image, array or tensor. None begins in noise.
        model: a network's name (`belamy models list`) or weights file; auto is the best one whose
            weights are here.
        layers: what is excited along the way, one after another, each as NAME[:CHANNEL][*WEIGHT];
            each passes over into the next. Several are given apart, or joined by commas. None
            takes the model's favourites all along.
        class_: classes to be excited along the way, one after another, each by name or number.
        guides: pictures whose features are wanted along the way, one after another.
        seconds: how long it is.
        fps: frames a second.
        zoom: how much nearer each 25th of a second comes; 1 stays, under 1 goes away. So a journey
            is as fast at any number of frames.
        rotate: degrees by which each 25th of a second turns, clockwise.
        shift: pixels by which each 25th of a second moves, as RIGHT,DOWN.
        loop: end where it began, for a film that goes round for ever.
        loop_by: the first frame grows out of the middle of the last ones (growing), or the last
            second changes into it (fading).
        begin: with the picture as it is dreamt on (dream), or as it is (picture).
        octaves: sizes at which each frame is dreamt on, small to large.
        octave_scale: factor from one size to the next.
        steps: steps in each octave of each frame.
        step_size: the mean change in one step, in levels of 255.
        jitter: each step looks at the frame shifted by up to so many pixels.
        smooth: how the gradient is freed of noise, as in a dream. None: what suits the model.
        colors: how far each frame's colours are drawn back to the first one's, 0 to 1; at 0 they
            run away, mostly into red.
        size: long side of the film in pixels; full is the image's own. None: the image's own, but
            at most 512; 384 from noise.
        tile: longest side of the tiles that large pictures are worked on in; auto decides by the
            memory that is free, none never tiles.
        seed: of the noise and the jitter.
        device: auto, cpu, cuda or mps.

    Raises:
        OptionError: a value out of its range, or a text that cannot be read.
        UnknownName: none of the choices.
    """

    image: Source | None = None
    _: KW_ONLY
    model: str | os.PathLike[str] = "auto"
    layers: str | Sequence[str] = ()
    class_: str | Sequence[str] = ()
    guides: Source | Sequence[Source] = ()
    seconds: Seconds = 20.0
    fps: Rate = 25.0
    zoom: Annotated[float, Between(0.5, 2)] = 1.02
    rotate: Annotated[float, Between(-180, 180)] = 0.0
    shift: str = "0,0"
    loop: bool = False
    loop_by: Literal["growing", "fading"] = "growing"
    begin: Literal["dream", "picture"] = "dream"
    octaves: Annotated[int, Between(1, 32)] = 2
    octave_scale: Annotated[float, Between(1.01, 8)] = 1.4
    steps: Steps = 2
    step_size: Annotated[float, Between(1e-6, 255)] = 1.5
    jitter: Annotated[int, Between(0, 4096)] = 32
    smooth: Literal["laplacian", "gaussian", "both", "none"] | None = None
    colors: Annotated[float, Between(0, 1)] = 0.5
    size: Literal["full"] | Annotated[int, Between(8, 32_768)] | None = None
    tile: Literal["auto", "none"] | Annotated[int, Between(64, unit="pixels")] = "auto"
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.model, "backbone")
        read_shift(self.shift)
        check_number("seconds × fps", self.frames, Between(2, _LONGEST, "frames"))

    @property
    def frames(self) -> int:
        """How many there are in all."""
        return round(self.seconds * self.fps)


@dataclass(frozen=True, eq=False)
class DreamWalkOptions:
    """What a walk between dreams on one picture is asked for.

    Args:
        image: what is dreamt on; a file, PIL image, array or tensor.
        model: a network's name (`belamy models list`) or weights file; auto is the best one whose
            weights are here.
        layers: what is excited along the way, one after another, each as NAME[:CHANNEL][*WEIGHT];
            each passes over into the next. Several are given apart, or joined by commas.
        class_: classes to be excited along the way, one after another, each by name or number.
        guides: pictures whose features are wanted along the way, one after another.
        seconds: how long it is.
        fps: frames a second.
        keep: how much of what was dreamt stays in the next frame, 0 to 1; with less the dream
            follows sooner, and is paler.
        loop: end where it began, for a film that goes round for ever.
        octaves: sizes at which each frame is dreamt on, small to large.
        octave_scale: factor from one size to the next.
        steps: steps in each octave of each frame.
        step_size: the mean change in one step, in levels of 255.
        jitter: each step looks at the frame shifted by up to so many pixels.
        smooth: how the gradient is freed of noise, as in a dream. None: what suits the model.
        size: long side of the film in pixels; full is the image's own. None: the image's own, but
            at most 512.
        tile: longest side of the tiles that large pictures are worked on in; auto decides by the
            memory that is free, none never tiles.
        seed: of the jitter.
        device: auto, cpu, cuda or mps.

    Raises:
        OptionError: a value out of its range, or a text that cannot be read.
        UnknownName: none of the choices.
    """

    image: Source
    _: KW_ONLY
    model: str | os.PathLike[str] = "auto"
    layers: str | Sequence[str] = ()
    class_: str | Sequence[str] = ()
    guides: Source | Sequence[Source] = ()
    seconds: Seconds = 10.0
    fps: Rate = 25.0
    keep: Annotated[float, Between(0, 1)] = 0.9
    loop: bool = False
    octaves: Annotated[int, Between(1, 32)] = 3
    octave_scale: Annotated[float, Between(1.01, 8)] = 1.4
    steps: Steps = 2
    step_size: Annotated[float, Between(1e-6, 255)] = 1.5
    jitter: Annotated[int, Between(0, 4096)] = 32
    smooth: Literal["laplacian", "gaussian", "both", "none"] | None = None
    size: Literal["full"] | Annotated[int, Between(8, 32_768)] | None = None
    tile: Literal["auto", "none"] | Annotated[int, Between(64, unit="pixels")] = "auto"
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.model, "backbone")
        check_number("seconds × fps", self.frames, Between(2, _LONGEST, "frames"))
        if len(split_stops(self.layers)) + len(_several(self.class_)) < 2 and not self.guides:
            raise OptionError(
                "a walk leads from one to another; name two or more layers, classes or guides"
            )

    @property
    def frames(self) -> int:
        """How many there are in all."""
        return round(self.seconds * self.fps)


def split_stops(given: str | Sequence[str]) -> list[str]:
    """Layers along the way, given apart or joined by commas, as a list."""
    return [part.strip() for text in _several(given) for part in text.split(",") if part.strip()]


def _several(given: str | Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


def read_shift(text: str) -> tuple[float, float]:
    """Pixels to the right and downwards, out of `2,0`.

    Raises:
        OptionError: it cannot be read.
    """
    match = _SHIFT.fullmatch(text)
    if match is None or max(abs(float(match[1])), abs(float(match[2]))) > 1000:
        raise OptionError(
            f"shift is {show_value(text)}; write RIGHT,DOWN in pixels, as 2,0 or -1.5,0.5"
        )
    return float(match[1]), float(match[2])
