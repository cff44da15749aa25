"""A lesson as an engine: what its picture's recipe says, and how the picture is made again."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ParamSpec

import belamy
from belamy.learn.lessons import Lesson
from belamy.steps import Step

if TYPE_CHECKING:
    from belamy.pixels.recipe import Recipe

__all__ = ["as_engine", "lesson_recipe"]

P = ParamSpec("P")


def lesson_recipe(lesson: Callable[..., Lesson], options: dict[str, Any]) -> Recipe:
    """How the picture of a lesson was made.

    Args:
        lesson: which.
        options: all of its arguments; for a model chosen by itself, the one that was chosen.
    """
    from importlib import metadata  # which brings the modules of e-mail

    from belamy.pixels.recipe import Recipe

    if options.get("model") == "auto":
        from belamy.networks.find import choose_backbone

        options = {**options, "model": choose_backbone("auto")}
    return Recipe(
        engine=f"learn-{lesson.__name__}",
        options=options,
        inputs=(),
        weights={},
        seed=options.get("seed", 0),
        belamy=belamy.__version__,
        torch=metadata.version("torch"),  # whose import would take seconds
    )


def as_engine(lesson: Callable[P, Lesson]) -> Callable[P, Iterator[Step]]:
    """A function with the arguments of a lesson that yields its picture."""

    @functools.wraps(lesson)
    def steps(*args: P.args, **kwargs: P.kwargs) -> Iterator[Step]:
        from belamy.learn.drawings.style import render
        from belamy.pixels.images import from_pil

        given = lesson(*args, **kwargs)
        bound = inspect.signature(lesson).bind(*args, **kwargs)
        bound.apply_defaults()
        options = dict(bound.arguments)
        *_, drawing = (shown for shown in given if not isinstance(shown, str))
        image = from_pil(render(drawing, language=str(options.get("language", "en")))).image
        yield Step(1, 1, image, {}, recipe=lesson_recipe(lesson, options))

    return steps
