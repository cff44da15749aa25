"""ONNX, and the programs that run it, against torch. Needs the extra [fast]."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from belamy import devices
from belamy.devices import make_rng
from belamy.errors import MissingExtra, OptionError, WeightsError
from belamy.networks.image_to_image import onnx, programs
from belamy.networks.image_to_image.architectures import SHAPES
from belamy.networks.image_to_image.layers import LAYERS
from belamy.networks.image_to_image.load import save_image_net
from belamy.networks.image_to_image.network import (
    ImageTransformNet,
    build_johnson_net,
    build_translation_net,
    initialise,
)
from belamy.networks.image_to_image.runtime import load_runtime

CPU = torch.device("cpu")
SMALL: dict[str, Any] = {"widths": [4, 5, 6], "blocks": 1}

SIDES = dict.fromkeys(("left", "right", "top", "bottom"), 40)
CONV: dict[str, Any] = {"layer": "conv", "inputs": 3, "outputs": 3, "kernel": [3, 3]}
# Every kind of layer, so that none is written otherwise than it is run.
EVERYTHING: list[dict[str, Any]] = [
    {"layer": "halve"},
    {"layer": "double"},
    {"layer": "join", "branches": [[{"layer": "relu"}], []]},
    {**CONV, "inputs": 6, "padding": [1, 1]},
    {"layer": "pad", "mode": "reflect", **SIDES},
    {**CONV, "stride": [2, 2], "padding": [1, 1], "groups": 3, "bias": False},
    {"layer": "affine", "channels": 3},
    {
        "layer": "sum",
        "branches": [[{**CONV, "kernel": [41, 41]}], [{"layer": "crop", "amount": 20}]],
    },
    {"layer": "pad", "mode": "replicate", "left": 1, "right": 0, "top": 2, "bottom": 1},
    {"layer": "pad", "mode": "zero", "left": 0, "right": 1, "top": 0, "bottom": 0},
    {**CONV, "kernel": [4, 3]},
    {"layer": "instance", "channels": 3},
    {"layer": "relu"},
    {
        "layer": "deconv",
        "inputs": 3,
        "outputs": 3,
        "kernel": [3, 3],
        "stride": [2, 2],
        "padding": [1, 1],
        "extra": [1, 1],
    },
    {"layer": "tanh"},
    {"layer": "multiply", "factor": 1.5},
    {**CONV, "stride": [2, 2], "padding": [1, 1]},
    {"layer": "upsample", "factor": 2},
    {"layer": "instance", "channels": 3, "affine": False},
    {"layer": "leaky", "slope": 0.2},
    {"layer": "crop", "amount": 0},
    {"layer": "sigmoid"},
]


def seeded(painter: ImageTransformNet) -> ImageTransformNet:
    initialise(painter, make_rng(0, "weights"))
    return painter.eval()


def everything() -> ImageTransformNet:
    assert {row["layer"] for row in EVERYTHING} == LAYERS.keys()
    return seeded(ImageTransformNet(EVERYTHING, "caffe"))


def pictures() -> list[torch.Tensor]:
    sizes = ((64, 96), (68, 100), (128, 64))
    return [torch.rand((1, 3, *size), generator=make_rng(1)) for size in sizes]


@pytest.fixture(params=programs.RUNNERS)
def program(request: pytest.FixtureRequest) -> str:
    pytest.importorskip("onnx")
    name: str = request.param
    pytest.importorskip(name)
    return name


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "wave.safetensors"
    told = {"network": "johnson", "style": "a wave", "trained_on": "nothing"}
    save_image_net(path, seeded(build_johnson_net(**SMALL)), arguments=SMALL, **told)
    return path


MAKERS: list[Callable[[], ImageTransformNet]] = [
    everything,
    lambda: seeded(build_johnson_net(**SMALL)),
    *(lambda shape=shape: seeded(build_translation_net(shape, 4, 1)) for shape in SHAPES),  # type: ignore[misc]
]


@pytest.mark.parametrize("make", MAKERS)
def test_every_program_paints_the_same(make: Callable[[], ImageTransformNet], program: str) -> None:
    painter = make()
    run = programs.compile_onnx(painter, program)
    for image in pictures():
        if any(length % painter.geometry.stride for length in image.shape[-2:]):
            continue
        with torch.inference_mode():
            wanted = painter(image)
        assert (run(image) - wanted).abs().max() < 1e-3


def test_few_channels_are_made_four_pixels_at_once_where_sides_are_even(program: str) -> None:
    """But not where a network takes odd sides, or goes on to cut its last row off."""
    pads = {"layer": "pad", "mode": "reflect", **dict.fromkeys(SIDES, 2)}
    wide = {**CONV, "kernel": [5, 5]}
    strided = [{**CONV, "stride": [2, 2], "padding": [1, 1]}, {"layer": "upsample", "factor": 2}]
    larger = {**pads, "right": 3}
    smaller = {**CONV, "kernel": [1, 2]}
    for rows, together in (
        ([pads, wide], False),
        ([*strided, pads, wide, {"layer": "tanh"}], True),
        ([*strided, larger, wide, smaller], False),
    ):
        painter = seeded(ImageTransformNet(rows))
        for size in ((36, 32), (33, 35)) if rows[0] is pads else ((36, 32),):
            image = torch.rand((1, 3, *size), generator=make_rng(2))
            with torch.inference_mode():
                wanted = painter(image)
            torch.testing.assert_close(
                programs.compile_onnx(painter, program)(image), wanted, rtol=1e-4, atol=1e-4
            )
        assert (b"DepthToSpace" in onnx.onnx_bytes(painter)) == together


def test_a_file_of_ours_is_run_in_our_colours(program: str, tmp_path: Path) -> None:
    painter, path = seeded(build_johnson_net(**SMALL)), tmp_path / "wave.onnx"
    onnx.write_onnx(painter, path)
    run, side, ours = programs.open_onnx(path, program)
    assert (side, ours) == (None, True)
    for image in pictures():
        if any(length % painter.geometry.stride for length in image.shape[-2:]):
            continue
        with torch.inference_mode():
            wanted = painter(image)
        assert (run(image) - wanted).abs().max() < 1e-3


def test_runtimes_of_every_program_agree(program: str, saved: Path) -> None:
    usual, other = (load_runtime(saved, name, CPU) for name in ("torch", program))
    (image, *_) = pictures()
    torch.testing.assert_close(other(image), usual(image), atol=1e-3, rtol=0)
    fixed = [runtime.fix_statistics(image) for runtime in (usual, other)]
    assert all(runtime is not None for runtime in fixed)
    torch.testing.assert_close(fixed[1](image), fixed[0](image), atol=1e-3, rtol=0)  # type: ignore[misc]


def test_damaged_files_are_refused(program: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"\x08\x08 broken")
    with pytest.raises(WeightsError, match=r"broken\.onnx is damaged, or no ONNX"):
        load_runtime(path, program, CPU)


def test_torch_cannot_run_onnx(tmp_path: Path) -> None:
    path = tmp_path / "wave.onnx"
    path.touch()
    with pytest.raises(OptionError, match="torch cannot run"):
        load_runtime(path, "torch", CPU)


@pytest.mark.parametrize("name", programs.RUNNERS)
def test_a_program_that_is_not_there_is_named(
    name: str, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(package: str) -> Any:
        raise ImportError(package)

    monkeypatch.setattr(onnx.importlib, "import_module", refuse)
    with pytest.raises(MissingExtra, match=r"belamy\[fast\]"):
        load_runtime(saved, name, CPU)


def test_other_devices_are_refused(saved: Path) -> None:
    with pytest.raises(OptionError, match="on the CPU"):
        load_runtime(saved, "openvino", torch.device("meta"))


def test_openvino_computes_in_bfloat16_where_that_is_named(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    try:
        half = load_runtime(saved, "openvino", CPU, precision="bfloat16")
    except OptionError:
        pytest.skip("a processor without bfloat16")
    assert half.precision == "bfloat16"
    single = load_runtime(saved, "openvino", CPU)
    assert single.precision == "float32"
    image = pictures()[0]
    difference = (half(image) - single(image)).abs().mean()
    assert 0 < difference < 0.1 * (single(image) - image).abs().mean()
    fixed = half.fix_statistics(image)
    assert fixed is not None
    assert fixed.precision == "bfloat16"
    for faster, chosen in ((0.5, "bfloat16"), (1.0, "float32")):
        monkeypatch.setattr(devices, "times_bfloat16", lambda faster=faster: faster)
        assert load_runtime(saved, "openvino", CPU, precision="auto").precision == chosen


def test_threads_that_paint_at_a_time_have_a_network_each_which_others_take_over(
    monkeypatch: pytest.MonkeyPatch, saved: Path
) -> None:
    openvino = pytest.importorskip("openvino")
    compiled: list[int] = []
    usual = openvino.Core.compile_model

    def compile_model(*given: Any) -> Any:
        compiled.append(1)
        return usual(*given)

    monkeypatch.setattr(openvino.Core, "compile_model", compile_model)
    painter, (picture, *_) = load_runtime(saved, "openvino", CPU), pictures()
    alone = painter(picture)
    for _ in range(3):  # as a film's scenes do, with threads of their own
        with ThreadPoolExecutor(2) as threads:
            painted = list(threads.map(painter, [picture] * 8))
        assert all(torch.equal(one, alone) for one in painted)
    assert len(compiled) <= 2


def test_onnx_runtime_computes_in_float32_alone(saved: Path) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(OptionError, match="computes in float32"):
        load_runtime(saved, "onnxruntime", CPU, precision="bfloat16")
    assert load_runtime(saved, "onnxruntime", CPU, precision="auto").precision == "float32"
