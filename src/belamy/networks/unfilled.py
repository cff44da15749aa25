"""Networks built without numbers, for what only names and shapes decide, or for a file to fill."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

__all__ = ["skip_filling"]

_RANDOM = frozenset({Tensor.normal_, Tensor.uniform_, Tensor.erfinv_})
_SCALINGS = frozenset({Tensor.div, Tensor.mul, Tensor.__truediv__, Tensor.__mul__})
_DRAWS = frozenset({torch.randn, torch.rand})
_INIT = "torch.nn.init"


class _NoNumbers(TorchFunctionMode):
    """Fills with random numbers, and products with one number, leave a tensor as it is.

    On torch's meta device they would do nothing either, but the first normally distributed number
    loads torch's compiler, which takes more than a second (torch 2.13).
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func in _RANDOM or getattr(func, "__module__", "") == _INIT:
            return args[0] if args else (kwargs or {})["tensor"]
        if func in _SCALINGS and not isinstance(args[1], Tensor):
            return args[0]
        if func in _DRAWS:
            settings = {name: one for name, one in (kwargs or {}).items() if name != "generator"}
            return torch.empty(*args, **settings, device="meta")
        return func(*args, **(kwargs or {}))


@contextmanager
def skip_filling() -> Iterator[None]:
    """Inside this block modules get parameters and buffers on the meta device, without numbers."""
    with torch.device("meta"), _NoNumbers():
        yield
