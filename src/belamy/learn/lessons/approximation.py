"""The fifth lesson: one hidden level is enough, if it is wide enough."""

from __future__ import annotations

from functools import partial

from belamy.learn.lessons import Language, Lesson
from belamy.learn.lessons.options import known, numbers, within
from belamy.learn.texts import texts

__all__ = ["approximation"]


def approximation(
    *,
    function: str = "chirp",
    widths: str = "2,4,8,16,32,64",
    seed: int = 0,
    language: Language = "en",
) -> Lesson:
    """Universal approximation: one hidden level imitates a function, the better the wider.

    Args:
        function: what to imitate on [0, 1]: sine, chirp, bump, mountains or root.
        widths: neurons of the hidden level, rising, as in 2,8,32; 1 to 256, 8 at most.
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
    wanted = FUNCTIONS[known("function", function, FUNCTIONS)]
    sizes = sorted(set(numbers("--widths", widths, int, 1, 256)))
    within("--seed", seed, 0, 2**63)
    yield say("approximation.begin", function=function, seed=seed)
    attempts = []
    for width in sizes:
        built = sum_of_steps(wanted, width)
        trained = fit(wanted, width, np.random.default_rng(seed))
        bound = largest_change(wanted, 0.5 / (width + 1))
        errors = (largest_error(wanted, built), largest_error(wanted, trained))
        attempts.append(Attempt(width, built, trained, *errors))
        yield say(
            "approximation.width", width=width, built=errors[0], bound=bound, trained=errors[1]
        )
        yield partial(draw_approximation, wanted, tuple(attempts), sizes, say)
    yield say("approximation.end")
