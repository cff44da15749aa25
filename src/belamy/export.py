"""Networks written for other programs. This module imports no torch until it works."""

from __future__ import annotations

from pathlib import Path

from belamy.errors import OptionError

__all__ = ["export"]

_SUFFIX = ".onnx"


def export(network: str, output: Path, *, direction: str | None = None) -> None:
    """Write a network that repaints pictures as ONNX, for pictures of any size.

    The input `image` is float32 (1, 3, H, W), sRGB in [0, 1], with H and W multiples of 4 (of the
    network's stride) and at least 64; so is the output `painted`, but for what overshoots.

    Args:
        network: as in `belamy.engines.faststyle.api.apply_style_steps`, but not ONNX itself.
        output: an .onnx file, replaced whole.
        direction: which network, in a file that translates both ways: a-to-b or b-to-a. None: the
            first.

    Raises:
        WeightsError: the network is not here, damaged, or has a part that is unknown.
        OptionError: the output is no .onnx, or the network is one already.
        MissingExtra: onnx is not installed.
    """
    if output.suffix.lower() != _SUFFIX:
        raise OptionError(f"{output} does not end in {_SUFFIX}, the one format that is written")
    from belamy.networks.find import find_network
    from belamy.networks.image_to_image.load import load_image_net
    from belamy.networks.image_to_image.onnx import write_onnx

    path = find_network(network, "image-to-image")
    if path.suffix.lower() == _SUFFIX:
        raise OptionError(f"{path} is ONNX already; copy it")
    write_onnx(load_image_net(path, direction), output)
