"""The network that looks at a picture and says how much fog there is, where, and of what colour.

A small U-Net (Ronneberger et al. 2015) of residual blocks (He et al. 2016) from half to 1/32 of the
size, whose middle is told the mean and the maximum of all places, since fog is a matter of the
whole picture. It answers with two things that a person can check: the transmission, and the air
light, one colour that may change smoothly from place to place (towards the sun fog is lighter).
What is made of them is physics: see `belamy.pixels.fog.model`.

What He et al. 2009 found need not be learned anew: the network is shown the dark channel in two
windows; it looks for the air light where the dark channel is light, and learns to look better (the
air light is a weighted mean of the picture's own colours, then corrected a little); and before it
answers it is shown the transmission that the dark channel and its own air light would give.

Since its second design it takes fog for white but for a small cast, and looks twice: it is shown
the picture without the fog that it found, where too much or too little is plain to see, and says by
what factor the fog is denser.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["STRIDE", "DehazeNet", "initialise", "pack_state"]

STRIDE = 32  # pixels of the picture for one of the middle; other sizes are filled up

_WINDOWS = (3, 9)  # of the dark channels, at half the size
_PRIOR = 10.0  # how much more a place that is light in all channels counts for the air, at first
_LEAST = 0.02  # transmission: below, nothing could be seen through in 8 bits
_EDGE = 0.02  # of [0, 1]: where an air light's logit is taken at most
_WIDTHS = (16, 32, 64, 96, 128)  # channels at 1/2, 1/4, … 1/32 of the size
_BLOCKS = (1, 1, 2, 2, 2)  # residual blocks there, on the way down
_MOST_BLOCKS = 64  # at one resolution
_DESIGNS = (1, 2)
_WHITEST = 1.04  # of the second design's air light, so that white itself is within reach
_CAST = 0.15  # of its light, by which a channel differs from the others at most
_LOOK_WIDTHS = (16, 24)  # channels of the second look, at 1/4 and 1/8 of the size
_THINNEST = 0.1  # transmission that is divided by at least, as in `remove_fog`
_LARGE_KERNEL = 4096  # weights, from which on they are kept in 8 bits
_LARGEST_EIGHTH = 240.0  # what the largest of a channel becomes; 8 bits hold 448
_NORM_EPSILON = 1e-5  # of PyTorch's batch norms
_MOST_CORRECTED = 1.5  # logarithm of the factor by which the second look changes the fog


class _ConvNormReLU(nn.Sequential):
    """Convolution of 3×3, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class _ResidualBlock(nn.Module):
    """Two convolutions beside a way past them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _ConvNormReLU(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))))


class _UpBlock(nn.Module):
    """From a coarser level to a finer one, whose own features are added."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.thin = nn.Conv2d(inputs, outputs, 1)
        self.block = _ResidualBlock(outputs)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        larger = F.interpolate(self.thin(coarse), fine.shape[-2:], mode="bilinear")
        return self.block(larger + fine)  # type: ignore[no-any-return]


def _mean_over(x: Tensor, places: tuple[int, int]) -> Tensor:
    """Means over a grid of places, whose number divides the sides."""
    if torch.onnx.is_in_onnx_export():  # which takes no grid that grows with the picture
        fields = int(x.shape[-2] // places[0]), int(x.shape[-1] // places[1])
        return F.avg_pool2d(x, fields)
    return F.adaptive_avg_pool2d(x, places)


class _SecondLook(nn.Module):
    """Looks at a picture, and at what is left of it without its fog; says how wrong that is."""

    def __init__(self) -> None:
        super().__init__()
        fine, coarse = _LOOK_WIDTHS
        self.first = _ConvNormReLU(3 + 3 + 3 + 1 + 1, fine, stride=2)
        self.block = _ResidualBlock(fine)
        self.down = _ConvNormReLU(fine, coarse, stride=2)
        self.deep = _ResidualBlock(coarse)
        self.overview = nn.Linear(2 * coarse, coarse)
        self.up = nn.Conv2d(coarse, fine, 1)
        self.factor = nn.Conv2d(fine, 1, 3, padding=1)
        self.level = nn.Linear(coarse, 1)

    def forward(self, half: Tensor, transmission: Tensor, air: Tensor) -> tuple[Tensor, Tensor]:
        """All at half the size → the logarithm of the fog's factor (N, 1, h, w), and a shift of the
        air light's level (N, 1, 1, 1)."""
        clear = half + (half - air) * (1 / transmission.clamp_min(_THINNEST) - 1)
        dark = _compute_dark_channels(clear.clamp(0, 1))[:, :1]
        seen = torch.cat([half, clear.clamp(-0.5, 1.5), air, transmission, dark], dim=1) * 2 - 1
        fine = self.block(self.first(seen))
        coarse = self.deep(self.down(fine))
        whole = torch.cat([coarse.mean((2, 3)), coarse.amax((2, 3))], dim=1)
        overview = F.relu(self.overview(whole))
        rise = self.up(coarse + overview[:, :, None, None])
        factor = self.factor(fine + _enlarge(rise, fine)).float()
        factor = _MOST_CORRECTED * torch.tanh(factor / _MOST_CORRECTED)
        return _enlarge(factor, half), self.level(overview).float()[:, :, None, None]


class DehazeNet(nn.Module):
    """See the module.

    Args:
        widths: channels at 1/2, 1/4, … of the size; as many as `blocks`.
        blocks: residual blocks there.
        design: 1 has an air light of any colour, as files of belamy 0.1 do; 2 one that is nearly
            white, and a second look.
    """

    def __init__(
        self,
        widths: Sequence[int] = _WIDTHS,
        blocks: Sequence[int] = _BLOCKS,
        design: int = 1,
    ) -> None:
        super().__init__()
        if design not in _DESIGNS:
            raise ValueError(f"design is {design}; there are 1 and 2")
        if len(widths) != len(_WIDTHS) or len(blocks) != len(widths):
            raise ValueError(f"{len(widths)} widths, {len(blocks)} blocks; there are five levels")
        if not all(0 <= count <= _MOST_BLOCKS for count in blocks):
            raise ValueError(
                f"blocks are {list(blocks)[:5]}; each must be from 0 to {_MOST_BLOCKS}"
            )
        self.widths, self.blocks, self.design = tuple(widths), tuple(blocks), design
        self.arguments = {"widths": list(widths), "blocks": list(blocks), "design": design}
        # At half the size each pixel has the colours of four.
        inner = [4 * 3 + len(_WINDOWS), *widths]
        strides = [1, *(2 for _ in widths[1:])]
        self.down = nn.ModuleList(
            nn.Sequential(
                _ConvNormReLU(inner[level], width, strides[level]),
                *(_ResidualBlock(width) for _ in range(count)),
            )
            for level, (width, count) in enumerate(zip(widths, blocks, strict=True))
        )
        deepest = widths[-1]
        self.overview = nn.Linear(2 * deepest, deepest)
        pairs = zip(reversed(widths[1:]), reversed(widths[:-1]), strict=True)
        self.up = nn.ModuleList(_UpBlock(coarse, fine) for coarse, fine in pairs)
        self.weigh = _ConvNormReLU(widths[0] + len(_WINDOWS), widths[0])
        self.transmission = nn.Conv2d(widths[0], 1, 3, padding=1)
        self.presence = nn.Linear(deepest, 1)
        self.where = nn.Conv2d(widths[-2], 1, 1)
        self.local = nn.Conv2d(widths[-2], 3, 1)
        self.prior = nn.Parameter(torch.tensor(_PRIOR))
        self.correction = nn.Sequential(
            nn.Linear(deepest + 3, 32), nn.ReLU(inplace=True), nn.Linear(32, 3)
        )
        self.look = _SecondLook() if design > 1 else None

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, H, W) in [0, 1] → transmission (N, 1, H, W) in (0, 1], air (N, 3, H, W), 0 or
        more.

        Any size; transmission is looked at in half the size.
        """
        height, width = image.shape[-2:]
        filled = F.pad(image, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
        half = F.avg_pool2d(filled, 2)
        dark = _compute_dark_channels(half)
        levels = [torch.cat([F.pixel_unshuffle(filled, 2), dark], dim=1) * 2 - 1]
        for level in self.down:
            levels.append(level(levels[-1]))
        x = levels.pop()
        overview = F.relu(self.overview(torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1)))
        x = self.up[0](x + overview[:, :, None, None], levels.pop())
        logits = self._air_logits(x, filled, dark, overview)
        air = self._air(logits)
        for rise in self.up[1:]:
            x = rise(x, levels.pop())
        by_prior = 1 - _compute_dark_channels(half / _enlarge(air.detach(), half)).clamp(0, 1)
        x = self.transmission(self.weigh(torch.cat([x, by_prior], dim=1)))
        presence = torch.sigmoid(self.presence(overview).float())[:, :, None, None]
        fog = torch.sigmoid(x.float()) * presence * (1 - _LEAST)
        if self.look is not None:
            factor, shift = self.look(half, 1 - fog, _enlarge(air, half))
            fog = 1 - (1 - fog) ** factor.exp()
            air = self._air(logits + shift)
        fog, air = (_enlarge(x, filled)[..., :height, :width] for x in (fog, air))
        return 1 - fog, air

    def _air(self, logits: Tensor) -> Tensor:
        """The colours that logits (N, 3, H, W) mean."""
        if self.design == 1:
            return torch.sigmoid(logits)
        level = logits.mean(1, keepdim=True)
        return _WHITEST * torch.sigmoid(level) * (1 + _CAST * torch.tanh(logits - level))

    def _air_logits(
        self, features: Tensor, image: Tensor, dark: Tensor, overview: Tensor
    ) -> Tensor:
        """Where the network looks for the air light, the colours' logits, corrected: (N, 3, H/16,
        W/16)."""
        places = (features.shape[-2], features.shape[-1])
        light = _mean_over(dark[:, -1:], places)
        looks = self.where(features).float() + self.prior * light
        weights = looks.flatten(1).softmax(1)  # (N, places)
        colours = _mean_over(image, places).flatten(2)  # (N, 3, places)
        found = (colours * weights[:, None]).sum(2)
        correction = self.correction(torch.cat([overview.float(), found], dim=1)).float()
        usual = (torch.logit(found, eps=_EDGE) + correction)[:, :, None, None]
        total: Tensor = usual + self.local(features).float()
        return total


def _enlarge(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[-2:], mode="bilinear")


def _compute_dark_channels(image: Tensor) -> Tensor:
    """The darkest of any channel in windows of several sizes: (N, 3, H, W) → (N, windows, H, W)."""
    dark = -image.amin(1, keepdim=True)
    found = []
    for window in _WINDOWS:  # a square's minimum is a row's of columns' minima
        half = window // 2
        rows = F.max_pool2d(dark, (1, window), 1, (0, half))
        found.append(-F.max_pool2d(rows, (window, 1), 1, (half, 0)))
    return torch.cat(found, dim=1)


def pack_state(network: DehazeNet) -> dict[str, Tensor]:
    """The state dict for a file: large kernels in 8 bits, all else in 16, norms in 32.

    A kernel's channels are scaled so that the 8 bits (of which 4 are an exponent) are used to the
    full; the batch norm behind it takes the scale back, so that the network computes the same but
    for the rounding, which costs nothing that can be measured in decibels.
    """
    state = {name: x.detach().cpu().float() for name, x in network.state_dict().items()}
    pairs = []
    for name, module in network.named_modules():
        if isinstance(module, _ConvNormReLU):
            pairs.append((f"{name}.0", f"{name}.1"))
        elif isinstance(module, _ResidualBlock):
            pairs.append((f"{name}.second", f"{name}.norm"))
    packed = {
        name: x if "running" in name or ".norm." in name else x.half() for name, x in state.items()
    }
    for conv, norm in pairs:
        kernel = state[f"{conv}.weight"]
        if kernel.numel() < _LARGE_KERNEL:
            continue
        scale = _LARGEST_EIGHTH / kernel.abs().amax((1, 2, 3)).clamp_min(1e-8)
        eighths = (kernel * scale.view(-1, 1, 1, 1)).to(torch.float8_e4m3fn)
        packed[f"{conv}.weight"] = eighths
        packed[f"{norm}.running_mean"] = state[f"{norm}.running_mean"] * scale
        variance = state[f"{norm}.running_var"] + _NORM_EPSILON
        packed[f"{norm}.running_var"] = variance * scale.square() - _NORM_EPSILON
    return packed


def initialise(network: DehazeNet, generator: torch.Generator) -> None:
    """He's normal start (He et al. 2015); each residual block begins as nothing, and the answer as
    thin fog in a colour of the picture."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, _ResidualBlock):
                module.norm.weight.zero_()
        for quiet in (
            network.transmission,
            network.presence,
            network.where,
            network.local,
            network.correction[-1],
        ):
            quiet.weight.mul_(0.1)  # type: ignore[operator]
        if network.look is not None:  # it begins by changing nothing
            for last in (network.look.factor, network.look.level):
                last.weight.zero_()
        assert network.transmission.bias is not None
        network.transmission.bias.fill_(-0.5)
        network.presence.bias.fill_(2.0)
