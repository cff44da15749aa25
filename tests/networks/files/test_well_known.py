"""Published files under the names that people bring: torchvision's, neural-style's, old torch's."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from belamy.errors import UnknownName, WeightsError
from belamy.networks.backbone import load_backbone
from belamy.networks.backbones import alexnet_vgg
from belamy.networks.files.cache import cached_path
from belamy.networks.files.convert import import_weights
from belamy.networks.files.weights import open_weights
from belamy.networks.files.well_known import network_of, network_of_file
from belamy.networks.find import find_network, name_network
from belamy.networks.registry import NETWORKS, names_of


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Whether colours could be tried out is another file's subject."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """VGG with a hundredth of its weights."""
    monkeypatch.setattr(alexnet_vgg, "_VGG_CHANNELS", (4, 4, 6, 6, 6))


def build(name: str, **arguments: int) -> nn.Module:
    torch.manual_seed(0)
    network = NETWORKS[name].build(**arguments)
    with torch.no_grad():
        for key, x in network.state_dict().items():
            if key.endswith("running_mean"):
                x.normal_(std=0.1)
    return network.eval()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("VGG19_Weights.IMAGENET1K_V1", "vgg19"),
        ("VGG16_BN_Weights.DEFAULT", "vgg16_bn"),
        ("ResNet50_Weights.IMAGENET1K_V1", "resnet50"),
        ("MobileNet_V3_Large_Weights.IMAGENET1K_V1", "mobilenet_v3_large"),
        ("ConvNeXt_Tiny_Weights.IMAGENET1K_V1", "convnext_tiny"),
        ("Inception_V3_Weights.IMAGENET1K_V1", "inception_v3"),
        ("SqueezeNet1_1_Weights.IMAGENET1K_V1", "squeezenet1_1"),
        ("GoogLeNet_Weights.IMAGENET1K_V1", "googlenet"),
        ("iris", "iris"),
    ],
)
def test_torchvisions_names_of_weights(theirs: str, ours: str) -> None:
    assert network_of(theirs) == ours
    assert ours in names_of("backbone")
    assert name_network(theirs) == ours
    assert cached_path(theirs) == cached_path(ours)
    if ours != "iris":
        with pytest.raises(WeightsError, match=f"weights of {ours} are not here; run: belamy mod"):
            find_network(theirs)


def test_a_name_that_nothing_has_stays_as_it_is() -> None:
    with pytest.raises(UnknownName, match=r"unknown network 'vgg99'"):
        import_weights("VGG99_Weights.IMAGENET1K_V1", "x.pth")


@pytest.mark.parametrize(
    ("file", "ours"),
    [
        ("vgg19-dcbb9e9d.pth", "vgg19"),
        ("vgg16_features-amdegroot-88682ab5.pth", "vgg16"),
        ("resnet50-11ad3fa6.pth", "resnet50"),
        ("inception_v3_google-0cc3c7bd.pth", "inception_v3"),
        ("mine.pth", ""),
    ],
)
def test_a_published_file_is_known_by_its_name(file: str, ours: str, tmp_path: Path) -> None:
    path = tmp_path / file
    assert network_of_file(path, names_of("backbone")) == ours
    path.touch()
    command = f"run: belamy models import {ours or 'auto'} {re.escape(str(path))}"
    with pytest.raises(WeightsError, match=command):
        find_network(path, "backbone")


@pytest.mark.usefixtures("narrow")
def test_a_vgg_of_features_alone(tmp_path: Path) -> None:
    network = build("vgg11", classes=0)
    torch.save(network.state_dict(), tmp_path / "features.pth")
    import_weights("vgg11", tmp_path / "features.pth")
    own = load_backbone("vgg11")
    assert own.classes == ()
    assert "logits" not in own.layers
    x = torch.rand(1, 3, 40, 40)
    expected = network((x - own.mean) / own.std)
    torch.testing.assert_close(own(x, ["pool5"])["pool5"], expected)
    with pytest.raises(UnknownName):
        load_backbone("vgg11", layers=["logits"])


@pytest.mark.usefixtures("narrow")
def test_neural_styles_file_takes_caffes_pictures(tmp_path: Path) -> None:
    """Blue first, levels of 255 less the mean: told by the digits in the file's name."""
    network = build("vgg19", classes=0)
    torch.save(network.state_dict(), tmp_path / "vgg19-d01eb7cb.pth")
    import_weights("VGG19_Weights.IMAGENET1K_V1", tmp_path / "vgg19-d01eb7cb.pth")
    own = load_backbone("vgg19")
    x = torch.rand(1, 3, 33, 40)
    mean = torch.tensor((104.0, 117.0, 123.0)).view(3, 1, 1)
    expected = network.features[:2](255 * x.flip(1) - mean)  # type: ignore[index, operator]
    torch.testing.assert_close(own(x, ["relu1_1"])["relu1_1"], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("narrow")
def test_torchvisions_features_with_a_head_of_no_numbers(tmp_path: Path) -> None:
    state = build("vgg16", hidden=3).state_dict()
    head = {key: torch.full_like(x, torch.nan) for key, x in state.items() if "classifier" in key}
    path = tmp_path / "vgg16_features-amdegroot-88682ab5.pth"
    torch.save({**state, **head}, path)
    with open_weights(import_weights("vgg16", path)) as weights:
        described = weights.description
        assert described.arguments == {"classes": 0}
        assert described.mean == (0.48235, 0.45882, 0.40784)
        assert described.std == (1 / 255,) * 3


def test_names_of_an_older_torch(tmp_path: Path) -> None:
    network = build("densenet121")
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", key): x
        for key, x in network.state_dict().items()
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save(old, tmp_path / "densenet121-a639ec97.pth")
    import_weights("densenet121", tmp_path / "densenet121-a639ec97.pth", source="torchvision")
    x = torch.rand(1, 3, 40, 40)
    own = load_backbone("densenet121", layers=["denseblock1"])
    expected: Tensor = network.features[:5]((x - own.mean) / own.std)  # type: ignore[index, operator]
    torch.testing.assert_close(own(x, ["denseblock1"])["denseblock1"], expected)


def test_an_auxiliary_classifier_is_left_out(tmp_path: Path) -> None:
    state = build("inception_v3").state_dict()
    aux = {"AuxLogits.conv0.conv.weight": torch.zeros(128, 768, 1, 1)}
    torch.save({**state, **aux}, tmp_path / "inception_v3_google-0cc3c7bd.pth")
    with open_weights(
        import_weights("inception_v3", tmp_path / "inception_v3_google-0cc3c7bd.pth")
    ):
        pass


def test_a_fine_tuned_head_keeps_its_number_of_classes(tmp_path: Path) -> None:
    torch.save(build("resnet18", classes=3).state_dict(), tmp_path / "mine.pth")
    import_weights("resnet18", tmp_path / "mine.pth", classes="cat, dog, bird")
    own = load_backbone("resnet18")
    assert own.classes == ("cat", "dog", "bird")
    assert own(torch.rand(1, 3, 40, 40), ["logits"])["logits"].shape == (1, 3)


def test_weights_of_another_architecture_are_named(tmp_path: Path) -> None:
    torch.save(build("resnet18").state_dict(), tmp_path / "x.pth")
    with pytest.raises(WeightsError, match=r"looks like ResNet-18.*models import resnet18"):
        import_weights("resnet34", tmp_path / "x.pth")


def test_generators_of_others_say_what_to_do(tmp_path: Path) -> None:
    for name, words in (
        ("ffhq.pkl", r"a pickle, which can run any program and is not opened; where it was"),
        ("model_120.pt", r"\(StyleGAN2, lightweight-gan\) are not run here; paint with it there"),
    ):
        (tmp_path / name).write_bytes(b"\x80\x04.")
        with pytest.raises(WeightsError, match=words):
            find_network(tmp_path / name, "generator")


def test_auto_is_told_by_the_file(tmp_path: Path) -> None:
    torch.save(build("squeezenet1_1", classes=2).state_dict(), tmp_path / "mine.pth")
    assert import_weights("auto", tmp_path / "mine.pth") == cached_path("squeezenet1_1")
    torch.save({"a.weight": torch.zeros(3, 3)}, tmp_path / "odd.pth")
    with pytest.raises(WeightsError, match=r"looks like none that is known; name it"):
        import_weights("auto", tmp_path / "odd.pth")
    with pytest.raises(WeightsError, match="there is no such file"):
        import_weights("auto", tmp_path / "none.pth")


def test_networks_of_timm_are_named_where_they_cannot_be_taken() -> None:
    with pytest.raises(WeightsError, match="one of timm's, which dream and style paint take"):
        find_network("timm:resnet18", "backbone")
