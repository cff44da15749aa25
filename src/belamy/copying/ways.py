"""How each work is called: on the command line, in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from belamy.errors import UnknownName

__all__ = ["WAYS", "Kind", "Way", "choose_way", "find_way", "ways_of_command"]

Kind: TypeAlias = Literal["picture", "film", "frames", "answer", "training"]


@dataclass(frozen=True)
class Way:
    """One work.

    Args:
        function: in Python, below `belamy`.
        command: what is typed after `belamy`.
        recipe: the engine's name in recipes; "" where none is written.
        positional: the options and files that the command takes without a flag, in order.
        path: the command's whole name, where a word of it may be left out.
        switch: a flag that tells it from another work of the same command.
        kind: what comes out: `film` is one object, `frames` are those of another film.
        form: of a training, the class of its configuration.
        flags: options that the command calls otherwise.
        without: options that the command decides on itself.
    """

    function: str
    command: str
    recipe: str = ""
    positional: tuple[str, ...] = ()
    path: str = ""
    switch: str = ""
    kind: Kind = "picture"
    form: str = ""
    flags: tuple[tuple[str, str], ...] = ()
    without: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The command's whole name."""
        return tuple((self.path or self.command).split())


_IMAGE, _PAINTING = ("image",), ("content", "style")
_NETWORK = ("network", "image")
_FROM = (("start", "--from"),)


def _engines() -> tuple[Way, ...]:
    """Works on pictures, by function, command and recipe; and on films, which add to those."""
    found = (
        Way("dream", "dream", "dream", _IMAGE, "dream picture"),
        Way("style", "style", "style", _PAINTING, "style paint"),
        Way("any_style", "style", "anystyle", _PAINTING, "style paint", "--fast"),
        Way("apply_style", "style apply", "faststyle", _NETWORK),
        Way("translate", "translate apply", "translate", _NETWORK),
        Way("defog", "defog", "defog", _IMAGE, "defog clear"),
    )
    films = (
        Way(
            f"{way.function}_film_steps",
            *(way.command, f"film-{way.recipe}", way.positional, way.path, way.switch),
            kind="frames",
        )
        for way in found
    )
    return *found, *films


_ROWS = (
    *_engines(),
    Way("fog", "fog", "fog", _IMAGE),
    Way("explain", "classify", "explain", _IMAGE, "classify look", "--explain"),
    Way("classify", "classify", "", _IMAGE, "classify look", kind="answer"),
    Way("atlas", "models atlas", "atlas", ("model",)),
    Way("dream_zoom", "dream zoom", "dream-zoom", _IMAGE, kind="film"),
    Way("dream_walk", "dream walk", "dream-walk", _IMAGE, kind="film"),
    Way("gan_paint", "gan paint", "gan-paint", ("network",), without=("sheet",)),
    Way("gan_walk", "gan walk", "gan-walk", ("network",), kind="film"),
    Way("gan_mix", "gan mix", "gan-mix", ("first", "second")),
    Way("gan_edit", "gan edit", "gan-edit", ("picture",)),
    Way("gan_project", "gan project", "gan-project", _IMAGE),
    Way("gan_evaluate", "gan evaluate", "gan-evaluate", ("network", "data")),
    Way("learn.approximation", "learn approximation", "learn-approximation"),
    Way("learn.backprop", "learn backprop", "learn-backprop"),
    Way("learn.classifier", "learn classifier", "learn-classifier", ("data",)),
    Way("learn.cnn", "learn cnn", "learn-cnn"),
    Way("learn.complexity", "learn complexity", "learn-complexity", ("networks",)),
    Way("learn.depth", "learn depth", "learn-depth"),
    Way("learn.gan_toy", "learn gan", "learn-gan_toy"),
    Way("learn.mlp", "learn mlp", "learn-mlp"),
    Way("learn.neuron", "learn neuron", "learn-neuron"),
    Way("learn.perceptron", "learn perceptron", "learn-perceptron"),
    Way(
        *("train_classifier", "classify train", "", ("data",)),
        kind="training",
        form="ClassifyConfig",
        flags=_FROM,
    ),
    Way("train_gan", "gan train", "", ("data",), kind="training", form="GanConfig", flags=_FROM),
    Way(
        *("train_translation", "translate train", "", ("a", "b")),
        kind="training",
        form="TranslateConfig",
        flags=_FROM,
    ),
)

WAYS: dict[str, Way] = {row.function: row for row in _ROWS}
"""Function → how its work is called."""


def find_way(recipe: str) -> Way:
    """The work whose recipes say `recipe`.

    Raises:
        UnknownName: there is none.
    """
    named = {row.recipe: row for row in _ROWS if row.recipe}
    if recipe not in named:
        raise UnknownName("engine", recipe[:200], named)
    return named[recipe]


def ways_of_command(path: tuple[str, ...]) -> tuple[Way, ...]:
    """The works of a command, such as ("dream", "picture"), that write recipes."""
    return tuple(row for row in _ROWS if row.recipe and row.words == path)


def choose_way(ways: Sequence[Way], given: Mapping[str, Any]) -> Way:
    """Which of a command's works is done: that of the flag that is set, or the one without.

    Args:
        given: what is set, by the command's own names.
    """
    flags = {way.switch[2:]: way for way in ways if way.switch and way.kind != "frames"}
    return next((way for flag, way in flags.items() if given.get(flag)), ways[0])
