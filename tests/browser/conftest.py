"""The studio in a real browser: one server, one browser, a fresh window for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Playwright
    from tests.browser.wall import Wall
    from tests.studio.serving import Served

CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder is for `make test-browser`, and is skipped where there is no chromium."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="chromium is not here: make test-browser"))
            elif find_spec("fastapi") is None:
                item.add_marker(pytest.mark.skip(reason="needs pip install 'belamy[studio]'"))


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    from tests.browser.wall import picture
    from tests.studio.serving import studio

    root = tmp_path_factory.mktemp("root")
    for number in range(24):
        folder = root / "faces"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.png").write_bytes(picture(64, 64, number))
    with studio(tmp_path_factory.mktemp("studio"), roots=(root,), warm=True) as found:
        yield found


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    from playwright.sync_api import expect, sync_playwright
    from tests.browser.wall import PATIENCE

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    found = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
    yield found
    found.close()


@pytest.fixture(scope="session")
def cookie(browser: Browser, served: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The link opens once; what it leaves opens all other windows."""
    path = tmp_path_factory.mktemp("cookie") / "state.json"
    context = browser.new_context()
    context.new_page().goto(served.link)
    context.storage_state(path=path)
    context.close()
    return path


@pytest.fixture
def window(browser: Browser, served: Served, cookie: Path) -> Iterator[Wall]:
    """Opens windows on the studio; at the end none may have complained, or asked another host."""
    from tests.browser.wall import Wall

    wall = Wall(browser, f"http://127.0.0.1:{served.port}", cookie)
    yield wall
    wall.close()


@pytest.fixture
def context(window: Wall) -> BrowserContext:
    return window.context
