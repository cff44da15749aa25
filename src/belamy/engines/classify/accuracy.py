"""Top-1 and top-5 accuracy, counted so that batches and processes can be added up."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["count_hits", "evaluation_batch", "measure_hits"]


def evaluation_batch(side: int) -> int:
    """How many pictures of `side` pixels are measured together: as many pixels as 250 of 64 px,
    beyond which the tensors are so large that the system takes its time."""
    return min(250, max(4, 250 * 64**2 // side**2))


def count_hits(logits: Tensor, labels: Tensor) -> Tensor:
    """(first guess right, one of five guesses right, pictures), as a tensor of three.

    Args:
        logits: (N, classes).
        labels: int64 (N,).
    """
    own = logits.gather(1, labels[:, None])
    better = (logits > own).sum(dim=1)
    return torch.stack([(better < 1).sum(), (better < 5).sum(), (better >= 0).sum()]).float()


def measure_hits(counts: Tensor) -> dict[str, float]:
    """Accuracy and top-5 accuracy in per cent, of what `count_hits` counted."""
    top1, top5, pictures = counts.tolist()
    return {"accuracy": 100 * top1 / pictures, "top5": 100 * top5 / pictures}
