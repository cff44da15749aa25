"""What a convolution computes, and what its two ideas, near neighbours and shared weights, save.

A neuron of a convolutional layer looks at a small window of the picture, and all neurons of one
map look with the same weights: the map says where in the picture its one pattern is. Fukushima
1980, "Neocognitron"; trained by back-propagation: LeCun et al. 1989.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["KERNELS", "Wiring", "as_matrix", "convolve", "wirings"]

Array = NDArray[np.float64]

KERNELS: dict[str, Array] = {
    "upright edges": np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], float) / 4,  # Sobel 1968
    "level edges": np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], float) / 4,
    "all edges": np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], float),  # Laplace
    "soft": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], float) / 16,  # Gauss
}
"""Weights that people wrote before networks learned their own."""


def convolve(image: Array, kernel: Array, *, stride: int = 1, padding: int = 0) -> Array:
    """Each neuron's weighted sum over its window, one after the other.

    y[c, i, j] = Σ over b, m, n of kernel[c, b, m, n] · image[b, i·stride + m, j·stride + n]

    Networks call this a convolution; a mathematician would turn the kernel round first.

    Args:
        image: (B, H, W): B maps.
        kernel: (C, B, K, L): C patterns to look for, each in all B maps.
        stride: from one window to the next.
        padding: zeros on every side of the image.

    Returns:
        (C, H', W'): where each pattern is, H' = (H + 2·padding − K) // stride + 1.
    """
    maps, _, height, width = kernel.shape
    padded = np.pad(image, ((0, 0), (padding, padding), (padding, padding)))
    rows = (padded.shape[1] - height) // stride + 1
    columns = (padded.shape[2] - width) // stride + 1
    answer = np.zeros((maps, rows, columns))
    for row in range(rows):
        for column in range(columns):
            top, left = row * stride, column * stride
            window = padded[:, top : top + height, left : left + width]
            for one in range(maps):
                answer[one, row, column] = np.sum(kernel[one] * window)
    return answer


def as_matrix(kernel: Array, shape: tuple[int, int]) -> Array:
    """The same convolution as a fully connected layer: its weight matrix.

    Nearly all of it is zeros (near neighbours alone), and the few others are the same few numbers
    again and again (shared weights).

    Args:
        kernel: (K, L), one pattern on one map.
        shape: (H, W) of the image.

    Returns:
        (H'·W', H·W): a row for each neuron, a column for each pixel.
    """
    height, width = shape
    rows, columns = height - kernel.shape[0] + 1, width - kernel.shape[1] + 1
    matrix = np.zeros((rows, columns, height, width))
    for row in range(rows):
        for column in range(columns):
            there = slice(row, row + kernel.shape[0]), slice(column, column + kernel.shape[1])
            matrix[(row, column, *there)] = kernel
    return matrix.reshape(rows * columns, height * width)


@dataclass(frozen=True)
class Wiring:
    """One way to connect a layer to the one below.

    Args:
        name: fully, locally, or convolution.
        neurons: of the layer.
        connections: lines from the layer below (and one from the bias) to all of them.
        weights: numbers to learn; a shared one counts once.
    """

    name: str
    neurons: int
    connections: int
    weights: int


def wirings(side: int, maps: int, kernel: int) -> tuple[Wiring, Wiring, Wiring]:
    """The three ways to connect `maps` maps to a grey picture of `side` × `side`.

    LeNet-5's first layer is `wirings(32, 6, 5)`: 122,304 connections, and 156 weights.

    Args:
        side: of the picture, in pixels.
        maps: of the layer, each with a neuron for every window.
        kernel: side of a window.
    """
    neurons = maps * (side - kernel + 1) ** 2
    all_pixels, window = side**2 + 1, kernel**2 + 1  # and a bias
    return (
        Wiring("fully", neurons, neurons * all_pixels, neurons * all_pixels),
        Wiring("locally", neurons, neurons * window, neurons * window),
        Wiring("convolution", neurons, neurons * window, maps * window),
    )
