"""What a dream is asked for: every option, once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import KW_ONLY, asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from belamy.checks import Between, check_options, flag_of
from belamy.errors import OptionError

if TYPE_CHECKING:
    from belamy.networks.modules.torch_network import AnyModule
    from belamy.objectives.objective import Objective
    from belamy.pixels.images import Source

__all__ = [
    "CANVASES",
    "LARGEST_SIDE",
    "NOISE_SIDE",
    "AtlasOptions",
    "Augmentation",
    "DreamOptions",
    "FourierSettings",
    "MacoSettings",
    "PixelSettings",
    "Settings",
    "default_canvas",
    "resolve",
    "settings_of",
]

LARGEST_SIDE = 1024  # long side of a dream on a larger picture, unless another is asked for
NOISE_SIDE = 384  # long side of a picture that starts from noise, in pixels
ROW = 5  # pictures from one objective to another
SHEET_SIDE = 224  # the same, of several on a sheet
SMALLEST_TILE = 64  # pixels; smaller ones would be nearly all margin

Smoothing: TypeAlias = Literal["laplacian", "gaussian", "both", "none"]
Augmentation: TypeAlias = Literal["crops", "jitter"]


@dataclass(frozen=True, eq=False)
class DreamOptions:
    """What a dream is asked for.

    Args:
        image: what to dream on; a file, PIL image, array or tensor. None dreams from noise.
        model: a network's name (`belamy models list`) or weights file; auto is the best one whose
            weights are here. timm:NAME or timm:NAME@FILE is one of timm's; in Python a torch module
            of your own.
        layer: what to excite, as NAME[:CHANNEL][*WEIGHT]; several add up, and a negative weight
            calms. None takes the model's favourite. Shallow layers draw strokes and eyes, deep ones
            parts of animals and things.
        class_: a class to excite, by name or number, as the classifier's last layer knows it;
            several add up, each as NAME[*WEIGHT].
        objective: what else to excite, as KIND:LAYER[:WHAT][^POWER][*WEIGHT]; several add up.
            energy:LAYER, channel:LAYER:7, neuron:LAYER:7 (in the middle; elsewhere with
            :ROW,COLUMN), direction:LAYER:FILE (.npy or .json), class:NAME; of the image
            caricature:LAYER, which exaggerates what the layer sees, and inversion:LAYER, which
            draws what it keeps; diversity:LAYER of several pictures. The power is the cosine's, in
            a direction and a caricature.
        towards: another objective, to which a row of pictures leads.
        pictures: how many to make together, from noise, on one sheet; without towards they are kept
            different. None: 1; 5 with towards.
        guide: a picture whose features are wanted: each position takes the one that it matches
            best.
        channels: strongest:N or weakest:N, only the N channels that the picture excites most or
            least in the layers.
        octaves: sizes dreamt one after another, small to large; each adds finer detail. None: 4 on
            pixels as in Google's notebook; a Fourier canvas has one.
        octave_scale: factor from one size to the next. None: 1.4 as in the notebook.
        steps: steps in each octave. None: 10 on pixels, 256 on another canvas.
        step_size: how far one step goes. On pixels the mean change in levels of 255 (None: 1.5, as
            in the notebook); on another canvas Adam's learning rate (None: 0.05 on fourier, as in
            Lucid; 0.3 on maco).
        augment: what each step on a fourier or maco canvas looks at: crops of the picture, which
            draw one thing, large; or jitter, all of it, shifted, turned and scaled a little. None:
            crops on maco, and on fourier where one position of each layer sees the whole picture;
            jitter for comparisons and for neurons that have their position.
        jitter: the picture is shifted by up to so many pixels before each step and back after it,
            so that no position always meets the same grid. None: 32 on pixels as in the notebook; a
            Fourier canvas is shifted, turned and scaled its own way.
        smooth: how the gradient is freed of noise: its bands levelled (laplacian), blurred
            (gaussian), first the one and then the other (both), or not at all. None: on pixels what
            suits the model; laplacian where that is not known.
        from_: start from the image, or from noise. None: the image where there is one; noise for a
            caricature or an inversion of it.
        canvas: pixels; fourier, the spectrum of decorrelated colours, which draws large shapes as
            readily as fine ones; or maco, whose frequencies keep the strength that they have in
            photos. None: pixels on an image, fourier from noise and for a class alone.
        size: long side of the result in pixels; full is the image's own. None: the image's own, but
            at most 1024; 384 from noise, 224 for each of several.
        mask: dream where this picture is white, keep the image where it is black; of one that is
            transparent in places, dream where it is painted.
        masking: when the mask acts: in all steps, so that outside of it nothing is ever dreamt; or
            at the end, where a dream of the whole picture is laid over it within the mask, as the
            studio does with a mask that is painted over a finished dream.
        transparent: let through what hardly mattered: where the gradients were small all along, as
            in MACO; needs a fourier or maco canvas.
        strength: how much of the dream is blended into the image, 0 to 1.
        keep_colors: take only light and dark from the dream, and colours from the image.
        precision: what the network computes in; auto takes bfloat16 where this machine is faster in
            it (iris: half the time for a step; never efficientnet_lite2), else float32. Pictures
            differ by it as by the seed of the jitter. Somebody's own module stays in float32.
        tile: longest side of the tiles that large pictures are worked on in; auto decides by the
            memory that is free, none never tiles.
        seed: of the noise, the jitter and the tiles' offsets.
        device: auto, cpu, cuda or mps.

    Raises:
        OptionError: a value out of its range.
        UnknownName: none of the choices.
    """

    image: Source | None = None
    _: KW_ONLY
    model: str | os.PathLike[str] | AnyModule = "auto"
    layer: str | Objective | Sequence[str | Objective] = ()
    class_: str | Sequence[str] | None = None
    objective: str | Sequence[str] = ()
    towards: str | None = None
    pictures: Annotated[int | None, Between(1, 64)] = None
    guide: Source | None = None
    channels: str | None = None
    octaves: Annotated[int | None, Between(1, 32)] = None
    octave_scale: Annotated[float | None, Between(1.01, 8)] = None
    steps: Annotated[int | None, Between(1, 100_000)] = None
    step_size: Annotated[float | None, Between(1e-6, 255)] = None
    augment: Augmentation | None = None
    jitter: Annotated[int | None, Between(0, 4096)] = None
    smooth: Smoothing | None = None
    from_: Literal["image", "noise"] | None = None
    canvas: Literal["pixels", "fourier", "maco"] | None = None
    size: Literal["full"] | Annotated[int, Between(8, 32_768)] | None = None
    mask: Source | None = None
    masking: Literal["steps", "end"] = "steps"
    transparent: bool = False
    strength: Annotated[float, Between(0, 1)] = 1.0
    keep_colors: bool = False
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    tile: Literal["auto", "none"] | Annotated[int, Between(SMALLEST_TILE, unit="pixels")] = "auto"
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.model, "backbone")


@dataclass(frozen=True)
class PixelSettings:
    """What an option that was left open means on pixels.

    Source: google/deepdream's notebook; the smoothing from TensorFlow's tutorial.
    """

    octaves: int = 4
    octave_scale: float = 1.4
    steps: int = 10
    step_size: float = 1.5  # levels of 255
    jitter: int = 32
    smooth: Smoothing = "laplacian"


@dataclass(frozen=True)
class FourierSettings:
    """The same on a Fourier canvas, where the other options have no meaning. Source: Lucid."""

    steps: int = 256
    step_size: float = 0.05  # Adam's learning rate


@dataclass(frozen=True)
class MacoSettings:
    """The same on a MACO canvas.

    Fel et al. take 1.0 and NAdam, on much larger pictures; with 0.3 a thing finds its place in a
    hundred steps, with 1.0 it is torn apart. By eye.
    """

    steps: int = 256
    step_size: float = 0.3


Settings: TypeAlias = PixelSettings | FourierSettings | MacoSettings

CANVASES: dict[str, type[Settings]] = {
    "pixels": PixelSettings,
    "fourier": FourierSettings,
    "maco": MacoSettings,
}


def settings_of(options: DreamOptions) -> Settings:
    """What the options mean on their canvas, everything left open filled in.

    Raises:
        OptionError: an option that has no meaning there.
    """
    canvas = options.canvas or "pixels"
    form = CANVASES[canvas]
    meant = {field.name for field in fields(form)}
    settings = {field.name: getattr(options, field.name) for field in fields(PixelSettings)}
    for name, value in settings.items():
        if value is not None and name not in meant:
            raise OptionError(
                f"{flag_of(name)[2:]} has no meaning on a {canvas} canvas; leave it out"
            )
    if form is not PixelSettings and options.tile not in ("auto", "none"):
        raise OptionError(f"a {canvas} canvas cannot be tiled; leave tile out, or use pixels")
    return form(**{name: value for name, value in settings.items() if value is not None})


def resolve(options: DreamOptions) -> DreamOptions:
    """The options with every open one filled in, as the recipe has them.

    Raises:
        OptionError: options that exclude each other.
    """
    compares = _compares_pictures(options)
    if compares and options.image is None:
        raise OptionError("a caricature or an inversion is of a picture; give one")
    start = options.from_ or ("noise" if compares or options.image is None else "image")
    starts = ["noise"] if options.image is None else ["image", "noise"][: 1 + compares]
    if start not in starts:
        raise OptionError("a dream starts from a picture or from noise: give one of the two")
    if options.image is None:
        _refuse_what_needs_a_picture(options)
    pictures = options.pictures or (1 if options.towards is None else ROW)
    side = NOISE_SIDE if pictures == 1 else SHEET_SIDE
    options = replace(
        options,
        from_=start,
        pictures=pictures,
        canvas=options.canvas or default_canvas(options),
        size=options.size or (side if options.image is None else None),
    )
    _check_canvas(options, compares)
    return replace(options, **asdict(settings_of(options)))


def default_canvas(options: DreamOptions) -> Literal["pixels", "fourier"]:
    """The canvas where none is named: pixels to dream on an image, with an option of theirs too.

    A class alone is drawn once, large, where it fits, by what a Fourier canvas looks at; on pixels
    its gradient spreads over all of the picture, and nobody recognises it.
    """
    if options.image is None or _compares_pictures(options):
        return "fourier"
    others = (options.layer, options.objective, options.channels)
    nothing_else = options.guide is None and all(one in ((), [], "", None) for one in others)
    class_alone = bool(options.class_) and nothing_else
    named = (options.octaves, options.octave_scale, options.jitter, options.smooth)
    of_pixels = any(one is not None for one in named) or options.tile not in ("auto", "none")
    return "fourier" if class_alone and not of_pixels else "pixels"


def _compares_pictures(options: DreamOptions) -> bool:
    """Whether an objective looks at the image that is given: a caricature or an inversion of it."""
    given = [options.objective] if isinstance(options.objective, str) else [*options.objective]
    texts = [*given, *([] if options.towards is None else [options.towards])]
    return any(one.strip().startswith(("caricature:", "inversion:")) for one in texts)


def _check_canvas(options: DreamOptions, compares: bool) -> None:
    """Raises OptionError where the canvas cannot do what is asked for."""
    if options.pictures != 1 and options.from_ != "noise":
        raise OptionError("several pictures start from noise; give no image, or pictures 1")
    needs = [
        name
        for name, needed in (
            ("a caricature or an inversion", compares),
            ("transparent", options.transparent),
            ("augment crops", options.augment == "crops"),
            ("a sheet of pictures", options.pictures != 1),
        )
        if needed
    ]
    if needs and options.canvas == "pixels":
        raise OptionError(f"{needs[0]} needs a canvas of its own: fourier or maco")
    if options.pictures != 1 and options.transparent:
        raise OptionError("a sheet of pictures cannot be transparent; leave one of the two out")
    if options.pictures == 1 and options.towards is not None:
        raise OptionError("towards leads through a row of pictures; ask for two or more")


def _refuse_what_needs_a_picture(options: DreamOptions) -> None:
    if options.size == "full":
        raise OptionError("size full is that of a picture to dream on; give one, or a number")
    neutral = (("mask", None), ("strength", 1.0), ("keep_colors", False), ("channels", None))
    for name, value in neutral:
        given = getattr(options, name)
        if given is not value and (name == "mask" or given != value):
            raise OptionError(f"{flag_of(name)[2:]} needs a picture to dream on")


_LONE, _CROWDED = (160, 128), (80, 64)  # size and steps of an atlas' pictures


@dataclass(frozen=True)
class AtlasOptions:
    """What an atlas is asked for.

    Args:
        model: a network's name (`belamy models list`) or weights file; auto is the best one whose
            weights are here. timm:NAME is one of timm's; in Python a torch module of your own.
        layer: draw the channels of this layer; None draws each layer's favourite pattern.
        channels: how many channels of the layer, from its first on.
        activations: a folder or zip of pictures: draw what the layer finds in them instead, like
            beside like, on a grid; the layer is the model's favourite if none is named.
        grid: cells of that atlas in each row and column.
        size: side of each picture in pixels. None: 160; 80 in an atlas of activations.
        steps: of the Fourier canvas, for each picture. None: 128, half of what a single dream
            takes, since small pictures settle sooner; 64 in an atlas of activations.
        augment: what each step looks at, as in a dream; in an atlas of activations always jitter.
        seed: of the noise that they start from.
        device: auto, cpu, cuda or mps.
    """

    model: str | os.PathLike[str] | AnyModule = "auto"
    _: KW_ONLY
    layer: str | None = None
    channels: Annotated[int, Between(1, 100_000)] = 12
    activations: str | os.PathLike[str] | None = None
    grid: Annotated[int, Between(2, 64)] = 8
    size: Annotated[int | None, Between(8, 32_768)] = None
    steps: Annotated[int | None, Between(1, 100_000)] = None
    augment: Augmentation | None = None
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.model, "backbone")

    def resolve(self) -> AtlasOptions:
        """The options with size and steps filled in, as the recipe has them."""
        size, steps = _LONE if self.activations is None else _CROWDED
        return replace(self, size=self.size or size, steps=self.steps or steps)
