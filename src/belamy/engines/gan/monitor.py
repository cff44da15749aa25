"""What can go wrong between a forger and a critic, seen while it happens.

Pictures are compared as small blurred ones, 16 × 16: what matters is the whole, not the grain.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["Alarms"]

_SIDE = 16
_MOST = 2000  # training pictures that are compared with
_COLLAPSE = 0.35  # of the real pictures' mean distance from each other. By eye
_COPY = 0.4  # of the distance from a training picture to the next like it. By eye
_COPIES = 0.25  # of the samples, from which it is said
_WON = 0.98  # of pairs of real and made that the critic tells apart
_EARLY = 5_000  # pictures seen, before which nothing is said. By eye
_PATIENCE = 3  # evaluations in a row


class Alarms:
    """Watches samples drawn from latents that stay the same.

    Args:
        images: uint8 (N, S, S, 3), what is learned from.
        labels: int64 (N,), their kinds; None where all are of one. Pictures are then compared
            within their kind: a painter can do one picture of each, which are far apart.

    Attributes:
        memory: for how many evaluations in a row each alarm has had reason.
    """

    def __init__(self, images: Tensor, labels: Tensor | None = None) -> None:
        every = max(1, len(images) // _MOST)
        some = images[::every].permute(0, 3, 1, 2).float() / 255
        self.known = _small(some)  # (N, 3·16·16)
        between = torch.cdist(self.known, self.known)
        self.spread = _apart(between, None if labels is None else labels[::every])
        self.nearest = float(between.fill_diagonal_(torch.inf).amin(dim=1).median())
        self.buffers = {"alarms": torch.zeros(3, dtype=torch.int64), "pairs": torch.zeros(2)}

    def watch(self, certainty: float) -> None:
        """Count a step in which the critic was so certain, −1 to 1."""
        self.buffers["pairs"] += torch.tensor([certainty, 1.0])

    def look(
        self, samples: Tensor, seen: int, labels: Tensor | None = None
    ) -> tuple[dict[str, float], list[str]]:
        """Measures of the samples (N, 3, S, S) in [0, 1], after so many pictures were seen, and
        what has to be said. `labels` (N,) are the samples' kinds.

        `diversity` is how far they are from each other, 1 as far as real pictures; `novelty` how
        far from the nearest training picture (or its mirror), 1 as far as those from theirs.
        """
        drawn = _small(samples)
        diversity = _apart(torch.cdist(drawn, drawn), labels) / self.spread
        mirrored = _small(samples.flip(-1))
        gaps = torch.stack([torch.cdist(x, self.known).amin(dim=1) for x in (drawn, mirrored)])
        gaps = gaps.amin(dim=0) / max(self.nearest, 1e-6)
        copies = float((gaps < _COPY).float().mean())
        total, steps = self.buffers["pairs"].tolist()
        known = (1 + total / steps) / 2 if steps else 0.0
        self.buffers["pairs"].zero_()
        measures = {"diversity": diversity, "novelty": float(gaps.median())}
        early = seen < _EARLY  # all that is drawn is a blur
        return measures, [] if early else self._said(diversity, copies, known)

    def _said(self, diversity: float, copies: float, known: float) -> list[str]:
        reasons = {
            f"collapse: the samples differ {diversity:.0%} as much as the pictures; "
            "raise --penalty or --augment, or take the relativistic loss": diversity < _COLLAPSE,
            f"copying: {copies:.0%} of the samples are all but training pictures; "
            "raise --augment, give more pictures, or stop": copies > _COPIES,
            f"the critic has won: it knows {known:.1%} of the real pictures from made ones; "
            "raise --penalty or --augment": known > _WON,
        }
        counts = self.buffers["alarms"]
        said = []
        for number, (text, reason) in enumerate(reasons.items()):
            counts[number] = counts[number] + 1 if reason else 0
            if counts[number] == _PATIENCE:  # once, until it has been well again
                said.append(text)
        return said


def _small(images: Tensor) -> Tensor:
    """(N, 3, S, S) → (N, 3·16·16)."""
    return F.adaptive_avg_pool2d(images.float(), _SIDE).flatten(1)


def _apart(between: Tensor, labels: Tensor | None) -> float:
    """The mean of distances (N, N) between different pictures of the same kind."""
    kinds = torch.zeros(len(between)) if labels is None else labels.cpu()
    pairs = (kinds[:, None] == kinds[None]).fill_diagonal_(False)
    return float(between[pairs].mean())
