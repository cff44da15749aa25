"""Networks that are not made of rows as ONNX, by torch's tracing: classifiers, painters, dehazers.

Average pools are written so that every program agrees in the last row and column: programs differ
in what they count there when a window hangs over the border.
"""

from __future__ import annotations

import copy
import importlib
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from belamy import files
from belamy.errors import MissingExtra

__all__ = ["Classifying", "ClearPool", "write_traced"]

_OPSET = 17
_EXTRA = "fast"


class Classifying(nn.Module):
    """A backbone that answers with the probabilities of its classes, (N, classes)."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.backbone(image, ["logits"])["logits"]
        return logits.softmax(dim=1)


class ClearPool(nn.Module):
    """What an average pool makes, without padding and without windows that hang over the border:
    sums over zeros are divided by how many places count."""

    def __init__(self, pool: nn.AvgPool2d) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = map(
            _pair, (pool.kernel_size, pool.stride, pool.padding)
        )
        self.extra = tuple(side - 1 for side in self.stride) if pool.ceil_mode else (0, 0)
        self.count_padding = pool.count_include_pad

    def forward(self, x: Tensor) -> Tensor:
        padded = self._border(x, self.padding)
        ones = torch.ones_like(padded if self.count_padding else x)[:, :1]
        counted = ones if self.count_padding else self._border(ones, self.padding)
        sums, counts = (
            F.avg_pool2d(F.pad(one, (0, self.extra[1], 0, self.extra[0])), self.kernel, self.stride)
            for one in (padded, counted)
        )
        return sums / counts

    def _border(self, x: Tensor, by: tuple[int, int]) -> Tensor:
        return F.pad(x, (by[1], by[1], by[0], by[0]))


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _with_clear_pools(network: nn.Module) -> nn.Module:
    """A copy whose average pools are `ClearPool`s where programs could differ."""
    copied = copy.deepcopy(network)
    for parent in list(copied.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.AvgPool2d) and (child.ceil_mode or any(_pair(child.padding))):
                setattr(parent, name, ClearPool(child))
    return copied


def write_traced(
    network: nn.Module, example: Tensor, path: Path, *, inputs: str, outputs: Sequence[str]
) -> None:
    """Write a network as ONNX, from what it does with an example.

    Args:
        network: of one tensor, and with as many as `outputs`.
        example: (1, 3, H, W), whose height and width may then be any; or (1, latent).
        path: replaced whole.
        inputs: the input's name.
        outputs: the outputs' names.

    Raises:
        MissingExtra: onnx is not installed.
    """
    try:
        importlib.import_module("onnx")
    except ImportError as error:
        raise MissingExtra("onnx", _EXTRA) from error
    axes = {2: "height", 3: "width"} if example.ndim == 4 else {}
    written = io.BytesIO()
    with warnings.catch_warnings():
        # torch's newer exporter needs a package more, and writes less than this one reads
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _with_clear_pools(network).eval(),
            (example,),
            written,  # type: ignore[arg-type]  # the tracing exporter takes a file as well
            dynamo=False,
            opset_version=_OPSET,
            input_names=[inputs],
            output_names=list(outputs),
            dynamic_axes={inputs: axes},
        )
    files.write_bytes(path, written.getvalue())
