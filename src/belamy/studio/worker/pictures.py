"""A picture is made: an engine's steps, watched, stopped, saved."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from torch import Tensor
from torch.nn.modules.module import register_module_forward_pre_hook

from belamy.pixels.images import fit, load_picture, resize
from belamy.steps import Step
from belamy.studio.worker.channel import Channel
from belamy.studio.worker.control import Control
from belamy.studio.worker.order import Order
from belamy.studio.worker.preview import Preview
from belamy.studio.worker.progress import Progress
from belamy.studio.worker.saving import Saver

__all__ = ["Blend", "answer", "make_picture", "start_timer", "watch"]

_PATIENCE = 0.2  # seconds that a step has to end by itself once the user stops


def make_picture(order: Order, control: Control, channel: Channel) -> None:
    """Run an engine of pictures; each step's picture stands by itself where it makes several."""
    saver = Saver(channel, order)
    options = order.make_options()
    blend = Blend.of(order, options)
    latest: list[Step] = []
    several = order.engine.name == "gan_paint" and options.sheet is False

    def save(state: str) -> None:
        if several or not latest:
            saver.finish(state, None)
            return
        image, raw = blend.apply(latest[-1])
        saver.finish(state, _with(latest[-1], image, blend), raw)

    control.on_stop(lambda: start_timer(partial(save, "stopped")))
    for step in watch(order, control, channel, blend.options, blend.show):
        latest[:] = [step]
        if several:
            saver.save(step, "done")
    save("stopped" if control.stopped else "done")


def answer(order: Order, control: Control, channel: Channel) -> None:
    """Run an engine that answers in words."""
    saver = Saver(channel, order)
    guesses = order.engine.load_function()(**order.arguments())
    channel.send({"type": "answer", "job": order.job, "answer": [asdict(one) for one in guesses]})
    saver.finish("done", None)


def start_timer(act: Callable[[], None]) -> None:
    """Have something done in another thread, once a step had time to end by itself."""
    timer = threading.Timer(_PATIENCE, act)
    timer.daemon = True
    timer.start()


def watch(
    order: Order,
    control: Control,
    channel: Channel,
    options: Any,
    show: Callable[[Step], Tensor],
) -> Iterator[Step]:
    """The engine's steps until the user stops, each shown if a frame is due.

    A stop ends the step that is under way, too, before the next layer of its network.
    """
    preview, progress = Preview(channel, order.job), Progress(channel, order.job)
    arguments = {name: getattr(options, name) for name in order.arguments()}
    steps = order.engine.load_function()(**arguments)
    try:
        with _layers_until_stopped(control), closing(steps):
            for number, step in enumerate(_until_stopped(steps, control)):
                if number == 0:
                    channel.send({"type": "state", "job": order.job, "state": "working"})
                preview.offer(show(step), _full_size(order, step))
                progress.update(step.index, step.total, step.fraction, step.losses, step.note)
                yield step
    finally:
        preview.close()
        progress.close()
        channel.send(
            {
                "type": "cost",
                "job": order.job,
                "frames": preview.sent,
                "seconds": round(preview.seconds, 4),
            }
        )


class _Stopped(BaseException):
    """The user has stopped the work; no error, so that nothing that handles errors takes it."""


@contextmanager
def _layers_until_stopped(control: Control) -> Iterator[None]:
    """No layer begins once the user has stopped the work, in whichever thread: films have several
    frames under way, and end when the last of their threads does."""

    def look(module: object, given: object) -> None:
        if control.stopped:
            raise _Stopped

    handle = register_module_forward_pre_hook(look)
    try:
        yield
    finally:
        handle.remove()


def _until_stopped(steps: Iterator[Step], control: Control) -> Iterator[Step]:
    """Steps until the user stops; the one that is under way by then is not ended."""
    while not control.stopped:
        try:
            step = next(steps, None)
        except _Stopped:
            return
        if step is None:
            return
        yield step


def _full_size(order: Order, step: Step) -> tuple[int, int]:
    """Width and height that the result will have: sizes of octaves and scales are smaller."""
    height, width = step.image.shape[-2:]
    side = step.recipe.options.get("size") if step.recipe is not None else None
    if order.engine.name not in ("dream", "style") or not isinstance(side, int):
        return width, height
    width, height = order.picture_size or (width, height)
    height, width = fit(height, width, side)
    return width, height


class Blend:
    """Strength, where it is a plain blend: the engine works at full strength, so that what it made
    is there to be blended otherwise.

    Args:
        options: the engine's, at full strength where this blends.
        strength: as the user has it; None where the engine sees to it itself.
    """

    def __init__(self, options: Any, strength: float | None, source: Any) -> None:
        self.options, self.strength, self._source = options, strength, source
        self._base: Tensor | None = None

    @classmethod
    def of(cls, order: Order, options: Any) -> Blend:
        """What suits a job: a mask or the picture's colours are the engine's own affair."""
        source = order.files.get("picture")
        masked = order.files.get("mask") is not None
        if not order.engine.blends or source is None or masked or options.keep_colors:
            return cls(options, None, source)
        return cls(replace(options, strength=1.0), options.strength, source)

    def show(self, step: Step) -> Tensor:
        """What is shown on the way: at the user's strength."""
        if self.strength in (None, 1.0):
            return step.image
        return self._over(step.image)

    def apply(self, step: Step) -> tuple[Tensor, Tensor | None]:
        """The result, and what it was before it was blended."""
        if self.strength is None:
            return step.image, None
        return self.show(step), step.image

    def _over(self, image: Tensor) -> Tensor:
        assert self.strength is not None
        size = (image.shape[-2], image.shape[-1])
        if self._base is None:
            self._base = load_picture(self._source).image
        base = self._base if tuple(self._base.shape[-2:]) == size else resize(self._base, size)
        ground = base.to(image.device)
        return ground + (image - ground) * self.strength


def _with(step: Step, image: Tensor, blend: Blend) -> Step:
    """A step whose picture and recipe are those of the strength that was asked for."""
    if blend.strength in (None, 1.0) or step.recipe is None:
        return replace(step, image=image)
    options = {**step.recipe.options, "strength": blend.strength}
    return replace(step, image=image, recipe=replace(step.recipe, options=options))
