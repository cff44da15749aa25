"""Stages of a frozen network that keep for the way back no more than it needs.

torch keeps the input of every convolution, for a gradient of the weights that nobody takes here,
and of every maximum a place in eight bytes. What the way back to the picture needs is one bit for
each number that a ReLU passes, and one of five answers for each maximum: which of four it was, or
that the ReLU after it passes nothing. Activations that somebody looks at are kept beside.

The numbers are those of torch's own layers, forth and back.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from belamy.memory import give_back

__all__ = ["run_lean"]

Stage = Callable[[Tensor], Tensor]

_PLACES = ((0, 0), (0, 1), (1, 0), (1, 1))  # in a window, in the order in which torch looks at them
_LARGE = 32 << 20  # bytes of a gradient, from which on it is worth some hundredths of a second


def run_lean(
    names: Sequence[str], modules: Sequence[nn.Module], taps: Mapping[str, Stage], x: Tensor
) -> Tensor:
    """A picture sent through the chain, tapped on its way, as `Backbone.through` says.

    Convolutions, ReLUs and maxima are one where nobody looks between. The gradient that comes to a
    stage is written over: nobody else may need it.

    Args:
        names: of the modules, each fed by the one before; their weights are frozen.
        taps: name → what is called with the activations, and gives what goes on.
        x: (N, 3, H, W), normalised.

    Returns:
        what the last module gives.
    """
    index = 0
    while index < len(modules):
        group = _group(names[index:], modules[index:], taps)
        # The first activations are the largest, and a few colours are enough to have them again.
        cheap = index == 0 and len(group) > 1
        index += len(group)
        tap = taps.get(names[index - 1])
        stage = _join(group, kept=tap is not None and not cheap)
        before, x = x, stage(x)
        if tap is not None:
            with _recompute(stage, before, x) if cheap else nullcontext():
                x = tap(x)
    return x


@contextmanager
def _recompute(stage: Stage, x: Tensor, y: Tensor) -> Iterator[None]:
    """Who keeps `y`, which `stage` makes of `x`, meanwhile, keeps `x`, and gets it made again."""
    source, place, shape = x.detach(), y.data_ptr(), y.shape

    def pack(kept: Tensor) -> Tensor | None:
        return None if kept.data_ptr() == place and kept.shape == shape else kept

    def unpack(kept: Tensor | None) -> Tensor:
        if kept is not None:
            return kept
        with torch.no_grad():
            return stage(source)

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        yield


def _group(
    names: Sequence[str], modules: Sequence[nn.Module], taps: Container[str]
) -> list[nn.Module]:
    """The first modules that are computed together: one, or a convolution and what follows."""
    group = [modules[0]]
    for name, module, fits in zip(names, modules[1:], (_is_relu, _is_halving), strict=False):
        if not _is_convolution(modules[0]) or name in taps or not fits(module):
            break
        group.append(module)
    return group


def _is_convolution(module: nn.Module) -> bool:
    return type(module) is nn.Conv2d and not isinstance(module.padding, str)


def _is_relu(module: nn.Module) -> bool:
    return type(module) is nn.ReLU


def _is_halving(module: nn.Module) -> bool:
    if type(module) is not nn.MaxPool2d or module.ceil_mode or module.return_indices:
        return False
    sizes = (module.kernel_size, module.stride, module.padding, module.dilation)
    return [_pair(size) for size in sizes] == [(2, 2), (2, 2), (0, 0), (1, 1)]


def _pair(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return (size, size) if isinstance(size, int) else tuple(size)


def _join(group: Sequence[nn.Module], kept: bool) -> Stage:
    convolution, halved = group[0], len(group) == 3
    if len(group) == 1 or not isinstance(convolution, nn.Conv2d):
        return convolution

    def run(x: Tensor) -> Tensor:
        padding = convolution.padding
        if convolution.padding_mode != "zeros":
            around = convolution._reversed_padding_repeated_twice
            x, padding = F.pad(x, around, mode=convolution.padding_mode), (0, 0)
        return _Lean.apply(x, convolution, padding, kept, halved)  # type: ignore[no-any-return, no-untyped-call]

    return run


class _Lean(torch.autograd.Function):
    """A convolution, a ReLU, and a maximum of 2×2 where so said."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, convolution: nn.Conv2d, padding: Any, kept: bool, halved: bool
    ) -> Tensor:
        ctx.convolution, ctx.padding, ctx.shape = convolution, padding, x.shape
        needed = ctx.needs_input_grad[0]
        how = (convolution.stride, padding, convolution.dilation, convolution.groups)
        y = F.conv2d(x, convolution.weight, convolution.bias, *how)
        ctx.passed, ctx.places, ctx.halved, ctx.size = None, None, halved, y.shape
        if halved:
            y, ctx.places = _halve(y, needed)
            return y
        if needed and not kept:
            ctx.passed = y > 0
        y = y.relu_()
        if needed and kept:
            ctx.save_for_backward(y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        if ctx.halved:
            gradient = _double(gradient, ctx.places, ctx.size)
        else:
            passed = ctx.saved_tensors[0] if ctx.passed is None else ctx.passed
            _let_through(gradient, passed, gradient)
        passed = ctx.passed = ctx.places = None
        return _input_gradient(gradient, ctx), None, None, None, None


def _let_through(gradient: Tensor, passed: Tensor, out: Tensor) -> None:
    """The gradient where `passed` is more than 0, and 0 elsewhere: torch fills by a mask, and
    chooses by one, ten times more slowly than it goes back through a ReLU."""
    torch.ops.aten.threshold_backward.grad_input(
        gradient, passed.to(gradient.dtype), 0, grad_input=out
    )


def _input_gradient(gradient: Tensor, ctx: Any) -> Tensor:
    convolution = ctx.convolution
    # Of the input the size alone counts: memory that nobody writes to takes no room.
    unwritten = _empty_like(gradient, ctx.shape)
    how = (convolution.stride, ctx.padding, convolution.dilation, False, (0, 0), convolution.groups)
    result: Tensor = torch.ops.aten.convolution_backward(
        gradient, unwritten, convolution.weight, None, *how, (True, False, False)
    )[0]
    return result


def _empty_like(like: Tensor, shape: Sequence[int]) -> Tensor:
    wide = like.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if wide else torch.contiguous_format
    return torch.empty(tuple(shape), dtype=like.dtype, device=like.device, memory_format=layout)


def _windows(x: Tensor) -> list[Tensor]:
    """(N, C, H, W) → for each place in windows of 2×2, what lies there; a view."""
    height, width = (length // 2 * 2 for length in x.shape[-2:])
    return [x[..., row:height:2, column:width:2] for row, column in _PLACES]


def _halve(x: Tensor, needed: bool) -> tuple[Tensor, Tensor | None]:
    """The maxima, no less than 0, and where they lie in their windows."""
    if min(x.shape[-2:]) < 2:
        F.max_pool2d(x, 2)  # says what is wrong
    first, second, third, fourth = _windows(x)
    upper, lower = torch.maximum(first, second), torch.maximum(third, fourth)
    if not needed:
        return torch.maximum(upper, lower, out=upper).relu_(), None
    below = lower > upper  # of equal ones the first
    right = torch.where(below, fourth > third, second > first)
    largest = torch.maximum(upper, lower, out=upper).relu_()
    places = right.view(torch.uint8).add_(below.view(torch.uint8), alpha=2)
    # beyond the last place where nothing is let through
    return largest, places.add_((largest <= 0).view(torch.uint8), alpha=len(_PLACES))


def _double(gradient: Tensor, places: Tensor, size: Sequence[int]) -> Tensor:
    """The gradient of the maxima where these lay, and 0 elsewhere."""
    if gradient.device.type == "cpu" and len(_PLACES) * gradient.nbytes >= _LARGE:
        give_back()  # deeper layers leave holes that nothing from here on fits into
    result = _empty_like(gradient, size)
    height, width = (length // 2 * 2 for length in size[-2:])
    result[..., height:, :] = 0
    result[..., width:] = 0
    for place, window in enumerate(_windows(result)):
        _let_through(gradient, places == place, window)
    return result
