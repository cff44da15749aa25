"""Asking a network what it sees: centre crop, logits, the most probable classes."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from belamy.devices import DTYPES, choose_device
from belamy.engines.classify.options import ClassifyOptions, Guess, Guesses
from belamy.errors import WeightsError
from belamy.networks.backbone import Backbone
from belamy.networks.find import choose_backbone
from belamy.networks.recent import share_backbone
from belamy.pixels.images import Source, load_image, resize
from belamy.precision import PassPrecision

__all__ = [
    "Classifier",
    "center_square",
    "compute_logits",
    "convert_classifier",
    "load_classifier",
]


class Classifier:
    """A classifier loaded once, for many pictures.

    Args:
        options: for all of them; its `image` is not looked at.

    Raises:
        WeightsError: the network's weights are not here, or it has no classes.
    """

    def __init__(self, options: ClassifyOptions | None = None) -> None:
        self.options = ClassifyOptions() if options is None else options
        model = choose_backbone(self.options.model)
        network = load_classifier(model, self.options.device)
        given = self.options.precision
        self.network = convert_classifier(network, "float32" if given == "auto" else given)

    def __call__(self, image: Source) -> Guesses:
        """The best guesses, the likeliest first: see `belamy.classify`."""
        network = self.network
        square = center_square(load_image(image), network.short_side, network.side)
        (probabilities,) = compute_logits(network, square).double().softmax(dim=1).cpu()
        best = probabilities.topk(min(self.options.top, len(probabilities)))
        pairs = zip(best.values.tolist(), best.indices.tolist(), strict=True)
        return Guesses(Guess(network.classes[index], value, index) for value, index in pairs)


def load_classifier(model: str, device: str) -> Backbone:
    """A network that has classes.

    Raises:
        WeightsError: it has none, or its weights are not here.
    """
    network = share_backbone(model, layers=["logits"], device=choose_device(device))
    if not network.classes:
        raise WeightsError(f"{model} names no classes, so it cannot say what it sees; take another")
    return network


def convert_classifier(network: Backbone, precision: PassPrecision) -> Backbone:
    """The same network in a precision, changed in place.

    The last layer with weights stays in float32, since logits, in so few digits, would change
    probabilities still more.
    """
    if precision == "float32":
        return network
    layers = [module for module in network.modules() if isinstance(module, (nn.Linear, nn.Conv2d))]
    last = layers[-1]
    exact = copy.deepcopy(last.state_dict())
    network.to(DTYPES[precision])
    last.float().load_state_dict(exact)
    last.register_forward_pre_hook(lambda layer, inputs: (inputs[0].float(),))
    return network


def center_square(images: Tensor, short_side: int, side: int) -> Tensor:
    """The centre crop of pictures, as classifiers are shown it.

    Args:
        images: (N, 3, H, W) in [0, 1].
        short_side: pixels that the shorter of H and W is brought to.
        side: pixels of the square that is then cut out of the middle.

    Returns:
        (N, 3, side, side) in [0, 1].
    """
    shorter = min(images.shape[-2:])
    square = _crop_center(images, shorter)
    return _crop_center(resize(square, (short_side, short_side)), side)


def _crop_center(images: Tensor, side: int) -> Tensor:
    top, left = ((length - side) // 2 for length in images.shape[-2:])
    return images[..., top : top + side, left : left + side]


@torch.inference_mode()
def compute_logits(network: Backbone, images: Tensor) -> Tensor:
    """(N, classes), from pictures in [0, 1] of any device."""
    logits: Tensor = network(images.to(network.mean.device), ["logits"])["logits"]
    return logits
