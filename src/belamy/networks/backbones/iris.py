"""Iris, the small network that ships inside the package: an eye made to be looked through.

Four groups of Inception blocks in the manner of GoogLeNet (Szegedy et al. 2014, "Going deeper
with convolutions"), with the 5×5 branch written as two 3×3 (Szegedy et al. 2015), batch norm, and
no levels of neurons but the last.

**Differs** from GoogLeNet where a picture is to be drawn back through it: every reduction is a 2×2
average, never a stride or a maximum, because a strided convolution's gradient falls on one pixel
in four and a maximum's on one in four again, which shows as a grid and as grain in dreams. The
names of the blocks (mixed3a … mixed5b) are those that dreamers know from the original notebook.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

# block → (1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool) channels: GoogLeNet's proportions at about
# three fifths of its width, so that all weights fit in 7 MB at half precision.
BLOCKS: dict[str, tuple[int, int, int, int, int, int]] = {
    "mixed3a": (48, 64, 96, 16, 32, 32),
    "mixed3b": (64, 80, 128, 24, 48, 32),
    "mixed4a": (96, 96, 160, 32, 64, 48),
    "mixed4b": (96, 112, 192, 32, 64, 48),
    "mixed4c": (112, 128, 224, 32, 64, 64),
    "mixed5a": (160, 160, 288, 48, 96, 64),
    "mixed5b": (192, 176, 320, 48, 96, 96),
}
STEM = (32, 64, 96)


class Unit(nn.Sequential):
    """Convolution, batch norm (until it is folded into the convolution), ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, folded: bool) -> None:
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        parts["conv"] = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=folded)
        if not folded:
            parts["norm"] = nn.BatchNorm2d(outputs)
        parts["relu"] = nn.ReLU()
        super().__init__(parts)


class PooledUnit(nn.Sequential):
    """A local average, and a unit that looks at single places.

    Both are linear, and the average of a bias is the bias: in bfloat16, in which averages are slow
    on processors, the convolution comes first and leaves fewer channels to average. In float32 it
    does not, so that older pictures are made again to the bit.
    """

    def __init__(self, inputs: int, outputs: int, *, folded: bool) -> None:
        pool = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        super().__init__(pool, Unit(inputs, outputs, 1, folded=folded))

    def forward(self, x: Tensor) -> Tensor:
        pool, unit = self
        parts = dict(unit.named_children())
        if x.dtype != torch.bfloat16 or "norm" in parts or self._is_watched():
            y: Tensor = unit(pool(x))
        else:
            y = parts["relu"](pool(parts["conv"](x)))
        return y

    def _is_watched(self) -> bool:
        """Whether somebody wants to see what is within, as it is in its usual order."""
        return any(part._forward_hooks for part in self.modules() if part is not self)


class Inception(nn.Module):
    """Four looks at the same place (1×1, 3×3, 5×5, a local average), side by side."""

    def __init__(self, inputs: int, widths: tuple[int, ...], *, folded: bool) -> None:
        super().__init__()
        one, reduce3, three, reduce5, five, pool = widths
        self.branch1 = Unit(inputs, one, 1, folded=folded)
        self.branch3 = nn.Sequential(
            Unit(inputs, reduce3, 1, folded=folded), Unit(reduce3, three, 3, folded=folded)
        )
        self.branch5 = nn.Sequential(
            Unit(inputs, reduce5, 1, folded=folded),
            Unit(reduce5, five, 3, folded=folded),
            Unit(five, five, 3, folded=folded),
        )
        self.branch_pool = PooledUnit(inputs, pool, folded=folded)

    def forward(self, x: Tensor) -> Tensor:
        looks = (self.branch1, self.branch3, self.branch5, self.branch_pool)
        return torch.cat([look(x) for look in looks], dim=1)


class Head(nn.Module):
    """The mean over all places, then one level of neurons: any picture size will do."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, classes)

    def forward(self, x: Tensor) -> Tensor:  # (N, C, H, W)
        return self.linear(x.mean(dim=(2, 3)))  # type: ignore[no-any-return]  # (N, classes)


class Iris(nn.Sequential):
    """The embedded classifier, a chain of named stages.

    Args:
        classes: how many it tells apart; 200 in the weights that ship.
        folded: without batch norm, each convolution with a bias that stands for it: the form in
            which weights are exported and used. `fold` makes one out of the other.
    """

    def __init__(self, classes: int = 200, *, folded: bool = True) -> None:
        super().__init__(OrderedDict(_stages(classes, folded)))
        self.folded = folded

    def stages(self) -> list[tuple[str, nn.Module]]:
        return list(self.named_children())


def _stages(classes: int, folded: bool) -> list[tuple[str, nn.Module]]:
    first, second, third = STEM
    stages: list[tuple[str, nn.Module]] = [
        ("conv1", Unit(3, first, 3, folded=folded)),
        ("pool1", nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False)),
        ("conv2a", Unit(first, second, 3, folded=folded)),
        ("conv2b", Unit(second, third, 3, folded=folded)),
    ]
    channels, group = third, "2"
    for name, widths in BLOCKS.items():
        if name[5] != group:
            stages.append(
                (f"pool{group}", nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False))
            )
            group = name[5]
        stages.append((name, Inception(channels, widths, folded=folded)))
        channels = widths[0] + widths[2] + widths[4] + widths[5]
    stages.append(("logits", Head(channels, classes)))
    return stages


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """He's normal start (He et al. 2015, "Delving deep into rectifiers"), from one generator."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01, generator=generator)
            nn.init.zeros_(module.bias)


def fold(network: Iris) -> Iris:
    """The same function without batch norm: y = γ(Wx − μ)/σ + β is one convolution with a bias.

    Args:
        network: in its training form; its running statistics are the ones folded in.
    """
    assert not network.folded, "it is folded already"
    head = network.get_submodule("logits.linear")
    assert isinstance(head, nn.Linear)
    folded = Iris(head.out_features, folded=True)
    state: dict[str, Tensor] = {}
    for name, module in network.named_modules():
        if isinstance(module, Unit):
            state.update(_folded_unit(name, module))
        elif isinstance(module, nn.Linear):
            state[f"{name}.weight"] = module.weight.detach()
            state[f"{name}.bias"] = module.bias.detach()
    folded.load_state_dict(state)
    return folded.eval()


def _folded_unit(name: str, unit: Unit) -> dict[str, Tensor]:
    convolution, norm = unit.get_submodule("conv"), unit.get_submodule("norm")
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_var is not None
    assert norm.running_mean is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    weight = convolution.weight * scale[:, None, None, None]  # type: ignore[operator]
    bias = norm.bias - norm.running_mean * scale
    return {f"{name}.conv.weight": weight.detach(), f"{name}.conv.bias": bias.detach()}
