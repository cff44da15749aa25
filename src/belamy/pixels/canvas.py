"""Image parameterisations: what an optimiser moves, and the picture that it stands for.

A canvas is a module whose `forward()` is a picture (N,3,H,W) in [0,1]. Moving a Fourier canvas
changes every scale of the picture at once; moving pixels draws fine detail first; moving phases
alone leaves the picture as strong in each frequency as photos are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources

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


class MacoCanvas(nn.Module):
    """A picture whose spectrum keeps its magnitude; its phases alone are free.

        picture = sigmoid(correlated colours(F⁻¹(r · e^{iφ}))),   r fixed, φ moved

    A network can be excited most by frequencies that photos hardly have; where it cannot change how
    strong they are, it has to put things into their places. No other prior is needed.

    Args:
        phase: (N,3,H,W//2+1), φ in radians.
        magnitude: (N or 1,3,H,W//2+1), r of the decorrelated colours before the sigmoid.
        size: (H,W); the width cannot be inferred from the spectrum.

    Source: Fel et al., "Unlocking feature visualization for deeper networks with magnitude
    constrained optimization", 2023. **Differs**: r is a law of frequency and direction, smoothed
    and so of any size, where the paper enlarges the mean magnitudes of ImageNet's pictures.
    """

    magnitude: Tensor

    def __init__(self, phase: Tensor, magnitude: Tensor, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        self.phase = nn.Parameter(phase)
        self.register_buffer("magnitude", magnitude.to(phase), persistent=False)

    @classmethod
    def from_noise(
        cls, height: int, width: int, rng: torch.Generator, batch: int = 1
    ) -> MacoCanvas:
        """Start from clouds: phases drawn evenly, magnitudes as in photos."""
        turns = torch.rand((batch, 3, height, width // 2 + 1), generator=rng)
        return cls(
            (2 * turns - 1) * math.pi, natural_magnitude(height, width)[None], (height, width)
        )

    @classmethod
    def from_image(cls, image: Tensor) -> MacoCanvas:
        """Start from a picture (N,3,H,W), whose own magnitudes are kept."""
        size = (image.shape[-2], image.shape[-1])
        free = LUCID_CONTRAST * decorrelate_colors(_logit(image))
        spectrum = torch.fft.rfft2(free, norm="ortho")
        return cls(spectrum.angle(), spectrum.abs(), size)

    def forward(self) -> Tensor:
        spectrum = torch.polar(self.magnitude.expand_as(self.phase), self.phase)
        free = torch.fft.irfft2(spectrum, s=self.size, norm="ortho") / LUCID_CONTRAST  # (N,3,H,W)
        return correlate_colors(free).sigmoid()


def natural_magnitude(height: int, width: int) -> Tensor:
    """How strong each frequency is in photos, on the mean: (3,H,W//2+1), for a `MacoCanvas`.

    Measured on 3600 photos (see natural_spectrum.json): cut to 0.06 … 0.94, so that white paper
    does not count as infinitely bright; logits, decorrelated colours, less their mean, under a Hann
    window, which takes away the cross that a photo's border draws; orthonormal spectrum. Magnitude
    times frequency hardly depends on the frequency; a table of it over the logarithm of the
    frequency and the direction is off by 1.5 % on the mean. Frequencies outside of it count as its
    ends. The mean is the mean over the photos of their means' absolute values.
    """
    frequencies, mean, table = _spectrum_of_photos()
    rows = torch.fft.fftfreq(height, dtype=torch.float64)[:, None]
    columns = torch.fft.rfftfreq(width, dtype=torch.float64)
    frequency = (rows.square() + columns.square()).sqrt().clamp_min(1 / max(height, width))
    low, high = (math.log(one) for one in frequencies)
    steps, turns = table.shape[1] - 1, table.shape[2]
    row = ((frequency.log() - low) / (high - low) * steps).clamp(0, steps)
    column = (torch.atan2(rows.expand_as(frequency), columns.expand_as(frequency)) / math.pi) % 1
    column = column * turns
    upper, left = row.floor().clamp_max(steps - 1).long(), column.floor().long() % turns
    down, right = row - upper, column - column.floor()
    near = (1 - right) * table[:, upper, left] + right * table[:, upper, (left + 1) % turns]
    far = (1 - right) * table[:, upper + 1, left] + right * table[:, upper + 1, (left + 1) % turns]
    magnitude: Tensor = ((1 - down) * near + down * far) / frequency
    magnitude[:, 0, 0] = mean * math.sqrt(height * width)
    return magnitude.float()


@cache
def _spectrum_of_photos() -> tuple[tuple[float, float], Tensor, Tensor]:
    """Lowest and highest frequency, means (3,), and the table (3, frequencies, directions)."""
    file = resources.files(__package__).joinpath("natural_spectrum.json")
    found = json.loads(file.read_text("utf-8"))
    low, high = found["frequencies"]
    mean, table = (torch.tensor(found[key], dtype=torch.float64) for key in ("mean", "table"))
    return (low, high), mean, table


CANVASES: dict[str, type[PixelCanvas] | type[FourierCanvas] | type[MacoCanvas]] = {
    "fourier": FourierCanvas,
    "maco": MacoCanvas,
    "pixels": PixelCanvas,
}
