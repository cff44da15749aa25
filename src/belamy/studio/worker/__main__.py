"""`python -m belamy.studio.worker`: does jobs, one after another, until the studio is closed."""

from __future__ import annotations

import gc
import os
import queue
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from belamy.errors import BelamyError, PictureWarning
from belamy.memory import give_back
from belamy.studio.worker.channel import Channel
from belamy.studio.worker.control import Control
from belamy.studio.worker.order import Order

Work: TypeAlias = Callable[[Order, Control, Channel], None]

_LAST_STEP = 1.5  # seconds that a training has to finish its step and save
_ABSENT = ("memoryerror", "enough memory", "allocate memory", "out of memory", "bad alloc")


def main() -> None:
    """Listen, and work."""
    channel = Channel.take_over()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is the server's affair
    orders: queue.Queue[tuple[Order, Control]] = queue.Queue()
    controls: dict[str, Control] = {}
    threading.Thread(target=_listen, args=(channel, orders, controls), daemon=True).start()
    _prepare(sys.argv[1:], channel)
    while True:
        order, control = orders.get()
        _work(order, control, channel)
        _give_back_memory()
        controls.pop(order.job, None)
        channel.send({"type": "free", "job": order.job})


def _prepare(lanes: list[str], channel: Channel) -> None:
    """Load what every job needs, so that the first one begins at once."""
    if "lessons" in lanes:
        channel.send({"type": "ready", "device": "cpu", "threads": 1})
        return
    import torch

    from belamy.devices import choose_device

    if "pictures" in lanes:
        import belamy.studio.worker.pictures  # noqa: F401
        from belamy.engines.dream.api import dream_steps

        for step in dream_steps(torch.zeros(1, 3, 96, 128), octaves=1, steps=1):
            assert step.total == 1
    threads = torch.get_num_threads()
    channel.send({"type": "ready", "device": str(choose_device()), "threads": threads})


def _listen(
    channel: Channel,
    orders: queue.Queue[tuple[Order, Control]],
    controls: dict[str, Control],
) -> None:
    """Take the server's lines; the process ends when the server does."""
    try:
        for message in channel.orders():
            job = message.get("job", "")
            if message["type"] == "start":
                controls[job] = Control()
                orders.put((Order.read(message), controls[job]))
            elif job in controls:
                control = controls[job]
                if message["type"] == "stop":
                    control.stop()
                elif message["type"] == "control":
                    control.command(message)
    except Exception:
        traceback.print_exc()
    _end(controls)


def _end(controls: dict[str, Control]) -> None:
    """The studio is closed: a training saves what it has learned, all else ends at once."""
    if "training" in sys.argv[1:]:
        for control in list(controls.values()):
            control.stop()
        end = time.monotonic() + _LAST_STEP
        while controls and time.monotonic() < end:
            time.sleep(0.02)
    os._exit(0)


def _work(order: Order, control: Control, channel: Channel) -> None:
    """One job, whatever becomes of it."""
    channel.send({"type": "state", "job": order.job, "state": "loading"})
    try:
        with _warnings_to(channel, order.job):
            _choose(order)(order, control, channel)
    except BelamyError as error:
        _fail(channel, order, str(error))
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        if any(word in text.lower() for word in _ABSENT):
            _fail(channel, order, "out of memory; try a smaller size, your settings are kept")
            return
        traceback.print_exc()
        _fail(channel, order, f"this is a fault of belamy's ({text})")


def _give_back_memory() -> None:
    """What the job freed goes back to the system: glibc keeps about a hundred megabytes else."""
    gc.collect()
    give_back()


def _choose(order: Order) -> Work:
    """What does a kind of job."""
    kind = order.engine.kind
    if kind in ("lesson", "finish"):
        work: Work = order.engine.load_function()
        return work
    if kind == "training":
        from belamy.studio.worker.training import train

        return train
    from belamy.studio.worker import pictures

    if kind == "film":
        from belamy.studio.worker.films import make_film

        return make_film
    return pictures.answer if kind == "answer" else pictures.make_picture


def _fail(channel: Channel, order: Order, message: str) -> None:
    line = " ".join(message.split())[:600]
    channel.send({"type": "finished", "job": order.job, "state": "failed", "message": line})


@contextmanager
def _warnings_to(channel: Channel, job: str) -> Iterator[None]:
    """Send what the library warns of to the user."""

    def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if issubclass(category, PictureWarning):
            note = " ".join(str(message).split())
            channel.send({"type": "note", "job": job, "note": note})

    with warnings.catch_warnings():
        warnings.simplefilter("always", PictureWarning)
        warnings.showwarning = show
        yield


if __name__ == "__main__":
    main()
