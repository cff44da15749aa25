"""A picture goes on beyond its edges while it is painted; in training that border is not judged;
and networks that enlarge smoothly draw no grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.engines.faststyle import train
from belamy.engines.faststyle.api import ApplyStyleOptions, StyleTrainConfig, apply_style
from belamy.engines.faststyle.task import FastStyleTask, PerceptualLoss, network_arguments
from belamy.errors import OptionError
from belamy.networks.image_to_image.load import load_image_net, save_image_net
from belamy.networks.image_to_image.network import build_johnson_net, initialise
from belamy.renamed import CONFIGS, current_options
from belamy.training.processes import choose_accelerator

CONFIG = StyleTrainConfig(
    "stripes.png", "photos", size=64, width=2, blocks=1, steps=40, batch=1, precision="float32",
    scales=1, variation=0.0,
)  # fmt: skip


def noise(height: int, width: int, seed: int = 0) -> Tensor:
    return torch.rand((1, 3, height, width), generator=make_rng(seed, "noise"))


@pytest.fixture
def network(tmp_path: Path) -> Callable[[str], str]:
    """Writes a network that enlarges so."""

    def write(enlarging: str) -> str:
        arguments = {"widths": [2, 4, 8], "blocks": 1, "enlarging": enlarging}
        net = build_johnson_net(**arguments)  # type: ignore[arg-type]
        initialise(net, make_rng(1, "weights"))
        path = tmp_path / f"{enlarging}.safetensors"
        told = {"network": "johnson", "style": "a wave", "trained_on": "nothing"}
        save_image_net(path, net, arguments=arguments, half=False, **told)  # type: ignore[arg-type]
        return str(path)

    return write


@pytest.mark.parametrize("border", [0, 8, 24])
def test_a_picture_is_painted_as_a_part_of_one_that_goes_on(
    border: int, network: Callable[[str], str]
) -> None:
    image, path = noise(64, 72), network("smooth")
    made = apply_style(image, network=path, border=border).image
    around = F.pad(image, [border] * 4, mode="reflect")
    with torch.inference_mode():
        whole = load_image_net(Path(path))(around).clamp(0, 1)
    torch.testing.assert_close(made, whole[..., border : border + 64, border : border + 72])


def test_a_border_that_is_wider_than_the_picture_is_mirrored_again(
    network: Callable[[str], str],
) -> None:
    made = apply_style(noise(5, 7), network=network("smooth"), border=200)
    assert made.image.shape == (1, 3, 5, 7)
    with pytest.raises(OptionError, match="border"):
        ApplyStyleOptions(network=network("smooth"), border=-1)


def test_older_recipes_have_no_border_and_older_runs_go_on_as_they_began() -> None:
    for engine in ("faststyle", "film-faststyle"):
        assert current_options(engine, {"network": "starry-night"})["border"] == 0
    run = current_options("style", {"steps": 3}, CONFIGS)
    assert (run["border"], run["enlarging"]) == (0, "nearest")


class Pixels(nn.Module):
    """Stands for a backbone: the picture."""

    name = "pixels"

    def forward(self, image: Tensor, layers: Any) -> dict[str, Tensor]:
        return dict.fromkeys(layers, image)


def make_task(config: StyleTrainConfig, folder: Path) -> FastStyleTask:
    photographs = (255 * noise(96, 96).permute(0, 2, 3, 1)).byte().repeat(3, 1, 1, 1)
    loss = PerceptualLoss.of(Pixels(), noise(48, 40, 3), ("near",), ("near",))  # type: ignore[arg-type]
    return FastStyleTask(config, photographs, loss, folder, choose_accelerator("cpu"))


def test_what_is_painted_along_the_edges_is_not_judged(tmp_path: Path) -> None:
    task = make_task(CONFIG, tmp_path)
    painted, photographs = noise(64, 64, 1), noise(64, 64, 2)
    framed = torch.zeros_like(painted)
    framed[..., 16:-16, 16:-16] = painted[..., 16:-16, 16:-16]
    torch.testing.assert_close(task._judge(framed, photographs), task._judge(painted, photographs))
    framed[..., 16, 16:-16] = 1.0
    assert task._judge(framed, photographs)["style"] != task._judge(painted, photographs)["style"]
    with pytest.raises(OptionError, match="at most 16"):
        replace(CONFIG, border=17)


def test_a_smooth_network_goes_on_from_one_of_nearest_neighbours(
    network: Callable[[str], str],
) -> None:
    config = replace(CONFIG, start=network("nearest"))
    start = train._load_start(config)
    made = build_johnson_net(**network_arguments(config))  # type: ignore[arg-type]
    made.load_state_dict(start)
    assert [row for row in made.rows if row["layer"] == "double"]


def find_grid(image: Tensor) -> float:
    """Which part of what is finer than 4 pixels (1, C, H, W) is the same in all squares of 4."""
    fine = image - F.avg_pool2d(F.pad(image, (2, 1, 2, 1), mode="reflect"), 4, stride=1)
    squares = F.pixel_unshuffle(fine, 4)
    return float(squares.mean((2, 3)).square().mean() / squares.square().mean())


def test_smooth_enlarging_leaves_no_grid() -> None:
    image = F.interpolate(noise(12, 12), scale_factor=16, mode="bicubic").clamp(0, 1)
    grids = {}
    for enlarging in ("nearest", "smooth"):
        net = build_johnson_net((8, 16, 16), 2, enlarging)
        initialise(net, make_rng(0, "weights"))
        with torch.inference_mode():
            grids[enlarging] = find_grid(net.eval()(image)[..., 32:-32, 32:-32])
    assert grids["smooth"] < 0.2 * grids["nearest"], grids
