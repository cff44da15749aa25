"""Noise on translations before they go back, so that nothing can be hidden in them.

A translation that must come home as it left is tempted to keep what its new domain does not show,
as the colours of a photograph in a brown print, in a pattern too faint to be seen (Chu, Zhmoginov
and Sandler 2017, "CycleGAN, a master of steganography"). Noise drowns it (Bashkirova, Usman and
Saenko 2019, "Adversarial self-defense for cycle-consistent GANs"). **Differs** from theirs: noise
of several scales, since tints of whole regions hide colours as well as single pixels do, and of
another strength for each picture, down to none, so that clean pictures are known too.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["add_cycle_noise"]

_SCALES = (1, 4, 16)  # pixels from one random value to the next; the whole picture is one more


def add_cycle_noise(images: Tensor, deviation: float, rng: torch.Generator) -> Tensor:
    """Pictures (N, 3, H, W) with noise of each scale on them, each of a deviation drawn evenly from
    0 to `deviation`.

    Args:
        images: of any device; gradients go through unchanged.
        deviation: in levels of 1; 0 leaves pictures as they are, and draws nothing.
        rng: on the CPU; the same state gives the same noise.
    """
    if deviation == 0:
        return images
    height, width = images.shape[-2:]
    for scale in (*_SCALES, max(height, width)):
        grid = (-(-height // scale), -(-width // scale))
        strength = deviation * torch.rand(len(images), 1, 1, 1, generator=rng)
        noise = strength * torch.randn(len(images), 3, *grid, generator=rng)
        images = images + _enlarge(noise, (height, width)).to(images)
    return images


def _enlarge(noise: Tensor, size: tuple[int, int]) -> Tensor:
    if noise.shape[-2:] == size:
        return noise
    return F.interpolate(noise, size, mode="bicubic", align_corners=False)
