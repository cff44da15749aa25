"""The old photographs that `recipes/old_photographs.py` makes."""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from io import BytesIO
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

RECIPE = Path(__file__).parents[2] / "recipes" / "old_photographs.py"


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("old_photographs", RECIPE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for it there
    with pytest.MonkeyPatch.context() as patch:  # its neighbours are imported as from a script
        patch.syspath_prepend(str(RECIPE.parent))
        spec.loader.exec_module(module)
    return module


def squares(*colours: tuple[float, float, float]) -> Tensor:
    """(1, 3, 20, 20·n): one square of each colour beside the other."""
    parts = [torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, 20, 20) for colour in colours]
    return torch.cat(parts, dim=3)


def middles(picture: Tensor) -> Tensor:
    """(squares, 3): of each square, away from its edges."""
    return picture[0, :, 10, 10::20].T


SKY, LEAVES, BRICK = (0.45, 0.65, 0.92), (0.25, 0.42, 0.12), (0.65, 0.25, 0.15)


def test_skies_are_white_and_leaves_and_red_things_dark(recipe: ModuleType) -> None:
    for seed in range(12):
        kind = recipe.choose_print(np.random.default_rng(seed))
        old = middles(recipe.make_old(squares(SKY, LEAVES, BRICK, (0.2,) * 3), kind))
        sky, leaves, brick, _ = old.mean(1).tolist()
        assert sky > 0.7
        assert max(leaves, brick) < sky - 0.2
        # red and green are darker than eyes see them: a grey as light as brick is lighter
        grey = middles(recipe.make_old(squares(SKY, LEAVES, (0.38,) * 3), kind))[2].mean()
        assert brick < float(grey) - 0.03


def test_a_print_is_of_one_tint_for_each_density(recipe: ModuleType) -> None:
    kind = recipe.choose_print(np.random.default_rng(5))
    tones = torch.linspace(0, 1, 101).view(1, 1, 1, -1)
    colours = recipe.tint(tones, kind)[0, :, 0]  # (3, 101)
    assert bool((colours.diff(dim=1) > 0).all())  # it never turns
    red, green, blue = colours
    assert bool((red >= green - 1e-3).all())  # brown, or yellow
    assert bool((green >= blue - 0.01).all())
    torch.testing.assert_close(colours[:, 50], torch.tensor(kind.middle), atol=1e-4, rtol=0)
    # so what colour a thing had cannot be told from the print
    picture = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(1))
    old = recipe.make_old(picture, kind)
    known = torch.stack(
        [torch.from_numpy(np.interp(old[0, 0].numpy(), red, one)) for one in (green, blue)]
    )
    torch.testing.assert_close(known.float(), old[0, 1:], atol=3e-3, rtol=0)


def test_blacks_are_lifted_and_whites_are_faded(recipe: ModuleType) -> None:
    ramp = torch.linspace(0, 1, 64).view(1, 1, 1, 64).expand(1, 3, 64, 64)
    for seed in range(8):
        old = recipe.make_old(ramp, recipe.choose_print(np.random.default_rng(seed)))
        assert 0.1 < float(old.mean(1).min()) < 0.35
        assert 0.75 < float(old.mean(1).max()) < 0.95


def test_nothing_depends_on_the_place(recipe: ModuleType) -> None:
    picture = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(2))
    kind = recipe.choose_print(np.random.default_rng(3))
    mirrored = recipe.make_old(picture.flip((-2, -1)), kind).flip((-2, -1))
    torch.testing.assert_close(mirrored, recipe.make_old(picture, kind), atol=1e-5, rtol=0)


def test_grey_and_brown_pictures_are_left_out(recipe: ModuleType) -> None:
    rng = np.random.default_rng(0)
    grey = rng.uniform(0.2, 0.9, (32, 32, 1)).repeat(3, axis=2)
    sepia = grey * (1.0, 0.85, 0.65)
    colours = rng.uniform(0.1, 0.9, (32, 32, 3))
    assert [recipe.has_colours(one) for one in (grey, sepia, colours, colours * 0.2)] == [
        *(False, False, True, False)
    ]


def test_the_worlds_share_no_picture(recipe: ModuleType, tmp_path: Path) -> None:
    archives = {"landscapes": "sea/{:03d}.webp", "photos": "{:04d}-ketch.webp"}
    archives["small"] = "train/066/{:03d}.webp"
    rng = np.random.default_rng(1)
    for name, pattern in archives.items():
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            for index in range(20):
                values = rng.uniform(20, 230, (4, 4, 3)).astype(np.uint8)
                file = BytesIO()
                picture = Image.fromarray(values).resize((32, 32), Image.Resampling.NEAREST)
                picture.save(file, "webp", lossless=True)
                archive.writestr(pattern.format(index), file.getvalue())
    recipe.main(*(str(tmp_path / f"{name}.zip") for name in archives), str(tmp_path / "worlds"))
    worlds = {
        place.name: {file.name for file in place.iterdir()}
        for place in (tmp_path / "worlds").iterdir()
    }
    assert {name: len(files) for name, files in worlds.items()} == {
        "new": 27,
        "old": 27,
        "new-held": 3,
        "old-held": 3,
    }
    assert len(set().union(*worlds.values())) == 60
    new, old = (
        np.asarray(Image.open(next((tmp_path / "worlds" / name).iterdir())).convert("RGB"))
        for name in ("new-held", "old-held")
    )
    assert recipe.has_colours(new / 255)
    assert not recipe.has_colours(old / 255)
