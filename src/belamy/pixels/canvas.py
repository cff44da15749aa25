"""Image parameterisations: what an optimiser moves, and the picture that it stands for.

A canvas is a module whose `forward()` is a picture (N,3,H,W) in [0,1]. Moving a Fourier canvas
changes every scale of the picture at once; moving pixels draws fine detail first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from belamy.errors import UnknownName
from belamy.pixels.colors import correlate_colors, decorrelate_colors

# Spread of the random start. Source: lucid, optvis/param/spatial.py.
START_DEVIATION = 0.01
# Half an 8-bit level: black and white start this far inside, since their logit is infinite and
# their sigmoid flat; a picture saved in 8 bits is the same.
EDGE = 1 / 512
# Lucid divides the inverse transform by 4 ("is that a magic constant?"): the start then has about
# the contrast that suits its step size of 0.05.
LUCID_CONTRAST = 4.0


def _logit(image: Tensor) -> Tensor:
    return image.detach().clamp(EDGE, 1 - EDGE).logit()


def _clamp(values: Tensor) -> Tensor:
    """Values cut to [0,1], with a gradient that can lead back inside.

    The plain clamp has no gradient outside, so that a pixel once over white would stay there for
    good. Here a gradient outside is dropped only where following it would lead further out.
    """
    inside = values.detach().clamp(0, 1)
    overshoot = values.detach() - inside
    bounded = inside + (values - values.detach())  # plus nothing, but for the gradient
    if bounded.requires_grad:
        bounded.register_hook(  # type: ignore[no-untyped-call]
            lambda gradient: gradient * (gradient * overshoot >= 0)
        )
    return bounded


@dataclass(frozen=True)
class Bound:
    """How free values become a picture in [0,1], and back."""

    decode: Callable[[Tensor], Tensor]
    encode: Callable[[Tensor], Tensor]


BOUNDS = {
    "logit": Bound(decode=torch.sigmoid, encode=_logit),
    "clamp": Bound(decode=_clamp, encode=lambda image: image.detach().clone()),
}


class PixelCanvas(nn.Module):
    """A picture of free pixels.

    Args:
        image: (N,3,H,W) in [0,1], the start.
        bound: `clamp` starts from any picture exactly and treats all greys alike; `logit` never
            sticks at black or white, but moves slowly near them, and draws 0 and 1 half an 8-bit
            level inside.

    Raises:
        UnknownName: a bound that `BOUNDS` does not hold.
    """

    def __init__(self, image: Tensor, bound: str = "clamp") -> None:
        super().__init__()
        if bound not in BOUNDS:
            raise UnknownName("bound", bound, BOUNDS)
        self._bound = BOUNDS[bound]
        self.values = nn.Parameter(self._bound.encode(image))

    @classmethod
    def from_image(cls, image: Tensor, bound: str = "clamp") -> PixelCanvas:
        """Start from a picture (N,3,H,W) in [0,1]."""
        return cls(image, bound)

    @classmethod
    def from_noise(
        cls, height: int, width: int, rng: torch.Generator, batch: int = 1
    ) -> PixelCanvas:
        """Start from nearly even grey: free values of deviation 0.01, through a sigmoid."""
        values = START_DEVIATION * torch.randn((batch, 3, height, width), generator=rng)
        return cls(values.sigmoid(), "logit")

    def forward(self) -> Tensor:
        return self._bound.decode(self.values)


class FourierCanvas(nn.Module):
    """A picture as the spectrum of decorrelated colours.

    The spectrum is weighed as in photographs, where the amplitude falls with the frequency: one
    step of the optimiser then changes large shapes as readily as fine ones, on any size, and the
    colours stay near those of photographs.

    Args:
        spectrum: (N,3,H,W//2+1,2): real and imaginary parts, before weighing.
        size: (H,W); the width cannot be inferred from the spectrum.

    Source: Mordvintsev et al., "Differentiable image parameterizations", 2018; lucid,
    optvis/param/spatial.py, `fft_image`.
    """

    weights: Tensor

    def __init__(self, spectrum: Tensor, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        self.spectrum = nn.Parameter(spectrum)
        self.register_buffer("weights", spectrum_weights(*size).to(spectrum), persistent=False)

    @classmethod
    def from_noise(
        cls, height: int, width: int, rng: torch.Generator, batch: int = 1
    ) -> FourierCanvas:
        """Start from faint clouds: every part of the spectrum of deviation 0.01."""
        shape = (batch, 3, height, width // 2 + 1, 2)
        return cls(START_DEVIATION * torch.randn(shape, generator=rng), (height, width))

    @classmethod
    def from_image(cls, image: Tensor) -> FourierCanvas:
        """Start from a picture (N,3,H,W); `forward()` is the picture, cut to 1/512 … 511/512."""
        size = (image.shape[-2], image.shape[-1])
        free = LUCID_CONTRAST * decorrelate_colors(_logit(image))
        spectrum = torch.fft.rfft2(free, norm="ortho") / spectrum_weights(*size).to(image)
        return cls(torch.view_as_real(spectrum).contiguous(), size)

    def forward(self) -> Tensor:
        spectrum = torch.view_as_complex(self.spectrum) * self.weights  # (N,3,H,W//2+1)
        # "ortho" divides by √(H·W), which is Lucid's plain inverse transform times √(H·W).
        free = torch.fft.irfft2(spectrum, s=self.size, norm="ortho") / LUCID_CONTRAST  # (N,3,H,W)
        return correlate_colors(free).sigmoid()


def spectrum_weights(height: int, width: int) -> Tensor:
    """One over the frequency (cycles per pixel), at most the longest side: (H,W//2+1).

    The mean has frequency 0; it counts as the slowest wave that fits on the longest side.
    """
    rows = torch.fft.fftfreq(height, dtype=torch.float64)[:, None]
    columns = torch.fft.rfftfreq(width, dtype=torch.float64)
    frequency: Tensor = (rows.square() + columns.square()).sqrt()
    return frequency.clamp_min(1 / max(height, width)).reciprocal()


CANVASES: dict[str, type[PixelCanvas] | type[FourierCanvas]] = {
    "fourier": FourierCanvas,
    "pixels": PixelCanvas,
}
