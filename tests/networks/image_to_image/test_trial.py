"""Networks of others: in which range they take pictures, and at which sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.errors import PictureWarning, WeightsError
from belamy.networks.image_to_image.load import load_image_net
from belamy.networks.image_to_image.network import ImageTransformNet, initialise
from belamy.networks.image_to_image.onnx_files import check_onnx
from belamy.networks.image_to_image.trial import RangedRun, choose_range, measure_stride
from belamy.pixels.scenes import landscape

PATH = Path("theirs.onnx")
SIZE = (64, 96)


def signed(x: Tensor) -> Tensor:  # takes −1…1 and ends in a tanh, as a CycleGAN
    return torch.tanh(1.2 * x.flip(-1))


def unit(x: Tensor) -> Tensor:  # takes 0…1 and ends in a sigmoid
    return torch.sigmoid(6 * (x - 0.5))


def levels(x: Tensor) -> Tensor:  # takes 0…255, as fast_neural_style
    return 128 + 60 * F.instance_norm(x)


def caffe(x: Tensor) -> Tensor:  # less the mean of blue, green, red
    return 150 * torch.tanh(x / 150)


NETWORKS = {"-1-1": signed, "0-1": unit, "0-255": levels}


@pytest.mark.parametrize("right", NETWORKS)
def test_the_right_range_is_found_and_said(right: str) -> None:
    network = NETWORKS[right]
    if right == "0-255":
        assert choose_range(PATH, network, SIZE, "auto") == right
    else:
        with pytest.warns(PictureWarning, match=f"gives a picture with range {right}"):
            assert choose_range(PATH, network, SIZE, "auto") == right
    assert choose_range(PATH, network, SIZE, right) == right
    picture = landscape(*SIZE)
    painted = RangedRun(network, right)(picture)
    assert painted.std() > 0.05
    assert -0.2 < painted.min() < painted.max() < 1.3


@pytest.mark.parametrize("right", ["-1-1", "0-1"])
def test_a_wrong_range_is_refused_with_the_right_one(right: str) -> None:
    with pytest.raises(WeightsError, match=f"one flat colour with range 0-255; take range {right}"):
        choose_range(PATH, NETWORKS[right], SIZE, "0-255")


def test_stated_means_and_orders() -> None:
    assert choose_range(PATH, caffe, SIZE, "caffe") == "caffe"
    picture = landscape(*SIZE)
    seen: list[Tensor] = []
    painted = RangedRun(lambda x: seen.append(x) or x, "caffe")(picture)  # type: ignore[func-returns-value]
    torch.testing.assert_close(painted, picture, atol=1e-5, rtol=0)
    assert torch.allclose(seen[0][:, 0], picture[:, 2] * 255 - 104, atol=1e-3)


BLACK = {
    "black": torch.zeros_like,
    "grey": lambda x: torch.full_like(x, 100.0),
    "no numbers": lambda x: x * torch.nan,
    "too large": lambda x: x * 1e6 + 1e6,
}


@pytest.mark.parametrize("kind", BLACK)
@pytest.mark.parametrize("stated", ["auto", "0-1"])
def test_what_paints_no_picture_is_refused(kind: str, stated: str) -> None:
    with pytest.raises(WeightsError, match="paints no picture"):
        choose_range(PATH, BLACK[kind], SIZE, stated)


@pytest.mark.parametrize("stride", [4, 8, 16, 32, 64, 128])
def test_strides_are_measured(stride: int) -> None:
    def run(x: Tensor) -> Tensor:
        small = F.avg_pool2d(x, stride, ceil_mode=True)
        return F.interpolate(small, scale_factor=stride)

    assert measure_stride(PATH, run) == stride


def test_networks_that_change_sizes_are_refused() -> None:
    with pytest.raises(WeightsError, match="changes the size"):
        measure_stride(PATH, lambda x: F.interpolate(x, scale_factor=2))


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(number: int) -> bytes:
    data = b""
    while number > 127:
        data, number = data + bytes([number & 127 | 128]), number >> 7
    return data + bytes([number])


def tensor(dims: list[int], *parts: bytes) -> bytes:
    return b"".join(field(1, length) for length in dims) + field(2, 1) + b"".join(parts)


def beside(location: str, **words: object) -> bytes:
    entries = {"location": location, **words}
    return b"".join(
        field(13, field(1, key.encode()) + field(2, str(word).encode()))
        for key, word in entries.items()
    ) + field(14, 1)


def model(*tensors: bytes) -> bytes:
    return field(1, 8) + field(7, b"".join(field(5, one) for one in tensors))


def nested(depth: int) -> bytes:
    graph = b""
    for _ in range(depth):
        graph = field(1, field(5, field(6, graph)))
    return field(7, graph)


def test_numbers_beside_a_file_are_found(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    (tmp_path / "x.onnx.data").write_bytes(bytes(48))
    path.write_bytes(model(tensor([3, 4], beside("x.onnx.data", offset=0, length=48))))
    assert check_onnx(path)
    path.write_bytes(model(tensor([3, 4], field(9, bytes(48)))))
    assert not check_onnx(path)


DAMAGED: dict[str, tuple[bytes, str]] = {
    "missing": (model(tensor([3], beside("none.data"))), "which is not beside it; get it too"),
    "above": (model(tensor([3], beside("../x.data"))), "outside its folder"),
    "absolute": (model(tensor([3], beside("/etc/passwd"))), "outside its folder"),
    "a drive": (model(tensor([3], beside("C:\\x.data"))), "outside its folder"),
    "backslashes": (model(tensor([3], beside("..\\x.data"))), "outside its folder"),
    "a link": (model(tensor([3], beside("link.data"))), "outside its folder"),
    "too short": (model(tensor([30], beside("x.data"))), "is shorter than"),
    "offset": (model(tensor([3], beside("x.data", offset=10**9))), "is shorter than"),
    "no offset": (model(tensor([3], beside("x.data", offset="-1"))), "is no number"),
    "gigantic": (model(tensor([1 << 40], field(9, bytes(4)))), "declares 1,099,511,627,776"),
    "no numbers": (model(tensor([1000, 1000])), "declares 1,000,000 numbers"),
    "deep": (nested(40), "too deep"),
    "cut": (model(tensor([3], field(9, bytes(12))))[:-5], "ends too early"),
    "text": (b"not a protobuf at all", "no ONNX"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_files_that_declare_too_much_are_refused(kind: str, tmp_path: Path) -> None:
    data, message = DAMAGED[kind]
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "x.data").write_bytes(bytes(1000))
    (folder / "x.data").write_bytes(bytes(16))
    (folder / "link.data").symlink_to(tmp_path / "x.data")
    path = folder / "x.onnx"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=message) as caught:
        check_onnx(path)
    assert "\n" not in str(caught.value)


def fast_style(range_: str) -> dict[str, Tensor]:
    """PyTorch's network, its last convolution such that it paints in a range."""
    from belamy.networks.image_to_image.architectures import johnson_rows
    from belamy.networks.image_to_image.third_party import _names

    network = ImageTransformNet(johnson_rows([4, 5, 6], 1, kernel=9), "levels")
    initialise(network, torch.Generator().manual_seed(0))
    state = dict(
        zip(
            (f"{name}.{kind}" for name in _names(1) for kind in ("weight", "bias")),
            (x.detach().clone() for x in network.body.parameters()),
            strict=True,
        )
    )
    scale, shift = {"0-255": (150.0, 128.0), "0-1": (0.6, 0.5), "-1-1": (1.2, 0.0)}[range_]
    state["deconv3.conv2d.weight"] *= scale
    state["deconv3.conv2d.bias"] += shift
    return state


def test_a_style_of_others_can_be_of_another_range(tmp_path: Path) -> None:
    torch.save({"state_dict": fast_style("0-255")}, tmp_path / "usual.ckpt")
    assert load_image_net(tmp_path / "usual.ckpt").colours == "levels"
    torch.save(fast_style("0-1"), tmp_path / "unit.bin")
    with pytest.warns(PictureWarning, match="with range 0-1"):
        assert load_image_net(tmp_path / "unit.bin").colours == "unit"
    assert load_image_net(tmp_path / "unit.bin", range="0-1").colours == "unit"
    with pytest.raises(WeightsError, match="flat colour with range 0-255; take range 0-1"):
        load_image_net(tmp_path / "unit.bin", range="0-255")
