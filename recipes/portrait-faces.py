"""Teach the detector of `belamy gan project`: painted portraits against everything else.

    python recipes/portrait-faces.py portraits-clean.zip photos-192.zip landscapes-100.zip \
        cats-dogs-96.zip src/belamy/weights/faces.safetensors

Faces are the portraits as they are framed, a little moved, enlarged, turned and recoloured, grey
ones among them. Against them stand squares out of photographs without people, and the portraits
displaced or at a wrong size, so that the face is found where it is. A few CPU minutes; the last
line says how many of the squares that were put aside are taken for faces where 95 of 100 are found.
"""

from __future__ import annotations

import io
import math
import random
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from belamy.networks.face_detector import NAME, PLACES, WINDOW, FaceTemplate, load_iris, look
from belamy.networks.files.network_file import save_network_file

EPOCHS, BATCH = 6, 128
RATE, DECAY = 2e-3, 0.02
PUT_ASIDE = 5  # each fifth

rng = random.Random(0)


def main(portraits: str, *others_and_target: str) -> None:
    *others, target = others_and_target
    torch.manual_seed(0)
    faces = embed([face(picture) for picture in read(portraits)])
    displaced = embed([displace(picture) for picture in read(portraits)])
    squares = [square(picture) for path in others for picture in read(path)]
    groups = [faces, embed(squares), displaced]
    template = fit(groups)
    print(judge(template, groups))
    save_network_file(
        Path(target),
        template.state_dict(),
        network=NAME,
        arguments={},
        trained_on=", ".join(Path(path).name for path in (portraits, *others)),
        half=True,
    )


def read(path: str) -> Iterator[Image.Image]:
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith((".png", ".webp", ".jpg")) and "test/" not in name:
                yield Image.open(io.BytesIO(archive.read(name))).convert("RGB")


def crop(picture: Image.Image, x: float, y: float, side: float) -> Image.Image:
    """A square about (x, y), the picture's edge repeated outside it, at the window's size."""
    beyond = math.ceil(side)
    values = np.pad(np.asarray(picture), ((beyond,) * 2, (beyond,) * 2, (0, 0)), mode="edge")
    left, top = round(x - side / 2) + beyond, round(y - side / 2) + beyond
    box = (left, top, left + round(side), top + round(side))
    return Image.fromarray(values).crop(box).resize((WINDOW, WINDOW), Image.Resampling.LANCZOS)


def recolour(picture: Image.Image) -> Image.Image:
    if rng.random() < 0.5:
        picture = ImageOps.mirror(picture)
    picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(0.6, 1.6))
    picture = ImageEnhance.Contrast(picture).enhance(rng.uniform(0.7, 1.5))
    return ImageEnhance.Color(picture).enhance(rng.choice([0, 0.5, 1, 1.3]))


def face(picture: Image.Image) -> Image.Image:
    side = picture.width
    x, y = (side / 2 + rng.uniform(-0.05, 0.05) * side for _ in "xy")
    return recolour(crop(picture, x, y, side * rng.uniform(0.88, 1.12)))


def displace(picture: Image.Image) -> Image.Image:
    side = picture.width
    if rng.random() < 0.5:
        scale = rng.choice([rng.uniform(0.35, 0.6), rng.uniform(1.6, 2.0)])
        return recolour(crop(picture, side / 2, side / 2, scale * side))
    angle, far = rng.uniform(0, math.tau), rng.uniform(0.25, 0.45) * side
    x, y = side / 2 + far * math.cos(angle), side / 2 + far * math.sin(angle)
    return recolour(crop(picture, x, y, side * rng.uniform(0.8, 1.1)))


def square(picture: Image.Image) -> Image.Image:
    side = min(picture.size) * rng.uniform(0.3, 1)
    x, y = (rng.uniform(side / 2, length - side / 2) for length in picture.size)
    return recolour(crop(picture, x, y, side))


def embed(pictures: list[Image.Image]) -> Tensor:
    """(N, C, 6, 6): features of the window without the places at its edge."""
    found, backbone = [], load_iris()
    with torch.inference_mode():
        for start in range(0, len(pictures), 64):
            rows = np.stack([np.asarray(each) for each in pictures[start : start + 64]])
            images = torch.from_numpy(rows).permute(0, 3, 1, 2).float() / 255
            edge = (WINDOW // 8 - PLACES) // 2
            found.append(look(images, backbone)[..., edge:-edge, edge:-edge])
    return torch.cat(found).clone()


def fit(groups: list[Tensor]) -> FaceTemplate:
    x = torch.cat([each[torch.arange(len(each)) % PUT_ASIDE > 0] for each in groups])
    sizes = [sum(k % PUT_ASIDE > 0 for k in range(len(each))) for each in groups]
    y = torch.cat([torch.ones(sizes[0]), torch.zeros(sum(sizes[1:]))])
    mean, spread = x.mean((0, 2, 3)), x.std((0, 2, 3)) + 1e-3
    template = FaceTemplate()
    with torch.no_grad():  # the features are brought to unit size in the first layer
        template.mix.weight.normal_(std=x.shape[1] ** -0.5).div_(spread[:, None, None])
        template.mix.bias.copy_(-(template.mix.weight[..., 0, 0] @ mean))
        template.template.weight.normal_(std=0.02)
    optimizer = torch.optim.AdamW(template.parameters(), lr=RATE, weight_decay=DECAY)
    for epoch in range(EPOCHS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - epoch / EPOCHS)
        for indices in torch.randperm(len(x)).split(BATCH):
            logits = template(F.dropout(x[indices], 0.1)).flatten()
            loss = F.binary_cross_entropy_with_logits(logits, y[indices])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return template.eval()


def judge(template: FaceTemplate, groups: list[Tensor]) -> str:
    with torch.inference_mode():
        logits = [template(each[::PUT_ASIDE]).flatten() for each in groups]
    least = logits[0].quantile(0.05)
    false = [f"{(each > least).float().mean():.2%}" for each in logits[1:]]
    return (
        f"at a logit of {least:.1f}, which 95 % of faces have: {false[0]} of other squares, "
        f"{false[1]} of displaced ones"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
