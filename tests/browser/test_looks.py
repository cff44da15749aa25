"""How it looks: every room, both themes, every size; and whether everybody can use it.

With BELAMY_SHOTS=docs/studio the pictures of the documentation are taken anew.
"""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from tests.browser.wall import ROOMS, Wall

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright").expect

SHOTS = os.environ.get("BELAMY_SHOTS")
LARGEST = 110_000  # bytes of a picture of the documentation
WORDS = Path(__file__).parents[2] / "src" / "belamy" / "studio" / "page" / "words"
SCROLLS = "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"


CUT = """[...document.querySelectorAll(
    '.run span, .rooms a, .head label, .as-label, .choice label, .tools .word, .rail b')]
  .filter((one) => one.offsetParent && getComputedStyle(one).display !== 'inline')
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.textContent)"""


BROKEN = """[...document.querySelectorAll('.way span:last-child')].flatMap((one) => {
  const text = one.firstChild;
  if (!one.offsetParent || text?.nodeType !== Node.TEXT_NODE) return [];
  return [...text.data.matchAll(/[^\\s-]+/g)].filter((word) => {
    const range = document.createRange();
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    return range.getClientRects().length > 1;
  }).map((word) => word[0]);
})"""


LOADED = """Promise.race([
  new Promise((resolve) => setTimeout(resolve, 8000)),
  Promise.all([...document.images].filter((one) => one.loading !== "lazy")
    .map((one) => one.decode().catch(() => null)))])"""


def settle(page: Page) -> None:
    page.locator(".label h1").wait_for()
    page.wait_for_load_state("networkidle")
    page.evaluate(LOADED)
    page.wait_for_timeout(700)  # the knob glides


def shoot(page: Page, name: str) -> None:
    """Keeps a picture of the page where it is wanted."""
    data = page.screenshot()
    if SHOTS:
        image = Image.open(io.BytesIO(data)).convert("RGB")
        if image.width > 1440:
            image = image.resize(
                (1440, image.height * 1440 // image.width), Image.Resampling.LANCZOS
            )
        for quality in (82, 70, 58, 46, 36, 26, 18):
            file = io.BytesIO()
            image.save(file, "WEBP", quality=quality, method=6)
            if file.tell() <= LARGEST:
                break
        (Path(SHOTS) / f"{name}.webp").write_bytes(file.getvalue())


def check_access(page: Page) -> None:
    """Deque's axe finds nothing."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    told = [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in found]
    assert not told


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("room", ROOMS)
def test_wide(window: Wall, room: str, theme: str) -> None:
    page = window.open(room, color_scheme=theme)
    settle(page)
    assert not page.evaluate(SCROLLS)
    shoot(page, f"{room}-1440-{theme}")
    check_access(page)


@pytest.mark.parametrize("size", [(820, 1180), (390, 844), (320, 640), (720, 450)], ids=str)
def test_narrow(window: Wall, size: tuple[int, int]) -> None:
    """A tablet, a phone, the smallest one, and a wide screen at 200 %: nothing scrolls sideways."""
    width, height = size
    page = window.open("dream", viewport={"width": width, "height": height})
    for room in ROOMS:
        page.evaluate(f"location.hash = '#{room}'")
        page.locator(f".wall.{room}").wait_for()
        settle(page)
        assert not page.evaluate(SCROLLS), room
        if room in ("dream", "learn") and width in (820, 390):
            shoot(page, f"{room}-{width}-dark")
            check_access(page)


@pytest.mark.parametrize("lesson", ["backprop", "approximation"])
def test_a_drawn_lesson(window: Wall, lesson: str) -> None:
    page = window.open(f"learn/{lesson}")
    expect(page.locator(".said p").first).to_be_visible()
    expect(page.locator(".player .main")).to_have_text("Play")  # it is over
    settle(page)
    shoot(page, f"learn-{lesson}-1440-dark")
    check_access(page)


def test_projector(window: Wall) -> None:
    page = window.open("dream", viewport={"width": 1920, "height": 1080}, color_scheme="light")
    settle(page)
    page.locator("bl-stage").focus()
    page.keyboard.press("p")
    expect(page.locator("bl-strip")).to_be_hidden()
    rows = page.locator("bl-row:visible")
    assert rows.count() == 3
    page.evaluate("document.activeElement.blur()")
    page.wait_for_timeout(300)
    shoot(page, "dream-projector")


def test_the_picture_owns_the_stage(window: Wall) -> None:
    page = window.open("dream")
    settle(page)
    share = page.evaluate(
        """(() => {
          const { box, stageWidth, stageHeight } = document.querySelector('bl-stage').view;
          return (box.width * box.height) / (stageWidth * stageHeight);
        })()"""
    )
    assert share >= 0.5
    assert page.locator("bl-row:visible").count() <= 7


@pytest.mark.parametrize("dialog", ["help", "slot", "copy", "grid", "film"])
def test_dialogs_can_be_used_by_everybody(window: Wall, dialog: str) -> None:
    page = window.open("dream")
    opener = {
        "help": ".top .round",
        "slot": "bl-slot .quiet",
        "copy": "[data-tool=copy]",
        "grid": ".more >> nth=1",
        "film": ".more >> nth=2",
    }
    page.locator(opener[dialog]).first.click()
    page.locator("dialog[open] .body > *").first.wait_for()
    page.wait_for_timeout(400)
    check_access(page)


@pytest.mark.parametrize("language", ["it-IT", "en-US"])
def test_words_are_neither_cut_off_nor_broken(window: Wall, language: str) -> None:
    page = window.open("dream", locale=language)
    for room in ROOMS:
        page.evaluate(f"location.hash = '#{room}'")
        page.locator(f".wall.{room}").wait_for()
        settle(page)
        assert page.evaluate(CUT) == [], room
        assert page.evaluate(BROKEN) == [], room


def flat(tree: dict[str, object], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            found |= flat(value, f"{before}{name}.")
        else:
            found[before + name] = str(value)
    return found


@pytest.mark.parametrize("part", ["", ".options", ".rooms"])
def test_both_languages_say_the_same_things(part: str) -> None:
    english, italian = (
        flat(json.loads((WORDS / f"{language}{part}.json").read_text("utf-8")))
        for language in ("en", "it")
    )
    assert english.keys() == italian.keys()
    for name, text in english.items():
        assert text.count("{") == italian[name].count("{"), name


def test_every_word_that_the_page_says_is_there() -> None:
    english: dict[str, str] = {}
    for part in ("", ".options", ".rooms"):
        english |= flat(json.loads((WORDS / f"en{part}.json").read_text("utf-8")))
    keys = [
        key
        for path in sorted((WORDS.parent / "js").rglob("*.js"))
        for key in re.findall(r'\bt\("(\w+(?:\.\w+)+)"', path.read_text("utf-8"))
    ]
    assert len(keys) > 200
    assert [key for key in keys if key not in english] == []
