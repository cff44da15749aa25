"""Each room's main path, on the weights in the package, with pictures that take a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.browser.wall import Wall, await_stage, fill, give, results, run

if TYPE_CHECKING:
    from playwright.sync_api import Locator

expect = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright").expect


def test_dream(window: Wall) -> None:
    page = window.open("dream")
    expect(page.locator(".layer")).to_have_count(10)
    assert page.locator(".layer[aria-selected=true]").get_attribute("data-layer") == "mixed5a"
    give(page)
    page.locator(".layer[data-layer=mixed3b]").click()
    fill(page, "steps", "3")
    fill(page, "octaves", "2")
    run(page)
    made = results(page)[0]
    assert made["engine"] == "dream"
    assert made["options"]["layer"] in (["mixed3b"], "mixed3b")
    assert made["options"]["steps"] == 3
    expect(page.locator(".label h1")).to_have_text("Hill, dreaming of eyes")
    await_stage(page, "hasBoth")
    knob = page.locator(".knob")
    knob.focus()
    knob.press("Home")
    await_stage(page, "cut === 0")
    knob.press("Shift+ArrowRight")
    expect(knob).to_have_attribute("aria-valuetext", "10 % as it was")


def test_strength_is_live(window: Wall) -> None:
    """The stage blends at once; the worker makes the exact picture when the slider rests."""
    page = window.open("dream")
    give(page)
    fill(page, "steps", "2")
    fill(page, "octaves", "1")
    run(page)
    count = len(results(page))
    fill(page, "strength", "0.5")
    await_stage(page, "alpha === 0.5")
    expect(page.locator("bl-row[data-option=strength].changed")).to_have_count(1)
    for _ in range(200):
        page.wait_for_timeout(100)
        if len(results(page)) > count:
            break
    assert results(page)[0]["options"]["strength"] == 0.5


def test_style(window: Wall) -> None:
    page = window.open("style")
    expect(page.locator(".painting, .layer.tall").first).to_be_visible()
    give(page)
    fill(page, "size", "96")
    page.locator(".layer.tall").nth(1).click(modifiers=["Control"])
    expect(page.locator(".weights .setting")).to_have_count(2)
    run(page)
    made = results(page)[0]
    assert made["engine"] == "any_style"
    assert len(made["inputs"]["paintings"]) == 2
    assert made["options"]["style_weight"] == [1, 1]


def test_paint(window: Wall) -> None:
    page = window.open("paint")
    expect(page.locator(".face").first).to_be_visible()
    fill(page, "count", "4")
    fill(page, "upscale", "1")
    run(page)
    expect(page.locator(".face")).to_have_count(4)
    page.locator(".face").nth(2).click()
    expect(page.locator(".label h1")).to_have_text("Nobody, no. 0:3")
    page.locator("[data-tool=pin_a]").click()
    page.locator(".face").nth(1).click()
    page.locator("[data-tool=pin_b]").click()
    expect(page.locator(".sitter.chosen")).to_have_count(2)
    page.get_by_role("tab", name="Walk").click()
    run(page)
    made = results(page)[0]
    assert (made["engine"], made["options"]["first"], made["options"]["second"]) == (
        "gan_mix",
        "0:3",
        "0:2",
    )
    page.locator(".walk input").fill("1")
    await_stage(page, "width === 192")


def test_translate(window: Wall) -> None:
    page = window.open("translate")
    give(page)
    fill(page, "size", "64")
    page.get_by_role("button", name="Photograph", exact=True).click()
    run(page)
    made = results(page)[0]
    assert made["options"]["direction"] == "b-to-a"
    expect(page.locator(".label h1")).to_have_text("Hill, as a photograph")
    page.get_by_role("button", name="Old photo", exact=True).click()
    run(page)
    expect(page.locator(".label h1")).to_have_text("Hill, as an old photograph")


def test_defog(window: Wall) -> None:
    page = window.open("defog")
    give(page)
    run(page)
    assert results(page)[0]["engine"] == "defog"
    box = page.locator("bl-stage").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.4)
    expect(page.locator(".lens span")).to_contain_text("%")
    page.get_by_role("radio", name="Make fog").first.click()
    run(page)
    assert results(page)[0]["engine"] == "fog"


def read_when_it_stands(counter: Locator) -> str:
    """What a counter says once it has not changed for half a second: a pause takes its time."""
    readings = [counter.inner_text()]
    for _ in range(40):
        counter.page.wait_for_timeout(500)
        readings.append(counter.inner_text())
        if readings[-1] == readings[-2]:
            return readings[-1]
    raise AssertionError(f"it does not stand still: {readings[-3:]}")


def test_a_network_learns(window: Wall) -> None:
    """Play, pause, one step; the address says what is learnt, and hides what it is told to hide."""
    page = window.open("learn/mlp?points=xor&hidden=4&epochs=2000&hide=noise")
    expect(page.locator("bl-row[data-option=noise]")).to_be_hidden()
    expect(page.locator(".neuron")).to_have_count(5)
    play = page.locator(".player .main")
    epoch = page.locator(".counts dd").first
    play.click()
    expect(epoch).not_to_have_text("–")
    expect(play).to_have_text("Pause")
    play.click()
    stands = read_when_it_stands(epoch)
    page.get_by_role("button", name="Step", exact=True).click()
    expect(epoch).to_have_text(str(int(stands) + 1))
    page.locator(".neuron").nth(1).hover()
    expect(page.locator(".block.plane h2")).to_have_text("What neuron 2 of layer 1 sees")
    page.get_by_role("button", name="Spirals").first.click()
    assert "points=spirals" in page.url
    page.get_by_role("button", name="Reset").click()
    expect(epoch).to_have_text("–")


def test_two_networks_play(window: Wall) -> None:
    page = window.open("learn/gan")
    page.locator(".player .main").click()
    expect(page.locator(".counts dd").first).not_to_have_text("–")
    expect(page.locator(".counts dd").nth(1)).to_contain_text("/ 8")
    page.get_by_role("button", name="Reset").click()
