"""How a network learns one style: every option of the training, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from belamy.checks import Between, check_options, require
from belamy.precision import Precision

__all__ = ["StyleTrainConfig"]

_LEAST_JUDGED = 32  # side in pixels of what is left of a square without its border


@dataclass(frozen=True)
class StyleTrainConfig:
    """How a network learns one style.

    Args:
        painting: the picture whose style is learned.
        data: folder or zip of photographs to practise on; in all folders in it.
        start: a network of the same width and blocks that `belamy style train` made, to go on
            from; none begins anew. Another style is learned in half of the steps so.
        keep: how much of the network that it goes on from is kept in the end: the mean of both is
            as bold as what has been learned, and as clear as what was there. 0 without a start.
        model: the network that judges, a name (`belamy models list`) or a file.
        style_layers: the layers whose statistics the painting gives. None given: those that suit
            the model.
        content_layers: the layers in which the picture must stay what it was.
        scales: at how many sizes the painting is compared, each half of the one before: with one,
            strokes are of one size, and there is no swirl that is larger than the layers see.
        variation: how strong the smooth noise is that is added to what is painted, in parts of
            what lies between black and white; where a photograph is empty, it says where
            something begins.
        style_weight: of the distance to the style; more paints more boldly.
        content_weight: of the distance to the content.
        smoothness: of the differences between neighbouring pixels, against grain.
        size: side in pixels of the squares that are painted in training. In larger ones strokes
            find their places better, and steps take longer.
        border: pixels along their edges that are painted, and not judged: what a network draws
            there is cut off when it paints (`belamy style apply --border`).
        style_size: long side of the painting in pixels. None: twice `size`, so that a square sees
            strokes as large as a detail of the painting has them.
        width: channels at full size, twice as many at half and four times at quarter size.
        blocks: residual blocks at quarter size.
        enlarging: how what is seen at quarter size is made large again: smooth; or nearest, with
            which a network learns to draw a fine grid.
        steps: how many batches are painted; the first twentieth of them only teaches the network
            to copy, for it begins as grey.
        batch: squares a step, in each process. Johnson takes 4; 2 look as good for half the time.
        learning_rate: of Adam; it rises for 50 steps, and falls to nothing along a cosine.
        ema: decay per step of the exponential moving average of the weights, which is what is
            kept.
        precision: of the convolutions: auto is bfloat16 where the processor or card has it, which
            takes about half the time, else float32; float16, for cards that have no bfloat16
            (before 2020), with the losses scaled so that no gradient vanishes.
        seed: of the first weights, the order, the crops.
    """

    painting: str
    data: str
    model: str = "iris"
    start: str = ""
    keep: Annotated[float, Between(0, 1, below=True)] = 0.0
    style_layers: tuple[str, ...] = ()
    content_layers: tuple[str, ...] = ()
    scales: Annotated[int, Between(1, 4)] = 3
    variation: Annotated[float, Between(0, 1)] = 0.08
    style_weight: Annotated[float, Between(0, above=True)] = 1.0
    content_weight: Annotated[float, Between(0)] = 0.1
    smoothness: Annotated[float, Between(0)] = 0.3
    size: Annotated[int, Between(64, 1024, "pixels")] = 192
    border: Annotated[int, Between(0, 256, "pixels")] = 16
    style_size: Annotated[int | None, Between(64, 4096, "pixels")] = None
    width: Annotated[int, Between(1, 128)] = 16
    blocks: Annotated[int, Between(0, 32)] = 5
    enlarging: Literal["smooth", "nearest"] = "smooth"
    steps: Annotated[int, Between(1, 10_000_000)] = 3000
    batch: Annotated[int, Between(1, 4096)] = 2
    learning_rate: Annotated[float, Between(0, 1, above=True, below=True)] = 2e-3
    ema: Annotated[float, Between(0, 1, below=True)] = 0.99
    precision: Precision = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("style_layers", "content_layers"):  # lists, out of JSON or a command
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_options(self)
        require(self.keep == 0 or bool(self.start), "keep", self.keep, "0 where there is no start")
        require(self.size % 4 == 0, "size", self.size, "a multiple of 4")
        most = (self.size - _LEAST_JUDGED) // 2
        require(self.border <= most, "border", self.border, f"at most {most} at this size")
        if self.style_size is None:
            object.__setattr__(self, "style_size", 2 * self.size)

    @property
    def painting_side(self) -> int:
        """`style_size`, filled in."""
        assert self.style_size is not None
        return self.style_size
