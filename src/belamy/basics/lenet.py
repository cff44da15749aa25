"""LeNet-5, LeCun's convolutional network for digits: built, trained and used in under a minute.

Source: LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document
recognition", section II.B. **Differs**: the last layer is ten sums and a softmax rather than
distances to drawings of the digits, and Adam takes the steps rather than their second-order rule.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import conv2d, cross_entropy

from belamy.basics.digits import SIDE, as_mnist, draw_digits
from belamy.devices import make_rng
from belamy.errors import ImageError

__all__ = [
    "TABLE",
    "LeNet5",
    "Snapshot",
    "SparseConvolution",
    "Squash",
    "Subsample",
    "activations",
    "classify_digits",
    "is_correct",
    "to_tensors",
    "train",
    "train_steps",
]

# Which of the six maps of S2 each of the sixteen maps of C3 looks at: table I of the paper.
TABLE = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5)),
)
EDGE = 2  # black pixels around a picture of 28, which make it the paper's 32
# The paper's: the background −0.1 and the digit 1.175, so that the mean is about 0 and the
# variance about 1.
BLACK, WHITE = -0.1, 1.175

BATCH = 128
PEAK = 4e-3  # Adam's learning rate, rising for a tenth of the steps and falling along a cosine
SHOWN = 24  # moments of a training


class Squash(nn.Module):
    """The paper's neuron: 1.7159 tanh(⅔ a), which is ±1 at ±1."""

    def forward(self, x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsample(nn.Module):
    """A mean of 2 × 2, times one weight, plus one bias a map: 12 weights for six maps."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(maps))
        self.bias = nn.Parameter(torch.zeros(maps))
        self.mean = nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return self.mean(x) * self.weight[:, None, None] + self.bias[:, None, None]  # type: ignore[no-any-return]


class SparseConvolution(nn.Module):
    """A 5 × 5 convolution whose maps look at some of the maps below, as `TABLE` says.

    Only those windows have weights: 60 of them rather than 96.
    """

    positions: Tensor

    def __init__(self) -> None:
        super().__init__()
        pairs = [6 * row + seen for row, maps in enumerate(TABLE) for seen in maps]
        self.register_buffer("positions", torch.tensor(pairs))
        self.weight = nn.Parameter(torch.zeros(len(pairs), 5, 5))
        self.bias = nn.Parameter(torch.zeros(len(TABLE)))

    def forward(self, x: Tensor) -> Tensor:
        windows = self.weight.new_zeros(6 * len(TABLE), 5, 5)
        windows = windows.index_copy(0, self.positions, self.weight)
        return conv2d(x, windows.view(len(TABLE), 6, 5, 5), self.bias)


class LeNet5(nn.Sequential):
    """From pictures (N, 1, 28, 28), digits 1 on 0, to ten numbers (N, 10).

    Args:
        seed: of the first weights.
    """

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.frame = nn.ZeroPad2d(EDGE)
        self.c1 = nn.Conv2d(1, 6, 5)
        self.squash1 = Squash()
        self.s2 = Subsample(6)
        self.squash2 = Squash()
        self.c3 = SparseConvolution()
        self.squash3 = Squash()
        self.s4 = Subsample(16)
        self.squash4 = Squash()
        self.c5 = nn.Conv2d(16, 120, 5)
        self.squash5 = Squash()
        self.flatten = nn.Flatten()
        self.f6 = nn.Linear(120, 84)
        self.squash6 = Squash()
        self.output = nn.Linear(84, 10)
        self._begin(seed)

    @torch.no_grad()
    def _begin(self, seed: int) -> None:
        """Evenly, with about the spread that keeps the paper's neurons within ±1."""
        inputs = {"c1": 25, "c3": 25 * 60 / 16, "c5": 400, "f6": 120, "output": 84}
        for name, count in inputs.items():
            part: Any = self.get_submodule(name)
            bound = 2.4 / math.sqrt(count) / math.sqrt(3)
            part.weight.uniform_(-bound, bound, generator=make_rng(seed, "weights", name))
            part.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        x = BLACK + (WHITE - BLACK) * x
        for part in self:
            x = part(x)
        return x


@dataclass(frozen=True)
class Snapshot:
    """How far a training is.

    Args:
        seen: pictures that it has learned from.
        loss: mean cross-entropy since the last moment, in nats.
        accuracy: part of the held-out digits that it names rightly.
    """

    seen: int
    loss: float
    accuracy: float


def train_steps(
    network: LeNet5, count: int, held_out: tuple[Tensor, Tensor], epochs: int, seed: int
) -> Iterator[Snapshot]:
    """Train `network` on digits drawn for it.

    Args:
        network: changed in place.
        count: digits to learn from.
        held_out: pictures (N, 1, 28, 28) and labels (N,) to be judged by.
        epochs: how often it sees each of them, each time a little moved and turned.
        seed: of the digits and their order.

    Yields:
        about `SHOWN` moments.
    """
    pictures, labels = to_tensors(*draw_digits(count, seed))
    steps = max(1, epochs * count // BATCH)
    optimizer = torch.optim.Adam(network.parameters(), PEAK)
    losses: list[Tensor] = []
    shown = {round(steps * ((k + 1) / SHOWN) ** 1.5) for k in range(SHOWN)} | {steps}
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(step, steps)
        rng = make_rng(seed, "order", step)
        chosen = torch.randint(count, (BATCH,), generator=rng)
        moved = _augment(pictures[chosen], rng)
        loss = cross_entropy(network(moved), labels[chosen])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.detach())
        if step + 1 in shown:
            accuracy = float(is_correct(network, *held_out).float().mean())
            yield Snapshot((step + 1) * BATCH, float(torch.stack(losses).mean()), accuracy)
            losses.clear()


def _learning_rate(step: int, steps: int) -> float:
    rising = min(1.0, 10 * (step + 1) / steps)
    return PEAK * rising * (0.02 + 0.98 * (1 + math.cos(math.pi * step / steps)) / 2)


def _augment(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """Each picture a little scaled, turned and shifted, its own way."""
    affine = torch.randn(len(pictures), 2, 3, generator=rng)
    affine *= torch.tensor([[0.06, 0.06, 0.05], [0.06, 0.06, 0.05]])  # by eye
    affine[:, 0, 0] += 1
    affine[:, 1, 1] += 1
    shape = list(pictures.shape)
    grid = nn.functional.affine_grid(affine, shape, align_corners=False)
    return nn.functional.grid_sample(pictures, grid, align_corners=False)


def to_tensors(pictures: NDArray[np.uint8], labels: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Pictures (N, 28, 28) as (N, 1, 28, 28) in [0, 1], and labels, as tensors."""
    return torch.from_numpy(pictures)[:, None].float() / 255, torch.from_numpy(labels)


@torch.no_grad()
def is_correct(network: LeNet5, pictures: Tensor, labels: Tensor) -> Tensor:
    """Which pictures (N, 1, 28, 28) the network names rightly: (N,)."""
    named = [network(part).argmax(dim=1) for part in torch.split(pictures, 500)]
    return torch.cat(named) == labels


def train(count: int = 24_000, epochs: int = 4, seed: int = 0) -> LeNet5:
    """A network that has learned from digits drawn for it: about 20 s of one core.

    Args:
        count: digits to learn from.
        epochs: how often it sees each of them.
        seed: of the digits and of the first weights.
    """
    network = LeNet5(seed)
    few = to_tensors(*draw_digits(1, seed))
    for _ in train_steps(network, count, few, epochs, seed):
        pass
    return network


@torch.no_grad()
def activations(network: LeNet5, picture: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """What every layer makes of a digit (28, 28): name → maps (C, H, W), after squashing."""
    found = {}
    x = torch.from_numpy(picture)[None, None]
    x = BLACK + (WHITE - BLACK) * x
    latest = ""
    for name, part in network.named_children():
        x = part(x)
        if name.startswith("squash"):
            found[latest] = x.reshape(1, x.shape[1], *(x.shape[2:] or (1, 1)))[0].numpy()
        latest = name
    return found


@torch.no_grad()
def classify_digits(network: LeNet5, pictures: NDArray[np.generic]) -> NDArray[np.float32]:
    """How probable the network holds each of the ten digits.

    Args:
        network: a trained one, as `train_steps` leaves it.
        pictures: (N, 28, 28) as in MNIST, white on black, the digit in the middle, taken as they
            are; or any other (N, H, W) or (H, W), which are laid out like those first. uint8, or
            floats in [0, 1].

    Returns:
        (N, 10), each row with the sum 1; the digit is its `argmax`.

    Raises:
        ImageError: no such array.
    """
    if pictures.ndim not in (2, 3) or 0 in pictures.shape:
        raise ImageError(f"digits of shape {pictures.shape}; give (N, H, W), grey")
    if pictures.dtype != np.uint8 and not np.issubdtype(pictures.dtype, np.floating):
        raise ImageError(f"digits of type {pictures.dtype}; give uint8, or floats in [0, 1]")
    grey = pictures.astype(np.float32) / (255 if pictures.dtype == np.uint8 else 1)
    grey = grey[None] if grey.ndim == 2 else grey
    laid = grey if grey.shape[1:] == (SIDE, SIDE) else np.stack([as_mnist(one) for one in grey])
    parts = torch.split(torch.from_numpy(laid)[:, None], 500)
    return torch.cat([network(part).softmax(dim=1) for part in parts]).numpy()
