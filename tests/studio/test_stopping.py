"""A stop ends the work inside a frame or a step, and what is whole is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)

from belamy.errors import BelamyError
from belamy.pixels.film.reader import open_film
from belamy.pixels.film.save import save_video
from belamy.pixels.images import Picture
from belamy.pixels.recipe import read_recipe
from belamy.studio.catalog.engines import find_engine
from belamy.studio.store.samples import samples_folder
from belamy.studio.worker.control import Control
from belamy.studio.worker.films import make_film
from belamy.studio.worker.order import Order
from belamy.studio.worker.pictures import make_picture

NIGHT = str(samples_folder() / "night.jpg")
SMALL: dict[str, Any] = {"octaves": 1, "steps": 4, "layer": "mixed3a"}
FILMS: dict[str, dict[str, Any]] = {
    "dream_film": {**SMALL, "size": 64},
    "style_film": {"iterations": 6, "size": 64},
    "any_style_film": {"size": 64},
    "apply_style_film": {"network": "starry-night", "size": 64},
    "translate_film": {"network": "old-photographs", "size": 64},
    "defog_film": {},
    "dream_zoom": {"size": 64, "seconds": 60.0},
    "dream_walk": {"size": 64, "layers": ["mixed3a", "mixed3b"]},
    "gan_walk": {},
}
PICTURES: dict[str, dict[str, Any]] = {
    "dream": {**SMALL, "steps": 40},
    "style": {"iterations": 40, "size": 64},
}


class Stopping:
    """A channel whose user stops the job a few layers after its second step began."""

    def __init__(self, control: Control) -> None:
        self.control = control
        self.messages: list[dict[str, Any]] = []
        self.layers = self.after = 0

    @property
    def total(self) -> int:
        """Frames or steps that there would have been."""
        progress = [one for one in self.messages if one["type"] == "progress"]
        return int(progress[-1]["total"])

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        self.messages.append(header)

    def count(self, module: Any, given: Any, made: Any) -> None:
        """After each layer; those that end after the stop are too many."""
        if self.control.stopped:
            self.after += 1

    def press(self, module: Any, given: Any) -> None:
        """Before each layer."""
        if any(one["type"] == "progress" for one in self.messages):
            self.layers += 1
            if self.layers == 3:
                self.control.stop()


def run(name: str, options: dict[str, Any], folder: Path) -> Stopping:
    """Do a job; the user stops it."""
    files: dict[str, Any] = {}
    roles = {role.name: role for role in find_engine(name).roles}
    if "picture" in roles:
        path = folder / ("in.mp4" if roles["picture"].holds == "film" else "in.png")
        draw(path)
        files["picture"] = str(path)
    if "paintings" in roles:
        files["paintings"] = [NIGHT]
    order = Order("j", find_engine(name), options, files, "made", *[folder] * 4)
    control = Control()
    stopping = Stopping(control)
    channel: Any = stopping
    hooks = [
        register_module_forward_pre_hook(stopping.press),
        register_module_forward_hook(stopping.count),
    ]
    try:
        (make_film if order.engine.kind == "film" else make_picture)(order, control, channel)
    finally:
        for hook in hooks:
            hook.remove()
    return stopping


def draw(path: Path) -> None:
    images = [torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))] * 6
    if path.suffix == ".mp4":
        pytest.importorskip("av", reason="needs PyAV")
        save_video(images, path, fps=6)
    else:
        Picture(images[0]).save(path)


def require_stopped(stopping: Stopping) -> dict[str, Any]:
    """It ended as stopped, and no layer was called after that; the one result that it sent."""
    ended = [one for one in stopping.messages if one["type"] == "finished"]
    assert [one["state"] for one in ended] == ["stopped"], ended
    assert stopping.after == 0
    (made,) = [one for one in stopping.messages if one["type"] == "result"]
    return made


@pytest.mark.parametrize("name", FILMS)
def test_a_film_stops_inside_a_frame(name: str, tmp_path: Path) -> None:
    stopping = run(name, FILMS[name], tmp_path)
    made = require_stopped(stopping)
    with open_film(tmp_path / made["file"]) as film:
        times = [frame.time for frame in film]
    assert 1 <= len(times) < stopping.total
    assert read_recipe(tmp_path / made["file"]).step == len(times)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_stops_inside_a_step(name: str, tmp_path: Path) -> None:
    stopping = run(name, PICTURES[name], tmp_path)
    made = require_stopped(stopping)
    assert read_recipe(tmp_path / made["file"]).engine == name.replace("_", "-")


def test_a_film_that_cannot_be_written_fails_at_once(tmp_path: Path) -> None:
    """The work on its frames does not go on to its end."""
    draw(tmp_path / "in.mp4")
    files = {"picture": str(tmp_path / "in.mp4")}
    nowhere = tmp_path / "gone"
    nowhere.write_text("no folder")
    order = Order(
        "j", find_engine("defog_film"), {}, files, "made", nowhere, tmp_path, tmp_path, tmp_path
    )
    channel: Any = Stopping(Control())
    with pytest.raises(BelamyError, match="gone"):
        make_film(order, Control(), channel)
