"""PSNR of a network that estimates fog on held-out pictures in synthetic fog, while it learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.engines.defog.dataset import ImageSet, synthesize_fog
from belamy.engines.defog.rendered import RenderedSet, held_out_in_fog
from belamy.pixels.fog.model import remove_fog
from belamy.pixels.images import contact_sheet, save_image
from belamy.training.metrics import psnr

__all__ = ["ValidationSet"]

_SHOWN = 3  # pictures of each set in the samples
_MEASURED = 24  # held-out pictures of each set
_CELL = 192  # pixels of one picture in the samples


@dataclass(frozen=True)
class ValidationSet:
    """Held-out scenes, each clear, in fog, and how far they are apart.

    Args:
        clear: (N, 3, S, S) for each set.
        foggy: the same in fog.
    """

    clear: tuple[Tensor, ...]
    foggy: tuple[Tensor, ...]

    @classmethod
    def create(
        cls, sets: Sequence[ImageSet], seed: int, rendered: RenderedSet | None = None
    ) -> ValidationSet:
        """Some of the held-out pictures of each set, in fog that depends on the seed alone."""
        clear, foggy = [], []
        for index, one in enumerate(sets):
            pictures = one.held_out[:_MEASURED].permute(0, 3, 1, 2).float() / 255
            if len(pictures) == 0:
                continue
            scene, _, hazed = synthesize_fog(pictures, make_rng(seed, "measured", index))
            clear.append(scene)
            foggy.append(hazed)
        if rendered is not None and rendered.held_out is not None:
            scene, _, hazed = held_out_in_fog(rendered.held_out, _MEASURED, seed)
            clear.append(scene)
            foggy.append(hazed)
        return cls(tuple(clear), tuple(foggy))

    def evaluate(
        self, network: nn.Module, device: torch.device, sheet: Path | None
    ) -> dict[str, float]:
        """Mean decibels of what is in fog, and of what the network makes of it.

        Args:
            network: a `DehazeNet`.
            device: where it is.
            sheet: a picture of some of them is saved there: in fog, dehazed, clear.
        """
        shown: list[Tensor] = []
        before, after = list[float](), list[float]()
        for clear, foggy in zip(self.clear, self.foggy, strict=True):
            transmission, airlight = network(foggy.to(device))
            found = remove_fog(foggy, transmission.cpu(), airlight.cpu()).clamp(0, 1)
            rows = [tuple(x[i : i + 1] for x in (clear, foggy, found)) for i in range(len(clear))]
            before += [psnr(scene, foggy) for scene, foggy, _ in rows]
            after += [psnr(scene, result) for scene, _, result in rows]
            for scene, foggy, result in rows[:_SHOWN]:
                shown += [foggy, result, scene]
        if sheet is not None and shown:
            save_image(contact_sheet(shown, columns=3 * _SHOWN, cell=_CELL), sheet)
        return {"psnr_in_fog": _mean(before), "psnr": _mean(after)} if shown else {}


def _mean(decibels: Sequence[float]) -> float:
    """Those of equal pictures, which are infinite, count as 60."""
    return sum(min(value, 60.0) for value in decibels) / len(decibels)
