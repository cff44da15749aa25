"""`belamy preset`, and `--preset` everywhere: settings that have a name."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from belamy import __version__
from belamy.checks import show_value
from belamy.cli.groups import PlainGroup
from belamy.cli.replay import blaming_recipe, path_options, prepare
from belamy.cli.settings.borrowed import Borrowed, borrow_from_recipe
from belamy.cli.settings.typed import defaults_of_added, read_typed
from belamy.copying.presets import PRESETS
from belamy.copying.ways import WAYS, Way, find_way
from belamy.copying.works import Work, defaults_of, left_to_machine
from belamy.copying.writing import write_command
from belamy.errors import OptionError, RecipeError, UnknownName
from belamy.files import config_folder, missing_file, write_text

if TYPE_CHECKING:
    from belamy.pixels.recipe import Recipe

__all__ = ["app", "borrow_from_preset"]

_NAME = re.compile(r"[\w][\w .+-]{0,79}")
_LARGEST = 1 << 20  # bytes of a file
_SUFFIX = ".json"
_FIELDS = ("engine", "options")

app = typer.Typer(
    name="preset",
    cls=PlainGroup,
    no_args_is_help=True,
    help="Settings that have a name: `belamy dream photo.jpg --preset NAME -o new.png`.",
)


def _folder() -> Path:
    return config_folder() / "presets"


def _file(name: str) -> Path:
    """Where a preset is.

    Raises:
        OptionError: the name leads elsewhere, or has what file systems do not like.
    """
    if not _NAME.fullmatch(name) or name.endswith((".", " ")):
        raise OptionError(
            f"the name is {show_value(name)}; it must be letters, digits, spaces, + - . or _"
        )
    return _folder() / f"{name}{_SUFFIX}"


def _list_own() -> Iterator[str]:
    """The names of the user's presets, in order."""
    folder = _folder()
    if folder.is_dir():
        yield from sorted(path.stem for path in folder.glob(f"*{_SUFFIX}"))


def _built_in(ways: Sequence[Way]) -> dict[str, tuple[Way, Mapping[str, Any]]]:
    """Name → the work and the options of the presets that come with belamy."""
    return {
        row["name"]: (way, row["options"])
        for way in ways
        if way.recipe
        for row in PRESETS.get(way.function, ())
    }


def borrow_from_preset(name: str, ways: Sequence[Way]) -> Borrowed:
    """The settings called `name`: the user's own, else belamy's, else those in a file.

    Args:
        ways: the works that the command can do.

    Raises:
        UnknownName: there is none.
        RecipeError, OptionError: it is of another engine, or does not fit.
    """
    if name.lower().endswith(_SUFFIX) or os.sep in name:
        return _borrow(Path(name), Path(name).name, ways, trust=False)
    if _NAME.fullmatch(name) and _file(name).is_file():
        return _borrow(_file(name), name, ways, trust=True)
    built_in = _built_in(ways)
    if name not in built_in:
        raise UnknownName("preset", name[:80], [*_list_own(), *built_in])
    way, options = built_in[name]
    return Borrowed(f"the preset {name}", way, dict(options), {})


def _borrow(path: Path, source: str, ways: Sequence[Way], *, trust: bool) -> Borrowed:
    """The settings in a file; the seed only where it is said there."""
    found = _read(path)
    borrowed = borrow_from_recipe(found, path.parent, source, ways, trust=trust)
    if found.torch:  # a whole recipe
        return borrowed
    added = defaults_of_added(borrowed.way)
    options = {
        name: value
        for name, value in borrowed.options.items()
        if (name != "seed" or name in found.options) and (name not in added or value != added[name])
    }
    return replace(borrowed, options=options)


def _read(path: Path) -> Recipe:
    """The recipe that a preset stands for: of a file with engine and options, or a whole recipe.

    Raises:
        RecipeError: it cannot be read, or is no preset.
    """
    shown = show_value(str(path))
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
        if len(text) > _LARGEST:
            raise RecipeError(f"{shown} is no preset: it has more than {_LARGEST} bytes")
        found = json.loads(text)
    except FileNotFoundError as error:
        raise missing_file(RecipeError, path) from error
    except OSError as error:
        raise RecipeError(f"cannot read {shown}: {error.strerror}; check the path") from error
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{shown} is no preset: {show_value(str(error))[1:-1]}") from error
    if not isinstance(found, dict) or not isinstance(found.get("options"), dict):
        raise RecipeError(f"{shown} is no preset: it needs an engine and its options")
    from belamy.pixels.recipe import Recipe

    if "belamy" in found:  # what `belamy recipe --as json` prints
        return Recipe.from_json(text)
    if unknown := sorted(found.keys() - {*_FIELDS}):
        raise RecipeError(
            f"{shown} has {show_value(', '.join(unknown))[1:-1]}; a preset has engine and options"
        )
    name, options = found.get("engine"), found["options"]
    if isinstance(name, str):
        with blaming_recipe():
            options = {**defaults_of_added(find_way(name)), **options}
    seed = options.get("seed", 0)
    return Recipe(name, options, (), {}, seed, __version__, "", auto=())  # type: ignore[arg-type]


@app.command(context_settings={"ignore_unknown_options": True})
def save(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is to be called.")],
    made: Annotated[
        list[str],
        typer.Argument(
            metavar="MADE|COMMAND…",
            help="A picture that belamy made, or a preset's file; or a command with its options, "
            "as dream --layer mixed4b --strength 0.5.",
        ),
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the one of this name.")
    ] = False,
) -> None:
    """Keep settings under a NAME: those of a picture, but for its files and its seed; or typed."""
    path = _file(name)
    if path.exists() and not overwrite:
        raise OptionError(f"there is a preset {show_value(name)}; replace it with --overwrite")
    typed = read_typed(context.find_root().command, made)
    found = typed or _read_made(made)
    with nullcontext() if typed else blaming_recipe():
        call = prepare(found, partial=True)
    way = find_way(found.engine)
    usual = defaults_of(way)
    options = {
        key: _absolute(value) if key in path_options(found) else value
        for key, value in call.options.items()
        if (typed or key != "seed")
        and key not in left_to_machine(found.auto)
        and value is not None
        and value != usual.get(key)
    }
    text = json.dumps({"engine": found.engine, "options": options}, indent=2, ensure_ascii=False)
    write_text(path, f"{text}\n")
    typer.echo(path)


def _read_made(words: Sequence[str]) -> Recipe:
    from belamy.pixels.recipe import read_recipe

    if len(words) > 1:
        raise OptionError(
            f"{show_value(words[0])} is no command that makes pictures; name one, or one picture"
        )
    made = Path(words[0])
    return _read(made) if made.suffix.lower() == _SUFFIX else read_recipe(made)


def _absolute(value: Any) -> Any:
    """A path of a file that is there, wherever the preset is used; names stay as they are."""
    if isinstance(value, list):
        return [_absolute(one) for one in value]
    there = isinstance(value, str) and value != "" and Path(value).exists()
    return os.fspath(Path(value).absolute()) if there else value


@app.command("list")
def list_presets() -> None:
    """List the presets: your own, and those that come with belamy."""
    rows = []
    for name in _list_own():
        try:
            rows.append((name, _read(_file(name)).engine, "yours"))
        except RecipeError as error:
            rows.append((name, "", str(error)))
    rows += [(name, way.recipe, "") for name, (way, _) in sorted(_all_built_in())]
    width = max(len(name) for name, _, _ in rows)
    for name, engine, note in rows:
        typer.echo(f"{name:<{width}}  {engine:<10}  {note}".rstrip())


def _all_built_in() -> Iterator[tuple[str, tuple[Way, Mapping[str, Any]]]]:
    for way in WAYS.values():
        yield from _built_in([way]).items()


@app.command()
def show(name: Annotated[str, typer.Argument(help="Of a preset, or its file.")]) -> None:
    """Print a preset: the command that it stands for."""
    borrowed = borrow_from_preset(name, tuple(WAYS.values()))
    options = {key: one() if callable(one) else one for key, one in borrowed.options.items()}
    typer.echo(write_command(Work(borrowed.way, {}, options, defaults_of(borrowed.way))))


@app.command()
def remove(name: Annotated[str, typer.Argument(help="Of one of your own.")]) -> None:
    """Delete one of your own presets."""
    path = _file(name)
    if not path.is_file():
        built_in = name in dict(_all_built_in())
        if built_in:
            raise OptionError(f"{name} comes with belamy, and stays")
        raise UnknownName("preset", name[:80], list(_list_own()))
    path.unlink()
    typer.echo(path)
