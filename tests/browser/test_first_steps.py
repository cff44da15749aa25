"""What somebody tries who has read nothing: it answers at once, and says what it does."""

from __future__ import annotations

import pytest
from tests.browser.wall import Wall, await_stage, fill, give, results, run, stage

expect = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright").expect


def small_dream(window: Wall):  # type: ignore[no-untyped-def]
    page = window.open("dream")
    give(page)
    fill(page, "steps", "1")
    fill(page, "octaves", "1")
    return page


def test_a_mask_begins_bare_and_leaves_no_trace_unless_painted(window: Wall) -> None:
    page = small_dream(window)
    run(page)
    made = len(results(page))
    page.locator("[data-tool=mask]").click()
    expect(page.locator(".mask-hint")).to_have_text("Paint where the new picture is to show.")
    assert stage(page, "mask !== null")
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".mask-hint")).to_have_count(0)
    assert stage(page, "mask === null")
    assert page.locator(".say.bad").count() == 0
    assert len(results(page)) == made


def test_a_layer_that_is_pressed_again_shows_its_channels(window: Wall) -> None:
    page = window.open("dream")
    await_stage(page, "width > 0")
    layer = page.locator(".layer[data-layer=mixed4b]")
    layer.click()
    await_stage(page, "width > 0")
    layer.hover()
    expect(page.locator("bl-stage .field")).to_have_text(
        "sees 114 px; press again for its channels"
    )
    layer.click()
    expect(page.get_by_role("dialog")).to_contain_text("Creatures: its channels")


def test_a_grid_names_layers_as_the_page_does_and_can_be_stopped(window: Wall) -> None:
    page = small_dream(window)
    fill(page, "steps", "4321")  # as nobody else has asked of this studio
    page.get_by_role("button", name="Try two settings on a grid").click()
    values = page.locator("dialog input.values")
    expect(values.nth(1)).to_have_value("Scales; Birds; Herds")
    values.nth(0).fill("0.5")
    values.nth(1).fill("eyes; Birds")
    page.get_by_role("button", name="Make them all").click()
    expect(page.locator(".cells [role=rowheader]")).to_have_text(["Eyes", "Birds"])
    page.get_by_role("button", name="Stop them all").click()
    expect(page.locator(".cells .cell").nth(1)).to_have_text("stopped")
    expect(page.get_by_role("button", name="Stop them all")).to_be_hidden()
    asked = page.evaluate("async () => (await fetch('/api/jobs')).json()")
    asked = [one for one in asked if one["options"].get("steps") == 4321]
    assert asked
    assert {one["state"] for one in asked} <= {"stopping", "stopped"}
    assert {one["options"]["layer"][0] for one in asked} <= {"mixed3b", "mixed4c"}


def test_a_digit_of_ones_own_begins_on_an_empty_sheet(window: Wall) -> None:
    page = window.open("learn/digit")
    pad = page.locator(".pad canvas")
    white = """(pad) => {
      const copy = new OffscreenCanvas(280, 280).getContext("2d", { willReadFrequently: true });
      copy.drawImage(pad, 0, 0);
      const { data } = copy.getImageData(0, 0, 280, 280);
      return data.filter((value, at) => at % 4 === 0 && value > 128).length;
    }"""
    seven = pad.evaluate(white)
    box = pad.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 120)
    assert 0 < pad.evaluate(white) < seven / 2
    page.mouse.up()
    expect(page.locator(".maps")).to_have_class("maps stale")


def test_two_paintings_are_both_named(window: Wall) -> None:
    page = window.open("style")
    page.locator(".layer.tall").nth(2).click(modifiers=["Control"])
    expect(page.locator(".label h1")).to_have_text("Landscape, after Night and Composition")


def test_faces_beside_a_face_are_offered_no_settings_without_effect(window: Wall) -> None:
    page = window.open("paint/walk")
    expect(page.locator(".say")).to_contain_text("From A to B")
    assert page.locator("bl-row:visible").count() == 0
    assert page.locator(".more:visible").count() == 0


@pytest.mark.parametrize("language", ["en-GB", "it-IT"])
def test_buttons_of_dialogs_stand_in_one_line(window: Wall, language: str) -> None:
    page = window.open("dream", locale=language)
    page.locator("bl-slot .quiet").first.click()
    page.locator("dialog[open] .strong").wait_for()
    heights = page.locator("dialog .actions button").evaluate_all(
        "(all) => all.map((one) => one.scrollHeight <= one.clientHeight + 1 && one.offsetHeight)"
    )
    assert heights == [40, 40]
