"""A network is trained, watched: its losses, samples and alarms; it stops between two steps."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from PIL import Image

from belamy.studio.store.records import new_id
from belamy.studio.worker.channel import Channel
from belamy.studio.worker.control import Control
from belamy.studio.worker.order import Order
from belamy.studio.worker.preview import send_frame
from belamy.studio.worker.progress import Progress
from belamy.studio.worker.saving import Saver, save_thumb

__all__ = ["train"]


def train(order: Order, control: Control, channel: Channel) -> None:
    """Train in the run folder of the job, from its last checkpoint if it has one."""
    saver = Saver(channel, order)
    config = order.make_options()
    work = order.engine.load_function()(config, order.run)
    progress = Progress(channel, order.job)
    shown: Path | None = None
    with _interrupted_by(control), suppress(KeyboardInterrupt):
        for news in work:
            channel.send({"type": "state", "job": order.job, "state": "working"})
            losses = {**news.losses, **news.measures}
            progress.update(news.step, news.total_steps, None, losses, news.note)
            latest = _latest_sample(order.run)
            if latest is not None and latest != shown:
                shown = latest
                _show(channel, order.job, latest)
    _keep_sample(order, channel, shown)
    stopped = control.stopped
    message = "stopped; it goes on where it was" if stopped else ""
    saver.finish("stopped" if stopped else "done", None, message=message)


@contextmanager
def _interrupted_by(control: Control) -> Iterator[None]:
    """A stop is a Ctrl-C to the trainer, which finishes its step and saves."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    control.on_stop(lambda: os.kill(os.getpid(), signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


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
    message: dict[str, Any] = {"type": "result", "job": order.job, "id": name}
    with suppress(OSError, ValueError), Image.open(path) as picture:
        target.write_bytes(path.read_bytes())
        save_thumb(picture, order.thumbs / f"{name}.webp")
        message |= {"file": target.name, "width": picture.width, "height": picture.height}
        channel.send({**message, "state": "done", "latents": False, "raw": False})
