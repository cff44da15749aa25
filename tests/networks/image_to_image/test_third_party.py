"""Styles of others: files written here in their formats, against torch.nn.functional."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.networks.files import torch7_writer as lua
from torch import Tensor

from belamy.errors import WeightsError
from belamy.networks.image_to_image.third_party import load_pth, load_t7

Lua = lua.Lua

MEAN = torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
FORMS: list[dict[str, Any]] = [{}, {"long": 4}, {"ascii": True}]


def rand(*shape: int) -> Any:
    """Small enough that no tanh is full."""
    return (0.2 * torch.randn(shape, generator=CHANCE)).numpy()


CHANCE = torch.Generator().manual_seed(7)


def conv(inputs: int, outputs: int, side: int, stride: int = 1, pad: int = 0) -> Any:
    sizes = {"nInputPlane": inputs, "nOutputPlane": outputs, "kW": side, "kH": side}
    steps = {"dW": stride, "dH": stride, "padW": pad, "padH": pad}
    values = {"weight": rand(outputs, inputs, side, side), "bias": rand(outputs)}
    return Lua("nn.SpatialConvolution", {**sizes, **steps, **values, "output": np.zeros(0)})


def full_conv(inputs: int, outputs: int) -> Any:
    made = conv(inputs, outputs, 3, 2, 1)
    made.fields.update(adjW=1, adjH=1, weight=rand(inputs, outputs, 3, 3))
    return Lua("nn.SpatialFullConvolution", made.fields)


def batch(channels: int) -> Any:
    values = {"weight": 1 + rand(channels), "bias": rand(channels), "running_mean": rand(channels)}
    return Lua(
        "nn.SpatialBatchNormalization",
        {**values, "running_var": 1 + np.abs(rand(channels)), "eps": 1e-5, "affine": True},
    )


def instance(channels: int) -> Any:
    values = {"weight": 1 + rand(channels), "bias": rand(channels), "nOutput": channels}
    return Lua("nn.InstanceNormalization", {**values, "eps": 1e-5, "bn": batch(channels)})


def sequential(*parts: Any) -> Any:
    return Lua("nn.Sequential", {"modules": list(parts), "train": False})


def padding(amount: int) -> Any:
    sides = dict.fromkeys(("pad_l", "pad_r", "pad_t", "pad_b"), amount)
    return Lua("nn.SpatialReflectionPadding", sides)


def block(channels: int, norm: Callable[[int], Any]) -> Any:
    inner = sequential(
        conv(channels, channels, 3),
        norm(channels),
        Lua("nn.ReLU", {"inplace": True, "threshold": 0, "val": 0}),
        conv(channels, channels, 3),
        norm(channels),
    )
    both = Lua("nn.ConcatTable", {"modules": [inner, Lua("nn.ShaveImage", {"size": 2})]})
    return sequential(both, Lua("nn.CAddTable", {"inplace": False}))


def johnson(norm: Callable[[int], Any], last: list[Any]) -> Any:
    """c9s1-4,d5,d6,R6×5,u5,… as train.lua leaves it: 40 pixels reflected at the start."""
    parts = [padding(40), conv(3, 4, 9, 1, 4), norm(4), Lua("nn.ReLU")]
    parts += [conv(4, 5, 3, 2, 1), norm(5), Lua("nn.ReLU")]
    parts += [conv(5, 6, 3, 2, 1), norm(6), Lua("nn.ReLU")]
    parts += [block(6, norm) for _ in range(5)]
    parts += [full_conv(6, 5), norm(5), Lua("nn.ReLU"), *last]
    return sequential(
        *parts,
        Lua("nn.Tanh"),
        Lua("nn.MulConstant", {"constant_scalar": 150, "inplace": False}),
        Lua("nn.TotalVariation", {"strength": 1e-6}),
    )


def eccv16() -> Any:
    last = [full_conv(5, 4), batch(4), Lua("nn.ReLU"), conv(4, 3, 9, 1, 4)]
    return {"model": johnson(batch, last), "opt": {"preprocessing": "vgg", "gpu": -1}}


def instance_norm() -> Any:
    enlarge = Lua("nn.SpatialUpSamplingNearest", {"scale_factor": 2})
    last = [enlarge, conv(5, 4, 3, 1, 1), instance(4), Lua("nn.ReLU"), conv(4, 3, 9, 1, 4)]
    return {"model": johnson(instance, last), "opt": {}}


def computed(module: Any, x: Tensor) -> Tensor:
    """What Lua's modules did, by torch's functions."""
    fields, kind = module.fields, module.kind.removeprefix("nn.")
    tensors = {n: torch.from_numpy(v) for n, v in fields.items() if isinstance(v, np.ndarray)}
    if kind == "Sequential":
        for part in fields["modules"]:
            if part.kind == "nn.ConcatTable":
                x = torch.stack([computed(one, x) for one in part.fields["modules"]]).sum(dim=0)
            elif part.kind != "nn.CAddTable":
                x = computed(part, x)
        return x
    if kind == "SpatialConvolution":
        return F.conv2d(x, tensors["weight"], tensors["bias"], fields["dW"], fields["padW"])
    if kind == "SpatialFullConvolution":
        return F.conv_transpose2d(x, tensors["weight"], tensors["bias"], 2, 1, 1)
    if kind == "SpatialReflectionPadding":
        return F.pad(x, [fields["pad_l"]] * 4, "reflect")
    if kind == "InstanceNormalization":
        return F.instance_norm(x, weight=tensors["weight"], bias=tensors["bias"], eps=1e-5)
    if kind == "SpatialBatchNormalization":
        running = tensors["running_mean"], tensors["running_var"]
        return F.batch_norm(x, *running, tensors["weight"], tensors["bias"], eps=1e-5)
    if kind == "ShaveImage":
        return x[..., 2:-2, 2:-2]
    simple: dict[str, Callable[[], Tensor]] = {
        "ReLU": lambda: x.relu(),
        "Tanh": lambda: x.tanh(),
        "MulConstant": lambda: x * 150,
        "TotalVariation": lambda: x,
        "SpatialUpSamplingNearest": lambda: F.interpolate(x, scale_factor=2.0, mode="nearest"),
    }
    return simple[kind]()


def expected(model: Any, image: Tensor) -> Tensor:
    made = computed(model, image.flip(1) * 255 - MEAN)
    return ((made + MEAN) / 255).flip(1)


def picture() -> Tensor:
    return torch.rand((1, 3, 44, 52), generator=torch.Generator().manual_seed(0))


def saved(value: Any, folder: Path, **form: Any) -> Path:
    path = folder / "style.t7"
    path.write_bytes(lua.write(value, **form))
    return path


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("family", [eccv16, instance_norm])
def test_both_families_paint_as_torch_would(
    family: Callable[[], Any], form: dict[str, Any], tmp_path: Path
) -> None:
    value = family()
    painter = load_t7(saved(value, tmp_path, **form))
    with torch.inference_mode():
        made = painter(picture())
    assert made.std() > 0.01
    torch.testing.assert_close(made, expected(value["model"], picture()), rtol=1e-3, atol=1e-3)


def small(*parts: Any) -> Any:
    return {"model": sequential(conv(3, 4, 3, 1, 1), *parts, conv(4, 3, 3, 1, 1))}


def paint(value: Any, folder: Path) -> Tensor:
    with torch.inference_mode():
        return load_t7(saved(value, folder))(picture())


def test_old_batch_norms_keep_one_over_the_deviation(tmp_path: Path) -> None:
    norm = batch(4)
    value = small(norm)
    usual = paint(value, tmp_path)
    norm.fields["running_std"] = 1 / np.sqrt(norm.fields.pop("running_var") + np.float32(1e-5))
    torch.testing.assert_close(paint(value, tmp_path), usual)


def test_weights_may_lie_in_a_matrix_and_biases_be_missing(tmp_path: Path) -> None:
    inner = conv(4, 4, 3, 1, 1)
    inner.fields["bias"] *= 0
    value = small(inner)
    usual = paint(value, tmp_path)
    inner.kind = "nn.SpatialConvolutionMM"
    inner.fields["weight"] = inner.fields["weight"].reshape(4, -1)
    del inner.fields["bias"]
    torch.testing.assert_close(paint(value, tmp_path), usual)


def test_a_bare_network_is_taken_too(tmp_path: Path) -> None:
    value = small()
    assert torch.equal(paint(value["model"], tmp_path), paint(value, tmp_path))


def test_other_colours_are_heeded(tmp_path: Path) -> None:
    value = {**small(), "opt": {"preprocessing": "resnet"}}
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    wanted = computed(value["model"], (picture() - mean) / std) * std + mean
    torch.testing.assert_close(paint(value, tmp_path), wanted, rtol=1e-4, atol=1e-4)


def shared_modules() -> Any:
    part = Lua("nn.Tanh")
    for _ in range(15):
        part = sequential(part, part)
    return small(part)


def with_weight(weight: Any) -> Any:
    inner = conv(4, 4, 3, 1, 1)
    inner.fields["weight"] = weight
    return small(inner)


UNFIT: dict[str, tuple[Callable[[], Any], str]] = {
    "unknown": (lambda: small(Lua("nn.SpatialMaxPooling")), "nn.SpatialMaxPooling is unknown"),
    "no model": (lambda: {"weights": 1}, "called 'model'"),
    "colours": (lambda: {**small(), "opt": {"preprocessing": "lab"}}, "'lab'"),
    "table": (lambda: small(Lua("nn.ConcatTable", {"modules": []})), "CAddTable"),
    "no modules": (lambda: {"model": Lua("nn.Sequential")}, "has no modules"),
    "module": (lambda: small(3), "no object"),
    "shared": (shared_modules, "more than 1000 modules"),
    "channels": (lambda: small(conv(5, 4, 3, 1, 1)), "do not fit together"),
    "size": (lambda: small(conv(4, 4, 3)), "keep the size"),
    "shape": (lambda: with_weight(rand(4, 4, 2, 2)), "other shapes"),
    "numbers": (lambda: with_weight(rand(4, 4, 3, 3) * np.float32("nan")), "no numbers"),
    "stride": (lambda: small(conv(4, 4, 3, 100, 1)), "makes no sense"),
    "fraction": (lambda: small(Lua("nn.ShaveImage", {"size": 1.5})), "whole number"),
    "infinite": (lambda: small(Lua("nn.ShaveImage", {"size": float("inf")})), "makes no sense"),
    "padding": (lambda: small(padding(10**6)), "makes no sense"),
    "factor": (lambda: small(Lua("nn.MulConstant")), "no number"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_cannot_be_run_is_named(name: str, tmp_path: Path) -> None:
    make, cause = UNFIT[name]
    with pytest.raises(WeightsError, match=cause) as caught:
        load_t7(saved(make(), tmp_path))
    assert "style.t7" in str(caught.value)


def test_a_network_cut_short_is_refused(tmp_path: Path) -> None:
    path = saved(small(), tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="damaged"):
        load_t7(path)


def example_state(blocks: int = 2) -> dict[str, Tensor]:
    """The state dict of the example's network with narrow layers."""
    widths = {"conv1": (3, 4, 9), "conv2": (4, 5, 3), "conv3": (5, 6, 3)}
    widths |= {"deconv1": (6, 5, 3), "deconv2": (5, 4, 3), "deconv3": (4, 3, 9)}
    norms = {"in1": 4, "in2": 5, "in3": 6, "in4": 5, "in5": 4}
    for number in range(1, blocks + 1):
        for half in (1, 2):
            widths[f"res{number}.conv{half}"] = (6, 6, 3)
            norms[f"res{number}.in{half}"] = 6
    state: dict[str, Tensor] = {}
    for name, (inputs, outputs, side) in widths.items():
        state[f"{name}.conv2d.weight"] = torch.from_numpy(rand(outputs, inputs, side, side))
        state[f"{name}.conv2d.bias"] = torch.from_numpy(rand(outputs))
    for name, channels in norms.items():
        state[f"{name}.weight"] = torch.from_numpy(1 + rand(channels))
        state[f"{name}.bias"] = torch.from_numpy(rand(channels))
    return state


def example(state: dict[str, Tensor], image: Tensor, blocks: int = 2) -> Tensor:
    def conv(name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight = state[f"{name}.conv2d.weight"]
        padded = F.pad(x, [weight.shape[-1] // 2] * 4, "reflect")
        return F.conv2d(padded, weight, state[f"{name}.conv2d.bias"], stride)

    def norm(name: str, x: Tensor) -> Tensor:
        return F.instance_norm(x, weight=state[f"{name}.weight"], bias=state[f"{name}.bias"])

    x = norm("in1", conv("conv1", image * 255)).relu()
    x = norm("in2", conv("conv2", x, 2)).relu()
    x = norm("in3", conv("conv3", x, 2)).relu()
    for number in range(1, blocks + 1):
        inner = norm(f"res{number}.in1", conv(f"res{number}.conv1", x)).relu()
        x = x + norm(f"res{number}.in2", conv(f"res{number}.conv2", inner))
    for number in (1, 2):
        x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        x = norm(f"in{number + 3}", conv(f"deconv{number}", x)).relu()
    return conv("deconv3", x) / 255


def old(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """As older versions of torch saved it, from several cards."""
    norms = {name.removesuffix(".weight") for name in state if ".in" in f".{name}"}
    running = {f"{n}.running_{kind}": torch.ones(4) for n in norms for kind in ("mean", "var")}
    counters = {f"{n}.num_batches_tracked": torch.tensor(3) for n in norms}
    return {f"module.{name}": x for name, x in {**state, **running, **counters}.items()}


@pytest.mark.parametrize("shape", [lambda state: state, old], ids=["new", "old"])
@pytest.mark.parametrize("zipped", [True, False])
def test_the_example_of_pytorch_paints_as_it_did(
    shape: Callable[[Any], Any], zipped: bool, tmp_path: Path
) -> None:
    state, path = example_state(), tmp_path / "mosaic.pth"
    torch.save(shape(state), path, _use_new_zipfile_serialization=zipped)
    with torch.inference_mode():
        made = load_pth(path)(picture())
    torch.testing.assert_close(made, example(state, picture()), rtol=1e-4, atol=1e-4)


def test_other_pth_files_are_refused(tmp_path: Path) -> None:
    path, state = tmp_path / "other.pth", example_state()
    lacking = {name: x for name, x in state.items() if name != "in4.bias"}
    wrong = {**state, "in4.bias": torch.ones(9)}
    for value, cause in (
        ({"weight": torch.ones(3)}, "no network of PyTorch's fast_neural_style"),
        (lacking, "in4.bias"),
        (wrong, "other shapes"),
        ({**state, "head.weight": torch.ones(3)}, "head.weight"),
        ([1, 2], "rather than a state dict"),
    ):
        torch.save(value, path)
        with pytest.raises(WeightsError, match=cause):
            load_pth(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(WeightsError, match="damaged"):
        load_pth(path)
    with pytest.raises(WeightsError, match="check the path"):
        load_pth(tmp_path / "nowhere.pth")
