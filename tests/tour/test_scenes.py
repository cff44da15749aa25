"""What the tour begins with."""

from __future__ import annotations

from pathlib import Path

import torch

from belamy.pixels.images import load_image
from belamy.tour.scenes import draw_scenes, dusk


def test_scenes_and_two_worlds_are_drawn(tmp_path: Path) -> None:
    draw_scenes(tmp_path, 64, 2)
    assert load_image(tmp_path / "landscape.png").shape == (1, 3, 40, 64)
    worlds = [sorted((tmp_path / world).glob("*.png")) for world in ("day", "dusk")]
    assert [len(world) for world in worlds] == [2, 2]
    day, evening = (torch.cat([load_image(path) for path in world]) for world in worlds)
    assert evening.mean() < 0.9 * day.mean()


def test_at_dusk_the_sky_is_blue_and_the_ground_is_warm() -> None:
    last = dusk(torch.full((1, 3, 9, 4), 0.8))
    assert last[0, 2, 0, 0] > last[0, 0, 0, 0]
    assert last[0, 0, -1, 0] > last[0, 2, -1, 0]
