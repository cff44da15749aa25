"""What is written down does what the recipe says: each engine, through the command line's own
parser and through Python's."""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin

import pytest
import typer.main

from belamy.checks import alternatives, picture_fields, range_of
from belamy.cli import app
from belamy.cli.options import arguments_of
from belamy.copying.ways import WAYS, Way, find_way
from belamy.copying.works import Work, as_json, defaults_of, work_of
from belamy.copying.writing import write_command, write_notebook, write_python
from belamy.engines import ENGINES, engine
from belamy.pixels.recipe import Input, Recipe
from belamy.precision import MACHINE

DIGEST = "0" * 64
NAMES = ("network", "model", "first", "second", "picture", "latents", "data", "networks")


def other_value(name: str, annotation: Any, usual: Any) -> Any:
    """A value that is not the usual one; None where none is known."""
    parts = alternatives(annotation)
    choices = [one for part in parts if get_origin(part) is Literal for one in get_args(part)]
    if name in NAMES:
        return "other" if str in parts else None
    if bool in parts:
        return not usual
    if choices and (different := [one for one in choices if one not in (usual, None)]):
        return different[0]
    allowed = range_of(annotation)
    for kind in (int, float):
        if kind in parts:
            low = 1 if allowed is None else allowed.low
            high = low + 8 if allowed is None else min(allowed.high, low + 8)
            middle = (low + high) / 2
            return int(middle) + (usual == int(middle)) if kind is int else middle + 0.125
    return "some text" if str in parts else None


def changed_options(way: Way) -> dict[str, Any]:
    function = engine(way.recipe)
    form = getattr(function, "__options__", None)
    files = picture_fields(form) if form is not None else ("image",)
    usual = defaults_of(way)
    found = {}
    for name, argument in arguments_of(function).items():
        if name in files or name in MACHINE or name in way.without:
            continue
        value = other_value(name, argument.type, usual.get(name))
        if value is not None:
            found[name] = value
    return found


def recipe_for(way: Way, options: dict[str, Any]) -> Recipe:
    files = [name for name in ("image", "content", "style") if name in way.positional]
    inputs = tuple(Input(name, f"a {name}.jpg", DIGEST) for name in files)
    return Recipe(way.recipe, options, inputs, {}, options.get("seed", 0), "0", "0")


def parse(words: list[str]) -> tuple[dict[str, Any], Any]:
    """What a command line is read as, without running anything."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("belamy", list(words))
    rest = [*getattr(context, "_protected_args", []), *context.args]
    while hasattr(command, "commands") and rest:
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, list(rest), parent=context)
        rest = [*getattr(context, "_protected_args", []), *context.args]
    return context.params, command


def test_every_engine_has_a_way() -> None:
    assert {way.recipe for way in WAYS.values()} - {""} == ENGINES.keys()


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_a_command_says_all(name: str) -> None:
    way = find_way(name)
    options = changed_options(way)
    work = work_of(recipe_for(way, options))
    assert {field: work.options[field] for field in options} == options  # none is as usual
    words = shlex.split(write_command(work))
    params, command = parse(words[1:])
    arguments = [one.name for one in command.params if one.param_type_name == "argument"]
    named = dict(zip(way.positional, arguments, strict=True))
    for field, value in options.items():
        read = as_json(params[named.get(field, field)])
        assert read in (value, [value], str(value), [str(value)]), field
    for field in work.files:
        read = params[named[field]]
        texts = read if isinstance(read, Sequence) and not isinstance(read, str) else [read]
        assert [str(one) for one in texts] == [f"a {field}.jpg"]


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_python_says_all(name: str) -> None:
    way = find_way(name)
    options = changed_options(way)
    work = work_of(recipe_for(way, options), "new.mp4")
    calls = [one for one in ast.walk(ast.parse(write_python(work))) if isinstance(one, ast.Call)]
    call = next(one for one in calls if ast.unparse(one.func).endswith(way.function))
    given = {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
    assert {field: given[field] for field in options} == options
    files = [ast.literal_eval(one) for one in call.args]
    assert files == [f"a {field}.jpg" for field in work.files]


def test_what_is_as_usual_is_left_out() -> None:
    way = find_way("dream")
    recipe = recipe_for(way, {**defaults_of(way), "size": 64, "device": "cpu", "tile": "none"})
    assert write_command(work_of(recipe)) == "belamy dream 'a image.jpg' --size 64 -o new.png"


def test_a_film_keeps_how_it_was_encoded() -> None:
    way = find_way("gan-walk")
    work = Work(way, {}, {"seconds": 2.0}, {}, "new.mp4", film={"quality": 70, "codec": "h264"})
    assert "--quality 70 " in write_command(work)
    assert "--codec" not in write_command(work)  # the usual one
    assert "--codec vp9" in write_command(replace(work, film={"codec": "vp9"}))
    sound = Work(find_way("film-defog"), {"image": ["a.mp4"]}, {"start": 2.0}, {}, "new.mp4")
    assert 'sound_from="a.mp4", start=2.0' in write_python(sound)


def test_one_of_many_is_that_one() -> None:
    recipe = Recipe("gan-paint", {"count": 6, "sheet": False}, (), {}, 3, "0", "0", step=2)
    command = write_command(work_of(recipe))
    assert "--count 6 --seed 3" in command
    assert command.endswith("-o new/")
    assert "sheet" not in command
    assert "islice(steps, 2)" in write_python(work_of(recipe))


def test_a_strangers_text_stays_text() -> None:
    """In a shell, in Python, and on a terminal."""
    text = "x'; rm -rf ~ #\"\u202e\x1b[2J\n"
    work = Work(find_way("dream"), {"image": [text, "-o.jpg"]}, {"layer": text})
    words = shlex.split(write_command(work))
    assert words[2:4] == [text, "./-o.jpg"]
    python = write_python(work)
    assert all(one.isprintable() or one == "\n" for one in python)
    call = next(one for one in ast.walk(ast.parse(python)) if isinstance(one, ast.Call))
    assert ast.literal_eval(call.keywords[0].value) == text


def test_a_notebook_shows_what_it_makes() -> None:
    notebook = write_notebook(work_of(recipe_for(find_way("defog"), {})))
    code = "".join(notebook["cells"][1]["source"])
    assert code.endswith("\npicture")
    json.dumps(notebook)
