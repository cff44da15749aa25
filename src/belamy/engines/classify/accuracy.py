"""Top-1 and top-5 accuracy, counted so that batches and processes can be added up."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["EVALUATION_BATCH", "count_hits"]

EVALUATION_BATCH = 250  # pictures that are measured together


def count_hits(logits: Tensor, labels: Tensor) -> Tensor:
    """(first guess right, one of five guesses right, pictures), as a tensor of three.

    Args:
        logits: (N, classes).
        labels: int64 (N,).
    """
    own = logits.gather(1, labels[:, None])
    better = (logits > own).sum(dim=1)
    return torch.stack([(better < 1).sum(), (better < 5).sum(), (better >= 0).sum()]).float()
