"""Films, lessons that are drawn, earlier days, what the eye sees: in the page."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.browser.test_looks import check_access
from tests.browser.wall import (
    Wall,
    await_stage,
    drop,
    fill,
    give,
    picture,
    ready,
    results,
    run,
)
from tests.studio.test_films import ramp

if TYPE_CHECKING:
    from playwright.sync_api import Page

expect = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright").expect


WIDTH = """(video) => video.videoWidth || new Promise((resolve, reject) => {
  video.addEventListener("loadedmetadata", () => resolve(video.videoWidth));
  video.addEventListener("error", () => reject(new Error(video.error?.message)));
})"""


def test_a_film_goes_in_and_plays(window: Wall, tmp_path: Path) -> None:
    page = window.open("defog")
    drop(page, ramp(tmp_path / "in.mp4", frames=4), "light.mp4", "video/mp4")
    page.locator("bl-slot b", has_text="light.mp4").wait_for()
    expect(page.locator("bl-slot small").first).to_contain_text("96 × 64")
    run(page)
    made = results(page)[0]
    assert made["engine"] == "defog_film"
    video = page.locator("bl-stage video")
    expect(video).to_be_visible(timeout=240_000)  # ninety faces
    assert video.evaluate(WIDTH) == 96
    expect(page.locator(".made .reel").first).to_have_text("film")


def test_a_dream_becomes_a_film(window: Wall) -> None:
    page = window.open("dream")
    give(page)
    page.get_by_role("button", name="Make a film of it").click()
    for name, value in (("seconds", "0.5"), ("fps", "4"), ("size", "64"), ("steps", "1")):
        page.locator(f"#journey-{name}").fill(value)
    page.get_by_text("From dream to dream").click()
    page.get_by_role("button", name="Make the film").click()
    expect(page.locator("dialog .refused")).to_contain_text("two or more")
    page.get_by_text("Travel into it").click()
    page.get_by_role("button", name="Make the film").click()
    page.locator("bl-stage video").wait_for()
    assert results(page)[0]["engine"] == "dream_zoom"


@pytest.mark.parametrize("lesson", ["threshold", "perceptron", "backprop", "depth"])
def test_a_lesson_is_drawn(window: Wall, lesson: str) -> None:
    page = window.open(f"learn/{lesson}", locale="it-IT")
    expect(page.locator(".sheet img")).to_be_visible()
    expect(page.locator(".sheet canvas")).to_be_visible()
    expect(page.locator(".said p").first).to_be_visible()
    expect(page.locator(".counts dd").first).not_to_have_text("–")
    page.get_by_role("link", name="Sogno").click()


def test_a_change_draws_the_lesson_anew(window: Wall) -> None:
    page = window.open("learn/threshold")
    expect(page.locator(".said p").first).to_be_visible()
    fill(page, "threshold", "0.5")
    expect(page.locator(".said")).to_contain_text("0.5")
    assert "threshold=0.5" in page.url


def test_earlier_pictures_are_found_by_their_day(window: Wall) -> None:
    page = window.open("dream")
    give(page)
    fill(page, "steps", "1")
    fill(page, "octaves", "1")
    run(page)
    expect(page.locator(".strip .day").first).to_have_text("Today")
    page.get_by_role("button", name="All, by day").click()
    expect(page.locator(".days h3").first).to_have_text("Today")
    expect(page.locator("dialog .body p").first).to_contain_text("results")
    check_access(page)
    page.locator(".days .sample").first.click()
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(".made[aria-selected=true]")).to_have_count(1)


def test_save_says_why_it_cannot_yet(window: Wall) -> None:
    page = window.open("defog")
    save = page.locator("[data-tool=save]")
    expect(save).to_have_attribute("aria-disabled", "true")
    save.click(force=True)
    expect(page.locator(".toast")).to_contain_text("Nothing made here yet")


def test_the_eye_says_what_it_sees(window: Wall) -> None:
    page = window.open("dream")
    give(page)
    page.get_by_role("button", name="Ask what it sees here").click()
    expect(page.locator(".guesses .percent")).to_have_count(5)
    check_access(page)
    page.locator(".guesses button").first.click()
    image = page.locator(".seeing img").first
    expect(image).to_have_attribute("src", re.compile("^/api/results/"))


def test_a_style_known_by_heart(window: Wall) -> None:
    page = window.open("style")
    give(page)
    page.get_by_role("button", name="Great Wave").click()
    expect(page.locator(".layer[data-id=great-wave]")).to_have_attribute("aria-selected", "true")
    fill(page, "size", "96")
    run(page)
    made = results(page)[0]
    assert (made["engine"], made["options"]["network"]) == ("apply_style", "great-wave")
    page.locator(".layer[data-id=the-scream]").click()
    page.reload()
    ready(page)
    expect(page.locator(".layer[data-id=the-scream]")).to_have_attribute("aria-selected", "true")


def test_each_painting_has_its_region(window: Wall) -> None:
    page = window.open("style")
    give(page)
    fill(page, "size", "96")
    page.locator(".layer.tall").nth(1).click(modifiers=["Control"])
    page.locator("[data-tool=mask]").click()
    expect(page.locator("bl-mask .swatch")).to_have_count(2)
    page.locator("bl-mask .swatch").nth(1).click()
    page.get_by_role("button", name="Middle").click()
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".setting img.row-thumb")).to_have_count(4)  # two weights, two masks
    run(page)
    made = results(page)[0]
    assert len(made["inputs"]["mask"]) == len(made["inputs"]["paintings"]) == 2
    page.locator(".layer.tall").nth(0).click()
    expect(page.locator(".setting img.row-thumb")).to_have_count(0)


def test_a_training_is_stopped_and_goes_on(window: Wall) -> None:
    page = window.open("paint")
    page.get_by_role("button", name="Train a network").click()
    page.locator("#train-steps").fill("40000")
    page.get_by_role("button", name="Start").click()
    dialog = page.locator("dialog")
    halt = dialog.get_by_role("button", name="Stop", exact=True)
    resume = dialog.get_by_role("button", name="Resume")
    expect(dialog.locator(".training-line").first).to_contain_text("Step")
    halt.click()
    resume.click()
    expect(dialog.locator(".training-line").first).to_contain_text("Step")
    halt.click()
    expect(resume).to_be_visible()


def test_a_walk_between_two_faces_is_a_film(window: Wall) -> None:
    page = window.open("paint")
    fill(page, "count", "4")
    fill(page, "upscale", "1")
    run(page)
    for at, letter in enumerate("ab"):
        page.locator(".face").nth(at).click()
        page.locator(f"[data-tool=pin_{letter}]").click()
    page.get_by_role("tab", name="Walk").click()
    page.get_by_role("button", name="As a film").click()
    video = page.locator("bl-stage video")
    expect(video).to_be_visible(timeout=240_000)  # ninety faces
    made = results(page)[0]
    assert made["engine"] == "gan_walk"
    assert len(made["inputs"]["latents"]) == 2


def test_those_of_earlier_days_come_when_they_are_looked_for(window: Wall) -> None:
    page = window.open("dream")
    sample = page.evaluate("async () => (await (await fetch('/api/samples')).json())[0]")
    now = time.time()

    def answer(route: Any) -> None:
        days, count = (3, 5) if "before=" in route.request.url else (1, 60)
        rows = [
            {
                "id": f"{days:06d}{n:06d}",
                "job": "000000000000",
                "name": f"{n}.png",
                "url": sample["url"],
                "thumb": sample["thumb"],
                "width": 96,
                "height": 64,
                "engine": "dream",
                "room": "dream",
                "inputs": {},
                "options": {},
                "title": f"Day {days}",
                "state": "done",
                "seconds": 1,
                "blends": False,
                "created": now - 86_400 * days - n,
                "latents": False,
                "note": "",
            }
            for n in range(count)
        ]
        route.fulfill(json=rows)

    page.route("**/api/results?*", answer)
    page.reload()
    ready(page)
    expect(page.locator(".strip-head span")).to_have_text("60+ pictures")
    page.get_by_role("button", name="All, by day").click()
    expect(page.locator(".days h3").first).to_have_text("Yesterday")
    page.get_by_role("button", name="Earlier").click()
    expect(page.locator(".days .sample")).to_have_count(65)
    expect(page.get_by_role("button", name="Earlier")).to_be_hidden()
    expect(page.locator(".days h3").last).to_have_text(re.compile(r"^\d+ [A-Z]\w+( \d+)?$"))


def test_a_folder_of_ones_own_is_learned_from(window: Wall, tmp_path: Path) -> None:
    """It is sent as it is laid out; what a training takes is said before it starts."""
    folder = tmp_path / "pets"
    for kind in ("cats", "dogs"):
        (folder / kind).mkdir(parents=True)
        for number in range(5):
            (folder / kind / f"{number}.png").write_bytes(picture(32, 32, number))
    page = window.open("paint")
    page.get_by_role("button", name="Train a network").click()
    dialog = page.get_by_role("dialog", name="Train a network")
    expect(dialog.get_by_text("Drop a folder here")).to_be_visible()
    with page.expect_file_chooser() as asked:
        dialog.get_by_role("button", name="A folder of yours…").click()
    asked.value.set_files(folder)
    expect(dialog.get_by_role("combobox", name="Folder")).to_contain_text(
        re.compile(r"pets \w+ \(10\)")
    )
    expect(dialog.get_by_text(re.compile(r"^About .* on one core"))).to_be_visible()
    dialog.get_by_label("Steps").fill("40")
    expect(dialog.get_by_text(re.compile(r"^About \d+ s "))).to_be_visible()
    check_access(page)
    listed = page.evaluate("async () => (await fetch('/api/folders')).json()")
    names = [one["name"].partition("/")[2].partition(" ")[2][7:] for one in listed]
    assert {"cats", "dogs"} <= set(names)


SEVERAL = """async () => {
  const files = new DataTransfer();
  for (let at = 0; at < 3; at++) {
    const canvas = new OffscreenCanvas(32 + at, 32);
    canvas.getContext("2d").fillRect(0, 0, 16, 32);
    const blob = await canvas.convertToBlob();
    files.items.add(new File([blob], `${at}.png`, { type: "image/png" }));
  }
  const how = { dataTransfer: files, bubbles: true, cancelable: true };
  document.body.dispatchEvent(new DragEvent("drop", how));
}"""


def test_pictures_that_are_dropped_among_faces_can_be_learned_from(window: Wall) -> None:
    page = window.open("paint")
    page.evaluate(SEVERAL)
    page.get_by_role("button", name="Train on them").click()
    dialog = page.get_by_role("dialog", name="Train a network")
    expect(dialog.get_by_role("combobox", name="Folder")).to_contain_text(
        re.compile(r"folder \w+ \(3\)")
    )


def test_a_folder_that_is_dragged_here_is_learned_from(window: Wall, tmp_path: Path) -> None:
    """As by the mouse: a folder with folders in it, beside a picture that lies with it."""
    for kind in ("cats", "dogs"):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        for number in range(2):
            path = tmp_path / "pets" / kind / f"{number}.png"
            path.write_bytes(picture(32, 32, number))
    (tmp_path / "one.png").write_bytes(picture(32, 32, 7))
    (tmp_path / "pets" / "notes.txt").write_text("not a picture")
    page = window.open("paint")
    drag(page, [tmp_path / "one.png", tmp_path / "pets"])
    page.get_by_role("button", name="Train on them").click()
    dialog = page.get_by_role("dialog", name="Train a network")
    expect(dialog.get_by_role("combobox", name="Folder")).to_contain_text("(5)")


def drag(page: Page, paths: Sequence[Path]) -> None:
    """Files and folders dragged from outside onto the page, and let go."""
    held = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    with_mouse = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        with_mouse.send("Input.dispatchDragEvent", {"type": kind, "x": 400, "y": 400, "data": held})


@pytest.mark.parametrize("tab", ["neighbours", "edit", "walk", "find"])
def test_no_room_of_faces_begins_empty(window: Wall, tab: str) -> None:
    page = window.open(f"paint/{tab}")
    expect(page.locator(".sitter.chosen")).to_have_count(2)
    await_stage(page, "width > 0")
    expect(page.locator(".refused, .say.bad")).to_have_count(0)
