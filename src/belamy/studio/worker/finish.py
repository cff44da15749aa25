"""A result is laid over its picture anew: another strength, or only where a mask is white."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from belamy.engines.masks import read_mask
from belamy.errors import BelamyError
from belamy.pixels.images import load_picture, resize
from belamy.pixels.recipe import Input, Recipe, read_recipe
from belamy.steps import Step
from belamy.studio.worker.channel import Channel
from belamy.studio.worker.control import Control
from belamy.studio.worker.order import Order
from belamy.studio.worker.saving import Saver

__all__ = ["finish"]


def finish(order: Order, control: Control, channel: Channel) -> None:
    """Blend a kept result over the picture that it was made of.

    Raises:
        BelamyError: its unblended pixels are no longer kept.
    """
    saver = Saver(channel, order)
    first = order.first or {}
    kept = order.raw / f"{first['result']}.safetensors"
    if not kept.is_file():
        raise BelamyError("the unblended picture is no longer kept; make it again")
    tensors = load_file(kept)
    image, alpha = tensors["image"], tensors.get("alpha")
    size = (image.shape[-2], image.shape[-1])
    ground = resize(load_picture(first["picture"]).image, size)
    strength = order.make_options(result=".").strength
    amount: Tensor | float = strength
    mask = order.files.get("mask")
    if mask is not None:
        amount = strength * resize(read_mask(mask), size)
    blended = ground + (image - ground) * amount
    step = Step(1, 1, blended, {}, alpha, _recipe(first, strength, mask))
    saver.finish("done", step, None)


def _recipe(first: dict[str, Any], strength: float, mask: str | None) -> Recipe | None:
    """The recipe of the result with its new strength, and the mask that was laid over it.

    None under a mask where the engine takes none: no recipe would make this picture again.
    """
    try:
        found = read_recipe(str(first["file"]))
    except BelamyError:
        return None
    options = {**found.options, "strength": strength}
    if mask is None:
        return replace(found, options=options)
    if "masking" not in found.options:
        return None
    inputs = (*found.inputs, Input.of("mask", mask))
    return replace(found, options={**options, "masking": "end"}, inputs=inputs)
