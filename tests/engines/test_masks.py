"""A mask says where by its alpha where that varies, else by how light it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from belamy.engines.masks import read_mask


def rgba(left: tuple[int, ...], right: tuple[int, ...]) -> Image.Image:
    return Image.fromarray(np.array([[left, right]], np.uint8))


@pytest.mark.parametrize(
    ("left", "right", "counts"),
    [
        ((0, 0, 0, 255), (0, 0, 0, 0), (1, 0)),  # black, painted on nothing
        ((255, 255, 255, 102), (255, 255, 255, 0), (0.4, 0)),
        ((255, 255, 255, 255), (0, 0, 0, 255), (1, 0)),  # opaque everywhere: by light
        ((255, 255, 255), (51, 51, 51), (1, 0.2)),
        ((255, 255, 255, 102), (0, 0, 0, 102), (0.4, 0)),  # as transparent everywhere: by light
    ],
)
def test_what_counts(
    left: tuple[int, ...], right: tuple[int, ...], counts: tuple[float, ...], tmp_path: Path
) -> None:
    rgba(left, right).save(tmp_path / "mask.png")
    found = read_mask(tmp_path / "mask.png")
    torch.testing.assert_close(
        found, torch.tensor(counts, dtype=torch.float32).view(1, 1, 1, 2), atol=1e-5, rtol=0
    )
