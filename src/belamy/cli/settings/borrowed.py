"""Settings taken over from a picture that was made, or from a preset: checked, files found."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from belamy.checks import flag_of, show_value
from belamy.cli.replay import Call, blaming_recipe, path_options, prepare
from belamy.cli.replay_files import Search, find_option
from belamy.copying.ways import Way
from belamy.copying.works import left_to_machine
from belamy.errors import RecipeError

if TYPE_CHECKING:
    from belamy.pixels.recipe import Recipe

__all__ = ["Borrowed", "borrow_from_picture", "borrow_from_recipe"]

# Files that belong to the one picture that was made: another picture has its own.
_OWN_FILES = ("image", "content", "mask", "style_mask", "init")
_FILM = ("fps", "start", "end", "every", "steady", "passes")  # of films alone

# Options that say the same thing in several ways: one that is typed stands for all of them.
_INSTEAD = (
    ("layer", "class_", "objective", "guide", "channels", "towards"),
    ("layers", "class_", "guides"),
    ("preset", "iterations"),
)
# An option whose meaning hangs on another: layers are those of a network, steps an optimizer's.
_OF_ANOTHER = {
    "model": ("layer", "layers", "channels", "content_layer", "style_layer"),
    "optimizer": ("step_size", "iterations"),
}


@dataclass(frozen=True)
class _Place:
    """Where files are looked for, and whether others may be read too."""

    folder: Path
    trust: bool

    def search(self, subject: str, remedy: str) -> Search:
        return Search(self.folder, self.trust, subject, f"name it: {remedy}")


@dataclass(frozen=True)
class Borrowed:
    """Settings taken over.

    Args:
        source: what messages call it.
        way: the work that they are settings of.
        options: those of the work, by name, as JSON has them.
        files: role → how each is found, when nothing else is typed.
        film: those of films alone, which mean nothing for a picture.
    """

    source: str
    way: Way
    options: Mapping[str, Any]
    files: Mapping[str, Callable[[], list[str]]]
    film: Mapping[str, Any] = field(default_factory=dict)

    def beside(self, typed: Collection[str]) -> Borrowed:
        """Without what cannot stand beside the options that are typed."""
        gone = {
            other
            for group in _INSTEAD
            if {*group} & {*typed}
            for other in group
            if other not in typed
        }
        gone |= {other for name in typed for other in _OF_ANOTHER.get(name, ())} - {*typed}
        options = {name: value for name, value in self.options.items() if name not in gone}
        files = {role: find for role, find in self.files.items() if role not in gone}
        return replace(self, options=options, files=files)


def borrow_from_picture(path: Path, ways: Sequence[Way]) -> Borrowed:
    """The settings that a picture or a film was made with.

    Args:
        ways: the works that the command can do.

    Raises:
        RecipeError: it has no recipe, or that of another engine, or one that does not fit.
    """
    from belamy.pixels.recipe import read_recipe

    return borrow_from_recipe(read_recipe(path), path.parent, path.name, ways)


def borrow_from_recipe(
    found: Recipe, folder: Path, source: str, ways: Sequence[Way], *, trust: bool = False
) -> Borrowed:
    """The settings that a recipe, or what is like one, has.

    Args:
        folder: where its files are looked for.
        source: what messages call it.
        ways: the works that the command can do.
        trust: whether files outside of the folder may be read.

    Raises:
        RecipeError: it is of another engine, or does not fit.
    """
    way = _way_of(found.engine, source, ways)
    with blaming_recipe():
        call = prepare(found, partial=True)
    place = _Place(folder, trust)
    options = _options_of(call, place)
    of_film: tuple[str, ...] = _FILM if way.kind == "frames" else ()
    if way.recipe == "film-defog":  # pictures are cleared at their own size
        of_film += ("size",)
    film = {name: options.pop(name) for name in of_film if name in options}
    return Borrowed(source, way, options, _files_of(found, place), film)


def _way_of(engine: str, source: str, ways: Sequence[Way]) -> Way:
    """Which of the works of a command settings are of.

    Raises:
        RecipeError: none.
    """
    for way in ways:
        if engine == way.recipe:
            return way
    names = " or ".join(dict.fromkeys(way.recipe for way in ways if way.kind != "frames"))
    raise RecipeError(
        f"{show_value(source)[1:-1]} has settings of {show_value(engine)[1:-1]}; here only those "
        f"of {names} can be taken over"
    ).as_misuse()


def _options_of(call: Call, place: _Place) -> dict[str, Any]:
    """What was set, paths found beside the picture.

    What the machine chose another one chooses anew; what a person named is a setting.
    """
    found = {}
    digests = {*call.recipe.weights.values()}
    for name, value in call.options.items():
        if value is None or name in left_to_machine(call.recipe.auto):
            continue
        if name in path_options(call.recipe):
            value = _find_paths(name, value, digests, place)
        found[name] = value
    return found


def _find_paths(name: str, value: Any, digests: Collection[str], place: _Place) -> Any:
    """An option that may be a path, once it is asked for: what is typed instead is not looked for.

    Texts alone are found; the option's other values stay as they are.
    """

    def find() -> Any:
        texts = [value] if isinstance(value, str) else value
        here = [
            find_option(
                *(name, text, digests),
                place.search(f"the {name} {show_value(text)}", f"{flag_of(name)} …"),
            )
            if isinstance(text, str) and text
            else text
            for text in texts
        ]
        return here[0] if isinstance(value, str) else here

    return find if isinstance(value, (str, list)) and value else value


def _files_of(found: Recipe, place: _Place) -> dict[str, Callable[[], list[str]]]:
    roles: dict[str, list[Callable[[], str]]] = {}
    for one in found.inputs:
        if one.role in _OWN_FILES:
            continue
        remedy = "CONTENT STYLE…" if one.role == "style" else f"{flag_of(one.role)} …"
        subject = f"the input {show_value(one.path)} ({show_value(one.role)[1:-1]})"
        search = place.search(subject, remedy)
        roles.setdefault(one.role, []).append(_finder(search, one.path, one.sha256))
    return {role: _all_of(finders) for role, finders in roles.items()}


def _finder(search: Search, path: str, digest: str) -> Callable[[], str]:
    return lambda: os.fspath(search.find(path, {digest}))


def _all_of(finders: Sequence[Callable[[], str]]) -> Callable[[], list[str]]:
    return lambda: [find() for find in finders]
