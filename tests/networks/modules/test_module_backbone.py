"""Any torch module as a backbone: its layers, its sizes, what it sees; and it stays as it was."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import pytest
import torch
from tests.networks.modules.made_up import Last, Pyramid, Transformer, make
from torch import Tensor, nn

from belamy.errors import OptionError, UnknownName, WeightsError
from belamy.networks.backbones.squeezenet import squeezenet1_1
from belamy.networks.geometry import layer_table
from belamy.networks.modules.layout import find_layouts, shapes_in
from belamy.networks.modules.module_backbone import ModuleBackbone, main_paths
from belamy.networks.modules.torch_network import TorchNetwork, hash_state, preprocessing_of

IMAGE = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(1))


def look(module: nn.Module, *layers: str, **said: Any) -> ModuleBackbone:
    return ModuleBackbone(TorchNetwork(module, **said), layers=layers or None)


def plain(image: Tensor) -> Tensor:
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (image - mean.view(3, 1, 1)) / std.view(3, 1, 1)


def test_a_layer_is_what_the_module_has_there() -> None:
    module = make(Pyramid).eval()
    own = look(module, "stem", "relu", "output.fine", "output.mean")
    given = own(IMAGE, ["stem", "relu", "output.fine", "output.mean"])
    stem = module.stem(plain(IMAGE))  # type: ignore[operator]
    torch.testing.assert_close(given["stem"], stem)  # though a ReLU works on it in place
    whole = module(plain(IMAGE))
    torch.testing.assert_close(given["relu"], whole["coarse"])  # the last of its two calls
    torch.testing.assert_close(given["output.fine"], whole["fine"])
    torch.testing.assert_close(given["output.mean"], whole["mean"])
    assert own.layers["output.mean"].stride is None


def test_no_more_is_computed_than_the_layers_need() -> None:
    module = make(Last)  # whose head takes 224 px alone
    given = look(module, "blocks.1")(IMAGE, ["blocks.1"])["blocks.1"]
    x = module.patches(plain(IMAGE)).permute(0, 2, 3, 1)  # type: ignore[operator]
    first, second = module.blocks  # type: ignore[misc]
    x = second(x + torch.nn.functional.gelu(first(x)))
    torch.testing.assert_close(given, x.permute(0, 3, 1, 2))
    assert given.shape == (1, 5, 12, 16)


def test_tokens_are_a_grid_without_class_and_registers() -> None:
    module = make(Transformer).eval()
    own = look(module, "block2", "patches", "logits")
    assert (own.sizes.side, own.sizes.step, own.smallest(["block2"])) == (32, 0, 32)
    given = own(IMAGE[..., :32, :32], ["patches", "block2", "logits"])
    tokens = module.patches(plain(IMAGE[..., :32, :32])).flatten(2).transpose(1, 2)  # type: ignore[operator]
    tokens = torch.cat([module.first, tokens + module.positions], dim=1)  # type: ignore[list-item]
    tokens = module.block2(module.block1(tokens)[0])[0]  # type: ignore[operator]
    expected = tokens[:, 3:].transpose(1, 2).reshape(1, 12, 4, 4)
    torch.testing.assert_close(given["block2"], expected)
    torch.testing.assert_close(given["logits"], module.head(tokens[:, 0]))  # type: ignore[operator]


def test_a_module_of_one_size_sees_a_picture_in_squares() -> None:
    own = look(make(Transformer), "block1")
    given = own(IMAGE, ["block1"])["block1"]  # 48×64: squares at rows 0 and 16, columns 0 and 32
    assert given.shape == (1, 12, 8, 8)
    for y, top in enumerate((0, 16)):
        for x, left in enumerate((0, 32)):
            crop = IMAGE[..., top : top + 32, left : left + 32]
            alone = own(crop, ["block1"])["block1"]
            part = given[..., 4 * y : 4 * y + 4, 4 * x : 4 * x + 4]
            torch.testing.assert_close(part, alone)
    assert own(IMAGE[..., :20, :25], ["block1"])["block1"].shape == (1, 12, 4, 8)  # enlarged


@pytest.mark.parametrize("kind", [Pyramid, Last, Transformer])
def test_what_a_tap_gives_goes_on(kind: type[nn.Module]) -> None:
    """Written back where it came from: doubled tokens, dicts and channels-last give the double."""
    own = look(make(kind))
    names = [name for name, layer in own.layers.items() if layer.stride and "output" not in name]
    first, last = names[0], names[-1]
    plain_last = own(IMAGE, [last])[last]
    same = {}

    def keep(x: Tensor) -> Tensor:
        same["last"] = x
        return x

    own.through(IMAGE, {first: lambda x: x * 1.0, last: keep})
    torch.testing.assert_close(same["last"], plain_last)
    own.through(IMAGE, {first: lambda x: x + 1.0, last: keep})
    assert not torch.allclose(same["last"], plain_last)


def test_strides_and_fields_are_measured() -> None:
    own = look(make(Pyramid))
    listed = {layer.name: layer for layer in own.list_layers()}
    assert [*listed] == ["stem", "norm", "layer.0", "layer.1", "layer", "relu", "logits"]
    found = {name: listed[name] for name in ("stem", "layer.0", "layer.1")}
    assert {name: (x.channels, x.stride) for name, x in found.items()} == {
        "stem": (6, 2),
        "layer.0": (8, 2),
        "layer.1": (8, 4),
    }
    assert [x.receptive_field for x in found.values()] == [3, 7, 11]
    attention = look(make(Transformer))
    assert (attention.layers["block1"].stride, attention.field("block1")) == (8, None)


def test_the_measures_are_those_of_the_operations() -> None:
    """SqueezeNet, of which belamy knows every operation, measured as if it were a stranger's."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = squeezenet1_1(classes=2)
    own, table = look(network, "features.4", "features.7"), layer_table(network)
    for path, name in (("features.4", "fire3"), ("features.7", "fire5")):
        layer, field, known = own.layers[path], own.field(path), table[name]
        assert (layer.channels, layer.stride) == (known.channels, known.stride)
        assert known.receptive_field is not None
        assert field is not None
        # A maximum passes on to one place alone, so the outermost pixels may go unnoticed.
        assert known.receptive_field - 8 <= field <= known.receptive_field


def test_the_module_stays_as_it_was() -> None:
    module = make(Pyramid).train()
    module.norm.eval()  # type: ignore[union-attr]
    state = copy.deepcopy(module.state_dict())
    own = look(module, "layer.1")
    x = IMAGE.clone().requires_grad_(True)
    own(x, ["layer.1"])["layer.1"].square().mean().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() > 0
    assert module.training
    assert not module.norm.training  # type: ignore[union-attr]
    assert module.relu.inplace  # type: ignore[union-attr]
    assert all(weight.requires_grad and weight.grad is None for weight in module.parameters())
    assert not any(part._forward_hooks for part in module.modules())
    torch.testing.assert_close(module.state_dict(), state)
    assert own.module.stem.weight.data_ptr() == module.stem.weight.data_ptr()  # type: ignore[union-attr]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_precisions_are_looked_at_in_single(dtype: torch.dtype) -> None:
    module = make(Pyramid).to(dtype)
    given = look(module, "layer")(IMAGE, ["layer"])["layer"]
    assert given.dtype == torch.float32
    assert next(module.parameters()).dtype == dtype


def test_wrappers_are_taken_off() -> None:
    module = make(Pyramid)
    own, wrapped = look(module, "layer.1"), look(nn.DataParallel(module), "layer.1")
    assert own.sha256 == wrapped.sha256 == hash_state(module)
    assert wrapped.name == "Pyramid"


def test_the_hash_is_of_names_types_and_numbers() -> None:
    module = make(Pyramid)
    before = hash_state(module)
    assert hash_state(make(Pyramid)) == before
    assert hash_state(make(Pyramid).double()) != before
    with torch.no_grad():
        module.stem.weight[0, 0, 0, 0] += 1  # type: ignore[index, operator]
    assert hash_state(module) != before


def test_how_pictures_are_shown() -> None:
    module = make(Pyramid)
    assert preprocessing_of(TorchNetwork(module)).mean == (0.485, 0.456, 0.406)
    assert "ImageNet's mean" in look(module, "stem").assumed
    module.default_cfg = {"mean": (0.5,) * 3, "std": (0.25,) * 3, "input_size": (3, 64, 64)}  # type: ignore[assignment]
    said = preprocessing_of(TorchNetwork(module))
    assert (said.mean, said.std, said.side) == ((0.5,) * 3, (0.25,) * 3, 64)
    assert look(module, "stem").assumed == ""
    signed = preprocessing_of(TorchNetwork(module, value_range=(-1, 1)))
    assert (signed.mean, signed.std) == ((0.5,) * 3, (0.5,) * 3)
    levels = preprocessing_of(TorchNetwork(module, mean=(103, 117, 124), value_range=(0, 255)))
    assert levels.mean == (103 / 255, 117 / 255, 124 / 255)
    assert levels.std == (1 / 255,) * 3
    given = look(module, "stem", value_range=(0, 255))(IMAGE, ["stem"])["stem"]
    torch.testing.assert_close(given, module.stem(255 * IMAGE), rtol=1e-4, atol=1e-3)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"mean": (1, 2)}, "three numbers"),
        ({"std": (1, 0, 1)}, "above 0"),
        ({"value_range": (1, 0)}, "black and white"),
        ({"side": 0}, "from 1 to 4096"),
    ],
)
def test_what_makes_no_sense_of_pictures_is_refused(said: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        TorchNetwork(make(Pyramid), **said)
    with pytest.raises(OptionError, match="must be a torch"):
        TorchNetwork("module")  # type: ignore[arg-type]


def test_unknown_layers_name_their_neighbours() -> None:
    with pytest.raises(UnknownName, match=r"layer of Pyramid 'layer\.2'.*'layer\.1'"):
        look(make(Pyramid), "layer.2")
    with pytest.raises(UnknownName, match=r"there are|did you mean"):
        look(make(Last), "mixed4c")


class Odd(nn.Module):
    """Parts that give no activations of a picture."""

    def __init__(self) -> None:
        super().__init__()
        self.gray = nn.Conv2d(1, 2, 1)
        self.silent, self.unused, self.norm = nn.ReLU(), nn.ReLU(), nn.LayerNorm(3)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            y = self.silent(x)
        return self.norm(y.flatten()[:21].reshape(7, 3)).sum()


class Gray(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gray = nn.Conv2d(1, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.gray(x)  # type: ignore[no-any-return]


def test_what_cannot_be_looked_through_says_why() -> None:
    with pytest.raises(OptionError, match="'unused' of Odd is not called"):
        look(Odd(), "unused")
    with pytest.raises(OptionError, match="'norm' of Odd gives 7×3, which"):
        look(Odd(), "norm")
    with pytest.raises(OptionError, match="no gradient for the picture"):
        look(Odd(), "silent")
    with pytest.raises(OptionError, match=r"Gray takes no colour picture.*channel"):
        look(Gray(), "gray")
    with pytest.raises(WeightsError, match="without numbers"):
        look(make(Pyramid).to("meta"), "stem")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, that nobody should do so any more
        script = torch.jit.script(nn.Sequential(nn.Conv2d(3, 2, 1)))
    with pytest.raises(OptionError, match="TorchScript"):
        look(script, "0")


def test_layouts() -> None:
    def axes(
        small: tuple[int, ...], large: tuple[int, ...] | None, prefix: int | None = None
    ) -> Any:
        found = find_layouts({(): small}, None if large is None else {(): large}, prefix)
        return (found[0].axes, found[0].prefix) if found else None

    assert axes((1, 7, 7, 7), (1, 7, 11, 11)) == ((0, 1, 2, 3), 0)
    assert axes((1, 7, 7, 7), (1, 11, 11, 7)) == ((0, 3, 1, 2), 0)
    assert axes((1, 14, 14, 384), None) == ((0, 3, 1, 2), 0)
    assert axes((1, 384, 14, 14), None) == ((0, 1, 2, 3), 0)
    assert axes((1, 197, 768), None) == ((0, 2, 1), 1)
    assert axes((197, 1, 768), None) == ((1, 2, 0), 1)
    assert axes((1, 201, 384), None, 5) == ((0, 2, 1), 5)
    assert axes((1, 196, 384), None, 1) == ((0, 2, 1), 0)  # before the class token is there
    assert axes((1, 192, 49), (1, 192, 121)) == ((0, 1, 2), 0)
    assert axes((64, 49, 96), None) is None  # windows
    assert axes((1, 10), (1, 10)) == ((0, 1), 0)
    nested = {"a": [torch.zeros(2, dtype=torch.long)], "b": (torch.zeros(1, 2, 3, 3), "text")}
    assert shapes_in(nested) == {("b", 0): (1, 2, 3, 3)}


def test_main_paths_name_blocks_not_what_is_in_them() -> None:
    assert main_paths(make(Pyramid)) == ["stem", "norm", "relu", "layer.0", "layer.1", "layer"]
    assert main_paths(make(Last)) == ["patches", "blocks.0", "blocks.1", "head"]
    wrapped = nn.Sequential()
    wrapped.add_module("net", make(Transformer))
    parts = ["patches", "block1", "block2", "head"]
    assert main_paths(wrapped) == [*(f"net.{part}" for part in parts), "net"]


class Rounded(nn.Module):
    """Takes 33 px as it does 32, by rounding down, but nothing larger."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 4, 8, 8)
        self.positions = nn.Parameter(torch.zeros(1, 4, 4, 4))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.patches(x) + self.positions)


def test_a_size_that_is_only_rounded_down_is_no_other_size() -> None:
    own = look(Rounded(), "output", side=32)
    assert own.sizes.step == 0
    assert own(IMAGE, ["output"])["output"].shape == (1, 4, 8, 8)


class Moody(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.filter = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[-1] != 64, "not this one"
        return self.filter(x)  # type: ignore[no-any-return]


def test_a_size_at_which_it_fails_is_named() -> None:
    with pytest.raises(OptionError, match="Moody fails for a picture of 64×48: not this one"):
        look(Moody(), "output")(IMAGE, ["output"])
