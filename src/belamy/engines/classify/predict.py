"""Asking a network what it sees: one picture, or how often it is right on many."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from belamy.devices import choose_device
from belamy.engines.classify.api import Guess
from belamy.engines.classify.task import EVALUATION_BATCH, hits
from belamy.errors import DataError, WeightsError
from belamy.networks.backbone import Backbone, load_backbone
from belamy.pixels.images import Source, load_image, resize
from belamy.training.data import TEST, load_labelled
from belamy.training.pictures import pictures_cache

__all__ = ["classifier", "guesses", "measured", "middle"]


def classifier(model: str | Path, device: str) -> Backbone:
    """A network that has classes.

    Raises:
        WeightsError: it has none, or its weights are not here.
    """
    network = load_backbone(model, layers=["logits"], device=choose_device(device))
    if not network.classes:
        raise WeightsError(f"{model} names no classes, so it cannot say what it sees; take another")
    return network


def guesses(network: Backbone, top: int, image: Source) -> list[Guess]:
    """See `belamy.engines.classify.api.classify`."""
    seen = middle(load_image(image), network.short_side, network.side)
    (probabilities,) = _logits(network, seen).double().softmax(dim=1).cpu()
    best = probabilities.topk(min(top, len(probabilities)))
    pairs = zip(best.values.tolist(), best.indices.tolist(), strict=True)
    return [Guess(network.classes[index], value, index) for value, index in pairs]


def measured(data: str, model: str, size: int | None, device: str) -> dict[str, float]:
    """See `belamy.engines.classify.api.evaluate_classifier`."""
    network = classifier(model, device)
    side = network.side if size is None else size
    short_side = max(side, round(network.short_side * side / network.side))
    found = load_labelled(data, TEST, size=short_side, cache=pictures_cache())
    numbers = _numbers(found.classes, network, data)
    labels, images = numbers[torch.from_numpy(found.labels)], torch.from_numpy(found.images)
    counts = torch.zeros(3)
    parts = (torch.split(each, EVALUATION_BATCH) for each in (images, labels))
    for part, truth in zip(*parts, strict=True):
        pixels = part.permute(0, 3, 1, 2).float().div(255)  # (N, 3, S, S)
        counts += hits(_logits(network, middle(pixels, short_side, side)).cpu(), truth)
    right, in_five, seen = counts.tolist()
    return {"accuracy": 100 * right / seen, "top5": 100 * in_five / seen, "pictures": seen}


def middle(images: Tensor, short_side: int, side: int) -> Tensor:
    """The middle square of pictures, as classifiers are shown it.

    Args:
        images: (N, 3, H, W) in [0, 1].
        short_side: pixels that the shorter of H and W is brought to.
        side: pixels of the square that is then cut out of the middle.

    Returns:
        (N, 3, side, side) in [0, 1].
    """
    shorter = min(images.shape[-2:])
    square = _cut(images, shorter)
    return _cut(resize(square, (short_side, short_side)), side)


def _cut(images: Tensor, side: int) -> Tensor:
    top, left = ((length - side) // 2 for length in images.shape[-2:])
    return images[..., top : top + side, left : left + side]


@torch.inference_mode()
def _logits(network: Backbone, images: Tensor) -> Tensor:
    return network(images.to(network.mean.device), ["logits"])["logits"]  # type: ignore[no-any-return]


def _numbers(classes: tuple[str, ...], network: Backbone, data: str) -> Tensor:
    """Class of the data set → class of the network: int64 (classes,)."""
    known = {name: index for index, name in enumerate(network.classes)}
    strange = [name for name in classes if name not in known]
    if strange:
        raise DataError(
            f"{data} has classes that {network.name} does not know ({', '.join(strange[:5])}); "
            f"it knows {', '.join(network.classes[:5])}" + ("…" if len(known) > 5 else "")
        )
    return torch.tensor([known[name] for name in classes])
