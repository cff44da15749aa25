"""How near translations come to the pictures of the other domain: FID, KID, and the cycle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from statistics import fmean

import torch
from torch import Tensor

from belamy.devices import choose_device
from belamy.engines.translate.monitor import find_faults
from belamy.engines.translate.options import DIRECTIONS, Direction
from belamy.errors import DataError, WeightsError
from belamy.networks.find import find_network
from belamy.networks.image_to_image.load import load_image_net
from belamy.networks.image_to_image.network import ImageTransformNet
from belamy.pixels.display.tables import Measures
from belamy.training.distribution_metrics import (
    extract_features,
    frechet_distance,
    kernel_distance,
)
from belamy.training.domains import DomainPair, load_domains
from belamy.training.feature_extractors import load_feature_extractor
from belamy.training.metrics import psnr, ssim

__all__ = ["measure"]

_BATCH = 16  # pictures that are translated together
_EXAMINED = 64  # of all pictures, for what is plainly wrong with them


@dataclass(frozen=True)
class _Pass:
    """Pictures and their translations, a batch at a time."""

    images: Tensor  # uint8 (N, S, S, 3)
    generator: Callable[[Tensor], Tensor]
    device: torch.device

    def before(self) -> Iterator[Tensor]:
        for part in torch.split(self.images, _BATCH):
            yield part.permute(0, 3, 1, 2).float().div(255).to(self.device)

    def after(self) -> Iterator[Tensor]:
        with torch.inference_mode():
            for part in self.before():
                yield self.generator(part).clamp(0, 1)


def measure(
    network: str,
    a: str,
    b: str,
    direction: Direction,
    model: str,
    size: int,
    pairs: bool,
    device: str,
) -> Measures[float | str]:
    """See `belamy.evaluate_translation`."""
    place = choose_device(device)
    path = find_network(network, "image-to-image")
    generator = load_image_net(path, direction).to(place)
    stride = generator.geometry.stride
    domains = load_domains(a, b, -(-size // stride) * stride, paired=pairs)
    source, target = _order(domains, direction)
    work = _Pass(source, generator, place)
    metrics = _measure_distances(work, target, model)
    metrics["change"] = _mean_difference(work.before(), work.after())
    back = _load_back(str(path), direction, place)
    if back is not None:
        home = (back(translated).clamp(0, 1) for translated in work.after())
        metrics["cycle"] = _mean_difference(work.before(), home)
    if pairs:
        metrics |= _compare_pairs(work, target)
    messages = "; ".join((*domains.messages, *_find_faults(work, direction)))
    found: dict[str, float | str] = {"remarks": messages} if messages else {}
    return Measures({**metrics, **found})


def _compare_pairs(work: _Pass, target: Tensor) -> dict[str, float | str]:
    """PSNR and SSIM of translations and the pictures that they should have become."""
    truth = torch.split(torch.cat(list(replace(work, images=target).before())), 1)
    translated = torch.split(torch.cat(list(work.after())), 1)
    return {
        "psnr": fmean(map(psnr, translated, truth)),
        "ssim": fmean(map(ssim, translated, truth)),
    }


def _find_faults(work: _Pass, direction: Direction) -> list[str]:
    """What training would complain of, on a few of the pictures."""
    spread = torch.linspace(0, len(work.images) - 1, min(_EXAMINED, len(work.images)))
    few = replace(work, images=work.images[spread.round().long()])
    before, after = (torch.cat(list(x)) for x in (few.before(), few.after()))
    return find_faults(direction.replace("-", " "), before, after, progress=1.0)


def _order(domains: DomainPair, direction: Direction) -> tuple[Tensor, Tensor]:
    """The pictures that are translated, and those that they should be like."""
    return (domains.a, domains.b) if direction == DIRECTIONS[0] else (domains.b, domains.a)


def _measure_distances(work: _Pass, target: Tensor, model: str) -> dict[str, float | str]:
    """To the true pictures; the Fréchet distance only where there are enough for it."""
    extractor = load_feature_extractor(model, str(work.device))
    truth = extract_features(replace(work, images=target).before(), extractor)
    before, after = (extract_features(x, extractor) for x in (work.before(), work.after()))
    metrics: dict[str, float | str] = {}
    if min(len(truth), len(after)) > truth.shape[1]:
        metrics["fid"] = frechet_distance(truth, after)
        metrics["fid_before"] = frechet_distance(truth, before)
    metrics["kid"] = kernel_distance(truth, after)
    metrics["kid_before"] = kernel_distance(truth, before)
    return {**metrics, "features": extractor.name}


def _mean_difference(one: Iterator[Tensor], other: Iterator[Tensor]) -> float:
    """The mean over all values, in [0, 1]."""
    sums = [((x - y).abs().sum(), x.numel()) for x, y in zip(one, other, strict=True)]
    if not sums:
        raise DataError("no pictures to compare; give at least one")
    return float(sum(total for total, _ in sums)) / sum(count for _, count in sums)


def _load_back(path: str, direction: Direction, device: torch.device) -> ImageTransformNet | None:
    """The other direction's network; None where only one direction was learned."""
    home = DIRECTIONS[1 - DIRECTIONS.index(direction)]
    try:
        return load_image_net(find_network(path, "image-to-image"), home).to(device)
    except WeightsError:
        return None
