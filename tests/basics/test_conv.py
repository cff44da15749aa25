"""A convolution computes what it says, and saves what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from belamy.basics.conv import KERNELS, as_matrix, convolve, wirings

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 0), (1, 2), (3, 1)])
def test_it_is_torchs(stride: int, padding: int) -> None:
    image, kernel = RANDOM.normal(size=(2, 9, 7)), RANDOM.normal(size=(3, 2, 3, 2))
    ours = convolve(image, kernel, stride=stride, padding=padding)
    theirs = conv2d(
        torch.from_numpy(image)[None], torch.from_numpy(kernel), stride=stride, padding=padding
    )
    np.testing.assert_allclose(ours, theirs[0].numpy(), atol=1e-12)


def test_it_is_a_fully_connected_level_of_few_numbers() -> None:
    image, kernel = RANDOM.normal(size=(6, 8)), RANDOM.normal(size=(3, 3))
    matrix = as_matrix(kernel, (6, 8))
    assert matrix.shape == (4 * 6, 6 * 8)
    assert len(np.unique(matrix)) == 9 + 1  # the kernel's, and zero
    assert np.count_nonzero(matrix) == 4 * 6 * 9
    plain = (matrix @ image.ravel()).reshape(4, 6)
    np.testing.assert_allclose(plain, convolve(image[None], kernel[None, None])[0], atol=1e-12)


def test_a_flat_picture_has_no_edges_and_an_edge_is_found_where_it_is() -> None:
    flat = np.ones((1, 8, 8))
    step = np.concatenate([np.zeros((1, 8, 4)), np.ones((1, 8, 4))], axis=2)
    for name in ("upright edges", "level edges", "all edges"):
        assert np.abs(convolve(flat, KERNELS[name][None, None])).max() < 1e-12
    assert np.abs(convolve(step, KERNELS["level edges"][None, None])).max() < 1e-12
    found = convolve(step, KERNELS["upright edges"][None, None])[0]
    assert set(np.flatnonzero(found[0])) == {2, 3}
    np.testing.assert_allclose(convolve(flat, KERNELS["soft"][None, None]), 1)


def test_the_first_level_of_lenet_has_the_published_counts() -> None:
    fully, locally, shared = wirings(32, 6, 5)
    assert (shared.neurons, shared.connections, shared.weights) == (4704, 122_304, 156)
    assert locally.weights == locally.connections == shared.connections
    assert fully.weights == 4704 * 1025
