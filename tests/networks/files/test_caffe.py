from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from belamy.errors import PictureWarning, WeightsError
from belamy.networks.backbone import load_backbone
from belamy.networks.files import caffe
from belamy.networks.files.convert import import_weights
from belamy.networks.files.weights import open_weights
from belamy.networks.registry import NETWORKS

SHARED = Path(__file__).parents[4] / "shared" / "data"

State = dict[str, Tensor]


def caffe_state() -> State:
    torch.manual_seed(0)
    network = NETWORKS["squeezenet1_0"].build()
    assert isinstance(network, nn.Module)
    own = network.state_dict()
    pairs = [(theirs, ours) for theirs, ours in caffe.LAYERS.items()]
    return {f"{a}.{kind}": own[f"{b}.{kind}"] for a, b in pairs for kind in ("weight", "bias")}


def test_caffes_names_cover_the_network_once() -> None:
    with torch.device("meta"):
        network = NETWORKS["squeezenet1_0"].build()
    assert isinstance(network, nn.Module)
    parameters = {name.rpartition(".")[0] for name, _ in network.named_parameters()}
    assert sorted(caffe.LAYERS.values()) == sorted(parameters)


def test_caffes_colours_are_turned_round(tmp_path: Path) -> None:
    theirs = caffe_state()
    np.savez(tmp_path / "x.npz", **{name: tensor.numpy() for name, tensor in theirs.items()})
    import_weights("squeezenet1_0", tmp_path / "x.npz")
    image = torch.rand(1, 3, 31, 40)
    found = load_backbone("squeezenet1_0", layers=["conv1"])(image, ["conv1"])["conv1"]
    blue_first = 255 * image.flip(1) - torch.tensor([104.0, 117.0, 123.0]).view(1, 3, 1, 1)
    weight, bias = theirs["conv1.weight"], theirs["conv1.bias"]
    expected = torch.nn.functional.conv2d(blue_first, weight, bias, stride=2)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)


def test_caffes_file_must_be_whole_and_for_squeezenet1_0(tmp_path: Path) -> None:
    arrays = {name: tensor.numpy() for name, tensor in caffe_state().items()}
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(WeightsError, match="Caffe names of squeezenet1_0"):
        import_weights("vgg16", tmp_path / "x.npz")
    del arrays["fire5/conv1x1_2.bias"]
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(WeightsError, match=r"fire5/conv1x1_2\.bias"):
        import_weights("squeezenet1_0", tmp_path / "x.npz")


SEEN = {  # a photo → what one may say of it
    "chelsea.jpg": {"Egyptian cat", "tabby", "tiger cat"},
    "lion.jpg": {"lion"},
    "sailboat.jpg": {"schooner", "yawl"},
    "tubingen.jpg": {"castle", "palace", "monastery"},
    "golden_gate.jpg": {"suspension bridge", "pier"},
}


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
@pytest.mark.parametrize("photo", SEEN)
def test_the_real_squeezenet_knows_what_it_sees(photo: str) -> None:
    from belamy.pixels.images import load_image, resize

    import_weights("squeezenet1_0", SHARED / "weights" / "squeezenet1_0-imagenet.npz")
    backbone = load_backbone("squeezenet1_0")
    image = load_image(SHARED / "pictures" / "content" / photo)
    side = min(image.shape[-2:])
    top, left = ((length - side) // 2 for length in image.shape[-2:])
    square = resize(image[..., top : top + side, left : left + side], (227, 227))
    logits = backbone(square, ["logits"])["logits"]
    assert backbone.classes[int(logits.argmax())] in SEEN[photo]


@pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")
def test_colours_that_the_names_do_not_tell_are_found_out(tmp_path: Path) -> None:
    """Caffe's weights under torchvision's names, blue first and in levels: as they import, they
    would see toilet paper in a cat."""
    from belamy.engines.classify.api import classify

    with np.load(SHARED / "weights" / "squeezenet1_0-imagenet.npz") as arrays:
        right = caffe.from_caffe({name: torch.from_numpy(arrays[name]) for name in arrays.files})
    blue_first = {**right, "features.0.weight": right["features.0.weight"].flip(1)}
    cat = SHARED / "pictures" / "content" / "chelsea.jpg"
    ways: list[tuple[State, Any, Any, str]] = [
        (blue_first, "auto", "auto", "--colors bgr --range caffe"),
        (right, "auto", "auto", "--colors rgb --range caffe"),
        (blue_first, "bgr", "auto", "--colors bgr --range caffe"),
        (blue_first, "bgr", "caffe", ""),
        (right, "rgb", "caffe", ""),
        (blue_first, "auto", "caffe", ""),
    ]
    for state, colors, range_, said in ways:
        torch.save(state, tmp_path / "x.pth")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", PictureWarning)
            import_weights("squeezenet1_0", tmp_path / "x.pth", colors=colors, range=range_)
        assert said in "".join(str(one.message) for one in caught)
        assert len(caught) == bool(said)
        with open_weights("squeezenet1_0") as weights:
            assert weights.description.mean == caffe.MEAN
            assert torch.equal(weights.read("features.0.weight"), right["features.0.weight"])
    (first, *_) = classify(cat, model="squeezenet1_0")
    assert first.name in SEEN["chelsea.jpg"]
    for colors, range_ in (("rgb", "auto"), ("auto", "imagenet"), ("rgb", "0-255")):
        torch.save(blue_first, tmp_path / "x.pth")
        with pytest.raises(WeightsError, match="and all of it with --colors bgr --range caffe"):
            import_weights("squeezenet1_0", tmp_path / "x.pth", colors=colors, range=range_)  # type: ignore[arg-type]
