"""How near translations come to the pictures of the other world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import fmean

import torch
from torch import Tensor

from belamy.devices import choose_device
from belamy.engines.translate.api import DIRECTIONS
from belamy.engines.translate.monitor import complaints
from belamy.errors import DataError, WeightsError
from belamy.networks.find import find_network
from belamy.networks.image_to_image.load import load_image_net
from belamy.networks.image_to_image.network import ImageTransformNet
from belamy.training.distribution_metrics import (
    frechet_distance,
    kernel_distance,
    extract_features,
)
from belamy.training.domains import DomainPair, load_domains
from belamy.training.feature_extractors import load_feature_extractor
from belamy.training.metrics import psnr, ssim

__all__ = ["measured"]

_BATCH = 16  # pictures that are translated together
_LOOKED_AT = 64  # of all pictures, for what is plainly wrong with them


@dataclass(frozen=True)
class _Pass:
    """Pictures and what becomes of them, a batch at a time."""

    images: Tensor  # uint8 (N, S, S, 3)
    painter: Callable[[Tensor], Tensor]
    device: torch.device

    def before(self) -> Iterator[Tensor]:
        for part in torch.split(self.images, _BATCH):
            yield part.permute(0, 3, 1, 2).float().div(255).to(self.device)

    def after(self) -> Iterator[Tensor]:
        with torch.inference_mode():
            for part in self.before():
                yield self.painter(part).clamp(0, 1)


def measured(
    network: str,
    a: str,
    b: str,
    *,
    direction: str,
    model: str,
    size: int,
    pairs: bool,
    device: str,
) -> dict[str, float | str]:
    """See `belamy.engines.translate.api.evaluate_translation`."""
    place = choose_device(device)
    path = find_network(network, "image-to-image")
    painter = load_image_net(path, direction).to(place)
    step = painter.geometry.stride
    worlds = load_domains(a, b, -(-size // step) * step, paired=pairs)
    own, other = _ordered(worlds, direction)
    work = _Pass(own, painter, place)
    found = _distances(work, other, model)
    found["change"] = _difference(work.before(), work.after())
    back = _back(str(path), direction, place)
    if back is not None:
        home = (back(made).clamp(0, 1) for made in work.after())
        found["cycle"] = _difference(work.before(), home)
    if pairs:
        truth = _Pass(other, painter, place).before()
        made = torch.split(torch.cat(list(work.after())), 1)
        wanted = torch.split(torch.cat(list(truth)), 1)
        for name, measure in (("psnr", psnr), ("ssim", ssim)):
            found[name] = fmean(map(measure, made, wanted))
    remarks = "; ".join((*worlds.messages, *_wrong(work, direction)))
    return {**found, "remarks": remarks} if remarks else found


def _wrong(work: _Pass, direction: str) -> list[str]:
    """What training would complain of, on a few of the pictures."""
    spread = torch.linspace(0, len(work.images) - 1, min(_LOOKED_AT, len(work.images)))
    few = replace(work, images=work.images[spread.round().long()])
    before, after = (torch.cat(list(x)) for x in (few.before(), few.after()))
    return complaints(direction.replace("-", " "), before, after, progress=1.0)


def _ordered(worlds: DomainPair, direction: str) -> tuple[Tensor, Tensor]:
    return (worlds.a, worlds.b) if direction == DIRECTIONS[0] else (worlds.b, worlds.a)


def _distances(work: _Pass, other: Tensor, model: str) -> dict[str, float | str]:
    """To the true pictures; the Fréchet distance only where there are enough for it."""
    eye = load_feature_extractor(model, str(work.device))
    truth = extract_features(_Pass(other, work.painter, work.device).before(), eye)
    before, after = (extract_features(x, eye) for x in (work.before(), work.after()))
    found: dict[str, float | str] = {}
    if min(len(truth), len(after)) > truth.shape[1]:
        found["fid"] = frechet_distance(truth, after)
        found["fid_before"] = frechet_distance(truth, before)
    found["kid"] = kernel_distance(truth, after)
    found["kid_before"] = kernel_distance(truth, before)
    return {**found, "features": eye.name}


def _difference(one: Iterator[Tensor], other: Iterator[Tensor]) -> float:
    """The mean over all values, in [0, 1]."""
    sums = [((x - y).abs().sum(), x.numel()) for x, y in zip(one, other, strict=True)]
    if not sums:
        raise DataError("no pictures to compare; give at least one")
    return float(sum(total for total, _ in sums)) / sum(count for _, count in sums)


def _back(path: str, direction: str, device: torch.device) -> ImageTransformNet | None:
    """What leads home; None where only one direction was learned."""
    home = DIRECTIONS[1 - DIRECTIONS.index(direction)]
    try:
        return load_image_net(find_network(path, "image-to-image"), home).to(device)
    except WeightsError:
        return None
