"""Products of matrices, by the faster of the two programs that torch has for them.

torch multiplies matrices with MKL, which on processors other than Intel's does without their widest
instructions; its convolutions are oneDNN's, which does not. A product is a convolution of one
pixel, so that on an AMD EPYC large products in float32 take half of their time as such.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.grad import conv2d_weight

__all__ = ["matmul", "scatter_matrix"]

_WIDTH = 32  # columns of the picture that rows of a matrix are seen as
_SMALLEST = 128  # rows and columns, from which on it is faster. Measured
_HALVED = 32  # columns, from which on a symmetric product's half is worth leaving out

# A pixel has no neighbours to be apart from. But one that is said to look far goes to oneDNN, and
# others to MKL, when there is one thread.
_FAR = 2


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """Batched matrix product a·b, differentiable.

    Args:
        a: (N, M, K).
        b: (N, K, L).

    Returns:
        (N, M, L).
    """
    if not (_suits_convolution(a) and min(b.shape[1:]) >= _SMALLEST):
        return a @ b
    result = F.conv2d(_as_picture(a), b[0].mT[..., None, None], dilation=_FAR)
    return result.flatten(2).mT


def scatter_matrix(weighted: Tensor, x: Tensor) -> Tensor:
    """Scatter matrix Σ w·x·xᵀ over positions.

    Args:
        weighted: (N, P, C), the same as x, each position times its weight.
        x: (N, P, C).

    Returns:
        (N, C, C), symmetric.
    """
    if _suits_convolution(weighted) and _suits_convolution(x):
        channels = x.shape[2]
        kernel: Tensor = conv2d_weight(  # type: ignore[no-untyped-call]
            _as_picture(x), (channels, channels, 1, 1), _as_picture(weighted), dilation=_FAR
        )
        return kernel[None, :, :, 0, 0]
    return _half_scatter(weighted, x)


def _suits_convolution(x: Tensor) -> bool:
    one, rows, columns = x.shape
    sizes = one == 1 and rows % _WIDTH == 0 and min(rows, columns) >= _SMALLEST
    plain = x.dtype == torch.float32 and x.device.type == "cpu"
    return sizes and plain and bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


def _as_picture(x: Tensor) -> Tensor:
    """(1, P, C) → (1, C, P / 32, 32), channels-last."""
    return x.contiguous().view(1, -1, _WIDTH, x.shape[2]).permute(0, 3, 1, 2)


def _half_scatter(weighted: Tensor, x: Tensor) -> Tensor:
    """The same, of which a quarter is mirrored instead of multiplied."""
    middle = x.shape[-1] // 2
    if middle < _HALVED // 2:
        return weighted.mT @ x
    upper = weighted[..., :middle].mT @ x
    lower = weighted[..., middle:].mT @ x[..., middle:]
    return torch.cat([upper, torch.cat([upper[..., middle:].mT, lower], dim=-1)], dim=-2)
