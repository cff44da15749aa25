"""A photo as cameras make them is dreamt at a size that takes a minute, and that is said."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from belamy.engines.dream.options import DreamOptions
from belamy.engines.dream.render import _base
from belamy.engines.sizes import choose_side
from belamy.errors import OptionError, PictureWarning
from belamy.renamed import current_options

PHONE = (3024, 4032)


def test_a_large_picture_is_shrunk_and_that_is_said() -> None:
    said = r"photo\.jpg is 4032 × 3024; dreaming at 1024 × 768 \(--size full for all of it\)"
    with pytest.warns(PictureWarning, match=said):
        assert choose_side(Path("a/photo.jpg"), None, PHONE, 1024, "dreaming") == 1024


def test_a_size_that_is_asked_for_and_small_pictures_are_quiet() -> None:
    assert choose_side("a.png", "full", PHONE, 1024, "dreaming") == "full"
    assert choose_side("a.png", 2000, PHONE, 1024, "dreaming") == 2000
    assert choose_side("a.png", None, (1024, 600), 1024, "dreaming") == "full"


def test_the_recipe_says_the_size() -> None:
    large, small = torch.zeros(1, 3, 30, 2048), torch.zeros(1, 3, 30, 40)
    with pytest.warns(PictureWarning):
        picture, options = _base(DreamOptions(large))
    assert (tuple(picture.image.shape[-2:]), options.size) == ((15, 1024), 1024)
    picture, options = _base(DreamOptions(small))
    assert (tuple(picture.image.shape[-2:]), options.size) == ((30, 40), "full")
    picture, options = _base(DreamOptions(large, size="full"))
    assert (tuple(picture.image.shape[-2:]), options.size) == ((30, 2048), "full")


def test_a_recipe_of_old_dreams_on_the_whole_picture() -> None:
    assert current_options("dream", {"size": None})["size"] == "full"
    assert current_options("dream", {"size": 640})["size"] == 640


def test_full_needs_a_picture() -> None:
    from belamy.engines.dream.options import resolve

    with pytest.raises(OptionError, match="size full is that of a picture"):
        resolve(DreamOptions(size="full"))


def test_a_style_at_the_contents_own_size() -> None:
    from belamy.engines.style.inputs import final_size
    from belamy.engines.style.options import read_size

    assert read_size("full") == "full"
    assert final_size(30, 40, "full") == (30, 40)
