"""What holds in every room: drop and restore, stop, reload, two windows, keys, undo, dialogs."""

from __future__ import annotations

import json

import pytest
from tests.browser.wall import (
    Wall,
    await_stage,
    drop,
    fill,
    give,
    paste,
    picture,
    ready,
    results,
    run,
    stage,
)

expect = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright").expect


# For two seconds, of each frame of the screen: whether the middle of the stage is empty.
BLANKS = """new Promise((resolve) => {
  const canvas = document.querySelector("bl-stage canvas.picture");
  const probe = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const end = performance.now() + 2000;
  let blank = 0;
  const look = () => {
    const [x, y] = [canvas.width * 0.7, canvas.height * 0.5].map(Math.round);
    probe.clearRect(0, 0, 1, 1);
    probe.drawImage(canvas, x, y, 1, 1, 0, 0, 1, 1);
    blank += probe.getImageData(0, 0, 1, 1).data[3] === 0;
    if (performance.now() < end) requestAnimationFrame(look);
    else resolve(blank);
  };
  look();
})"""


def begin_long(page) -> None:  # type: ignore[no-untyped-def]
    """A dream that would take minutes."""
    give(page, picture(240, 160))
    fill(page, "steps", "4000")
    fill(page, "octaves", "1")
    page.locator("bl-job button").click()
    page.locator(".run.stop").wait_for()


def test_a_dropped_result_brings_its_settings(window: Wall) -> None:
    page = window.open("dream")
    give(page)
    page.locator(".layer[data-layer=mixed4a]").click()
    fill(page, "steps", "2")
    fill(page, "octaves", "1")
    run(page)
    made = results(page)[0]
    data = page.request.get(f"{window.address}{made['url']}").body()
    page.get_by_role("button", name="Birds", exact=True).click()
    expect(page.locator(".layer[data-layer=mixed4c]")).to_have_attribute("aria-selected", "true")
    drop(page, data, "back.png")
    expect(page.locator(".toast")).to_contain_text("its settings are back")
    expect(page.locator(".layer[data-layer=mixed4a]")).to_have_attribute("aria-selected", "true")
    expect(page.locator("bl-row[data-option=steps]:visible .value")).to_have_value("2")
    await_stage(page, "hasBoth")
    page.get_by_role("link", name="Translate").click()
    drop(page, data, "back.png")
    page.locator(".wall.dream").wait_for()
    expect(page.locator(".label h1")).to_have_text("Hill, dreaming of scales")


def test_what_is_no_picture_is_refused_in_words(window: Wall) -> None:
    page = window.open("dream")
    drop(page, b"no picture at all", "letter.txt", "text/plain")
    expect(page.locator(".say.bad")).to_contain_text("This is nothing we can read")


def test_stop_keeps_what_is_there(window: Wall) -> None:
    page = window.open("dream")
    begin_long(page)
    for _ in range(400):
        if stage(page, "after !== null"):
            break
        page.wait_for_timeout(100)
    assert page.evaluate(BLANKS) == 0
    page.locator("body").press("Escape")
    expect(page.locator(".run:not(.stop)")).to_be_visible()
    made = results(page)[0]
    assert made["state"] == "stopped"
    expect(page.locator(".label p")).to_contain_text("stopped")


def test_a_reload_finds_the_job(window: Wall) -> None:
    page = window.open("dream")
    begin_long(page)
    page.reload()
    ready(page)
    expect(page.locator(".run.stop")).to_be_visible()
    expect(page.locator("bl-slot b").first).to_have_text("hill.png")
    expect(page.locator("bl-row[data-option=steps]:visible .value")).to_have_value("4000")
    page.locator("body").press("Escape")
    expect(page.locator(".run:not(.stop)")).to_be_visible()


def test_two_windows_share_the_queue_but_not_their_settings(window: Wall) -> None:
    one = window.open("dream")
    other = window.open("dream")
    fill(other, "steps", "7")
    begin_long(one)
    expect(other.locator(".queue")).to_have_text("1 at work")
    expect(other.locator("bl-row[data-option=steps]:visible .value")).to_have_value("7")
    one.close()
    expect(other.locator(".queue")).to_be_visible()
    other.locator(".queue").click()
    other.locator(".jobs .quiet").first.click()
    expect(other.locator(".queue")).to_be_hidden()


def test_a_setting_is_undone(window: Wall) -> None:
    page = window.open("dream")
    give(page)
    fill(page, "octaves", "6")
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Eyes", exact=True).click()
    page.locator("bl-stage").focus()
    page.keyboard.press("Control+z")
    expect(page.locator("bl-row[data-option=octaves] .value")).to_have_value("6")


def test_the_keyboard_alone(window: Wall) -> None:
    """From the address bar to a dream, looked at and compared, without a pointer."""
    page = window.open("dream")
    give(page)
    fill(page, "steps", "1")
    fill(page, "octaves", "1")
    page.locator(".layer[aria-selected=true]").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(page.locator(".layer[data-layer=conv1]")).to_have_attribute("aria-selected", "true")
    run(page, "Control+Enter")
    expect(page.locator(".label h1")).to_have_text("Hill, dreaming of grain")
    page.locator("bl-stage").focus()
    page.keyboard.down(" ")
    await_stage(page, "peek")
    page.keyboard.up(" ")
    await_stage(page, "peek === false")
    page.keyboard.press("1")
    await_stage(page, "scale === 1")
    page.keyboard.press("0")
    await_stage(page, "scale === null")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator(".strip").focus()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    expect(page.locator(".made").first).to_have_attribute("aria-selected", "true")


def test_a_mask_bares_the_dream(window: Wall) -> None:
    page = window.open("dream")
    give(page)
    fill(page, "steps", "2")
    fill(page, "octaves", "1")
    run(page)
    count = len(results(page))
    page.locator("[data-tool=mask]").click()
    page.get_by_role("button", name="Nothing").click()
    box = page.locator("bl-stage").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 80, y)
    page.mouse.down()
    page.mouse.move(x + 80, y, steps=5)
    page.mouse.up()
    page.get_by_role("button", name="Done").click()
    for _ in range(300):
        page.wait_for_timeout(100)
        if len(results(page)) > count:
            break
    assert results(page)[0]["inputs"].get("mask")


def test_copy_compare_and_grid(window: Wall) -> None:
    page = window.open("dream")
    give(page)
    fill(page, "octaves", "1")
    for steps in ("1", "2"):
        fill(page, "steps", steps)
        run(page)
    page.locator("[data-tool=copy]").click()
    expect(page.locator(".code")).to_contain_text("belamy dream")
    page.get_by_role("tab", name="Python").click()
    expect(page.locator(".code")).to_contain_text("import belamy")
    page.get_by_role("tab", name="Notebook").click()
    json.loads(page.locator(".code").inner_text())
    page.keyboard.press("Escape")
    page.locator(".made").nth(0).click(modifiers=["Shift"])
    page.locator(".made").nth(1).click(modifiers=["Shift"])
    expect(page.locator("table.differences tbody tr")).to_have_count(1)
    expect(page.locator("table.differences tbody th")).to_have_text("Steps at each size")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Try two settings on a grid").click()
    fields = page.locator(".grid-form input")
    fields.nth(0).fill("0.5; 1")
    fields.nth(1).fill("conv1; mixed3a")
    page.get_by_role("button", name="Make them all").click()
    expect(page.locator(".cells .cell img")).to_have_count(4)


def test_channels_are_chosen_by_their_picture(window: Wall) -> None:
    page = window.open("dream")
    page.locator(".layer[data-layer=mixed4b]").dblclick()
    expect(page.locator(".channels button")).to_have_count(24)
    page.locator(".channels button").nth(5).click()
    expect(page.locator(".label h1")).to_contain_text("Creatures, channel 5", ignore_case=True)


def test_a_preset_of_ones_own(window: Wall) -> None:
    page = window.open("dream")
    fill(page, "octaves", "7")
    page.get_by_role("button", name="Keep mine").click()
    page.locator("#preset-name").fill("Tall")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_role("button", name="Tall", exact=True)).to_be_visible()
    page.get_by_role("button", name="Eyes", exact=True).click()
    page.reload()
    ready(page)
    page.get_by_role("button", name="Tall", exact=True).click()
    expect(page.locator("bl-row[data-option=octaves] .value")).to_have_value("7")


def test_italian(window: Wall) -> None:
    page = window.open("dream", locale="it-IT")
    expect(page.locator(".rooms a").first).to_have_text("Sogno")
    expect(page.locator("bl-job .run span").first).to_have_text("Sogna")
    fill(page, "strength", "0,5")
    expect(page.locator("bl-row[data-option=strength] .value")).to_have_value("0,50")
    page.get_by_role("button", name="English").click()
    expect(page.locator(".rooms a").first).to_have_text("Dream")


def test_a_paste_says_what_it_loses_once(window: Wall) -> None:
    page = window.open("dream")
    paste(page, picture(), "image.png")
    expect(page.locator(".toast")).to_contain_text("its recipe is lost")
    expect(page.locator("bl-slot b").first).to_have_text("image.png")
    page.locator(".toast").wait_for(state="detached")
    paste(page, picture(seed=1), "other.png")
    expect(page.locator("bl-slot b").first).to_have_text("other.png")
    expect(page.locator(".toast")).to_have_count(0)


def test_a_phone_has_its_results_in_a_sheet(window: Wall) -> None:
    page = window.open("dream", viewport={"width": 390, "height": 844})
    give(page)
    fill(page, "steps", "1")
    fill(page, "octaves", "1")
    run(page)
    expect(page.locator("bl-strip")).to_be_hidden()
    page.locator(".last-made").click()
    page.locator(".made").first.click()
    expect(page.locator("bl-strip")).to_be_hidden()
    expect(page.locator(".label h1")).to_have_text("Hill, dreaming of a far shore")
