"""Sheets in the strip: their pictures hang on the page's own ground."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from belamy.pixels.contact_sheet import take_off_paper
from belamy.pixels.images import contact_sheet, to_pil


def sheet(count: int, columns: int) -> Image.Image:
    colours = torch.linspace(0.1, 0.8, count)
    pictures = [torch.full((1, 3, 48, 48), float(one)) for one in colours]
    return to_pil(contact_sheet(pictures, columns=columns, cell=48))


def test_a_sheet_has_no_paper() -> None:
    shown = np.asarray(take_off_paper(sheet(4, 2)))
    assert shown.shape[2] == 4
    assert shown[0, 0, 3] == shown[-1, -1, 3] == 255  # the border is gone
    gap = shown[:, shown.shape[1] // 2, 3]
    assert (gap == 0).all()


def test_a_long_row_is_shown_by_its_first_pictures() -> None:
    whole = sheet(9, 9)
    shown = take_off_paper(whole)
    assert shown.width <= 4 * whole.height
    alpha = np.asarray(shown)[:, :, 3]
    assert alpha[:, -1].all()  # none of them is cut
    parts = np.flatnonzero(np.diff(alpha[0].astype(int)) > 0)
    assert len(parts) + 1 == 4


def test_other_pictures_stay_as_they_are() -> None:
    picture = Image.fromarray(np.full((40, 60, 3), 120, np.uint8))
    assert take_off_paper(picture) is picture
