"""An activation atlas: what a layer finds in a user's own pictures, like beside like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from belamy.devices import choose_device, make_rng
from belamy.engines.dream.layout import Floats, embed, principal_components, spread
from belamy.engines.dream.objective import default_layers
from belamy.engines.dream.options import AtlasOptions, FourierSettings
from belamy.engines.recipes import recipe_of
from belamy.errors import DataError, OptionError
from belamy.networks.backbone import Backbone
from belamy.networks.modules.open_network import describe_model, list_models, open_backbone
from belamy.objectives.features import direction
from belamy.optimise import fit
from belamy.pixels.augment import robust_same_size
from belamy.pixels.canvas import FourierCanvas
from belamy.steps import Step
from belamy.training.pictures import load_squares

__all__ = ["draw_activation_atlas"]

MOST_VECTORS = 800  # positions laid out; t-SNE compares all pairs: seconds
MOST_PICTURES = 400  # looked at, evenly through the folder
LEAST_VECTORS = 16
_AT_ONCE = 16  # pictures looked at, and cells drawn, together
_AXES = 48  # principal components that are laid out; the rest is noise, and slow
# An average activation points where every activation points: what they share is taken out. Carter
# et al. whiten for the same reason; with a few hundred pictures a covariance is not to be had.
_GAP = 1 / 16  # of a cell, between cells. By eye
_PAPER = (0.965, 0.96, 0.95)


@dataclass(frozen=True)
class _Grid:
    """Where cells lie on the sheet: `count` of them each way, `side` pixels large."""

    count: int
    side: int

    @property
    def gap(self) -> int:
        return max(1, round(self.side * _GAP))

    def paper(self) -> Tensor:
        length = self.count * (self.side + self.gap) + self.gap
        return torch.tensor(_PAPER).view(1, 3, 1, 1).repeat(1, 1, length, length)

    def place(self, sheet: Tensor, picture: Tensor, row: int, column: int) -> None:
        top, left = (self.gap + index * (self.side + self.gap) for index in (row, column))
        sheet[0, :, top : top + self.side, left : left + self.side] = picture


@dataclass(frozen=True)
class _Cells:
    """What is drawn in each cell.

    Args:
        places: (M, 2), row and column.
        directions: (M, C).
    """

    places: Tensor
    directions: Tensor


def draw_activation_atlas(options: AtlasOptions) -> Iterator[Step]:
    """The atlas so far, after each few cells: see `atlas_steps`.

    Activations at random positions of the pictures are laid out in the plane (PCA, then t-SNE, then
    ranks), averaged in each cell of a grid, and each average is drawn: a picture from noise that
    goes its way, by `direction`.

    Source: Carter et al., "Activation atlas", 2019. **Differs**: the plane is filled evenly, by
    rank; the mean of all activations is taken out of each cell's, in place of whitening.
    """
    assert options.activations is not None
    assert options.size is not None
    model = list_models(options.model)[0]
    layer = options.layer or default_layers(model)[-1]
    backbone = open_backbone(model, layers=[layer], device=choose_device(options.device))
    if backbone.layers[backbone.resolve(layer)].stride is None:
        raise OptionError(f"{layer!r} has no positions to be laid out; name another layer")
    squares = _choose(torch.from_numpy(load_squares(options.activations, backbone.side)))
    vectors = _activations(backbone, layer, squares, options)
    cells = _average(vectors, options.grid)
    weights = {backbone.name: backbone.sha256}
    device = str(backbone.mean.device)
    settled = replace(options, model=model, layer=layer, device=device)
    changed = {"model": describe_model(model, backbone)}
    grid = _Grid(options.grid, options.size)
    sheet = grid.paper()
    groups = torch.split(torch.arange(len(cells.places)), _AT_ONCE)
    for index, group in enumerate(groups, start=1):
        drawn = _draw(backbone, layer, cells.directions[group], options, index)
        for picture, (row, column) in zip(drawn, cells.places[group].tolist(), strict=True):
            grid.place(sheet, picture, row, column)
        recipe = recipe_of("atlas", settled, weights, changed=changed, given=options, step=index)
        yield Step(index, len(groups), sheet.clone(), {}, recipe=recipe)


def _choose(squares: Tensor) -> Tensor:
    """At most `MOST_PICTURES` of them, evenly through the set: (N, S, S, 3), 8 bits."""
    if len(squares) <= MOST_PICTURES:
        return squares
    return squares[torch.linspace(0, len(squares) - 1, MOST_PICTURES).round().long()]


@torch.no_grad()
def _activations(backbone: Backbone, layer: str, squares: Tensor, options: AtlasOptions) -> Floats:
    """(N, C): at random positions, as many of each picture."""
    share = max(1, MOST_VECTORS // len(squares))
    rng = make_rng(options.seed, "positions")
    found = []
    for batch in torch.split(squares, _AT_ONCE):
        image = batch.permute(0, 3, 1, 2).to(backbone.mean.device).float() / 255
        seen = backbone(image, [layer])[layer].flatten(2).cpu()  # (n, C, H·W)
        for one in seen:
            found.append(one[:, torch.randperm(one.shape[1], generator=rng)[:share]].T)
    vectors = torch.cat(found)
    if len(vectors) < LEAST_VECTORS:
        raise DataError(
            f"{len(squares)} pictures give {len(vectors)} activations of {layer!r}; give more "
            f"pictures, or a layer with more positions: {LEAST_VECTORS} activations at least"
        )
    return vectors.double().numpy()


def _average(vectors: Floats, grid: int) -> _Cells:
    places = spread(embed(principal_components(vectors, _AXES)), grid)
    centred = torch.from_numpy(vectors - vectors.mean(axis=0))
    numbers = torch.from_numpy(places[:, 0] * grid + places[:, 1])
    found, directions = [], []
    for number in np.unique(numbers.numpy()):
        mean = centred[numbers == int(number)].mean(dim=0)
        if float(mean.norm()) > 0:
            found.append(divmod(int(number), grid))
            directions.append(mean)
    return _Cells(torch.tensor(found), torch.stack(directions).float())


def _draw(
    backbone: Backbone, layer: str, directions: Tensor, options: AtlasOptions, group: int
) -> Tensor:
    """A picture (M, 3, H, W) that goes each of the directions (M, C)."""
    side, steps = options.size, options.steps
    assert side is not None
    assert steps is not None
    rng = make_rng(options.seed, "canvas", group)
    canvas = FourierCanvas.from_noise(side, side, rng, len(directions)).to(backbone.mean.device)
    objective = -direction(layer, directions.to(backbone.mean.device), 2.0)
    augment = robust_same_size()

    def loss_of(image: Tensor, index: int) -> Tensor:
        changed = augment(image, make_rng(options.seed, "changes", group, index))
        return objective(backbone(changed, [layer]))

    drawn = torch.empty(0)
    for image, _ in fit(canvas, loss_of, steps=steps, step_size=FourierSettings().step_size):
        drawn = image
    return drawn.detach().cpu()
