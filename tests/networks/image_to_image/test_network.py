"""Networks that paint: shapes, files that say what they are, and files that lie."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from belamy.devices import make_rng
from belamy.errors import WeightsError
from belamy.networks.files.tensors import write_tensors
from belamy.networks.image_to_image.architectures import johnson_rows
from belamy.networks.image_to_image.geometry import compute_geometry
from belamy.networks.image_to_image.layers import LAYERS, build
from belamy.networks.image_to_image.load import load_image_net, save_image_net
from belamy.networks.image_to_image.network import (
    COLOURS,
    ImageTransformNet,
    build_johnson_net,
    initialise,
)

SMALL: dict[str, Any] = {"widths": [4, 5, 6], "blocks": 1}
TOLD = {"network": "johnson", "style": "a wave", "trained_on": "photos"}


def small() -> ImageTransformNet:
    made = build_johnson_net(**SMALL)
    initialise(made, make_rng(0, "weights"))
    return made.eval()


def test_the_default_fits_in_a_megabyte_at_half_precision(tmp_path: Path) -> None:
    path = tmp_path / "wave.safetensors"
    save_image_net(path, build_johnson_net(), arguments={}, **TOLD)
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("half", [True, False])
def test_a_file_says_what_it_is_and_comes_back(half: bool, tmp_path: Path) -> None:
    path, network = tmp_path / "wave.safetensors", small()
    save_image_net(path, network, arguments=SMALL, half=half, notes={"licence": "CC0"}, **TOLD)
    with safe_open(path, framework="pt") as handle:
        told = handle.metadata()
    assert told == {**TOLD, "arguments": json.dumps(SMALL, sort_keys=True), "licence": "CC0"}
    image = torch.rand((1, 3, 64, 68), generator=make_rng(1))
    found = load_image_net(path)
    assert not any(parameter.requires_grad for parameter in found.parameters())
    with torch.inference_mode():
        torch.testing.assert_close(found(image), network(image), atol=0.02 if half else 0, rtol=0)


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_image_net(tmp_path / f"{name}.safetensors", small(), arguments=SMALL, **TOLD)
    assert len({path.read_bytes() for path in tmp_path.glob("*.safetensors")}) == 1


def test_a_translated_network_can_be_kept(tmp_path: Path) -> None:
    rows = [{"layer": "conv", "inputs": 3, "outputs": 3, "kernel": [3, 3], "padding": [1, 1]}]
    network, path = ImageTransformNet(rows, "caffe"), tmp_path / "kept.safetensors"
    arguments = {"layers": rows, "colours": "caffe"}
    save_image_net(path, network, **{**TOLD, "network": "layers"}, arguments=arguments, half=False)
    image = torch.rand((1, 3, 64, 64), generator=make_rng(1))
    with torch.inference_mode():
        assert torch.equal(load_image_net(path)(image), network(image))


@pytest.mark.parametrize("colours", COLOURS)
def test_colours_are_read_as_they_are_written(colours: str) -> None:
    image = torch.rand((1, 3, 8, 8), generator=make_rng(1))
    torch.testing.assert_close(ImageTransformNet([], colours)(image), image)


def test_statistics_of_several_pieces_are_taken_together() -> None:
    rows = [{"layer": "instance", "channels": 3, "eps": 0.0}]
    pieces = torch.rand((5, 3, 8, 8), generator=make_rng(1))
    fixed = build(rows)
    network = ImageTransformNet(rows, "signed", fixed).fix_statistics(pieces)
    made = network(pieces)
    assert made.mean(dim=(0, 2, 3)).sub(0.5).abs().max() < 1e-5  # 0 where colours are signed
    assert made.var(dim=(0, 2, 3), correction=0).sub(0.25).abs().max() < 1e-5
    assert made[0].mean() != made[1].mean()


def test_geometry_of_johnsons_network() -> None:
    found = compute_geometry(johnson_rows((16, 32, 64), 5))
    assert found.stride == 4
    assert 50 <= found.margin <= 80
    assert found.floats == 32  # enlarged to full size before the last convolution but one


def test_the_margin_reaches_as_far_as_the_network_looks() -> None:
    network = small().fix_statistics(torch.rand((1, 3, 128, 128), generator=make_rng(1)))
    image = torch.rand((1, 3, 160, 160), generator=make_rng(2)).requires_grad_()
    network(image)[0, :, 80, 80].sum().backward()
    assert image.grad is not None
    rows, columns = image.grad[0].abs().sum(dim=0).nonzero().T
    reach = max(int((rows - 80).abs().max()), int((columns - 80).abs().max()))
    assert 20 < reach <= network.geometry.margin


def row(**changes: Any) -> dict[str, Any]:
    usual = {"layer": "conv", "inputs": 3, "outputs": 3, "kernel": [3, 3], "padding": [1, 1]}
    return {**usual, **changes}


WRONG: list[tuple[Any, str]] = [
    ([{"layer": "lambda"}], "'lambda' is no layer"),
    ([row(kernel=[3000, 3])], "describes itself wrongly"),
    ([row(outputs=10**9)], "describes itself wrongly"),
    ([row(stride=[0, 0])], "describes itself wrongly"),
    ([row(colour="red")], "describes itself wrongly"),
    ([row(inputs="three")], "describes itself wrongly"),
    ([{"layer": "upsample", "factor": 8}] * 3, "more than|larger than"),
    ([{"layer": "pad", "mode": "magic", "left": 0, "right": 0, "top": 0, "bottom": 0}], "wrongly"),
    ([{"layer": "sum", "branches": []}], "a sum of nothing"),
    (["conv"], "describes itself wrongly"),
    ([{"layer": "relu"}] * 1001, "more than 1000 layers"),
    ([{"layer": "instance", "channels": 5}], "lacks|rather"),
    ([{"layer": "crop", "amount": 3}], "keep the size"),
    ([{"layer": "crop", "amount": 60}], "keep the size"),
]


@pytest.mark.parametrize(("rows", "cause"), WRONG)
def test_descriptions_that_make_no_sense_are_refused(rows: Any, cause: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.safetensors"
    told = {"network": "layers", "arguments": json.dumps({"layers": rows, "colours": "signed"})}
    write_tensors(path, {}, told)
    with pytest.raises(WeightsError, match=cause) as caught:
        load_image_net(path)
    assert "wrong.safetensors" in str(caught.value)


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        ({}, "does not say which network"),
        ({"network": "iris"}, "is a backbone .*not an image-to-image network; belamy dream"),
        ({"network": "transformer", "arguments": "["}, "wrongly"),
        ({"network": "transformer", "arguments": "[1]"}, "wrongly"),
        ({"network": "transformer", "arguments": '{"widths": 3}'}, "wrongly"),
        ({"network": "layers", "arguments": '{"layers": [], "colours": "lab"}'}, "wrongly"),
        ({"network": "transformer", "arguments": json.dumps(SMALL)}, "does not fit"),
    ],
)
def test_files_of_other_things_are_refused(
    told: dict[str, str], cause: str, tmp_path: Path
) -> None:
    path = tmp_path / "other.safetensors"
    write_tensors(path, {"weight": torch.ones(3)}, told)
    with pytest.raises(WeightsError, match=cause):
        load_image_net(path)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(WeightsError, match="damaged"):
        load_image_net(path)


def test_every_layer_can_be_made() -> None:
    made = {
        "pad": dict.fromkeys(("left", "right", "top", "bottom"), 1) | {"mode": "reflect"},
        "conv": {"inputs": 3, "outputs": 3, "kernel": [1, 1]},
        "deconv": {"inputs": 3, "outputs": 3, "kernel": [1, 1]},
        "upsample": {"factor": 1},
        "instance": {"channels": 3},
        "affine": {"channels": 3},
        "leaky": {"slope": 0.2},
        "multiply": {"factor": 2.0},
        "crop": {"amount": 1},
        "sum": {"branches": [[], []]},
        "join": {"branches": [[], []]},
    }
    rows = [{"layer": name, **made.get(name, {})} for name in LAYERS]
    assert build(rows)(torch.rand(1, 3, 16, 16)).shape == (1, 6, 16, 16)
