"""A job as a command, as Python, as a notebook and as a recipe: with the options that differ."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from belamy.checks import flag_of
from belamy.studio.catalog.fields import fields_of
from belamy.studio.catalog.rows import Role, StudioEngine

__all__ = ["Copied", "write_copies"]

_FUNCTIONS = {
    "train_classifier": ("ClassifyConfig", "train_classifier"),
    "train_gan": ("GanConfig", "train_gan"),
    "train_translation": ("TranslateConfig", "train_translation"),
}
_POSITIONAL = {  # options that a command takes without a flag, before its files
    "atlas": ("model",),
    "apply_style": ("network",),
    "translate": ("network",),
    "gan_mix": ("first", "second"),
    "gan_edit": ("picture",),
    "gan_paint": ("network",),
    "gan_walk": ("network",),
}
_COMMANDS = {"translate": "translate apply"}
_LESSONS = {"lesson_mlp": "mlp", "lesson_gan": "gan_toy", "lesson_digit": "cnn"}
_LESSON_NAMES = {"rate": "learning_rate"}  # of the live lessons' options in the written ones
_LIVE_ONLY = frozenset({"batch", "paused"})
_FLAGS = {"train_classifier": {"start": "--from"}, "train_gan": {"start": "--from"}}


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
            if isinstance(value, list)
            else value
            for name, value in self.changed.items()
            if name not in _LIVE_ONLY
        }


def write_copies(copied: Copied) -> dict[str, Any]:
    """The four ways."""
    python = _write_python(copied)
    return {
        "command": _write_command(copied),
        "python": python,
        "notebook": _write_notebook(copied, python),
        "recipe": {
            "engine": copied.engine.name,
            "options": copied.changed,
            "inputs": copied.inputs,
        },
    }


def _write_command(copied: Copied) -> str:
    engine = copied.engine
    words = ["belamy", *_COMMANDS.get(engine.name, engine.command).split()]
    flags: list[str] = []
    positional = _POSITIONAL.get(engine.name, ())
    defaults = fields_of(engine)
    if copied.changed.keys() & {*positional}:
        words += [str(copied.options.get(n, defaults[n].default)) for n in positional]
    for role in engine.roles:
        for name in copied.files.get(role.name, []):
            if _is_positional(engine, role):
                words.append(name)
            else:
                flags += [flag_of(role.field), name]
    own = _FLAGS.get(engine.name, {})
    for name, value in copied.written.items():
        if name in positional or (engine.name == "gan_paint" and name == "sheet"):
            continue
        flags += _write_flag(own.get(name, flag_of(name)), value)
    if engine.kind in ("picture", "film"):
        flags += ["-o", "new.gif" if engine.kind == "film" else "new.png"]
    return shlex.join([*words, *flags])


def _is_positional(engine: StudioEngine, role: Role) -> bool:
    main = role.field in ("image", "content", "style", "data", "a", "b")
    return main and engine.name != "lesson_digit"


def _write_flag(flag: str, value: Any) -> list[str]:
    if value is True:
        return [flag]
    if value is False:
        return [f"--no-{flag[2:]}"]
    if value is None:
        return []
    if isinstance(value, list):
        if value and isinstance(value[0], list):
            return [flag, ",".join(":".join(map(str, one)) for one in value)]
        return [word for one in value for word in (flag, str(one))]
    return [flag, str(value)]


def _write_python(copied: Copied) -> str:
    engine = copied.engine
    if engine.kind == "training":
        return _write_training(copied)
    if engine.kind == "lesson":
        arguments = [*_file_arguments(copied), *_plain_arguments(copied.written)]
        call = f"belamy.learn.{_LESSONS[engine.name]}({', '.join(arguments)})"
        return f'import belamy\n\npicture = {call}\npicture.save("new.png")\n'
    name = engine.function.partition(":")[2].removesuffix("_steps")
    arguments = [*_file_arguments(copied), *_plain_arguments(copied.changed)]
    call = f"belamy.{name}({', '.join(arguments)})"
    if engine.kind == "answer":
        return f"import belamy\n\nfor guess in {call}:\n    print(guess.name, guess.probability)\n"
    target = "walk.gif" if engine.kind == "film" else "new.png"
    return f'import belamy\n\npicture = {call}\npicture.save("{target}")\n'


def _file_arguments(copied: Copied) -> list[str]:
    found = []
    for role in copied.engine.roles:
        names = copied.files.get(role.name, [])
        if not names:
            continue
        value = names[0] if len(names) == 1 else names
        text = _quote(value)
        found.append(text if role.required else f"{role.field}={text}")
    return found


def _plain_arguments(options: dict[str, Any]) -> list[str]:
    return [f"{name}={_quote(value)}" for name, value in options.items()]


def _quote(value: Any) -> str:
    """As Python writes it, texts in double quotes."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(map(_quote, value))}]"
    return repr(value)


def _write_training(copied: Copied) -> str:
    form, function = _FUNCTIONS[copied.engine.name]
    files = [
        f"{role.field}={_quote(name)}"
        for role in copied.engine.roles
        for name in copied.files.get(role.name, [])
    ]
    arguments = ", ".join([*files, *_plain_arguments(copied.changed)])
    return (
        "from pathlib import Path\n\nimport belamy\n\n"
        f"config = belamy.{form}({arguments})\n"
        f'for progress in belamy.{function}(config, Path("runs/mine")):\n'
        "    print(progress.step, progress.losses)\n"
    )


def _write_notebook(copied: Copied, python: str) -> dict[str, Any]:
    title = f"# {copied.engine.name.replace('_', ' ')}\n"
    shown = python.replace('picture.save("new.png")', "picture")
    return {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": [title]},
            {
                "cell_type": "code",
                "execution_count": None,
                "metadata": {},
                "outputs": [],
                "source": shown.rstrip("\n").splitlines(keepends=True),
            },
        ],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
