"""How real a network's pictures look beside true ones: Fréchet and kernel distance, precision and
recall, all on features of a network that looks at both.

Numbers on different features cannot be compared: FIDs in papers are on Inception's (2,048 numbers
a picture), ours on iris's (704), so always say `features_name(model)` with the number. They cannot
be compared across sizes of the sets either, since a Fréchet distance of few pictures is too large:
where a set is too small to mean anything, it is refused here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import DataError, OptionError
from belamy.training.feature_extractors import FeatureExtractor, load_feature_extractor

__all__ = [
    "FEWEST",
    "extract_features",
    "features_name",
    "frechet_distance",
    "kernel_distance",
    "kernel_distances",
    "precision_recall",
]

FEWEST = 50
"""Pictures on each side, below which no measure here means anything: of 50, one more or less that
is liked moves precision by two hundredths. By eye."""

SUBSETS, SUBSET = 100, 1000  # of the kernel distance, as in the paper's own code
NEIGHBOUR = 3  # whose distance is a picture's own reach (Kynkäänniemi et al. 2019, section 3)

_BATCH = 64  # pictures looked at together
_ROWS = 1024  # of a table of distances that are held in memory together


def extract_features(
    images: Tensor | Iterable[Tensor],
    model: str | FeatureExtractor = "iris",
    *,
    device: str = "cpu",
) -> Tensor:
    """What a network sees in each picture: one row of numbers.

    Args:
        images: (N, 3, H, W) in [0, 1], or an iterator of such batches.
        model: `iris`, any network of `belamy models list` or its file, or `inception`; see
            `belamy.training.feature_extractors`. An open one is used as it is.
        device: where it is computed.

    Returns:
        (N, D) float32 on the CPU; `features_name(model)` says what it holds.

    Raises:
        UnknownName, WeightsError, MissingExtra: the network is not here.
        DataError: there are no pictures.
    """
    extractor = load_feature_extractor(model, device) if isinstance(model, str) else model
    rows = [extractor.extract(part) for part in _batches(images)]
    if not rows:
        raise DataError("no pictures to look at; give at least one")
    return torch.cat(rows)


def features_name(model: str | FeatureExtractor = "iris") -> str:
    """What stands beside each number in a table: `iris mixed5b`, `inception pool3`.

    Raises:
        UnknownName, WeightsError, MissingExtra: the network is not here.
    """
    return (load_feature_extractor(model) if isinstance(model, str) else model).name


def _batches(images: Tensor | Iterable[Tensor]) -> Iterator[Tensor]:
    for batch in [images] if isinstance(images, Tensor) else images:
        yield from torch.split(batch, _BATCH)


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """The Fréchet distance between two Gaussians that have the sets' means and covariances.

    |μ − ν|² + tr Σ + tr Ψ − 2 tr (ΣΨ)^½, in float64. The last term is the nuclear norm of S Pᵀ,
    where Σ = Sᵀ S and Ψ = Pᵀ P: no root of a matrix is taken that is not symmetric, so that no
    imaginary part has to be thrown away, and singular covariances need no ridge.

    Args:
        real: (N, D) features.
        fake: (M, D) features.

    Returns:
        0 for equal sets, no upper bound.

    Raises:
        DataError: a set has no more pictures than features, so that its covariance is singular and
            the distance is mostly an error of sampling; or the two differ in features.

    Source: Heusel et al. 2017, "GANs trained by a two time-scale update rule…". **Differs** in the
    features, see above, and in how the root is taken.
    """
    _check(real, fake, real.shape[-1] + 1, "the Fréchet distance, on {} features,")
    own, other = real.double(), fake.double()
    gap = (own.mean(0) - other.mean(0)).square().sum()
    first, second = _factor_covariance(own), _factor_covariance(other)
    spread = first.square().sum() + second.square().sum()
    shared = torch.linalg.svdvals(first @ second.mT).sum()
    return max(0.0, float(gap + spread - 2 * shared))


def _factor_covariance(features: Tensor) -> Tensor:
    """S (D, D) with Sᵀ S = the covariance of (N, D)."""
    values, vectors = torch.linalg.eigh(torch.cov(features.mT))
    factor: Tensor = values.clamp_min(0).sqrt()[:, None] * vectors.mT
    return factor


def kernel_distance(
    real: Tensor, fake: Tensor, *, subsets: int = SUBSETS, subset: int = SUBSET, seed: int = 0
) -> float:
    """The kernel distance (KID): the mean of `kernel_distances`, whose arguments it takes."""
    distances = kernel_distances(real, fake, subsets=subsets, subset=subset, seed=seed)
    return float(distances.mean())


def kernel_distances(
    real: Tensor, fake: Tensor, *, subsets: int = SUBSETS, subset: int = SUBSET, seed: int = 0
) -> Tensor:
    """Squared maximum mean discrepancies with the kernel (x·y / D + 1)³, without bias, so that
    small sets are not put at a disadvantage; slightly below 0 where the sets are alike.

    Args:
        real: (N, D) features.
        fake: (M, D) features.
        subsets: how many pairs of random subsets are compared.
        subset: pictures in each; fewer where a set has fewer.
        seed: of the choice.

    Returns:
        (subsets,) float64: their mean is the KID, their spread says how sure it is.

    Raises:
        DataError: fewer than `FEWEST` pictures, or the two differ in features.
        OptionError: subsets or their size are out of range.

    Source: Bińkowski et al. 2018, "Demystifying MMD GANs".
    """
    if subsets < 1 or subset < 2:
        raise OptionError(f"{subsets} subsets of {subset}: at least 1 of at least 2 are needed")
    _check(real, fake, FEWEST, "the kernel distance")
    size = min(subset, len(real), len(fake))
    distances = []
    for index in range(subsets):
        rng = make_rng(seed, "kernel distance", index)
        own = real[torch.randperm(len(real), generator=rng)[:size]]
        other = fake[torch.randperm(len(fake), generator=rng)[:size]]
        distances.append(_estimate_mmd(own, other))
    return torch.stack(distances)


def _estimate_mmd(own: Tensor, other: Tensor) -> Tensor:
    count = len(own)
    within = _kernel(own, own) + _kernel(other, other)
    alike = (within.sum() - within.diagonal().sum()) / (count * (count - 1))
    return alike - 2 * _kernel(own, other).mean()


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    """(N, M) float64; the products, nearly all of the work, in the features' own precision."""
    alike = (a @ b.mT).double() / a.shape[-1] + 1
    return alike * alike * alike


def precision_recall(
    real: Tensor, fake: Tensor, *, neighbour: int = NEIGHBOUR
) -> tuple[float, float]:
    """Which part of what was made looks real, and which part of the real could have been made.

    Each set is taken for a union of balls around its pictures, each reaching to the picture's k-th
    neighbour in its own set.

    Args:
        real: (N, D) features.
        fake: (M, D) features.
        neighbour: k; more is more lenient.

    Returns:
        precision and recall, each in [0, 1]. Few pictures make both larger.

    Raises:
        DataError: fewer than `FEWEST` pictures, or the two differ in features.
        OptionError: k is out of range.

    Source: Kynkäänniemi et al. 2019, "Improved precision and recall metric…".
    """
    _check(real, fake, FEWEST, "precision and recall")
    if not 1 <= neighbour < min(len(real), len(fake)):
        raise OptionError(f"neighbour is {neighbour}; there are {min(len(real), len(fake))} − 1")
    precision = _fraction_inside(fake, real, _measure_reach(real, neighbour))
    recall = _fraction_inside(real, fake, _measure_reach(fake, neighbour))
    return precision, recall


def _measure_reach(features: Tensor, neighbour: int) -> Tensor:
    """(N,): the distance to the k-th nearest other picture; the nearest is the picture itself."""
    parts = [_distances(part, features) for part in torch.split(features, _ROWS)]
    return torch.cat([part.kthvalue(neighbour + 1, dim=1).values for part in parts])


def _fraction_inside(points: Tensor, features: Tensor, reach: Tensor) -> float:
    """The part of `points` that lies in one of the balls at least."""
    parts = [(_distances(part, features) <= reach).any(1) for part in torch.split(points, _ROWS)]
    return float(torch.cat(parts).double().mean())


def _distances(a: Tensor, b: Tensor) -> Tensor:
    """(N, M), by differences: the faster way by products loses what is near, where it matters."""
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def _check(real: Tensor, fake: Tensor, fewest: int, measure: str) -> None:
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        shapes = f"{tuple(real.shape)} and {tuple(fake.shape)}"
        raise DataError(f"features are {shapes}; they must be (N, D) and (M, D)")
    if min(len(real), len(fake)) < fewest:
        raise DataError(
            f"{measure.format(real.shape[1])} means nothing for {len(real)} real and {len(fake)} "
            f"made pictures; give at least {fewest} of each"
        )
    if not (bool(real.isfinite().all()) and bool(fake.isfinite().all())):
        raise DataError("features have values that are no numbers; the network has diverged")
