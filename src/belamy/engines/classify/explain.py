"""Where a classifier looks: the places of a picture that speak for a class."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from belamy.engines.classify.options import ExplainOptions, Guess
from belamy.engines.classify.predict import center_square, load_classifier
from belamy.engines.recipes import recipe_of
from belamy.errors import OptionError
from belamy.networks.backbone import Backbone
from belamy.networks.backbones.class_words import find_class
from belamy.networks.find import choose_backbone
from belamy.objectives.features import class_score
from belamy.pixels.decor.heat import label_bar, lay_over
from belamy.pixels.images import Source, load_image, resize
from belamy.pixels.images import fit as fit_size
from belamy.steps import Step

__all__ = ["Explainer", "Explanation", "class_activation"]

LONGEST = 640  # pixels of each of the two pictures; the map itself has a dozen positions
# Stages that only pass on what the one before them found.
_PASSING = re.compile(r"(pool|norm|drop|avg)")


@dataclass(frozen=True)
class Explanation:
    """Where a classifier looks for one class.

    Args:
        guess: the class, and how probable it is held.
        heat: (1, 1, H, W) in [0, 1], over the whole picture; 0 where the classifier sees nothing.
    """

    guess: Guess
    heat: Tensor


class Explainer:
    """A classifier loaded once, for many pictures.

    Args:
        options: for all of them; its `image` is not looked at.

    Raises:
        WeightsError: the network's weights are not here, or it has no classes.
        UnknownName: it has no such class.
        OptionError: it has no layer with positions.
    """

    def __init__(self, options: ExplainOptions | None = None) -> None:
        given = ExplainOptions() if options is None else options
        model = choose_backbone(given.model)
        self.network = load_classifier(model, given.device)
        self.index: int | None = None
        if given.class_ is not None:
            self.index = find_class(given.class_, self.network.classes, self.network.name)
        self.layer = _last_with_positions(self.network)
        self._given = given
        self.options = replace(given, model=model)

    def __call__(self, image: Source) -> Explanation:
        """Where it looks, for the class of the options or the likeliest one."""
        return self._look(load_image(image))

    def steps(self, image: Source) -> Iterator[Step]:
        """The picture beside its heat map, and a bar: see `belamy.explain`."""
        whole = load_image(image)
        found = self._look(whole)
        size = fit_size(whole.shape[-2], whole.shape[-1], min(LONGEST, max(whole.shape[-2:])))
        shown, heat = resize(whole, size), resize(found.heat, size).clamp(0, 1)
        both = torch.cat([shown, lay_over(shown, heat)], dim=-1)
        bar = label_bar(both.shape[-1], found.guess.name, found.guess.probability)
        options = replace(self.options, image=image, device=str(self.network.mean.device))
        weights = {self.network.name: self.network.sha256} if self.network.sha256 else {}
        recipe = recipe_of("explain", options, weights, given=self._given, step=1)
        losses = {found.guess.name: found.guess.probability}
        yield Step(1, 1, torch.cat([both, bar], dim=-2), losses, recipe=recipe)

    def _look(self, image: Tensor) -> Explanation:
        network = self.network
        square = center_square(image, network.short_side, network.side).to(network.mean.device)
        with torch.no_grad():
            probabilities = network(square, ["logits"])["logits"].double().softmax(dim=1)[0].cpu()
        index = int(probabilities.argmax()) if self.index is None else self.index
        heat = class_activation(network, square, index, self.layer)
        guess = Guess(network.classes[index], float(probabilities[index]), index)
        return Explanation(guess, _on_picture(heat.float().cpu(), image, network))


def class_activation(network: Backbone, image: Tensor, index: int, layer: str) -> Tensor:
    """Grad-CAM: the activations of a layer, weighed by how they raise a class's score.

        heat = ReLU(Σₖ αₖ Aₖ),   αₖ = mean over positions of ∂score/∂Aₖ

    Args:
        image: (1, 3, H, W) in [0, 1].
        index: of the class.
        layer: one with positions; the last of them knows most and places it least finely.

    Returns:
        (1, 1, h, w) in [0, 1], its largest value 1; all 0 where nothing speaks for the class.

    Source: Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based
    localization", 2017.
    """
    with torch.enable_grad():
        pixels = image.detach().requires_grad_(True)
        seen = network(pixels, [layer, "logits"])
        (gradient,) = torch.autograd.grad(class_score(index)(seen), seen[layer])
    weights = gradient.mean(dim=(-2, -1), keepdim=True)  # (1, C, 1, 1)
    heat: Tensor = (weights * seen[layer].detach()).sum(dim=1, keepdim=True).relu()
    most = heat.amax()
    return heat / most if bool(most > 0) else heat


def _on_picture(heat: Tensor, image: Tensor, network: Backbone) -> Tensor:
    """The heat of the square that was looked at, where it lies on the whole picture."""
    height, width = image.shape[-2:]
    side = max(1, round(min(height, width) * network.side / network.short_side))
    square = F.interpolate(heat, size=(side, side), mode="bicubic", align_corners=False)
    top, left = (height - side) // 2, (width - side) // 2
    margins = (left, width - side - left, top, height - side - top)
    return F.pad(square.clamp(0, 1), margins)


def _last_with_positions(network: Backbone) -> str:
    stages = [row for row in network.layers.values() if row.name == row.stage and row.stride]
    names = [row.name for row in stages if not _PASSING.match(row.name)]
    if not names:
        raise OptionError(f"{network.name} has no layer with positions, so it looks nowhere")
    return names[-1]
