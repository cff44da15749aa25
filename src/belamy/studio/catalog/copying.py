"""A job as a command, as Python, as a notebook and as a recipe: with the options that differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from belamy.copying.ways import WAYS, Way
from belamy.copying.works import Work
from belamy.copying.writing import write_command, write_notebook, write_python
from belamy.studio.catalog.fields import fields_of
from belamy.studio.catalog.rows import StudioEngine

__all__ = ["Copied", "write_copies"]

_LESSONS = {"lesson_mlp": "learn.mlp", "lesson_gan": "learn.gan_toy", "lesson_digit": "learn.cnn"}
_LESSON_NAMES = {"rate": "learning_rate"}  # of the live lessons' options in the written ones
_LIVE_ONLY = frozenset({"batch", "paused"})


@dataclass(frozen=True)
class Copied:
    """What is to be written down.

    Args:
        engine: its row.
        options: those that differ.
        files: role → names of files.
        inputs: role → ids.
    """

    engine: StudioEngine
    options: dict[str, Any]
    files: dict[str, list[str]]
    inputs: dict[str, Any]

    @property
    def changed(self) -> dict[str, Any]:
        """The options without those that are as usual."""
        known = fields_of(self.engine)
        return {
            name: value
            for name, value in self.options.items()
            if known[name].required or value != known[name].default
        }

    @property
    def written(self) -> dict[str, Any]:
        """The same by the names that commands and functions have for them."""
        if self.engine.kind != "lesson":
            return self.changed
        return {
            _LESSON_NAMES.get(name, name): ",".join(map(str, value))
            if isinstance(value, list) and name != "networks"
            else value
            for name, value in self.changed.items()
            if name not in _LIVE_ONLY
        }


def write_copies(copied: Copied) -> dict[str, Any]:
    """The four ways."""
    work = _work_of(copied)
    return {
        "command": write_command(work),
        "python": write_python(work),
        "notebook": write_notebook(work),
        "recipe": {
            "engine": copied.engine.name,
            "options": copied.changed,
            "inputs": copied.inputs,
        },
    }


def _work_of(copied: Copied) -> Work:
    engine = copied.engine
    way = _way_of(engine)
    return Work(
        way,
        {
            role.field: copied.files[role.name]
            for role in engine.roles
            if copied.files.get(role.name)
        },
        copied.written,
        {name: field.default for name, field in fields_of(engine).items()},
        "new.gif" if way.kind == "film" else "new.png",
    )


def _way_of(engine: StudioEngine) -> Way:
    name = _LESSONS.get(engine.name, engine.name.replace("lesson_", "learn."))
    name += "_steps" if name.endswith("_film") else ""
    return WAYS.get(name, Way(name, engine.command))  # finishing is the studio's alone
