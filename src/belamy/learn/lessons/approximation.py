"""The fifth lesson: one hidden layer is enough, if it is wide enough."""

from __future__ import annotations

from functools import partial

from belamy.checks import Between
from belamy.learn.engine import as_engine
from belamy.learn.lessons import Language, Lesson, Seed, as_lesson
from belamy.learn.lessons.options import choose, parse_numbers
from belamy.learn.texts import texts

__all__ = ["approximation", "approximation_steps"]


@as_lesson
def approximation(
    *,
    function: str = "chirp",
    widths: str = "2,4,8,16,32,64",
    seed: Seed = 0,
    language: Language = "en",
) -> Lesson:
    """Universal approximation: one hidden layer imitates a function, the better the wider.

    Args:
        function: what to imitate on [0, 1]: sine, chirp, bump, mountains or root.
        widths: neurons of the hidden layer, rising, as in 2,8,32; 1 to 256, 8 at most.
        seed: of the first weights of the networks that are trained.
        language: of the texts.
    """
    import numpy as np

    from belamy.basics.approximation import (
        FUNCTIONS,
        fit,
        largest_change,
        largest_error,
        sum_of_steps,
    )
    from belamy.learn.drawings.approximation import Attempt, draw_approximation

    say = texts(language)
    target = choose("function", function, FUNCTIONS)
    sizes = sorted(set(parse_numbers("widths", widths, int, Between(1, 256))))
    yield say("approximation.begin", function=say.name(function), seed=seed)
    attempts = []
    for width in sizes:
        built = sum_of_steps(target, width)
        trained = fit(target, width, np.random.default_rng(seed))
        bound = largest_change(target, 0.5 / (width + 1))
        errors = (largest_error(target, built), largest_error(target, trained))
        attempts.append(Attempt(width, built, trained, *errors))
        yield say(
            "approximation.width", width=width, built=errors[0], bound=bound, trained=errors[1]
        )
        yield partial(draw_approximation, target, tuple(attempts), sizes, say)
    yield say("approximation.end")


approximation_steps = as_engine(approximation)
