"""A network is trained, watched: its losses, samples and alarms; it stops between two steps."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from PIL import Image

from belamy.studio.store.records import new_id
from belamy.studio.worker.channel import Channel
from belamy.studio.worker.control import Control
from belamy.studio.worker.order import Order
from belamy.studio.worker.preview import send_frame
from belamy.studio.worker.progress import Progress
from belamy.studio.worker.saving import Made, Saver, save_thumb, send_result
from belamy.training.trainer import TrainingProgress

__all__ = ["train"]

_TICK = 1.0  # seconds


def train(order: Order, control: Control, channel: Channel) -> None:
    """Train in the run folder of the job, from its last checkpoint if it has one."""
    saver = Saver(channel, order)
    config = order.make_options()
    work = order.engine.load_function()(config, order.run)
    progress = Progress(channel, order.job)
    shown: Path | None = None
    news = _News(work)
    with ExitStack() as held:
        held.enter_context(news.interrupted_by(control))
        for one in news:
            if one.current is not None:
                held.enter_context(_ticking(progress, one.current, one.total_steps))
            channel.send({"type": "state", "job": order.job, "state": "working"})
            losses = {**one.losses, **one.measures}
            progress.update(one.step, one.total_steps, None, losses, one.note)
            latest = _latest_sample(order.run)
            if latest is not None and latest != shown:
                shown = latest
                _show(channel, order.job, latest)
    progress.close()
    _keep_sample(order, channel, shown)
    message = "" if news.whole else "stopped; it goes on where it was"
    saver.finish("done" if news.whole else "stopped", None, message=message)


@contextmanager
def _ticking(progress: Progress, current: Callable[[], int], total: int) -> Iterator[None]:
    """Each second it says how far it is: on a laptop minutes lie between two reports."""
    over = threading.Event()

    def tick() -> None:
        while not over.wait(_TICK):
            progress.tick(current(), total)

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class _News:
    """What a training says, until it is over or the user stops it.

    A stop is a Ctrl-C to the trainer, which finishes its step and saves. It breaks into nothing
    else: a message to the server is never cut in two.

    Args:
        work: the training.
    """

    def __init__(self, work: Generator[TrainingProgress, None, None]) -> None:
        self._work = work
        self._inside = self._pressed = False
        self.whole = False

    @contextmanager
    def interrupted_by(self, control: Control) -> Iterator[None]:
        """Have the user's stop end the training."""
        previous = signal.signal(signal.SIGINT, self._interrupt)
        control.on_stop(lambda: os.kill(os.getpid(), signal.SIGINT))
        try:
            yield
        finally:
            self._inside = False
            self._work.close()
            signal.signal(signal.SIGINT, previous)

    def _interrupt(self, number: int, frame: object) -> None:
        self._pressed = True
        if self._inside:
            self._inside = False
            raise KeyboardInterrupt

    def __iter__(self) -> Iterator[TrainingProgress]:
        while not self._pressed:  # once it trains, the trainer takes the signal itself
            one = self._next()
            if one is None:
                return
            yield one

    def _next(self) -> TrainingProgress | None:
        try:
            self._inside = True
            one = next(self._work, None)
            self._inside = False
            self.whole = one is None
        except KeyboardInterrupt:
            return None
        return one


def _latest_sample(run: Path) -> Path | None:
    """The newest picture that the training has made on its way."""
    with suppress(OSError):
        found = sorted((run / "samples").glob("*.*"), key=lambda path: path.stat().st_mtime)
        return found[-1] if found else None
    return None


def _show(channel: Channel, job: str, path: Path) -> None:
    with suppress(OSError, ValueError), Image.open(path) as picture:
        send_frame(channel, job, 0, picture.convert("RGB"), picture.size)


def _keep_sample(order: Order, channel: Channel, path: Path | None) -> None:
    """The last sample is the training's result on the filmstrip."""
    if path is None:
        return
    name = new_id()
    target = order.results / f"{order.stem}{path.suffix}"
    with suppress(OSError, ValueError), Image.open(path) as picture:
        target.write_bytes(path.read_bytes())
        save_thumb(picture, order.thumbs / f"{name}.webp")
        made = Made(name, target, picture.size, "done")
        send_result(channel, order.job, made)
