#!/bin/sh
# Guess: two engines that load the same ONNX file make the same picture of the same picture smaller.
# Seen: where the file asks for `antialias=1`, which averages over all pixels that become one, ONNX
# Runtime does so and OpenVINO does not: it takes neighbours alone, as if the file said 0, and says
# nothing. Made larger, and without the attribute, both agree.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 numpy==2.4.6

cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, helper, save

print("ONNX Runtime", onnxruntime.__version__, "OpenVINO", openvino.__version__.split("-")[0])
x = np.random.default_rng(0).random((1, 3, 33, 47), np.float32)


def resized(size, antialias):
    """By each of the two."""
    node = helper.make_node("Resize", ["x", "", "", "size"], ["y"], mode="linear",
                            antialias=antialias, coordinate_transformation_mode="half_pixel")
    graph = helper.make_graph(
        [node], "smaller",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 33, 47])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3, *size])],
        [helper.make_tensor("size", TensorProto.INT64, [4], [1, 3, *size])],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9), "m.onnx")
    session = onnxruntime.InferenceSession("m.onnx", providers=["CPUExecutionProvider"])
    precise = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model("m.onnx", "CPU", precise)
    return session.run(None, {"x": x})[0], compiled(x)[0]


smaller, larger = (9, 13), (50, 71)
smooth, other = resized(smaller, 1)
_, rough = resized(smaller, 0)
print(f"smaller, antialias=1: they differ by up to {np.abs(smooth - other).max():.2f} of 1")
print(f"OpenVINO with antialias=1 and with 0 differ by {np.abs(other - rough).max():.1g}")
assert np.abs(smooth - other).max() > 0.2
assert np.abs(other - rough).max() < 1e-5
for size, antialias in ((smaller, 0), (larger, 0), (larger, 1)):
    one, two = resized(size, antialias)
    assert np.abs(one - two).max() < 1e-5, (size, antialias)
PYTHON
