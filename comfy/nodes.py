"""The nodes: each an engine of belamy's public API."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

import belamy
from belamy import BelamyError, Step

from .inputs import Field, fields_of, input_types, read_values
from .running import Progress, autograd, images_of, masks_of, one_of, run_steps, to_comfy

__all__ = ["Defog", "Dream", "Node", "Paint", "Style"]


class Node:
    """An engine as a node. Those below say which, and which of its pictures there must be.

    Args (of the class):
        form: the engine's options.
        steps: the engine, by its name in `belamy`.
        batch: the input whose pictures are worked on one after another; "" where there is none.
        together: inputs of which all pictures belong to each of those.
        needed: pictures without which there is nothing to do.
        fixed: options that the node sets itself.
    """

    form: ClassVar[Callable[..., Any]]
    steps: ClassVar[str]
    batch: ClassVar[str] = "image"
    together: ClassVar[tuple[str, ...]] = ()
    needed: ClassVar[tuple[str, ...]] = ()
    fixed: ClassVar[Mapping[str, Any]] = {}

    RETURN_TYPES = ("IMAGE", "MASK", "STRING")
    RETURN_NAMES = ("images", "mask", "recipe")
    OUTPUT_TOOLTIPS = (
        "What was made.",
        "Where the pictures are transparent, as ComfyUI's Load Image has it.",
        "The settings of the first, as JSON: saved as NAME.json, `belamy … --preset NAME.json`.",
    )
    FUNCTION = "run"
    CATEGORY = "belamy"
    DESCRIPTION = ""

    @classmethod
    def fields(cls) -> dict[str, Field]:
        """The options that the node has as inputs."""
        return fields_of(cls.form, cls.fixed)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:
        """What ComfyUI asks a node for."""
        return input_types(cls.fields(), cls.needed)

    @classmethod
    def VALIDATE_INPUTS(cls, **given: Any) -> bool | str:
        """Whether the engine takes the values, before anything is run; else why not, in a line."""
        try:
            fields = cls.fields()
            blank = torch.zeros(1, 3, 8, 8)
            typed = {name: one for name, one in fields.items() if not one.is_picture}
            pictures = dict.fromkeys(cls.needed, blank)
            cls.form(**cls.fixed, **pictures, **read_values(typed, given))
        except BelamyError as error:
            return str(error)
        return True

    @classmethod
    def IS_CHANGED(cls, **given: Any) -> str:
        """The same for the same settings, unless a file that they name is another by now."""
        lines = (line for one in given.values() if isinstance(one, str) for line in one.split("\n"))
        return "\n".join(_stamp(Path(line.strip())) for line in lines if line.strip())

    def run(self, **given: Any) -> tuple[Tensor, Tensor, str]:
        """Do the work; a batch is worked on picture by picture, with the same seed."""
        with autograd():
            fields = self.fields()
            options = read_values(fields, given)
            pictures = {
                name: (masks_of if fields[name].kind == "MASK" else images_of)(options.pop(name))
                for name in [name for name in options if fields[name].is_picture]
            }
            return to_comfy(list(self._make({**self.fixed, **options}, pictures)))

    def _make(
        self, options: Mapping[str, Any], pictures: Mapping[str, list[Tensor]]
    ) -> Iterator[Step]:
        count = len(pictures.get(self.batch, [None]))
        progress = Progress(count)
        engine = getattr(belamy, self.steps)
        for index in range(count):
            beside = {
                name: found if name in self.together else one_of(name, found, index, count)
                for name, found in pictures.items()
            }
            steps = run_steps(engine(**options, **beside), progress, index)
            yield deque(steps, maxlen=1).pop()


def _stamp(path: Path) -> str:
    """What tells a file from another; "" where the text names none."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return ""
    return f"{path} {found.st_size} {found.st_mtime_ns}"


class Dream(Node):
    """What a network sees in pictures, or in noise."""

    form = belamy.DreamOptions
    steps = "dream_steps"
    DESCRIPTION = "Show a network a picture, or noise, and change it towards what it sees there."


class Style(Node):
    """Pictures painted in the style of others at once: `belamy style --fast`."""

    form = belamy.AnyStyleOptions
    steps = "any_style_steps"
    batch = "content"
    together = ("style", "style_mask")
    needed = ("content", "style")
    DESCRIPTION = (
        "Paint pictures in the style of one picture or of several, in one pass: all pictures of "
        "the batch at `style` are blended."
    )


class Defog(Node):
    """Pictures without their fog."""

    form = belamy.DefogOptions
    steps = "defog_steps"
    needed = ("image",)
    DESCRIPTION = "Take fog and haze out of pictures."


class Paint(Node):
    """Paintings out of nothing but a seed."""

    form = belamy.PaintOptions
    steps = "gan_paint_steps"
    batch = ""
    fixed: ClassVar[Mapping[str, Any]] = {"sheet": False}
    DESCRIPTION = "Let a GAN paint pictures from a seed: a batch of as many as `count` says."

    def _make(
        self, options: Mapping[str, Any], pictures: Mapping[str, list[Tensor]]
    ) -> Iterator[Step]:
        """Each step is a picture of its own."""
        yield from run_steps(getattr(belamy, self.steps)(**options), Progress(1))
