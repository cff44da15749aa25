"""The signature: where it belongs, readable on any ground, never twice the same."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.pixels.decor.handwriting import LETTERS, write
from belamy.pixels.decor.signature import FORMULA, add_signature


def ground(level: float, side: int = 512) -> Tensor:
    return torch.full((1, 3, side, side), level)


def ink(image: Tensor, signed_image: Tensor) -> Tensor:
    """(H, W): where something was written."""
    return (signed_image - image).abs().amax(dim=(0, 1)) > 0.1


def test_every_letter_of_the_formula_can_be_written() -> None:
    assert set(FORMULA) - set("_ ") <= LETTERS.keys()


@pytest.mark.parametrize("level", [0.0, 0.1, 0.3, 0.4, 0.6, 0.9, 1.0])
def test_it_stands_at_the_lower_right_and_can_be_read_on_any_ground(level: float) -> None:
    image = ground(level)
    found = add_signature(image)
    rows, columns = ink(image, found).nonzero().unbind(1)
    assert int(rows.min()) > 430
    assert int(rows.max()) < 505
    assert 170 < int(columns.min()) < 220
    assert 480 < int(columns.max()) < 505
    strength = (found - image).abs().mean(1).flatten().topk(500).values
    assert float(strength.min()) > 0.25


def test_light_ink_on_dark_ground_and_dark_ink_on_light_ground() -> None:
    assert float((add_signature(ground(0.1)) - 0.1).sum()) > 0
    assert float((add_signature(ground(0.8)) - 0.8).sum()) < 0


def written_on() -> Tensor:
    """(H, W): where the pen goes, wholly."""
    return (add_signature(ground(0.3)) - 0.3).abs().amax(dim=(0, 1)) > 0.4


HALVES = ((0.1, 0.85), (0.85, 0.1), (0.0, 1.0), (0.3, 0.7))


@pytest.mark.parametrize(("left", "right"), HALVES)
def test_the_ink_changes_with_the_ground(left: float, right: float) -> None:
    """On each half of the writing the ink is the one that stands out from what is under it."""
    image = ground(left)
    image[..., 340:] = right
    found, pen = add_signature(image).mean(1)[0], written_on()
    for level, columns in ((left, slice(180, 330)), (right, slice(350, 500))):
        change = found[:, columns][pen[:, columns]] - level
        assert float(change.abs().median()) > 0.25
        assert bool(change.median() < 0) == (level > 0.5)


def test_a_collar_on_a_coat_is_written_on_in_dark_ink() -> None:
    image = ground(0.1)
    image[..., 300:420] = 0.9
    change, pen = (add_signature(image) - image).mean(1)[0], written_on()
    for columns, lighter in ((slice(180, 290), 1), (slice(310, 410), -1), (slice(430, 500), 1)):
        assert float((lighter * change[:, columns][pen[:, columns]]).quantile(0.1)) > 0.3


def test_the_brush_keeps_its_ink_while_it_can_be_read() -> None:
    """A ground that wavers around the middle is no reason to change colour in every letter."""
    wave = 0.445 + 0.05 * torch.sin(torch.arange(512) / 9)
    image = wave.expand(1, 3, 512, 512).clone()
    change, pen = (add_signature(image) - image).mean(1)[0], written_on()
    assert float((change[pen] > 0).float().mean()) in (0.0, 1.0)


def test_a_hand_wavers_but_a_seed_is_a_seed() -> None:
    image = ground(0.5, 256)
    assert torch.equal(add_signature(image), add_signature(image))
    assert not torch.equal(add_signature(image), add_signature(image, seed=1))
    both = add_signature(image.expand(2, -1, -1, -1))
    assert torch.equal(both[1], add_signature(image, seed=1)[0])


@pytest.mark.parametrize(("height", "width"), [(16, 16), (64, 64), (100, 300), (300, 100)])
def test_any_size_holds_it(height: int, width: int) -> None:
    image = torch.full((1, 3, height, width), 0.5)
    found = add_signature(image)
    assert found.shape == image.shape
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    assert not torch.equal(found, image)
    untouched = height // 2 - 1
    assert torch.equal(found[:, :, :untouched], image[:, :, :untouched])


def test_letters_follow_each_other_and_indices_stand_low() -> None:
    strokes = write("mm_mm")
    centres = [stroke.points.mean(0) for stroke in strokes]
    assert [float(c[0]) for c in centres] == sorted(float(c[0]) for c in centres)
    assert float(centres[2][1]) < float(centres[1][1]) - 0.4
    small, large = strokes[2].points, strokes[1].points
    assert float((small.amax(0) - small.amin(0))[0]) < 0.8 * float(
        (large.amax(0) - large.amin(0))[0]
    )


def test_ink_on_a_ground_nearly_as_dark_gets_a_halo_of_the_other_tone() -> None:
    ground = torch.full((1, 3, 400, 500), 0.7)
    ground[..., 325:] = 0.37  # where umber can just be read
    changed = add_signature(ground) - ground
    assert float(changed[..., :325].max()) < 1e-6  # nothing lightens where it is light
    lighter = changed[..., 330:]
    assert 0.004 < float(lighter.max()) < 0.1
    assert float((lighter > 0.004).float().mean()) < 0.1
