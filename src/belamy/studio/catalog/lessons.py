"""What the live lessons are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from belamy.checks import Between, check_number, check_options, require

if TYPE_CHECKING:
    from belamy.pixels.images import Source

__all__ = ["DigitLesson", "GanLesson", "MlpLesson"]

_WIDEST, _DEEPEST = 64, 6  # neurons in a layer, layers: what a screen can show


@dataclass(frozen=True, eq=False)
class MlpLesson:
    """A small network learns to part points of the plane, live.

    Args:
        points: the data: moons, circles, spirals, xor or blobs.
        hidden: neurons of each hidden layer; none for a single neuron.
        activation: of the hidden layers.
        rate: learning rate, how far each step goes.
        noise: how far the points are thrown.
        optimiser: adam or sgd.
        epochs: passes over the points.
        count: points.
        batch: points in one step.
        paused: whether it begins paused.
        seed: of the points, the first weights and the order.
    """

    points: Literal["moons", "circles", "spirals", "xor", "blobs"] = "moons"
    _: KW_ONLY
    hidden: Sequence[int] = (8, 8)
    activation: Literal["tanh", "relu", "sigmoid", "linear"] = "tanh"
    rate: Annotated[float, Between(0, 10, above=True)] = 0.01
    noise: Annotated[float, Between(0, 1)] = 0.08
    optimiser: Literal["adam", "sgd"] = "adam"
    epochs: Annotated[int, Between(1, 100_000)] = 200
    count: Annotated[int, Between(10, 2000)] = 300
    batch: Annotated[int, Between(1, 2000)] = 16
    paused: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        check_options(self)
        require(len(self.hidden) <= _DEEPEST, "hidden", self.hidden, f"{_DEEPEST} layers at most")
        for neurons in self.hidden:
            check_number("hidden", neurons, Between(1, _WIDEST, "neurons"))
        check_number("seed", self.seed, Between(0, 2**63))


@dataclass(frozen=True, eq=False)
class GanLesson:
    """Two networks play for eight clouds of points, live.

    Args:
        loss: what the two minimise.
        steps: of the generator.
        discriminator_steps: of the discriminator, for each of the generator.
        penalty: weight of the penalty on the discriminator's gradients. None: what suits the loss.
        momentum: of Adam's steps; with 0.9 the two run past each other.
        paused: whether it begins paused.
        seed: of the first weights and of what is drawn.
    """

    loss: Literal[
        "relativistic", "non-saturating", "minimax", "least-squares", "hinge", "wasserstein"
    ] = "relativistic"
    _: KW_ONLY
    steps: Annotated[int, Between(10, 20_000)] = 2000
    discriminator_steps: Annotated[int, Between(1, 20)] = 1
    penalty: Annotated[float | None, Between(0, 100)] = None
    momentum: Annotated[float, Between(0, 0.999)] = 0.5
    paused: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        check_options(self)


@dataclass(frozen=True, eq=False)
class DigitLesson:
    """LeNet-5 reads a digit, and shows what each of its layers makes of it.

    Args:
        image: the digit, white on black or black on white; None shows one drawn here.
        count: digits to learn from, once.
        epochs: how often it sees each of them.
        seed: of the digits and of the first weights.
    """

    image: Source | None = None
    _: KW_ONLY
    count: Annotated[int, Between(1000, 100_000)] = 12_000
    epochs: Annotated[int, Between(1, 10)] = 3
    seed: int = 0

    def __post_init__(self) -> None:
        check_options(self)
