"""docs/architecture.md and its drawing say what the imports say."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
DRAWING = ROOT / "docs" / "pictures" / "architecture.svg"
SVG = "{http://www.w3.org/2000/svg}"

sys.path.insert(0, str(ROOT / "scripts"))
from house import House, floor_of  # noqa: E402

HOUSE = House(ROOT / "src" / "belamy")


def names_in(path: Path) -> set[str]:
    """The boxes of a drawing."""
    root = ElementTree.fromstring(path.read_text("utf-8"))
    return {text.text or "" for text in root.iter(f"{SVG}text") if not text.get("class")}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A new drawing, and what the script said."""
    path = tmp_path_factory.mktemp("drawing") / "house.svg"
    command = [sys.executable, str(ROOT / "scripts" / "architecture"), "--draw", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return path, done.stdout


def test_every_arrow_leads_down(drawn: tuple[Path, str]) -> None:
    root = ElementTree.fromstring(drawn[0].read_text("utf-8"))
    arrows = [path.get("d", "") for path in root.iter(f"{SVG}path") if path.get("class") == "arrow"]
    assert len(arrows) > 50
    for arrow in arrows:
        numbers = [float(number) for number in re.findall(r"-?\d+", arrow)]
        assert numbers[1] < numbers[-1], arrow


def test_the_drawing_in_the_docs_has_todays_folders(drawn: tuple[Path, str]) -> None:
    assert names_in(DRAWING) == names_in(drawn[0])


def test_the_script_counts(drawn: tuple[Path, str]) -> None:
    said = drawn[1]
    assert f"{len(HOUSE.paths)} files" in said
    assert "imports upwards: 0" in said
    assert "circles: 0," in said
    assert "functions over 40 lines: 0" in said
    for command in ("dream", "style", "GAN training"):
        assert re.search(rf"to read for {command}: \d+ files, [\d,]+ lines", said)


def test_circles_and_climbing_are_found_inside_functions_too(tmp_path: Path) -> None:
    package = tmp_path / "belamy"
    typing = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "
    for name, text in {
        "engines/api.py": "def run():\n    from belamy.engines.work import go\n",
        "engines/work.py": "from belamy.engines.api import run\nimport belamy.pixels.images\n",
        "pixels/images.py": "def show():\n    import belamy.cli.face\n",
        "cli/face.py": f"{typing}import belamy.studio\n",
        "errors.py": "",
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text, "utf-8")
    command = [sys.executable, str(ROOT / "scripts" / "architecture"), "--source", str(package)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "imports upwards: 2" in said  # pixels to cli; work to the api that calls it
    assert "circles: 1, of 2 files" in said
    assert "engines.api engines.work" in said


def test_the_walk_of_layer() -> None:
    """Each file of the walk imports the next one, and none climbs back."""
    section = PAGE.partition("## The walk of `layer`")[2].partition("\n## ")[0]
    walk = re.findall(r"^\d\. `([\w/]+)\.py`", section, re.MULTILINE)
    assert len(walk) <= 5
    modules = ["belamy." + path.replace("/", ".") for path in walk]
    command, options, render, objective, optimise = modules
    assert HOUSE.graph[command] >= {render}
    assert HOUSE.graph[render] >= {options, objective, optimise}
    for index, module in enumerate(modules[2:], start=2):
        assert not HOUSE.graph[module] & set(modules[:index]) - {options}
    assert "layer" in (ROOT / "src" / f"{options.replace('.', '/')}.py").read_text("utf-8")


def test_every_folder_is_on_the_page() -> None:
    named = set(re.findall(r"`(\w+)/?`", PAGE))
    floors = {floor_of(name) for name in HOUSE.paths}
    assert floors - {"", "__main__", "renamed", "precision"} <= named
    parts = [name.split(".") for name in HOUSE.paths if floor_of(name) == "engines"]
    engines = {part[2] for part in parts if len(part) > 3}
    assert engines <= named


def test_the_pages_functions_and_tables_are_there() -> None:
    for table, file in re.findall(r"`(\w+)` in `([\w/.]+)`", PAGE):
        text = (ROOT / "src" / "belamy" / file).read_text("utf-8")
        assert re.search(rf"^{table}\b", text, re.MULTILINE), table
