"""ONNX files of other programs, run. Needs the extra [fast]."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from belamy.engines.faststyle.api import apply_style
from belamy.errors import BelamyError, OptionError, PictureWarning, WeightsError
from belamy.networks.image_to_image import programs
from belamy.networks.image_to_image.network import ImageTransformNet
from belamy.networks.image_to_image.onnx import write_onnx
from belamy.networks.image_to_image.onnx_files import hash_network
from belamy.networks.image_to_image.runtime import load_runtime
from belamy.pixels.scenes import landscape

onnx = pytest.importorskip("onnx")
CPU = torch.device("cpu")


@pytest.fixture(params=programs.RUNNERS)
def program(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    pytest.importorskip(name)
    return name


def write(path: Path, range_: str, stride: int = 1, *, outside: bool = False) -> Path:
    """A network that gives back what it is given, pooled to blocks, in a range of its own."""
    helper = onnx.helper
    ends = [helper.make_tensor_value_info(name, 1, [1, 3, "h", "w"]) for name in ("in", "out")]
    numbers = {"scale": [6.0], "shift": [0.5]}
    nodes = []
    last = "in"
    if stride > 1:
        kernel = {"kernel_shape": [stride, stride], "strides": [stride, stride], "ceil_mode": 1}
        nodes += [
            helper.make_node("AveragePool", ["in"], ["small"], **kernel),
            helper.make_node("Resize", ["small", "", "sizes"], ["large"], mode="nearest"),
        ]
        numbers["sizes"] = [1.0, 1.0, float(stride), float(stride)]
        last = "large"
    if range_ == "-1-1":
        nodes.append(helper.make_node("Tanh", [last], ["out"]))
    elif range_ == "0-1":
        nodes += [
            helper.make_node("Sub", [last, "shift"], ["low"]),
            helper.make_node("Mul", ["low", "scale"], ["wide"]),
            helper.make_node("Sigmoid", ["wide"], ["out"]),
        ]
    else:
        nodes.append(helper.make_node("Relu", [last], ["out"]))
    tensors = [helper.make_tensor(name, 1, [len(own)], own) for name, own in numbers.items()]
    tensors.append(onnx.numpy_helper.from_array(torch.ones(600).numpy(), "weights"))
    graph = helper.make_graph(nodes, "theirs", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    saved: dict[str, Any] = {"save_as_external_data": True, "location": f"{path.name}.data"}
    onnx.save_model(model, str(path), **(saved if outside else {}))
    return path


@pytest.mark.parametrize("range_", ["-1-1", "0-1", "0-255"])
def test_no_range_paints_black(range_: str, program: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.onnx", range_)
    picture = landscape(65, 70)
    if range_ == "0-255":
        runtime = load_runtime(path, program, CPU)
    else:
        with pytest.warns(PictureWarning, match=f"range {range_}"):
            runtime = load_runtime(path, program, CPU)
        with pytest.raises(WeightsError, match=f"take range {range_}"):
            load_runtime(path, program, CPU, range="0-255")
    painted = apply_style(picture, network=path, runtime=program, range=range_).image
    assert painted.shape == picture.shape
    assert painted.std() > 0.05
    assert (painted - picture).abs().mean() < 0.15
    assert runtime.side is None


@pytest.mark.parametrize("stride", [8, 32])
def test_other_strides_than_four(stride: int, program: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.onnx", "0-255", stride)
    assert load_runtime(path, program, CPU).geometry.stride == stride
    picture = landscape(70, 101)
    painted = apply_style(picture, network=path, runtime=program).image
    assert painted.shape == picture.shape
    assert painted.std() > 0.05


def test_numbers_in_a_file_beside(program: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.onnx", "0-255", outside=True)
    data = tmp_path / "x.onnx.data"
    assert data.is_file()
    assert load_runtime(path, program, CPU).geometry.stride == 4
    assert {*hash_network(path)} == {"x.onnx", "x.onnx.data"}
    before = apply_style(landscape(65, 70), network=path, runtime=program).recipe  # type: ignore[arg-type]
    assert before is not None
    assert before.weights == hash_network(path)
    data.write_bytes(data.read_bytes()[:-1] + b"\1")
    after = hash_network(path)
    assert after["x.onnx"] == before.weights["x.onnx"]
    assert after["x.onnx.data"] != before.weights["x.onnx.data"]
    data.rename(tmp_path / "away")
    with pytest.raises(WeightsError, match=r"x\.onnx\.data', which is not beside it; get it too"):
        load_runtime(path, program, CPU)


def test_ours_say_their_range(program: str, tmp_path: Path) -> None:
    network = ImageTransformNet([{"layer": "relu"}])
    write_onnx(network.eval(), tmp_path / "x.onnx")
    load_runtime(tmp_path / "x.onnx", program, CPU)
    with pytest.raises(OptionError, match="says it itself"):
        load_runtime(tmp_path / "x.onnx", program, CPU, range="0-1")


def test_a_broken_network_paints_nothing(program: str, tmp_path: Path) -> None:
    """OpenVINO makes 0 of what is no number, so that it looks at the network; else it shows."""
    conv = {"layer": "conv", "inputs": 3, "outputs": 3, "kernel": [1, 1]}
    network = ImageTransformNet([conv, {"layer": "relu"}]).requires_grad_(False)
    network.body[0].weight[0, 0] = torch.nan  # type: ignore[index, union-attr]
    write_onnx(network, tmp_path / "a.onnx")
    with pytest.raises(BelamyError, match="number"):
        apply_style(landscape(64, 64), network=tmp_path / "a.onnx", runtime=program)  # type: ignore[arg-type]
