from __future__ import annotations

import pytest
import torch

from belamy.pixels.motion.cuts import find_cuts
from belamy.pixels.motion.rendered import RenderedFilm

pytest.importorskip("cv2")


def scenes(frames: list[torch.Tensor]) -> list[int]:
    begins = list(find_cuts(frames))
    assert len(begins) == len(frames)
    return [index for index, one in enumerate(begins) if one]


FIRST = [RenderedFilm(90, 160).frame(index) for index in range(6)]
SECOND = [1 - RenderedFilm(90, 160, seed=4).frame(index) * 0.5 for index in range(4)]


def test_a_cut_is_found_at_its_frame() -> None:
    assert scenes([*FIRST, *SECOND]) == [0, 6]


def test_a_flash_is_no_cut() -> None:
    flash = (FIRST[3] * 0.2 + 0.8).clamp(0, 1)
    assert scenes([*FIRST[:3], flash, *FIRST[3:]]) == [0]


def test_a_fast_pan_is_no_cut() -> None:
    pan = RenderedFilm(90, 160, shift=(16.0, 0.0), degrees=0, zoom=1)
    assert scenes([pan.frame(index) for index in range(5)]) == [0]


def test_a_dissolve_is_no_cut() -> None:
    mixed = [FIRST[0] + (SECOND[0] - FIRST[0]) * step / 12 for step in range(13)]
    assert scenes(mixed) == [0]


def test_the_last_frame_may_be_a_scene_and_an_empty_film_has_none() -> None:
    assert scenes([*FIRST, SECOND[0]]) == [0, 6]
    assert scenes([FIRST[0]]) == [0]
    assert scenes([]) == []
