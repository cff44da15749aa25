"""Journeys from one picture: each frame is dreamt on the one before, moved a little.

Source: Mordvintsev, Olah and Tyka 2015, "Inceptionism". **Differs** in that frames are moved by
kernels that keep the finest waves (`belamy.pixels.motion.resample`), that colours are drawn back to
the first frame's, whose detail is the most that any frame has, and that what is excited changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from torch import Tensor

from belamy.engines.dream.objective import default_layers
from belamy.engines.dream.options import DreamOptions, PixelSettings, settings_of
from belamy.engines.dream.render import Dreamer, dream_on
from belamy.engines.dream.scene import Scene
from belamy.engines.film.frames import FilmFrame, FilmPlan, even_plan
from belamy.engines.film.options import (
    LARGEST_SIDE,
    DreamWalkOptions,
    DreamZoomOptions,
    read_shift,
    split_stops,
)
from belamy.engines.film.schedule import Schedule, make_schedule
from belamy.engines.recipes import as_list, recipe_of
from belamy.engines.sizes import choose_side
from belamy.networks.modules.open_network import describe_model, list_models
from belamy.pixels.images import load_image, load_picture
from belamy.pixels.motion.detail import band_energies, hold_colors, hold_detail
from belamy.pixels.motion.loop import Return, fade_back
from belamy.pixels.motion.resample import move
from belamy.pixels.recipe import Recipe

__all__ = ["Walk", "Zoom"]

_RATE = 25.0  # what zoom, rotate and shift are for a part of, in a second
_MOST_EFFORT = 4.0  # times as long steps, where a fast zoom has left little detail
# By which a zoom's own loss of fine detail is made good in each frame; more would be seen as
# sharpening.
_MOST_GAIN = 1.05
_FRAMES = 1_000_003  # seeds of frames do not meet those of other journeys


@dataclass(frozen=True)
class _Dream:
    """What every frame is dreamt with."""

    scene: Scene
    settings: PixelSettings
    schedule: Schedule

    def on(self, image: Tensor, index: int, position: float, effort: float = 1.0) -> Tensor:
        """A frame dreamt on a picture (1, 3, H, W), whose jitter depends on its number.

        Args:
            position: on the way, 0 to 1.
            effort: times as long steps.
        """
        options = replace(self.scene.options, seed=self.scene.options.seed * _FRAMES + index)
        objective = self.schedule.at(position)
        scene = replace(self.scene.on(image), options=options, objective=objective)
        step_size = self.settings.step_size * effort
        return dream_on(scene, replace(self.settings, step_size=step_size))


def _effort(found: Sequence[float], most: Sequence[float]) -> float:
    """How much longer steps are where a frame has lost detail: up to four times as long."""
    lack = max(
        (full / energy if energy > 0 else _MOST_EFFORT)
        for energy, full in zip(found, most, strict=True)
    )
    return min(_MOST_EFFORT, max(1.0, lack))


def _open(options: DreamZoomOptions | DreamWalkOptions, layers: Sequence[str]) -> Scene:
    """The network and the picture; all that the way needs of both."""
    size = options.size
    if options.image is not None:
        shape = load_picture(options.image).image.shape
        size = choose_side(options.image, size, (shape[-2], shape[-1]), LARGEST_SIDE, "travelling")
    dream = DreamOptions(
        options.image,
        model=options.model,
        layer=layers,
        class_=_classes(options) or None,
        octave_scale=options.octave_scale,
        jitter=options.jitter,
        smooth=options.smooth,
        canvas="pixels",
        size=size,
        precision="float32",  # on every machine: the recipe of a journey does not name it
        tile=options.tile,
        seed=options.seed,
        device=options.device,
    )
    return Dreamer(dream).prepare(options.image)


def _classes(options: DreamZoomOptions | DreamWalkOptions) -> list[str]:
    return [options.class_] if isinstance(options.class_, str) else list(options.class_)


def _layers(options: DreamZoomOptions | DreamWalkOptions) -> list[str]:
    """What is named, or the model's favourites, as one dream takes them."""
    layers = split_stops(options.layers)
    if layers or _classes(options):
        return layers
    return list(default_layers(list_models(options.model)[0]))


class _Journey:
    """What a zoom and a walk have in common.

    Raises:
        UnknownName, WeightsError: no such model, layer or class, or its weights are not here.
        OptionError: options that exclude each other.
        ImageError: a picture cannot be read.
    """

    def __init__(self, engine: str, options: DreamZoomOptions | DreamWalkOptions) -> None:
        layers = _layers(options)
        scene = self._scene = _open(options, layers)
        self._settings = settings_of(scene.options)
        height, width = scene.base.shape[-2:]
        self.plan: FilmPlan = even_plan(options.frames, options.fps, (height, width))
        guides = [load_image(one).to(scene.base) for one in as_list(options.guides)]
        schedule = make_schedule(
            layers, _classes(options), guides, scene.backbone, scene.base, options.loop
        )
        assert isinstance(self._settings, PixelSettings), "journeys are dreamt on pixels"
        each = replace(self._settings, octaves=options.octaves, steps=options.steps)
        each = replace(each, step_size=options.step_size)
        self.dream = _Dream(scene, each, schedule)
        self.recipe: Recipe = _recipe(engine, options, scene, layers)

    @cached_property
    def beginning(self) -> Tensor:
        """The picture as it is dreamt on in full."""
        assert isinstance(self._settings, PixelSettings)
        whole = replace(self.dream, settings=self._settings)
        return whole.on(self._scene.base, 0, 0.0).contiguous()

    @property
    def base(self) -> Tensor:
        """The picture that is dreamt on."""
        return self._scene.base


def _recipe(
    engine: str, options: DreamZoomOptions | DreamWalkOptions, scene: Scene, layers: Sequence[str]
) -> Recipe:
    found = scene.options
    settled = replace(
        options, tile=found.tile, device=found.device, smooth=found.smooth, size=found.size
    )
    digest = scene.backbone.sha256
    weights = {scene.backbone.name: digest} if digest else {}
    model = describe_model(found.model, scene.backbone)
    changed = {"model": model, "layers": list(layers)}
    recipe = recipe_of(engine, settled, weights, changed=changed, given=options)
    return replace(recipe, step=options.frames)


class Zoom(_Journey):
    """A journey into a picture: see `belamy.dream_zoom_steps`."""

    def __init__(self, options: DreamZoomOptions) -> None:
        super().__init__("dream-zoom", options)
        self.options = options
        self._part = _RATE / options.fps
        right, down = read_shift(options.shift)
        self._return = Return(
            options.frames,
            options.fps,
            options.zoom**self._part,
            options.rotate * self._part,
            (right * self._part, down * self._part),
        )

    def frames(self, scene: int, after: FilmFrame | None) -> Iterator[FilmFrame]:
        """See `FilmWork`."""
        if after is None:
            first = self.base if self.options.begin == "picture" else self.beginning
            after = FilmFrame(0, first, {"image": first, "first": first})
            yield after
        first = after.state["first"].to(self.base)
        reference = self.beginning if self.options.begin == "picture" else first
        most = band_energies(reference)
        image = after.state["image"].to(self.base)
        for index in range(after.index + 1, self.options.frames):
            image = self._next(image, first, most, index)
            yield FilmFrame(index, image, {"image": image, "first": first})

    def _next(self, image: Tensor, first: Tensor, most: Sequence[float], index: int) -> Tensor:
        moved = self._move(image, 1).clamp(0, 1)
        effort = _effort(band_energies(moved), most)
        dreamt = self.dream.on(moved, index, index / self.options.frames, effort)
        dreamt = hold_detail(dreamt, most, _MOST_GAIN)
        dreamt = hold_colors(dreamt, first, self._fraction(self.options.colors))
        if self.options.loop:
            dreamt = self._turn_back(dreamt, first, index)
        return dreamt.clamp(0, 1).contiguous()  # as it is read again: sums go by the order

    def _fraction(self, amount: float) -> float:
        """What of a change that belongs to a 25th of a second belongs to a frame."""
        return float(1 - (1 - amount) ** self._part)

    def _move(self, image: Tensor, frames: int) -> Tensor:
        """The picture as it would lie so many frames later, or earlier."""
        part = self._part * frames
        right, down = read_shift(self.options.shift)
        return move(
            image,
            zoom=self.options.zoom**part,
            degrees=self.options.rotate * part,
            shift=(right * part, down * part),
        )

    def _turn_back(self, image: Tensor, first: Tensor, index: int) -> Tensor:
        """Towards the first frame as it would lie here, were it the one after the last."""
        left = self.options.frames - index
        if self.options.loop_by == "growing":
            return self._return.put(image, first, left)
        weight = fade_back(left, self.options.frames, self.options.fps)
        return image + weight * (self._move(first, -left) - image) if weight else image


class Walk(_Journey):
    """A walk between dreams on one picture: see `belamy.dream_walk_steps`."""

    def __init__(self, options: DreamWalkOptions) -> None:
        super().__init__("dream-walk", options)
        self.options = options

    def frames(self, scene: int, after: FilmFrame | None) -> Iterator[FilmFrame]:
        """See `FilmWork`."""
        if after is None:
            first = self.beginning
            after = FilmFrame(0, first, {"image": first, "first": first})
            yield after
        first, image = (after.state[name].to(self.base) for name in ("first", "image"))
        most = band_energies(first - self.base)
        for index in range(after.index + 1, self.options.frames):
            start = self.base + self.options.keep * (image - self.base)
            dreamt = self.dream.on(start.clamp(0, 1), index, index / self.options.frames)
            image = self.base + hold_detail(dreamt - self.base, most)
            if self.options.loop:
                left = self.options.frames - index
                image = image + fade_back(left, self.options.frames, self.options.fps) * (
                    first - image
                )
            image = image.clamp(0, 1).contiguous()
            yield FilmFrame(index, image, {"image": image, "first": first})
