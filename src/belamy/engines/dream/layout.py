"""Many vectors laid out in the plane, so that like lies near like: PCA, t-SNE, ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["embed", "principal_components", "spread"]

Floats = NDArray[np.float64]

PERPLEXITY = 30.0  # neighbours that count, about. Source: van der Maaten & Hinton 2008
ITERATIONS = 300
_EXAGGERATED = 75  # of them at first, in which clusters form
_EXAGGERATION = 4.0  # as in the paper
_MOMENTA = (0.5, 0.8)  # before and after that; the paper's
_GAIN_STEP, _GAIN_FACTOR, _LEAST_GAIN = 0.2, 0.8, 0.01  # the authors' own code
_BISECTIONS = 40
_TINY = 1e-12


def principal_components(vectors: Floats, count: int) -> Floats:
    """(N, C) → (N, count or fewer): along the axes of the greatest spread, the largest first."""
    centred = vectors - vectors.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    kept = min(count, len(sizes))
    axes = left[:, :kept] * sizes[:kept]
    # The sign of an axis is arbitrary, and may differ from one machine to the next.
    signs: Floats = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(kept)])
    signed: Floats = axes * np.where(signs == 0, 1.0, signs)
    return signed


def embed(vectors: Floats) -> Floats:
    """Vectors (N, D) in the plane (N, 2), by t-SNE: neighbours stay neighbours.

    Starts from the first two principal components, so that nothing is left to chance. Exact, with
    all pairs: right for a few thousand at most.

    Source: van der Maaten & Hinton, "Visualizing data using t-SNE", 2008. An activation atlas takes
    UMAP or t-SNE alike (Carter et al. 2019); this one is a page long and needs no package.
    """
    count = len(vectors)
    if count < 4:
        return np.pad(principal_components(vectors, 2), ((0, 0), (0, 2)))[:, :2]
    affinities = _affinities(vectors, min(PERPLEXITY, (count - 1) / 3))
    places = principal_components(vectors, 2)
    places = np.pad(places, ((0, 0), (0, 2 - places.shape[1])))
    places = places / max(float(places[:, 0].std()), _TINY) * 1e-2
    moves, gains = np.zeros_like(places), np.ones_like(places)
    rate = max(count / _EXAGGERATION / 4, 50.0)
    for index in range(ITERATIONS):
        early = index < _EXAGGERATED
        gradient = _gradient(affinities * (_EXAGGERATION if early else 1.0), places)
        turned = np.sign(gradient) != np.sign(moves)
        gains = np.where(turned, gains + _GAIN_STEP, gains * _GAIN_FACTOR).clip(_LEAST_GAIN)
        moves = _MOMENTA[0 if early else 1] * moves - rate * gains * gradient
        places = places + moves
        places = places - places.mean(axis=0)
    return places


def _gradient(affinities: Floats, places: Floats) -> Floats:
    kernel = 1 / (1 + _squared_distances(places))
    np.fill_diagonal(kernel, 0)
    pulls = (affinities - kernel / kernel.sum()) * kernel
    gradient: Floats = 4 * (pulls.sum(axis=1, keepdims=True) * places - pulls @ places)
    return gradient


def _affinities(vectors: Floats, perplexity: float) -> Floats:
    """Symmetric probabilities of being neighbours; each row's width is found by bisection."""
    distances = _squared_distances(vectors)
    np.fill_diagonal(distances, np.inf)
    distances = distances - distances.min(axis=1, keepdims=True)
    np.fill_diagonal(distances, np.inf)
    scale = max(float(np.median(distances[np.isfinite(distances)])), _TINY)
    low, high = np.full(len(vectors), -60.0), np.full(len(vectors), 60.0)
    target = np.log(perplexity)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        weights = np.exp(-distances / scale * np.exp(middle)[:, None])
        sums = weights.sum(axis=1)
        means = np.where(weights > 0, np.where(np.isfinite(distances), distances, 0), 0) * weights
        entropy = np.log(sums) + np.exp(middle) / scale * means.sum(axis=1) / sums
        low, high = (
            np.where(entropy > target, middle, low),
            np.where(entropy > target, high, middle),
        )
    weights = np.exp(-distances / scale * np.exp((low + high) / 2)[:, None])
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    both: Floats = (probabilities + probabilities.T) / (2 * len(vectors))
    return np.maximum(both, _TINY)


def _squared_distances(points: Floats) -> Floats:
    squares = (points**2).sum(axis=1)
    distances: Floats = squares[:, None] + squares[None] - 2 * points @ points.T
    return np.maximum(distances, 0)


def spread(places: Floats, side: int) -> NDArray[np.int64]:
    """The cell (row, column) of each place (N, 2) on a grid of `side` by `side`.

    Each axis goes by rank, so that rows and columns are equally full; what is crowded gets room.
    """
    ranks = places.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    cells: NDArray[np.int64] = ranks * side // len(places)
    return cells[:, ::-1]
