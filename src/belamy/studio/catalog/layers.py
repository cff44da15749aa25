"""The layers that are worth dreaming of, their names in words, and pictures drawn beforehand."""

from __future__ import annotations

import functools
import re
import zipfile
from pathlib import Path

from belamy.errors import UnknownName
from belamy.networks.layer_tables import Layer, find_table

__all__ = ["TITLES", "drawn_thumb", "layers_of"]

# Stages that only pass on or pick from what the one before them found.
_PASSING = re.compile(r"(pool|norm|drop|avg|fc|logits)")

TITLES: dict[str, dict[str, tuple[str, str]]] = {
    "iris": {
        "conv1": ("Grain", "Grana"),
        "conv2a": ("Dashes", "Tratti"),
        "conv2b": ("Weave", "Trama"),
        "mixed3a": ("Lozenges", "Losanghe"),
        "mixed3b": ("Eyes", "Occhi"),
        "mixed4a": ("Scales", "Squame"),
        "mixed4b": ("Creatures", "Creature"),
        "mixed4c": ("Birds", "Uccelli"),
        "mixed5a": ("Shores", "Rive"),
        "mixed5b": ("Herds", "Mandrie"),
    }
}
"""Network → layer → what it likes, in English and Italian. By eye."""


@functools.cache
def layers_of(model: str) -> tuple[Layer, ...]:
    """The layers that are worth a picture, from the first to the last.

    Raises:
        UnknownName: nothing is written down of such a network.
    """
    table = find_table(model)
    if table is None:
        raise UnknownName("network with layers", model, ["iris"])
    places = [layer for layer in table.layers if layer.stride is not None]
    rectified = {one.name.replace("relu", "conv") for one in places if one.name.startswith("relu")}
    return tuple(
        one for one in places if not _PASSING.match(one.name) and one.name not in rectified
    )


def drawn_thumb(model: str, layer: str, channel: int | None) -> bytes | None:
    """The picture that comes with the package; None where none does."""
    inner = f"{layer}.webp" if channel is None else f"{layer}/{channel}.webp"
    path = Path(__file__).parents[1] / "layers" / f"{model}.zip"
    if not path.is_file():
        return None
    with zipfile.ZipFile(path) as archive:
        try:
            return archive.read(inner)
        except KeyError:
            return None
