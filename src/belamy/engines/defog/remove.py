"""Dehazing: fog is estimated, its transmission refined along edges, and the scattering model solved
for the scene."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.devices import choose_device
from belamy.engines.defog.look import EPSILON, Estimator, fog_fraction, look_smaller, smoothstep
from belamy.engines.defog.options import EMBEDDED, DefogOptions
from belamy.engines.recipes import recipe_of
from belamy.errors import OptionError
from belamy.networks.dehaze import DehazeNet
from belamy.networks.load import find_network, load_network
from belamy.networks.recent import share
from belamy.pixels.fog import dark_channel
from belamy.pixels.fog.model import MIN_TRANSMISSION, Fog
from belamy.pixels.fog.sky import segment_sky
from belamy.pixels.guided import denoise, guided_upsample
from belamy.pixels.images import Picture, Source, fit, load_picture, resize
from belamy.pixels.recipe import Recipe
from belamy.steps import Step

__all__ = [
    "ESTIMATION_SIDE",
    "METHODS",
    "NOISE",
    "NOISE_RADIUS",
    "RADIUS",
    "Defogger",
    "FogLevel",
    "dehaze",
    "describe_level",
    "estimate_refined",
    "estimate_small",
    "is_grey",
    "solve_scattering",
]

ESTIMATION_SIDE = 512
"""Pixels of the longer side at which fog is estimated; the maps are then fitted to the picture."""

_SMALLEST_SIDE = 192  # pixels, too: smaller pictures than were learned from are enlarged

RADIUS = 8  # of the guided filter that enlarges a transmission. By eye
_NEARLY_ALL = 0.95  # more is not worth a word
# A quarter of the picture may become darker than this, in thin fog and in dense, of which less is
# known: what comes out nearly black there is mostly an error. By synthetic fog, and by eye.
_SHADOWS, _DARKEST_SHADOWS = 0.25, (0.12, 0.27)
_THIN_TO_DENSE = (0.45, 0.65)  # of the light, as a mean
_STRENGTHS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6)  # tried in turn
_MAX_CHROMA_GAIN = 2.0  # how far differences of colour are raised, times themselves. By eye
_LIGHTER = 0.04  # than the air light, by which nothing is left of what is added to colours
NOISE = 2 / 255  # what is taken for noise. By eye, on skies; it costs 0.05 dB on synthetic fog
NOISE_RADIUS = 16
_GREY = 1.5 / 255  # the most that the channels of a grey picture differ, after JPEG
_GAP = 100  # widths of the gap between before and after in the picture's


@dataclass(frozen=True)
class _Method:
    """What estimates the fog, and the files that it needs.

    Args:
        estimate: see `Estimator`.
        weights: name → SHA-256.
    """

    estimate: Estimator
    weights: dict[str, str]


def _load_network(options: DefogOptions, device: torch.device) -> _Method:
    loaded = share(
        find_network(options.network, "dehaze"),
        ("dehaze", str(device)),
        lambda: load_network(options.network, "dehaze", device=device),
        lambda loaded: loaded.network,
    )
    return _Method(_estimator_of(loaded.network), {loaded.path.name: loaded.sha256})


def _take_prior(options: DefogOptions, device: torch.device) -> _Method:
    if options.network != EMBEDDED:
        raise OptionError(f"the method dcp uses no network; leave out {options.network}")
    return _Method(dark_channel.estimate_fog, {})


METHODS: dict[str, Callable[[DefogOptions, torch.device], _Method]] = {
    "network": _load_network,
    "dcp": _take_prior,
}
"""Method → what estimates the fog for it."""


@dataclass(frozen=True)
class FogLevel:
    """How much fog there is in a picture.

    Args:
        amount: of the light that is the fog's, as a mean over the picture, 0 to 1.
        fraction: of that estimate that is taken for fog, 0 to 1.
    """

    amount: float
    fraction: float


class Defogger:
    """Dehazing with its network loaded once, for many pictures.

    Args:
        options: for all pictures; its `image` is dehazed where no other is named.

    Raises:
        UnknownName, WeightsError: the network is not here, damaged, or another one.
        OptionError: options that exclude each other.
    """

    def __init__(self, options: DefogOptions | None = None) -> None:
        self.options = DefogOptions() if options is None else options
        self.device = choose_device(self.options.device)
        self.method = METHODS[self.options.method](self.options, self.device)

    def __call__(self, image: Source | None = None) -> Picture:
        """The picture without its fog."""
        (last,) = deque(self.steps(image), maxlen=1)
        return Picture(last.image, last.alpha, last.recipe)

    def recipe(self, options: DefogOptions, step: int) -> Recipe:
        """How a picture was made, of what its options became."""
        weights, given = self.method.weights, self.options
        return recipe_of("defog", options, weights, given=given, step=step)

    def steps(self, image: Source | None = None) -> Iterator[Step]:
        """The same, step by step: see `belamy.defog_steps`."""
        source = self.options.image if image is None else image
        if source is None:
            raise OptionError("no picture to take the fog out of; name one")
        options = replace(self.options, image=source, device=str(self.device))
        picture = load_picture(source)
        base = picture.image.to(self.device)
        fog, level = estimate_refined(self.method.estimate, base)
        if options.keep_sky:
            fog = Fog(1 - (1 - fog.transmission) * (1 - segment_sky(base)), fog.air)
        recipes = [self.recipe(options, step) for step in (1, 2)]
        yield Step(1, 2, fog.transmission.expand(-1, 3, -1, -1), {}, picture.alpha, recipes[0])
        clear = Picture(dehaze(base, fog, options.strength), picture.alpha)
        shown = _place_side_by_side(picture, clear) if options.compare else clear
        yield Step(2, 2, shown.image, {}, shown.alpha, recipes[1], describe_level(level))


def _estimator_of(network: DehazeNet) -> Estimator:
    def estimate(image: Tensor) -> Fog:
        with torch.inference_mode():
            transmission, airlight = network(image)
        return Fog(transmission.clone(), airlight.clone())

    return estimate if network.design == 1 else lambda image: look_smaller(estimate, image)


def estimate_refined(estimate: Estimator, image: Tensor) -> tuple[Fog, FogLevel]:
    """The fog in a picture, at its own size, and how much of it there is.

    It is estimated in a picture of 192 to `ESTIMATION_SIDE` pixels, and its transmission enlarged
    along the edges of the large one. Where hardly any is found there is none: a clear picture comes
    back as it was.

    Args:
        estimate: what estimates it.
        image: (1, 3, H, W) in [0, 1].

    Returns:
        the fog, with (1, 1, H, W) and (1, 3, H, W), or one channel for a grey picture's airlight;
        and its level.
    """
    height, width = image.shape[-2:]
    side = min(ESTIMATION_SIDE, max(_SMALLEST_SIDE, height, width))
    small = resize(image, fit(height, width, side))
    fog, level = estimate_small(estimate, small)
    transmission = fog.transmission
    if side > max(height, width):
        transmission = F.interpolate(transmission, (height, width), mode="area")
    refined = guided_upsample(image, transmission, radius=RADIUS, epsilon=EPSILON)
    airlight = F.interpolate(fog.air, (height, width), mode="bilinear")
    if is_grey(small):
        airlight = airlight.mean(1, keepdim=True)
    refined = refined.clamp(float(transmission.min()), 1)
    return Fog(refined, airlight), level


def estimate_small(estimate: Estimator, small: Tensor) -> tuple[Fog, FogLevel]:
    """The fog in a picture of at most `ESTIMATION_SIDE` pixels, its transmission not yet refined;
    as `estimate_refined`."""
    found = estimate(small)
    opacity = 1 - found.transmission
    amount, fraction = float(opacity.mean()), fog_fraction(found)
    transmission = 1 - opacity * fraction
    transmission = transmission ** _strength_for(small, Fog(transmission, found.air), amount)
    return Fog(transmission, found.air), FogLevel(amount, fraction)


def is_grey(image: Tensor) -> bool:
    """Whether a picture has no colours, and is to stay so."""
    return float((image.amax(1) - image.amin(1)).max()) < _GREY


def _strength_for(image: Tensor, fog: Fog, amount: float) -> float:
    """How much of the fog may go before the darker quarter of the picture would be night, 0 to 1.

    Light that is scattered more than once makes dense fog darker than the physics here has it, so
    that near things would come out black.
    """
    thin, dense = _DARKEST_SHADOWS
    darkest = thin + (dense - thin) * smoothstep(amount, _THIN_TO_DENSE)
    darkest = min(darkest, float(image.mean(1).quantile(_SHADOWS)))
    for strength in _STRENGTHS:
        light = dehaze(image, fog, strength).mean(1)
        if float(light.quantile(_SHADOWS)) >= darkest:
            return strength
    return _STRENGTHS[-1]


def dehaze(image: Tensor, fog: Fog, strength: float = 1.0) -> Tensor:
    """The picture with a part of its fog, or more than all, taken out: J = (I − A)/t^s + A.

    With t = exp(−β·depth) a fog thinner by the part s leaves t^s to be divided by, so that any
    strength is physics too, and no blend.

    Args:
        image: (1, 3, H, W) in [0, 1].
        fog: what was estimated in it.
        strength: 0 takes nothing, 1 all of it, more than there is.
    """
    return solve_scattering(image, denoise(image, radius=NOISE_RADIUS, noise=NOISE), fog, strength)


def solve_scattering(image: Tensor, smooth: Tensor, fog: Fog, strength: float) -> Tensor:
    """As `dehaze`, pixel by pixel.

    Args:
        image: (1, 3, H, W) in [0, 1].
        smooth: the same, denoised. What differs by a level or two of 255 in an even region is the
            camera's noise and JPEG's blocks; a sky breaks into bands where they are divided by a
            small transmission.
        fog: at the size of the picture.
        strength: as in `dehaze`.
    """
    transmission = fog.transmission.clamp_min(MIN_TRANSMISSION) ** strength
    difference, gain = smooth - fog.air, 1 / transmission - 1
    luma = difference.mean(1, keepdim=True)
    # In dense fog what is left of colours is mostly an error of the airlight: a cast.
    chroma = (difference - luma) * gain.clamp_max(_MAX_CHROMA_GAIN)
    # No fog is lighter than its own air light: a white cloud there would take its opposite colour.
    chroma = chroma * (1 - luma / _LIGHTER).clamp(0, 1)
    return (image + luma * gain + chroma).clamp(0, 1)


def describe_level(level: FogLevel) -> str:
    """What a user is told of it."""
    if level.fraction == 0:
        return f"hardly any fog in it ({level.amount:.0%} of the light); it stays as it is"
    found = f"fog: {level.amount:.0%} of the light"
    if level.fraction > _NEARLY_ALL:
        return found
    return f"{found}; {level.fraction:.0%} of that is taken, since so little may be the scene's own"


def _place_side_by_side(before: Picture, after: Picture) -> Picture:
    """Both in one picture, before on the left, with white between them."""
    image = before.image.to(after.image)
    height, width = image.shape[-2:]
    gap = max(2, width // _GAP)
    white = image.new_ones((1, 3, height, gap))
    if before.alpha is None:
        return Picture(torch.cat([image, white, after.image], dim=-1))
    alphas = [before.alpha, torch.ones((1, 1, height, gap)), before.alpha]
    return Picture(torch.cat([image, white, after.image], dim=-1), torch.cat(alphas, dim=-1))
