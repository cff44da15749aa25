"""Networks as ONNX against themselves: in both programs, at odd sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.errors import OptionError
from belamy.export import export
from belamy.networks.files.network_file import save_network_file
from belamy.networks.files.trace import ClearPool
from belamy.networks.gan.generator import GeneratorArguments
from belamy.networks.load import load_network
from belamy.networks.registry import build_generator

Run = Callable[[Tensor], list[Tensor]]


def in_onnxruntime(path: Path) -> Run:
    program = pytest.importorskip("onnxruntime")
    session = program.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: [torch.from_numpy(y) for y in session.run(None, {name: x.numpy()})]


def in_openvino(path: Path) -> Run:
    program = pytest.importorskip("openvino")
    core = program.Core()
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    network = core.compile_model(core.read_model(path.read_bytes()), "CPU", settings)
    count = len(network.outputs)
    return lambda x: [torch.from_numpy(np.array(network(x.numpy())[i])) for i in range(count)]


@pytest.fixture(params=[in_onnxruntime, in_openvino])
def program(request: pytest.FixtureRequest) -> Callable[[Path], Run]:
    pytest.importorskip("onnx")
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize("size", [(61, 83), (64, 64), (97, 50)])
@pytest.mark.parametrize(
    "pool",
    [
        nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=True),
        nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
        nn.AvgPool2d(2, ceil_mode=True, count_include_pad=False),
        nn.AvgPool2d(2, ceil_mode=True),
        nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        nn.AvgPool2d(3, 1, 1),
        nn.AvgPool2d((5, 3), (3, 2), (2, 1), ceil_mode=True),
    ],
)
def test_clear_pools_are_the_pools(pool: nn.AvgPool2d, size: tuple[int, int]) -> None:
    x = torch.rand((1, 3, *size), generator=make_rng(0))
    torch.testing.assert_close(ClearPool(pool)(x), pool(x))


def sizes(kind: str, side: int) -> list[tuple[int, ...]]:
    if kind == "backbone":
        return [(3, side, side), (3, side + 5, side + 19)]
    return [(3, 61, 83), (3, 64, 64), (3, 97, 50)]


@pytest.mark.parametrize(("name", "kind"), [("iris", "backbone"), ("defog", "dehaze")])
def test_pictures_of_odd_sizes(
    name: str, kind: str, program: Callable[[Path], Run], tmp_path: Path
) -> None:
    export(name, tmp_path / "net.onnx")
    run = program(tmp_path / "net.onnx")
    network = load_network(name, kind).network  # type: ignore[call-overload]
    for size in sizes(kind, getattr(network, "side", 0)):
        image = torch.rand((1, *size), generator=make_rng(1))
        with torch.inference_mode():
            if kind == "backbone":
                due = [network(image, ["logits"])["logits"].softmax(1)]
            else:
                due = list(network(image))
        for made, one in zip(run(image), due, strict=True):
            torch.testing.assert_close(made, one, atol=1e-4, rtol=0)


def test_a_painter(program: Callable[[Path], Run], tmp_path: Path) -> None:
    export("portraits", tmp_path / "net.onnx")
    network = load_network("portraits", "generator").network
    z = torch.randn((1, network.latent), generator=make_rng(1))
    with torch.inference_mode():
        due = network(z)
    torch.testing.assert_close(program(tmp_path / "net.onnx")(z)[0], due, atol=1e-4, rtol=0)


def test_a_painter_of_48_px(program: Callable[[Path], Run], tmp_path: Path) -> None:
    arguments = GeneratorArguments(48, 16, 0.1, noise=True)
    network = build_generator("light", arguments).eval()
    path, own = tmp_path / "net.safetensors", asdict(arguments)
    save_network_file(
        path, network.state_dict(), network="light", arguments=own, trained_on="nothing"
    )
    export(path, tmp_path / "net.onnx")
    z = torch.randn((1, network.latent), generator=make_rng(1))
    with torch.inference_mode():
        due = network(z)
    torch.testing.assert_close(program(tmp_path / "net.onnx")(z)[0], due, atol=1e-4, rtol=0)


def test_what_is_not_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="one direction alone"):
        export("iris", tmp_path / "net.onnx", direction="a-to-b")
    with pytest.raises(OptionError, match="not written"):
        export("anystyle", tmp_path / "net.onnx")
