"""How soon a painting is as good as it used to be: its loss against CPU seconds, for six pairs.

Before: float32, Adam, 200 steps at the first scale and 100 at each next one. Now: what `--preset
standard` is. Both from the photograph, at one size; the loss is that of the picture that is shown,
at the full size, without a frame, always computed in float32, while the clock stands. With --tried
other ways with fewer steps come too, and a table of where each ends.

    python benchmarks/style_time.py FOLDER RESULTS.json [--size 256] [--pairs 6] [--draw PLOT.svg]
    python benchmarks/style_time.py FOLDER RESULTS.json --size 192 --pairs 1 --tried

FOLDER has photographs in content/ and paintings in style/. What RESULTS.json holds is not painted
again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import torch
from style_quality import PAIRS
from tools import Figure, report
from torch import Tensor

from belamy.engines.style.gradient import FeatureExtractor, style_gradient
from belamy.engines.style.options import StyleOptions
from belamy.engines.style.render import Stylist
from belamy.engines.style.targets import Region, StyleImage, loss_terms
from belamy.objectives.objective import IMAGE
from belamy.objectives.priors import nine_point_variation
from belamy.pixels.images import load_image, resize, save_image

RATIO_BAR = 0.35
WAYS: dict[str, dict[str, Any]] = {
    "before": {"precision": "float32", "iterations": "200,100", "optimizer": "adam"},
    "now": {},
}
TRIED: dict[str, dict[str, Any]] = {
    "Adam, fewer steps": {"iterations": "80,48", "optimizer": "adam"},
    "projected L-BFGS": {"iterations": "80,48", "optimizer": "projected-lbfgs"},
}
EVERY = 5  # steps at the last scale
WIDTH, HEIGHT, LEFT, TOP = 250, 170, 50, 30

Curve: TypeAlias = "list[tuple[float, float]]"
"""(CPU seconds so far, loss) at the last scale."""


def main() -> int:
    given = _arguments()
    if given.results is None:
        print("no folder of pictures is named: nothing is measured")
        return 0
    torch.set_num_threads(1)  # so that CPU seconds count work, not waiting
    known: dict[str, Curve] = {}
    if given.results.exists():
        known = json.loads(given.results.read_text("utf-8"))
    pairs = PAIRS[: given.pairs]
    for content, painting in pairs:
        files = (
            given.folder / "content" / f"{content}.jpg",
            given.folder / "style" / f"{painting}.jpg",
        )
        for way, settings in (WAYS | TRIED if given.tried else WAYS).items():
            key = f"{content} as {painting}, {way}"
            if key not in known:
                options = StyleOptions(*files, size=given.size, **settings)
                image, known[key] = paint(options)
                given.results.write_text(json.dumps(known), "utf-8")
                save_image(image, given.results.with_name(f"{content}-{painting}-{way}.png"))
                print(key, known[key][-1], flush=True)
    if given.tried:
        print(tabulate(known, [f"{content} as {painting}" for content, painting in pairs]))
    if given.draw is not None:
        given.draw.write_text(draw(known), "utf-8")
    ratios = [_ratio(known, f"{content} as {painting}") for content, painting in pairs]
    figures = [
        Figure(f"{content} as {painting}: CPU time over before", ratio, RATIO_BAR)
        for (content, painting), ratio in zip(pairs, ratios, strict=True)
    ]
    return report([*figures, Figure("mean", sum(ratios) / len(ratios), RATIO_BAR)])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("results", type=Path, nargs="?")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--pairs", type=int, default=len(PAIRS))
    parser.add_argument("--draw", type=Path)
    parser.add_argument("--tried", action="store_true")
    return parser.parse_args()


def paint(options: StyleOptions) -> tuple[Tensor, Curve]:
    """The painting, and how its loss fell; the networks loaded before the clock starts."""
    stylist = Stylist(options)
    loss_of = judge(options)
    curve: Curve = []
    steps = stylist.steps()
    spent, start = 0.0, time.process_time()
    image = torch.empty(0)
    for step in steps:
        image = step.image
        last = step.index == step.total
        if max(image.shape[-2:]) == options.size and (last or step.index % EVERY == 0):
            spent += time.process_time() - start
            curve.append((round(spent, 3), loss_of(image)))
            start = time.process_time()
    return image, curve


def tabulate(known: dict[str, Curve], pairs: list[str]) -> str:
    """CPU time and loss in the end over before's, and the time to its loss; means over pairs."""
    rows = ["| | CPU time | loss | time until before's loss |", "|---|---|---|---|"]
    for way in WAYS | TRIED:
        times, losses, until = [], [], []
        for pair in pairs:
            (seconds, loss), own = known[f"{pair}, before"][-1], known[f"{pair}, {way}"]
            times.append(own[-1][0] / seconds)
            losses.append(own[-1][1] / loss)
            until.append(next((at for at, value in own if value <= loss), float("inf")) / seconds)
        when = sum(until) / len(until)
        mark = f"{when:.2f}" if when < float("inf") else "not reached"
        numbers = (sum(times) / len(times), sum(losses) / len(losses))
        rows.append(f"| {way} | {numbers[0]:.2f} | {numbers[1]:.3f} | {mark} |")
    return "\n".join(rows)


def judge(options: StyleOptions) -> Callable[[Tensor], float]:
    """A picture at the full size → all that is minimised, in float32."""
    assert isinstance(options.content, Path)
    assert isinstance(options.style, Path)
    stylist = Stylist(StyleOptions(options.content, options.style, precision="float32"))
    layers = stylist.layers
    extractor = FeatureExtractor(stylist.backbone)
    variation = layers.tv * nine_point_variation()
    painting = load_image(options.style)
    terms: list[Any] = []

    def loss_of(image: Tensor) -> float:
        size = (image.shape[-2], image.shape[-1])
        if not terms:
            content = resize(load_image(options.content), size)
            scale = max(size) / max(painting.shape[-2:])
            shape = tuple(round(side * min(1.0, scale)) for side in painting.shape[-2:])
            region = Region((StyleImage(resize(painting, shape), None, 1.0),))  # type: ignore[arg-type]
            terms.extend(loss_terms(extractor, layers, options.style_loss, content, [region]))
        _, losses = style_gradient(extractor, terms, image, (0, 0))
        return round(sum(losses.values()) + float(variation({IMAGE: image})), 5)

    return loss_of


def _ratio(known: dict[str, Curve], pair: str) -> float:
    """The CPU time until the loss is what it was in the end before, over the time that took."""
    seconds, loss = known[f"{pair}, before"][-1]
    reached = (spent for spent, own in known[f"{pair}, now"] if own <= loss)
    return next(reached, float("inf")) / seconds


def draw(known: dict[str, Curve]) -> str:
    """The curves, a panel for each pair, as SVG: grey before, red now."""
    pairs = list(dict.fromkeys(key.rpartition(",")[0] for key in known))
    rows = -(-len(pairs) // 3)
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="11" '
        f'viewBox="0 0 {3 * (WIDTH + LEFT) + 10} {rows * (HEIGHT + 2 * TOP)}">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for index, pair in enumerate(pairs):
        left, top = LEFT + index % 3 * (WIDTH + LEFT), TOP + index // 3 * (HEIGHT + 2 * TOP)
        parts += _panel(known, pair, left, top)
    return "\n".join([*parts, "</svg>", ""])


def _panel(known: dict[str, Curve], pair: str, left: float, top: float) -> list[str]:
    curves = {way: known.get(f"{pair}, {way}", []) for way in WAYS}
    points = [point for curve in curves.values() for point in curve]
    most = max(seconds for seconds, _ in points)
    low, high = (bound(loss for _, loss in points) for bound in (min, max))
    parts = [f'<text x="{left}" y="{top - 8}">{pair}</text>']
    bottom = top + HEIGHT
    frame = 'fill="none" stroke="#999"'
    parts.append(f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" {frame}/>')
    for value, y in ((high, top + 10), (low, bottom)):
        parts.append(f'<text x="{left - 4}" y="{y:.0f}" text-anchor="end">{value:.3g}</text>')
    for value, x in ((0.0, left), (most, left + WIDTH)):
        label = f"{value:.0f} s"
        parts.append(f'<text x="{x}" y="{bottom + 14}" text-anchor="middle">{label}</text>')
    for (way, curve), colour in zip(curves.items(), ("#888", "#c22"), strict=True):
        line = " ".join(
            f"{left + WIDTH * seconds / most:.1f},"
            f"{bottom - HEIGHT * (loss - low) / max(high - low, 1e-9):.1f}"
            for seconds, loss in curve
        )
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if curve:
            x = left + WIDTH * curve[-1][0] / most
            y = bottom - HEIGHT * (curve[-1][1] - low) / max(high - low, 1e-9)
            parts.append(f'<text x="{x - 4:.0f}" y="{y - 6:.0f}" text-anchor="end">{way}</text>')
    return parts


if __name__ == "__main__":
    sys.exit(main())
