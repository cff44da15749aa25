"""The lessons of `belamy learn`.

A lesson is a generator of what it says and what it shows, in that order: lines of text, and
drawings, each a function that draws when it is called. The last drawing is the lesson's picture;
all of them, one after the other, are its film. So a picture costs one drawing, however many the
lesson offers.

    @as_lesson
    def lesson(*, seed: Seed = 0, language: Language = "en") -> Lesson:
        say = texts(language)
        yield say("lesson.begins")
        for state in learning:
            yield partial(draw, state, say)

Arguments are held to their annotations when a lesson is called. The modules here import neither
numpy nor matplotlib until a lesson begins, so that the command line can read their signatures at
once.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Literal, ParamSpec, TypeAlias

from belamy.checks import Between, check_arguments, check_keywords

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Drawing", "Language", "Lesson", "Seed", "as_lesson"]

P = ParamSpec("P")

Language: TypeAlias = Literal["en", "it"]
Drawing: TypeAlias = "Callable[[], Figure]"
Lesson: TypeAlias = "Iterator[str | Drawing]"
Seed: TypeAlias = Annotated[int, Between(0, 2**63)]


def as_lesson(lesson: Callable[P, Lesson]) -> Callable[P, Lesson]:
    """A lesson that holds its arguments to their annotations as soon as it is called.

    Raises:
        OptionError: (when called) a value of another type, or out of its range.
        UnknownName: (when called) none of the choices.
        TypeError: (when called) an argument that is none of its own; names the nearest.
    """

    @functools.wraps(lesson)
    def begin(*args: P.args, **kwargs: P.kwargs) -> Lesson:
        signature = inspect.signature(lesson)
        check_keywords(lesson.__name__, signature.parameters, kwargs)
        check_arguments(lesson, signature.bind(*args, **kwargs).arguments)
        return lesson(*args, **kwargs)

    return begin
