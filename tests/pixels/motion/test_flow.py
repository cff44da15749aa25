from __future__ import annotations

import builtins
from typing import Any

import pytest
import torch

from belamy.errors import MissingExtra
from belamy.pixels.motion.flow import Quality, estimate_flow, estimate_motion, opencv, trust, warp
from belamy.pixels.motion.rendered import RenderedFilm

pytest.importorskip("cv2")


@pytest.fixture(scope="module")
def film() -> RenderedFilm:
    return RenderedFilm(144, 256)


@pytest.mark.parametrize("index", [1, 30])
def test_flow_and_occlusion_are_those_of_the_formula(film: RenderedFilm, index: int) -> None:
    exact = film.motion(index)
    found = estimate_motion(film.frame(index - 1), film.frame(index))
    visible = exact.mask > 0
    error = (found.flow - exact.flow).square().sum(1, keepdim=True).sqrt()
    assert float(error[visible].mean()) < 0.2
    assert float((found.mask[visible] > 0.5).float().mean()) > 0.93
    assert float((found.mask[~visible] < 0.5).float().mean()) > 0.85


def test_the_exact_flow_explains_the_film(film: RenderedFilm) -> None:
    motion = film.motion(7)
    error = (warp(film.frame(6), motion.flow) - film.frame(7)).abs().mean(1, keepdim=True)
    assert float((error * motion.mask).sum() / motion.mask.sum()) < 1.5 / 255


def test_a_still_film_has_no_motion_at_all(film: RenderedFilm) -> None:
    frame = film.frame(0)
    motion = estimate_motion(frame, frame)
    assert float(motion.flow.abs().max()) == 0
    assert float(motion.mask.min()) == 1
    assert torch.equal(warp(frame, motion.flow), frame)


def test_the_border_is_trusted_where_it_stands_still_but_for_noise() -> None:
    noise = 1e-3 * torch.randn((1, 2, 40, 60), generator=torch.Generator().manual_seed(0))
    assert float(trust(noise, -noise).min()) == 1
    left = torch.zeros(1, 2, 40, 60)
    left[:, 0] = -3.0
    mask = trust(left, -left)
    assert float(mask[..., 1].max()) == 0
    assert float(mask[..., 5:].min()) > 0.99


def test_a_flat_sky_is_not_dragged_along_by_what_moves_beside_it(film: RenderedFilm) -> None:
    before, now = film.frame(0).clone(), film.frame(4).clone()
    for frame in (before, now):
        frame[..., :128] = 0.6
    flow = estimate_motion(before, now).flow
    assert float(flow[..., :110].abs().max()) == 0
    assert float(flow[..., 150:].abs().mean()) > 1


def test_pictures_of_any_size_have_a_flow() -> None:
    for size in ((1, 1), (3, 40), (12, 13)):
        image = torch.rand((1, 3, *size), generator=torch.Generator().manual_seed(0))
        assert estimate_flow(image, image, "fast").shape == (1, 2, *size)


@pytest.mark.parametrize("quality", ["fine", "coarse", "fast"])
@pytest.mark.parametrize("size", [(20, 160), (160, 20), (18, 640), (640, 18), (31, 90), (2, 500)])
def test_long_strips_have_a_motion(size: tuple[int, int], quality: Quality) -> None:
    """OpenCV, given some of them as they are, reads beyond their end, and dies."""
    height, width = size
    wave = torch.sin(torch.arange(width + 1.0) / 3) * torch.cos(torch.arange(height)[:, None] / 3)
    frames = [
        (0.5 + 0.4 * wave[None, None, :, at : at + width]).expand(1, 3, -1, -1) for at in (1, 0)
    ]
    motion = estimate_motion(*frames, quality)
    assert motion.flow.shape == (1, 2, *size)
    assert motion.mask.shape == (1, 1, *size)
    assert bool(motion.flow.isfinite().all())


def test_without_opencv_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name == "cv2":
            raise ImportError(name)
        return usual(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtra, match=r"belamy\[video\]"):
        opencv()
