"""The lessons of `belamy learn` that are drawn, page after page: their options as dataclasses.

They are made of the lessons' own signatures, so that what a lesson takes is taken here too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, make_dataclass
from typing import Any, Literal

from belamy.checks import argument_types, check_options
from belamy.learn.lessons import Lesson
from belamy.learn.lessons.approximation import approximation
from belamy.learn.lessons.backprop import backprop
from belamy.learn.lessons.classifier import classifier
from belamy.learn.lessons.complexity import complexity
from belamy.learn.lessons.depth import depth
from belamy.learn.lessons.neuron import neuron
from belamy.learn.lessons.perceptron import perceptron

__all__ = [
    "ApproximationLesson",
    "BackpropLesson",
    "ClassifierLesson",
    "ComplexityLesson",
    "DepthLesson",
    "NeuronLesson",
    "PerceptronLesson",
]


def _form(lesson: Callable[..., Lesson], **words: Any) -> type[Any]:
    """The arguments of a lesson as a dataclass that checks itself.

    Args:
        lesson: which.
        words: annotations of arguments whose words stand in a table that the lesson reads later.
    """
    types: Mapping[str, Any] = {**argument_types(lesson), **words}
    rows: list[Any] = []
    for name, parameter in inspect.signature(lesson).parameters.items():
        usual = MISSING if parameter.default is parameter.empty else parameter.default
        rows.append((name, types[name], field(default=usual)))
    name = "".join(part.capitalize() for part in lesson.__name__.split("_")) + "Lesson"
    inside = {"__post_init__": check_options, "__doc__": inspect.getdoc(lesson)}
    made = make_dataclass(name, rows, frozen=True, eq=False, kw_only=True, namespace=inside)
    made.__module__ = __name__
    return made


NeuronLesson = _form(neuron)
PerceptronLesson = _form(perceptron, points=Literal["blobs", "moons", "circles", "spirals", "xor"])
BackpropLesson = _form(backprop)
ApproximationLesson = _form(
    approximation, function=Literal["sine", "chirp", "bump", "mountains", "root"]
)
DepthLesson = _form(depth)
ComplexityLesson = _form(complexity)
ClassifierLesson = _form(classifier)
