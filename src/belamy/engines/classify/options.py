"""What is asked about a picture, and what is answered: every option, once."""

from __future__ import annotations

import os
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Annotated

from belamy.checks import Between, check_options
from belamy.pixels.display.tables import make_table
from belamy.precision import PassPrecision

if TYPE_CHECKING:
    from belamy.pixels.images import Picture, Source

__all__ = ["ClassifyOptions", "ExplainOptions", "Guess", "Guesses"]


@dataclass(frozen=True, eq=False)
class ClassifyOptions:
    """What is asked about a picture.

    Args:
        image: a file, PIL image, array (H, W, 3) or tensor (1, 3, H, W); any size.
        model: a network's name (`belamy models list`) or weights file; it must have classes. auto
            is the best one whose weights are here.
        top: how many guesses; five, as ImageNet's top-5 error counts.
        precision: of the network's numbers but for its last layer's. auto is float32: an answer is
            a number, and bfloat16, in two thirds of the time, changes it by up to a hundredth.
        device: auto, cpu, cuda or mps.

    Raises:
        OptionError: a value out of its range.
    """

    image: Source | None = None
    _: KW_ONLY
    model: str | os.PathLike[str] = "auto"
    top: Annotated[int, Between(1)] = 5
    precision: PassPrecision = "auto"
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.model, "backbone")


@dataclass(frozen=True, eq=False)
class ExplainOptions:
    """What is asked about where a classifier looks.

    Args:
        image: a file, PIL image, array (H, W, 3) or tensor (1, 3, H, W); any size.
        model: as for `ClassifyOptions`.
        class_: for which class, by name or number; None takes the likeliest.
        device: auto, cpu, cuda or mps.

    Raises:
        OptionError: a value of another type.
    """

    image: Source | None = None
    _: KW_ONLY
    model: str | os.PathLike[str] = "auto"
    class_: str | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.model, "backbone")


@dataclass(frozen=True)
class Guess:
    """One answer of a network: a class and how probable it holds it, in [0, 1]."""

    name: str
    probability: float
    index: int


class Guesses(list[Guess]):
    """A network's answers, the likeliest first: a list, which notebooks show as a table."""

    def _repr_html_(self) -> str:
        rows = [(guess.name, f"{guess.probability:.1%}") for guess in self]
        return make_table(("class", "probability"), rows)

    def plot(self) -> Picture:
        """A bar for each, as long as it is probable.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        from belamy.pixels.display.plots import draw_bars  # which stands on pictures, and on torch

        return draw_bars({"probability": {guess.name: guess.probability for guess in self}})
