"""Metrics of a generator beside real pictures: FID, KID, precision, recall, and the copies."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.gan.config import GanConfig
from belamy.engines.gan.dataset import load_pictures
from belamy.engines.gan.options import EvaluateOptions
from belamy.engines.gan.sampler import Sampler
from belamy.errors import DataError
from belamy.pixels.images import contact_sheet
from belamy.steps import Step
from belamy.training.distribution_metrics import (
    FEWEST,
    extract_features,
    frechet_distance,
    kernel_distance,
    precision_recall,
)
from belamy.training.feature_extractors import FeatureExtractor, load_feature_extractor

__all__ = ["evaluate", "find_nearest", "measure"]

_FEW, _MANY = 1000, 5000  # pictures that are painted and taken, where nothing is said
_BATCH = 64
_CELL = 96  # pixels of a picture on the sheet, at least
_PAIRS_A_ROW = 4


def evaluate(options: EvaluateOptions) -> Iterator[Step]:
    """See `belamy.engines.gan.api.gan_evaluate_steps`."""
    sampler = Sampler(options.network, truncation=options.truncation, device=options.device)
    real = _load_real(options, sampler.generator.size)
    count = options.count or max(_FEW, len(real))
    options = replace(options, count=count)
    extractor = load_feature_extractor(str(options.model), str(sampler.device))
    fake = yield from _generate(options, count, sampler, extractor)
    real_features = _extract(extractor, real)
    metrics, notes = measure(real_features, fake.features, options.seed)
    nearest = find_nearest(fake.features, real_features)
    usual = float(find_nearest(real_features, real_features, own=True)[0].median())
    metrics["nearest"] = float(nearest[0].median()) / max(usual, 1e-12)
    sheet = _draw_pairs(fake.images, real, nearest, usual)
    words = f"on {extractor.name}, {count} painted beside {len(real)} true pictures"
    total = math.ceil(count / _BATCH) + 1
    recipe = sampler.recipe("gan-evaluate", options, total)
    yield Step(total, total, sheet, metrics, recipe=recipe, note="; ".join([words, *notes]))


def _load_real(options: EvaluateOptions, size: int) -> Tensor:
    """uint8 (N, S, S, 3): each one once; of more than enough, some by lot."""
    images = load_pictures(GanConfig(data=str(options.data), size=size, enlarge=True)).images
    if len(images) < FEWEST:
        raise DataError(
            f"{options.data} has {len(images)} pictures: too few to measure by, one more or less "
            f"would change all; give {FEWEST} at least, better thousands"
        )
    most = options.count or _MANY
    if len(images) <= most:
        return images
    return images[
        torch.randperm(len(images), generator=make_rng(options.seed, "true pictures"))[:most]
    ]


@dataclass(frozen=True)
class _Fake:
    """The first few pictures (n, 3, S, S), and the features (N, D) of all."""

    images: Tensor
    features: Tensor


def _generate(
    options: EvaluateOptions, count: int, sampler: Sampler, extractor: FeatureExtractor
) -> Generator[Step, None, _Fake]:
    """A `Step` for each few pictures; returns them."""
    kept, features, total = [], [], math.ceil(count / _BATCH) + 1
    for index, first in enumerate(range(1, count + 1, _BATCH), start=1):
        numbers = range(first, min(first + _BATCH, count + 1))
        images = sampler(numbers, options.seed)
        features.append(extract_features(images, extractor))
        if first <= options.shown:
            kept.append(images)
        yield Step(index, total, images[:1], {})
    return _Fake(torch.cat(kept)[: options.shown], torch.cat(features))


def _extract(extractor: FeatureExtractor, pictures: Tensor) -> Tensor:
    """The features (N, D) of uint8 (N, S, S, 3)."""
    batches = (_to_floats(part) for part in torch.split(pictures, _BATCH))
    return extract_features(batches, extractor)


def _to_floats(pictures: Tensor) -> Tensor:
    """uint8 (N, S, S, 3) → (N, 3, S, S) in [0, 1]."""
    return pictures.permute(0, 3, 1, 2).float() / 255


def measure(real: Tensor, fake: Tensor, seed: int) -> tuple[dict[str, float], list[str]]:
    """Metrics by name, of features (N, D) and (M, D); and what could not be measured, and why."""
    metrics: dict[str, float] = {}
    notes = []
    try:
        metrics["fid"] = frechet_distance(real, fake)
    except DataError as error:
        notes.append(f"no FID: {error}")
    metrics["kid"] = 1000 * kernel_distance(real, fake, seed=seed)
    metrics["precision"], metrics["recall"] = precision_recall(real, fake)
    return metrics, notes


def find_nearest(queries: Tensor, among: Tensor, *, own: bool = False) -> tuple[Tensor, Tensor]:
    """(N,) distances and (N,) indices of the nearest; with `own`, of the nearest other one."""
    rank = 2 if own else 1  # the nearest of all is the picture itself
    parts = [torch.cdist(part, among).kthvalue(rank, dim=1) for part in torch.split(queries, 512)]
    return torch.cat([part.values for part in parts]), torch.cat([part.indices for part in parts])


def _draw_pairs(fake: Tensor, real: Tensor, nearest: tuple[Tensor, Tensor], usual: float) -> Tensor:
    """Each picture beside the nearest real one, and how near it is."""
    pictures, captions = [], []
    for number, image in enumerate(fake):
        distance, index = float(nearest[0][number]), int(nearest[1][number])
        pictures += [image[None], _to_floats(real[index : index + 1])]
        captions += [f"painted {number + 1}", f"nearest: {distance / max(usual, 1e-12):.2f}"]
    cell = max(_CELL, fake.shape[-1])
    return contact_sheet(pictures, columns=2 * _PAIRS_A_ROW, captions=captions, cell=cell)
