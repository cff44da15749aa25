"""The files of a recipe: found here and compared, none of them outside its picture's folder."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from belamy.checks import show_value
from belamy.cli.replay import NETWORKS, Call, exchange_paths, path_options
from belamy.errors import BelamyError, RecipeError
from belamy.files import expand_home
from belamy.renamed import find_packed

if TYPE_CHECKING:
    from belamy.pixels.recipe import Recipe

__all__ = ["TRUST", "Found", "Search", "find_files", "find_option", "is_name", "paths_in"]

TRUST = "add --trust if you know who made it"

_NETWORK_PATH = re.compile(r"[\\/]{2}")  # \\host\share: opening one tells its host who asks
_MOST_SEARCHED = 200  # files of a folder that are hashed in the search for one that was renamed
_LARGEST_SEARCHED = 64 << 20  # bytes of each


@dataclass(frozen=True)
class Found:
    """The files of a recipe, here.

    Args:
        inputs: path of each of the recipe's inputs, in order.
        options: path as an option has it → path here.
    """

    inputs: tuple[str, ...]
    options: Mapping[str, str]

    def restore_recipe(self, made: Recipe, recipe: Recipe) -> Recipe:
        """The recipe of what was made, with the paths and names that `recipe` has for its files."""
        names = {here: recorded for recorded, here in self.options.items()}
        back = {here: one.path for one, here in zip(recipe.inputs, self.inputs, strict=True)}
        options = exchange_paths(recipe, made.options, names)
        inputs = tuple(replace(one, path=back.get(one.path, one.path)) for one in made.inputs)
        # what replay asks for is what was chosen and filled in
        weights, auto, derived = recipe.weights, recipe.auto, recipe.derived
        return replace(
            made, options=options, inputs=inputs, weights=weights, auto=auto, derived=derived
        )


def find_files(call: Call, folder: Path, *, trust: bool) -> Found:
    """Every path in a recipe → the file here, its content compared: inputs, networks, data.

    A file is looked for by its name beside the picture, then where it was, then by its SHA-256
    beside the picture.

    Args:
        folder: the picture's.
        trust: whether files outside of it may be read.

    Raises:
        RecipeError: one is missing, has changed, or lies outside of the folder; or the networks
            here are others.
    """
    inputs = []
    for one in call.recipe.inputs:
        subject = f"the input {show_value(one.path)} ({show_value(one.role)[1:-1]})"
        inputs.append(Search(folder, trust, subject).find(one.path, {one.sha256}))
    digests = set(call.recipe.weights.values())
    options: dict[str, str] = {}
    networks = []
    for name, text in paths_in(call):
        search = Search(folder, trust, f"the {name} {show_value(text)}")
        options[text] = find_option(name, text, digests, search)
        if name in NETWORKS:
            networks.append(options[text])
    for name, values in call.recipe.grid:
        _require_names(name, values, call)
    _compare_weights(call.recipe, networks)
    moved = {text: here for text, here in options.items() if text != here}
    return Found(tuple(inputs), moved)


def _require_names(name: str, values: Sequence[object], call: Call) -> None:
    """Raise where an option of a sheet names files, each picture another one."""
    if name not in path_options(call.recipe):
        return
    for value in values:
        if not isinstance(value, str) or not is_name(value):
            raise RecipeError(
                f"the recipe's sheet has another {name} for each picture, {show_value(value)}; "
                "only networks that are called by a name can be tried again"
            )


def find_option(name: str, text: str, digests: Collection[str], search: Search) -> str:
    """What an option that may be a path is here: a file that was found, or the name as it is.

    Args:
        name: of the option.
        text: as the recipe has it.
        digests: of the recipe's weights.
        search: where files are looked for.

    Raises:
        RecipeError: it is a file that is missing, has changed, or lies outside of the folder.
    """
    if name in NETWORKS and _is_module(text):
        network, _, path = text.partition("@")
        # of one of timm's; the recipe's SHA-256 is not that of the file
        return f"{network}@{search.find(path, None)}" if path else text
    if not is_name(text):
        return search.find(text, set(digests) or None if name in NETWORKS else None)
    return (_find_older(text, digests) or text) if name in NETWORKS else text


def _find_older(name: str, digests: Collection[str]) -> str | None:
    """The weights of before, where those of this name have been replaced since."""
    from belamy.networks.files.cache import find_older

    path = find_older(name, digests)
    return None if path is None or _digest_of_network(name) in digests else os.fspath(path)


def paths_in(call: Call) -> Iterator[tuple[str, str]]:
    """Option, and each path or name in it."""
    for name in sorted(path_options(call.recipe) & call.options.keys()):
        value = call.options[name]
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and text:
                yield name, text


def _is_module(text: str) -> bool:
    from belamy.networks.modules.open_network import is_module

    return is_module(text)


def is_name(text: str) -> bool:
    """Whether a network's name is meant, which is looked for inside belamy and in its cache."""
    from belamy.networks.find import AUTO
    from belamy.networks.registry import embedded_names, names_of

    return text in {AUTO, "inception", *embedded_names(), *names_of("backbone")}


@dataclass(frozen=True)
class Search:
    """The search for one file.

    Args:
        folder: where it is looked for first, and last.
        trust: whether files outside of that may be read.
        subject: what messages call it.
        remedy: what else to do where it lies outside.
    """

    folder: Path
    trust: bool
    subject: str
    remedy: str = TRUST

    def find(self, recorded: str, digests: set[str] | None) -> str:
        """The path of the file here; `digests` are what it may have, None for anything.

        Raises:
            RecipeError: it is missing, has changed, or lies outside of the folder.
        """
        from belamy.pixels.recipe import file_name

        name = file_name(recorded)
        if not recorded:
            raise RecipeError(f"{self.subject} is missing: it was given as values, not as a file")
        beside = self.folder / name
        remote = _NETWORK_PATH.match(recorded) is not None
        there = None if remote else expand_home(recorded)
        changed = None
        for place in (beside, there):
            if place is None or not (self.trust or _is_inside(place, self.folder)):
                continue
            now = _look_at(place, self.subject, digests)
            if now is None or digests is None or now in digests:
                if now is not None:
                    return recorded if place == there else os.fspath(place)
            else:
                changed = now
        if digests and (renamed := _find_by_digest(self.folder, digests)) is not None:
            return renamed
        raise RecipeError(f"{self.subject} {self._why(there, changed, digests)}")

    def _why(self, there: Path | None, changed: str | None, digests: set[str] | None) -> str:
        if there is None:
            return "is on a network, which no replay opens; put the file beside the picture"
        if not self.trust and not _is_inside(there, self.folder):
            return (
                "lies outside of the picture's folder; put the file beside the picture, or "
                f"{self.remedy}"
            )
        if changed is None:
            return "is missing; put it beside the picture"
        was = ", ".join(f"{one[:12]}…" for one in sorted(digests or ()))
        return (
            f"has changed: its SHA-256 was {was}, now it is {changed[:12]}…; restore the original "
            "to make the same picture"
        )


def _is_inside(place: Path, folder: Path) -> bool:
    """Whether a path leads to somewhere in a folder, links followed."""
    try:
        return Path(os.path.realpath(place)).is_relative_to(os.path.realpath(folder))
    except (OSError, ValueError):  # a zero byte, or a name too long
        return True  # there is no such file


def _look_at(place: Path, subject: str, digests: set[str] | None) -> str | None:
    """The SHA-256 of a file, "" of what is not compared; None where there is nothing."""
    from belamy.networks.find import IN_RUN
    from belamy.pixels.film.folder import digest_frames
    from belamy.pixels.film.kinds import are_frames
    from belamy.pixels.recipe import digest_of

    try:
        frames = are_frames(place)
        if not place.exists() and not frames:
            return None
        if place.is_dir() and digests is not None and (place / IN_RUN).is_file():
            place, frames = place / IN_RUN, False  # of a training's run
        if digests is None and (place.is_dir() or place.is_file()):
            return ""
    except (OSError, ValueError):
        return None
    try:
        return digest_frames(place) if frames else digest_of(place)
    except BelamyError as error:
        if frames:  # there are none
            return None
        raise RecipeError(f"{subject} cannot be checked: {error}") from error


def _find_by_digest(folder: Path, digests: set[str]) -> str | None:
    """A file of the folder, whatever its name, with one of these SHA-256s."""
    from belamy.pixels.recipe import digest_of

    with suppress(OSError):
        for number, entry in enumerate(sorted(os.scandir(folder), key=lambda one: one.name)):
            if number >= _MOST_SEARCHED:
                return None
            with suppress(OSError, BelamyError):
                plain = entry.is_file(follow_symlinks=False)
                small = plain and entry.stat().st_size <= _LARGEST_SEARCHED
                if small and digest_of(entry.path) in digests:
                    return entry.path
    return None


def _compare_weights(found: Recipe, networks: Sequence[str]) -> None:
    """Compare the weights before the work; what no option names, its first step shows."""
    if not networks or not found.weights:
        return
    here = {}
    for name in dict.fromkeys(networks):
        if (digest := _digest_of_network(name)) is None:
            return  # the engine says why, or finds it in its own way
        here[name] = digest
    if not find_packed(here.values()) <= find_packed(found.weights.values()):
        raise RecipeError(
            f"the weights here are others ({_shorten(here)}) than those that made the picture "
            f"({_shorten(found.weights)}); replay needs the same"
        )


def _digest_of_network(name: str) -> str | None:
    from belamy.networks.find import find_network
    from belamy.pixels.recipe import digest_of

    try:
        return digest_of(find_network(name))
    except BelamyError:
        return None


def _shorten(weights: Mapping[str, str]) -> str:
    from belamy.pixels.recipe import file_name

    shown = [f"{file_name(name)[:60]} {digest[:12]}…" for name, digest in weights.items()]
    return ", ".join(shown[:3]) or "none"
