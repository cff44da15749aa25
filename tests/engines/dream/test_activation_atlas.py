"""An atlas of activations: the layout, the averages, and that it can be made again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from belamy.engines.dream import activation_atlas, layout
from belamy.engines.dream.activation_atlas import _average
from belamy.engines.dream.atlas_api import atlas, atlas_steps
from belamy.engines.dream.layout import Floats, embed, principal_components, spread
from belamy.engines.dream.objective import default_layers
from belamy.errors import DataError, OptionError, UnknownName
from belamy.pixels.images import save_image

TINY = {"size": 16, "steps": 1, "grid": 2}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(activation_atlas, "MOST_VECTORS", 60)
    monkeypatch.setattr(layout, "ITERATIONS", 30)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Three pictures, red, green and blue noise."""
    (tmp_path / "album").mkdir()
    for index in range(3):
        image = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(index)) * 0.4
        image[:, index] += 0.5
        save_image(image, tmp_path / "album" / f"{index}.png")
    return tmp_path / "album"


def clusters(count: int = 30, width: int = 12) -> tuple[Floats, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), count)
    return 6 * np.eye(width)[labels] + rng.normal(0, 0.5, (3 * count, width)), labels


def test_principal_components_are_those_of_the_covariance() -> None:
    vectors, _ = clusters()
    axes = principal_components(vectors, 4)
    values = np.linalg.eigvalsh(np.cov(vectors.T, bias=True))[::-1][:4]
    assert axes.shape == (90, 4)
    np.testing.assert_allclose(axes.var(axis=0), values, rtol=1e-8)
    np.testing.assert_allclose(principal_components(vectors[:, ::-1], 4), axes, atol=1e-8)
    assert principal_components(vectors[:3], 9).shape == (3, 3)


def test_neighbours_have_the_perplexity_asked_for() -> None:
    vectors, _ = clusters()
    affinities = layout._affinities(vectors, 20.0)
    np.testing.assert_allclose(affinities, affinities.T)
    assert affinities.sum() == pytest.approx(1, abs=1e-6)
    distances = ((vectors[:, None] - vectors[None]) ** 2).sum(-1)
    near = np.argsort(distances, axis=1)[:, 1:21]
    inside = np.take_along_axis(affinities, near, axis=1).sum()
    assert inside > 0.6


def test_the_gradient_is_that_of_the_divergence() -> None:
    vectors, _ = clusters(4, 5)
    affinities = layout._affinities(vectors, 3.0)
    places = torch.from_numpy(np.random.default_rng(1).normal(size=(12, 2))).requires_grad_()
    kernel = 1 / (1 + (places[:, None] - places[None]).square().sum(-1))
    kernel = kernel * (1 - torch.eye(12, dtype=torch.float64))
    chances = kernel / kernel.sum()
    wanted = torch.from_numpy(affinities) * (1 - torch.eye(12, dtype=torch.float64))
    (wanted * -(chances + torch.eye(12, dtype=torch.float64)).log()).sum().backward()
    assert places.grad is not None
    np.testing.assert_allclose(
        layout._gradient(affinities, places.detach().numpy()), places.grad.numpy(), atol=1e-6
    )


def test_like_lies_beside_like() -> None:
    vectors, labels = clusters()
    places = embed(vectors)
    distances = ((places[:, None] - places[None]) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    assert (labels[distances.argmin(axis=1)] == labels).all()
    assert np.isfinite(places).all()
    np.testing.assert_array_equal(places, embed(vectors))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_few_and_equal_vectors_have_a_place(count: int) -> None:
    for vectors in (np.ones((count, 5)), np.arange(5.0 * count).reshape(count, 5)):
        assert embed(vectors).shape == (count, 2)
        assert np.isfinite(embed(vectors)).all()


def test_ranks_fill_the_grid_evenly() -> None:
    places = np.random.default_rng(0).normal(size=(90, 2)) ** 3
    cells = spread(places, 3)
    for axis in (0, 1):
        assert np.bincount(cells[:, axis]).tolist() == [30, 30, 30]
    highest = places[:, 1].argmax()
    assert cells[highest, 0] == 2  # rows go down with the second axis
    assert cells[places[:, 0].argmin(), 1] == 0


def test_a_cell_is_the_mean_of_its_activations_less_that_of_all() -> None:
    vectors, _ = clusters(10)
    cells = _average(vectors, 2)
    centred = vectors - vectors.mean(axis=0)
    where = spread(embed(principal_components(vectors, 48)), 2)
    for place, one in zip(cells.places.tolist(), cells.directions.numpy(), strict=True):
        inside = (where == place).all(axis=1)
        np.testing.assert_allclose(one, centred[inside].mean(axis=0), atol=1e-5)
    assert len(cells.places) == len(cells.directions) <= 4


def test_it_can_be_made_again(eye: Path, album: Path) -> None:
    steps = list(atlas_steps(eye, layer="mixed4a", activations=album, **TINY))
    assert steps[-1].image.shape == (1, 3, 2 * 17 + 1, 2 * 17 + 1)
    recipe = steps[-1].recipe
    assert recipe is not None
    assert set(recipe.weights) == {"iris"}
    again = atlas(**recipe.options)
    assert torch.equal(again.image, steps[-1].image)


def test_the_layer_is_a_favourite_and_sizes_have_defaults(eye: Path, album: Path) -> None:
    step = next(atlas_steps(eye, activations=album, steps=1, size=32, grid=2))
    assert step.recipe is not None
    assert step.recipe.options["layer"] == default_layers(eye)[-1]
    plain = next(atlas_steps(eye, layer="mixed3a", channels=1, steps=1)).recipe
    assert plain is not None
    assert plain.options["size"] == 160


def test_misuse_is_told(eye: Path, album: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="mixed9"):
        atlas(eye, layer="mixed9", activations=album, **TINY)
    with pytest.raises(OptionError, match="no positions"):
        atlas(eye, layer="logits", activations=album, **TINY)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no pictures"):
        atlas(eye, layer="mixed4a", activations=tmp_path / "empty", **TINY)
