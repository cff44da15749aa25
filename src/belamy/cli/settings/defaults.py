"""`belamy config`: a file of defaults, for every command that has the option."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from belamy.checks import show_value
from belamy.cli.settings.patterns import FILMS, is_pattern
from belamy.copying.ways import Way
from belamy.errors import OptionError, UnknownName
from belamy.files import config_folder, expand_home
from belamy.precision import TRAINING_PRECISIONS, is_device

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["DEFAULTS", "app", "apply_defaults", "config_file", "read_defaults"]

DEFAULTS = {
    "device": "where is computed: auto, cpu, cuda, cuda:1, mps",
    "precision": "in which numbers: auto, float32, bfloat16",
    "language": "of lessons and of the tour: en, it",
    "output": 'the name of new pictures, such as "{stem}-{engine}.png"',
}
"""Option → what it is."""

_WORDS = {"precision": TRAINING_PRECISIONS, "language": ("en", "it")}
"""Option → what any command can make of it; not each takes all of them."""

_LARGEST = 1 << 16  # bytes of the file

app = typer.Typer()


@dataclass(frozen=True)
class _Default:
    value: str
    source: str


def config_file() -> Path:
    """Where the file is, or may be written."""
    return config_folder() / "config.toml"


def read_defaults() -> dict[str, _Default]:
    """Option → default, from the file; the environment's, such as BELAMY_DEVICE, win.

    Raises:
        OptionError: the file is no TOML, or has a value that is no text.
        UnknownName: it has an option that is none of `DEFAULTS`.
    """
    found = {name: _Default(value, "the file") for name, value in _read_file().items()}
    for name in DEFAULTS:
        variable = f"BELAMY_{name.upper()}"
        if value := os.environ.get(variable):
            found[name] = _Default(value, variable)
    return found


def _read_file() -> dict[str, str]:
    path = config_file()
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise OptionError(f"cannot read {path}: {error.strerror}; check the path") from error
    try:
        if len(text) > _LARGEST:
            raise ValueError(f"more than {_LARGEST} bytes")
        found: Mapping[str, Any] = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:  # tomllib's, and that of UTF-8, are ValueErrors
        raise OptionError(f"{path} is no TOML: {show_value(str(error))[1:-1]}") from error
    for name, value in found.items():
        if name not in DEFAULTS:
            raise UnknownName(f"option in {path}:", name[:80], DEFAULTS)
        if not isinstance(value, str) or not value:
            raise OptionError(f"{name} in {path} is {show_value(value)}; it must be a text")
    return dict(found)


def apply_defaults(
    context: Any, command: Any, typed: Mapping[str, Any], ways: Sequence[Way]
) -> None:
    """Make the file's defaults those of a command, below what is typed and taken over.

    A run that goes on does so as it was asked for.
    """
    if typed.get("resume") or not {one.name for one in command.params} & {*DEFAULTS}:
        return
    if command.name in ("config", "studio"):
        return
    filled, defaults = {}, read_defaults()
    for one in command.params:
        default = defaults.get(str(one.name))
        if default is not None and one.name not in typed and _fits(one, default, typed, ways):
            value = default.value
            filled[str(one.name)] = os.fspath(expand_home(value)) if one.name == "output" else value
    if filled:
        context.default_map = {**filled, **(context.default_map or {})}


def _fits(param: Any, default: _Default, typed: Mapping[str, Any], ways: Sequence[Way]) -> bool:
    """Whether a command can have a default: it takes it, and makes pictures if it is their name."""
    if param.name == "output":
        pictures = bool(ways) and ways[0].kind == "picture" and not param.default
        return pictures and not any(map(_is_film, typed.values()))
    _require_known(str(param.name), default)
    words = str(param.metavar or "").split("|")
    return len(words) < 2 or default.value in words


def _require_known(name: str, default: _Default) -> None:
    """Raise where no command knows the word; what only some do is left out by the others."""
    good = is_device(default.value) if name == "device" else True
    if good and default.value in _WORDS.get(name, (default.value,)):
        return
    source = str(config_file()) if default.source == "the file" else default.source
    words = " or ".join(_WORDS.get(name, ("auto", "cpu", "cuda", "cuda:1", "mps")))
    raise OptionError(f"{name} is {show_value(default.value)} in {source}; it must be {words}")


def _is_film(value: Any) -> bool:
    words = value if isinstance(value, (list, tuple)) else [value]
    return any(str(word).lower().endswith(FILMS) for word in words)


@app.command()
def config() -> None:
    """Say which defaults are set, and in which file they are written.

    The file is TOML, as `device = "cuda:1"`. The environment (BELAMY_DEVICE …) and what is typed
    win over it.
    """
    path = config_file()
    found = read_defaults()
    typer.echo(f"{path}{'' if path.exists() else ' (not there yet)'}")
    for name, text in DEFAULTS.items():
        if name in found:
            value = show_value(found[name].value)[1:-1]
            typer.echo(f"{name:<10} {value}  ({found[name].source})")
        else:
            typer.echo(f"{name:<10} –  ({text})")
    for name, default in found.items():
        _require_known(name, default)
    if "output" in found and not is_pattern(found["output"].value):
        raise OptionError(
            f"output is {show_value(found['output'].value)}, one name for all; put {{stem}} into it"
        )
