"""The work behind `belamy.engines.defog.api.defog_steps`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

import belamy
from belamy import files
from belamy.devices import choose_device
from belamy.errors import OptionError, UnknownName, WeightsError
from belamy.networks.dehaze import FogSight, load_fogsight
from belamy.networks.files.weights import embedded_path
from belamy.pixels.fog.dark_channel import estimate_fog
from belamy.pixels.fog.model import MIN_TRANSMISSION, Fog
from belamy.pixels.fog.sky import segment_sky
from belamy.pixels.guided import denoise, guided_upsample
from belamy.pixels.images import Picture, Source, fit, input_of, load_picture, resize
from belamy.pixels.recipe import Recipe
from belamy.steps import Step

__all__ = [
    "LOOKED",
    "METHODS",
    "Seen",
    "Sight",
    "cleared",
    "find_network",
    "prepared",
    "run",
    "seen_fog",
]

LOOKED = 512
"""Pixels of the longer side at which fog is looked for; what is found is fitted to the picture."""

_SMALLEST = 192  # pixels, too: smaller pictures than were learned from are seen enlarged

EMBEDDED = "defog"  # the network inside the package

_RADIUS, _EPSILON = 8, 1e-4  # of the guided filter that enlarges a transmission. By eye
# Of the light, where there is most fog: less is none, more is fog, what lies between is taken in
# part. By a mean over the picture, clear ones and those in thin fog are told apart less well.
_MOST = 0.95  # of the places have less fog
_NOTHING, _SOME = 0.12, 0.3
_NEARLY_ALL = 0.95  # more is not worth a word
_FAINT = 0.06  # colour of an air light, as a part of its light; with more it is seldom fog's
# A quarter of the picture may become darker than this, in thin fog and in dense, of which less is
# known: what comes out nearly black there is mostly an error. By made-up fog, and by eye.
_DARKER, _DIMMEST = 0.25, (0.12, 0.27)
_THIN, _DENSE = 0.45, 0.65  # of the light, as a mean
_STRENGTHS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6)  # parts of the fog, tried in turn
_COLOURFUL = 2.0  # how far differences of colour are raised at most, times themselves. By eye
_GRAIN = 2 / 255  # what is taken for grain. By eye, on skies; it costs 0.05 dB on made-up fog
_GRAIN_RADIUS = 16
_GREY = 1.5 / 255  # the most that the channels of a grey picture differ, after JPEG
_STRONGEST = 2.0
_GAP = 100  # the gap between before and after, as a part of the width

Sight: TypeAlias = "Callable[[Tensor], Fog]"


@dataclass(frozen=True)
class _Seer:
    """What sees the fog, and the files that it needs.

    Args:
        sight: (1, 3, h, w) → its fog.
        weights: name → SHA-256.
    """

    sight: Sight
    weights: dict[str, str]


def _by_network(network: str, device: torch.device) -> _Seer:
    path = find_network(network)
    eye = load_fogsight(path).to(device)
    return _Seer(_sight_of(eye), {path.name: files.sha256(path)})


def _by_prior(network: str, device: torch.device) -> _Seer:
    if network != EMBEDDED:
        raise OptionError(f"the method dcp uses no network; leave out {network}")
    return _Seer(estimate_fog, {})


@dataclass(frozen=True)
class Seen:
    """How much fog there is in a picture.

    Args:
        amount: of the light that is the fog's, as a mean over the picture, 0 to 1.
        part: of that fog that is taken for fog, 0 to 1.
    """

    amount: float
    part: float


METHODS: dict[str, Callable[[str, torch.device], _Seer]] = {
    "cyclegan": _by_network,
    "dcp": _by_prior,
}
"""Method → what sees the fog for it."""


def _sight_of(eye: FogSight) -> Sight:
    def sight(image: Tensor) -> Fog:
        with torch.inference_mode():
            transmission, air = eye(image)
        return Fog(transmission.clone(), air.clone())

    return sight


def find_network(network: str) -> Path:
    """The file that `network` means: the one inside the package, or a path.

    Raises:
        UnknownName: neither.
        WeightsError: the file is not here.
    """
    if network == EMBEDDED:
        return embedded_path(EMBEDDED)
    path = Path(network).expanduser()
    if path.suffix == "" and len(path.parts) < 2 and not path.exists():
        raise UnknownName("network", network, (EMBEDDED,))
    if not path.is_file():
        raise WeightsError(f"no network at {path}; check the path")
    return path


def run(image: Source, **options: Any) -> Iterator[Step]:
    """See `belamy.engines.defog.api.defog_steps`; takes every one of its arguments."""
    yield from prepared(options)(image)


def prepared(options: Mapping[str, Any]) -> Callable[[Source], Iterator[Step]]:
    """The same for many pictures: the options are checked, and the network is loaded, once."""
    _check(options)
    device = choose_device(options["device"])
    seer = METHODS[options["method"]](options["network"], device)
    told = {**options, "network": str(options["network"]), "device": str(device)}

    def steps(image: Source) -> Iterator[Step]:
        picture = load_picture(image)
        base = picture.image.to(device)
        fog, seen = seen_fog(seer.sight, base)
        if options["keep_sky"]:
            fog = Fog(1 - (1 - fog.transmission) * (1 - segment_sky(base)), fog.air)
        recipes = [_recipe(told, seer.weights, image, step) for step in (1, 2)]
        yield Step(1, 2, fog.transmission.expand(-1, 3, -1, -1), {}, picture.alpha, recipes[0])
        made = Picture(cleared(base, fog, options["strength"]), picture.alpha)
        shown = _side_by_side(picture, made) if options["compare"] else made
        yield Step(2, 2, shown.image, {}, shown.alpha, recipes[1], _told(seen))

    return steps


def _check(options: Mapping[str, Any]) -> None:
    if options["method"] not in METHODS:
        raise UnknownName("method", options["method"], METHODS)
    if not 0 <= options["strength"] <= _STRONGEST:
        raise OptionError(
            f"strength is {options['strength']}; it must be from 0 to {_STRONGEST:g}, "
            "1 for all the fog that is seen"
        )


def seen_fog(sight: Sight, image: Tensor) -> tuple[Fog, Seen]:
    """The fog in a picture, at its own size, and how much of it there is.

    It is looked for in a picture of 192 to `LOOKED` pixels, and its transmission enlarged along
    the edges of the large one. Where hardly any is found there is none: a clear picture comes back
    as it was.

    Args:
        sight: what sees it.
        image: (1, 3, H, W) in [0, 1].

    Returns:
        the fog, with (1, 1, H, W) and (1, 3, H, W), or one channel for a grey picture's air; and
        what was seen.
    """
    height, width = image.shape[-2:]
    side = min(LOOKED, max(_SMALLEST, height, width))
    small = resize(image, fit(height, width, side))
    found = sight(small)
    opaque = 1 - found.transmission
    amount, part = float(opaque.mean()), _part_taken(found)
    transmission = 1 - opaque * part
    transmission = transmission ** _kept_light(small, Fog(transmission, found.air), amount)
    if side > max(height, width):
        transmission = F.interpolate(transmission, (height, width), mode="area")
    large = guided_upsample(image, transmission, radius=_RADIUS, epsilon=_EPSILON)
    air = F.interpolate(found.air, (height, width), mode="bilinear")
    if float((small.amax(1) - small.amin(1)).max()) < _GREY:  # a grey picture stays grey
        air = air.mean(1, keepdim=True)
    return Fog(large.clamp(float(transmission.min()), 1), air), Seen(amount, part)


def _part_taken(fog: Fog) -> float:
    """How much of what was seen is taken for fog, 0 to 1.

    Thin fog is nearly grey; a thin veil with a colour is mostly a blue sky, or evening light.
    """
    opaque = 1 - fog.transmission
    air = (fog.air * opaque).mean((0, 2, 3)) / opaque.mean().clamp_min(1e-6)
    colour = float((air.amax() - air.amin()) / air.amax().clamp_min(1e-6))
    most = float(opaque.quantile(_MOST)) - max(0.0, colour - _FAINT)
    return _part_between(most, _NOTHING, _SOME)


def _part_between(value: float, low: float, high: float) -> float:
    part = min(1.0, max(0.0, (value - low) / (high - low)))
    return part * part * (3 - 2 * part)


def _kept_light(image: Tensor, fog: Fog, amount: float) -> float:
    """How much of the fog may go before the darker quarter of the picture would be night, 0 to 1.

    Light that is scattered more than once makes dense fog darker than the physics here has it, so
    that near things would come out black.
    """
    thin, dense = _DIMMEST
    least = thin + (dense - thin) * _part_between(amount, _THIN, _DENSE)
    least = min(least, float(image.mean(1).quantile(_DARKER)))
    for strength in _STRENGTHS:
        light = cleared(image, fog, strength).mean(1)
        if float(light.quantile(_DARKER)) >= least:
            return strength
    return _STRENGTHS[-1]


def cleared(image: Tensor, fog: Fog, strength: float = 1.0) -> Tensor:
    """The picture with a part of its fog, or more than all, taken out.

    With t = exp(−β·depth) a fog thinner by the part s leaves t^s to be divided by, so that any
    strength is physics too, and no blend.

    Args:
        image: (1, 3, H, W) in [0, 1].
        fog: what was seen in it.
        strength: 0 takes nothing, 1 all of it, more than there is.
    """
    transmission = fog.transmission.clamp_min(MIN_TRANSMISSION) ** strength
    apart, gain = _even(image, fog.air), 1 / transmission - 1
    light = apart.mean(1, keepdim=True)
    # In dense fog what is left of colours is mostly an error of the air light: a cast.
    colour = (apart - light) * gain.clamp_max(_COLOURFUL)
    return (image + light * gain + colour).clamp(0, 1)


def _even(image: Tensor, air: Tensor) -> Tensor:
    """How far a picture is from the air light, but for its grain.

    What differs by a level or two of 255 in an even place is the camera's grain and JPEG's blocks;
    a sky breaks into bands where they are divided by a small transmission.
    """
    return denoise(image, radius=_GRAIN_RADIUS, grain=_GRAIN) - air


def _told(seen: Seen) -> str:
    if seen.part == 0:
        return f"hardly any fog in it ({seen.amount:.0%} of the light); it stays as it is"
    told = f"fog: {seen.amount:.0%} of the light"
    if seen.part > _NEARLY_ALL:
        return told
    return f"{told}; {seen.part:.0%} of that is taken, since so little may be the scene's own"


def _side_by_side(before: Picture, after: Picture) -> Picture:
    """Both in one picture, before on the left, with white between them."""
    image = before.image.to(after.image)
    height, width = image.shape[-2:]
    gap = max(2, width // _GAP)
    white = image.new_ones((1, 3, height, gap))
    if before.alpha is None:
        return Picture(torch.cat([image, white, after.image], dim=-1))
    alphas = [before.alpha, torch.ones((1, 1, height, gap)), before.alpha]
    return Picture(torch.cat([image, white, after.image], dim=-1), torch.cat(alphas, dim=-1))


def _recipe(options: dict[str, Any], weights: dict[str, str], image: Source, step: int) -> Recipe:
    return Recipe(
        engine="defog",
        options=options,
        inputs=(input_of("image", image),),
        weights=weights,
        seed=0,
        belamy=belamy.__version__,
        torch=torch.__version__,
        step=step,
    )
