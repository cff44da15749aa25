from __future__ import annotations

import torch

from belamy.pixels.colors import color_moments
from belamy.pixels.motion.detail import (
    band_energies,
    gradient_energy,
    hold_colors,
    hold_detail,
    restore_detail,
    split_bands,
)
from belamy.pixels.motion.rendered import RenderedFilm
from belamy.pixels.motion.resample import move

FILM = RenderedFilm(96, 128)
OTHER = RenderedFilm(96, 128, seed=1)


def test_bands_add_up_to_the_picture() -> None:
    frame = FILM.frame(0)
    torch.testing.assert_close(torch.stack(split_bands(frame)).sum(0), frame)


def test_detail_is_bounded_and_raised_no_more_than_may_be() -> None:
    frame = FILM.frame(0)
    usual = band_energies(frame)
    torch.testing.assert_close(hold_detail(frame, usual), frame)
    louder = band_energies(hold_detail(2 * frame, usual))
    assert all(now < 2 * most for now, most in zip(louder, usual, strict=True))  # of 4 times
    torch.testing.assert_close(hold_detail(0.5 * frame, usual), 0.5 * frame)
    raised = band_energies(hold_detail(0.5 * frame, usual, 1.1))
    assert all(now > 1.1 * before / 4 for now, before in zip(raised, usual, strict=True))


def test_an_average_of_unlike_textures_gets_its_detail_back() -> None:
    one, other = FILM.frame(0), OTHER.frame(0)
    blend = 0.7 * one + 0.3 * other
    assert gradient_energy(blend) < 0.75 * gradient_energy(other)
    restored = restore_detail(blend, other)
    assert 0.9 < gradient_energy(restored) / gradient_energy(other) < 1.1
    # what it shows is still the blend
    assert float((restored - blend).abs().mean()) < 0.5 * float((restored - other).abs().mean())


def test_a_picture_restored_to_itself_stays_as_it_is() -> None:
    frame = FILM.frame(0)
    torch.testing.assert_close(restore_detail(frame, frame), frame)


def test_colours_are_drawn_back() -> None:
    frame = FILM.frame(0)
    redder = frame.clone()
    redder[:, 0] += 0.2
    part = hold_colors(redder, frame, 0.3)
    mean, _ = color_moments(part - frame)
    assert abs(float(mean[0]) - 0.14) < 1e-3
    whole = hold_colors(redder, frame, 1.0)
    for now, first in zip(color_moments(whole), color_moments(frame), strict=True):
        torch.testing.assert_close(now, first, atol=1e-4, rtol=0)


def test_colours_drift_nowhere_in_a_long_journey() -> None:
    image = first = FILM.frame(0)
    for _ in range(60):
        image = move(image, zoom=1.02, degrees=0.5)
        image = hold_colors(image * torch.tensor([1.01, 1, 0.99]).view(1, 3, 1, 1), first, 0.3)
    mean, _ = color_moments(image)
    assert float((mean - color_moments(first)[0]).abs().max()) < 6 / 255
