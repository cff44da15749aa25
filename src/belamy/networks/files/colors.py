"""How a backbone takes its pictures: stated, or tried out on drawn fruit.

Weights do not say which channel comes first and which numbers stand for black and white, and a
network that is fed otherwise than it learned still answers, wrongly and with confidence. An orange,
a lemon and a green apple tell the ways of feeding apart: with red and blue exchanged there is no
orange, and in a wrong range there is nothing at all.

Source: guessed and measured: SqueezeNet (Caffe) says orange, lemon, apple with a mean probability
of 0.57 as it learned and below 0.03 in any other way; EfficientNet-Lite 0 and 2 with 0.39 and 0.44
against 0.01 when blue comes first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from belamy.errors import UnknownName, WeightsError
from belamy.networks.files.ranges import COLORS, RANGES

__all__ = ["Feeding", "check_choices", "choose_feeding", "turn_colors"]

_SEEN = 0.1  # mean probability of the right fruit from which a network is said to see
_BLIND = 0.005  # probability of one fruit
_CLEARLY = 5.0  # times better is no chance


@dataclass(frozen=True)
class Feeding:
    """The order of the channels that the first convolution takes, and the range."""

    bgr: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __str__(self) -> str:
        names = (name for name, pair in RANGES.items() if pair == (self.mean, self.std))
        return f"--colors {'bgr' if self.bgr else 'rgb'} --range {next(names, 'its own')}"


def choose_feeding(
    path: Path,
    network: nn.Module,
    classes: Sequence[str],
    usual: Feeding,
    colors: str,
    range_: str,
) -> tuple[Feeding, str]:
    """How the network takes its pictures, and a line about it where that is not the usual way.

    Args:
        path: the file, for messages.
        network: with its weights; takes a normalised picture (N, 3, H, W).
        classes: names of its logits.
        usual: how the published weights of its architecture take them.
        colors, range_: as stated; auto where nothing is.

    Raises:
        WeightsError: another way than the stated one is clearly right.
    """
    stated = _override(usual, colors, range_)
    score = _trial(network, classes)
    if score is None:
        untold = (colors, range_) == ("auto", "auto")
        line = f"{path} knows no fruit to try its colours on; taken as usual: {stated}"
        return stated, line if untold else ""
    own = score(stated)
    if own >= 1 / _CLEARLY:
        return stated, ""
    scores = {feeding: score(feeding) for feeding in _candidates("auto", "auto")}
    best = max(scores, key=lambda feeding: scores[feeding])
    if scores[best] < max(_SEEN, _CLEARLY * own):
        return stated, ""
    if best not in _candidates(colors, range_):
        raise WeightsError(
            f"{path} sees nothing in drawn fruit with {stated}, and all of it with {best}; take "
            "that, or leave both out"
        )
    return best, f"{path} takes pictures otherwise than usual, seen on drawn fruit: {best}"


def check_choices(colors: str, range_: str) -> None:
    """Raise `UnknownName` for an order of colours or a range that is none."""
    if colors not in COLORS:
        raise UnknownName("order of colors", colors, COLORS)
    if range_ not in ("auto", *RANGES):
        raise UnknownName("range", range_, ("auto", *RANGES))


def _override(usual: Feeding, colors: str, range_: str) -> Feeding:
    mean, std = RANGES.get(range_, (usual.mean, usual.std))
    bgr = usual.bgr if range_ == "auto" else range_ == "caffe"
    return Feeding(bgr if colors == "auto" else colors == "bgr", mean, std)


def _candidates(colors: str, range_: str) -> list[Feeding]:
    """All that agree with what is stated, where something is left open."""
    orders = [False, True] if colors == "auto" else [colors == "bgr"]
    pairs = list(RANGES.values()) if range_ == "auto" else [RANGES[range_]]
    return [Feeding(bgr, *pair) for pair in pairs for bgr in orders]


def _trial(network: nn.Module, classes: Sequence[str]) -> Callable[[Feeding], float] | None:
    """Feeding → the geometric mean of the probabilities of the right fruit; None where the network
    knows less than two of them."""
    places = {name: index for index, name in enumerate(classes)}
    fruit = {name: drawing for name, drawing in _FRUIT.items() if name in places}
    if len(fruit) < 2:
        return None
    drawings = [(places[name], _draw(*drawing)) for name, drawing in fruit.items()]

    def score(feeding: Feeding) -> float:
        mean, std = (torch.tensor(x).view(1, 3, 1, 1) for x in (feeding.mean, feeding.std))
        logs = []
        for place, picture in drawings:
            x = (picture - mean) / std
            with torch.inference_mode():
                logits = network(x.flip(1) if feeding.bgr else x)
            logs.append(float(logits.float().log_softmax(1)[0, place]))
            if logs[-1] < math.log(_BLIND):
                break  # what is blind to one sees none: the rest of the time is saved
        return math.exp(sum(logs) / len(logs))

    return score


_Color = tuple[float, float, float]

# Class → colour, and height over width.
_FRUIT: dict[str, tuple[_Color, float]] = {
    "orange": ((1.0, 0.55, 0.05), 1.0),
    "lemon": ((1.0, 0.9, 0.15), 0.8),
    "Granny Smith": ((0.55, 0.8, 0.15), 1.0),
}
_SIDE, _RADIUS = 224, 70.0


def _draw(color: _Color, height: float) -> Tensor:
    """A fruit on a light table, (1, 3, 224, 224) in [0, 1]."""
    line = torch.arange(_SIDE, dtype=torch.float32)
    x = (line - _SIDE * 0.5).view(1, -1) / _RADIUS
    y = (line - _SIDE * 0.52).view(-1, 1) / (_RADIUS * height)
    squared = x**2 + y**2
    z = (1 - squared).clamp(0, 1).sqrt()
    light = ((-0.5 * x - 0.6 * y + 0.62 * z) / 0.998).clamp(0, 1)
    gleam = (-0.28 * x - 0.34 * y + 0.9 * z).clamp(0, 1) ** 60
    noise = torch.randn(_SIDE // 2, _SIDE // 2, generator=torch.Generator().manual_seed(0))
    skin = 1 + 0.06 * noise.repeat_interleave(2, 0).repeat_interleave(2, 1)
    shadow = torch.exp(-(((x - 15 / _RADIUS) / 1.1) ** 2) - ((y - 0.95) * 4 * height) ** 2)
    table = torch.tensor((0.9, 0.9, 0.88)).view(3, 1, 1) * (1 - 0.15 * (line / _SIDE).view(-1, 1))
    own = torch.tensor(color).view(3, 1, 1) * (0.25 + 0.8 * light) * skin + 0.35 * gleam
    inside = ((1 - squared.sqrt()) * _RADIUS + 0.5).clamp(0, 1)
    return (table * (1 - 0.5 * shadow) * (1 - inside) + own * inside).clamp(0, 1)[None]


def turn_colors(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same network for pictures whose colours come the other way round: the channels of its
    first convolution, the only one that takes three."""
    turned = dict(state)
    name = next(name for name, x in state.items() if x.dim() == 4 and x.shape[1] == 3)
    turned[name] = state[name].flip(1)
    return turned
