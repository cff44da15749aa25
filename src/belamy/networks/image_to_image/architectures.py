"""Architectures of image-to-image networks, as rows of layers (see `layers`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from belamy.networks.image_to_image.geometry import Row

__all__ = [
    "ENLARGINGS",
    "SAMPLINGS",
    "SHAPES",
    "coarse_rows",
    "drop_norms",
    "johnson_rows",
    "residual_rows",
    "resnet_rows",
    "tones_rows",
    "unet_rows",
]

_Rows = list[Row]

_NEGATIVE_SLOPE = 0.2  # of the leaky ReLUs on a U-Net's way down (Isola et al. 2017)
_HALVINGS = 5  # of a U-Net: a picture of 64 px, the smallest, is 2 px wide at the bottom
_WIDEST = 8  # times the channels at full size
_MOST_BLOCKS = 128  # residual blocks; CycleGAN has nine


ENLARGINGS: dict[str, Row] = {
    "nearest": {"layer": "upsample", "factor": 2},
    "smooth": {"layer": "double"},
}
"""How a network of Johnson's shape makes what it sees twice as large. Of nearest neighbours the
steps of two and four pixels remain, and it learns to draw a grid with them; a smooth one has none.
"""


def johnson_rows(
    widths: Sequence[int], blocks: int, *, kernel: int = 9, enlarging: str = "nearest"
) -> _Rows:
    """The layers of a network of Johnson's shape that enlarges before its convolutions.

    Args:
        widths: channels at full, half and quarter size.
        blocks: residual blocks at quarter size.
        kernel: side of the first and the last convolution.
        enlarging: one of `ENLARGINGS`.
    """
    _check_blocks(blocks)
    first, second, third = widths
    twice = ENLARGINGS[enlarging]
    return [
        *_convolution(3, first, kernel),
        *_norm_rows(first),
        *_convolution(first, second, 3, stride=2),
        *_norm_rows(second),
        *_convolution(second, third, 3, stride=2),
        *_norm_rows(third),
        *(_block(third) for _ in range(blocks)),
        twice,
        *_convolution(third, second, 3),
        *_norm_rows(second),
        twice,
        *_convolution(second, first, 3),
        *_norm_rows(first),
        *_convolution(first, 3, kernel),
    ]


def resnet_rows(channels: int, blocks: int, sampling: str) -> _Rows:
    """CycleGAN's generator (Zhu et al. 2017): twice down, residual blocks, twice up, tanh.

    11,378,179 weights at 64 channels and 9 blocks. The biases before norms, which a norm takes
    away again, are the original's.

    Args:
        channels: at full size, four times as many at quarter size.
        blocks: residual blocks at quarter size.
        sampling: one of `SAMPLINGS`.
    """
    _check_blocks(blocks)
    down, up = SAMPLINGS[sampling]
    widths = channels, 2 * channels, 4 * channels
    return [
        *_convolution(3, channels, 7),
        *_norm_rows(channels, affine=False),
        *down(widths[0], widths[1]),
        *down(widths[1], widths[2]),
        *(_block(widths[-1], affine=False) for _ in range(blocks)),
        *up(widths[2], widths[1]),
        *up(widths[1], widths[0]),
        *_convolution(channels, 3, 7),
        {"layer": "tanh"},
    ]


def residual_rows(channels: int, blocks: int, sampling: str) -> _Rows:
    """The same without the tanh, added to the picture: it begins near the picture itself, and
    learns in fewer steps what has to change."""
    return [{"layer": "sum", "branches": [resnet_rows(channels, blocks, sampling)[:-1], []]}]


def coarse_rows(channels: int, blocks: int, sampling: str) -> _Rows:
    """The same added to what is left of the picture at a quarter of its size: tones and colours
    stay, and every detail is made anew."""
    rest: _Rows = [{"layer": layer} for layer in ("halve", "halve", "double", "double")]
    return [{"layer": "sum", "branches": [resnet_rows(channels, blocks, sampling)[:-1], rest]}]


def tones_rows(channels: int, blocks: int, sampling: str) -> _Rows:
    """What colour each pixel becomes, by its own, and by what there is around it: residual blocks
    look at the picture at a quarter of its size, and three convolutions of one pixel, that see the
    picture itself beside what those found, change its colour.

    Tones and colours alone change, so that every detail stays, at any size, and nothing can be
    drawn that is not there.

    Args:
        channels: half of those that each pixel has at full size; four times as many at a quarter.
        blocks: residual blocks at quarter size.
        sampling: one of `SAMPLINGS`, which it does not need: halving is filtered.
    """
    _check_blocks(blocks)
    wide = 2 * channels
    around: _Rows = [
        {"layer": "halve"},
        *_convolution(3, wide, 3),
        *_norm_rows(wide, affine=False),
        {"layer": "halve"},
        *_convolution(wide, 2 * wide, 3),
        *_norm_rows(2 * wide, affine=False),
        *(_block(2 * wide, affine=False) for _ in range(blocks)),
        *_convolution(2 * wide, wide, 3),
        {"layer": "double"},
        {"layer": "double"},
    ]
    change: _Rows = [
        {"layer": "join", "branches": [around, []]},
        *_pixel_rows(wide + 3, wide),
        {"layer": "relu"},
        *_pixel_rows(wide, wide),
        {"layer": "relu"},
        *_pixel_rows(wide, 3),
    ]
    return [{"layer": "sum", "branches": [change, []]}]


def _pixel_rows(inputs: int, outputs: int) -> _Rows:
    return [{"layer": "conv", "inputs": inputs, "outputs": outputs, "kernel": [1, 1]}]


def unet_rows(channels: int, blocks: int, sampling: str) -> _Rows:
    """A U-Net (Ronneberger et al. 2015; Isola et al. 2017): five times down, five times up, and
    what was there before each step down is seen again after the step up.

    **Differs** from pix2pix: no dropout, and `sampling` says how the picture grows.

    Args:
        channels: after the first step down; up to eight times as many farther down.
        blocks: residual blocks at the bottom.
        sampling: one of `SAMPLINGS`; on the way down convolutions of 4×4 pixels halve.
    """
    _check_blocks(blocks)
    widths = [channels * min(2**i, _WIDEST) for i in range(_HALVINGS)]
    _, up = SAMPLINGS[sampling]
    rows: _Rows = [_block(widths[-1], affine=False) for _ in range(blocks)]
    for level in range(_HALVINGS - 1, 0, -1):
        inputs, outputs = widths[level - 1], widths[level]
        above = outputs if level == _HALVINGS - 1 else 2 * outputs
        inner = [*_descent(inputs, outputs), *rows, *up(above, inputs)]
        rows = [{"layer": "join", "branches": [inner, []]}]
    return [
        *_strided_rows(3, channels, 4),
        {"layer": "leaky", "slope": _NEGATIVE_SLOPE},
        *rows,
        *up(2 * channels, channels),
        *_convolution(channels, 3, 3),
        {"layer": "tanh"},
    ]


SHAPES: dict[str, Callable[[int, int, str], _Rows]] = {
    "resnet": resnet_rows,
    "residual": residual_rows,
    "coarse": coarse_rows,
    "tones": tones_rows,
    "unet": unet_rows,
}
"""What a network that translates may look like: (channels, blocks, sampling) → its rows."""


def drop_norms(rows: Sequence[Row]) -> _Rows:
    """The same rows without instance norms, inside their branches too."""
    kept = []
    for row in rows:
        if row["layer"] != "instance":
            branches = {"branches": [drop_norms(one) for one in row.get("branches", ())]}
            kept.append({**row, **branches} if "branches" in row else row)
    return kept


def _check_blocks(blocks: int) -> None:
    if not 0 <= blocks <= _MOST_BLOCKS:
        raise ValueError(f"{blocks} residual blocks; it must be from 0 to {_MOST_BLOCKS}")


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> _Rows:
    sides = dict.fromkeys(("left", "right", "top", "bottom"), kernel // 2)
    filters = {"inputs": inputs, "outputs": outputs, "kernel": [kernel, kernel]}
    return [
        {"layer": "pad", "mode": "reflect", **sides},
        {"layer": "conv", **filters, "stride": [stride, stride]},
    ]


def _strided_rows(inputs: int, outputs: int, kernel: int) -> _Rows:
    return [{"layer": "conv", **_halving(inputs, outputs, kernel)}]


def _halving(inputs: int, outputs: int, kernel: int) -> dict[str, Any]:
    filters = {"inputs": inputs, "outputs": outputs, "kernel": [kernel, kernel]}
    return {**filters, "stride": [2, 2], "padding": [1, 1]}


def _norm_rows(channels: int, *, affine: bool = True) -> _Rows:
    return [_norm(channels, affine), {"layer": "relu"}]


def _norm(channels: int, affine: bool) -> Row:
    plain: dict[str, Any] = {} if affine else {"affine": False}
    return {"layer": "instance", "channels": channels, **plain}


def _block(channels: int, *, affine: bool = True) -> Row:
    inner = [
        *_convolution(channels, channels, 3),
        *_norm_rows(channels, affine=affine),
        *_convolution(channels, channels, 3),
        _norm(channels, affine),
    ]
    return {"layer": "sum", "branches": [inner, []]}


def _descent(inputs: int, outputs: int) -> _Rows:
    leaky = {"layer": "leaky", "slope": _NEGATIVE_SLOPE}
    return [*_strided_rows(inputs, outputs, 4), _norm(outputs, affine=False), leaky]


def _down_strided(inputs: int, outputs: int) -> _Rows:
    return [*_strided_rows(inputs, outputs, 3), *_norm_rows(outputs, affine=False)]


def _down_filtered(inputs: int, outputs: int) -> _Rows:
    """Halved before the convolution, which then costs no more than a strided one."""
    filtered: Row = {"layer": "halve"}
    return [filtered, *_convolution(inputs, outputs, 3), *_norm_rows(outputs, affine=False)]


def _up_transposed(inputs: int, outputs: int) -> _Rows:
    row: Row = {"layer": "deconv", **_halving(inputs, outputs, 3), "extra": [1, 1]}
    return [row, *_norm_rows(outputs, affine=False)]


def _up_after(enlargement: Row) -> Callable[[int, int], _Rows]:
    def up(inputs: int, outputs: int) -> _Rows:
        return [enlargement, *_convolution(inputs, outputs, 3), *_norm_rows(outputs, affine=False)]

    return up


_Steps = Callable[[int, int], _Rows]

SAMPLINGS: dict[str, tuple[_Steps, _Steps]] = {
    # Filtered both ways (Zhang 2019): neither a checkerboard nor flicker when a picture moves.
    "antialiased": (_down_filtered, _up_after({"layer": "double"})),
    # Nearest neighbours before a convolution (Odena et al. 2016): no checkerboard.
    "resize": (_down_strided, _up_after({"layer": "upsample", "factor": 2})),
    # The original's transposed convolutions: the cheapest, and their checkerboard.
    "transposed": (_down_strided, _up_transposed),
}
"""How a picture becomes smaller and larger inside: (channels before, after) → rows."""
