"""The programs that run ONNX: OpenVINO and ONNX Runtime, on the processor.

Needs the extra [fast].
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from belamy.devices import name_precision
from belamy.errors import OptionError, WeightsError
from belamy.networks.image_to_image.network import ImageTransformNet
from belamy.networks.image_to_image.onnx import CHANNELS, COLOURS, UNIT, import_fast, onnx_bytes
from belamy.networks.image_to_image.onnx_files import check_onnx
from belamy.precision import PassPrecision

__all__ = ["RUNNERS", "Run", "compile_onnx", "name_program_precision", "open_onnx"]

Run: TypeAlias = "Callable[[Tensor], Tensor]"

_HINTS: dict[PassPrecision, str] = {"float32": "f32", "bfloat16": "bf16"}


@dataclass(frozen=True)
class _Opened:
    """A network in a program: its run, the shape of what it takes, and its metadata."""

    run: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    shape: tuple[Any, ...]
    colours: str


def _in_onnxruntime(data: bytes | Path, precision: PassPrecision) -> _Opened:
    assert precision == "float32", "see name_program_precision"
    runtime = import_fast("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 3  # errors alone: a library says nothing
    options.intra_op_num_threads = torch.get_num_threads()
    session = runtime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    (source,), name = session.get_inputs(), session.get_outputs()[0].name
    metadata = session.get_modelmeta().custom_metadata_map

    def run(image: NDArray[np.float32]) -> NDArray[np.float32]:
        return session.run([name], {source.name: image})[0]  # type: ignore[no-any-return]

    return _Opened(run, tuple(source.shape), metadata.get(COLOURS, "levels"))


def _in_openvino(data: bytes | Path, precision: PassPrecision) -> _Opened:
    openvino = import_fast("openvino")
    core = openvino.Core()
    model = core.read_model(data)
    _refuse_broken(model)
    # Its usual half precision on newer processors would be taken by nobody's wish.
    settings = {"INFERENCE_PRECISION_HINT": _HINTS[precision], "PERFORMANCE_HINT": "LATENCY"}
    settings["INFERENCE_NUM_THREADS"] = str(torch.get_num_threads())
    settings["ENABLE_CPU_PINNING"] = "NO"  # or the networks of several threads share a core

    def compile_here() -> Any:
        return core.compile_model(model, "CPU", settings)

    free = [compile_here()]  # each runs one picture at a time
    shape = tuple(d.get_length() if d.is_static else -1 for d in model.inputs[0].partial_shape)
    ours = model.has_rt_info(["framework", COLOURS])

    def run(image: NDArray[np.float32]) -> NDArray[np.float32]:
        try:
            network = free.pop()
        except IndexError:  # all are at work for other threads
            network = compile_here()
        try:
            return network(image)[0].copy()  # type: ignore[no-any-return]
        finally:
            free.append(network)

    return _Opened(run, shape, UNIT if ours else "levels")


def _refuse_broken(model: Any) -> None:
    """OpenVINO makes 0 of NaN in ReLUs: a broken network would paint an even picture. Elsewhere it
    shows in what is painted."""
    for part in model.get_ops():
        if part.get_type_name() == "Constant" and part.get_element_type().is_real():
            numbers = part.get_data()
            if numbers.dtype.kind == "f" and bool(np.isnan(numbers).any()):
                raise ValueError("it holds values that are no numbers")


RUNNERS: dict[str, Callable[[bytes | Path, PassPrecision], _Opened]] = {
    "onnxruntime": _in_onnxruntime,
    "openvino": _in_openvino,
}
"""Programs that run ONNX."""


def name_program_precision(runtime: str, precision: PassPrecision) -> PassPrecision:
    """What one of `RUNNERS` computes convolutions in on this processor.

    Args:
        precision: auto takes bfloat16 where the program has it, and the processor is fast in it.

    Raises:
        OptionError: the program does not compute in it here.
        MissingExtra: the program is not installed.
    """
    if runtime == "openvino" and precision != "float32":
        known = "BF16" in import_fast(runtime).Core().get_property(
            "CPU", "OPTIMIZATION_CAPABILITIES"
        )
        if known:
            return name_precision(precision, torch.device("cpu"))  # type: ignore[return-value]
    if precision == "bfloat16":
        raise OptionError(
            f"{runtime} computes in float32 here; leave out precision {precision}, or take "
            "--runtime torch"
        )
    return "float32"


def compile_onnx(
    network: ImageTransformNet, runtime: str, precision: PassPrecision = "float32"
) -> Run:
    """One of our networks in one of `RUNNERS`.

    Args:
        precision: as `name_program_precision` names it.

    Raises:
        MissingExtra: the runtime, or onnx, is not installed.
    """
    opened = RUNNERS[runtime](onnx_bytes(network), precision)
    return lambda image: _run(opened, image)


def _run(opened: _Opened, image: Tensor) -> Tensor:
    return torch.from_numpy(opened.run(image.detach().contiguous().numpy()))


def open_onnx(
    path: Path, runtime: str, precision: PassPrecision = "float32"
) -> tuple[Run, int | None, bool]:
    """A network in an ONNX file, the one side that it takes (None for any), and whether it is one
    of ours, which take colours in [0, 1]; the run is in the network's own numbers.

    Raises:
        MissingExtra: the runtime is not installed.
        WeightsError: the file is damaged, lacks the one beside it, or its input is no square
            picture.
    """
    import_fast(runtime)
    outside = check_onnx(path)
    try:
        opened = RUNNERS[runtime](path if outside else path.read_bytes(), precision)
    # Both programs raise errors of many types of their own on a damaged file.
    except Exception as error:
        raise WeightsError(f"{path} cannot be run by {runtime}: {_line(error)}") from error
    side = _side(path, opened.shape)

    def run(image: Tensor) -> Tensor:
        try:
            return _run(opened, image)
        except Exception as error:
            raise WeightsError(f"{path} failed in {runtime}: {_line(error)}") from error

    return run, side, opened.colours == UNIT


def _line(error: Exception) -> str:
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", str(error))
    return " ".join(text.split())[:200]


def _side(path: Path, shape: tuple[Any, ...]) -> int | None:
    """The one height and width, None for any; an unknown length is a text, -1 or None."""
    known = [length if isinstance(length, int) and length > 0 else None for length in shape]
    if len(known) != 4 or known[1] not in (CHANNELS, None) or known[2] != known[3]:
        raise WeightsError(f"{path} takes {shape}, which is no picture of (1, 3, side, side)")
    return known[2]
