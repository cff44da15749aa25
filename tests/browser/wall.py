"""Windows on the studio, and what a person does in them."""

from __future__ import annotations

import base64
import io
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PATIENCE = 60_000  # milliseconds, on a machine that is busy

ROOMS = ("dream", "style", "paint", "translate", "defog", "learn")

_DROP = """([name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], name, { type }));
  const target = document.querySelector("bl-stage") ?? document.body;
  const how = { dataTransfer: files, bubbles: true, cancelable: true };
  target.dispatchEvent(new DragEvent("drop", how));
}"""


_PASTE = """([name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], name, { type }));
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: files, bubbles: true }));
}"""


class Wall:
    """A browser window, or several of one person.

    Args:
        browser: a running one.
        address: of the studio.
        cookie: a state that is let in.
    """

    def __init__(self, browser: Browser, address: str, cookie: Path) -> None:
        self.browser, self.address, self.cookie = browser, address, cookie
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.strangers: list[str] = []

    @property
    def context(self) -> BrowserContext:
        if not self.contexts:
            self.new_context()
        return self.contexts[-1]

    def new_context(self, **how: Any) -> BrowserContext:
        usual = {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"}
        found = self.browser.new_context(
            storage_state=self.cookie, **{**usual, "locale": "en-GB", **how}
        )
        found.set_default_timeout(PATIENCE)
        self.contexts.append(found)
        return found

    def open(self, place: str = "dream", **how: Any) -> Page:
        """A window on a room, its pictures loaded."""
        context = self.new_context(**how) if how or not self.contexts else self.context
        page = context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._look_at_host)
        page.goto(f"{self.address}/#{place}")
        return ready(page)

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _look_at_host(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.strangers.append(request.url)

    def close(self) -> None:
        for context in self.contexts:
            context.close()
        assert not self.complaints, self.complaints
        assert not self.strangers


def ready(page: Page) -> Page:
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


def picture(width: int = 96, height: int = 64, seed: int = 0) -> bytes:
    """A PNG of soft colours."""
    rough = np.random.default_rng(seed).integers(0, 255, (4, 6, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(rough).resize((width, height), Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()


def drop(page: Page, data: bytes, name: str = "hill.png", media: str = "image/png") -> None:
    """Drop a file on the stage."""
    page.evaluate(_DROP, [name, media, base64.b64encode(data).decode()])


def paste(page: Page, data: bytes, name: str = "image.png") -> None:
    """Paste a picture, as browsers hand it over."""
    page.evaluate(_PASTE, [name, "image/png", base64.b64encode(data).decode()])


def give(page: Page, data: bytes | None = None, name: str = "hill.png") -> None:
    """Drop a picture, and wait until it is the one that goes in."""
    drop(page, data or picture(), name)
    page.locator("bl-slot b", has_text=name).first.wait_for()


def fill(page: Page, option: str, value: str) -> None:
    """Type a number into a row."""
    row = page.locator(f"bl-row[data-option={option}]:not([hidden])").first
    field = row.locator("input.value, input.number, input.words").first
    field.fill(value)
    field.press("Tab")


def run(page: Page, key: str | None = None) -> None:
    """Press Run, or a key that does; wait until something new is made and nothing runs any more."""
    before = _newest(page)
    if key is None:
        page.locator("bl-job button").click()
    else:
        page.keyboard.press(key)
    end = time.monotonic() + PATIENCE / 1000
    while _newest(page) == before:
        assert page.locator(".refused:visible").count() == 0
        assert time.monotonic() < end, "nothing new was made"
        page.wait_for_timeout(50)
    page.locator(".run:not(.stop)").wait_for()
    assert page.locator(".refused:visible").count() == 0
    page.locator(".made:not(.waiting)").first.wait_for(state="attached")


def _newest(page: Page) -> str | None:
    return next((one["id"] for one in results(page)), None)


def results(page: Page) -> list[dict[str, Any]]:
    """Those that the server has, the newest first."""
    text = page.evaluate("async () => (await (await fetch('/api/results?limit=60')).text())")
    found = json.loads(text)
    return found if isinstance(found, list) else found["results"]  # type: ignore[no-any-return]


def stage(page: Page, expression: str) -> Any:
    """Something of the stage's view."""
    return page.evaluate(f"document.querySelector('bl-stage').view.{expression}")


def await_stage(page: Page, expression: str) -> None:
    """Wait until something of the stage's view is true: pictures come to it in their own time.

    Asked again and again from here, since the page's policy forbids playwright's own waiting.
    """
    end = time.monotonic() + PATIENCE / 1000
    while not stage(page, expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(50)
