"""Feature extractors of the distribution metrics: pictures in, a row of numbers for each out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy import files
from belamy.devices import choose_device
from belamy.errors import WeightsError
from belamy.networks.backbone import Backbone, load_backbone
from belamy.networks.find import AUTO, choose_backbone
from belamy.networks.on_torchvision import import_on_torchvision
from belamy.networks.registry import IMAGENET_BACKBONES

__all__ = ["INCEPTION", "FeatureExtractor", "load_feature_extractor"]

INCEPTION = "weights-inception-2015-12-05-6726825d.pth"
"""The file of torch-fidelity's Inception, the network of the FIDs in papers."""

_LARGEST = 128  # pixels of a side that iris and its like look at: they learned on 64
_BEST_INCEPTION_LAYER = "2048"
_INCEPTION_MODULE = "torch_fidelity.feature_extractor_inceptionv3"


@dataclass(frozen=True)
class FeatureExtractor:
    """A network whose features pictures are compared by.

    Args:
        name: of the network and its layer, to stand beside each number.
        extract: (N, 3, H, W) in [0, 1] → (N, D) float32 on the CPU.
    """

    name: str
    extract: Callable[[Tensor], Tensor] = field(repr=False)


def load_feature_extractor(model: str | Path = "iris", device: str = "cpu") -> FeatureExtractor:
    """The feature extractor called `model`.

    Args:
        model: `inception`, which needs `pip install 'belamy[metrics]'` and its weights in the
            cache; else a network's name (`belamy models list`), a file, or `auto` for the best
            that is here; the last layer before its classes is taken as a mean over positions.
            efficientnet_lite0 and 2 are shown squares of the side that they learned on, small
            pictures enlarged. Distances by one network say nothing beside those by another.
        device: where it computes.

    Raises:
        UnknownName: there is no such network.
        WeightsError: its weights are not here; the message says where they belong.
        MissingExtra: torch-fidelity is not installed.
    """
    special = _SPECIAL.get(str(model))
    return special(device) if special is not None else _load_backbone_extractor(model, device)


def _load_backbone_extractor(model: str | Path, device: str) -> FeatureExtractor:
    target = choose_device(device)
    known = choose_backbone(model) if model == AUTO else model
    backbone = load_backbone(known, device=target)
    layer = _find_deepest_layer(backbone)
    side = backbone.side if backbone.name in IMAGENET_BACKBONES else None

    def extract(images: Tensor) -> Tensor:
        with torch.inference_mode():
            activations = backbone(_fit(images.to(target), side), [layer])[layer]
            features: Tensor = activations.mean(dim=(2, 3))  # (N, C)
            return features.float().cpu()

    return FeatureExtractor(f"{backbone.name} {layer}", extract)


def _find_deepest_layer(backbone: Backbone) -> str:
    """The last stage that still has positions, before the neurons that name classes."""
    stages = [row.name for row in backbone.layers.values() if row.name == row.stage and row.stride]
    assert stages, f"{backbone.name} has no layer with positions"
    return stages[-1]


def _fit(images: Tensor, side: int | None) -> Tensor:
    """Squares of that side; where there is none, at most `_LARGEST` pixels high and wide."""
    size = [min(own, _LARGEST) for own in images.shape[-2:]] if side is None else [side, side]
    if list(images.shape[-2:]) == size:
        return images
    fitted: Tensor = F.interpolate(images, size=size, mode="bicubic", antialias=True)
    return fitted.clamp(0, 1)


def _load_inception(device: str) -> FeatureExtractor:
    target = choose_device(device)
    module = import_on_torchvision(_INCEPTION_MODULE, "torch-fidelity", "metrics")
    network: Any = module.FeatureExtractorInceptionV3(
        "inception",
        [_BEST_INCEPTION_LAYER],
        feature_extractor_weights_path=str(_find_inception_weights()),
    ).to(target)

    def extract(images: Tensor) -> Tensor:
        levels = (images.clamp(0, 1) * 255).round().to(torch.uint8).to(target)
        with torch.inference_mode():
            features: Tensor = network(levels)[0]
            return features.float().cpu()

    return FeatureExtractor("inception pool3", extract)


def _find_inception_weights() -> Path:
    """Where they lie: belamy's cache, or torch's, where torch-fidelity itself puts them."""
    folders = (files.cache_folder(), Path(torch.hub.get_dir()) / "checkpoints")
    path = next((folder / INCEPTION for folder in folders if (folder / INCEPTION).is_file()), None)
    if path is None:
        raise WeightsError(
            f"inception's weights are not here; put {INCEPTION} of torch-fidelity's releases "
            f"into {folders[0]}, or take iris"
        )
    # torch-fidelity unpickles without a look: a file that this reads has nothing but numbers in it
    try:
        torch.load(path, map_location="meta", weights_only=True)
    except Exception as error:  # a broken pickle may raise almost anything
        raise WeightsError(f"{path} is damaged, or not only weights; get it again") from error
    return path


_SPECIAL: dict[str, Callable[[str], FeatureExtractor]] = {"inception": _load_inception}
"""Extractors that are no network of belamy's own table."""
