"""scripts/natural_spectrum finds the law that a MACO canvas draws with."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
import torch

from belamy.pixels.canvas import MacoCanvas
from belamy.pixels.images import save_image

ROOT = Path(__file__).parents[2]
FILE = ROOT / "src" / "belamy" / "pixels" / "natural_spectrum.json"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "home"))


def test_pictures_of_the_law_are_measured_to_follow_it(tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    for seed in range(10):
        canvas = MacoCanvas.from_noise(192, 192, torch.Generator().manual_seed(seed))
        save_image(canvas().detach(), tmp_path / "album" / f"{seed}.png")
    script = runpy.run_path(str(ROOT / "scripts" / "natural_spectrum"))
    script["main"](str(tmp_path / "album"), str(tmp_path / "found.json"))
    found, law = (json.loads(path.read_text("utf-8")) for path in (tmp_path / "found.json", FILE))
    ratios = torch.tensor(found["table"]) / torch.tensor(law["table"])
    assert ratios.shape == (3, 11, 12)
    assert float(ratios.median()) == pytest.approx(0.89, abs=0.05)  # of a Rayleigh, √π/2
    assert 0.6 < float(ratios[:, 2:].quantile(0.02)) < float(ratios[:, 2:].quantile(0.98)) < 1.3
    assert found["frequencies"] == law["frequencies"]
