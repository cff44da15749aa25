"""Style in one pass, any style: a network that was shown many paintings paints like one more.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from belamy.errors import OptionError
from belamy.precision import Precision, check_precision
from belamy.steps import Step, run_to_end

if TYPE_CHECKING:
    from belamy.pixels.images import Source
    from belamy.training.trainer import Tick

__all__ = ["AnyStyleConfig", "any_style", "any_style_steps", "train_any_style"]


def any_style_steps(
    content: Source,
    style: Source | Sequence[Source],
    *,
    network: str = "anystyle",
    size: int | str = 512,
    strength: float = 1.0,
    pieces: float = 0.6,
    style_weight: float | Sequence[float] = (),
    style_scale: float = 1.0,
    style_size: int | None = None,
    mask: Source | Sequence[Source] = (),
    style_mask: Source | Sequence[Source] = (),
    keep_colors: Literal["luma", "match"] | None = None,
    tile: Literal["auto", "none"] | int = "auto",
    seed: int = 0,
    device: str = "auto",
) -> Iterator[Step]:
    """Paint one picture in the manner of others in one pass, in about a second.

    Args:
        content: what to paint; a file, PIL image, array or tensor. Transparency is kept.
        style: in whose manner; one picture or several, which are blended, or each have their
            region (see mask). Where they are transparent they do not count.
        network: anystyle, which is in the package, or a file that `belamy style train-any` made.
        size: long side of the result in pixels; N+ for as many pixels as a square of N has.
        strength: how much of the style there is, 0 (the content as it is) to 1.
        pieces: how much is laid of pieces of the styles, where the content resembles them: 0 takes
            their colours and what paint looks like alone, 1 is free and hardly legible.
        style_weight: how much a style counts, one number for each style; 1 if none is given. Blends
            are in these proportions.
        style_scale: long side of the styles over that of the result; smaller makes strokes smaller.
        style_size: long side of the styles in pixels, instead of style_scale. They are never
            enlarged, and 1024 px at most.
        mask: paint where this picture is white, keep the content where it is black; with two
            styles white is the first's region and black the second's, or give one mask a style.
        style_mask: one for each style: only where it is white the style is looked at.
        keep_colors: luma takes only light and dark from the result, and colours from the content;
            match gives the styles the content's colours beforehand.
        tile: longest side of the tiles that large pictures are worked on in, exactly; auto decides
            by the memory that is free, none never tiles.
        seed: of the choice among pieces that are alike.
        device: auto, cpu, cuda or mps.

    Yields:
        one `Step`, with the painting.

    Raises:
        ImageError: a picture cannot be read.
        OptionError: a value out of its range, or options that exclude each other.
        UnknownName: no such network or way to keep colours.
        WeightsError: the network, or the one whose features it reads, is not here or damaged.

    Source: Huang & Belongie 2017, "Arbitrary style transfer in real-time with adaptive instance
    normalization". **Differs**: see `belamy.networks.image_to_image.arbitrary_style`; what was
    drawn gets the strength of the style's colours, see `belamy.objectives.laplacian_color`; and on
    large pictures the statistics are those of the whole picture, added up over its tiles before any
    is painted.
    """
    asked = dict(locals())
    from belamy.engines.anystyle import render

    yield from render.run(**asked)


any_style = run_to_end(any_style_steps)


@dataclass(frozen=True)
class AnyStyleConfig:
    """How a network learns to paint in any style.

    Args:
        paintings: folder or zip of paintings, the styles; in all folders in it.
        data: folder or zip of photographs to practise on, likewise.
        model: whose features are read, and judged by: iris, or a file of a network of its shape.
        start: a network that `belamy style train-any` made, to go on from; none begins anew.
        pieces: the styles are laid of their pieces in random parts up to this one; see `any_style`.
        style_weight: of the distance to the style; more paints more boldly.
        content_weight: of the distance to the content.
        identity_weight: of what a picture loses when it is painted in its own style.
        smoothness: of the differences between neighbouring pixels, against grain.
        size: side in pixels of the squares that are painted in training.
        width: channels at full size, twice as many at half, four times at a quarter and six times
            at an eighth of it.
        steps: how many batches are painted.
        batch: squares a step, in each process; a fourth of them are styled by themselves.
        learning_rate: of Adam; it rises for 50 steps, and falls to nothing along a cosine.
        average: decay per step of the moving average of the weights, which is what is kept.
        precision: of the convolutions: auto is bfloat16 where the processor or card has it, which
            takes about half the time, else float32; float16, for cards that have no bfloat16
            (before 2020), with the losses scaled so that no gradient vanishes.
        seed: of the first weights, the order, the crops.
    """

    paintings: str
    data: str
    model: str = "iris"
    start: str = ""
    pieces: float = 1.0
    style_weight: float = 1.0
    content_weight: float = 0.15
    identity_weight: float = 5.0
    smoothness: float = 0.15
    size: int = 128
    width: int = 32
    steps: int = 1000
    batch: int = 4
    learning_rate: float = 1.5e-3
    average: float = 0.99
    precision: Precision = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        weights = ("content_weight", "identity_weight", "smoothness")
        _require(0 < self.style_weight < math.inf, "style weight", self.style_weight, "above 0")
        for name in weights:
            value = getattr(self, name)
            _require(0 <= value < math.inf, name.replace("_", " "), value, "0 or more")
        _require(0 <= self.pieces <= 1, "pieces", self.pieces, "0 to 1")
        _require(64 <= self.size <= 1024, "size", self.size, "64 to 1024 pixels")
        _require(self.size % 8 == 0, "size", self.size, "a multiple of 8")
        _require(1 <= self.width <= 128, "width", self.width, "1 to 128")
        _require(1 <= self.steps <= 10_000_000, "steps", self.steps, "at least 1")
        _require(1 <= self.batch <= 4096, "batch", self.batch, "1 to 4096")
        _require(0 < self.learning_rate < 1, "learning rate", self.learning_rate, "0 to 1")
        _require(0 <= self.average < 1, "average", self.average, "0 up to 1, not 1 itself")
        check_precision(self.precision)


def _require(good: bool, name: str, value: object, wanted: str) -> None:
    if not good:
        raise OptionError(f"{name} is {value!r}; it must be {wanted}")


def train_any_style(
    config: AnyStyleConfig, folder: Path, *, device: str = "auto"
) -> Iterator[Tick]:
    """Train a network that paints in any style, in a run folder, from where it stopped.

    At the end the folder holds `network.safetensors`, at half precision, for `any_style`; on the
    way `samples/` shows what it has learned.

    Args:
        config: what to train; a folder that holds another configuration is refused.
        folder: the run folder, made if it is not there.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Tick` that says what will be done; then ticks with the losses.

    Raises:
        DataError: there are no paintings, or no photographs to practise on.
        OptionError: the model has not the layers that are read.
        WeightsError: the model's weights are not here.
        RunError: the folder holds something else, or another configuration.
        Diverged: the loss is no longer a number.
    """
    from belamy.engines.anystyle import train

    yield from train.training(config, folder, device)
