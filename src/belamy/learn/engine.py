"""The pictures of `belamy learn` as an engine: what their recipes say, how to make them again."""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ParamSpec

import belamy
from belamy.learn.lessons import Lesson
from belamy.learn.lessons.approximation import approximation
from belamy.learn.lessons.backprop import backprop
from belamy.learn.lessons.cnn import cnn
from belamy.learn.lessons.depth import depth
from belamy.learn.lessons.mlp import mlp
from belamy.learn.lessons.neuron import neuron
from belamy.learn.lessons.perceptron import perceptron
from belamy.steps import Step

if TYPE_CHECKING:
    from belamy.pixels.recipe import Recipe

__all__ = [
    "approximation_steps",
    "backprop_steps",
    "cnn_steps",
    "depth_steps",
    "lesson_recipe",
    "mlp_steps",
    "neuron_steps",
    "perceptron_steps",
    "steps_of",
]

P = ParamSpec("P")


def lesson_recipe(lesson: Callable[..., Lesson], options: dict[str, Any]) -> Recipe:
    """How the picture of a lesson was made.

    Args:
        lesson: which.
        options: all of its arguments.
    """
    from belamy.pixels.recipe import Recipe

    return Recipe(
        engine=f"learn-{lesson.__name__}",
        options=options,
        inputs=(),
        weights={},
        seed=options.get("seed", 0),
        belamy=belamy.__version__,
        torch=importlib.metadata.version("torch"),  # whose import would take seconds
    )


def steps_of(lesson: Callable[P, Lesson]) -> Callable[P, Iterator[Step]]:
    """A function with the arguments of a lesson, all of them given, that yields its picture."""

    @functools.wraps(lesson)
    def steps(*args: P.args, **kwargs: P.kwargs) -> Iterator[Step]:
        from belamy.learn.drawings.style import rendered
        from belamy.pixels.images import from_pil

        *_, drawing = (shown for shown in lesson(*args, **kwargs) if not isinstance(shown, str))
        image = from_pil(rendered(drawing)).image
        yield Step(1, 1, image, {}, recipe=lesson_recipe(lesson, kwargs))

    return steps


approximation_steps = steps_of(approximation)
backprop_steps = steps_of(backprop)
cnn_steps = steps_of(cnn)
depth_steps = steps_of(depth)
mlp_steps = steps_of(mlp)
neuron_steps = steps_of(neuron)
perceptron_steps = steps_of(perceptron)
