"""A work as a command, as Python and as a notebook."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from belamy.checks import flag_of
from belamy.copying.works import Work

__all__ = ["write_command", "write_notebook", "write_python"]

_WIDEST = 88  # characters of a line of Python
_FIRST = ("image", "content", "style")  # files that functions take without a name
_QUALITY = 90  # of films, where nothing is said


def write_command(work: Work) -> str:
    """The line to be typed, in one line, quoted for a shell."""
    way = work.way
    words = ["belamy", *way.command.split(), *_positional(work)]
    if way.switch:
        words.append(way.switch)
    for field, names in work.files.items():
        if field not in way.positional:
            words += [word for name in names for word in (flag_of(field), name)]
    own = dict(way.flags)
    for name, value in work.options.items():
        if name not in way.positional and name not in way.without:
            words += _flag(own.get(name, flag_of(name)), value)
    if way.kind in ("picture", "film", "frames"):
        words += _encoding_flags(work)
        words += _grid_words(work)
        words += ["-o", work.output if work.number is None else _folder_of(work.output)]
    return shlex.join(words)


def _grid_words(work: Work) -> list[str]:
    """The option once, and each axis after it."""
    axes = [f"{flag_of(name)[2:]}={_join_values(values)}" for name, values in work.grid]
    return ["--grid", *axes] if axes else []


def _join_values(values: Sequence[Any]) -> str:
    texts = ["+".join(map(str, one)) if isinstance(one, list) else str(one) for one in values]
    return (";" if any("," in one for one in texts) else ",").join(texts)


def _positional(work: Work) -> list[str]:
    """What stands without flags; what is as usual is left out where nothing comes after it."""
    words: list[str] = []
    kept = 0
    for name in work.way.positional:
        value = work.files.get(name, work.options.get(name, work.defaults.get(name)))
        texts = list(value) if _is_list(value) else [] if value is None else [value]
        # a file's name that begins with a dash would be taken for an option
        words += [f"./{one}" if str(one).startswith("-") else str(one) for one in texts]
        if name in work.files or name in work.options:
            kept = len(words)
    return words[:kept]


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _folder_of(output: str) -> str:
    """Where the command saves a file for each picture."""
    return f"{Path(output).stem}/"


def _encoding_flags(work: Work) -> list[str]:
    if work.way.kind == "picture":
        return []
    given = {name: work.film.get(name) for name in ("quality", "codec")}
    if given["quality"] == _QUALITY:
        given["quality"] = None
    if not _chosen_codec(work):
        given["codec"] = None
    return [word for name, value in given.items() for word in _flag(flag_of(name), value)]


def _chosen_codec(work: Work) -> bool:
    """Whether the film's codec is none that its container has of itself."""
    from belamy.pixels.film.writers.container import CONTAINERS

    container = CONTAINERS.get(Path(work.output).suffix.lower())
    codec = work.film.get("codec")
    return container is not None and codec in container.codecs and codec != container.codecs[0]


def _flag(flag: str, value: Any) -> list[str]:
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


def write_python(work: Work) -> str:
    """A script that does the same."""
    if work.way.kind == "training":
        return _write_training(work)
    arguments = [*_file_arguments(work), *_plain_arguments(work.options)]
    if work.number is not None:
        return _write_one_of_many(work, arguments)
    if work.way.kind == "answer":
        call = _call(f"belamy.{work.way.function}", arguments)
        body = f"for guess in {call}:\n    print(guess.name, guess.probability)\n"
        return f"import belamy\n\n{body}"
    if work.way.kind == "frames":
        return _write_frames(work, arguments)
    if work.grid:
        return _write_grid(work)
    name = "film" if work.way.kind == "film" else "picture"
    call = _call(f"{name} = belamy.{work.way.function}", arguments)
    return f"import belamy\n\n{call}\n{name}.save({_quote(work.output)})\n"


def _write_one_of_many(work: Work, arguments: list[str]) -> str:
    steps = _call(f"steps = belamy.{work.way.function}_steps", arguments)
    return (
        f"import itertools\n\nimport belamy\n\n{steps}\n"
        f"*_, step = itertools.islice(steps, {work.number})\n"
        f"step.picture.save({_quote(work.output)})\n"
    )


def _write_grid(work: Work) -> str:
    axes = ", ".join(f"{_quote(name)}: {_quote(list(values))}" for name, values in work.grid)
    files = [
        f"{field}={_quote(list(names) if len(names) != 1 else names[0])}"
        for field, names in work.files.items()
    ]
    steps = f"belamy.{work.way.function}_steps"
    call = _call(
        "picture = belamy.grid", [steps, f"{{{axes}}}", *files, *_plain_arguments(work.options)]
    )
    return f"import belamy\n\n{call}\npicture.save({_quote(work.output)})\n"


def _write_frames(work: Work, arguments: list[str]) -> str:
    steps = _call(f"steps = belamy.{work.way.function}", arguments)
    source = next(names[0] for field, names in work.files.items() if field in _FIRST)
    cut = {name: work.options[name] for name in ("start", "end") if name in work.options}
    quality = work.film.get("quality")
    more = {} if quality in (None, _QUALITY) else {"quality": quality}
    settings = _plain_arguments({"sound_from": source, **cut, **more})
    save = _call("belamy.save_film", ["steps", _quote(work.output), *settings])
    return f"import belamy\n\n{steps}\n{save}\n"


def _file_arguments(work: Work) -> list[str]:
    """The files, the first of them without their names."""
    texts = {
        field: _quote(list(names) if len(names) != 1 else names[0])
        for field, names in work.files.items()
        if names
    }
    first = [
        texts.pop(field) for field in _FIRST if field in texts and field in work.way.positional
    ]
    return [*first, *(f"{field}={text}" for field, text in texts.items())]


def _plain_arguments(options: Any) -> list[str]:
    return [f"{name}={_quote(value)}" for name, value in options.items()]


def _call(function: str, arguments: Iterable[str]) -> str:
    """On one line, or an argument a line where that is too long."""
    given = list(arguments)
    line = f"{function}({', '.join(given)})"
    if len(line) <= _WIDEST or not given:
        return line
    return f"{function}(\n" + "".join(f"    {one},\n" for one in given) + ")"


def _quote(value: Any) -> str:
    """As Python writes it, texts in double quotes."""
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return "".join(one if one.isprintable() else _escape(one) for one in text)
    if isinstance(value, list):
        return f"[{', '.join(map(_quote, value))}]"
    return repr(value)


def _escape(letter: str) -> str:
    """What could steer a terminal, or change the direction of a line, as Python writes it."""
    number = ord(letter)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def _write_training(work: Work) -> str:
    way = work.way
    files = [f"{field}={_quote(name)}" for field, names in work.files.items() for name in names]
    config = _call(f"config = belamy.{way.form}", [*files, *_plain_arguments(work.options)])
    return (
        f"from pathlib import Path\n\nimport belamy\n\n{config}\n"
        f'for progress in belamy.{way.function}(config, Path("runs/mine")):\n'
        "    print(progress.step, progress.losses)\n"
    )


def write_notebook(work: Work) -> dict[str, Any]:
    """A notebook of one cell, as JSON; the picture is shown, not saved."""
    title = f"# {work.way.function.removesuffix('_steps').replace('_', ' ')}\n"
    shown = write_python(work)
    for name in ("picture", "film", "step.picture"):
        shown = shown.replace(f"\n{name}.save({_quote(work.output)})", f"\n{name}")
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
