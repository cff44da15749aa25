"""The notebooks of docs/notebooks: what is written there runs, and stays small."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from tests.test_house import load_script

nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
LARGEST = 200_000  # bytes


def read(path: Path) -> Any:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def code_of(path: Path) -> list[str]:
    return [cell.source for cell in read(path).cells if cell.cell_type == "code"]


def test_there_are_six_and_two_in_italian() -> None:
    names = {path.stem for path in NOTEBOOKS}
    assert names == {
        *("defog", "dream", "gan", "learn", "style", "translate", "dream.it", "learn.it")
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_is_small_and_shows_what_it_made(path: Path) -> None:
    assert path.stat().st_size < LARGEST
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert sum("image/jpeg" in output.get("data", {}) for output in outputs) >= 3
    text = path.read_text("utf-8")
    assert not re.search(r"/(home|root|tmp|work)/", text)  # nothing of whose machine it was
    for source in code_of(path):
        ast.parse(re.sub(r"^!.*", "", source, flags=re.MULTILINE))


@pytest.mark.parametrize("name", ["dream", "learn"])
def test_twins_do_the_same(name: str) -> None:
    folder = ROOT / "docs" / "notebooks"
    italian = code_of(folder / f"{name}.it.ipynb")
    without = [re.sub(r'(, )?language="it"', "", source) for source in italian]
    assert without == code_of(folder / f"{name}.ipynb")
    if name == "learn":
        assert any('language="it"' in source for source in italian)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_runs(path: Path) -> None:
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    script = load_script(ROOT / "scripts" / "notebooks")
    notebook = script.run_notebook(path)
    assert all(
        cell.execution_count is not None for cell in notebook.cells if cell.cell_type == "code"
    )
