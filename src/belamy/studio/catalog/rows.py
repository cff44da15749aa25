"""What a row of the table of engines says."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

__all__ = ["Kind", "Role", "StudioEngine"]

Kind: TypeAlias = Literal["picture", "film", "answer", "lesson", "training", "finish"]


@dataclass(frozen=True)
class Role:
    """A part that files have in a work.

    Args:
        name: as the API has it.
        field: the option that takes the file.
        many: whether several files may have it.
        required: whether one must.
        holds: what it names: a picture, a film, a result (its raw pixels, its latents), or a
            folder below a root.
    """

    name: str
    field: str
    many: bool = False
    required: bool = False
    holds: Literal["picture", "film", "result", "latents", "folder"] = "picture"


@dataclass(frozen=True)
class StudioEngine:
    """One thing that the studio can do.

    Args:
        name: as the API has it.
        room: where it stands on the page.
        form: module:Class of its options.
        function: module:function that does it.
        roles: what it takes of files.
        kind: what comes out, and so how it is run.
        recipe: its name in a recipe; "" where its results carry none.
        command: how it is called on the command line.
        blends: whether its strength is a plain blend of the result over the picture, so that it can
            be changed afterwards.
        without: options that the API does not take, because they are paths or of no use here.
    """

    name: str
    room: str
    form: str
    function: str
    roles: tuple[Role, ...] = ()
    kind: Kind = "picture"
    recipe: str = ""
    command: str = ""
    blends: bool = False
    without: frozenset[str] = frozenset()

    def load_form(self) -> Any:
        """The dataclass of its options; imports no torch."""
        return _load(self.form)

    def load_function(self) -> Any:
        """What does it."""
        return _load(self.function)


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
