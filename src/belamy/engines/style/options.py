"""Options of style transfer by optimisation: defaults, ranges, texts; presets; what they mean."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, TypeAlias, get_args

from belamy.checks import Between, check_number, check_options, show_value
from belamy.errors import OptionError
from belamy.spelling import nearest_names

if TYPE_CHECKING:
    from belamy.networks.modules.torch_network import AnyModule
    from belamy.pixels.images import Source

__all__ = [
    "INITS",
    "PRESETS",
    "STEP_SIZES",
    "Preset",
    "StyleOptions",
    "describe_layers",
    "is_named_start",
    "iterations_of",
    "optimizer_of",
    "read_iterations",
    "read_layers",
    "read_size",
    "read_weights",
    "resolve",
    "step_size_of",
]

Init: TypeAlias = Literal["content", "noise", "grey", "style-statistics"]

OptimizerName: TypeAlias = Literal["pyramid-lbfgs", "adam", "lbfgs", "projected-lbfgs"]

INITS: tuple[str, ...] = get_args(Init)
SIDES = Between(8, 32_768, "pixels")
_STEPS = Between(1, 1_000_000)
_LAYER = re.compile(r"(?P<layer>[^*\s]+)(?:\*(?P<weight>\d+\.?\d*|\.\d+))?")


@dataclass(frozen=True)
class Preset:
    """How much work.

    Args:
        size: long side of the result in pixels, of a content that is larger.
        iterations: steps at the first scale, and at each next one, of pyramid-lbfgs.
        others: the same of every other optimizer, which needs more.
    """

    size: int
    iterations: str
    others: str


PRESETS: dict[str, Preset] = {
    "sketch": Preset(256, "40,16", "80,40"),
    "standard": Preset(512, "80,32", "200,100"),
    "fine": Preset(512, "240,96", "600,300"),
}
"""The steps of fine are three times those of standard."""

STEP_SIZES: dict[str, float] = {
    "pyramid-lbfgs": 1.0,
    "adam": 0.02,
    "lbfgs": 1.0,
    "projected-lbfgs": 1.0,
}
"""Optimizer → its usual step size (Adam's and lbfgs' are Crowson's)."""


@dataclass(frozen=True, eq=False)
class StyleOptions:
    """What a style transfer is asked for.

    Args:
        content: what to paint; a file, PIL image, array or tensor.
        style: in whose manner; one picture or several, which are blended, or each have their
            region (see mask). Where they are transparent they do not count.
        preset: how much work: sketch (256 px, a first look), standard (512 px), or fine (512 px,
            three times the iterations).
        size: long side of the result in pixels; N+ for as many pixels as a square of N has; full
            for the content's own. None: the content's own, but at most the preset's.
        min_size: long side of the first and smallest scale, in pixels; each next is √2 larger.
            Strokes as large as half of it are found.
        iterations: steps at each scale, or FIRST,NEXT for the first and each next. None: the
            preset's.
        model: a network's name (`belamy models list`) or weights file. timm:NAME or timm:NAME@FILE
            is one of timm's; in Python a torch module of your own.
        content_layer: where content is compared, as NAME[*WEIGHT]; several add up. None named: the
            model's own.
        style_layer: where style is compared, likewise; shallow layers see paint, deep ones shapes.
        style_loss: moments (how far features would have to move, the cleaner one), or gram (Gatys'
            squared difference, coarser and more contrasty).
        content_weight: how much content counts against style. None: the model's own, so that it
            can be read but is painted.
        style_weight: how much a style counts, one number for each style; 1 if none is given. Blends
            are in these proportions, and their mean counts against the content.
        tv: how much smoothness counts, which quiets grain. None: the model's own.
        style_scale: long side of the styles over that of the result; smaller makes strokes smaller.
        style_size: long side of the styles in pixels at every scale, instead of style_scale. They
            are never enlarged.
        mask: paint where this picture is white, keep the content where it is black; with two
            styles white is the first's region and black the second's, or give one mask a style.
            Of one that is transparent in places, what is painted counts as white.
        style_mask: one for each style: only where it is white the style is looked at.
        init: start from the content, noise, grey, style-statistics (noise in the styles' colours),
            or another picture.
        keep_colors: luma takes only light and dark from the result, and colours from the content;
            match gives the styles the content's colours beforehand.
        pooling: how the network shrinks its layers: max, average or l2. None: as it was trained.
        optimizer: pyramid-lbfgs, which needs less than half of adam's steps; adam; lbfgs, which is
            coarser at first and needs more memory; or projected-lbfgs, whose pixels stay in [0, 1].
            None: pyramid-lbfgs, of a film adam.
        step_size: how far one step goes, of Adam in [0, 1] of a pixel, of L-BFGS as part of what it
            takes for best. None: 0.02 for Adam, 1 for L-BFGS.
        precision: of the network's numbers; auto takes bfloat16 where this machine is faster in it
            (about half the time and memory, and no picture that anybody could tell from float32's),
            float32 elsewhere. float16 is for GPUs that know no bfloat16.
        tile: longest side of the tiles that large pictures are worked on in, exactly; auto decides
            by the memory that is free, none never tiles.
        seed: of the noise and of the tiles' offsets.
        device: auto, cpu, cuda or mps.

    Raises:
        OptionError: a value out of its range, or a text that cannot be read.
        UnknownName: none of the choices.
    """

    usual_optimizer: ClassVar[OptimizerName] = "pyramid-lbfgs"

    content: Source
    style: Source | Sequence[Source]
    _: KW_ONLY
    preset: Literal["sketch", "standard", "fine"] = "standard"
    size: int | str | None = None
    min_size: Annotated[int, SIDES] = 128
    iterations: int | str | None = None
    model: str | os.PathLike[str] | AnyModule = "iris"
    content_layer: str | Sequence[str] = ()
    style_layer: str | Sequence[str] = ()
    style_loss: Literal["moments", "gram"] = "moments"
    content_weight: Annotated[float | None, Between(0, 1e6)] = None
    style_weight: float | Sequence[float] = ()
    tv: Annotated[float | None, Between(0, 1e6)] = None
    style_scale: Annotated[float, Between(0.01, 100)] = 1.0
    style_size: Annotated[int | None, SIDES] = None
    mask: Source | Sequence[Source] = ()
    style_mask: Source | Sequence[Source] = ()
    init: Init | Source = "content"
    keep_colors: Literal["luma", "match"] | None = None
    pooling: Literal["max", "average", "l2"] | None = None
    optimizer: OptimizerName | None = None
    step_size: Annotated[float | None, Between(1e-6, 100)] = None
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    tile: Literal["auto", "none"] | Annotated[int, Between(64, unit="pixels")] = "auto"
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.model, "backbone")
        if self.size is not None:
            read_size(self.size)
        if self.iterations is not None:
            read_iterations(self.iterations)
        read_layers(self.content_layer)
        read_layers(self.style_layer)
        read_weights(self.style_weight)
        _check_init(self.init)


def resolve(options: StyleOptions) -> StyleOptions:
    """The options with every open one filled in, but for what only network and content know."""
    return replace(
        options,
        size=None if options.size is None else read_size(options.size),
        iterations=",".join(map(str, iterations_of(options))),
        style_weight=read_weights(options.style_weight),
        optimizer=optimizer_of(options),
        step_size=step_size_of(options),
    )


def optimizer_of(options: StyleOptions) -> OptimizerName:
    """The optimizer as asked for, or the usual one."""
    return options.usual_optimizer if options.optimizer is None else options.optimizer


def iterations_of(options: StyleOptions) -> tuple[int, int]:
    """Steps at the first scale, and at each next one: as asked for, or the preset's."""
    preset = PRESETS[options.preset]
    usual = preset.iterations if optimizer_of(options) == "pyramid-lbfgs" else preset.others
    return read_iterations(usual if options.iterations is None else options.iterations)


def step_size_of(options: StyleOptions) -> float:
    """The step size as asked for, or the optimizer's usual one."""
    usual = STEP_SIZES[optimizer_of(options)]
    return usual if options.step_size is None else options.step_size


def is_named_start(init: object) -> bool:
    """Whether `init` is one of the words, and no picture."""
    return isinstance(init, str) and init in INITS


def _check_init(init: object) -> None:
    """A word that nobody knows is no picture either; better said before any work."""
    given = os.fspath(init) if isinstance(init, os.PathLike) else init  # of the command line
    if isinstance(given, str) and given not in INITS and not Path(given).exists():
        close = nearest_names(given, INITS, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(INITS)}"
        raise OptionError(f"init is {given!r}, which is no picture and no way to start; {hint}")


def read_weights(given: float | Sequence[float]) -> list[float]:
    """How much each style counts, as a list.

    Raises:
        OptionError: one is not over 0; a style that shall not count is left out.
    """
    weights = [float(one) for one in ([given] if isinstance(given, (int, float)) else given)]
    for weight in weights:
        check_number("style_weight", weight, Between(0, above=True))
    return weights


def read_size(size: int | str) -> int | str:
    """A long side in pixels, `N+` for as many pixels as a square of N has, or `full`.

    Raises:
        OptionError: neither, or out of range.
    """
    if size == "full":
        return "full"
    match = re.fullmatch(r"(\d{1,9})(\+?)", str(size))
    if match is None:
        raise OptionError(
            f"size is {show_value(size)}; write the long side in pixels, N+ for N*N pixels, or full"
        )
    check_number("size", int(match[1]), SIDES)
    return f"{int(match[1])}+" if match[2] else int(match[1])


def read_iterations(text: int | str) -> tuple[int, int]:
    """Steps at the first scale, and at each next one.

    Raises:
        OptionError: neither N nor FIRST,NEXT, or out of range.
    """
    parts = str(text).split(",")
    if len(parts) > 2 or not all(part.strip().isdecimal() for part in parts):
        raise OptionError(f"iterations is {text!r}; write N, or FIRST,NEXT as 600,300")
    first, following = int(parts[0]), int(parts[-1])
    for steps in (first, following):
        check_number("iterations", steps, _STEPS)
    return first, following


def read_layers(texts: str | Sequence[str]) -> dict[str, float]:
    """Layer → weight, out of `relu4_1*0.5` and the like.

    Raises:
        OptionError: a text that cannot be read, or a weight of zero.
    """
    layers: dict[str, float] = {}
    for text in [texts] if isinstance(texts, str) else texts:
        match = _LAYER.fullmatch(text.strip())
        if match is None:
            raise OptionError(f"layer {text!r} cannot be read; write NAME[*WEIGHT], as relu4_1*0.5")
        weight = 1.0 if match["weight"] is None else float(match["weight"])
        if weight == 0:
            raise OptionError(f"layer {text!r} has weight 0 and would do nothing; leave it out")
        layers[match["layer"]] = weight
    return layers


def describe_layers(layers: Mapping[str, float]) -> list[str]:
    """The inverse of `read_layers`."""
    return [name if weight == 1 else f"{name}*{weight!r}" for name, weight in layers.items()]
