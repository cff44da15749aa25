"""Transfer learning: a frozen network with a new head; one picture's error traced back to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from belamy.devices import make_rng
from belamy.networks.backbone import load_backbone
from belamy.training.data import load_splits
from belamy.training.pictures import pictures_cache

__all__ = ["LAYERS", "LayerTrace", "TracedError", "TransferLearner"]

LAYERS = {
    "iris": ("conv2a", "mixed3a", "mixed4b", "mixed5a", "mixed5b"),
    "efficientnet_lite0": ("block3", "block5", "block11", "block15", "head"),
    "efficientnet_lite2": ("block4", "block7", "block15", "block20", "head"),
}
"""Network → the layers that are drawn, and the one whose mean over all positions the head looks at.

None that is drawn is right below an average, which gives all that it joins the same gradient.
"""

BATCH, LEARNING_RATE, WEIGHT_DECAY = 32, 3e-3, 1e-4  # of AdamW, by eye
_FEATURE_BATCH = 4  # pictures whose features are extracted together; more cost system time

Array = NDArray[np.float32]


@dataclass(frozen=True)
class LayerTrace:
    """What one layer did on the way forward, and what came back to it.

    Args:
        name: of the layer.
        shape: (C, H, W) of its output.
        activations: (H, W), the mean size of its activations.
        gradients: (H, W), the sizes of the error's gradients, added up over the channels.
        mean: size of a gradient.
    """

    name: str
    shape: tuple[int, ...]
    activations: Array
    gradients: Array
    mean: float


@dataclass(frozen=True)
class TracedError:
    """One picture's error, and its gradient in every layer.

    Args:
        picture: (H, W, 3) in [0, 1].
        name: what it is.
        probabilities: of each class, by name.
        output: for the class that it is; the target is 1.
        layers: from the last to the first, and the picture itself.
    """

    picture: Array
    name: str
    probabilities: dict[str, float]
    output: float
    layers: tuple[LayerTrace, ...]

    @property
    def size(self) -> float:
        """|output − target|."""
        return abs(self.output - 1)


class TransferLearner:
    """A new head on a network that stays as it is.

    Args:
        data: folder or zip of pictures.
        count: how many to learn from, at most.
        seed: of the choice, the first weights and the order.
        model: one of `LAYERS`.

    Raises:
        DataError: the pictures cannot be used.
        WeightsError: the network's weights are not here.
    """

    def __init__(self, data: str, count: int, seed: int, model: str) -> None:
        self.seed = seed
        *self.drawn, self.last = LAYERS[model]
        self.network = load_backbone(model, layers=[self.last])
        side = self.network.side
        sets = load_splits(data, (side, side), pictures_cache())
        self.classes = sets[0].classes
        chosen = [
            _choose(len(one.labels), most, seed)
            for one, most in zip(sets, (count, max(2, count // 3)), strict=True)
        ]
        images = [
            torch.from_numpy(one.images[which]) for one, which in zip(sets, chosen, strict=True)
        ]
        self.labels, self.test_labels = (
            torch.from_numpy(one.labels[which]) for one, which in zip(sets, chosen, strict=True)
        )
        self.test_images = images[1]
        self.features, self.test_features = map(self._extract_features, images)
        self.head = nn.Linear(self.features.shape[1], len(self.classes))
        with torch.no_grad():
            self.head.weight.normal_(0, 0.01, generator=make_rng(seed, "last"))
            self.head.bias.zero_()
        self._optimizer = torch.optim.AdamW(
            self.head.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY
        )
        self.losses: list[tuple[float, float]] = []

    @property
    def size(self) -> int:
        """Weights that learn."""
        return sum(parameter.numel() for parameter in self.head.parameters())

    @property
    def accuracy(self) -> float:
        """Fraction of the pictures held out that it names rightly."""
        with torch.no_grad():
            right = self.head(self.test_features).argmax(dim=1) == self.test_labels
        return float(right.float().mean())

    @torch.no_grad()
    def _extract_features(self, images: Tensor) -> Tensor:
        """Of pictures (N, S, S, 3) of bytes: (N, C)."""
        batches = (_to_floats(batch) for batch in torch.split(images, _FEATURE_BATCH))
        return torch.cat(
            [self.network(batch, [self.last])[self.last].mean(dim=(2, 3)) for batch in batches]
        )

    def train_epoch(self, epoch: int) -> None:
        """One pass over all pictures (none for epoch 0), and then both losses."""
        order = torch.randperm(len(self.labels), generator=make_rng(self.seed, "order", epoch))
        for batch in torch.split(order, BATCH) if epoch > 0 else ():
            loss = cross_entropy(self.head(self.features[batch]), self.labels[batch])
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
        with torch.no_grad():
            sets = ((self.features, self.labels), (self.test_features, self.test_labels))
            train_loss, test_loss = (float(cross_entropy(self.head(x), y)) for x, y in sets)
        self.losses.append((train_loss, test_loss))

    def trace_error(self) -> TracedError:
        """Of the held-out picture whose error is nearest to a tenth, back to it."""
        with torch.no_grad():
            probabilities = self.head(self.test_features).softmax(dim=1)
            own = probabilities.gather(1, self.test_labels[:, None])[:, 0]
        which = int((own - 0.9).abs().argmin())
        image = _to_floats(self.test_images[which : which + 1]).requires_grad_()
        activations = self.network(image, [*self.drawn, self.last])
        last = activations.pop(self.last)
        answers = self.head(last.mean(dim=(2, 3))).softmax(dim=1)[0]
        label = int(self.test_labels[which])
        outputs = (*activations.values(), image)
        gradients = torch.autograd.grad((answers[label] - 1).abs(), outputs)
        names = (*self.drawn, "picture")
        layers = [_trace(*each) for each in zip(names, outputs, gradients, strict=True)]
        picture, last_to_first = layers[-1], tuple(reversed(layers[:-1]))
        return TracedError(
            picture=image.detach()[0].permute(1, 2, 0).numpy(),
            name=self.classes[label],
            probabilities=dict(zip(self.classes, answers.tolist(), strict=True)),
            output=float(answers[label].detach()),
            layers=(*last_to_first, picture),
        )


def _to_floats(images: Tensor) -> Tensor:
    return images.permute(0, 3, 1, 2).float() / 255  # (N, 3, S, S)


def _choose(count: int, most: int, seed: int) -> NDArray[np.int64]:
    order = torch.randperm(count, generator=make_rng(seed, "chosen", count))
    return np.sort(order[:most].numpy())


def _trace(name: str, output: Tensor, gradient: Tensor) -> LayerTrace:
    return LayerTrace(
        name=name,
        shape=tuple(output.shape[1:]),
        activations=output.detach()[0].abs().mean(dim=0).numpy(),
        gradients=gradient[0].abs().sum(dim=0).numpy(),
        mean=float(gradient.abs().mean()),
    )
