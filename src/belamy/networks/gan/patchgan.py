"""PatchGAN: a convolutional discriminator that classifies every patch of a picture by itself.

Source: Isola, Zhu, Zhou and Efros 2017, "Image-to-image translation with conditional adversarial
networks"; as CycleGAN has it (Zhu, Park, Isola and Efros 2017), with instance norm.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from belamy.networks.image_to_image.instance_norm import InstanceNorm

__all__ = ["MultiscaleDiscriminator", "PatchDiscriminator", "initialise"]

_KERNEL = 4
_NEGATIVE_SLOPE = 0.2  # of the leaky ReLU below 0 (Radford et al. 2015)
_MOST_WIDENINGS = 3  # of the channels, twofold each: no layer is wider than eight times the first
_SPREAD = 0.02  # of the first weights (Radford et al. 2015)


class PatchDiscriminator(nn.Module):
    """One logit a patch, how real it is.

    Args:
        channels: after the first convolution; the others have up to eight times as many.
        layers: that halve the picture. Patches are 70×70 pixels at 3, 34×34 at 2, 16×16 at 1 and
            142×142 at 4. At 0 each pixel is judged by its colour alone, by three convolutions of
            one pixel (the PixelGAN of the same paper).
        inputs: channels of what it is shown: 3, or 6 for two pictures that belong together.
        norm: whether instance norms stand between the convolutions; they take away how light a
            picture is, and its tint, so that these are hardly judged.

    Attributes:
        smallest: shortest side in pixels of a picture that it can judge.
    """

    def __init__(
        self, channels: int = 64, layers: int = 3, *, inputs: int = 3, norm: bool = True
    ) -> None:
        super().__init__()
        if layers == 0:
            self.body = _pixel_rows(channels, inputs, norm=norm)
            self.smallest = 2
            return
        widths = [channels * 2 ** min(i, _MOST_WIDENINGS) for i in range(layers + 1)]
        parts: list[nn.Module] = [_convolution(inputs, widths[0], stride=2), _leaky()]
        for index in range(1, layers + 1):
            stride = 2 if index < layers else 1
            parts += [
                _convolution(widths[index - 1], widths[index], stride=stride),
                *([InstanceNorm(widths[index])] if norm else []),
                _leaky(),
            ]
        self.body = nn.Sequential(*parts, _convolution(widths[-1], 1, stride=1))
        # One place more than a single one must be left where the last norm looks.
        self.smallest = 3 * 2**layers

    def forward(self, image: Tensor) -> Tensor:
        """(N, inputs, H, W) in [0, 1] → logits (N, 1, h, w), one for each patch."""
        return self.body(image * 2 - 1)  # type: ignore[no-any-return]


class MultiscaleDiscriminator(nn.Module):
    """PatchGANs of one shape, each shown the picture half as large as the one before (Wang, Liu et
    al. 2018, "High-resolution image synthesis and semantic manipulation with conditional GANs").

    Args:
        scales: how many.
        channels, layers, inputs, norm: of each; see `PatchDiscriminator`.

    Attributes:
        smallest: shortest side in pixels of a picture that they can judge.
    """

    def __init__(
        self,
        scales: int,
        channels: int = 64,
        layers: int = 3,
        *,
        inputs: int = 3,
        norm: bool = True,
    ) -> None:
        super().__init__()
        self.parts = nn.ModuleList(
            PatchDiscriminator(channels, layers, inputs=inputs, norm=norm) for _ in range(scales)
        )
        self.smallest = self.parts[0].smallest * 2 ** (scales - 1)

    def forward(self, image: Tensor) -> list[Tensor]:
        """(N, inputs, H, W) in [0, 1] → the logits of each scale."""
        logits = []
        for index, part in enumerate(self.parts):
            if index:
                image = functional.avg_pool2d(image, 2)
            logits.append(part(image))
        return logits


def _pixel_rows(channels: int, inputs: int, *, norm: bool) -> nn.Sequential:
    wide = 2 * channels
    return nn.Sequential(
        nn.Conv2d(inputs, channels, 1),
        _leaky(),
        nn.Conv2d(channels, wide, 1),
        *([InstanceNorm(wide)] if norm else []),
        _leaky(),
        nn.Conv2d(wide, 1, 1),
    )


def _convolution(inputs: int, outputs: int, *, stride: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, _KERNEL, stride, padding=1)


def _leaky() -> nn.LeakyReLU:
    return nn.LeakyReLU(_NEGATIVE_SLOPE, inplace=True)


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Normal weights of deviation 0.02, no biases (Radford et al. 2015), from one generator."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, std=_SPREAD, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
