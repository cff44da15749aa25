"""What all that paint with a generator share: opening it, whom they paint, and the last touches."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import belamy
from belamy.devices import choose_device
from belamy.errors import OptionError
from belamy.networks.gan import latents as styles_of
from belamy.networks.gan.load import label_index, open_generator
from belamy.networks.gan.registry import Generator
from belamy.pixels.decor.frame import add_frame
from belamy.pixels.decor.signature import add_signature
from belamy.pixels.enlarge import enlarge
from belamy.pixels.images import contact_sheet
from belamy.pixels.recipe import Input, Recipe

__all__ = ["Easel", "Finish", "sheet_of", "whole"]

TRUNCATION = 0.8  # by eye: of ten portraits one less is a monster than at 1
TOGETHER = 8  # pictures drawn at once
_READABLE = 400  # pixels that a picture is wide at least for its signature to be read
_LARGEST = 8192  # pixels of a picture's side, after it was enlarged
_NAMED = re.compile(r"(?:(?P<seed>\d{1,18}):)?(?P<number>\d{1,9})")


@dataclass(frozen=True)
class Finish:
    """What a picture gets last.

    Args:
        upscale: times as high and as wide.
        sign: whether the formula stands at its lower right.
        frame: whether it is framed.
        seed: of the grain, the hand and the gold.
    """

    upscale: int
    sign: bool
    frame: bool
    seed: int

    @classmethod
    def of(cls, options: Mapping[str, Any], generator: Generator) -> Finish:
        """Checked.

        Raises:
            OptionError: the factor is out of range, or would make too large a picture.
        """
        chosen = {name: options[name] for name in ("upscale", "sign", "frame")}
        finish = cls(**chosen, seed=options.get("seed", 0))
        whole("upscale", finish.upscale, 1, 16)
        side = finish.upscale * generator.size
        if side > _LARGEST:
            raise OptionError(
                f"upscale {finish.upscale} makes pictures of {side} px; {_LARGEST} px at most"
            )
        return finish

    def applied(self, images: Tensor, first: int = 0) -> list[Tensor]:
        """(N, 3, S, S) → N pictures (1, 3, H, W) on the CPU; `first` is the number of the first."""
        made = []
        for index, image in enumerate(images.float().cpu().split(1)):  # type: ignore[no-untyped-call]
            picture = enlarge(image, self.upscale, seed=self.seed)
            if self.sign:
                picture = add_signature(picture, seed=self.seed + first + index)
            made.append(add_frame(picture, seed=self.seed) if self.frame else picture)
        return made

    def note(self, size: int) -> str:
        """What should be said of a picture of this size."""
        if not self.sign or size * self.upscale >= _READABLE:
            return ""
        factor = min(16, -(-_READABLE // size))
        return (
            f"at {size * self.upscale} px the signature is too small to be read; --upscale {factor}"
        )


class Easel:
    """A painter, ready.

    Args:
        options: an engine's own: `network`, `device`, `latents`, `label`, `truncation`, and those
            of `Finish`.

    Attributes:
        generator: on its device, frozen.
        finish: what its pictures get last.

    Raises:
        UnknownName, WeightsError, OptionError: as the engines say.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        _check_truncation(options.get("truncation"))
        self.device = choose_device(options["device"])
        generator, self.file, self.sha256 = open_generator(options["network"])
        self.generator = generator.to(self.device)
        self.label = label_index(generator, options.get("label"))
        self.finish = Finish.of(options, generator)
        self.options = dict(options)
        self._paths = _several(options.get("latents", ()))
        self.saved = self._saved()

    def _saved(self) -> Tensor | None:
        """(N, levels, style) out of the files of latents; None where none are given."""
        if not self._paths:
            return None
        parts = [
            styles_of.load_styles(Path(path), self.generator, self.label) for path in self._paths
        ]
        styles = torch.cat(parts)
        amount = self.options.get("truncation")
        if amount is None:
            return styles
        return torch.lerp(self.centre.expand_as(styles), styles, amount)

    @property
    def centre(self) -> Tensor:
        """(style,): of the most ordinary picture."""
        return self.generator.mean_style(self.label)[0]

    def drawn(self, numbers: Sequence[int], seed: int) -> Tensor:
        """(N, levels, style) of pictures by seed and number, from 1."""
        amount = self.options.get("truncation")
        return styles_of.draw_styles(
            self.generator,
            numbers,
            seed=seed,
            truncation=TRUNCATION if amount is None else amount,
            label=self.label,
        )

    def called(self, name: str) -> Tensor:
        """(1, levels, style) of the picture called SEED:NUMBER or NUMBER.

        Raises:
            OptionError: it is no such name, or the latents have no such number.
        """
        found = _NAMED.fullmatch(str(name).strip())
        if found is None:
            raise OptionError(f"{name!r} names no picture; write SEED:NUMBER, such as 0:7, or 7")
        number = int(found["number"])
        if self.saved is None or found["seed"] is not None:
            if number < 1:
                raise OptionError(f"{name!r} names no picture; numbers begin with 1")
            return self.drawn([number], int(found["seed"] or 0))
        if not 1 <= number <= len(self.saved):
            raise OptionError(f"the latents have no picture {number}; there are {len(self.saved)}")
        return self.saved[number - 1 : number]

    def painted(self, styles: Tensor) -> Iterator[Tensor]:
        """(N, levels, style) → pictures (n, 3, size, size), a few at a time."""
        for part in torch.split(styles, TOGETHER):
            with torch.inference_mode():
                images = styles_of.draw(self.generator, part)
            yield images.clone()

    def finished(self, styles: Tensor) -> list[Tensor]:
        """(N, levels, style) → N pictures (1, 3, H, W) with their last touches."""
        first, made = 0, []
        for images in self.painted(styles):
            made += self.finish.applied(images, first)
            first += len(images)
        return made

    def recipe(self, engine: str, step: int, **inputs: str | os.PathLike[str]) -> Recipe:
        """How a picture was made; latents and `inputs` are files that went into it."""
        aside = {"latents", "seed", *inputs}
        told = {name: value for name, value in self.options.items() if name not in aside}
        told |= {"network": os.fspath(told["network"]), "device": str(self.device)}
        named = [("latents", path) for path in self._paths] + list(inputs.items())
        return Recipe(
            engine=engine,
            options=told,
            inputs=tuple(Input.of(role, path) for role, path in named),
            weights={self.file: self.sha256},
            seed=self.options.get("seed", 0),
            belamy=belamy.__version__,
            torch=torch.__version__,
            step=step,
        )


def sheet_of(
    pictures: Sequence[Tensor], columns: int, captions: Sequence[str] | None = None
) -> Tensor:
    """Pictures of one size side by side, as large as they are; a single one without any paper."""
    if len(pictures) == 1 and captions is None:
        return pictures[0]
    cell = max(pictures[0].shape[-2:])
    return contact_sheet(pictures, columns=columns, captions=captions, cell=cell)


def whole(name: str, value: object, low: int, high: int) -> int:
    """A whole number in a range.

    Raises:
        OptionError: it is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise OptionError(f"{name} is {value!r}; it must be a whole number from {low} to {high}")
    return value


def _check_truncation(amount: float | None) -> None:
    if amount is not None and not 0 <= amount <= 2:
        raise OptionError(f"truncation is {amount:g}; it must be from 0 to 2")


def _several(latents: str | os.PathLike[str] | Sequence[str]) -> list[str]:
    if isinstance(latents, (str, os.PathLike)):
        return [os.fspath(latents)]
    return [os.fspath(path) for path in latents]
