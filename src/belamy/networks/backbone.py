"""A frozen network that answers with the activations asked for, by name, and stops there.

**The protocol of a network.** A network is an `nn.Module` that is a chain: its method

    def stages(self) -> list[tuple[str, nn.Module]]

(`belamy.networks.sequential.Chain`) gives (stage name, module) in order, each module taking the
output of the one before and nothing else, so that the first k stages are the network truncated
after the k-th. And:

- its input is a *normalised* picture (N, 3, H, W); the mean and standard deviation belong to the
  weights (they stand in the file's metadata) and `Backbone` applies them;
- a stage name is what a person types: `relu4_1`, `fire9`, `layer3.2`; a name that begins with an
  underscore (`_flatten`, `_dropout`) is run but is not a layer; a classifier's last stage is
  called `logits` and gives (N, classes);
- every sub-module of a stage is a layer too, by its dotted path (`fire9.squeeze`), so a module
  that is called twice in one pass should be two modules; no ReLU works in place;
- `build(**arguments)` must work on torch's meta device, and whatever a forward pass needs
  is a parameter or a persistent buffer, since all of it comes from the weights' file; stages that
  hold parameters are registered on the network under the names that the file uses;
- one row in `belamy.networks.registry.NETWORKS`: name →
  `Architecture("backbone", Builder("backbones.file:Network"), …)`.

`belamy.networks.files.weights.save_weights(path, state, network=…, arguments=…, mean=…, std=…,
classes=…, trained_on=…)` writes a file that says all this by itself, and `load_backbone(path)`
reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from belamy.devices import choose_device
from belamy.errors import ImageError, OptionError, UnknownName, WeightsError
from belamy.networks.files.network_file import BATCH_COUNTER
from belamy.networks.files.weights import SHORT_SIDE, SIDE, Weights, open_weights
from belamy.networks.folding import fold_norms
from belamy.networks.geometry import Layer, layer_table
from belamy.networks.modules.lean_stages import run_lean
from belamy.networks.registry import NETWORKS
from belamy.networks.sequential import Chain, weightless
from belamy.networks.unfilled import skip_filling

__all__ = ["Backbone", "Layer", "Tap", "load_backbone"]

Tap = Callable[[Tensor], Tensor]
"""Activations (N, C, H, W) of a layer → what goes on instead of them."""

# Device → how activations and convolution weights lie in memory. On the CPU oneDNN's convolutions
# are about an eighth faster channels-last (VGG-19 to relu5_1 at 256 px on two cores: 0.54 s against
# 0.61 s); elsewhere torch's usual format is never slower.
_MEMORY_FORMATS = {"cpu": torch.channels_last}
_LARGEST_TRIED = 1024  # pixels; no network here needs a side as long


class Backbone(nn.Module):
    """A frozen network, asked for activations by the names of its layers.

    Args:
        network: follows the protocol above; its stages are taken over, frozen, in evaluation mode.
        name: what `NETWORKS` calls it.
        mean: of red, green and blue in [0, 1], subtracted from every picture.
        std: what each of the three is divided by then.
        classes: names of the logits, in order; none when it is no classifier.
        side: pixels of the square that it is shown when it classifies.
        short_side: what the shorter side of a picture is brought to before that.
        aliases: other names of its layers.
        sha256: of the file that its weights came from, for recipes; empty when there is none.
        layers: build no more than these need; None builds all.

    Attributes:
        layers: name → `Layer`, everything that can be asked for.

    Raises:
        UnknownName: one of `layers` is none of the network's.
    """

    mean: Tensor
    std: Tensor
    assumed: str = ""
    """How it is shown pictures, where nobody says; a line for the user."""

    def __init__(
        self,
        network: Chain,
        *,
        name: str,
        mean: Sequence[float],
        std: Sequence[float],
        classes: Sequence[str] = (),
        side: int = SIDE,
        short_side: int = SHORT_SIDE,
        aliases: Mapping[str, str] | None = None,
        sha256: str = "",
        layers: Iterable[str] | None = None,
    ) -> None:
        super().__init__()
        self.name, self.classes, self.sha256 = name, tuple(classes), sha256
        self.side, self.short_side = side, short_side
        self.register_buffer("mean", _per_colour(mean), persistent=False)
        self.register_buffer("std", _per_colour(std), persistent=False)
        self._table = layer_table(network)
        stages = network.stages()
        self._positions = {stage: index for index, (stage, _) in enumerate(stages)}
        self._aliases = {**_own_paths(network, stages), **(aliases or {})}
        self.layers = dict(self._table)
        if layers is not None:
            stages = stages[: self._deepest(map(self.resolve, layers)) + 1]
        self._names = tuple(stage for stage, _ in stages)
        self.chain = nn.ModuleList(module for _, module in stages)
        kept = frozenset(self._names)
        self.layers = {name: row for name, row in self._table.items() if row.stage in kept}
        self._smallest_sides: dict[int, int | None] = {}
        self.requires_grad_(False).eval()
        place = next(self.chain.parameters(), self.mean).device
        self.chain.to(memory_format=_memory_format(place))  # type: ignore[call-overload]

    def train(self, mode: bool = True) -> Backbone:
        """Stays in evaluation mode: a backbone is looked through, never trained."""
        return super().train(False)

    def fold_norms(self, keep: Iterable[str]) -> None:
        """Make batch norms part of the convolutions before them, which is faster.

        Args:
            keep: layers that are asked for. Of the others, convolutions that are followed by a norm
                can be asked for no longer: they give something else then.
        """
        stages = list(zip(self._names, self.chain, strict=True))
        gone = fold_norms(stages, frozenset(map(self.resolve, keep)))
        self.chain = nn.ModuleList(module for _, module in stages)
        self.layers = {name: row for name, row in self.layers.items() if name not in gone}

    def resolve(self, name: str) -> str:
        """The layer that `name` means: its own name, an alias, or torchvision's path.

        Raises:
            UnknownName: the network has no such layer.
            OptionError: it has, but this backbone was built without it.
        """
        own = name if name in self._table else self._alias(name)
        if own in self.layers:
            return own
        if own in self._table:
            raise OptionError(
                f"layer {name!r} of {self.name} was not loaded; ask load_backbone for it"
            )
        known = dict.fromkeys((*self.layers, *self._aliases))
        raise UnknownName(f"layer of {self.name}", name, tuple(known))

    def field(self, name: str) -> int | None:
        """Side in pixels of the square that one place of a layer sees; None for all of it."""
        return self.layers[self.resolve(name)].receptive_field

    def _alias(self, name: str) -> str:
        """What the longest known beginning of `name` stands for, with the rest behind it."""
        parts = name.split(".")
        for count in range(len(parts), 0, -1):
            head = ".".join(parts[:count])
            if head in self._aliases:
                return ".".join([self._aliases[head], *parts[count:]])
        return name

    def _deepest(self, names: Iterable[str]) -> int:
        return max((self._positions[self._table[name].stage] for name in names), default=-1)

    def forward(
        self, image: Tensor, layers: Iterable[str], *, lean: bool = False
    ) -> dict[str, Tensor]:
        """The activations of `layers`, computed no deeper than they need.

        Args:
            image: (N, 3, H, W), sRGB in [0, 1]; gradients flow back to it.
            layers: names as a person types them.
            lean: see `through`.

        Returns:
            name as asked → (N, C, H', W'), or (N, classes) for the logits.

        Raises:
            UnknownName: no such layer.
            ImageError: the picture is too small for the network to reach them.
        """
        own_names = {name: self.resolve(name) for name in layers}
        activations: dict[str, Tensor] = {}
        taps = {own: partial(_keep, activations, own) for own in own_names.values()}
        self.through(image, taps, lean=lean)
        return {name: activations[own] for name, own in own_names.items()}

    def through(self, image: Tensor, taps: Mapping[str, Tap], *, lean: bool = False) -> Tensor:
        """The picture sent through the network, tapped on its way.

        What is not kept by a tap may be freed as soon as it has been looked at.

        Args:
            image: as for `forward`.
            taps: layer, by the name that `resolve` gives → what is called with its activations, and
                gives what goes on to the next layers.
            lean: keep no more for the way back than it needs. The gradients that come to layers are
                written over then, so that nobody else may need them.

        Returns:
            what the deepest stage gives that a tap needs.

        Raises:
            ImageError: the picture is too small for the network to reach them.
        """
        last = self._deepest(taps)
        try:
            return self._run(image, taps, last, lean)
        except RuntimeError as error:
            smallest = self._smallest(last)
            if smallest is None or min(image.shape[-2:]) >= smallest:
                raise
            raise ImageError(
                f"a picture of {image.shape[-1]}×{image.shape[-2]} is too small for "
                f"{self._names[last]!r} of {self.name}; it needs {smallest}×{smallest} or more"
            ) from error

    def _run(self, image: Tensor, taps: Mapping[str, Tap], last: int, lean: bool) -> Tensor:
        x = self._normalize(image)
        names, modules = self._names[: last + 1], list(self.chain[: last + 1])
        with self._tap(taps):
            if lean:
                return run_lean(names, modules, taps, x)
            for name, module in zip(names, modules, strict=True):
                x = module(x)
                if name in taps:
                    x = taps[name](x)
        return x

    def _normalize(self, image: Tensor) -> Tensor:
        x = (image - self.mean) / self.std  # in the picture's own precision
        x = x.to(self.mean.dtype)
        return x.contiguous(memory_format=_memory_format(x.device))

    @contextmanager
    def _tap(self, taps: Mapping[str, Tap]) -> Iterator[None]:
        """Hooks on the layers that lie inside a stage, for the length of one pass."""
        with ExitStack() as hooks:
            for name in taps.keys() - self._positions.keys():
                stage = self._table[name].stage
                module = self.chain[self._positions[stage]].get_submodule(name[len(stage) + 1 :])
                handle = module.register_forward_hook(partial(_hook, taps[name]))
                hooks.callback(handle.remove)
            yield

    def smallest(self, layers: Iterable[str]) -> int:
        """The shortest side in pixels of a picture that reaches all of `layers`."""
        found = self._smallest(self._deepest(map(self.resolve, layers)))
        assert found is not None, f"{self.name} takes no picture at all"
        return found

    def _smallest(self, last: int) -> int | None:
        """Tried, since the rounding of every pool has its say; remembered a stage at a time."""
        if last not in self._smallest_sides:
            stages = [weightless(module) for module in self.chain[: last + 1]]
            sides = (side for side in range(1, _LARGEST_TRIED) if self._fits(side, stages))
            self._smallest_sides[last] = next(sides, None)
        return self._smallest_sides[last]

    def _fits(self, side: int, stages: Iterable[nn.Module]) -> bool:
        x = torch.empty(0, 3, side, side, dtype=self.mean.dtype, device="cpu")
        try:
            for module in stages:
                x = module(x)
        except RuntimeError:
            return False
        return True


def _per_colour(numbers: Sequence[float]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float32).view(1, 3, 1, 1)


def _keep(kept: dict[str, Tensor], name: str, activations: Tensor) -> Tensor:
    kept[name] = activations
    return activations


def _hook(tap: Tap, module: nn.Module, inputs: Any, out: Tensor) -> Tensor:
    return tap(out)


def _own_paths(network: Chain, stages: Sequence[tuple[str, nn.Module]]) -> dict[str, str]:
    """Where the stages stand in the network itself: torchvision's names, as `features.16`."""
    assert isinstance(network, nn.Module)
    names = {id(module): name for name, module in stages}
    return {path: names[id(part)] for path, part in network.named_modules() if id(part) in names}


def load_backbone(
    model: str | Path,
    *,
    layers: Iterable[str] | None = None,
    device: str | torch.device | None = None,
) -> Backbone:
    """A network with its weights, looked through by name.

    Args:
        model: a backbone whose weights are here, a `.safetensors` file, or the folder of a run.
        layers: build and read no more than these need (VGG-19 to `relu4_1` is 14 of 575 MB); None
            for all of it, head included.
        device: where it goes; None for the CPU.

    Raises:
        UnknownName: no such network, or no such layer.
        WeightsError: weights missing, damaged, or of another network.
        OptionError: no such device.
    """
    place = choose_device(str(device or "cpu"))
    names = None if layers is None else tuple(layers)
    with open_weights(model) as weights:
        described = weights.description
        with skip_filling():
            network = weights.build()
        backbone = Backbone(
            network,
            name=described.network,
            mean=described.mean,
            std=described.std,
            classes=described.classes,
            side=described.side,
            short_side=described.short_side,
            aliases=NETWORKS[described.network].aliases,
            sha256=weights.sha256,
            layers=names,
        )
        _check_classes(backbone, weights)
        _fill(network, backbone, weights, place)
    if names is not None:
        backbone.fold_norms(names)
    return backbone.requires_grad_(False).to(place)


def _check_classes(backbone: Backbone, weights: Weights) -> None:
    names, logits = len(backbone.classes), backbone._table.get("logits")
    if names and (logits is None or logits.channels != names):
        channels = 0 if logits is None else logits.channels
        raise WeightsError(f"{weights.path} names {names} classes, but has {channels} logits")


def _fill(network: Chain, backbone: Backbone, weights: Weights, place: torch.device) -> None:
    """Put the file's tensors, only those that `backbone` kept, where the meta device's are."""
    assert isinstance(network, nn.Module)
    kept = {id(tensor) for tensor in (*backbone.chain.parameters(), *backbone.chain.buffers())}
    own = {name: x for name, x in network.state_dict(keep_vars=True).items() if id(x) in kept}
    counters = {name for name in own if name.endswith(BATCH_COUNTER)}
    weights.check({name: x.shape for name, x in own.items() if name not in counters})
    state = {name: torch.zeros((), dtype=torch.long) for name in counters}
    for name in own.keys() - counters:
        tensor = weights.read(name)
        shape_format = _memory_format(place) if tensor.dim() == 4 else torch.contiguous_format
        state[name] = tensor.float().clone(memory_format=shape_format)
    network.load_state_dict(state, strict=False, assign=True)


def _memory_format(device: torch.device) -> torch.memory_format:
    return _MEMORY_FORMATS.get(device.type, torch.contiguous_format)
