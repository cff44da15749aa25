"""Networks written for other programs. This module imports no torch until it works."""

from __future__ import annotations

from pathlib import Path

from belamy.errors import OptionError

__all__ = ["export"]

_SUFFIX = ".onnx"


def export(network: str, output: Path, *, direction: str | None = None) -> None:
    """Write a network as ONNX: one that repaints pictures, a classifier, a painter or a defogger.

    Pictures are float32 (1, 3, H, W), sRGB in [0, 1], of any size but where it is said. Which it
    is, the network decides:

        repaints    `image` → `painted`, but for what overshoots; H and W multiples of 4 (of the
                    network's stride) and at least 64
        classifies  `image`, prepared as `belamy classify` does → `probabilities` (1, classes)
        paints      `latent` (1, latent), standard normal → `picture`
        defogs      `image` → `transmission` (1, 1, H, W) and `air` (1, 3, H, W)

    Args:
        network: a name, a file or a run folder, but not ONNX itself.
        output: an .onnx file, replaced whole.
        direction: which network, in a file that translates both ways: a-to-b or b-to-a. None: the
            first.

    Raises:
        WeightsError: the network is not here, damaged, or has a part that is unknown.
        OptionError: the output is no .onnx, the network is one already, or of a kind that is not
            written.
        MissingExtra: onnx is not installed.
    """
    if output.suffix.lower() != _SUFFIX:
        raise OptionError(f"{output} does not end in {_SUFFIX}, the one format that is written")
    from belamy.networks.find import find_network

    path = find_network(network)
    if path.suffix.lower() == _SUFFIX:
        raise OptionError(f"{path} is ONNX already; copy it")
    kind = _kind_of(path)
    if kind == "image-to-image":
        from belamy.networks.image_to_image.load import load_image_net
        from belamy.networks.image_to_image.onnx import write_onnx

        write_onnx(load_image_net(path, direction), output)
        return
    if direction is not None:
        raise OptionError(f"{network} has one direction alone; leave out {direction}")
    _export_traced(path, kind, output)


def _kind_of(path: Path) -> str:
    from belamy.networks.files.header import SUFFIX, network_in, read_metadata
    from belamy.networks.registry import NETWORKS

    if path.suffix.lower() != SUFFIX:
        return "image-to-image"
    name = network_in(read_metadata(path))
    return NETWORKS[name].kind if name in NETWORKS else "image-to-image"


def _export_traced(path: Path, kind: str, output: Path) -> None:
    import torch

    from belamy.networks.files.trace import Classifying, write_traced
    from belamy.networks.load import load_network

    if kind == "backbone":
        backbone = load_network(path, "backbone").network
        if not backbone.classes:
            raise OptionError(f"{path} names no classes; only classifiers are written")
        picture = torch.rand((1, 3, backbone.side, backbone.side))
        write_traced(
            Classifying(backbone), picture, output, inputs="image", outputs=["probabilities"]
        )
    elif kind == "generator":
        generator = load_network(path, "generator").network
        if generator.labels:
            raise OptionError(f"{path} paints by labels, which are not written; take another")
        latent = torch.randn((1, generator.latent))
        write_traced(generator, latent, output, inputs="latent", outputs=["picture"])
    elif kind == "dehaze":
        dehaze = load_network(path, "dehaze").network
        picture = torch.rand((1, 3, 64, 96))
        write_traced(dehaze, picture, output, inputs="image", outputs=["transmission", "air"])
    else:
        raise OptionError(f"{path} is of a kind that is not written as ONNX; see belamy export -h")
