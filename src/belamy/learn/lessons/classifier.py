"""The lesson on a classifier from end to end: a new last layer learns, and an error goes back."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from belamy.checks import Between
from belamy.errors import OptionError
from belamy.learn.engine import as_engine
from belamy.learn.lessons import Language, Lesson, Seed, as_lesson
from belamy.learn.texts import texts

__all__ = ["classifier", "classifier_steps"]

_LINES = 5


@as_lesson
def classifier(
    data: str = "",
    *,
    model: Literal["auto", "efficientnet_lite2", "efficientnet_lite0", "iris"] = "auto",
    pictures: Annotated[int, Between(8, 20_000)] = 600,
    epochs: Annotated[int, Between(1, 1000)] = 40,
    seed: Seed = 0,
    language: Language = "en",
) -> Lesson:
    """Cat or dog, from end to end: a network learns your classes, and an error goes back.

    Args:
        data: folder or zip of your pictures, laid out as train/CLASS/PICTURE and
            test/CLASS/PICTURE (or val/).
        model: the network that already sees, all of whose layers stay as they are; auto takes the
            best that is here.
        pictures: to learn from, chosen at random; a third as many to be judged by.
        epochs: passes over all of them.
        seed: of the choice, the first weights and the order.
        language: of the texts.
    """
    if not data:
        raise OptionError(
            "no pictures named; write: belamy learn classifier PICTURES, a folder or zip with "
            "train/CLASS/… and test/CLASS/…, such as train/cat/1.jpg"
        )
    from belamy.learn.drawings.classifier import draw_error
    from belamy.learn.transfer import TransferLearner
    from belamy.networks.find import choose_backbone

    say = texts(language)
    learner = TransferLearner(data, pictures, seed, network := choose_backbone(model))
    classes = ", ".join(learner.classes)
    weights = say.group_digits(learner.size)
    yield say("classifier.begin", network=network, classes=classes, weights=weights, seed=seed)
    yield say("classifier.data", count=len(learner.labels), data=data)
    reported = {round(epochs * part / _LINES) for part in range(_LINES + 1)}
    for epoch in range(epochs + 1):
        learner.train_epoch(epoch)
        if epoch in reported:
            yield say(
                "classifier.step",
                epoch=epoch,
                loss=learner.losses[-1][0],
                other=learner.losses[-1][1],
                held=len(learner.test_labels),
                accuracy=learner.accuracy,
            )
    error = learner.trace_error()
    yield say("classifier.sums", target=1, output=error.output, error=error.size)
    for layer in error.layers:
        size = "×".join(map(str, layer.shape))
        yield say("classifier.layer", name=layer.name, size=size, gradient=layer.mean)
    yield partial(draw_error, error, learner.losses, learner.accuracy, say)


classifier_steps = as_engine(classifier)
