"""The engines: each a generator of `Step`, and its place in the one table of them.

What is here imports no torch, so that the command line can look before anything is loaded.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

from belamy.errors import UnknownName

if TYPE_CHECKING:
    from belamy.steps import Step

__all__ = ["ENGINES", "engine"]

ENGINES = {
    "anystyle": "belamy.engines.anystyle:any_style_steps",
    "atlas": "belamy.engines.atlas:atlas_steps",
    "defog": "belamy.engines.defog:defog_steps",
    "dream": "belamy.engines.dream:dream_steps",
    "faststyle": "belamy.engines.faststyle:apply_style_steps",
    "fog": "belamy.engines.fog:fog_steps",
    "gan-edit": "belamy.engines.gan_edit:gan_edit_steps",
    "gan-evaluate": "belamy.engines.gan_evaluate:gan_evaluate_steps",
    "gan-mix": "belamy.engines.gan_paint:gan_mix_steps",
    "gan-paint": "belamy.engines.gan_paint:gan_paint_steps",
    "gan-project": "belamy.engines.gan_edit:gan_project_steps",
    "gan-walk": "belamy.engines.gan_paint:gan_walk_steps",
    "learn-approximation": "belamy.engines.lessons:approximation_steps",
    "learn-backprop": "belamy.engines.lessons:backprop_steps",
    "learn-classifier": "belamy.engines.lesson_classifier:classifier_steps",
    "learn-cnn": "belamy.engines.lessons:cnn_steps",
    "learn-complexity": "belamy.engines.lesson_complexity:complexity_steps",
    "learn-depth": "belamy.engines.lessons:depth_steps",
    "learn-gan_toy": "belamy.engines.gan_toy:gan_toy_steps",
    "learn-mlp": "belamy.engines.lessons:mlp_steps",
    "learn-neuron": "belamy.engines.lessons:neuron_steps",
    "learn-perceptron": "belamy.engines.lessons:perceptron_steps",
    "style": "belamy.engines.style:style_steps",
    "translate": "belamy.engines.translate:translate_steps",
}
"""Name in a recipe → the function that makes the picture again.

Its arguments are the recipe's options, its seed, and the paths of its inputs by their roles; its
last step holds the picture, and a recipe that says so.
"""


def engine(name: str) -> Callable[..., Iterator[Step]]:
    """The function of the engine called `name`.

    Raises:
        UnknownName: there is none of this name.
    """
    if name not in ENGINES:
        raise UnknownName("engine", name, ENGINES)
    module, _, function = ENGINES[name].partition(":")
    return cast("Callable[..., Iterator[Step]]", getattr(importlib.import_module(module), function))
