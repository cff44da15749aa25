"""What a module gives, read as activations (N, C, H, W), and written back.

    (N, C, H, W)            as it stands
    (N, H, W, C)            channels last, as Swin and ConvNeXt have them
    (N, T, C), (T, N, C)    a transformer's tokens: those of the grid; class and register tokens,
                            which come first, are left out
    (N, C)                  a layer without places

Tuples, lists and dicts are looked through for the first of these.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor

__all__ = ["Layout", "Shapes", "find_layouts", "shapes_in"]

Path: TypeAlias = "tuple[int | str, ...]"
Shapes: TypeAlias = "dict[Path, tuple[int, ...]]"

_DEEPEST = 3  # of tuples within dicts within tuples
_MOST_PREFIX_TOKENS = 16  # a class token, a distillation token, registers: at most 9 are known


def shapes_in(value: Any) -> Shapes:
    """The shapes of all floating-point tensors in what a module gave, in order."""
    return {path: tuple(tensor.shape) for path, tensor in _tensors(value, ())}


def _tensors(value: Any, path: Path) -> Iterator[tuple[Path, Tensor]]:
    if isinstance(value, Tensor):
        if value.is_floating_point():
            yield path, value
    elif len(path) < _DEEPEST:
        for key, part in _items(value):
            yield from _tensors(part, (*path, key))


def _items(value: Any) -> Iterator[tuple[int | str, Any]]:
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, (tuple, list)):
        yield from enumerate(value)


def _at(value: Any, path: Path) -> Tensor:
    for key in path:
        value = value[key]
    return cast("Tensor", value)


def _replace(value: Any, path: Path, new: Tensor) -> Any:
    """`value` with another tensor at `path`; nothing of it is changed in place."""
    if not path:
        return new
    key, rest = path[0], path[1:]
    if isinstance(value, Mapping):
        changed: Any = value.copy() if hasattr(value, "copy") else dict(value)
        changed[key] = _replace(value[key], rest, new)
        return changed
    parts = [
        _replace(part, rest, new) if index == key else part for index, part in enumerate(value)
    ]
    if hasattr(value, "_fields"):  # a named tuple
        return type(value)(*parts)
    return type(value)(parts)


@dataclass(frozen=True)
class Layout:
    """Where in a module's output its activations are, and how they lie there.

    Args:
        path: keys and indices that lead to the tensor.
        axes: of the tensor: batch, channels and then rows and columns, or tokens, or nothing.
        prefix: tokens before those of the grid.
    """

    path: Path
    axes: tuple[int, ...]
    prefix: int = 0

    @property
    def has_places(self) -> bool:
        """Whether the activations have rows and columns."""
        return len(self.axes) > 2

    def read(self, value: Any, size: tuple[int, int]) -> Tensor:
        """(N, C, H, W), or (N, C), out of what the module gave for pictures of `size`."""
        tensor = _at(value, self.path).permute(self.axes)
        if len(self.axes) != 3:
            return tensor
        tokens = tensor[..., self.prefix :]
        return tokens.reshape(*tokens.shape[:2], *_grid(tokens.shape[2], size))

    def write(self, value: Any, activations: Tensor) -> Any:
        """What the module would have given, had these been its activations."""
        if len(self.axes) == 3:
            before = _at(value, self.path).permute(self.axes)[..., : self.prefix]
            activations = torch.cat([before, activations.flatten(2)], dim=2)
        back = [self.axes.index(axis) for axis in range(len(self.axes))]
        return _replace(value, self.path, activations.permute(back))


def _grid(count: int, size: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of `count` places, of which there are about as many as in the picture."""
    ideal = math.sqrt(count * size[0] / size[1])
    fitting = [rows for rows in range(1, count + 1) if count % rows == 0]
    rows = min(fitting, key=lambda rows: abs(math.log(rows / ideal)))
    return rows, count // rows


def find_layouts(small: Shapes, large: Shapes | None, prefix: int | None) -> list[Layout]:
    """How a module's output can be read, the best first; nothing where it cannot be.

    Args:
        small: of one square picture.
        large: of one larger square picture; None where the module takes one size alone.
        prefix: tokens that are not of the grid, where the module says so.
    """
    found = [
        layout
        for path, shape in small.items()
        if (layout := _layout(path, shape, None if large is None else large.get(path), prefix))
    ]
    return sorted(found, key=lambda layout: not layout.has_places)


def _layout(
    path: Path, shape: tuple[int, ...], larger: tuple[int, ...] | None, prefix: int | None
) -> Layout | None:
    if larger is not None and len(larger) != len(shape):
        return None
    grown = () if larger is None else tuple(a for a, n in enumerate(shape) if larger[a] != n)
    if len(shape) == 4 and shape[0] == 1:
        rows, columns = grown if len(grown) == 2 else _places(shape)
        (channels,) = {1, 2, 3} - {rows, columns}
        return Layout(path, (0, channels, rows, columns))
    if len(shape) == 3 and 1 in shape[:2]:
        return _layout_of_tokens(path, shape, grown, prefix)
    if len(shape) == 2 and shape[0] == 1:
        return Layout(path, (0, 1))
    return None


def _places(shape: tuple[int, ...]) -> tuple[int, int]:
    """The axes of rows and columns where only one size of pictures was tried."""
    last = shape[1] == shape[2] != shape[3]
    return (1, 2) if last else (2, 3)


def _layout_of_tokens(
    path: Path, shape: tuple[int, ...], grown: tuple[int, ...], prefix: int | None
) -> Layout | None:
    batch = 0 if shape[0] == 1 else 1
    others = [axis for axis in range(3) if axis != batch]
    for tokens in grown or others:
        count = shape[tokens]
        rest = count - math.isqrt(count) ** 2
        for before in (rest,) if prefix is None else (prefix, 0):
            side = math.isqrt(max(count - before, 0))
            fits = side > 1 and side * side == count - before and before <= _MOST_PREFIX_TOKENS
            if fits and tokens in others:
                channels = next(axis for axis in others if axis != tokens)
                return Layout(path, (batch, channels, tokens), before)
    return None
