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

__all__ = ["product", "scatter"]

_WIDTH = 32  # columns of the picture that rows of a matrix are seen as
_WORTH = 128  # rows and columns, from which on it is faster. Measured
_HALVED = 32  # columns, from which on a symmetric product's half is worth leaving out

# A pixel has no neighbours to be apart from. But one that is said to look far goes to oneDNN, and
# others to MKL, when there is one thread.
_FAR = 2


def product(a: Tensor, b: Tensor) -> Tensor:
    """a·b, through which gradients flow.

    Args:
        a: (N, M, K).
        b: (N, K, L).

    Returns:
        (N, M, L).
    """
    if not (_suits(a) and min(b.shape[1:]) >= _WORTH):
        return a @ b
    made = F.conv2d(_as_picture(a), b[0].mT[..., None, None], dilation=_FAR)
    return made.flatten(2).mT


def scatter(weighted: Tensor, x: Tensor) -> Tensor:
    """Σ w·x·xᵀ over places.

    Args:
        weighted: (N, P, C), the same as x, each place times its weight.
        x: (N, P, C).

    Returns:
        (N, C, C), symmetric.
    """
    if _suits(weighted) and _suits(x):
        channels = x.shape[2]
        kernel: Tensor = conv2d_weight(  # type: ignore[no-untyped-call]
            _as_picture(x), (channels, channels, 1, 1), _as_picture(weighted), dilation=_FAR
        )
        return kernel[None, :, :, 0, 0]
    return _halved(weighted, x)


def _suits(x: Tensor) -> bool:
    one, rows, columns = x.shape
    sizes = one == 1 and rows % _WIDTH == 0 and min(rows, columns) >= _WORTH
    plain = x.dtype == torch.float32 and x.device.type == "cpu"
    return sizes and plain and bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


def _as_picture(x: Tensor) -> Tensor:
    """(1, P, C) → (1, C, P / 32, 32), channels-last."""
    return x.contiguous().view(1, -1, _WIDTH, x.shape[2]).permute(0, 3, 1, 2)


def _halved(weighted: Tensor, x: Tensor) -> Tensor:
    """The same, of which a quarter is mirrored instead of multiplied."""
    middle = x.shape[-1] // 2
    if middle < _HALVED // 2:
        return weighted.mT @ x
    upper = weighted[..., :middle].mT @ x
    lower = weighted[..., middle:].mT @ x[..., middle:]
    return torch.cat([upper, torch.cat([upper[..., middle:].mT, lower], dim=-1)], dim=-2)
