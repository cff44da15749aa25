"""The stops of the tour: what is typed at each of them, and which picture that makes.

Commands are run as they stand, in the folder of the tour, so that what the page shows is what
anyone gets who types them there.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["STOPS", "Line", "Stop"]


@dataclass(frozen=True)
class Line:
    """One command.

    Args:
        command: as it is typed, from `belamy` on; `{language}` stands for the tour's.
        quick: what is typed behind it in a quick tour, to make it smaller.
    """

    command: str
    quick: str = ""

    def write(self, language: str, *, quick: bool) -> str:
        """The whole line."""
        line = f"{self.command} {self.quick}" if quick and self.quick else self.command
        return line.format(language=language)


@dataclass(frozen=True)
class Stop:
    """One stop.

    Args:
        key: its name in the texts.
        lines: what is typed, in order.
        pictures: the files, of those that the lines make, that are shown.
    """

    key: str
    lines: tuple[Line, ...]
    pictures: tuple[str, ...]


_LESSON = "--language {language} -o"

STOPS = (
    Stop(
        "portrait",
        (Line("belamy gan paint -n 1 --seed 18 --upscale 12 --frame --sign -o portrait.png"),),
        ("portrait.png",),
    ),
    Stop("neuron", (Line(f"belamy learn neuron {_LESSON} neuron.png"),), ("neuron.png",)),
    Stop(
        "network",
        (
            Line(
                f"belamy learn mlp --points moons --hidden 8,8 {_LESSON} network.png",
                "--epochs 20",
            ),
        ),
        ("network.png",),
    ),
    Stop(
        "supervised",
        (Line(f"belamy learn backprop {_LESSON} backprop.png"),),
        ("backprop.png",),
    ),
    Stop(
        "depth",
        (
            Line(f"belamy learn approximation {_LESSON} approximation.png", "--widths 2,8"),
            Line(f"belamy learn depth {_LESSON} depth.png"),
        ),
        ("approximation.png", "depth.png"),
    ),
    Stop(
        "cnn",
        (Line(f"belamy learn cnn {_LESSON} cnn.png", "--count 1000 --epochs 1"),),
        ("cnn.png",),
    ),
    Stop(
        "complexity",
        (Line(f"belamy learn complexity alexnet vgg16 iris {_LESSON} complexity.png"),),
        ("complexity.png",),
    ),
    Stop(
        "dream",
        (
            Line("belamy dream clouds.png -o dream.png", "--size 128 --octaves 2 --steps 3"),
            Line(
                "belamy dream landscape.png --layer mixed3b -o strokes.png",
                "--size 128 --octaves 2 --steps 3",
            ),
        ),
        ("clouds.png", "dream.png", "strokes.png"),
    ),
    Stop(
        "style",
        (
            Line("belamy style landscape.png portrait.png --fast -o like-portrait.png"),
            Line("belamy style landscape.png dream.png --fast -o like-dream.png"),
            Line("belamy style landscape.png still-life.png --fast -o like-still-life.png"),
        ),
        ("landscape.png", "like-portrait.png", "like-dream.png", "like-still-life.png"),
    ),
    Stop(
        "gan",
        (Line(f"belamy learn gan {_LESSON} gan.png", "--steps 300"),),
        ("gan.png",),
    ),
    Stop(
        "applications",
        (
            Line("belamy gan paint -n 8 --seed 1 --upscale 3 -o gallery.png"),
            Line("belamy gan mix 1:4 1:6 --upscale 3 -o mix.png"),
            Line("belamy gan edit 1:6 --upscale 3 -o edit.png"),
        ),
        ("gallery.png", "mix.png", "edit.png"),
    ),
    Stop(
        "cyclegan",
        (
            Line(
                "belamy translate train day dusk --generator residual --generator-channels 16 "
                "--blocks 2 --discriminator-channels 24 --discriminator-layers 2 --size 64 "
                "--crop detail --cycle-weight 5 --identity-weight 0 --steps 200 --batch 4 "
                "--learning-rate 0.001 --ema 0.9 --run cyclegan",
                "--steps 3 --batch 1",
            ),
            Line("belamy translate apply cyclegan/network.safetensors landscape.png -o dusk.png"),
        ),
        ("landscape.png", "dusk.png"),
    ),
    Stop(
        "defogging",
        (
            Line("belamy fog landscape.png --amount 0.6 -o foggy.png"),
            Line("belamy defog foggy.png --compare -o defogged.png"),
        ),
        ("defogged.png",),
    ),
)
"""In the order of the lecture; a stop may use what an earlier one made."""
