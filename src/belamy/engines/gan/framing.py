"""What of a picture a projection looks for: the face in it, framed as portraits are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from belamy.engines.gan.options import read_face
from belamy.networks.face_detector import Face, find_face
from belamy.pixels.images import resize

__all__ = ["Framing", "crop_face", "crop_square", "face_weights", "frame"]

# Of a portrait's square, by eye: where a face is in it, and what counts outside of the face.
_MIDDLE = (0.5, 0.46)  # from the left and from the top
_RADII = (0.24, 0.31)
_GROUND = 0.15


@dataclass(frozen=True)
class Framing:
    """The square that is looked for.

    Args:
        target: (1, 3, S, S).
        weights: (1, 1, S, S) of its places, 1 in the mean; None where all count as much.
        face: where it is in the picture, as the option says it; or none.
        note: what was found, for the user.
    """

    target: Tensor
    weights: Tensor | None
    face: str
    note: str = ""


def frame(image: Tensor, face: str, size: int) -> Framing:
    """Choose what of (1, 3, H, W) is looked for, at the generator's size.

    Args:
        image: the picture.
        face: auto, none, or X,Y,SIDE.
        size: of the generator's pictures.
    """
    square = read_face(face)
    if square is not None:
        return Framing(crop_face(image, Face(*square), size), face_weights(size), face)
    found = find_face(image) if face == "auto" else None
    if found is not None:
        text = f"{found.x:.0f},{found.y:.0f},{max(1.0, found.side):.0f}"
        found = Face(*(read_face(text) or ()))  # so that the recipe has the very same
        note = f"a face at {text}"
        return Framing(crop_face(image, found, size), face_weights(size), text, note)
    missing = "no face was found, the middle square is taken; name another: --face X,Y,SIDE"
    return Framing(crop_square(image, size), None, "none", missing if face == "auto" else "")


def crop_square(image: Tensor, size: int) -> Tensor:
    """The middle square of (1, 3, H, W), at the generator's size."""
    height, width = image.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return resize(image[..., top : top + side, left : left + side], (size, size))


def crop_face(image: Tensor, face: Face, size: int) -> Tensor:
    """The square of a face out of (1, 3, H, W); beyond the picture its edge goes on."""
    height, width = image.shape[-2:]
    side = max(1, round(face.side))
    left, top = round(face.x - side / 2), round(face.y - side / 2)
    columns = torch.arange(left, left + side).clamp(0, width - 1)
    rows = torch.arange(top, top + side).clamp(0, height - 1)
    return resize(image[:, :, rows][..., columns], (size, size))


def face_weights(size: int) -> Tensor:
    """How much each place of a portrait counts, (1, 1, size, size), 1 in the mean."""
    places = (torch.arange(size) + 0.5) / size
    x, y = ((places - middle) / radius for middle, radius in zip(_MIDDLE, _RADII, strict=True))
    far = x.square()[None, :] + y.square()[:, None]  # 1 at the face's edge
    inside = torch.sigmoid(6 * (1.2 - far))
    weights = _GROUND + (1 - _GROUND) * inside
    return (weights / weights.mean())[None, None]
