"""Generators that CycleGAN, pix2pix and CUT trained (`latest_net_G.pth`), as rows of layers.

The names in the files tell which modules there are and in which order; their shapes tell the rest:

    N.weight                    a convolution or, of one axis, a batch norm
    N.conv_block.K.weight       a residual block (ResNet)
    N.filt                      CUT's filters against aliasing
    1.model.3.model. …          one step down within another (U-Net)

Instance norms leave nothing in a file, and batch norms are used as the authors' test uses them:
with the statistics of the picture itself ("the statistics of the test batch", Isola et al. 2017),
which is an instance norm with their factors. Dropout is left out.

Sources: Zhu et al. 2017; Isola et al. 2017; Park et al. 2020, for the names and numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor

from belamy.networks.image_to_image.geometry import Row

__all__ = ["is_generator", "translate_generator"]

_State = Mapping[str, Tensor]
_OUTER = "model."
_LEAK = 0.2  # of a U-Net's leaky ReLUs
_STEP: dict[str, Any] = {"stride": [2, 2], "padding": [1, 1]}  # of a U-Net


def is_generator(state: _State) -> bool:
    """Whether a state dict has the names of one of these generators."""
    names = _plain(state)
    return _is_resnet(names) or _is_unet(names)


def translate_generator(state: _State) -> tuple[list[Row], list[Tensor]]:
    """Rows of layers, and their parameters in order; colours are from −1 to 1.

    Raises:
        ValueError, KeyError, IndexError: the names are not those of one whole generator.
    """
    own = _Tensors(_plain(state))
    rows = list(_unet(own) if _is_unet(own.state) else _resnet(own))
    if left := own.state.keys() - own.used:
        raise ValueError(f"{min(left)} belongs to no layer that is known")
    return rows, own.taken


def _plain(state: _State) -> dict[str, Tensor]:
    """Without what stands before every name."""
    plain = dict(state)
    while plain and all(name.startswith(_OUTER) for name in plain):
        plain = {name.removeprefix(_OUTER): tensor for name, tensor in plain.items()}
    return plain


def _is_resnet(state: _State) -> bool:
    return any(re.match(r"\d+\.conv_block\.\d+\.weight$", name) for name in state)


def _is_unet(state: _State) -> bool:
    return "0.weight" in state and "1.model.1.weight" in state and "3.weight" in state


class _Tensors:
    """A state dict, out of which layers take their parameters one after the other."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        self.state = state
        self.taken: list[Tensor] = []
        self.used: set[str] = set()

    def take(self, name: str) -> Tensor:
        self.used.add(name)
        self.taken.append(self.state[name].float())
        return self.state[name]

    def convolution(self, name: str, layer: str = "conv", **more: Any) -> Row:
        """A convolution; of a transposed one the inputs come first."""
        weight = self.take(f"{name}.weight")
        outputs, inputs = weight.shape[:2] if layer == "conv" else weight.shape[1::-1]
        if has_bias := f"{name}.bias" in self.state:
            self.take(f"{name}.bias")
        kernel = list(weight.shape[2:])
        filters = {"inputs": inputs, "outputs": outputs, "kernel": kernel, "bias": has_bias}
        return {"layer": layer, **filters, **more}

    def norm(self, name: str, channels: int) -> Row:
        """An instance norm; with the factors of a batch norm where the file has them."""
        affine = f"{name}.weight" in self.state
        if affine:
            self.take(f"{name}.weight")
            self.take(f"{name}.bias")
        return {"layer": "instance", "channels": channels, "affine": affine}


def _resnet(own: _Tensors) -> Iterator[Row]:
    numbers = sorted({int(name.split(".")[0]) for name in own.state})
    weights = {n: own.state[f"{n}.weight"] for n in numbers if f"{n}.weight" in own.state}
    convolutions = [n for n, weight in weights.items() if weight.dim() == 4]
    blocks = [n for n in numbers if any(x.startswith(f"{n}.conv_block.") for x in own.state)]
    first, last = convolutions[0], convolutions[-1]
    for number in numbers:
        if number in blocks:
            yield _block(own, f"{number}.conv_block.")
        elif f"{number}.filt" in own.state:
            yield from _filter(own, f"{number}.filt", growing=number > blocks[-1])
        elif number in (first, last):
            yield _pad(3)
            yield own.convolution(str(number))
            if number == first:
                yield from _norm_rows(own, number + 1, len(weights[number]))
        elif number in convolutions:
            yield from _sampling_rows(own, number, growing=number > blocks[-1])
    yield {"layer": "tanh"}


def _sampling_rows(own: _Tensors, number: int, *, growing: bool) -> Iterator[Row]:
    """A convolution that changes the size, or stands beside the filter that does."""
    weight = own.state[f"{number}.weight"]
    place = number - 1 if growing else number + 3
    filtered = f"{place}.filt" in own.state
    if growing and not filtered:
        move: dict[str, Any] = {"stride": [2, 2], "padding": [1, 1], "extra": [1, 1]}
        yield own.convolution(str(number), "deconv", **move)
        channels = weight.shape[1]
    else:
        stride = [1, 1] if filtered else [2, 2]
        yield own.convolution(str(number), stride=stride, padding=[1, 1])
        channels = weight.shape[0]
    yield from _norm_rows(own, number + 1, channels)


def _filter(own: _Tensors, name: str, *, growing: bool) -> Iterator[Row]:
    """CUT's [1, 2, 1] before every second place; [1, 3, 3, 1] between places is "double"."""
    kernel = own.state[name].shape[-1]
    own.used.add(name)
    if growing:
        if kernel != 4:
            raise ValueError(f"{name} has {kernel} taps, where 4 are known")
        yield {"layer": "double"}
        return
    channels, before = len(own.take(name)), (kernel - 1) // 2
    yield _pad(before, kernel - 1 - before)
    filters = {"inputs": channels, "outputs": channels, "kernel": [kernel, kernel]}
    yield {"layer": "conv", **filters, "stride": [2, 2], "groups": channels, "bias": False}


def _block(own: _Tensors, prefix: str) -> Row:
    """Two convolutions added to what comes in; padded by a module of its own, or by themselves."""
    inner: list[Row] = []
    convolutions = sorted(
        int(name.removeprefix(prefix).split(".")[0])
        for name, weight in own.state.items()
        if name.startswith(prefix) and weight.dim() == 4
    )
    one, two = convolutions
    for number in (one, two):
        padded = one > 0  # a module that pads comes before
        inner += [_pad(1)] if padded else []
        inner.append(own.convolution(f"{prefix}{number}", padding=[0, 0] if padded else [1, 1]))
        inner.append(own.norm(f"{prefix}{number + 1}", inner[-1]["outputs"]))
        inner += [{"layer": "relu"}] if number == one else []
    return {"layer": "sum", "branches": [inner, []]}


def _pad(before: int, after: int | None = None) -> Row:
    after = before if after is None else after
    return {
        "layer": "pad",
        "mode": "reflect",
        "left": before,
        "right": after,
        "top": before,
        "bottom": after,
    }


def _norm_rows(own: _Tensors, number: int, channels: int) -> list[Row]:
    return [own.norm(str(number), channels), {"layer": "relu"}]


def _unet(own: _Tensors) -> Iterator[Row]:
    yield own.convolution("0", **_STEP)
    yield from _level(own, "1.model.")
    yield {"layer": "relu"}
    yield own.convolution("3", "deconv", **_STEP)
    yield {"layer": "tanh"}


def _level(own: _Tensors, prefix: str) -> list[Row]:
    """A step down, what is within, and a step up, beside what came in.

    The leaky ReLU works in place in the original, so that what is handed past the step has gone
    through it too.
    """
    inner: list[Row] = [own.convolution(f"{prefix}1", **_STEP)]
    deeper = f"{prefix}3.model."
    up, norm = (5, 6) if any(name.startswith(deeper) for name in own.state) else (3, 4)
    if up == 5:
        inner.append(own.norm(f"{prefix}2", inner[0]["outputs"]))
        inner += _level(own, deeper)
    inner += [{"layer": "relu"}, own.convolution(f"{prefix}{up}", "deconv", **_STEP)]
    inner.append(own.norm(f"{prefix}{norm}", inner[-1]["outputs"]))
    leaky: Row = {"layer": "leaky", "slope": _LEAK}
    return [leaky, {"layer": "join", "branches": [[], inner]}]
