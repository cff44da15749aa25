"""What is asked for where fog is taken out of a picture, or put into one: every option, once."""

from __future__ import annotations

import os
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from belamy.checks import Between, check_options

if TYPE_CHECKING:
    from belamy.pixels.images import Source

__all__ = ["EMBEDDED", "DefogOptions", "FogOptions"]

EMBEDDED = "defog"
"""The network inside the package."""


@dataclass(frozen=True, eq=False)
class DefogOptions:
    """What is asked for where fog is taken out of a picture.

    Args:
        image: a file, PIL image, array or tensor; any size. Transparency is kept.
        method: what estimates the fog: network is one that learned it; dcp is the dark
            channel prior, which needs no training and takes bright walls and white ground for fog.
        network: of the method network: defog, which is inside the package, or a file that
            `belamy defog train` made.
        strength: how much of the fog goes: 0 none, 1 all that was found, up to 2 for more than
            that.
        keep_sky: leave the sky as it is.
        compare: show the picture as it was on the left of what it has become.
        device: auto, cpu, cuda or mps.

    Raises:
        OptionError: a value out of its range.
        UnknownName: none of the choices.
    """

    image: Source | None = None
    _: KW_ONLY
    method: Literal["network", "dcp"] = "network"
    network: str | os.PathLike[str] = EMBEDDED
    strength: Annotated[float, Between(0, 2)] = 1.0
    keep_sky: bool = False
    compare: bool = False
    device: str = "auto"

    def __post_init__(self) -> None:
        from belamy.networks.names import check_name

        check_options(self)
        check_name(self.network, "dehaze")


@dataclass(frozen=True, eq=False)
class FogOptions:
    """What is asked for where fog is put into a picture.

    Args:
        image: a file, PIL image, array or tensor; any size. Transparency is kept.
        amount: of the light that is the fog's, as a mean over the picture: 0 for none, up to 0.99.
        depth: how far things are taken to be: scene mixes ground, sky and regions, as outdoors;
            ramp is near below and far above; ground is a plane up to a horizon; room is a box seen
            from within; regions follow the picture's colours; skies are far and all else near;
            clouds are smooth noise; tunnel is far in the middle; even is the same everywhere.
        color: of the fog, a name or #rrggbb.
        patches: how far the fog is denser in some places than in others, 0 to 1.
        seed: of the depth and the patches.
        device: auto, cpu, cuda or mps.

    Raises:
        OptionError: a value out of its range.
        UnknownName: none of the choices.
    """

    image: Source
    _: KW_ONLY
    amount: Annotated[float, Between(0, 0.99)] = 0.5  # more is a wall of paint
    depth: Literal[
        "scene", "ramp", "ground", "room", "regions", "skies", "clouds", "tunnel", "even"
    ] = "scene"
    color: str = "#dfe2e5"
    patches: Annotated[float, Between(0, 1)] = 0.2
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        check_options(self)
