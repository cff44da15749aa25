from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from belamy.errors import OptionError
from belamy.pixels.contact_sheet import take_off_paper
from belamy.pixels.images import contact_sheet, to_pil


def noise(height=12, width=16, channels=3):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(1, channels, height, width, generator=generator)


def test_a_contact_sheet_shows_every_picture_where_it_belongs():
    colours = torch.eye(3).repeat(2, 1)[:5]
    pictures = [colour.reshape(1, 3, 1, 1).expand(1, 3, 30, 40) for colour in colours]
    sheet = contact_sheet(pictures, columns=2, cell=40)
    margin = (sheet.shape[-1] - 80) // 3
    assert sheet.shape == (1, 3, 90 + 4 * margin, 80 + 3 * margin)
    for index, colour in enumerate(colours):
        top, left = margin + index // 2 * (30 + margin), margin + index % 2 * (40 + margin)
        cell = sheet[0, :, top : top + 30, left : left + 40]
        assert torch.equal(cell, colour.reshape(3, 1, 1).expand(3, 30, 40))
    paper = sheet[0, :, 0, 0]
    assert paper.min() > 0.9
    assert torch.equal(sheet[0, :, -margin - 5, -margin - 5], paper)  # the cell left over


def test_a_contact_sheet_keeps_proportions():
    wide, high = torch.zeros(1, 3, 10, 40), torch.zeros(1, 3, 40, 10)
    sheet = contact_sheet([wide, high], columns=2, cell=20)
    assert int((sheet[0, 0] == 0).sum()) == 2 * 20 * 5


def test_each_row_of_a_contact_sheet_is_as_high_as_it_needs():
    wide, high = torch.zeros(1, 3, 10, 40), torch.zeros(1, 3, 40, 10)
    one, two = (contact_sheet(images, columns=1, cell=40) for images in ([wide], [wide, high]))
    margin = (one.shape[-2] - 10) // 2
    assert two.shape[-2] == 10 + 40 + 3 * margin


def test_captions_are_written_below_and_cut():
    pictures = [torch.ones(1, 3, 60, 60)] * 2
    plain = contact_sheet(pictures, columns=2, cell=60)
    named = contact_sheet(pictures, columns=2, cell=60, captions=["mixed4c", "m" * 99])
    assert named.shape[-2] > plain.shape[-2]
    strip = named[0, 0, 60 + (plain.shape[-2] - 60) // 2 :]
    assert strip.min() < 0.6
    margin = (named.shape[-1] - 120) // 3
    gap = strip[:, margin + 60 : 2 * margin + 60]
    assert torch.equal(gap, gap[:1, :1].expand_as(gap))  # the long caption stays in its cell


@pytest.mark.parametrize(
    "options", [{"columns": 0}, {"columns": 1, "cell": 0}, {"columns": 1, "captions": ["a", "b"]}]
)
def test_impossible_sheets(options):
    with pytest.raises(OptionError):
        contact_sheet([noise()], **options)
    with pytest.raises(OptionError):
        contact_sheet([], columns=2)


def grey_sheet(count: int, columns: int) -> Image.Image:
    colours = torch.linspace(0.1, 0.8, count)
    pictures = [torch.full((1, 3, 48, 48), float(one)) for one in colours]
    return to_pil(contact_sheet(pictures, columns=columns, cell=48))


def test_a_sheet_has_no_paper() -> None:
    shown = np.asarray(take_off_paper(grey_sheet(4, 2)))
    assert shown.shape[2] == 4
    assert shown[0, 0, 3] == shown[-1, -1, 3] == 255  # the border is gone
    gap = shown[:, shown.shape[1] // 2, 3]
    assert (gap == 0).all()


def test_a_long_row_is_shown_by_its_first_pictures() -> None:
    whole = grey_sheet(9, 9)
    shown = take_off_paper(whole)
    assert shown.width <= 4 * whole.height
    alpha = np.asarray(shown)[:, :, 3]
    assert alpha[:, -1].all()  # none of them is cut
    parts = np.flatnonzero(np.diff(alpha[0].astype(int)) > 0)
    assert len(parts) + 1 == 4


def test_other_pictures_stay_as_they_are() -> None:
    picture = Image.fromarray(np.full((40, 60, 3), 120, np.uint8))
    assert take_off_paper(picture) is picture
