"""Feedforward image transformation networks: a picture goes through once, and comes out restyled or
translated.

The shape is Johnson's (Johnson, Alahi and Fei-Fei 2016, "Perceptual losses for real-time style
transfer"): two strided convolutions down, residual blocks, two steps up. **Differs** as his
successors do: instance norm instead of batch norm (Ulyanov et al. 2016), reflecting borders, and
enlargement before a convolution instead of transposed convolutions, which leave a checkerboard
(Odena et al. 2016).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from belamy.errors import WeightsError
from belamy.networks.backbones import imagenet
from belamy.networks.image_to_image.architectures import SHAPES, drop_norms, johnson_rows
from belamy.networks.image_to_image.geometry import Geometry, Row, compute_geometry
from belamy.networks.image_to_image.layers import build
from belamy.networks.image_to_image.strips import STRIP, Place, fix_norms

__all__ = [
    "CHECKED_SIDE",
    "COLOURS",
    "ImageTransformNet",
    "build_from_rows",
    "build_johnson_net",
    "build_translation_net",
    "check_output",
    "initialise",
]

CHECKED_SIDE = 64  # pixels of the square that a network is tried on, unless its stride is larger

_CAFFE_MEAN = (103.939, 116.779, 123.68)  # of ImageNet's blue, green, red, in levels of 255

# How colours in [0, 1] are written for a network: whether blue comes first, and then
# value · scale − offset. What it answers is read the same way backwards.
COLOURS: dict[str, tuple[bool, tuple[float, ...], tuple[float, ...]]] = {
    "signed": (False, (2.0, 2.0, 2.0), (1.0, 1.0, 1.0)),
    "unit": (False, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)),
    "levels": (False, (255.0, 255.0, 255.0), (0.0, 0.0, 0.0)),
    "caffe": (True, (255.0, 255.0, 255.0), _CAFFE_MEAN),
    "imagenet": (
        False,
        tuple(1 / deviation for deviation in imagenet.STD),
        tuple(
            mean / deviation for mean, deviation in zip(imagenet.MEAN, imagenet.STD, strict=True)
        ),
    ),
}

_POINTWISE: Row = {"layer": "colours"}  # looks at each pixel alone

_LAST_GAIN = 0.3  # of He's spread, for the last convolution at the start. By eye


class ImageTransformNet(nn.Module):
    """A fully convolutional network, (N, 3, H, W) to the same size, made of rows of layers.

    Args:
        rows: its layers; see `belamy.networks.image_to_image.layers`.
        colours: how it takes and gives colours, one of `COLOURS`.
        body: the modules; made from the rows where None.

    Attributes:
        geometry: how it can be cut into tiles.
        backwards: whether it takes blue first.

    Raises:
        ValueError, TypeError: see `belamy.networks.image_to_image.layers.build`.
    """

    scale: Tensor
    offset: Tensor

    def __init__(
        self, rows: Sequence[Row], colours: str = "signed", body: nn.Sequential | None = None
    ) -> None:
        super().__init__()
        self.rows, self.colours = tuple(rows), colours
        self.geometry: Geometry = compute_geometry(rows)
        self.backwards, scale, offset = COLOURS[colours]
        self.register_buffer("scale", torch.tensor(scale).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("offset", torch.tensor(offset).view(1, 3, 1, 1), persistent=False)
        self.body = build(rows) if body is None else body

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1], H and W multiples of `geometry.stride` → the same size and range,
        but for what overshoots a little."""
        return self._decode(self.body(self._encode(image)))

    def fix_statistics(self, image: Tensor, strip: int = STRIP) -> ImageTransformNet:
        """The same network with the statistics of its instance norms fixed to those of `image`
        (N, 3, H, W), which is looked at in strips: see
        `belamy.networks.image_to_image.strips.fix_norms`."""
        body, _ = self._in_strips(image, strip)
        fixed = ImageTransformNet(self.rows, self.colours, body).to(image.device)
        return fixed.eval()

    def paint_in_strips(self, image: Tensor, strip: int = STRIP) -> Tensor:
        """What `forward` makes of a picture, but for rounding, in the memory of a few strips."""
        _, end = self._in_strips(image, strip)
        return end.after(_POINTWISE, self._decode).compute(torch.contiguous_format)

    def _in_strips(self, image: Tensor, strip: int) -> tuple[nn.Sequential, Place]:
        place = Place(image, strip).after(_POINTWISE, self._encode)
        return fix_norms(self.rows, self.body, place)

    def activations(self, image: Tensor, indices: Sequence[int]) -> list[Tensor]:
        """The activations after some of the modules of `body`: (N, C, h, w) each.

        Args:
            image: as in `forward`.
            indices: of the modules, in order; those after the last are not run.
        """
        x, activations = self._encode(image), []
        for index, module in enumerate(itertools.islice(self.body, indices[-1] + 1)):
            x = module(x)
            if index in indices:
                activations.append(x)
        return activations

    def _encode(self, image: Tensor) -> Tensor:
        ordered = image.flip(1) if self.backwards else image
        return ordered * self.scale - self.offset

    def _decode(self, x: Tensor) -> Tensor:
        colours = (x + self.offset) / self.scale
        return colours.flip(1) if self.backwards else colours


def build_johnson_net(
    widths: Sequence[int] = (16, 32, 64), blocks: int = 5, enlarging: str = "nearest"
) -> ImageTransformNet:
    """Johnson's network as belamy trains it; with its defaults 0.85 MB at half precision, half of
    Johnson's widths, as in his smaller family.

    **Differs** from Johnson's: no tanh ends it. One that was full at the start left black spots
    that 800 steps had not removed. (To add the strokes to the photograph instead kept it legible
    from the first step on, but left its colours and its grain under them.)

    Args:
        widths, blocks: see `belamy.networks.image_to_image.architectures.johnson_rows`.
        enlarging: one of `belamy.networks.image_to_image.architectures.ENLARGINGS`; older files do
            not say so.
    """
    return ImageTransformNet(johnson_rows(widths, blocks, enlarging=enlarging))


def build_translation_net(
    shape: str = "resnet",
    channels: int = 64,
    blocks: int = 9,
    sampling: str = "antialiased",
    norm: str = "instance",
) -> ImageTransformNet:
    """A generator that translates pictures of one domain into another (CycleGAN, CUT, pix2pix).

    Args:
        shape: one of `belamy.networks.image_to_image.architectures.SHAPES`.
        channels: at full size.
        blocks: residual blocks at quarter size.
        sampling: how it makes pictures smaller and larger, one of
            `belamy.networks.image_to_image.architectures.SAMPLINGS`.
        norm: instance; or none, for one that sees how light a picture is.

    Raises:
        KeyError: no such shape or sampling.
    """
    rows = SHAPES[shape](channels, blocks, sampling)
    return ImageTransformNet(drop_norms(rows) if norm == "none" else rows)


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """He's normal start (He et al. 2015), from one generator, but for a quiet last convolution;
    norms change nothing at first."""
    convolutions = [part for part in network.modules() if isinstance(part, nn.Conv2d)]
    for module in convolutions:
        nn.init.kaiming_normal_(module.weight, generator=generator)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    with torch.no_grad():
        for module in convolutions[-1:]:
            module.weight.mul_(_LAST_GAIN)


def build_from_rows(layers: Sequence[Row], colours: str) -> ImageTransformNet:
    """A network of another program, translated into rows of layers; see `third_party`."""
    return ImageTransformNet(layers, colours)


def check_output(network: ImageTransformNet, path: Path) -> ImageTransformNet:
    """The network, once it has painted a small grey square.

    Raises:
        WeightsError: it cannot, or what it paints is of another size.
    """
    side = max(CHECKED_SIDE, network.geometry.stride)
    grey = torch.full((1, 3, side, side), 0.5)
    try:
        with torch.inference_mode():
            output = network.eval()(grey)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise WeightsError(f"the layers of {path} do not fit together: {reason}") from error
    if output.shape != grey.shape:
        sizes = "×".join(map(str, output.shape[1:])), "×".join(map(str, grey.shape[1:]))
        raise WeightsError(
            f"{path} makes {sizes[0]} of {sizes[1]}; only networks that keep the size are run here"
        )
    return network.requires_grad_(False)
