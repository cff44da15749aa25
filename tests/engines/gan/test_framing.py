"""What of a picture a projection looks for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from belamy.engines.gan import framing, projection
from belamy.engines.gan.framing import crop_face, face_weights, frame
from belamy.engines.gan.options import ProjectOptions, read_face
from belamy.engines.gan.sample_api import gan_project
from belamy.engines.gan.sampler import Sampler
from belamy.errors import OptionError
from belamy.networks.face_detector import Face, find_face
from belamy.pixels.images import resize


@pytest.fixture(scope="module")
def scene() -> tuple[Tensor, Face]:
    """A portrait of nobody in the upper right of a wide picture of clouds."""
    portrait = Sampler()([2], seed=0)
    rng = torch.Generator().manual_seed(0)
    clouds = resize(torch.rand(1, 3, 5, 8, generator=rng), (200, 320))
    clouds[..., 20:116, 200:296] = resize(portrait, (96, 96))
    return clouds, Face(248, 68, 96)


def test_a_face_is_found_where_it_is(scene: tuple[Tensor, Face]) -> None:
    picture, face = scene
    found = find_face(picture)
    assert found is not None
    assert (found.x, found.y) == pytest.approx((face.x, face.y), abs=14)
    assert 0.6 * face.side < found.side < 1.5 * face.side


@pytest.mark.parametrize("size", [(64, 64), (90, 40), (7, 9), (1, 1)])
def test_nothing_is_found_in_clouds(size: tuple[int, int]) -> None:
    rng = torch.Generator().manual_seed(1)
    clouds = resize(torch.rand(1, 3, 3, 3, generator=rng), size)
    assert find_face(clouds) is None
    framed = frame(clouds, "auto", 16)
    assert framed.face == "none"
    assert framed.weights is None
    assert "--face X,Y,SIDE" in framed.note
    assert torch.equal(framed.target, frame(clouds, "none", 16).target)
    assert frame(clouds, "none", 16).note == ""


def test_the_square_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "find_face", lambda _: pytest.fail("it looks nevertheless"))
    image = torch.zeros(1, 3, 40, 60)
    image[..., 10:30, 30:50] = 1
    assert torch.allclose(frame(image, "40,20,20", 8).target, torch.ones(1, 3, 8, 8), atol=1e-4)
    assert frame(image, "40,20,20", 8).face == "40,20,20"


def test_beyond_the_picture_its_edge_goes_on() -> None:
    image = torch.linspace(0, 1, 10).expand(1, 3, 10, 10).clone()
    square = crop_face(image, Face(0, 5, 10), 10)
    assert torch.allclose(square[..., :5], torch.zeros(()), atol=1e-5)
    assert torch.allclose(square[..., 6:], image[..., 1:5], atol=1e-5)


def test_the_middle_of_a_face_counts_most() -> None:
    weights = face_weights(64)[0, 0]
    assert float(weights.mean()) == pytest.approx(1)
    assert weights[29, 32] > 4 * weights[2, 2]


@pytest.mark.parametrize(
    "text", ["", "Auto", "1,2", "1,2,0", "-1,2,3", "1,2,3,4", "a,b,c", "1e5,2,3"]
)
def test_what_is_no_face_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="must be auto, none, or X,Y,SIDE"):
        ProjectOptions("me.jpg", face=text)


def test_a_face_is_read() -> None:
    assert read_face("217.5,124,248") == (217.5, 124, 248)
    assert read_face("auto") is read_face("none") is None


def test_a_recipe_says_where_the_face_was(
    scene: tuple[Tensor, Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "_CANDIDATES", 2)
    step = gan_project(scene[0], steps=1)
    assert step.recipe is not None
    found = step.recipe.options["face"]
    assert read_face(str(found)) is not None
    again = gan_project(scene[0], steps=1, face=str(found))
    assert torch.equal(step.image, again.image)
