"""What stands in a file that brings torch, by its name: the file is imported at its first use.

So the registry's rows cost no torch where they are only listed.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

__all__ = ["Builder", "NameTable"]

_HOME = "belamy.networks"


class Builder:
    """A function or class that builds a network, called by its name.

    Args:
        name: `backbones.iris:Iris`, under `belamy.networks`.
        arguments: with which it first has to be called to give what builds; none where it builds
            by itself.
        settings: the same, by name.
    """

    def __init__(self, name: str, *arguments: Any, **settings: Any) -> None:
        self.name, self._arguments, self._settings = name, arguments, settings

    def __repr__(self) -> str:
        return f"Builder({self.name!r})"

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        """What it builds of these."""
        return self._build(*arguments, **settings)

    @cached_property
    def _build(self) -> Any:
        return _resolve(self.name, self._arguments, self._settings)


class NameTable(Mapping[str, str]):
    """A table of names in such a file: a mapping, or pairs in their order.

    Args:
        name: `backbones.iris:ALIASES`, under `belamy.networks`.
        arguments: with which it is called, where it is a function.
    """

    def __init__(self, name: str, *arguments: Any) -> None:
        self.name, self._arguments = name, arguments

    def __repr__(self) -> str:
        return f"NameTable({self.name!r})"

    def __getitem__(self, key: str) -> str:
        return self._table[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    @cached_property
    def _table(self) -> dict[str, str]:
        return dict(_resolve(self.name, self._arguments, {}))


def _resolve(name: str, arguments: tuple[Any, ...], settings: Mapping[str, Any]) -> Any:
    module, _, attribute = name.partition(":")
    found = getattr(importlib.import_module(f"{_HOME}.{module}"), attribute)
    return found(*arguments, **settings) if arguments or settings else found
