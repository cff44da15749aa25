"""A frozen network with a new last level that learns; one picture's error, traced back to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from belamy.devices import make_rng
from belamy.errors import DataError
from belamy.networks.backbone import load_backbone
from belamy.training.data import TEST, TRAIN, load_labelled
from belamy.training.pictures import pictures_cache

__all__ = ["MODEL", "Error", "Learner", "Level"]

MODEL = "iris"
LAST = "mixed5b"  # the level whose mean over all places the new one looks at
# Levels that are drawn: none right below an average, which gives all it joins the same slope.
SHOWN = ("conv2a", "mixed3a", "mixed4b", "mixed5a")
BATCH, RATE, DECAY = 32, 3e-3, 1e-4  # of AdamW, by eye
_PART = 64  # pictures that are looked at together

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Level:
    """What one level did on the way forward, and what came back to it.

    Args:
        name: of the level.
        shape: (C, H, W) of its output.
        seen: (H, W), the mean size of its activations.
        slopes: (H, W), the sizes of the error's slopes by them, added up over the channels.
        mean: size of a slope.
    """

    name: str
    shape: tuple[int, ...]
    seen: Array
    slopes: Array
    mean: float


@dataclass(frozen=True)
class Error:
    """One picture's error.

    Args:
        picture: (H, W, 3) in [0, 1].
        name: what it is.
        answers: name of each class → how probable the network holds it.
        output: for the class that it is; 1 is wanted.
        levels: from the last to the first, and the picture itself.
    """

    picture: Array
    name: str
    answers: dict[str, float]
    output: float
    levels: tuple[Level, ...]

    @property
    def size(self) -> float:
        """|output − wanted|."""
        return abs(self.output - 1)


class Learner:
    """A new last level on `MODEL`, which stays as it is.

    Args:
        data: folder or zip of pictures.
        count: how many to learn from, at most.
        seed: of the choice, the first weights and the order.

    Raises:
        DataError: the pictures cannot be used.
    """

    def __init__(self, data: str, count: int, seed: int) -> None:
        self.seed = seed
        self.network = load_backbone(MODEL, layers=[LAST])
        side = self.network.side
        sets = [
            load_labelled(data, split, size=side, cache=pictures_cache()) for split in (TRAIN, TEST)
        ]
        self.classes = sets[0].classes
        if sets[1].classes != self.classes:
            raise DataError(f"{data}: train/ and test/ have other classes; give each one in both")
        chosen = [
            _chosen(len(one.labels), most, seed)
            for one, most in zip(sets, (count, max(2, count // 3)), strict=True)
        ]
        images = [
            torch.from_numpy(one.images[which]) for one, which in zip(sets, chosen, strict=True)
        ]
        self.labels, self.test_labels = (
            torch.from_numpy(one.labels[which]) for one, which in zip(sets, chosen, strict=True)
        )
        self.test_images = images[1]
        self.features, self.test_features = map(self._looked_at, images)
        self.last = nn.Linear(self.features.shape[1], len(self.classes))
        with torch.no_grad():
            self.last.weight.normal_(0, 0.01, generator=make_rng(seed, "last"))
            self.last.bias.zero_()
        self._optimizer = torch.optim.AdamW(self.last.parameters(), RATE, weight_decay=DECAY)
        self.losses: list[tuple[float, float]] = []

    @property
    def size(self) -> int:
        """Weights that learn."""
        return sum(parameter.numel() for parameter in self.last.parameters())

    @property
    def accuracy(self) -> float:
        """Part of the pictures never learned from that it names rightly."""
        with torch.no_grad():
            right = self.last(self.test_features).argmax(dim=1) == self.test_labels
        return float(right.float().mean())

    @torch.no_grad()
    def _looked_at(self, images: Tensor) -> Tensor:
        """What the network sees in pictures (N, S, S, 3) of bytes: (N, C)."""
        parts = (_floats(part) for part in torch.split(images, _PART))
        return torch.cat([self.network(part, [LAST])[LAST].mean(dim=(2, 3)) for part in parts])

    def learn(self, number: int) -> None:
        """One pass over all pictures (none for number 0), and then both losses."""
        order = torch.randperm(len(self.labels), generator=make_rng(self.seed, "order", number))
        for part in torch.split(order, BATCH) if number > 0 else ():
            loss = cross_entropy(self.last(self.features[part]), self.labels[part])
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
        with torch.no_grad():
            sets = ((self.features, self.labels), (self.test_features, self.test_labels))
            seen, other = (float(cross_entropy(self.last(x), y)) for x, y in sets)
        self.losses.append((seen, other))

    def error(self) -> Error:
        """Of the picture never learned from whose error is nearest to a tenth, back to it."""
        with torch.no_grad():
            chances = self.last(self.test_features).softmax(dim=1)
            own = chances.gather(1, self.test_labels[:, None])[:, 0]
        which = int((own - 0.9).abs().argmin())
        image = _floats(self.test_images[which : which + 1]).requires_grad_()
        found = self.network(image, [*SHOWN, LAST])
        last = found.pop(LAST)
        answers = self.last(last.mean(dim=(2, 3))).softmax(dim=1)[0]
        label = int(self.test_labels[which])
        outputs = (*found.values(), image)
        slopes = torch.autograd.grad((answers[label] - 1).abs(), outputs)
        levels = [_level(*each) for each in zip((*SHOWN, "picture"), outputs, slopes, strict=True)]
        picture, last_to_first = levels[-1], tuple(reversed(levels[:-1]))
        return Error(
            picture=image.detach()[0].permute(1, 2, 0).numpy(),
            name=self.classes[label],
            answers=dict(zip(self.classes, answers.tolist(), strict=True)),
            output=float(answers[label].detach()),
            levels=(*last_to_first, picture),
        )


def _floats(images: Tensor) -> Tensor:
    return images.permute(0, 3, 1, 2).float() / 255  # (N, 3, S, S)


def _chosen(count: int, most: int, seed: int) -> NDArray[np.int64]:
    order = torch.randperm(count, generator=make_rng(seed, "chosen", count))
    return np.sort(order[:most].numpy())


def _level(name: str, output: Tensor, slope: Tensor) -> Level:
    return Level(
        name=name,
        shape=tuple(output.shape[1:]),
        seen=output.detach()[0].abs().mean(dim=0).numpy(),
        slopes=slope[0].abs().sum(dim=0).numpy(),
        mean=float(slope.abs().mean()),
    )
