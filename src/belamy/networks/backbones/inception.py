"""Inception v3: branches side by side, large filters as pairs of narrow ones.

Source: Szegedy et al. 2016, "Rethinking the Inception architecture". Parameter names, shapes and
arithmetic are torchvision's. The auxiliary classifier, which serves training alone, is left out.
"""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor, nn

from belamy.networks.backbones.googlenet import BasicConv2d
from belamy.networks.sequential import Stages, follow

# A unit of a branch: (name in the file, channels, kernel, stride); kernels of one and of seven or
# three are padded to keep the size, those of stride 2 are not padded.
_Unit: TypeAlias = "tuple[str, int, int | tuple[int, int], int]"
_Branch: TypeAlias = "list[_Unit]"

_POOL = "branch_pool"


class Mixed(nn.Module):
    """Branches that look at the same places, and what is pooled there.

    Args:
        inputs: channels.
        branches: their units, in order.
        pooled: channels made of the means around each place; 0 takes the maxima as they are, at
            half the size.
        forked: whether the last two units of each branch of several lie side by side.
    """

    def __init__(
        self, inputs: int, branches: list[_Branch], pooled: int, *, forked: bool = False
    ) -> None:
        super().__init__()
        self._branches = [[name for name, *_ in branch] for branch in branches]
        self._forked = forked
        self.channels = pooled or inputs
        for branch in branches:
            channels = inputs
            for index, (name, outputs, kernel, stride) in enumerate(branch):
                before = channels
                fork = forked and len(branch) > 1 and index == len(branch) - 1
                if fork:
                    before = branch[index - 2][1]
                padding = 0 if stride > 1 else _half(kernel)
                self.add_module(name, BasicConv2d(before, outputs, kernel, stride, padding))
                channels = channels + outputs if fork else outputs
            self.channels += channels
        self.pool: nn.Module = nn.AvgPool2d(3, 1, 1) if pooled else nn.MaxPool2d(3, 2)
        if pooled:
            self.add_module(_POOL, BasicConv2d(inputs, pooled, 1))

    def forward(self, x: Tensor) -> Tensor:
        found = [y for names in self._branches for y in self._follow(names, x)]
        pooled = self.pool(x)
        last = self.get_submodule(_POOL)(pooled) if _POOL in self._modules else pooled
        return torch.cat([*found, last], dim=1)

    def _follow(self, names: list[str], x: Tensor) -> list[Tensor]:
        fork = names[-2:] if self._forked and len(names) > 1 else []
        for name in names[: len(names) - len(fork)]:
            x = self.get_submodule(name)(x)
        return [self.get_submodule(name)(x) for name in fork] if fork else [x]


def _half(kernel: int | tuple[int, int]) -> int | tuple[int, int]:
    return kernel // 2 if isinstance(kernel, int) else (kernel[0] // 2, kernel[1] // 2)


def _mixed_5(inputs: int, pooled: int) -> Mixed:
    one: _Branch = [("branch1x1", 64, 1, 1)]
    five: _Branch = [("branch5x5_1", 48, 1, 1), ("branch5x5_2", 64, 5, 1)]
    return Mixed(inputs, [one, five, _double(1)], pooled)


def _double(stride: int) -> _Branch:
    names = [f"branch3x3dbl_{number}" for number in (1, 2, 3)]
    return [(names[0], 64, 1, 1), (names[1], 96, 3, 1), (names[2], 96, 3, stride)]


def _mixed_6(inside: int) -> Mixed:
    across, down = (1, 7), (7, 1)
    name = "branch7x7_{}".format
    single: _Branch = [
        (name(1), inside, 1, 1),
        (name(2), inside, across, 1),
        (name(3), 192, down, 1),
    ]
    name = "branch7x7dbl_{}".format
    double: _Branch = [
        (name(1), inside, 1, 1),
        (name(2), inside, down, 1),
        (name(3), inside, across, 1),
        (name(4), inside, down, 1),
        (name(5), 192, across, 1),
    ]
    return Mixed(768, [[("branch1x1", 192, 1, 1)], single, double], 192)


def _mixed_7a() -> Mixed:
    name = "branch7x7x3_{}".format
    seven: _Branch = [
        (name(1), 192, 1, 1),
        (name(2), 192, (1, 7), 1),
        (name(3), 192, (7, 1), 1),
        (name(4), 192, 3, 2),
    ]
    return Mixed(768, [[("branch3x3_1", 192, 1, 1), ("branch3x3_2", 320, 3, 2)], seven], 0)


def _mixed_7(inputs: int) -> Mixed:
    fork = [("{}a", (1, 3)), ("{}b", (3, 1))]
    three: _Branch = [
        ("branch3x3_1", 384, 1, 1),
        *((end.format("branch3x3_2"), 384, kernel, 1) for end, kernel in fork),
    ]
    double: _Branch = [
        ("branch3x3dbl_1", 448, 1, 1),
        ("branch3x3dbl_2", 384, 3, 1),
        *((end.format("branch3x3dbl_3"), 384, kernel, 1) for end, kernel in fork),
    ]
    return Mixed(inputs, [[("branch1x1", 320, 1, 1)], three, double], 192, forked=True)


class InceptionV3(nn.Module):
    """Five convolutions, eleven blocks of branches, one level of neurons.

    Args:
        classes: how many it tells apart.
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self._names: list[str] = []
        parts: dict[str, nn.Module] = {
            "Conv2d_1a_3x3": BasicConv2d(3, 32, 3, 2),
            "Conv2d_2a_3x3": BasicConv2d(32, 32, 3),
            "Conv2d_2b_3x3": BasicConv2d(32, 64, 3, padding=1),
            "maxpool1": nn.MaxPool2d(3, 2),
            "Conv2d_3b_1x1": BasicConv2d(64, 80, 1),
            "Conv2d_4a_3x3": BasicConv2d(80, 192, 3),
            "maxpool2": nn.MaxPool2d(3, 2),
            "Mixed_5b": _mixed_5(192, 32),
            "Mixed_5c": _mixed_5(256, 64),
            "Mixed_5d": _mixed_5(288, 64),
            "Mixed_6a": Mixed(288, [[("branch3x3", 384, 3, 2)], _double(2)], 0),
            **{
                f"Mixed_6{x}": _mixed_6(n)
                for x, n in zip("bcde", (128, 160, 160, 192), strict=True)
            },
            "Mixed_7a": _mixed_7a(),
            "Mixed_7b": _mixed_7(1280),
            "Mixed_7c": _mixed_7(2048),
        }
        for name, part in parts.items():
            self.add_module(name, part)
            self._names.append(name)
        self.fc = nn.Linear(2048, classes)

    def stages(self) -> Stages:
        return [
            *((name, self.get_submodule(name)) for name in self._names),
            ("avgpool", nn.AdaptiveAvgPool2d(1)),
            ("_flatten", nn.Flatten()),
            ("logits", self.fc),
        ]

    def forward(self, x: Tensor) -> Tensor:  # (N, 3, H, W)
        return follow(self.stages(), x)  # (N, classes)


ALIASES = {f"mixed{name}": f"Mixed_{name}" for name in ("5b", "5c", "5d", "6a", "6b", "6c", "6d")}
ALIASES |= {f"mixed{name}": f"Mixed_{name}" for name in ("6e", "7a", "7b", "7c")}
