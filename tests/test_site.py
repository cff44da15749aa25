"""The site's source has every public name, command, option and embedded network, and its links lead
somewhere; built, it needs nothing from elsewhere."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

import belamy
from belamy.cli import app

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)[^)]*\)")


def load_script() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("script_site", str(ROOT / "scripts" / "site"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


script = load_script()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "source"
    script.write_source(folder)
    return folder


def text_of(folder: Path) -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(folder.glob("*.md")))


def commands(command: Any, path: str = "belamy") -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, f"{path} {name}")


def test_every_public_name_has_its_place(source: Path) -> None:
    text = text_of(source / "reference" / "api")
    headings = set(re.findall(r"^## (\S+)$", text, re.MULTILINE))
    wanted = {name for name in belamy.__all__ if name not in ("__version__", "learn")}
    wanted |= {f"learn.{name}" for name in belamy.learn.__all__}
    assert wanted == headings
    assert "belamy.dream(\n" in text
    assert "    octaves: int" in text


def test_every_command_and_option_has_its_place(source: Path) -> None:
    text = text_of(source / "reference" / "commands")
    headings = set(re.findall(r"^#+ (belamy .+)$", text, re.MULTILINE))
    every = dict(commands(typer.main.get_command(app)))
    del every["belamy"]
    assert every.keys() == headings
    for path, command in every.items():
        if hasattr(command, "commands"):
            continue
        section = re.split(r"^#+ belamy ", text.split(f"# {path}\n")[1], flags=re.MULTILINE)[0]
        for parameter in command.params:
            if not getattr(parameter, "hidden", False):
                for typed in (one for one in parameter.opts if one.startswith("-")):
                    assert re.search(rf"`[^`]*{typed}\b", section), f"{path} {typed}"


def test_every_embedded_network_and_page_is_in_the_list(source: Path) -> None:
    index = (source / "index.md").read_text("utf-8")
    listed = set(re.findall(r"^[\w./-]+$", index, re.MULTILINE))
    pages = {path.relative_to(source).with_suffix("").as_posix() for path in source.rglob("*.md")}
    assert pages - {"index"} <= listed
    assert {f"src/belamy/weights/{path.stem}" for path in script.WEIGHTS.glob("*.md")} <= listed
    for needed in ("docs/architecture", "docs/formats", "docs/faq", "docs/cluster"):
        assert needed in listed, needed


def test_links_lead_somewhere(source: Path) -> None:
    dead = [
        f"{page.relative_to(source)}: {link}"
        for page in source.rglob("*.md")
        for link in LINK.findall(page.read_text("utf-8"))
        if not (page.parent / link).exists()
    ]
    assert dead == []


def test_what_means_something_in_markdown_is_written_out() -> None:
    assert script.escape("a*b* `c*d*` <e>") == r"a\*b\* `c*d*` \<e\>"
    assert script.escape("one ` alone") == r"one \` alone"
    shown = script.docstring(
        "A thing.\n\nArgs:\n    x: how\n        far: there.\n\nRaises:\n    E: no."
    )
    assert "- `x`: how\n  far: there." in shown
    assert "**Raises**" in shown


@pytest.mark.slow  # 10 s
def test_the_pages_need_nothing_from_elsewhere(source: Path, tmp_path: Path) -> None:
    for name in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(name)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", str(source)]
    done = subprocess.run(
        [*command, str(tmp_path)], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > 50
    loads = r"""(?:<(?:script|img|iframe|source)[^>]*\ssrc|<link[^>]*\shref)=["'](?:https?:)?//"""
    for page in pages:
        assert not re.search(loads, page.read_text("utf-8")), page
    for sheet in tmp_path.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import )[\"']?(?:https?:)?//", sheet.read_text("utf-8"))
