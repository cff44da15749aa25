"""What every engine's recipe says beyond its options: threads, and who made the inputs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image, PngImagePlugin

from belamy.engines.defog.fog_api import fog
from belamy.engines.recipes import as_list, recipe_of
from belamy.engines.style.options import StyleOptions
from belamy.pixels.display.sheet import Pictures
from belamy.pixels.images import Picture
from belamy.pixels.metadata import credits_of
from belamy.pixels.recipe import read_recipe


def picture(path: Path, artist: str, **texts: str) -> Path:
    """A picture with an author, a place, and what else is named."""
    exif = Image.Exif()
    exif[0x013B] = artist
    exif.get_ifd(0x8825)[2] = (45.0, 30.0, 15.0)
    chunks = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        chunks.add_text(name, text)
    extra = {"pnginfo": chunks} if path.suffix == ".png" else {}
    Image.new("RGB", (16, 12), "grey").save(path, exif=exif, **extra)
    return path


def test_what_one_engine_made_goes_into_the_next(tmp_path: Path) -> None:
    first = fog(picture(tmp_path / "x.png", "Zoe"))
    second = fog(first, seed=1)
    assert second.image.shape == first.image.shape
    assert second.recipe is not None
    assert second.recipe.credits == {"artist": "Zoe"}
    assert second.recipe.inputs[0].path == ""


@pytest.mark.parametrize("several", [list, tuple, Pictures])
def test_pictures_are_several(several: type) -> None:
    pictures = [Picture(torch.zeros(1, 3, 4, 4)), Picture(torch.ones(1, 3, 4, 4))]
    assert as_list(several(pictures)) == pictures
    assert as_list("x.png") == ["x.png"]
    assert as_list(pictures[0]) == pictures[:1]


@pytest.mark.parametrize("source", ["x.jpg", "x.png", "x.webp"])
@pytest.mark.parametrize("target", ["y.png", "y.jpg", "y.webp", "y.tif", "y.avif"])
def test_who_made_the_input_is_carried_on_and_no_place(
    tmp_path: Path, source: str, target: str
) -> None:
    made = fog(picture(tmp_path / source, "Zoe"))
    made.save(tmp_path / target)
    with Image.open(tmp_path / target) as result:
        assert credits_of(result) == {"artist": "Zoe"}
        assert not result.getexif().get_ifd(0x8825)
    recipe = read_recipe(tmp_path / target)
    assert recipe.threads == torch.get_num_threads()
    assert recipe.credits == {"artist": "Zoe"}
    again = fog(tmp_path / target)  # of the result, which says it in its own way
    assert again.recipe is not None
    assert again.recipe.credits == {"artist": "Zoe"}


def test_several_inputs_are_named_one_after_the_other(tmp_path: Path) -> None:
    first = picture(tmp_path / "a.png", "Anna", parameters="a cat\nSteps: 4")
    second = picture(tmp_path / "b.png", "Bo", parameters="a dog", Copyright="2020 Bo")
    options = StyleOptions(first, [second, Image.open(first)], mask=torch.zeros(1, 4, 4))
    assert recipe_of("style", options, {}, changed={"init": "content"}).credits == {
        "artist": "Anna; Bo",
        "copyright": "2020 Bo",
        "parameters": "a cat\nSteps: 4",
    }
