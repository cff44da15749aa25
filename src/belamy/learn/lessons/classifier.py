"""The lesson on a classifier from end to end: a new last level learns, and an error goes back."""

from __future__ import annotations

from functools import partial

from belamy.errors import OptionError
from belamy.learn.engine import steps_of
from belamy.learn.lessons import Language, Lesson
from belamy.learn.lessons.options import within
from belamy.learn.texts import texts

__all__ = ["classifier", "classifier_steps"]

_TOLD = 5


def classifier(
    data: str = "",
    *,
    pictures: int = 600,
    passes: int = 40,
    seed: int = 0,
    language: Language = "en",
) -> Lesson:
    """Cat or dog, from end to end: a network learns your classes, and an error goes back.

    Args:
        data: folder or zip of your pictures, laid out as train/CLASS/PICTURE and
            test/CLASS/PICTURE (or val/).
        pictures: to learn from, 8 to 20000, chosen by chance; a third as many to be judged by.
        passes: over all of them, 1 to 1000.
        seed: of the choice, the first weights and the order.
        language: of the texts.
    """
    if not data:
        raise OptionError(
            "no pictures named; write: belamy learn classifier PICTURES, a folder or zip with "
            "train/CLASS/… and test/CLASS/…, such as train/cat/1.jpg"
        )
    within("--pictures", pictures, 8, 20_000)
    within("--passes", passes, 1, 1000)
    within("--seed", seed, 0, 2**63)
    from belamy.learn.drawings.classifier import draw_error
    from belamy.learn.transfer import MODEL, Learner

    say = texts(language)
    learner = Learner(data, pictures, seed)
    classes = ", ".join(learner.classes)
    weights = say.grouped(learner.size)
    yield say("classifier.begin", network=MODEL, classes=classes, weights=weights, seed=seed)
    yield say("classifier.data", count=len(learner.labels), data=data)
    told = {round(passes * part / _TOLD) for part in range(_TOLD + 1)}
    for number in range(passes + 1):
        learner.learn(number)
        if number in told:
            yield say(
                "classifier.step",
                epoch=number,
                loss=learner.losses[-1][0],
                other=learner.losses[-1][1],
                held=len(learner.test_labels),
                accuracy=learner.accuracy,
            )
    error = learner.error()
    yield say("classifier.sums", wanted=1, output=error.output, error=error.size)
    for level in error.levels:
        size = "×".join(map(str, level.shape))
        yield say("classifier.level", name=level.name, size=size, slope=level.mean)
    yield partial(draw_error, error, learner.losses, learner.accuracy, say)


classifier_steps = steps_of(classifier)
