"""Networks that see: one row each. To look through one, `belamy.networks.backbone`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from belamy.networks.backbones import alexnet_vgg, googlenet, iris, resnet, squeezenet
from belamy.networks.sequential import Chain


@dataclass(frozen=True)
class Architecture:
    """A network without weights.

    What it was trained on, its normalisation and its classes' names belong to the weights: see
    `belamy.networks.files.weights`.

    Attributes:
        build: makes it; every argument has a default and can be written as JSON.
        aliases: other names of its layers → the names here. torchvision's paths
            (`features.16`) are understood without being listed.
    """

    build: Callable[..., Chain]
    aliases: Mapping[str, str] = field(default_factory=dict)


NETWORKS: dict[str, Architecture] = {
    "iris": Architecture(iris.Iris),
    "alexnet": Architecture(alexnet_vgg.AlexNet, alexnet_vgg.ALIASES),
    "vgg16": Architecture(alexnet_vgg.vgg16, alexnet_vgg.ALIASES),
    "vgg19": Architecture(alexnet_vgg.vgg19, alexnet_vgg.ALIASES),
    "googlenet": Architecture(googlenet.GoogLeNet, googlenet.ALIASES),
    "squeezenet1_0": Architecture(squeezenet.squeezenet1_0, squeezenet.ALIASES),
    "squeezenet1_1": Architecture(squeezenet.squeezenet1_1, squeezenet.ALIASES),
    "resnet50": Architecture(resnet.resnet50, resnet.ALIASES),
}
