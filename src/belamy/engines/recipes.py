"""The recipe of a picture, out of the object of options that it was made with."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

import torch
from PIL import Image

import belamy
from belamy.checks import picture_fields
from belamy.errors import BelamyError
from belamy.pixels.decode import open_picture
from belamy.pixels.film.folder import digest_frames
from belamy.pixels.film.kinds import are_frames
from belamy.pixels.images import Picture, Source, input_of
from belamy.pixels.metadata import CREDITS, credits_of
from belamy.pixels.recipe import JSON, Input, Recipe
from belamy.precision import AUTO, MACHINE

__all__ = ["as_list", "recipe_of"]

_NEVER_DERIVED = frozenset({*MACHINE, "latents", "model", "network", "seed"})
"""What a command says although nobody named it: another network may be the usual one tomorrow."""


def recipe_of(
    engine: str,
    options: Any,
    weights: Mapping[str, str],
    *,
    changed: Mapping[str, Any] | None = None,
    given: Any = None,
    step: int | None = None,
) -> Recipe:
    """How to make a picture again.

    Args:
        engine: a name of `belamy.engines.ENGINES`.
        options: the engine's dataclass, every open option filled in; its pictures as they were
            given, which become the recipe's inputs, by the name of their field.
        weights: network → SHA-256.
        changed: options that are written otherwise than they stand there.
        given: the same as they were given, before the machine chose what was `auto` and the engine
            filled in what was open; None: as `options`.
        step: see `Recipe`.

    Raises:
        ImageError, BelamyError: an input file cannot be read.
    """
    pictures = picture_fields(type(options))
    values = {field.name: getattr(options, field.name) for field in fields(options)}
    sources = [
        (role, source)
        for role in pictures
        for source in as_list(values[role])
        if not (changed and role in changed)
    ]
    inputs = [_input_of(role, source) for role, source in sources]
    plain = {name: value for name, value in values.items() if name not in pictures}
    written = {name: _plain(value) for name, value in {**plain, **(changed or {})}.items()}
    seed = values.get("seed", 0)
    return Recipe(
        engine=engine,
        options=written,
        inputs=tuple(inputs),
        weights=dict(weights),
        seed=seed,
        belamy=belamy.__version__,
        torch=torch.__version__,
        step=step,
        threads=torch.get_num_threads(),
        auto=tuple(name for name in MACHINE if getattr(given or options, name, None) == AUTO),
        derived=tuple(_list_derived(options if given is None else given, written)),
        credits=_credits(source for _, source in sources),
    )


def _list_derived(given: Any, written: Mapping[str, JSON]) -> Iterator[str]:
    """The options that were left as they are usually, and are written otherwise."""
    for field in fields(given):
        if field.name in written and field.name not in _NEVER_DERIVED:
            value = _plain(getattr(given, field.name))
            if value == _plain(field.default) and value != written[field.name]:
                yield field.name


def _credits(sources: Iterable[Source]) -> dict[str, str]:
    """What of the pictures' own artist, copyright and parameters is carried on.

    Several artists and holders are named one after the other; the first parameters stand for all.
    """
    found: dict[str, list[str]] = {name: [] for name in CREDITS}
    for source in sources:
        for name, text in _credits_of(source).items():
            if text not in found[name]:
                found[name].append(text)
    joined = {
        name: texts[0] if name == "parameters" else "; ".join(texts)
        for name, texts in found.items()
        if texts
    }
    return {name: text for name, text in joined.items() if len(text) <= CREDITS[name]}


def _credits_of(source: Source) -> dict[str, str]:
    if isinstance(source, Image.Image):
        return credits_of(source)
    if isinstance(source, Picture):
        return {} if source.recipe is None else source.recipe.credits
    if not isinstance(source, (str, os.PathLike)):
        return {}
    try:
        with open_picture(source) as picture:
            return credits_of(picture, source)
    except BelamyError:  # who reads its pixels says why
        return {}


def as_list(given: Source | Iterable[Source] | None) -> list[Any]:
    """One picture, several or none, as a list."""
    if given is None:
        return []
    if isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        return list(given)
    return [given]


def _plain(value: Any) -> JSON:
    """A value of an option as JSON has it: a path is its text."""
    if isinstance(value, os.PathLike):
        text: str = os.fspath(value)
        return text
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    plain: JSON = value
    return plain


def _input_of(role: str, source: Source) -> Input:
    """What a recipe says of a picture, or of a film's frames in files of their own."""
    if isinstance(source, (str, os.PathLike)) and are_frames(source):
        return Input(role, os.fspath(source), digest_frames(source))
    return input_of(role, source)
