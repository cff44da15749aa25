"""A torch module as a backbone: asked for activations by the paths of its own parts.

How it must be shown pictures, how its layers lie and how far apart their places are is found by
trying it on two pictures; how far a place sees, by the gradient of one of them. A module that takes
one size alone (most vision transformers) is shown a picture in squares of that size, next to one
another or a little over one another, and its places are joined as the squares lie.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.errors import OptionError, UnknownName
from belamy.networks.backbone import Backbone, Tap
from belamy.networks.files.containers import reason_of
from belamy.networks.geometry import Layer
from belamy.networks.modules.layout import Layout, find_layouts
from belamy.networks.modules.probe import ROOT, Sizes, find_sizes, run_module, try_module
from belamy.networks.modules.torch_network import (
    TorchNetwork,
    copy_module,
    hash_state,
    preprocessing_of,
    unwrap,
)

__all__ = ["ModuleBackbone", "main_paths"]

_OUTPUT, _LOGITS = "output", "logits"  # names of what the module itself gives
_TRIED_SIDES = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 160, 192)  # for the smallest picture
_MOST_ENLARGED = 2  # times the side that it takes, to see all that one place sees
_NOISES = 2  # pictures that a field is measured on: a maximum passes on to one of its places alone


class ModuleBackbone(Backbone):
    """A module that was not made for belamy, asked for activations by its own paths.

    Args:
        network: the module, and how it takes pictures.
        layers: paths of the parts that will be asked for; None for all.
        name: for messages and recipes; the module's class where None.
        device: where it is run.

    Attributes:
        described: the network in words, for recipes.
        assumed: how it is shown pictures, where nobody says; empty where it is known.

    Raises:
        UnknownName: it has no such part.
        OptionError: it takes no colour pictures, or gives no activations there.
    """

    def __init__(
        self,
        network: TorchNetwork,
        *,
        layers: Iterable[str] | None = None,
        name: str | None = None,
        device: torch.device | None = None,
    ) -> None:
        nn.Module.__init__(self)
        shown = preprocessing_of(network)
        kind = type(unwrap(network.module)).__name__
        self.name = kind if name is None else name.partition("@")[0]  # of timm's without its file
        self.module = copy_module(network.module).float()
        self.sha256 = hash_state(network.module)
        self.register_buffer("mean", torch.tensor(shown.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(shown.std).view(1, 3, 1, 1), persistent=False)
        self.described = name or _describe(network.module, shown.mean, shown.std)
        self.assumed = _say_assumption(self.name) if shown.assumed else ""
        self.to(device or torch.device("cpu"))
        self._paths = {path for path, _ in self.module.named_modules(remove_duplicate=False)}
        needed = None if layers is None else {self._path_of(one) for one in layers}
        self.sizes: Sizes = find_sizes(self.module, self._noise, needed, shown.side)
        self.side = self.short_side = self.sizes.side
        self._layouts = _read_layouts(self.module, self.sizes)
        self.layers = {one: self._measure(one) for one in self._layouts}
        self.classes = self._name_classes(network, shown.classes)
        self._fields: dict[str, int | None] = {}
        self._shortest: dict[tuple[str, ...], int] = {}
        if layers is not None:
            self._check(layers)

    def _name_classes(self, network: TorchNetwork, known: tuple[str, ...]) -> tuple[str, ...]:
        """Names of the logits; their numbers, where nobody names as many.

        Raises:
            OptionError: others than as many are named by the user.
        """
        count = self.layers[_LOGITS].channels if _LOGITS in self.layers else 0
        if network.classes and count and len(known) != count:
            raise OptionError(
                f"{self.name} tells {count} classes apart, and {len(known)} are named"
            )
        return known if len(known) == count else tuple(map(str, range(count)))

    def _noise(self, height: int, width: int, seed: int = 0) -> Tensor:
        """A normalised picture of noise."""
        noise = torch.rand(1, 3, height, width, generator=make_rng(seed, "noise")).to(self.mean)
        return (noise - self.mean) / self.std

    def resolve(self, name: str) -> str:
        """The layer of this path; `logits` or `output` is what the module itself gives.

        Raises:
            UnknownName: it has no such part.
            OptionError: that part gives no activations.
        """
        if name in self.layers:
            return name
        path = self._path_of(name)
        given = self.sizes.small.shapes.get(path)
        if given is None:
            raise OptionError(f"layer {name!r} of {self.name} is not called for a picture")
        shapes = ", ".join("×".join(map(str, shape)) for shape in given.values()) or "no tensor"
        raise OptionError(
            f"layer {name!r} of {self.name} gives {shapes}, which has neither channels nor tokens "
            "of a picture; take another"
        )

    def _path_of(self, name: str) -> str:
        """The path of the module that computes the layer called `name`."""
        head = name.split(".")[0]
        if name in self._paths:
            return name
        if head in (_OUTPUT, _LOGITS):
            return ROOT
        raise UnknownName(f"layer of {self.name}", name, (*main_paths(self.module), *self._paths))

    def _check(self, layers: Iterable[str]) -> None:
        """Raise OptionError unless a gradient leads from each layer to the picture."""
        own = {self.resolve(name) for name in layers}
        side = self.sizes.side
        with torch.enable_grad():
            pixels = torch.full((1, 3, side, side), 0.5, device=self.mean.device)
            given = self(pixels.requires_grad_(True), own)
            for name, activations in given.items():
                if not activations.requires_grad:
                    raise OptionError(
                        f"layer {name!r} of {self.name} has no gradient for the picture, as of "
                        "what runs under no_grad; take another"
                    )

    def _measure(self, name: str) -> Layer:
        path, layout = self._layouts[name]
        side, larger = self.sizes.side, self.sizes.larger
        shapes = self.sizes.small.shapes[path]
        channels = shapes[layout.path][layout.axes[1]]
        if not layout.has_places:
            return Layer(name, channels, None, None, "")
        count = _places_of(shapes, layout)
        large = self.sizes.large
        if large is None or path not in large.shapes:
            return Layer(name, channels, max(1, round(side / count)), None, "")
        more = _places_of(large.shapes[path], layout) - count
        stride = max(1, round((larger - side) / more)) if more > 0 else None
        return Layer(name, channels, stride, None, "")

    def field(self, name: str) -> int | None:
        """Side in pixels of what one place sees, measured; None for the whole picture.

        Of a module that takes squares of one size, or sides that are multiples of something, None
        too: what is cut out of a picture is not seen there as in the whole.
        """
        own = self.resolve(name)
        if own not in self._fields:
            exact = self.sizes.step == 1 and self.layers[own].stride is not None
            self._fields[own] = self._measure_field(own) if exact else None
        return self._fields[own]

    def list_layers(self, *, inner: bool = False) -> Iterator[Layer]:
        """The layers with their receptive fields, one measured after the other.

        Args:
            inner: those inside blocks too.
        """
        main = set(self.main_layers())
        for name in self.layers:
            if inner or name in main:
                yield replace(self.layers[name], receptive_field=self.field(name))

    def main_layers(self) -> list[str]:
        """The layers that a person would name first, in the order they are computed."""
        last = _LOGITS if _LOGITS in self.layers else _OUTPUT
        main = {*main_paths(self.module), last}
        return [name for name in self.layers if name in main]

    def describe_pictures(self) -> str:
        """The pictures that it takes, in words."""
        side, step = self.sizes.side, self.sizes.step
        if step == 1:
            return "of any size"
        return f"of sides that are multiples of {step}" if step else f"in squares of {side} pixels"

    def _measure_field(self, name: str) -> int | None:
        for factor in range(1, _MOST_ENLARGED + 1):
            size = factor * self.sizes.side
            seen = torch.zeros(size, size, dtype=torch.bool, device=self.mean.device)
            for seed in range(_NOISES):
                seen |= self._seen_from_middle(name, size, seed)
                if not bool(seen.any()) or _reaches_rim(seen):
                    break
            else:
                places = (seen.any(dim=1).nonzero(), seen.any(dim=0).nonzero())
                return max(int(x.max() - x.min()) + 1 for x in places)
        return None

    def _seen_from_middle(self, name: str, size: int, seed: int) -> Tensor:
        """(H, W): the pixels that the layer's middle place depends on."""
        with torch.enable_grad():
            pixels = torch.rand(1, 3, size, size, generator=make_rng(seed, "field"))
            pixels = pixels.to(self.mean).requires_grad_(True)
            given = self(pixels, [name])[name]
            place = given[0, :, given.shape[-2] // 2, given.shape[-1] // 2]
            weights = torch.rand(place.shape, generator=make_rng(seed, "weights")).to(place)
            (gradient,) = torch.autograd.grad((place * weights).sum(), pixels)
        return (gradient[0] != 0).any(dim=0)

    def through(self, image: Tensor, taps: Mapping[str, Tap], *, lean: bool = False) -> Tensor:
        """As of any backbone; the result depends on all that the taps gave. Never lean."""
        if not len(image):
            return self._through_nothing(image, taps)
        x, (rows, columns) = self._frames((image - self.mean) / self.std)
        size = (x.shape[-2], x.shape[-1])
        by_path: dict[str, list[str]] = {}
        for name in taps:
            by_path.setdefault(self._layouts[name][0], []).append(name)
        given: list[Tensor] = []

        def hook(path: str, value: Any) -> Any:
            for name in by_path[path]:
                layout = self._layouts[name][1]
                whole = _join(layout.read(value, size), rows, columns).clone()
                tapped = taps[name](whole)
                given.append(tapped)
                if tapped is not whole and layout.has_places:
                    value = layout.write(value, _split(tapped, rows, columns))
            return value

        calls = {path: self.sizes.small.calls[path] for path in by_path}
        try:
            run_module(self.module, x, calls, hook)
        except (RuntimeError, ValueError, TypeError, AssertionError, LookupError) as error:
            if isinstance(error, torch.OutOfMemoryError):
                raise
            raise OptionError(
                f"{self.name} fails for a picture of {image.shape[-1]}×{image.shape[-2]}: "
                f"{reason_of(error)}"
            ) from error
        return torch.cat([one.flatten()[:1] for one in given]) if len(given) > 1 else given[0]

    def _through_nothing(self, image: Tensor, taps: Mapping[str, Tap]) -> Tensor:
        """An empty batch, which no module of others need take: shapes alone."""
        blank = image.new_full((1, *image.shape[1:]), 0.5)
        with torch.no_grad():
            given = self(blank, list(taps))
        return [tap(given[name][:0]) for name, tap in taps.items()][-1]

    def _frames(self, x: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Pictures of sides that the module takes, and how many squares lie in a column and row."""
        height, width = x.shape[-2:]
        step, side = self.sizes.step, self.sizes.side
        if step:
            size = tuple(max(step, round(edge / step) * step) for edge in (height, width))
            return _resize(x, size), (1, 1)
        factor = max(1.0, side / min(height, width))
        x = _resize(x, tuple(max(side, round(factor * edge)) for edge in (height, width)))
        tops, lefts = (_starts(edge, side) for edge in x.shape[-2:])
        squares = [x[..., y : y + side, z : z + side] for y in tops for z in lefts]
        return torch.stack(squares, dim=1).flatten(0, 1), (len(tops), len(lefts))

    def smallest(self, layers: Iterable[str]) -> int:
        """The shortest side in pixels of a picture that reaches all of `layers`.

        One square, of a module that takes these alone; smaller pictures are enlarged for it.
        """
        names = tuple(sorted({self.resolve(name) for name in layers}))
        step, side = self.sizes.step, self.sizes.side
        if not names:
            return 1
        if names not in self._shortest:
            paths = [self._layouts[name][0] for name in names]
            sides = [one for one in _TRIED_SIDES if step and one < side and one % step == 0]
            self._shortest[names] = next((one for one in sides if self._reaches(one, paths)), side)
        return self._shortest[names]

    def _reaches(self, side: int, paths: list[str]) -> bool:
        trial = try_module(self.module, self._noise(side, side), paths)
        shapes = [shape for path in paths for shape in trial.shapes.get(path, {}).values()]
        return not trial.failure and min((min(shape) for shape in shapes), default=0) > 0


def main_paths(module: nn.Module) -> list[str]:
    """The parts that a person would name first: the module's own, and those of its rows of blocks,
    but not what is inside a block."""
    return list(dict.fromkeys(_main_paths(unwrap(module), "", inside=False)))


_ROWS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def _main_paths(module: nn.Module, prefix: str, *, inside: bool) -> Iterator[str]:
    children = list(module.named_children())
    for name, part in children:
        path, items = f"{prefix}{name}", list(part.named_children())
        learned = all(next(item.parameters(), None) is not None for _, item in items)
        alike = learned and len(items) > 1 and len({type(item) for _, item in items}) == 1
        if alike or (items and isinstance(part, _ROWS) and not inside):
            for inner, item in items:
                yield from _main_paths(item, f"{path}.{inner}.", inside=True)
                yield f"{path}.{inner}"
        else:  # what alone holds all the rest is no block of its own
            yield from _main_paths(part, f"{path}.", inside=inside or len(children) > 1)
        if not inside and not isinstance(part, (nn.ModuleList, nn.ModuleDict)):
            yield path


def _describe(module: nn.Module, mean: tuple[float, ...], std: tuple[float, ...]) -> str:
    kind = type(unwrap(module))
    center, spread = (" ".join(f"{x:.4g}" for x in numbers) for numbers in (mean, std))
    return f"module {kind.__module__}.{kind.__qualname__}, mean {center}, std {spread}"


def _say_assumption(name: str) -> str:
    return (
        f"{name} is shown pictures with ImageNet's mean and deviation, as it does not say how; "
        "belamy.TorchNetwork(module, mean=…, std=…) does"
    )


def _read_layouts(module: nn.Module, sizes: Sizes) -> dict[str, tuple[str, Layout]]:
    """Layer → the path that computes it, and how it lies there."""
    prefix = getattr(module, "num_prefix_tokens", None)
    prefix = prefix if isinstance(prefix, int) and not isinstance(prefix, bool) else None
    found: dict[str, tuple[str, Layout]] = {}
    for path in sizes.small.calls:
        large = None if sizes.large is None else sizes.large.shapes.get(path)
        layouts = find_layouts(sizes.small.shapes[path], large, prefix)
        if path != ROOT and layouts:
            found[path] = (path, layouts[0])
        for layout in layouts if path == ROOT else ():
            keys = [_OUTPUT, *map(str, layout.path)]
            found.setdefault(".".join(keys), (path, layout))
        if path == ROOT and layouts:
            found.setdefault(_OUTPUT, (path, layouts[0]))
            vectors = [layout for layout in layouts if not layout.has_places]
            if vectors:
                found.setdefault(_LOGITS, (path, vectors[0]))
    return found


def _places_of(shapes: Mapping[Any, tuple[int, ...]], layout: Layout) -> int:
    """Rows of a layer's grid; the pictures tried are squares."""
    shape = shapes[layout.path]
    return (
        shape[layout.axes[2]]
        if len(layout.axes) == 4
        else math.isqrt(shape[layout.axes[2]] - layout.prefix)
    )


def _reaches_rim(seen: Tensor) -> bool:
    return any(bool(rim.any()) for rim in (seen[0], seen[-1], seen[:, 0], seen[:, -1]))


def _resize(x: Tensor, size: tuple[int, ...]) -> Tensor:
    if tuple(x.shape[-2:]) == size:
        return x
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False, antialias=True)


def _starts(length: int, side: int) -> list[int]:
    """Where squares begin that cover a length evenly, from end to end."""
    count = math.ceil(length / side)
    return [round(index * (length - side) / max(count - 1, 1)) for index in range(count)]


def _join(parts: Tensor, rows: int, columns: int) -> Tensor:
    """(N · rows · columns, C, h, w) → (N, C, rows · h, columns · w); of (…, C) the means."""
    count = len(parts) // (rows * columns)
    grid = parts.reshape(count, rows, columns, *parts.shape[1:])
    if parts.dim() == 2:
        return grid.mean(dim=(1, 2))
    return grid.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)


def _split(whole: Tensor, rows: int, columns: int) -> Tensor:
    """The reverse of `_join`, of what has places."""
    count, channels, height, width = whole.shape
    grid = whole.reshape(count, channels, rows, height // rows, columns, width // columns)
    return grid.permute(0, 2, 4, 1, 3, 5).flatten(0, 2)
