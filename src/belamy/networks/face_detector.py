"""Where a face is in a picture: a small network on the features of iris, slid over many scales.

It is a template of six by six places of `mixed4a`, taught on painted portraits against photographs
without people; so what it finds is framed as portraits are, head and shoulders in a square, with
the face in the middle. It is meant for the one face of a portrait, not for counting a crowd.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.files.cache import embedded_path
from belamy.networks.files.network_file import fill_network, open_network_file

__all__ = [
    "NAME",
    "PLACES",
    "WINDOW",
    "Face",
    "FaceDetector",
    "FaceTemplate",
    "find_face",
    "load_detector",
    "load_iris",
    "look",
    "portrait_logits",
]

NAME = "faces"
"""Of the file, and in it."""

WINDOW = 64  # pixels of the square in which a face is looked for, on each scale
PLACES = 6  # of the template, high and wide: the window's, without those at its edge
_LAYER = "mixed4a"
_STRIDE = 8  # pixels between its places
_CHANNELS, _HIDDEN = 368, 32
_LEAK = 0.2
_OCTAVE = 4  # scales by which sizes double
_LARGEST = 1.15  # side of the largest square, in short sides of the picture
_SMALLEST = 1 / 6  # and of the smallest
_BEYOND = 0.25  # of a square may lie outside the picture, whose edge is repeated there
_LEAST = 3.5  # logit of a face. By eye: The Scream has 5.6, no picture without one above 1.6
_NEAR = 1.5  # logits below the best of what is averaged with it


@dataclass(frozen=True)
class Face:
    """A square, head and shoulders of a person in it, in pixels of the picture.

    Args:
        x: of its middle, from the left.
        y: of its middle, from the top.
        side: of it.
        logit: how sure that it is one.
    """

    x: float
    y: float
    side: float
    logit: float = 0.0


class FaceTemplate(nn.Module):
    """Features (N, C, H, W) of the layer to logits (N, 1, H − 5, W − 5) of a face around there."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(_CHANNELS, _HIDDEN, 1)
        self.template = nn.Conv2d(_HIDDEN, 1, PLACES)

    def forward(self, features: Tensor) -> Tensor:
        hidden = F.leaky_relu(self.mix(features), _LEAK)
        logits: Tensor = self.template(hidden)
        return logits


def load_iris(device: torch.device | str = "cpu") -> Backbone:
    """The network that `look` looks with."""
    return load_backbone("iris", layers=[_LAYER], device=device)


def look(images: Tensor, backbone: Backbone) -> Tensor:
    """Pictures (N, 3, H, W) in [0, 1] to the features that the template is laid on: square roots,
    so that strong edges do not outweigh the rest."""
    features: Tensor = backbone(images, [_LAYER])[_LAYER]
    return features.clamp_min(0).sqrt()


@dataclass(frozen=True)
class FaceDetector:
    """The template and the network that it is laid on.

    Args:
        template: on its device, frozen.
        backbone: on the same.
        sha256: of the template's file.
    """

    template: FaceTemplate
    backbone: Backbone
    sha256: str

    @property
    def weights(self) -> dict[str, str]:
        """Network → SHA-256."""
        return {NAME: self.sha256, self.backbone.name: self.backbone.sha256}


def load_detector(device: torch.device | str = "cpu") -> FaceDetector:
    """The detector inside the package.

    Raises:
        WeightsError: its file is damaged.
    """
    with open_network_file(embedded_path(NAME)) as file:
        template = FaceTemplate().eval().requires_grad_(False)
        state = {name: x.float() for name, x in file.state().items()}
        fill_network(template, state, file.path, NAME)
        return FaceDetector(template.to(device), load_iris(device), file.sha256)


def portrait_logits(images: Tensor, detector: FaceDetector) -> Tensor:
    """How sure it is that each of (N, 3, S, S) is a portrait, a face in its middle: logits (N,)."""
    size = (WINDOW, WINDOW)
    if images.shape[-2:] != size:
        images = F.interpolate(images, size=size, mode="bicubic", antialias=True).clamp(0, 1)
    logits: Tensor = detector.template(look(images, detector.backbone))
    return logits.flatten(1).amax(dim=1)


def find_face(image: Tensor) -> Face | None:
    """The likeliest face in (1, 3, H, W), or None where nothing looks like one.

    Raises:
        WeightsError: the detector's file is damaged.
    """
    detector = load_detector(image.device)
    with torch.inference_mode():
        found = [face for side in _sides(image) for face in _find_at(image, side, detector)]
    best = max(found, key=lambda face: face.logit, default=None)
    if best is None or best.logit < _LEAST:
        return None
    return _average([face for face in found if _is_beside(face, best)])


def _sides(image: Tensor) -> Iterator[float]:
    """Sides of the squares, the largest first."""
    shortest = min(image.shape[-2:])
    side = _LARGEST * shortest
    while side >= max(_SMALLEST * shortest, PLACES):
        yield side
        side /= 2 ** (1 / _OCTAVE)


def _find_at(image: Tensor, side: float, detector: FaceDetector) -> list[Face]:
    """The likeliest few squares of one size."""
    beyond = min(round(_BEYOND * side), *(length - 1 for length in image.shape[-2:]))
    padded = F.pad(image, (beyond,) * 4, mode="replicate")
    size = [max(WINDOW, round(length * WINDOW / side)) for length in padded.shape[-2:]]
    scaled = F.interpolate(padded, size=size, mode="bicubic", antialias=True).clamp(0, 1)
    logits = detector.template(look(scaled, detector.backbone))[0, 0]
    best = logits.flatten().topk(min(8, logits.numel()))
    down, right = (own / new for own, new in zip(padded.shape[-2:], size, strict=True))
    middle = PLACES * _STRIDE / 2
    faces = []
    for logit, index in zip(best.values.tolist(), best.indices.tolist(), strict=True):
        y, x = divmod(index, logits.shape[1])
        faces.append(
            Face(
                (x * _STRIDE + middle) * right - beyond,
                (y * _STRIDE + middle) * down - beyond,
                side,
                logit,
            )
        )
    return faces


def _is_beside(face: Face, best: Face) -> bool:
    """Whether both are the same face."""
    near = max(abs(face.x - best.x), abs(face.y - best.y)) < best.side / 4
    return near and 2 / 3 < face.side / best.side < 3 / 2 and face.logit > best.logit - _NEAR


def _average(faces: list[Face]) -> Face:
    """Weighted by how sure they are: finer than the steps between places and scales."""
    weights = torch.tensor([face.logit for face in faces]).softmax(0)
    rows = torch.tensor([[face.x, face.y, face.side, face.logit] for face in faces])
    x, y, side, _ = (weights @ rows).tolist()
    return Face(x, y, side, max(face.logit for face in faces))
