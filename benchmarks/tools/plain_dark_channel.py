"""The dark channel prior as its paper has it, without any of the guards of belamy's `dcp`."""

from __future__ import annotations

import torch
from torch import Tensor

from belamy.pixels.fog.dark_channel import dark_channel
from belamy.pixels.fog.model import remove_fog
from belamy.pixels.guided import guided_filter

__all__ = ["remove_plainly"]


def remove_plainly(image: Tensor) -> Tensor:
    """(1, 3, H, W) without its fog: He et al. 2009, with the guided filter of 2010."""
    dark = dark_channel(image, 15)
    lightest = dark.flatten().topk(max(1, dark.numel() // 1000)).indices
    air = image.flatten(2)[..., lightest].mean(-1).clamp_min(0.05)[..., None, None]
    coarse = 1 - 0.95 * dark_channel(image / air, 15)
    grey = (image * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    transmission = guided_filter(grey, coarse, radius=60, epsilon=1e-4)
    return remove_fog(image, transmission, air).clamp(0, 1)
