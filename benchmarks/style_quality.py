"""How much of a painting's manner a picture gets, and how much of what it shows it keeps.

Measured by a network that had no part in the painting: SqueezeNet with its ImageNet weights, where
belamy's own iris, or its any-style network, painted.

    manner    distance of the Gram matrices from the painting's, over that of the photograph:
              1 is the photograph, 0 the painting.
    content   distance of the features from the photograph's, over that of the painting:
              0 is the photograph, 1 a picture that shows something else altogether.

    belamy models import squeezenet1_0 WEIGHTS.npz
    python benchmarks/style_quality.py FOLDER [--size 256] [--others] [--out FOLDER]
    python benchmarks/style_quality.py FOLDER --methods heart fast --style starry_night

FOLDER has photographs in content/ and paintings in style/. With --out the paintings are kept there,
and those that are there already are only measured.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from tools import Figure, report
from torch import Tensor

from belamy.engines.style.api import style
from belamy.networks.backbone import Backbone, load_backbone
from belamy.objectives.style_losses import moments_of
from belamy.pixels.images import contact_sheet, fit, load_image, resize, save_image

JUDGE = "squeezenet1_0"
MANNER = ("relu1", "fire2", "fire4", "fire6", "fire8")
CONTENT = "fire6"
PAIRS = (
    ("golden_gate", "great_wave"),
    ("tubingen", "starry_night"),
    ("chelsea", "the_scream"),
    ("sailboat", "shipwreck"),
    ("lion", "composition_vii"),
    ("kodim03", "mosaic"),
)
# Chosen by a shuffled list, before anything was painted.
OTHERS = (
    ("tubingen", "composition_vii"),
    ("astronaut", "starry_night"),
    ("sailboat", "great_wave"),
    ("golden_gate", "mosaic"),
    ("lion", "shipwreck"),
    ("kodim03", "the_scream"),
)
# Of the means: a manner that is taken on, a content that is kept.
MANNER_BAR, CONTENT_BAR = 0.48, 0.79

Method = Callable[[Path, Path, int], Tensor]


def _optimised(content: Path, painting: Path, size: int) -> Tensor:
    return style(content, painting, preset="sketch", size=size).image


def _fast(content: Path, painting: Path, size: int) -> Tensor:
    from belamy.engines.anystyle.api import any_style

    return any_style(content, painting, size=size).image


def _by_heart(content: Path, painting: Path, size: int) -> Tensor:
    """By the package's network of this painting."""
    from belamy.engines.faststyle.api import apply_style

    return apply_style(content, network=painting.stem.replace("_", "-"), size=size).image


METHODS: dict[str, Method] = {"optimised": _optimised, "fast": _fast, "heart": _by_heart}


def main() -> int:
    asked = _arguments()
    if asked.folder is None:
        print("no folder of pictures is named: nothing is measured")
        return 0
    judge = load_backbone(JUDGE, layers=MANNER)
    pairs = OTHERS if asked.others else PAIRS
    if asked.style is not None:
        pairs = tuple((content, asked.style) for content, _ in PAIRS)
    pairs = pairs[:1] if asked.quick else pairs
    rows: list[Mapping[str, tuple[float, float]]] = []
    pictures: list[Tensor] = []
    with tempfile.TemporaryDirectory() as spare:
        out = asked.out or Path(spare)
        for content, painting in pairs:
            files = (
                asked.folder / "content" / f"{content}.jpg",
                asked.folder / "style" / f"{painting}.jpg",
            )
            before, wanted = (at_size(load_image(file), asked.size) for file in files)
            made = {name: _made(name, files, asked.size, out) for name in asked.methods}
            rows.append(
                {name: measure_painting(judge, before, wanted, x) for name, x in made.items()}
            )
            pictures += [before, wanted, *made.values()]
            told = "  ".join(f"{n} {m:.2f} {c:.2f}" for n, (m, c) in rows[-1].items())
            sys.stdout.write(f"{content} as {painting}: {told}\n")
        sheet = contact_sheet(pictures, columns=2 + len(asked.methods), cell=asked.size)
        save_image(sheet, out / "sheet.png")
    return report(_means(rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--others", action="store_true", help="six other pairs")
    parser.add_argument("--style", help="one painting for all six photographs: great_wave")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=["optimised", "fast"])
    return parser.parse_args()


def _made(method: str, files: tuple[Path, Path], size: int, out: Path) -> Tensor:
    path = out / f"{files[0].stem}-{files[1].stem}-{method}.png"
    if not path.exists():
        save_image(METHODS[method](*files, size), path)
    return load_image(path)


def at_size(image: Tensor, size: int) -> Tensor:
    return resize(image, fit(image.shape[-2], image.shape[-1], size))


@torch.inference_mode()
def measure_painting(
    judge: Backbone, content: Tensor, painting: Tensor, made: Tensor
) -> tuple[float, float]:
    """How far from the manner of the painting, and how far from the photograph."""
    size = (content.shape[-2], content.shape[-1])
    seen = {
        name: judge(x, MANNER)
        for name, x in {
            "content": content,
            "painting": painting,
            "made": made,
            "elsewhere": resize(painting, size),
        }.items()
    }
    far = {name: _gram_distance(x, seen["painting"]) for name, x in seen.items()}
    off = {name: _feature_distance(seen[name], seen["content"]) for name in ("made", "elsewhere")}
    return far["made"] / far["content"], off["made"] / off["elsewhere"]


def _gram_distance(seen: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> float:
    parts = []
    for layer in MANNER:
        own, other = moments_of(seen[layer]).second, moments_of(wanted[layer]).second
        parts.append(float((own - other).norm() / other.norm()))
    return sum(parts) / len(parts)


def _feature_distance(seen: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> float:
    return float((seen[CONTENT] - wanted[CONTENT]).norm() / wanted[CONTENT].norm())


def _means(rows: list[Mapping[str, tuple[float, float]]]) -> list[Figure]:
    figures = []
    for name in rows[0]:
        manner, content = (sum(row[name][i] for row in rows) / len(rows) for i in (0, 1))
        figures.append(Figure(f"{name}: manner (1 before)", manner, MANNER_BAR))
        figures.append(Figure(f"{name}: content (0 before)", content, CONTENT_BAR))
    return figures


if __name__ == "__main__":
    sys.exit(main())
