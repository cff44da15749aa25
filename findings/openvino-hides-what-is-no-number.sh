#!/bin/sh
# Guess: what is not a number stays none on its way through a network, so that a broken network shows.
# Seen: in OpenVINO Relu, Clip, Max and Min make 0, or the bound, of NaN, so that a network whose numbers
# are broken paints an even picture; HardSigmoid makes 1 of it. ONNX Runtime keeps NaN in all of them.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 numpy==2.4.6

"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper

print("ONNX Runtime", onnxruntime.__version__, "OpenVINO", openvino.__version__.split("-")[0])
x = np.full((1, 8, 4, 4), np.nan, np.float32)
LOW, HIGH = (numpy_helper.from_array(np.float32(value), name) for value, name in ((0, "l"), (1, "h")))
ONES = numpy_helper.from_array(np.full((8, 8, 1, 1), 0.1, np.float32), "w")


def run(*nodes):
    """By each of the two: what a picture of NaN becomes."""
    graph = helper.make_graph(
        list(nodes), "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [LOW, HIGH, ONES],
    )
    opset = helper.make_opsetid("", 19)
    data = helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    core = openvino.Core()
    precise = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(data), "CPU", precise)
    return float(session.run(None, {"x": x})[0].flat[0]), float(compiled(x)[0].flat[0])


def node(kind, *others, source="x", target="y", **settings):
    return helper.make_node(kind, [source, *others], [target], **settings)


found = {
    "Conv, Relu": run(node("Conv", "w", target="c"), node("Relu", source="c")),
    "Relu": run(node("Relu")),
    "Clip": run(node("Clip", "l", "h")),
    "Max": run(node("Max", "l")),
    "Min": run(node("Min", "h")),
    "HardSigmoid": run(node("HardSigmoid")),
    "Tanh": run(node("Tanh")),
    "Sigmoid": run(node("Sigmoid")),
    "LeakyRelu": run(node("LeakyRelu")),
}
for name, (one, other) in found.items():
    print(f"{name}: ONNX Runtime {one}, OpenVINO {other}")
assert all(np.isnan(one) for one, _ in found.values())
kept = [name for name, (_, other) in found.items() if np.isnan(other)]
assert kept == ["Tanh", "Sigmoid", "LeakyRelu"]
assert found["Relu"][1] == found["Conv, Relu"][1] == found["Clip"][1] == 0
assert found["HardSigmoid"][1] == 1
PYTHON
