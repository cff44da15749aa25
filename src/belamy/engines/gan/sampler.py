"""A generator loaded once and sampled often, and the post-processing of its pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from belamy.checks import require
from belamy.devices import autocast, choose_device
from belamy.engines.gan.rejection import FaceRejection
from belamy.engines.recipes import recipe_of
from belamy.errors import OptionError
from belamy.networks.gan import latents as styles_of
from belamy.networks.gan.generator import find_label
from belamy.networks.load import find_network, load_network
from belamy.networks.recent import share
from belamy.networks.speed import choose_pass_precision
from belamy.pixels.decor.frame import add_frame
from belamy.pixels.decor.signature import add_signature
from belamy.pixels.enlarge import enlarge
from belamy.pixels.images import contact_sheet
from belamy.pixels.recipe import Input, Recipe
from belamy.precision import PassPrecision

__all__ = ["PostProcess", "Sampler", "choose_rejection", "make_sheet", "parse_id"]

TRUNCATION = 0.8  # by eye: of ten portraits one less is a monster than at 1
BATCH = 8  # pictures drawn at once
_TRIED = 4  # pictures by which the faster precision is found out
_READABLE = 400  # pixels that a picture is wide at least for its signature to be read
_LARGEST = 8192  # pixels of a picture's side, after it was enlarged
_ID = re.compile(r"(?:(?P<seed>\d{1,18}):)?(?P<number>\d{1,9})")


@dataclass(frozen=True)
class PostProcess:
    """What a picture gets last: it is enlarged, signed and framed.

    Args:
        size: side of the generator's pictures, in pixels.
        upscale: times as high and as wide.
        sign: whether the formula stands at its lower right.
        frame: whether it is framed.
        seed: of the grain, the hand and the gold.

    Raises:
        OptionError: the pictures would be too large.
    """

    size: int
    upscale: int = 1
    sign: bool = False
    frame: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        fits = self.side <= _LARGEST
        allowed = f"{_LARGEST // self.size} at most, for pictures of {_LARGEST} px"
        require(fits, "upscale", self.upscale, allowed)

    @property
    def side(self) -> int:
        """Of the enlarged pictures, without their frames."""
        return self.upscale * self.size

    def apply(self, images: Tensor, first: int = 0) -> list[Tensor]:
        """(N, 3, S, S) → N pictures (1, 3, H, W) on the CPU; `first` is the number of the first."""
        finished = []
        for index, image in enumerate(images.float().cpu().split(1)):  # type: ignore[no-untyped-call]
            picture = enlarge(image, self.upscale, seed=self.seed)
            if self.sign:
                picture = add_signature(picture, seed=self.seed + first + index)
            finished.append(add_frame(picture, seed=self.seed) if self.frame else picture)
        return finished

    @property
    def note(self) -> str:
        """What should be said of such pictures."""
        if not self.sign or self.side >= _READABLE:
            return ""
        factor = min(16, -(-_READABLE // self.size))
        return f"at {self.side} px the signature is too small to be read; --upscale {factor}"


class Sampler:
    """A generator, loaded once, whose latent space is sampled often.

    Args:
        network: `portraits`, a file that `belamy gan train` made, or its run folder.
        label: the only label that is drawn, of a conditional generator.
        truncation: how far styles may be from the mean style; None: 0.8, but saved latents stay.
        latents: files of saved ones, `saved` once they are read.
        rejection: face, none or auto, as in `PaintOptions`.
        precision: in which pictures are drawn; auto takes bfloat16 where this generator is faster
            in it. Latents and styles are in float32.
        device: auto, cpu, cuda or mps.

    Attributes:
        generator: on its device, frozen.
        saved: the styles (N, resolutions, style) of the files; None where none are given.

    Raises:
        UnknownName: no such painter, or no such label.
        WeightsError: the painter or the latents are not here, damaged, or of another kind.
        OptionError: no such device.

    Source: truncation from Brock et al. 2019 and Karras et al. 2019.
    """

    def __init__(
        self,
        network: str | os.PathLike[str] = "portraits",
        *,
        label: str | None = None,
        truncation: float | None = None,
        latents: str | os.PathLike[str] | Sequence[str] = (),
        rejection: str = "none",
        precision: PassPrecision = "float32",
        device: str = "auto",
    ) -> None:
        self.device = choose_device(device)
        loaded = share(
            find_network(network, "generator"),
            ("generator", str(self.device)),
            lambda: load_network(network, "generator", device=self.device),
            lambda loaded: loaded.network,
        )
        self.generator = loaded.network
        self.file, self.sha256 = loaded.path.name, loaded.sha256
        self.label = find_label(self.generator, label)
        self.truncation = truncation
        self.rejection = choose_rejection(network) if rejection == "auto" else rejection
        self._rejection = FaceRejection(self.generator) if self.rejection == "face" else None
        self._paths = _paths(latents)
        self.saved = self._load_saved()
        self.precision = self._choose_precision(precision)

    def __call__(self, numbers: Sequence[int], seed: int = 0) -> Tensor:
        """The pictures (N, 3, S, S) of a seed, by their numbers from 1, in [0, 1] on the CPU."""
        return torch.cat([images.cpu() for images in self.generate(self.sample(numbers, seed))])

    def _choose_precision(self, precision: PassPrecision) -> PassPrecision:
        style = self.mean_style.expand(_TRIED, self.generator.resolutions, -1)

        def run(precision: PassPrecision) -> Tensor:
            return self._draw(style, precision)

        return choose_pass_precision(precision, self.device, self.generator, run)

    def _draw(self, styles: Tensor, precision: PassPrecision) -> Tensor:
        with torch.inference_mode(), autocast(self.device, precision):
            return styles_of.draw(self.generator, styles)

    def _load_saved(self) -> Tensor | None:
        if not self._paths:
            return None
        parts = [
            styles_of.load_styles(Path(path), self.generator, self.label) for path in self._paths
        ]
        styles = torch.cat(parts)
        if self.truncation is None:
            return styles
        return torch.lerp(self.mean_style.expand_as(styles), styles, self.truncation)

    @property
    def mean_style(self) -> Tensor:
        """(style,): of the most ordinary picture."""
        return self.generator.mean_style(self.label)[0]

    def sample(self, numbers: Sequence[int], seed: int) -> Tensor:
        """The styles (N, resolutions, style) of pictures by seed and number, from 1."""
        truncation = TRUNCATION if self.truncation is None else self.truncation
        if self._rejection is not None:
            return self._rejection.draw_styles(
                numbers, seed=seed, truncation=truncation, label=self.label
            )
        return styles_of.draw_styles(
            self.generator, numbers, seed=seed, truncation=truncation, label=self.label
        )

    def sample_one(self, picture: str) -> Tensor:
        """The styles (1, resolutions, style) of the picture called SEED:NUMBER or NUMBER.

        Raises:
            OptionError: it is no such name, or the latents have no such number.
        """
        seed, number = parse_id(picture)
        if self.saved is None or seed is not None:
            return self.sample([number], seed or 0)
        if number > len(self.saved):
            raise OptionError(f"the latents have no picture {number}; there are {len(self.saved)}")
        return self.saved[number - 1 : number]

    def generate(self, styles: Tensor) -> Iterator[Tensor]:
        """(N, resolutions, style) → pictures (n, 3, S, S), a few at a time."""
        for part in torch.split(styles, BATCH):
            yield self._draw(part, self.precision).clone()

    def render(self, styles: Tensor, post: PostProcess) -> list[Tensor]:
        """(N, resolutions, style) → N finished pictures (1, 3, H, W)."""
        pictures: list[Tensor] = []
        for images in self.generate(styles):
            pictures += post.apply(images, len(pictures))
        return pictures

    def recipe(
        self, engine: str, options: Any, step: int, weights: Mapping[str, str] | None = None
    ) -> Recipe:
        """How a picture was made.

        Args:
            engine: a name of `belamy.engines.ENGINES`.
            options: its dataclass, with what was left open filled in; files of latents become
                inputs.
            step: of which it is the result.
            weights: of further networks.
        """
        changed = {"device": str(self.device)}
        if hasattr(options, "precision"):
            changed["precision"] = self.precision
        if hasattr(options, "rejection"):
            changed["rejection"] = self.rejection
        judges = {} if self._rejection is None else self._rejection.weights
        used = {self.file: self.sha256, **judges, **(weights or {})}
        recipe = recipe_of(engine, options, used, changed=changed, step=step)
        aside = ("latents", "seed")
        return replace(
            recipe,
            options={name: value for name, value in recipe.options.items() if name not in aside},
            inputs=(*(Input.of("latents", path) for path in self._paths), *recipe.inputs),
        )


def choose_rejection(network: str | os.PathLike[str]) -> str:
    """What auto is: face of the painter inside the package, none of others, which may paint what
    they like."""
    return "face" if os.fspath(network) == "portraits" else "none"


def parse_id(picture: str) -> tuple[int | None, int]:
    """The seed, if it is said, and the number of a picture called SEED:NUMBER or NUMBER.

    Raises:
        OptionError: it is no such name.
    """
    match = _ID.fullmatch(picture.strip())
    if match is None:
        raise OptionError(f"{picture!r} names no picture; write SEED:NUMBER, such as 0:7, or 7")
    number = int(match["number"])
    if number < 1:
        raise OptionError(f"{picture!r} names no picture; numbers begin with 1")
    return None if match["seed"] is None else int(match["seed"]), number


def make_sheet(
    pictures: Sequence[Tensor], columns: int, captions: Sequence[str] | None = None
) -> Tensor:
    """Pictures of one size side by side, as large as they are; a single one without any paper."""
    if len(pictures) == 1 and captions is None:
        return pictures[0]
    cell = max(pictures[0].shape[-2:])
    return contact_sheet(pictures, columns=columns, captions=captions, cell=cell)


def _paths(latents: str | os.PathLike[str] | Sequence[str]) -> list[str]:
    if isinstance(latents, (str, os.PathLike)):
        return [os.fspath(latents)]
    return [os.fspath(path) for path in latents]
