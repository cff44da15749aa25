"""What is written down of the networks' layers is what building them gives."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from belamy.networks.layer_tables import TABLES, find_table
from belamy.networks.registry import names_of

SCRIPT = Path(__file__).parents[2] / "scripts" / "layer_tables"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("script_layer_tables", str(SCRIPT))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_every_backbone_is_written_down() -> None:
    written = json.loads(TABLES.read_text("utf-8"))
    assert list(written) == list(names_of("backbone")), "run scripts/layer_tables"


@pytest.mark.parametrize("name", names_of("backbone"))
def test_a_table_is_what_building_gives(name: str, script: ModuleType) -> None:
    arguments = script.arguments_of(name)
    assert find_table(name, arguments) == script.look_at(name, arguments), (
        "run scripts/layer_tables"
    )


def test_the_script_writes_what_is_here(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(script, "TABLES", tmp_path / "tables.json")
    monkeypatch.setattr(script, "names_of", lambda kind: names_of(kind)[:3])
    script.main()
    written = json.loads((tmp_path / "tables.json").read_text("utf-8"))
    here = json.loads(TABLES.read_text("utf-8"))
    assert written == {name: here[name] for name in names_of("backbone")[:3]}


def test_other_arguments_have_no_table() -> None:
    assert find_table("vgg19", {"classes": 0}) is None
    assert find_table("no-such-network") is None
    assert find_table("vgg19") == find_table("vgg19", {})
