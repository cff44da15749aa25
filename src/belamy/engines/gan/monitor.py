"""The samples that a training shows, rows of pictures with a column for each label; and what can go
wrong between a generator and a discriminator, seen in them while it happens.

Pictures are compared as small blurred ones, 16 × 16: what matters is the whole, not the noise.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "CollapseMonitor",
    "draw_latents",
    "generate_rows",
    "label_columns",
    "tile_samples",
]

ROWS, COLUMNS = 5, 8

_SIDE = 16
_MOST = 2000  # training pictures that are compared with
_COLLAPSE = 0.35  # of the real pictures' mean distance from each other. By eye
_COPY = 0.4  # of the distance from a training picture to the next like it. By eye
_COPIES = 0.25  # of the samples, from which it is said
_WON = 0.98  # of pairs of real and fake that the discriminator tells apart
_EARLY = 5_000  # pictures seen, before which nothing is said. By eye
_PATIENCE = 3  # evaluations in a row


class CollapseMonitor:
    """Looks for mode collapse, copying and a discriminator that has won, in samples of latents that
    stay the same.

    Args:
        images: uint8 (N, S, S, 3), what is learned from.
        labels: int64 (N,); None where there are none. Pictures are then compared within their
            label: a generator can do one picture of each, which are far apart.

    Attributes:
        buffers: for how many evaluations in a row each alarm has had reason; sign means of the
            discriminator, and how many.
    """

    def __init__(self, images: Tensor, labels: Tensor | None = None) -> None:
        every = max(1, len(images) // _MOST)
        some = images[::every].permute(0, 3, 1, 2).float() / 255
        self.real = _shrink(some)  # (N, 3·16·16)
        distances = torch.cdist(self.real, self.real)
        self.spread = _mean_distance(distances, None if labels is None else labels[::every])
        self.nearest = float(distances.fill_diagonal_(torch.inf).amin(dim=1).median())
        self.buffers = {"alarms": torch.zeros(3, dtype=torch.int64), "pairs": torch.zeros(2)}

    def count(self, sign_mean: float) -> None:
        """Take note of a step whose discriminator had this sign mean, −1 to 1."""
        self.buffers["pairs"] += torch.tensor([sign_mean, 1.0])

    def check(
        self, samples: Tensor, seen: int, labels: Tensor | None = None
    ) -> tuple[dict[str, float], list[str]]:
        """Measures of the samples (N, 3, S, S) in [0, 1], after so many pictures were seen, and
        what has to be said. `labels` (N,) are the samples'.

        `diversity` is how far they are from each other, 1 as far as real pictures; `novelty` how
        far from the nearest training picture (or its mirror), 1 as far as those from theirs.
        """
        fake = _shrink(samples)
        diversity = _mean_distance(torch.cdist(fake, fake), labels) / self.spread
        mirrored = _shrink(samples.flip(-1))
        gaps = torch.stack([torch.cdist(x, self.real).amin(dim=1) for x in (fake, mirrored)])
        gaps = gaps.amin(dim=0) / max(self.nearest, 1e-6)
        copies = float((gaps < _COPY).float().mean())
        total, steps = self.buffers["pairs"].tolist()
        correct = (1 + total / steps) / 2 if steps else 0.0
        self.buffers["pairs"].zero_()
        measures = {"diversity": diversity, "novelty": float(gaps.median())}
        early = seen < _EARLY  # all samples are a blur
        return measures, [] if early else self._raise_alarms(diversity, copies, correct)

    def _raise_alarms(self, diversity: float, copies: float, correct: float) -> list[str]:
        reasons = {
            f"collapse: the samples differ {diversity:.0%} as much as the pictures; "
            "raise --penalty or --augment, or take the relativistic loss": diversity < _COLLAPSE,
            f"copying: {copies:.0%} of the samples are all but training pictures; "
            "raise --augment, give more pictures, or stop": copies > _COPIES,
            f"the discriminator has won: it tells {correct:.1%} of the real pictures from fake "
            "ones; raise --penalty or --augment": correct > _WON,
        }
        counts = self.buffers["alarms"]
        alarms = []
        for number, (text, reason) in enumerate(reasons.items()):
            counts[number] = counts[number] + 1 if reason else 0
            if counts[number] == _PATIENCE:  # once, until it has been well again
                alarms.append(text)
        return alarms


def _shrink(images: Tensor) -> Tensor:
    """(N, 3, S, S) → (N, 3·16·16)."""
    return F.adaptive_avg_pool2d(images.float(), _SIDE).flatten(1)


def _mean_distance(distances: Tensor, labels: Tensor | None) -> float:
    """The mean of distances (N, N) between different pictures of the same label."""
    own = torch.zeros(len(distances)) if labels is None else labels.cpu()
    pairs = (own[:, None] == own[None]).fill_diagonal_(False)
    return float(distances[pairs].mean())


def draw_latents(latent: int, rng: torch.Generator) -> Tensor:
    """(40, latent), standard normal."""
    return torch.randn(ROWS * COLUMNS, latent, generator=rng)


def label_columns(count: int) -> Tensor | None:
    """The labels of the samples, (40,), of so many; None where the generator knows none."""
    return torch.arange(ROWS * COLUMNS) % COLUMNS % count if count else None


def generate_rows(
    generator: Callable[[Tensor, Tensor | None], Tensor], z: Tensor, label: Tensor | None
) -> Tensor:
    """(40, 3, S, S) on the CPU, drawn a row at a time.

    Args:
        generator: of latents and labels.
        z: (40, latent), on its device.
        label: (40,) or None.
    """
    labels: list[Tensor | None] = [None] * ROWS
    if label is not None:
        labels = list(torch.split(label.to(z.device), COLUMNS))
    rows = zip(torch.split(z, COLUMNS), labels, strict=True)
    return torch.cat([generator(row, own).cpu() for row, own in rows])


def tile_samples(images: Tensor) -> Tensor:
    """(40, 3, S, S) → (1, 3, rows·S, columns·S), without gaps."""
    side = images.shape[-1]
    tiles = images.reshape(ROWS, COLUMNS, 3, side, side).permute(2, 0, 3, 1, 4)
    return tiles.reshape(1, 3, ROWS * side, COLUMNS * side)
