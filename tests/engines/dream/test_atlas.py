"""The contact sheet of an atlas: what is on it, in which order, and that it can be made again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from belamy.engines.dream.atlas_api import atlas, atlas_steps
from belamy.errors import OptionError, UnknownName

TINY = {"size": 32, "steps": 1}


def test_one_picture_a_layer(eye: Path) -> None:
    steps = list(atlas_steps(eye, **TINY))
    assert len(steps) == steps[0].total == 10  # three convolutions, seven Inception blocks
    assert steps[-1].image.shape[-2] > steps[0].image.shape[-2]  # the sheet grew


def test_one_picture_a_channel(eye: Path) -> None:
    steps = list(atlas_steps(eye, layer="mixed3a", channels=3, **TINY))
    assert len(steps) == 3


def test_it_can_be_made_again(eye: Path) -> None:
    made = atlas(eye, layer="conv1", channels=2, **TINY)
    assert made.recipe is not None
    assert made.recipe.engine == "atlas"
    again = atlas(**made.recipe.options)
    assert torch.equal(made.image, again.image)


def test_bad_names_and_numbers(eye: Path) -> None:
    with pytest.raises(UnknownName, match="mixed3a"):
        atlas(eye, layer="mixed3", **TINY)
    with pytest.raises(OptionError, match="channels is 0"):
        atlas(eye, layer="mixed3a", channels=0, **TINY)
