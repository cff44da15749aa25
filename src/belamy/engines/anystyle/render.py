"""Arbitrary style transfer in one pass: pictures read, styles transferred, the recipe written."""

from __future__ import annotations

import copy
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from belamy.devices import DTYPES, choose_device
from belamy.engines.anystyle.encoder import encode_moments, load_encoder
from belamy.engines.anystyle.options import LARGEST_STYLE, AnyStyleOptions, resolve
from belamy.engines.anystyle.strokes import STROKE_REACH
from belamy.engines.anystyle.synthesis import (
    CELL_SIDE,
    Codec,
    EncodedStyle,
    TransferSettings,
    encode_style,
    transfer_style,
)
from belamy.engines.recipes import recipe_of
from belamy.engines.style.gradient import FeatureExtractor
from belamy.engines.style.inputs import Pictures, read_pictures, shrink
from belamy.engines.style.targets import StyleImage
from belamy.engines.tiling import fix_tile
from belamy.errors import OptionError, WeightsError
from belamy.networks.backbone import Backbone
from belamy.networks.image_to_image.arbitrary_style import (
    LAYERS,
    REACH,
    STRIDE,
    ArbitraryStyleNet,
)
from belamy.networks.load import find_network, load_network
from belamy.networks.recent import share
from belamy.networks.speed import choose_pass_precision
from belamy.objectives.patch_match import SWAP_REACH
from belamy.objectives.style_losses import moments_of
from belamy.optimise import Tiling
from belamy.pixels.colors import keep_colors
from belamy.pixels.images import Picture, Source
from belamy.pixels.tiles import available_memory, tile_for_memory
from belamy.precision import PassPrecision
from belamy.steps import Step

__all__ = ["AnyStylist"]

_BYTES_PER_PIXEL = 1700.0  # of memory, for a tile at the peak: measured at 512 px
_TRIED_SIDE = 192  # pixels of the square on which the faster precision is found out
_LARGEST_TILE = 1024  # pixels: larger ones gain nothing, and memory is for others too


class AnyStylist:
    """Arbitrary style transfer with its networks loaded once, for many pictures.

    Args:
        options: for all of them; its `content` is painted where no other is named.

    Raises:
        UnknownName, WeightsError: the network, or its encoder, is not here, damaged, or another.
    """

    def __init__(self, options: AnyStyleOptions) -> None:
        self.device = choose_device(options.device)
        network = os.fspath(options.network)
        loaded = share(
            find_network(network, "arbitrary-style"),
            ("arbitrary-style", str(self.device)),
            lambda: load_network(network, "arbitrary-style", device=self.device),
            lambda loaded: loaded.network,
        )
        self.decoder = loaded.network
        self.encoder = _load_encoder(
            loaded.metadata["encoder"], loaded.metadata["encoder_sha256"], self.device
        )
        precision = _choose_precision(options.precision, self.device, self.decoder, self.encoder)
        self._given = options
        self.options = resolve(replace(options, precision=precision))
        self.encoder.to(DTYPES[precision])
        self._weights = {
            loaded.path.stem: loaded.sha256,
            self.encoder.name: self.encoder.sha256,
        }

    @property
    def weights(self) -> dict[str, str]:
        """Network → SHA-256, of both."""
        return dict(self._weights)

    def __call__(self, content: Source | None = None) -> Picture:
        """The picture painted."""
        (last,) = deque(self.steps(content), maxlen=1)
        return Picture(last.image, last.alpha, last.recipe)

    def steps(self, content: Source | None = None) -> Iterator[Step]:
        """The same as a stream, of one step."""
        options = self.options if content is None else replace(self.options, content=content)
        pictures = read_pictures(options, self.device)
        tiling = _choose_tiling(options.tile, self.encoder, pictures.content)
        options = replace(
            options, tile="none" if tiling is None else tiling.tile, device=str(self.device)
        )
        codec = Codec(self.decoder, FeatureExtractor(self.encoder, tiling), options.precision)
        with torch.inference_mode():
            image = _finish(pictures, _paint(codec, pictures, options), options)
        recipe = recipe_of("anystyle", options, self._weights, given=self._given, step=1)
        yield Step(1, 1, image.clone(), {}, pictures.alpha, recipe, pictures.note)

    def fix_tile(self, size: tuple[int, int]) -> Literal["none"] | int:
        """Choose, by the memory that is free now, how all pictures of one size are cut.

        Args:
            size: (height, width).
        """
        given = self.options.tile
        tile = fix_tile(size, self.device, lambda like: _choose_tiling(given, self.encoder, like))
        self.options = replace(self.options, tile=tile)
        return tile

    def open_scene(self, first: Tensor) -> Callable[[Tensor], Tensor]:
        """What paints the frames of a film's scene, whose styles are read and encoded once.

        Args:
            first: the first of them, (1, 3, H, W), whose colours the styles have where so asked.

        Raises:
            ImageError, OptionError: a style or a mask cannot be read, or does not fit.
        """
        given = replace(self.options, content=first, size="full")
        pictures = read_pictures(given, self.device)
        tiling = _choose_tiling(self.options.tile, self.encoder, pictures.content)
        codec = Codec(self.decoder, FeatureExtractor(self.encoder, tiling), self.options.precision)
        with torch.inference_mode():
            styles = _encode_styles(codec, pictures, self.options)

        def paint(image: Tensor) -> Tensor:
            own = replace(pictures, content=image.to(self.device))
            with torch.inference_mode():
                painted = _transfer(codec, own, styles, self.options)
                return _finish(own, painted, self.options).clone()

        return paint


def _load_encoder(model: str, sha256: str, device: torch.device) -> Backbone:
    backbone = load_encoder(model, (), device)
    if backbone.sha256 != sha256:
        raise WeightsError(
            f"the network was trained on another {model} (SHA-256 {sha256[:8]}…, this one has "
            f"{backbone.sha256[:8]}…); train it again"
        )
    return backbone


def _choose_precision(
    precision: PassPrecision, device: torch.device, decoder: ArbitraryStyleNet, encoder: Backbone
) -> PassPrecision:
    """What both compute in, found out on a grey square in its own style."""
    grey = torch.full((1, 3, _TRIED_SIDE, _TRIED_SIDE), 0.5, device=device)

    def load(precision: PassPrecision) -> Codec:
        own = copy.deepcopy(encoder).to(DTYPES[precision])
        return Codec(decoder, FeatureExtractor(own), precision)

    codecs: dict[PassPrecision, Codec] = {}

    def run(precision: PassPrecision) -> Tensor:
        if precision not in codecs:
            codecs[precision] = load(precision)
        codec = codecs[precision]
        features = codec.encode(grey)
        code = encode_moments({layer: moments_of(x) for layer, x in features.items()})
        return codec.decode(features, [(code, None)])

    return choose_pass_precision(precision, device, decoder, run)


def _choose_tiling(tile: str | int, backbone: Backbone, image: Tensor) -> Tiling | None:
    """How the picture is cut; None where it is painted whole.

    Raises:
        OptionError: the tile is all margin.
    """
    if tile == "none":
        return None
    field = max(backbone.layers[backbone.resolve(layer)].receptive_field or 1 for layer in LAYERS)
    # A pixel sees so far, and what is swapped there is decided by so many positions around.
    reach = field // 2 + REACH + STROKE_REACH + SWAP_REACH * STRIDE
    margin = -(-reach // CELL_SIDE) * CELL_SIDE
    least = 2 * margin + 2 * CELL_SIDE
    if isinstance(tile, int):
        if tile < least:
            raise OptionError(f"a tile of {tile} px is too small here; take {least} px or more")
        side = tile
    else:
        free = available_memory(image.device)
        affordable = tile_for_memory(_BYTES_PER_PIXEL, free, least, align=CELL_SIDE)
        side = max(least, min(affordable, _LARGEST_TILE))
    return None if max(image.shape[-2:]) <= side else Tiling(side, margin, CELL_SIDE)


def _paint(codec: Codec, pictures: Pictures, options: AnyStyleOptions) -> Tensor:
    """(1, 3, H, W), not clamped."""
    return _transfer(codec, pictures, _shrink_styles(pictures, options), options)


def _shrink_styles(pictures: Pictures, options: AnyStyleOptions) -> list[StyleImage]:
    """The styles at the size at which they are encoded."""
    usual = round(max(pictures.content.shape[-2:]) * options.style_scale)
    long_side = min(options.style_size or usual, LARGEST_STYLE)
    return [shrink(one, long_side) for one in pictures.styles]


def _encode_styles(
    codec: Codec, pictures: Pictures, options: AnyStyleOptions
) -> list[EncodedStyle]:
    inset = options.strokes > 0
    return [encode_style(codec, one, inset) for one in _shrink_styles(pictures, options)]


def _transfer(
    codec: Codec,
    pictures: Pictures,
    styles: Sequence[StyleImage | EncodedStyle],
    options: AnyStyleOptions,
) -> Tensor:
    settings = TransferSettings(options.strength, options.patches, options.seed, options.strokes)
    return transfer_style(codec, pictures.content, styles, pictures.masks, settings)


def _finish(pictures: Pictures, painted: Tensor, options: AnyStyleOptions) -> Tensor:
    """The picture to show: colours kept if so asked, painted only where the masks are white."""
    content = pictures.content
    painted = painted.clamp(0, 1)
    if options.keep_colors == "luma":
        painted = keep_colors(content, painted)
    cover = pictures.cover((content.shape[-2], content.shape[-1]))
    return painted if cover is None else content + cover * (painted - content)
