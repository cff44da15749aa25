"""The lesson on networks that see: LeNet-5 learns to read digits that are drawn for it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

from belamy.checks import Between
from belamy.learn.engine import as_engine
from belamy.learn.lessons import Language, Lesson, Seed, as_lesson
from belamy.learn.texts import Texts, texts

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from belamy.basics.lenet import LeNet5, Snapshot
    from belamy.learn.drawings.cnn import Reading

__all__ = ["cnn", "cnn_steps"]

_HELD_OUT = 2000  # new digits to be judged by
_HELD_OUT_SEED = 1 << 40  # added to the seed, so that they are others than those learned from
_WATCHED = 2  # the digit that is drawn: strokes of every direction
_DRAWN = 30  # of the new digits
_EVERY = 4  # of the snapshots that are shown, every fourth has a line


@as_lesson
def cnn(
    *,
    image: str | Sequence[str] = (),
    count: Annotated[int, Between(1000, 200_000)] = 24_000,
    epochs: Annotated[int, Between(1, 50)] = 4,
    seed: Seed = 0,
    language: Language = "en",
) -> Lesson:
    """A convolutional network, LeNet-5, learns to read digits; its filters and maps are drawn.

    Args:
        image: a picture of one digit of yours, to be read at the end; several may be named. The
            first one is drawn.
        count: digits to learn from, drawn here.
        epochs: how often it sees each of them.
        seed: of the digits and of the first weights.
        language: of the texts.
    """
    names = [image] if isinstance(image, str) else list(image)
    from belamy.basics.conv import wirings
    from belamy.basics.digits import draw_digits
    from belamy.basics.lenet import LeNet5, to_tensors, train_steps

    say = texts(language)
    own = {name: _load_digit(name) for name in names}  # before it learns, lest a name be wrong
    yield say("cnn.begin")
    for one in wirings(32, 6, 5):
        name = say(f"cnn.wired_{one.name}")
        connections, weights = say.group_digits(one.connections), say.group_digits(one.weights)
        yield say("cnn.wiring", name=name, connections=connections, weights=weights)
    yield say("cnn.data", count=say.group_digits(count), seed=seed)
    network = LeNet5(seed)
    weights = say.group_digits(sum(parameter.numel() for parameter in network.parameters()))
    yield say("cnn.network", weights=weights)
    pictures, labels = draw_digits(_HELD_OUT, seed + _HELD_OUT_SEED)
    drawn = pictures[labels == _WATCHED][0] / 255
    watched = next(iter(own.values()), drawn).astype("float32")
    snapshots: list[Snapshot] = []
    for snapshot in train_steps(network, count, to_tensors(pictures, labels), epochs, seed):
        snapshots.append(snapshot)
        if len(snapshots) % _EVERY == 0:
            yield say("cnn.step", **{**vars(snapshot), "seen": say.group_digits(snapshot.seen)})
        yield partial(_draw, _read_one(network, watched, pictures, labels, snapshots), say)
    yield from _read_digits(network, own, say)


def _load_digit(name: str) -> NDArray[np.float32]:
    """The digit in a file, laid out as it should be."""
    from belamy.basics.digits import as_mnist
    from belamy.pixels.images import load_image

    return as_mnist(load_image(name)[0].mean(dim=0).numpy())


def _draw(reading: Reading, say: Texts) -> Figure:
    from belamy.learn.drawings.cnn import draw_cnn

    return draw_cnn(reading, say)


def _read_one(
    network: LeNet5,
    watched: NDArray[np.float32],
    pictures: NDArray[np.uint8],
    labels: NDArray[np.int64],
    snapshots: Sequence[Snapshot],
) -> Reading:
    """What is to be drawn of this snapshot, apart from the network, which goes on learning."""
    from belamy.basics.lenet import activations, classify_digits
    from belamy.learn.drawings.cnn import Reading

    few = slice(0, _DRAWN)
    answers = classify_digits(network, pictures[few]).argmax(axis=1)
    return Reading(
        picture=watched,
        filters=network.c1.weight.detach().numpy()[:, 0].copy(),
        maps=activations(network, watched),
        answer=classify_digits(network, watched[None])[0],
        progress=tuple((one.seen, one.accuracy) for one in snapshots),
        others=(pictures[few] / 255).astype("float32"),
        labels=labels[few],
        answers=answers,
        count=len(labels),
    )


def _read_digits(network: LeNet5, own: dict[str, NDArray[np.float32]], say: Texts) -> Lesson:
    """What it says of the pictures that were named."""
    from belamy.basics.lenet import classify_digits

    for name, picture in own.items():
        probabilities = classify_digits(network, picture[None])[0]
        second, best = probabilities.argsort()[-2:]
        yield say(
            "cnn.reads",
            name=name,
            digit=best,
            sure=probabilities[best],
            second=second,
            less=probabilities[second],
        )


cnn_steps = as_engine(cnn)
