"""Rows of the registry: networks that torchvision published, beyond those that belamy began with.

Which layers dream well was tried on none of them, as their weights are not to be had here: they are
those that lie where the favourites of their nearest relations do.
"""

from __future__ import annotations

from collections.abc import Mapping

from belamy.networks.architecture import (
    Architecture,
    LayerDefaults,
    PerceptualLayers,
    StyleLayers,
)
from belamy.networks.deferred import Builder, NameTable
from belamy.networks.files.published import TORCHVISION, Published

__all__ = ["TORCHVISION_NETWORKS", "VGG_STYLE", "WITHOUT_HEAD"]

# As in crowsonkb/style-transfer-pytorch.
VGG_STYLE = StyleLayers(
    {"relu4_2": 1},
    {"relu1_1": 256, "relu2_1": 64, "relu3_1": 16, "relu4_1": 4, "relu5_1": 1},
    0.015,
    2.0,
    normalized=False,
)
WITHOUT_HEAD = {"classes": 0}

# number → convolutions in the third and fourth block, the last of which are taken
_VGG_ENDS = {11: ("relu1_1", "relu2_1", 2), 13: ("relu1_2", "relu2_2", 2)}
_VGG_ENDS |= {16: ("relu1_2", "relu2_2", 3), 19: ("relu1_2", "relu2_2", 3)}


def _vgg(number: int, *, norm: bool, file: str, megabytes: float) -> Architecture:
    first, second, last = _VGG_ENDS[number]
    third, fourth = f"relu3_{last}", f"relu4_{last}"
    return Architecture(
        "backbone",
        Builder("backbones.alexnet_vgg:build_vgg", number, norm=norm),
        published=Published(TORCHVISION + file, megabytes),
        aliases=NameTable("backbones.alexnet_vgg:ALIASES"),
        without_head=WITHOUT_HEAD,
        layers=LayerDefaults(
            dream=(fourth,),
            style=VGG_STYLE,
            perceptual=PerceptualLayers((first, second, third, fourth), (third,)),
        ),
    )


def _resnet(number: int, dream: str, file: str, megabytes: float) -> Architecture:
    return _plain(
        Builder("backbones.resnet:build_resnet", number),
        dream,
        file,
        megabytes,
        aliases=NameTable("backbones.resnet:aliases_of", number),
    )


def _plain(
    build: Builder,
    dream: str,
    file: str,
    megabytes: float,
    *,
    aliases: Mapping[str, str] | None = None,
    tensor_names: Mapping[str, str] | None = None,
) -> Architecture:
    return Architecture(
        "backbone",
        build,
        published=Published(TORCHVISION + file, megabytes),
        aliases={} if aliases is None else aliases,
        tensor_names={} if tensor_names is None else tensor_names,
        layers=LayerDefaults(dream=(dream,), dream_smoothing="both"),
    )


TORCHVISION_NETWORKS: dict[str, Architecture] = {
    "vgg11": _vgg(11, norm=False, file="vgg11-8a719046.pth", megabytes=506.8),
    "vgg13": _vgg(13, norm=False, file="vgg13-19584684.pth", megabytes=507.5),
    "vgg11_bn": _vgg(11, norm=True, file="vgg11_bn-6002323d.pth", megabytes=506.9),
    "vgg13_bn": _vgg(13, norm=True, file="vgg13_bn-abd245e5.pth", megabytes=507.6),
    "vgg16_bn": _vgg(16, norm=True, file="vgg16_bn-6c64b313.pth", megabytes=527.9),
    "vgg19_bn": _vgg(19, norm=True, file="vgg19_bn-c79401a0.pth", megabytes=548.1),
    "resnet18": _resnet(18, "layer3.1", "resnet18-f37072fd.pth", 44.7),
    "resnet34": _resnet(34, "layer3.3", "resnet34-b627a593.pth", 83.3),
    "resnet101": _resnet(101, "layer3.9", "resnet101-63fe2227.pth", 170.5),
    "densenet121": _plain(
        Builder("backbones.densenet:DenseNet"),
        "denseblock3",
        "densenet121-a639ec97.pth",
        30.8,
        tensor_names=NameTable("backbones.densenet:PUBLISHED_NAMES"),
    ),
    "mobilenet_v2": _plain(
        Builder("backbones.mobilenet:mobilenet_v2"), "block13", "mobilenet_v2-b0353104.pth", 13.6
    ),
    "mobilenet_v3_large": _plain(
        Builder("backbones.mobilenet:mobilenet_v3_large"),
        "block12",
        "mobilenet_v3_large-8738ca79.pth",
        21.1,
    ),
    "mobilenet_v3_small": _plain(
        Builder("backbones.mobilenet:mobilenet_v3_small"),
        "block8",
        "mobilenet_v3_small-047dcff4.pth",
        9.8,
    ),
    "convnext_tiny": _plain(
        Builder("backbones.convnext:ConvNeXt"),
        "stage3.4",
        "convnext_tiny-983f1562.pth",
        109.1,
        aliases=NameTable("backbones.convnext:ALIASES"),
    ),
    "inception_v3": Architecture(
        "backbone",
        Builder("backbones.inception:InceptionV3"),
        # torchvision's "transform_input" turns its usual preprocessing into this one
        published=Published(
            TORCHVISION + "inception_v3_google-0cc3c7bd.pth",
            103.9,
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            side=299,
            short_side=342,
        ),
        aliases=NameTable("backbones.inception:ALIASES"),
        # those of TensorFlow's tutorial on DeepDream, which calls them mixed3 and mixed5
        layers=LayerDefaults(dream=("Mixed_6a", "Mixed_6c"), dream_smoothing="both"),
    ),
}
"""Name → how it is built, where its weights are."""
