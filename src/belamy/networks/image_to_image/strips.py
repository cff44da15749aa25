"""A network over a picture of any size, a strip of rows at a time, as in one pass over the whole.

From norm to norm: the layers before a norm are computed strip by strip, each with as many rows
around it as these few layers see, and the moments of all strips are joined; then the norm is no
more than a factor and an offset for each channel. What is smaller than the picture is kept whole at
such a place, so that the layers before it are not computed again; what is as large as it is
computed again from there. So the memory is that of two small activations and of one strip, and
every place gets what it would get in one pass over the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from belamy.memory import give_back
from belamy.networks.image_to_image.geometry import Row, Span, least_floats, measure_span
from belamy.networks.image_to_image.layers import Affine, Sum

__all__ = ["STRIP", "Place", "Result", "fix_norms"]

STRIP = 24 << 20
"""Bytes of the largest activation of a strip, without its margins. The C library gives blocks above
32 MiB back to the system at once, and gets them again page by page."""

# Bytes of rows that are summed up at a time, in the cache.
_BLOCK = 1 << 20
# Bytes of an activation that is kept at a norm though another one is smaller.
_KEPT = 192 << 20
# Bytes of an activation from which on holes are given back. Smaller ones fit into them.
_LARGE = 64 << 20

Layer = Callable[[Tensor], Tensor]


def fix_norms(
    rows: Sequence[Row], network: nn.Sequential, place: Place
) -> tuple[nn.Sequential, Place]:
    """The same network with the statistics that a picture has at each of its instance norms.

    What is left looks at a neighbourhood alone, so that a picture can be cut into pieces that fit
    together without a seam.

    Args:
        rows: of the network.
        network: made by `belamy.networks.image_to_image.layers.build`; its weights are shared with
            the result, not copied.
        place: the picture (N, 3, H, W); the statistics are over all N.

    Returns:
        the network, and the picture at its end.
    """
    floats = least_floats(rows)
    least = 0 if floats is None else int(floats * place.pixels * _number_size(place.kept))
    parts, end = _fix(rows, network, place, max(_KEPT, least))
    return nn.Sequential(*parts), end


@dataclass(frozen=True)
class Place:
    """What a picture is at some place of a network.

    Args:
        kept: (N, C, H, W), an activation before it.
        strip: see `STRIP`.
        rows, layers: what is yet to be computed from there.
        own: whether nobody else needs what is kept, so that it may be written over.
    """

    kept: Tensor
    strip: int = STRIP
    rows: tuple[Row, ...] = ()
    layers: tuple[Layer, ...] = ()
    own: bool = False

    @property
    def pixels(self) -> int:
        """Of what is kept, for each channel."""
        return self.kept.numel() // self.kept.shape[1]

    def after(self, row: Row, layer: Layer) -> Place:
        """One layer farther."""
        return replace(self, rows=(*self.rows, row), layers=(*self.layers, layer))

    def settle(self) -> Place:
        """The same place, computed and kept."""
        return Place(self.compute(), self.strip, own=True) if self.layers else self

    def compute(self, layout: torch.memory_format | None = None) -> Tensor:
        """The activation at this place, in the memory's order `layout`; None: as layers give it."""
        result = Result(self, layout)
        for piece in _pieces(self, result):
            result.add(piece)
            del piece
        _sweep(self)
        return result.whole

    def weigh(self) -> float:
        """Bytes of the activation at this place."""
        span = self.span()
        places = self.pixels * float(span.scale) ** 2
        return places * span.channels * _number_size(self.kept)

    def span(self) -> Span:
        """How far the layers look that are yet to be computed."""
        return measure_span(self.rows, self.kept.shape[1])


def _sweep(place: Place) -> None:
    """Give back the holes that strips leave, where whole activations are as large as they are."""
    if place.kept.device.type == "cpu" and place.kept.nbytes >= _LARGE:
        give_back()


def _number_size(like: Tensor) -> int:
    """Bytes of a number that layers give."""
    device = like.device.type
    computed = torch.is_autocast_enabled(device)
    return (torch.get_autocast_dtype(device) if computed else like.dtype).itemsize


@dataclass(frozen=True)
class _Strip:
    """Rows of what is kept: those that are read, and those that are this strip's own."""

    crop: slice
    keep: slice


@dataclass(frozen=True)
class _Piece:
    """A strip's own rows at a place, and the first of them in the whole."""

    strip: _Strip
    rows: Tensor
    start: int


class Result:
    """An activation put together from its strips, the last one first.

    It is written over what it is computed from where that is of the same shape and nobody else
    needs it. `below` are then the first rows, as they were, of the strip that was written last.
    """

    def __init__(self, place: Place, layout: torch.memory_format | None) -> None:
        self._place, self._layout = place, layout
        self._margin = place.span().margin
        self._whole: Tensor | None = None
        self.below: Tensor | None = None

    @property
    def whole(self) -> Tensor:
        assert self._whole is not None
        return self._whole

    def add(self, piece: _Piece) -> None:
        stop = piece.start + piece.rows.shape[-2]
        if self._whole is None:
            self._whole = self._begin(piece.rows, stop)
        kept = self._place.kept
        if self._whole is kept:
            self.below = kept[..., piece.strip.keep, :][..., : self._margin, :].clone()
        self._whole[..., piece.start : stop, :] = piece.rows

    def _begin(self, last: Tensor, height: int) -> Tensor:
        kept = self._place.kept
        shape = (*last.shape[:2], height, last.shape[3])
        layout = self._layout or _layout_of(last)
        same = kept.shape == shape and kept.dtype == last.dtype
        if self._place.own and same and kept.is_contiguous(memory_format=layout):
            return kept
        # Not laid out afterwards, which would write all of it twice.
        return torch.empty(shape, dtype=last.dtype, device=last.device, memory_format=layout)


def _layout_of(x: Tensor) -> torch.memory_format:
    dense = x.is_contiguous()  # what has one channel is both
    return torch.contiguous_format if dense else torch.channels_last


def _pieces(place: Place, result: Result | None = None) -> Iterator[_Piece]:
    """Every strip, computed as far as the place; the last one first."""
    span, kept = place.span(), place.kept
    for strip in reversed(_cut(kept, span, place.strip)):
        x = kept[..., strip.crop, :]
        if result is not None and result.below is not None:  # what lay there is written over
            own = kept[..., strip.crop.start : strip.keep.stop, :]
            more = strip.crop.stop - strip.keep.stop
            x = torch.cat([own, result.below[..., :more, :]], dim=-2)
        x = _run(place.layers, x)
        inner = _inner(strip, x.shape[-2], kept.shape[-2], span)
        start = int(strip.crop.start * span.scale) + inner.start
        piece = _Piece(strip, x[..., inner, :], start)
        del x  # nor does whoever takes the piece keep it while the next one is computed
        yield piece
        del piece


def _run(layers: Sequence[Layer], x: Tensor) -> Tensor:
    """What the layers make of a strip, which itself is not written over."""
    given = x.untyped_storage().data_ptr()
    for layer in layers:
        own = x.untyped_storage().data_ptr() != given
        x = functional.relu_(x) if own and type(layer) is nn.ReLU else layer(x)
    return x


def _cut(kept: Tensor, span: Span, most: int) -> list[_Strip]:
    """Strips of whole rows, none of which is all margin."""
    count, _, height, width = kept.shape
    step, margin = span.stride, span.margin
    row = span.floats * count * width * kept.element_size()
    length = max(int(most / row), 2 * margin, 1)
    length = -(-length // step) * step
    starts = range(0, height, length)
    keeps = [slice(start, min(start + length, height)) for start in starts]
    return [
        _Strip(
            slice(max(0, keep.start - margin) // step * step, min(height, keep.stop + margin)), keep
        )
        for keep in keeps
    ]


def _inner(strip: _Strip, length: int, height: int, span: Span) -> slice:
    """Where a strip's own rows lie in what `length` rows have become of its crop.

    What a network adds at the picture's borders belongs to the strips that lie there.
    """
    crop, keep = strip.crop, strip.keep
    lead = int(length - (crop.stop - crop.start) * span.scale) // 2
    start, stop = (lead + int((edge - crop.start) * span.scale) for edge in (keep.start, keep.stop))
    return slice(0 if keep.start == 0 else start, length if keep.stop == height else stop)


def _fix(
    rows: Sequence[Row], modules: Sequence[nn.Module] | nn.Sequential, place: Place, most: int
) -> tuple[list[nn.Module], Place]:
    """The modules with their norms fixed, and the picture after them.

    Args:
        most: bytes of an activation that is kept.
    """
    parts: list[nn.Module] = []
    for row, module in zip(rows, modules, strict=True):
        if isinstance(module, Sum) and _has_norms(module):
            part, place = _fix_branches(row, module, place, most)
            parts.append(part)
            continue
        if isinstance(module, nn.InstanceNorm2d):
            module, place = _fix_norm(module, place, most)
        place = place.after(row, module)
        parts.append(module)
    return parts, place


def _has_norms(module: nn.Module) -> bool:
    return any(isinstance(part, nn.InstanceNorm2d) for part in module.modules())


def _fix_branches(row: Row, module: Sum, place: Place, most: int) -> tuple[Sum, Place]:
    place = place.settle()
    parts, ends = [], []
    for rows, branch in zip(row["branches"], module.branches, strict=True):
        assert isinstance(branch, nn.Sequential)
        fixed, end = _fix(rows, branch, replace(place, own=False), most)
        parts.append(nn.Sequential(*fixed))
        ends.append(end.settle())
    if type(module) is Sum:
        return Sum(parts), Place(_add(ends), place.strip, own=True)
    joined = module.together([end.kept for end in ends])
    return type(module)(parts), Place(joined, place.strip, own=True)


def _add(ends: Sequence[Place]) -> Tensor:
    """The sum, in the place of what nobody else needs."""
    first, *others = sorted(ends, key=lambda end: not end.own)
    total = first.kept if first.own else first.kept.clone()
    for other in others:
        same = total.dtype == other.kept.dtype
        total = total.add_(other.kept) if same else total + other.kept
    return total


def _fix_norm(norm: nn.InstanceNorm2d, place: Place, most: int) -> tuple[Affine, Place]:
    """What a norm is with the statistics at a place; and that place, kept where it is small."""
    moments = _Moments()
    if not place.layers or place.weigh() > most:
        for piece in _pieces(place):
            moments.add(piece.rows)
            del piece
    else:
        result = Result(place, None)
        for piece in _pieces(place, result):
            moments.add(piece.rows)
            result.add(piece)
            del piece
        place = Place(result.whole, place.strip, own=True)
    _sweep(place)
    return _affine_of(norm, moments, place.kept), place


@torch.no_grad()
def _affine_of(norm: nn.InstanceNorm2d, moments: _Moments, like: Tensor) -> Affine:
    exact = torch.promote_types(like.dtype, torch.float32)
    affine = Affine(norm.num_features).to(like.device, exact)
    scale = (moments.variance + norm.eps).rsqrt()
    if norm.affine:
        scale = scale * norm.weight
    affine.weight.copy_(scale)
    affine.bias.copy_(
        -moments.mean * scale if not norm.affine else norm.bias - moments.mean * scale
    )
    return affine.requires_grad_(False)


class _Moments:
    """Each channel's mean and variance over all pieces, joined as Chan, Golub and LeVeque do."""

    def __init__(self) -> None:
        self._count = 0
        self.mean = torch.zeros(())
        self._squares = torch.zeros(())

    @property
    def variance(self) -> Tensor:
        return self._squares / self._count

    def add(self, part: Tensor) -> None:  # (N, C, h, w)
        more = part.numel() // part.shape[1]
        mean, variance = _measure(part)
        if not self._count:
            self.mean, self._squares = torch.zeros_like(mean), torch.zeros_like(mean)
        step = mean - self.mean
        joined = self._count + more
        self._squares = self._squares + variance * more
        self._squares = self._squares + step.square() * (self._count * more / joined)
        self.mean = self.mean + step * (more / joined)
        self._count = joined


def _measure(part: Tensor) -> tuple[Tensor, Tensor]:
    """Each channel's mean and variance, in float64, from sums over single rows."""
    exact = torch.promote_types(part.dtype, torch.float32)
    rows = part.permute(0, 2, 3, 1).flatten(0, 1)  # (N·h, w, C)
    blocks = torch.split(rows, max(1, _BLOCK // max(1, rows[0].numel() * exact.itemsize)))
    count = rows.shape[0] * rows.shape[1]
    mean = torch.cat([block.to(exact).sum(1) for block in blocks]).double().sum(0) / count
    centre = mean.to(exact)
    squares = [(block.to(exact) - centre).square_().sum(1) for block in blocks]
    return mean, torch.cat(squares).double().sum(0) / count
