"""Style in one pass: a network that has learned one manner repaints a picture.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from belamy.errors import OptionError
from belamy.precision import Precision, check_precision
from belamy.steps import Step, run_to_end

if TYPE_CHECKING:
    from belamy.pixels.images import Source
    from belamy.training.trainer import Tick

__all__ = ["StyleTrainConfig", "apply_style", "apply_style_steps", "stylist", "train_style"]


def apply_style_steps(
    image: Source,
    *,
    network: str,
    size: int | None = None,
    strength: float = 1.0,
    keep_colors: bool = False,
    tile: Literal["auto", "none"] | int = "auto",
    engine: Literal["auto", "torch", "onnxruntime", "openvino"] = "auto",
    device: str = "auto",
) -> Iterator[Step]:
    """Repaint a picture with a network that has learned one style.

    Args:
        image: a file, PIL image, array or tensor; any size. Transparency is kept.
        network: a file that `belamy style train` made, a .t7 of fast-neural-style, a .pth of
            PyTorch's fast_neural_style, or an .onnx.
        size: long side of the result in pixels; strokes are as large as they were when the network
            learned, so that a larger picture has finer ones. None: the image's own.
        strength: how much of the painting is blended into the image, 0 to 1.
        keep_colors: take only light and dark from the painting, and colours from the image.
        tile: longest side of the tiles that large pictures are worked on in; auto decides by the
            memory that is free, none never tiles.
        engine: what runs the network: torch; or onnxruntime or openvino, which are faster on
            processors and come with `pip install 'belamy[fast]'`. auto takes torch where it can.
        device: auto, cpu, cuda or mps.

    Yields:
        one `Step`, with the painting.

    Raises:
        ImageError: the picture cannot be read.
        WeightsError: the network is not here, damaged, or has a part that is unknown.
        OptionError: a value out of its range.
        MissingExtra: the engine is not installed.

    Source: Johnson, Alahi and Fei-Fei 2016. **Differs** on large pictures: the statistics of the
    instance norms are taken from samples of the whole picture, and then held while its tiles are
    painted, so that tiles fit together without a seam or a change of colour.
    """
    asked = dict(locals())
    from belamy.engines import feedforward

    yield from feedforward.run("faststyle", **asked)


apply_style = run_to_end(apply_style_steps)


def stylist(
    network: str, *, engine: str = "auto", device: str = "auto", **options: Any
) -> Callable[[Source], Iterator[Step]]:
    """A function that does what `apply_style_steps` does, and loads the network once.

    Args:
        network: as in `apply_style_steps`.
        engine: as in `apply_style_steps`.
        device: as in `apply_style_steps`.
        options: its other arguments.

    Raises:
        WeightsError: the network is not here, damaged, or has a part that is unknown.
        OptionError: a value out of its range.
        MissingExtra: the engine is not installed.
    """
    from belamy.engines import feedforward

    arguments = inspect.signature(apply_style_steps).parameters
    usual = {name: arguments[name].default for name in ("size", "strength", "keep_colors", "tile")}
    options = {**usual, **options, "network": network, "engine": engine, "device": device}
    return feedforward.prepared("faststyle", options)


@dataclass(frozen=True)
class StyleTrainConfig:
    """How a network learns one style.

    Args:
        painting: the picture whose style is learned.
        data: folder or zip of photographs to practise on; in all folders in it.
        model: the network that judges, a name (`belamy models list`) or a file.
        style_layers: the layers whose statistics the painting gives. None given: those that suit
            the model.
        content_layers: the layers in which the picture must stay what it was.
        style_weight: of the distance to the style; more paints more boldly.
        content_weight: of the distance to the content.
        smoothness: of the differences between neighbouring pixels, against grain.
        size: side in pixels of the squares that are painted in training. In larger ones strokes
            find their places better, and steps take longer.
        style_size: long side of the painting in pixels. None: twice `size`, so that a square sees
            strokes as large as a detail of the painting has them.
        width: channels at full size, twice as many at half and four times at quarter size.
        blocks: residual blocks at quarter size.
        steps: how many batches are painted; the first twentieth of them only teaches the network
            to copy, for it begins as grey.
        batch: squares a step, in each process. Johnson takes 4; 2 look as good for half the time.
        learning_rate: of Adam; it rises for 50 steps, and falls to nothing along a cosine.
        average: decay per step of the moving average of the weights, which is what is kept.
        precision: of the convolutions: auto is bfloat16 where the processor or card has it, which
            takes about half the time, else float32; float16, for cards that have no bfloat16
            (before 2020), with the losses scaled so that no gradient vanishes.
        seed: of the first weights, the order, the crops.
    """

    painting: str
    data: str
    model: str = "iris"
    style_layers: tuple[str, ...] = ()
    content_layers: tuple[str, ...] = ()
    style_weight: float = 1.0
    content_weight: float = 0.1
    smoothness: float = 0.3
    size: int = 192
    style_size: int | None = None
    width: int = 16
    blocks: int = 5
    steps: int = 3000
    batch: int = 2
    learning_rate: float = 2e-3
    average: float = 0.99
    precision: Precision = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("style_layers", "content_layers"):  # lists, out of JSON or a command
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.style_size is None:
            object.__setattr__(self, "style_size", 2 * self.size)
        _require(0 < self.style_weight < math.inf, "style weight", self.style_weight, "above 0")
        _require(0 <= self.content_weight < math.inf, "content weight", self.content_weight, "≥ 0")
        _require(0 <= self.smoothness < math.inf, "smoothness", self.smoothness, "0 or more")
        _require(64 <= self.size <= 1024, "size", self.size, "64 to 1024 pixels")
        _require(self.size % 4 == 0, "size", self.size, "a multiple of 4")
        _require(64 <= self.painting_side <= 4096, "style size", self.style_size, "64 to 4096")
        _require(1 <= self.width <= 128, "width", self.width, "1 to 128")
        _require(0 <= self.blocks <= 32, "blocks", self.blocks, "0 to 32")
        _require(1 <= self.steps <= 10_000_000, "steps", self.steps, "at least 1")
        check_precision(self.precision)
        _require(1 <= self.batch <= 4096, "batch", self.batch, "1 to 4096")
        _require(0 < self.learning_rate < 1, "learning rate", self.learning_rate, "0 to 1")
        _require(0 <= self.average < 1, "average", self.average, "0 up to 1, not 1 itself")

    @property
    def painting_side(self) -> int:
        """`style_size`, filled in."""
        assert self.style_size is not None
        return self.style_size


def _require(good: bool, name: str, value: object, wanted: str) -> None:
    if not good:
        raise OptionError(f"{name} is {value!r}; it must be {wanted}")


def train_style(config: StyleTrainConfig, folder: Path, *, device: str = "auto") -> Iterator[Tick]:
    """Train a network that paints in one style, in a run folder, from where it stopped.

    At the end the folder holds `network.safetensors`, at half precision, for `apply_style`; on the
    way `samples/` shows what it has learned.

    Args:
        config: what to train; a folder that holds another configuration is refused.
        folder: the run folder, made if it is not there.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Tick` that says what will be done; then ticks with the losses.

    Raises:
        ImageError: the painting cannot be read.
        DataError: there are no photographs to practise on.
        WeightsError: the model's weights are not here.
        RunError: the folder holds something else, or another configuration.
        Diverged: the loss is no longer a number.
    """
    from belamy.engines.faststyle import train

    yield from train.training(config, folder, device)
