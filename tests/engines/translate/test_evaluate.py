"""What is plainly wrong with a network is said when it is measured, not only while it learns."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.engines.translate import evaluate
from belamy.engines.translate.api import evaluate_translation
from belamy.errors import WeightsError
from belamy.pixels.images import save_image

LIGHT = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)


class Painted(nn.Module):
    """Stands for a network that learned to do one thing."""

    geometry = SimpleNamespace(stride=4)

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def forward(self, image: Tensor) -> Tensor:
        return {
            "nothing": image,
            "negative": 1 - image,
            "opposed": 2 * (image * LIGHT).sum(1, keepdim=True) - image,
            "one": torch.linspace(0, 0.9, image.shape[-1]) + image * 0.1,
            "warmer": (image * torch.tensor([1.1, 1.0, 0.8]).view(1, 3, 1, 1)).clamp(0, 1),
        }[self.what]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Fifty pictures of soft colours in each."""
    tmp_path = tmp_path_factory.mktemp("worlds")
    for world in ("a", "b"):
        for number in range(50):
            rough = torch.rand((1, 3, 6, 6), generator=make_rng(number, world))
            image = F.interpolate(rough, (32, 32), mode="bicubic").clamp(0, 1)
            save_image(image, tmp_path / world / f"{number}.png")
    return str(tmp_path / "a"), str(tmp_path / "b")


@pytest.mark.parametrize("direction", ["a-to-b", "b-to-a"])
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("nothing", "changes nothing"),
        ("negative", "turns light into dark"),
        ("opposed", "turns colours into their opposites"),
        ("one", "makes all pictures alike"),
        ("warmer", None),
    ],
)
def test_what_is_plainly_wrong_is_said(
    what: str,
    said: str | None,
    direction: str,
    worlds: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def loaded(path: Path, way: str) -> Painted:
        if way != direction:
            raise WeightsError("it learned one direction")
        return Painted(what)

    monkeypatch.setattr(evaluate, "find_network", lambda path, kind: Path(path))
    monkeypatch.setattr(evaluate, "load_image_net", loaded)
    found = evaluate_translation("net", *worlds, direction=direction, size=32)  # type: ignore[arg-type]
    if said is None:
        assert "remarks" not in found
    else:
        assert found["remarks"].startswith(f"{direction.replace('-', ' ')} {said}")  # type: ignore[union-attr]


def test_the_same_world_twice_is_said(
    worlds: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "find_network", lambda path, kind: Path(path))
    monkeypatch.setattr(evaluate, "load_image_net", lambda path, way: Painted("warmer"))
    found = evaluate_translation("net", worlds[0], worlds[0], size=32)
    assert "A and B are the same pictures" in str(found["remarks"])
