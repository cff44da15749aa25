"""Whether anybody sees that a network computed in bfloat16.

Paintings by steps and in one pass, six pairs: manner and content as SqueezeNet sees them (see
`style_quality.py`), in bfloat16 against float32. Networks of one style, and the translation: the
signal-to-noise ratio of what they paint. Dreams, two layers on six photographs: the objective of
the finished dream, taken in float32; and how far SqueezeNet's features of both dreams lie apart,
beside how far two float32 dreams of different seeds do.

    belamy models import squeezenet1_0 WEIGHTS.npz
    python benchmarks/precision.py FOLDER [--size 192] [--quick] [--out FOLDER]

FOLDER has photographs in content/ and paintings in style/. With --out pictures are kept there, and
those that are there already are only measured.
"""

from __future__ import annotations

import argparse
import functools
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from style_quality import CONTENT, JUDGE, MANNER, PAIRS, at_size, measure_painting
from tools import Figure, report
from torch import Tensor

from belamy.engines.anystyle.api import any_style
from belamy.engines.dream.api import dream
from belamy.engines.faststyle.api import apply_style
from belamy.engines.style.api import style
from belamy.engines.translate.api import translate
from belamy.networks.backbone import Backbone, load_backbone
from belamy.objectives.features import energy
from belamy.optimise import activations_of
from belamy.pixels.images import contact_sheet, load_image, save_image
from belamy.precision import PassPrecision

PRECISIONS: tuple[PassPrecision, ...] = ("float32", "bfloat16")
NETWORKS = ("starry-night", "great-wave", "the-scream", "composition-vii")
TRANSLATION = "impressionism"
LAYERS = ("mixed3a", "mixed4b")
WITHIN = 0.02  # of float32's figure
NOISE_BAR = 40.0  # dB
SEEDS_BAR = 1.0  # bfloat16 may change a dream as another seed does


def main() -> int:
    given = _arguments()
    if given.folder is None:
        print("no folder of pictures is named: nothing is measured")
        return 0
    judge = load_backbone(JUDGE, layers=MANNER)
    pairs = PAIRS[:1] if given.quick else PAIRS
    photos = [given.folder / "content" / f"{content}.jpg" for content, _ in pairs]
    paintings = [given.folder / "style" / f"{painting}.jpg" for _, painting in pairs]
    with tempfile.TemporaryDirectory() as spare:
        keep = Kept(given.out or Path(spare), given.size)
        figures = [
            *_compare_paintings("by steps", _by_steps, keep, judge, photos, paintings),
            *_compare_paintings("in one pass", _in_one_pass, keep, judge, photos, paintings),
            *_compare_passes(keep, photos[0]),
            *_compare_dreams(keep, judge, photos),
        ]
        save_image(contact_sheet(keep.shown, columns=2, cell=given.size), keep.folder / "sheet.png")
    return report(figures)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--quick", action="store_true", help="one pair alone")
    return parser.parse_args()


class Kept:
    """Pictures that are made once.

    Args:
        folder: where.
        size: long side in pixels.

    Attributes:
        shown: those of both precisions, side by side.
    """

    def __init__(self, folder: Path, size: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.size = folder, size
        self.shown: list[Tensor] = []

    def picture(self, name: str, make: Callable[[], Tensor]) -> Tensor:
        path = self.folder / f"{name}-{self.size}.png"
        if not path.exists():
            save_image(make(), path)
        return load_image(path)

    def both(self, name: str, make: Callable[[PassPrecision], Tensor]) -> list[Tensor]:
        """In float32 and in bfloat16."""
        made = [
            self.picture(f"{name}-{precision}", functools.partial(make, precision))
            for precision in PRECISIONS
        ]
        self.shown += made
        return made


def _by_steps(photo: Path, painting: Path, size: int, precision: PassPrecision) -> Tensor:
    made = style(photo, painting, preset="sketch", size=size, precision=precision)
    return made.image


def _in_one_pass(photo: Path, painting: Path, size: int, precision: PassPrecision) -> Tensor:
    return any_style(photo, painting, size=size, precision=precision).image


def _compare_paintings(
    way: str,
    paint: Callable[[Path, Path, int, PassPrecision], Tensor],
    keep: Kept,
    judge: Backbone,
    photos: Sequence[Path],
    paintings: Sequence[Path],
) -> list[Figure]:
    rows = []
    for photo, painting in zip(photos, paintings, strict=True):
        before, target = (at_size(load_image(path), keep.size) for path in (photo, painting))
        made = keep.both(
            f"{photo.stem}-{painting.stem}-{way.replace(' ', '-')}",
            functools.partial(paint, photo, painting, keep.size),
        )
        rows.append([measure_painting(judge, before, target, one) for one in made])
    figures = []
    for index, name in enumerate(("manner", "content")):
        single, half = (sum(row[which][index] for row in rows) / len(rows) for which in (0, 1))
        print(f"{way}: {name} {single:.4f} in float32, {half:.4f} in bfloat16")
        most = max(abs(row[1][index] / row[0][index] - 1) for row in rows)
        figures.append(Figure(f"{way}: {name}, mean, off by", abs(half / single - 1), WITHIN))
        figures.append(Figure(f"{way}: {name}, worst pair, off by", most, WITHIN))
    return figures


def _compare_passes(keep: Kept, photo: Path) -> list[Figure]:
    figures = []
    for network in (*NETWORKS, TRANSLATION):
        make = functools.partial(_repaint, photo, network, keep.size)
        single, half = keep.both(f"{photo.stem}-{network}", make)
        noise = -10 * float((single - half).square().mean().clamp_min(1e-10).log10())
        figures.append(Figure(f"{network}: dB", noise, NOISE_BAR, at_most=False))
    return figures


def _repaint(photo: Path, network: str, size: int, precision: PassPrecision) -> Tensor:
    image = at_size(load_image(photo), size)
    if network == TRANSLATION:
        return translate(image, network=network, precision=precision).image
    return apply_style(image, network=network, precision=precision).image


def _compare_dreams(keep: Kept, judge: Backbone, photos: Sequence[Path]) -> list[Figure]:
    values, distances = [], []
    for layer in LAYERS:
        eye = load_backbone("iris", layers=[layer])
        score = energy(layer)
        for photo in photos:
            name = f"{photo.stem}-{layer}"
            one, half = keep.both(name, functools.partial(_dream, photo, layer, keep.size))
            other = keep.picture(
                f"{name}-seed", functools.partial(_dream, photo, layer, keep.size, seed=1)
            )
            with torch.inference_mode():
                seen = [float(score(activations_of(eye, x, [layer]))) for x in (one, half)]
            values.append(abs(seen[1] / seen[0] - 1))
            distances.append(_distance(judge, one, half) / _distance(judge, one, other))
    return [
        Figure(f"{len(values)} dreams: objective, mean, off by", _mean(values), WITHIN),
        Figure(f"{len(values)} dreams: objective, the worst, off by", max(values), WITHIN),
        Figure("distance of dreams over that of two seeds, mean", _mean(distances), SEEDS_BAR),
        Figure("distance of dreams over that of two seeds, worst", max(distances), SEEDS_BAR),
    ]


def _dream(
    photo: Path, layer: str, size: int, precision: PassPrecision = "float32", seed: int = 0
) -> Tensor:
    image = at_size(load_image(photo), size)
    return dream(image, model="iris", layer=layer, precision=precision, seed=seed).image


@torch.inference_mode()
def _distance(judge: Backbone, one: Tensor, other: Tensor) -> float:
    first, second = (judge(x, [CONTENT])[CONTENT] for x in (one, other))
    return float((first - second).norm() / first.norm())


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


if __name__ == "__main__":
    sys.exit(main())
