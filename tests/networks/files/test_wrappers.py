"""State dicts as training scripts leave them: one unwrapping, whatever the suffix."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from belamy.errors import OptionError, PictureWarning, WeightsError
from belamy.networks.backbone import load_backbone
from belamy.networks.files.containers import tell_format
from belamy.networks.files.convert import import_weights
from belamy.networks.files.network_file import open_network_file
from belamy.networks.files.signatures import OURS, guess_architecture
from belamy.networks.image_to_image.load import load_image_net
from belamy.networks.registry import NETWORKS

State = dict[str, Tensor]
NAME = "squeezenet1_1"


def under(prefix: str, state: State) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def saved_as(tree: Any, path: Path) -> Path:
    torch.save(tree, path)
    return path


def same(path: Path, state: State) -> bool:
    with open_network_file(path) as file:
        own = {name: file.read(name) for name in file.tensors}
    return own.keys() == state.keys() and all(own[name].equal(state[name]) for name in own)


WRAPPERS = {
    "compiled and parallel": lambda s: under("_orig_mod.module.", s),
    "thrice": lambda s: under("module.model._orig_mod.", s),
    "lightning": lambda s: {"state_dict": under("model.", s), "epoch": 3, "optimizer_states": []},
    "model_state_dict": lambda s: {"model_state_dict": s, "optimizer": {"state": {}, "lr": 0.1}},
    "nested": lambda s: {"checkpoint": {"model": {"state_dict": under("net.", s)}}},
    "params": lambda s: {"params": s},
    "averaged by torch": lambda s: {"n_averaged": torch.tensor(7), **under("module.", s)},
    "a number of numpy beside": lambda s: {"state_dict": s, "best": np.float64(3)},
    "an array of numpy beside": lambda s: {"state_dict": s, "history": np.zeros(3)},
    "arguments beside": lambda s: {"model": s, "args": argparse.Namespace(lr=0.1, name="x")},
    "a tensor beside": lambda s: {"state_dict": s, "best_accuracy": torch.tensor(0.5)},
    "a name of its own": lambda s: {"state_dict": under("backbone.body.", s)},
    "counters": lambda s: {**s, "features.num_batches_tracked": torch.tensor(3)},
    "compiled inside": lambda s: {n.replace("features.", "features._orig_mod."): s[n] for n in s},
    "parallel inside": lambda s: {n.replace("features.", "features.module."): s[n] for n in s},
    "an optimizer beside": lambda s: {
        "cnn": s,
        "optimizer": {"state": {0: {**s, **under("v", s)}}},
    },
    "arrays": lambda s: {"state_dict": {name: tensor.numpy() for name, tensor in s.items()}},
    "doubles": lambda s: {"g_ema": s},
}


@pytest.mark.parametrize("kind", WRAPPERS)
def test_wrappers_come_off(kind: str, state: State, tmp_path: Path) -> None:
    assert same(import_weights(NAME, saved_as(WRAPPERS[kind](state), tmp_path / "x.pth")), state)


CHOICES = {
    **{
        key: (lambda good, bad, key=key: {"model": bad, key: good}, key)
        for key in ("ema_state", "model_ema_state_dict", "averaged_model", "swa_weights")
    },
    "a teacher of another kind": (
        lambda good, bad: {"student": good, "teacher": {f"{n}.q": bad[n] for n in bad}},
        "student",
    ),
    "dino": (lambda good, bad: {"student": bad, "teacher": good, "optimizer": {}}, "teacher"),
    "ema beside": (lambda good, bad: {"state_dict": bad, "state_dict_ema": good}, "state_dict_ema"),
    "esrgan": (lambda good, bad: {"params": bad, "params_ema": good}, "params_ema"),
    "gan": (lambda good, bad: {"g": bad, "g_ema": good}, "g_ema"),
    "prefixes": (
        lambda good, bad: {"state_dict": {**under("net.", bad), **under("net_ema.", good)}},
        "'net_ema.'",
    ),
}


@pytest.mark.parametrize("kind", CHOICES)
def test_averaged_weights_win_and_it_is_said(kind: str, state: State, tmp_path: Path) -> None:
    wrap, taken = CHOICES[kind]
    bad = {name: tensor + 1 for name, tensor in state.items()}
    file = saved_as(wrap(state, bad), tmp_path / "x.pth")
    with pytest.warns(PictureWarning, match=f"holds several networks; takes {taken}"):
        assert same(import_weights(NAME, file), state)


def test_a_loss_network_beside_is_left_out(state: State, tmp_path: Path) -> None:
    beside = {"criterion.vgg.0.weight": torch.zeros(3), "criterion.vgg.1.weight": torch.zeros(3)}
    file = saved_as({"state_dict": {**under("model.", state), **beside}}, tmp_path / "x.ckpt")
    with pytest.warns(PictureWarning, match=r"leaves out 'criterion\.vgg\.0\.weight'"):
        assert same(import_weights(NAME, file), state)


@pytest.mark.parametrize(
    "tree",
    [{}, {"optimizer": {"state": {}}}, {"w": torch.zeros(2, device="meta")}],
    ids=["empty", "training alone", "meta"],
)
def test_what_holds_no_tensors_says_so(tree: Any, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="holds no plain tensors"):
        import_weights(NAME, saved_as(tree, tmp_path / "x.pth"))


def test_a_folder_of_weights_and_its_index_say_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is a folder; name the file"):
        import_weights(NAME, tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {}}')
    with pytest.raises(WeightsError, match="name the file that holds them"):
        import_weights(NAME, tmp_path / "model.safetensors.index.json")


SUFFIXES = (".pth", ".pt", ".ckpt", ".pth.tar", ".tar", ".bin", ".PTH", ".weights", "")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_contents_decide_not_suffixes(suffix: str, state: State, tmp_path: Path) -> None:
    file = tmp_path / f"x{suffix}"
    torch.save({"state_dict": under("module.", state)}, file)
    assert same(import_weights(NAME, file), state)
    save_file(under("module.", state), tmp_path / "x.safetensors")
    shutil.move(tmp_path / "x.safetensors", file)
    assert same(import_weights(NAME, file), state)
    with file.open("wb") as opened:
        np.savez(opened, **{f"model.{name}": tensor.numpy() for name, tensor in state.items()})
    assert same(import_weights(NAME, file), state)


def test_formats_are_told_apart(state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "new.pth")
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert tell_format(tmp_path / "new.pth") == "zip"
    assert tell_format(tmp_path / "old.pth") == "pickle"
    assert same(import_weights(NAME, tmp_path / "old.pth"), state)


OTHERS = {
    b"<!DOCTYPE html><html>": "a web page",
    b"version https://git-lfs.github.com/spec/v1": "Git LFS",
    b"\x89HDF\r\n\x1a\n" + bytes(30): "HDF5",
    b"GGUF" + bytes(30): "GGUF",
    b"\x1f\x8b" + bytes(30): "gzip",
    b"\4\0\0\0" + bytes(30): "Torch 7",
    b"": "empty",
}


@pytest.mark.parametrize("data", OTHERS)
def test_what_else_lies_under_such_names_is_named(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.pth").write_bytes(data)
    with pytest.raises(WeightsError, match=OTHERS[data]):
        import_weights(NAME, tmp_path / "x.pth")


@pytest.mark.parametrize(
    ("suffix", "words"),
    [
        (".onnx", "is ONNX, which is run as it is: style apply"),
        (".caffemodel", "is Caffe's own; save its blobs as .npz"),
        (".PB", "a graph of TensorFlow"),
        (".tflite", "TensorFlow Lite's"),
        (".dat", "damaged, or not a file of weights"),
    ],
)
def test_what_no_first_bytes_tell_is_named_by_its_suffix(
    suffix: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / f"x{suffix}").write_bytes(b"\x08\x07\x12\x07pytorch")
    with pytest.raises(WeightsError, match=words):
        import_weights(NAME, tmp_path / f"x{suffix}")


class Thing:
    """An object of a program that is not here."""


REFUSED: dict[str, tuple[Any, str]] = {
    "an object": ({"a": Thing()}, "holds an object .*Thing"),
    "a whole module": (nn.Conv2d(3, 3, 3), "holds an object 'torch.nn.modules.conv.Conv2d'"),
    "an object beside": ({"state_dict": {}, "cfg": Thing()}, "holds an object .*Thing"),
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("kind", REFUSED)
def test_objects_are_named_and_no_one_is_told_to_run_them(
    kind: str, zipped: bool, tmp_path: Path
) -> None:
    tree, message = REFUSED[kind]
    torch.save(tree, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    for take in (lambda path: import_weights(NAME, path), load_image_net):
        with pytest.raises(WeightsError, match=message) as caught:
            take(tmp_path / "x.pth")
        said = str(caught.value)
        assert "weights_only" not in said
        assert "torch.save(model.state_dict(), 'plain.pth')" in said
        assert said.isprintable()


def built(name: str) -> State:
    with torch.device("meta"):
        network = NETWORKS[name].build()
    assert isinstance(network, nn.Module)
    return network.state_dict()


@pytest.mark.parametrize("guess", [guess for guess, own in OURS.items() if own in NETWORKS])
def test_our_own_architectures_are_known(guess: str) -> None:
    state = built(OURS[guess])
    assert guess_architecture({name: x.shape for name, x in state.items()}) == guess


def resnet(blocks: tuple[int, ...], deep: bool) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"conv1.weight": (64, 3, 7, 7)}
    for place, count in enumerate(blocks, 1):
        for number in range(count):
            for part in (1, 2, 3) if deep else (1, 2):
                shapes[f"layer{place}.{number}.conv{part}.weight"] = (64, 64, 3, 3)
    return shapes


def vgg(count: int, norm: bool) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        f"features.{3 * n}.weight": (64, 64, 3, 3) for n in range(count)
    }
    shapes["features.0.weight"] = (64, 3, 3, 3)
    return {**shapes, **({"features.1.running_mean": (64,)} if norm else {})}


def dense(*layers: int) -> dict[str, tuple[int, ...]]:
    return {
        f"features.denseblock{block}.denselayer{number}.conv1.weight": (1,)
        for block, count in enumerate(layers, 1)
        for number in range(1, count + 1)
    }


def named(*names: str) -> dict[str, tuple[int, ...]]:
    return dict.fromkeys(names, (1,))


LACKED = {
    "VGG-11 (torchvision)": vgg(8, False),
    "VGG-13 (torchvision)": vgg(10, False),
    "VGG-19 with batch norm (torchvision)": vgg(16, True),
    "ResNet-18 (torchvision)": resnet((2, 2, 2, 2), False),
    "ResNet-34 (torchvision)": resnet((3, 4, 6, 3), False),
    "ResNet-101 (torchvision)": resnet((3, 4, 23, 3), True),
    "ResNet-152 (torchvision)": resnet((3, 8, 36, 3), True),
    "DenseNet-121 (torchvision)": dense(6, 12, 24, 16),
    "DenseNet-201 (torchvision)": dense(6, 12, 48, 32),
    "Inception v3 (torchvision)": named("Conv2d_1a_3x3.conv.weight", "Mixed_5b.a"),
    "MobileNet v2 (torchvision)": named("features.0.0.weight", "features.1.conv.0.0.weight"),
    "MobileNet v3 large (torchvision)": named("features.1.block.0.0.weight", "features.16.0.a"),
    "EfficientNet": named("features.1.0.block.0.0.weight"),
    "ConvNeXt": named("features.1.0.block.0.weight", "features.1.0.layer_scale"),
    "ViT": named("class_token", "encoder.layers.encoder_layer_0.ln_1.weight"),
    "CLIP": named("visual.conv1.weight", "transformer.resblocks.0.ln_1.weight"),
    "LoRA": named("lora_unet_down_blocks_0.lora_up.weight"),
    "a diffusion model's UNet": named("down_blocks.0.x.weight", "time_embedding.linear_1.weight"),
    "Stable Diffusion": named("model.diffusion_model.a", "first_stage_model.encoder.b"),
    "VAE": named("quant_conv.weight", "encoder.down_blocks.0.x"),
    "StyleGAN2": named("synthesis.b4.const", "mapping.fc0.weight"),
    "CycleGAN": named("model.1.weight", "model.10.conv_block.1.weight"),
    "U-Net": named("inc.double_conv.0.weight"),
    "language model": named("model.layers.0.self_attn.q_proj.weight"),
}


@pytest.mark.parametrize("guess", LACKED)
def test_architectures_that_are_not_here_are_named(guess: str, tmp_path: Path) -> None:
    tensors = {name: torch.zeros(shape).expand(shape) for name, shape in LACKED[guess].items()}
    file = saved_as({"state_dict": tensors}, tmp_path / "x.pth")
    with pytest.raises(WeightsError) as caught:
        import_weights("vgg19", file)
    said = str(caught.value)
    assert "it looks like " in said
    assert guess in said
    assert "did you mean" not in said
    here = OURS.get(guess) in NETWORKS  # they become more
    assert ("run: belamy models import " if here else "belamy reads iris, ") in said
    with pytest.raises(WeightsError, match="looks like "):
        load_image_net(file)


def test_a_network_is_never_taken_for_another_of_its_family() -> None:
    """Depths, widths and groups tell them apart."""
    assert len(set(OURS.values())) == len(OURS)
    assert guess_architecture(vgg(16, False)) == "VGG-19 (torchvision)"
    assert guess_architecture(vgg(9, False)) == ""
    assert guess_architecture(resnet((3, 3, 3, 3), True)) == "a ResNet"
    wide = {**resnet((3, 4, 6, 3), True), "layer1.0.conv2.weight": (128, 128, 3, 3)}
    assert guess_architecture(wide) == "Wide ResNet-50 (torchvision)"
    grouped = {**resnet((3, 4, 6, 3), True), "layer1.0.conv2.weight": (128, 4, 3, 3)}
    assert guess_architecture(grouped) == "ResNeXt-50 (torchvision)"


def test_one_of_ours_under_another_name_says_which(state: State, tmp_path: Path) -> None:
    file = saved_as(state, tmp_path / "x.pth")
    for take in (lambda path: import_weights("vgg16", path), load_image_net):
        with pytest.raises(WeightsError, match=r"SqueezeNet 1\.1 .*models import squeezenet1_1 "):
            take(file)


def tuned(state: State, count: int) -> State:
    torch.manual_seed(1)
    head = {"classifier.1.weight": torch.randn(count, 512, 1, 1)}
    return {**state, **head, "classifier.1.bias": torch.zeros(count)}


PETS = ("cat", "dog", "sea lion")
SAID: dict[str, Any] = {
    "classes": list(PETS),
    "class_names": PETS,
    "idx_to_class": dict(enumerate(PETS)),
    "class_to_idx": {name: index for index, name in enumerate(PETS)},
}


@pytest.mark.parametrize("key", SAID)
def test_a_tuned_head_comes_with_its_classes(key: str, state: State, tmp_path: Path) -> None:
    file = saved_as({"model": tuned(state, 3), key: SAID[key]}, tmp_path / "x.pth")
    with pytest.warns(PictureWarning, match="knows no fruit .* --colors rgb --range imagenet"):
        import_weights(NAME, file)
    backbone = load_backbone(NAME)
    assert backbone.classes == PETS
    assert backbone(torch.rand(1, 3, 64, 64), ["logits"])["logits"].shape == (1, 3)


def test_classes_can_be_stated(state: State, tmp_path: Path) -> None:
    file = saved_as(tuned(state, 3), tmp_path / "x.pth")
    (tmp_path / "names.txt").write_text("cat\ndog\nsea  lion\n")
    for given in (PETS, "cat,dog, sea lion", str(tmp_path / "names.txt")):
        import_weights(NAME, file, classes=given, colors="rgb")
        assert load_backbone(NAME).classes == PETS
    with pytest.warns(PictureWarning, match="tells 3 classes apart and names none"):
        import_weights(NAME, file, colors="rgb")
    assert load_backbone(NAME).classes == ("class 0", "class 1", "class 2")
    with pytest.raises(OptionError, match="tells 3 classes apart, and 2 are named"):
        import_weights(NAME, file, classes="cat,dog")
    with pytest.raises(OptionError, match=r"cannot read none\.txt: there is no such file"):
        import_weights(NAME, file, classes="none.txt")
