"""The work behind `belamy.engines.gan.evaluate_api`."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from belamy.devices import make_rng as chance
from belamy.engines.gan.api import GanConfig
from belamy.engines.gan.dataset import load_pictures
from belamy.engines.gan.sampler import Easel, whole
from belamy.errors import DataError
from belamy.pixels.images import contact_sheet
from belamy.steps import Step
from belamy.training.distribution_metrics import (
    FEWEST,
    frechet_distance,
    kernel_distance,
    picture_features,
    precision_recall,
)
from belamy.training.feature_extractors import Eye, open_eye

__all__ = ["run"]

_FEW, _MANY = 1000, 5000  # pictures that are painted and taken, where nothing is said
_PER_STEP = 64
_CELL = 96  # pixels of a picture on the sheet, at least
_PAIRS_A_ROW = 4


def run(data: str, **options: Any) -> Iterator[Step]:
    """See `gan_evaluate_steps`; takes every one of its arguments."""
    asked, shown = options["count"], whole("shown", options["shown"], 1, 200)
    if asked is not None:
        whole("count", asked, FEWEST, 1_000_000)
    unfinished = {"upscale": 1, "sign": False, "frame": False}
    easel = Easel({**options, **unfinished})
    easel.options = {**options, "data": str(data)}
    true = _true_pictures(data, easel.generator.size, asked or _MANY, options["seed"])
    count = asked or max(_FEW, len(true))
    easel.options["count"] = count
    eye = open_eye(options["model"], str(easel.device))
    made = yield from _painted(easel, eye, count, shown)
    seen = _Seen(true, made.images, _looked_at(eye, true), made.features)
    measures, notes = _measures(seen, options["seed"])
    near = _nearest(seen.made_features, seen.true_features)
    ordinary = float(_nearest(seen.true_features, seen.true_features, own=True)[0].median())
    measures["nearest"] = float(near[0].median()) / max(ordinary, 1e-12)
    sheet = _sheet(seen, near, ordinary)
    words = f"on {eye.name}, {count} painted beside {len(true)} true pictures"
    total = math.ceil(count / _PER_STEP) + 1
    recipe = easel.recipe("gan-evaluate", total)
    yield Step(total, total, sheet, measures, recipe=recipe, note="; ".join([words, *notes]))


def _true_pictures(data: str, size: int, most: int, seed: int) -> Tensor:
    """uint8 (N, S, S, 3): each one once; of more than enough, some by lot."""
    images = load_pictures(GanConfig(data=str(data), size=size, enlarge=True)).images
    if len(images) < FEWEST:
        raise DataError(
            f"{data} has {len(images)} pictures: too few to measure by, one more or less would "
            f"change all; give {FEWEST} at least, better thousands"
        )
    if len(images) <= most:
        return images
    return images[torch.randperm(len(images), generator=chance(seed, "true pictures"))[:most]]


@dataclass(frozen=True)
class _Painted:
    """The first few pictures (n, 3, S, S), and the features of all."""

    images: Tensor
    features: Tensor


def _painted(easel: Easel, eye: Eye, count: int, shown: int) -> Generator[Step, None, _Painted]:
    """A `Step` for each few; returns `_Painted`."""
    kept, features, total = [], [], math.ceil(count / _PER_STEP) + 1
    for index, first in enumerate(range(1, count + 1, _PER_STEP), start=1):
        numbers = range(first, min(first + _PER_STEP, count + 1))
        images = torch.cat(list(easel.painted(easel.drawn(numbers, easel.options["seed"])))).cpu()
        features.append(picture_features(images, eye))
        if first <= shown:
            kept.append(images)
        yield Step(index, total, images[:1], {})
    return _Painted(torch.cat(kept)[:shown], torch.cat(features))


def _looked_at(eye: Eye, pictures: Tensor) -> Tensor:
    return picture_features((_floats(part) for part in torch.split(pictures, _PER_STEP)), eye)


def _floats(pictures: Tensor) -> Tensor:
    """uint8 (N, S, S, 3) → (N, 3, S, S) in [0, 1]."""
    return pictures.permute(0, 3, 1, 2).float() / 255


@dataclass(frozen=True)
class _Seen:
    """True and painted pictures, as the eye saw them."""

    true: Tensor
    made: Tensor
    true_features: Tensor
    made_features: Tensor


def _measures(seen: _Seen, seed: int) -> tuple[dict[str, float], list[str]]:
    """By name; and what could not be measured, with the reason."""
    true, made = seen.true_features, seen.made_features
    measures: dict[str, float] = {}
    notes = []
    try:
        measures["fid"] = frechet_distance(true, made)
    except DataError as error:
        notes.append(f"no FID: {error}")
    measures["kid"] = 1000 * kernel_distance(true, made, seed=seed)
    measures["precision"], measures["recall"] = precision_recall(true, made)
    return measures, notes


def _nearest(asked: Tensor, among: Tensor, *, own: bool = False) -> tuple[Tensor, Tensor]:
    """(N,) distances and (N,) indices of the nearest; with `own`, of the nearest other one."""
    found = [_rows(part, among, own) for part in torch.split(asked, 512)]
    return torch.cat([distance for distance, _ in found]), torch.cat([index for _, index in found])


def _rows(asked: Tensor, among: Tensor, own: bool) -> tuple[Tensor, Tensor]:
    rank = 2 if own else 1  # the nearest of all is the picture itself
    distance, index = torch.cdist(asked, among).kthvalue(rank, dim=1)
    return distance, index


def _sheet(seen: _Seen, near: tuple[Tensor, Tensor], ordinary: float) -> Tensor:
    """Pairs: a painted picture, the nearest true one, and how near it is."""
    pictures, captions = [], []
    for number, made in enumerate(seen.made):
        distance, index = float(near[0][number]), int(near[1][number])
        pictures += [made[None], _floats(seen.true[index : index + 1])]
        captions += [f"painted {number + 1}", f"nearest: {distance / max(ordinary, 1e-12):.2f}"]
    cell = max(_CELL, seen.made.shape[-1])
    return contact_sheet(pictures, columns=2 * _PAIRS_A_ROW, captions=captions, cell=cell)
