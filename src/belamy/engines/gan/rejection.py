"""Rejection sampling: pictures in which no face is seen are drawn again.

Which latents are drawn again depends on the seed, the picture's number, the generator and the
truncation alone, so that a picture is the same in every command and however many are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from belamy.networks.face_detector import load_detector, portrait_logits
from belamy.networks.files.cache import embedded_path
from belamy.networks.gan.generator import Generator
from belamy.networks.gan.latents import draw, draw_styles
from belamy.networks.recent import share

__all__ = ["ATTEMPTS", "LEAST_LOGIT", "FaceRejection"]

ATTEMPTS = 16  # latents that are drawn for a picture at most; then the best of them is kept
LEAST_LOGIT = 7.5  # of a face; below is about one in 18 of `portraits` at its usual truncation


class FaceRejection:
    """Latents whose pictures have no face are replaced by the next ones of the same number.

    Args:
        generator: on its device, frozen.

    Raises:
        WeightsError: the detector's file is damaged.

    Source: as a filter, Azadi et al. 2019, "Discriminator rejection sampling". **Differs** in that
    a detector of faces judges, with a fixed threshold, because no discriminator is kept.
    """

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        device = next(generator.parameters()).device
        self._detector = share(
            embedded_path("faces"),
            ("faces", str(device)),
            lambda: load_detector(device),
            lambda detector: detector.backbone,
        )

    @property
    def weights(self) -> Mapping[str, str]:
        """Network → SHA-256."""
        return self._detector.weights

    def draw_styles(
        self, numbers: Sequence[int], *, seed: int, truncation: float, label: int | None
    ) -> Tensor:
        """As `belamy.networks.gan.latents.draw_styles`; one by one, since in a batch the last
        digits would be others, and with them, once in a while, the verdict."""
        return torch.cat([self._draw_one(number, seed, truncation, label) for number in numbers])

    def _draw_one(self, number: int, seed: int, truncation: float, label: int | None) -> Tensor:
        best, most = torch.empty(0), -torch.inf
        for attempt in range(ATTEMPTS):
            styles = draw_styles(
                self._generator,
                [number],
                seed=seed,
                truncation=truncation,
                label=label,
                attempt=attempt,
            )
            logit = self._judge(styles)
            if logit > most:
                best, most = styles, logit
            if most >= LEAST_LOGIT:
                break
        return best

    @torch.inference_mode()
    def _judge(self, styles: Tensor) -> float:
        return float(portrait_logits(draw(self._generator, styles), self._detector))
