"""How a network learns to paint in any style: every option of the training, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from belamy.checks import Between, check_options, require
from belamy.precision import Precision

__all__ = ["AnyStyleConfig"]


@dataclass(frozen=True)
class AnyStyleConfig:
    """How a network learns to paint in any style.

    Args:
        paintings: folder or zip of paintings, the styles; in all folders in it.
        data: folder or zip of photographs to practise on, likewise.
        model: whose features are read, and judged by: iris, or a file of a network of its shape.
        start: a network that `belamy style train-any` made, to go on from; none begins anew.
        patches: how much is laid of the patches of styles, at random up to this much; see
            `any_style`.
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
        ema: decay per step of the exponential moving average of the weights, which is what is
            kept.
        precision: of the convolutions: auto is bfloat16 where the processor or card has it, which
            takes about half the time, else float32; float16, for cards that have no bfloat16
            (before 2020), with the losses scaled so that no gradient vanishes.
        seed: of the first weights, the order, the crops.
    """

    paintings: str
    data: str
    model: str = "iris"
    start: str = ""
    patches: Annotated[float, Between(0, 1)] = 1.0
    style_weight: Annotated[float, Between(0, above=True)] = 1.0
    content_weight: Annotated[float, Between(0)] = 0.15
    identity_weight: Annotated[float, Between(0)] = 5.0
    smoothness: Annotated[float, Between(0)] = 0.15
    size: Annotated[int, Between(64, 1024, "pixels")] = 128
    width: Annotated[int, Between(1, 128)] = 32
    steps: Annotated[int, Between(1, 10_000_000)] = 1000
    batch: Annotated[int, Between(1, 4096)] = 4
    learning_rate: Annotated[float, Between(0, 1, above=True, below=True)] = 1.5e-3
    ema: Annotated[float, Between(0, 1, below=True)] = 0.99
    precision: Precision = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        check_options(self)
        require(self.size % 8 == 0, "size", self.size, "a multiple of 8")
