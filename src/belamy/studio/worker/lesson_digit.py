"""LeNet-5 reads a digit that somebody drew; what each layer makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from belamy.basics.digits import as_mnist, draw_digits
from belamy.basics.lenet import LeNet5, activations, classify_digits, to_tensors, train_steps
from belamy.files import atomic_path
from belamy.pixels.images import load_image
from belamy.studio.catalog.lessons import DigitLesson
from belamy.studio.worker.channel import Channel
from belamy.studio.worker.control import Control
from belamy.studio.worker.order import Order
from belamy.studio.worker.pace import encode_levels, end_lesson

__all__ = ["teach"]

_HELD_OUT, _HELD_OUT_SEED = 500, 1 << 40  # digits to be judged by; added to the seed
_REACH = 1.72  # of the paper's neurons


def teach(order: Order, control: Control, channel: Channel) -> None:
    """Read the digit; learn to read first, if it has not done so."""
    options: DigitLesson = order.make_options()
    network = _load(order, control, channel, options)
    if network is not None:
        channel.send(_read(network, _digit(options), order.job))
    end_lesson(order, control, channel)


def _digit(options: DigitLesson) -> NDArray[np.float32]:
    """(28, 28), white on black."""
    if options.image is None:
        drawn, _ = draw_digits(1, options.seed)
        return np.asarray(drawn[0] / 255, np.float32)
    return as_mnist(load_image(options.image, background="black")[0].mean(dim=0).numpy())


def _load(order: Order, control: Control, channel: Channel, options: DigitLesson) -> LeNet5 | None:
    """The network as it was kept, or trained now; None if the user stopped that."""
    kept = order.raw.parent / f"lenet-{options.count}-{options.epochs}-{options.seed}.safetensors"
    network = LeNet5(options.seed)
    if kept.is_file():
        network.load_state_dict(load_file(kept))
        return network
    held_out = to_tensors(*draw_digits(_HELD_OUT, options.seed + _HELD_OUT_SEED))
    total = options.count * options.epochs
    work = train_steps(network, options.count, held_out, options.epochs, options.seed)
    for snapshot in work:
        if control.stopped:
            return None
        message = {"type": "lesson", "lesson": "digit", "job": order.job, "training": True}
        loss, accuracy = round(snapshot.loss, 4), round(snapshot.accuracy, 4)
        channel.send({**message, "epoch": snapshot.seen, "loss": loss, "accuracy": accuracy})
        done = min(1.0, snapshot.seen / total)
        progress = {"step": snapshot.seen, "total": total, "done": done, "eta": None}
        channel.send({"type": "progress", "job": order.job, "losses": {}, **progress})
    _keep(network, kept)
    return network


def _keep(network: LeNet5, path: Path) -> None:
    with atomic_path(path) as temporary:
        save_file(network.state_dict(), temporary)


def _read(network: LeNet5, digit: NDArray[np.float32], job: str) -> dict[str, Any]:
    """What the network makes of it."""
    with torch.no_grad():
        scores = classify_digits(network, digit[None])[0]
        maps = activations(network, digit)
    return {
        "type": "lesson",
        "lesson": "digit",
        "job": job,
        "scores": [round(float(score), 4) for score in scores],
        "maps": [
            {
                "layer": name.upper(),
                "count": len(found),
                "side": found.shape[-1],
                "data": encode_levels(found / (2 * _REACH) + 0.5),
            }
            for name, found in maps.items()
        ],
        "seen": {"side": len(digit), "data": encode_levels(digit)},
    }
