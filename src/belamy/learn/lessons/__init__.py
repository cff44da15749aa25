"""The lessons of `belamy learn`.

A lesson is a generator of what it says and what it shows, in that order: lines of text, and
drawings, each a function that draws when it is called. The last drawing is the lesson's picture;
all of them, one after the other, are its film. So a picture costs one drawing, however many the
lesson offers.

    def lesson(*, seed: int = 0, language: Language = "en") -> Lesson:
        say = texts(language)
        yield say("lesson.begins")
        for state in learning:
            yield partial(draw, state, say)

The modules here import neither numpy nor matplotlib until a lesson begins, so that the command
line can read their signatures at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Drawing", "Language", "Lesson"]

Language: TypeAlias = Literal["en", "it"]
Drawing: TypeAlias = "Callable[[], Figure]"
Lesson: TypeAlias = "Iterator[str | Drawing]"
