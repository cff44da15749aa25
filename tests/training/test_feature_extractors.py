"""How large pictures are when a network compares them by its features."""

from __future__ import annotations

import pytest
import torch

from belamy.training import feature_extractors
from belamy.training.feature_extractors import load_feature_extractor


@pytest.mark.parametrize(
    ("side", "size", "expected"),
    [
        (None, (64, 64), (64, 64)),
        (None, (200, 96), (128, 96)),
        (260, (64, 64), (260, 260)),
        (260, (300, 512), (260, 260)),
    ],
)
def test_sizes_that_networks_look_at(
    side: int | None, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    images = torch.rand(2, 3, *size)
    fitted = feature_extractors._fit(images, side)
    assert fitted.shape == (2, 3, *expected)
    assert 0 <= float(fitted.min()) <= float(fitted.max()) <= 1
    assert torch.allclose(fitted.mean(dim=(2, 3)), images.mean(dim=(2, 3)), atol=0.02)


def test_auto_is_the_best_that_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_extractors, "choose_backbone", lambda name: "iris")
    assert load_feature_extractor("auto").name == "iris mixed5b"
