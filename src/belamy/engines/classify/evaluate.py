"""How often a classifier is right on the test split of a data set."""

from __future__ import annotations

import torch
from torch import Tensor

from belamy.engines.classify.accuracy import count_hits, evaluation_batch, measure_hits
from belamy.engines.classify.predict import center_square, compute_logits, load_classifier
from belamy.errors import DataError
from belamy.networks.backbone import Backbone
from belamy.pixels.display.tables import Measures
from belamy.training.data import TEST, load_labelled
from belamy.training.pictures import pictures_cache

__all__ = ["evaluate"]


def evaluate(data: str, model: str, size: int | None, device: str) -> Measures[float]:
    """See `belamy.engines.classify.api.evaluate_classifier`."""
    network = load_classifier(model, device)
    side = network.side if size is None else size
    short_side = max(side, round(network.short_side * side / network.side))
    test_set = load_labelled(data, TEST, size=short_side, cache=pictures_cache())
    classes = _match_classes(test_set.classes, network, data)
    labels = classes[torch.from_numpy(test_set.labels)]
    images = torch.from_numpy(test_set.images)
    counts = torch.zeros(3)
    batches = (torch.split(each, evaluation_batch(side)) for each in (images, labels))
    for batch, truth in zip(*batches, strict=True):
        pixels = batch.permute(0, 3, 1, 2).float().div(255)  # (N, 3, S, S)
        logits = compute_logits(network, center_square(pixels, short_side, side))
        counts += count_hits(logits.cpu(), truth)
    return Measures(**measure_hits(counts), pictures=float(counts[2]))


def _match_classes(classes: tuple[str, ...], network: Backbone, data: str) -> Tensor:
    """Class of the data set → class of the network of the same name: int64 (classes,)."""
    known = {name: index for index, name in enumerate(network.classes)}
    strange = [name for name in classes if name not in known]
    if strange:
        raise DataError(
            f"{data} has classes that {network.name} does not know ({', '.join(strange[:5])}); "
            f"it knows {', '.join(network.classes[:5])}" + ("…" if len(known) > 5 else "")
        )
    return torch.tensor([known[name] for name in classes])
