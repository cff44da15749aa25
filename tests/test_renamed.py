"""Old names go on working, and no old name has come to mean something else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from belamy import renamed
from belamy.cli import app
from belamy.cli.options import arguments_of
from belamy.engines import ENGINES, engine
from belamy.files import sha256

EMBEDDED = Path(renamed.__file__).with_name("weights")


def flags(command: object, path: str = "belamy") -> Iterator[tuple[str, str]]:
    """(command, option without its dashes), of every command."""
    for parameter in getattr(command, "params", []):
        yield from ((path, name.lstrip("-")) for name in getattr(parameter, "opts", []))
    for name, inner in getattr(command, "commands", {}).items():
        yield from flags(inner, f"{path} {name}")


def test_old_flags_are_nobodys_new_ones() -> None:
    used = {name for _, name in flags(typer.main.get_command(app))}
    assert not used & renamed.FLAGS.keys()
    assert set(renamed.FLAGS.values()) <= used


@pytest.mark.parametrize("name", renamed.OPTIONS)
def test_old_options_of_recipes_lead_to_arguments(name: str) -> None:
    assert name in ENGINES
    known = arguments_of(engine(name)).keys()
    assert set(renamed.OPTIONS[name].values()) <= known
    assert not renamed.OPTIONS[name].keys() & known


def test_names_and_values_are_both_brought_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(renamed.CONFIGS, "run", {"mixed": "precision"})
    monkeypatch.setitem(renamed.VALUES, ("run", "mixed"), {True: "bfloat16", False: "float32"})
    old = {"mixed": True, "steps": 3, "data": ["a"]}
    new = {"precision": "bfloat16", "steps": 3, "data": ["a"]}
    assert renamed.current_options("run", old, renamed.CONFIGS) == new
    assert renamed.current_options("other", old, renamed.CONFIGS) == old


@pytest.mark.parametrize("name", renamed.ADDED)
def test_options_that_older_recipes_lack_say_what_was_done_then(name: str) -> None:
    assert renamed.ADDED[name].keys() <= arguments_of(engine(name)).keys()
    given = renamed.current_options(name, {"seed": 3})
    assert given == {**renamed.ADDED[name], "seed": 3}
    own = dict.fromkeys(renamed.ADDED[name], "own")
    assert renamed.current_options(name, own) == own


def test_a_picture_of_a_network_that_was_replaced_replays_with_that_one() -> None:
    (digest,) = (one for one, row in renamed.WEIGHTS.items() if row[1] == "defog")
    old = {"method": "cyclegan", "network": "defog", "strength": 1.0}
    weights = {"defog.safetensors": digest}
    assert renamed.current_options("defog", old, weights=weights)["network"] == "defog-1"
    assert renamed.current_options("defog", old, weights=weights)["method"] == "network"
    assert renamed.current_options("defog", old, weights={"x": "0" * 64})["network"] == "defog"
    own = {**old, "network": "mine.safetensors"}
    assert renamed.current_options("defog", own, weights=weights)["network"] == "mine.safetensors"


@pytest.mark.parametrize("digest", renamed.PACKED)
def test_weights_that_were_packed_go_on_as_their_copy(digest: str) -> None:
    copies = {sha256(path) for path in EMBEDDED.rglob("*.safetensors")}
    assert digest not in copies
    assert renamed.find_packed([digest, "0" * 64]) == {renamed.PACKED[digest], "0" * 64}
    assert renamed.PACKED[digest] in copies


def test_the_weights_inside_the_package_stay_small() -> None:
    assert sum(path.stat().st_size for path in EMBEDDED.rglob("*.safetensors")) < 30e6
