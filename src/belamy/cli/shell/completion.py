"""Values that a shell completes: the choices of an option, networks, layers. None needs torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import typer

__all__ = ["backbones", "completer", "every_network", "generators", "painters", "translators"]

Completer = Callable[..., list[str]]
"""Gives the values that begin with the text, as typer calls it."""


def completer(name: str, choices: Sequence[object]) -> Completer | None:
    """What completes an engine's option: its choices, or what its name says; None for neither.

    Args:
        name: of the argument.
        choices: all values that it may have, () for others.
    """

    def complete_choice(incomplete: str) -> list[str]:
        return _beginning(map(str, choices), incomplete)

    named: dict[str, Completer] = {"model": _models, "layer": _layers}
    return complete_choice if choices else named.get(name)


def backbones(incomplete: str) -> list[str]:
    """The networks of `belamy models list` that have layers."""
    from belamy.networks.registry import names_of

    return _beginning(names_of("backbone"), incomplete)


def every_network(incomplete: str) -> list[str]:
    """All of `belamy models list`."""
    from belamy.networks.registry import embedded_names, names_of

    names = dict.fromkeys((*names_of("backbone"), *embedded_names(), "faces"))
    return _beginning(names, incomplete)


def painters(incomplete: str) -> list[str]:
    """The embedded networks of `belamy style apply`."""
    from belamy.networks.registry import find_architecture

    return _beginning(find_architecture("johnson").embedded, incomplete)


def translators(incomplete: str) -> list[str]:
    """The embedded networks of `belamy translate apply`."""
    from belamy.networks.registry import find_architecture

    return _beginning(find_architecture("translation").embedded, incomplete)


def generators(incomplete: str) -> list[str]:
    """The embedded networks of `belamy gan`."""
    from belamy.networks.registry import embedded_names

    return _beginning(embedded_names("generator"), incomplete)


def _models(incomplete: str) -> list[str]:
    return _beginning(["auto"], incomplete) + backbones(incomplete)


def _layers(context: typer.Context, incomplete: str) -> list[str]:
    """Those of the model that is typed, or that would be taken."""
    from belamy.networks.files.cache import get_status
    from belamy.networks.layer_tables import find_table
    from belamy.networks.registry import BEST_BACKBONES, names_of

    model = context.params.get("model") or "auto"
    if model == "auto":
        model = next(name for name in BEST_BACKBONES if get_status(name).path is not None)
    table = find_table(model) if model in names_of("backbone") else None
    return _beginning((layer.name for layer in table.layers), incomplete) if table else []


def _beginning(values: Iterable[str], incomplete: str) -> list[str]:
    return [value for value in values if value.startswith(incomplete)]
