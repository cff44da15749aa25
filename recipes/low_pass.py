"""Write a style network without its finest grid: python recipes/low_pass.py IN OUT

What it paints is smoothed by the kernels of its last convolution: what changes from pixel to pixel
goes, what is broader stays. What the file says of itself stays.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from pack_translation import read_words
from torch import Tensor

from belamy.networks.image_to_image.load import load_image_net, save_image_net

__all__ = ["main"]

_ROW = (-1, 4, 10, 4, -1)  # nothing passes at two pixels, three quarters at four


def main(source: str, target: str) -> None:
    network = load_image_net(Path(source))
    state = dict(network.state_dict())
    last = [name for name, value in state.items() if value.ndim == 4][-1]
    state[last] = _smooth(state[last])
    network.load_state_dict(state)
    save_image_net(Path(target), network, **read_words(Path(source)))


def _smooth(kernels: Tensor) -> Tensor:
    """Kernels (O, I, S, S) whose results are smoothed; what would lie beyond their sides is cut."""
    row = torch.tensor(_ROW, dtype=kernels.dtype)
    square = torch.outer(row, row) / row.sum() ** 2
    flat = kernels.reshape(-1, 1, *kernels.shape[-2:])
    return F.conv2d(flat, square[None, None], padding=2).view(kernels.shape)


if __name__ == "__main__":
    main(*sys.argv[1:])
