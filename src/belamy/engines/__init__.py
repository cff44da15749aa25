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
    "anystyle": "belamy.engines.anystyle.api:any_style_steps",
    "atlas": "belamy.engines.dream.atlas_api:atlas_steps",
    "defog": "belamy.engines.defog.api:defog_steps",
    "dream": "belamy.engines.dream.api:dream_steps",
    "dream-walk": "belamy.engines.film.api:dream_walk_steps",
    "dream-zoom": "belamy.engines.film.api:dream_zoom_steps",
    "explain": "belamy.engines.classify.api:explain_steps",
    "faststyle": "belamy.engines.faststyle.api:apply_style_steps",
    "film-anystyle": "belamy.engines.film.api:any_style_film_steps",
    "film-defog": "belamy.engines.film.api:defog_film_steps",
    "film-dream": "belamy.engines.film.api:dream_film_steps",
    "film-faststyle": "belamy.engines.film.api:apply_style_film_steps",
    "film-style": "belamy.engines.film.api:style_film_steps",
    "film-translate": "belamy.engines.film.api:translate_film_steps",
    "fog": "belamy.engines.defog.fog_api:fog_steps",
    "gan-edit": "belamy.engines.gan.sample_api:gan_edit_steps",
    "gan-evaluate": "belamy.engines.gan.api:gan_evaluate_steps",
    "gan-mix": "belamy.engines.gan.sample_api:gan_mix_steps",
    "gan-paint": "belamy.engines.gan.sample_api:gan_paint_steps",
    "gan-project": "belamy.engines.gan.sample_api:gan_project_steps",
    "gan-walk": "belamy.engines.gan.sample_api:gan_walk_steps",
    "learn-approximation": "belamy.learn.lessons.approximation:approximation_steps",
    "learn-backprop": "belamy.learn.lessons.backprop:backprop_steps",
    "learn-classifier": "belamy.learn.lessons.classifier:classifier_steps",
    "learn-cnn": "belamy.learn.lessons.cnn:cnn_steps",
    "learn-complexity": "belamy.learn.lessons.complexity:complexity_steps",
    "learn-depth": "belamy.learn.lessons.depth:depth_steps",
    "learn-gan_toy": "belamy.learn.lessons.gan:gan_toy_steps",
    "learn-mlp": "belamy.learn.lessons.mlp:mlp_steps",
    "learn-neuron": "belamy.learn.lessons.neuron:neuron_steps",
    "learn-perceptron": "belamy.learn.lessons.perceptron:perceptron_steps",
    "style": "belamy.engines.style.api:style_steps",
    "translate": "belamy.engines.translate.api:translate_steps",
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
