"""What pictures cost as they grow: CPU seconds and peak memory against megapixels.

Each measurement runs in a process of its own, on random pictures of 4:3: a dream (four octaves, a
step at each: a tenth of the usual ones), a step of style, a painting by heart, fog removed, a
translation; and one step of a GAN's training against the pictures in its batch. CPU seconds are
those of the work alone, networks loaded; the peak is the process's.

    python benchmarks/cost.py RESULTS.jsonl [--threads 1 2] [--limit 60] [--draw PAGE.md]

A row ends where its next measurement would take more CPU seconds than the limit. What RESULTS.jsonl
holds is not measured again. With --draw the table stands in the page, between its two marks, and
the plot in docs/pictures/cost.svg: two panels over megapixels, and one over a training's batch.
Where a line bends in log-log, that is where the cost of twice the work changes by a half or more
from one place to the next, is said below the table.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEGAPIXELS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
BATCHES = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
TRAINING = "training step"
FIRST, LAST = "<!-- benchmarks/cost.py -->\n", "<!-- end -->\n"
BEND = 0.5  # of the slope in log-log from one place to the next
ASIDE = 1.5  # CPU seconds that a measurement may take without being foreseen
PLOT = Path("docs/pictures/cost.svg")

Row = Mapping[str, Any]


def _dream(image: Any) -> Callable[[], object]:
    from belamy.engines.dream.options import DreamOptions
    from belamy.engines.dream.render import Dreamer

    dreamer = Dreamer(DreamOptions(model="iris", steps=1, octaves=4, size="full"))
    return lambda: dreamer(image)


def _style_step(image: Any) -> Callable[[], object]:
    from belamy.engines.style.api import style_steps

    side = max(image.shape[-2:])
    manner = image[..., :384, :512]
    steps = style_steps(image, manner, size="full", min_size=side, style_size=512, iterations=3)
    next(steps)  # the targets are measured with it
    return lambda: next(steps)


def _by_heart(image: Any) -> Callable[[], object]:
    from belamy.engines.faststyle.apply import StyleApplier
    from belamy.engines.faststyle.options import ApplyStyleOptions

    applier = StyleApplier(ApplyStyleOptions(network="starry-night"))
    return lambda: applier(image)


def _defog(image: Any) -> Callable[[], object]:
    from belamy.engines.defog.options import DefogOptions
    from belamy.engines.defog.remove import Defogger

    defogger = Defogger(DefogOptions())
    return lambda: defogger(image)


def _translate(image: Any) -> Callable[[], object]:
    from belamy.engines.translate.options import TranslateOptions
    from belamy.engines.translate.render import Translator

    translator = Translator(TranslateOptions(network="impressionism"))
    return lambda: translator(image)


WORKS: dict[str, Callable[[Any], Callable[[], object]]] = {
    "dream, 4 steps": _dream,
    "style, a step": _style_step,
    "style apply": _by_heart,
    "defog": _defog,
    "translate": _translate,
}


def main() -> int:
    given = _arguments()
    if given.one:
        print(json.dumps(measure(given.one[0], float(given.one[1]), given.threads[0])))
        return 0
    if given.results is None:
        print("no file for the results is named: nothing is measured")
        return 0
    rows = _read(given.results)
    for threads in given.threads:
        for work in (*WORKS, TRAINING):
            amounts = BATCHES if work == TRAINING else MEGAPIXELS
            rows = _fill(given.results, rows, work, amounts, threads, given.limit)
    table = write_table(rows, given.limit)
    print(table)
    if given.draw is not None:
        PLOT.write_text(draw(rows), "utf-8")
        page = given.draw.read_text("utf-8")
        before, _, rest = page.partition(FIRST)
        _, _, after = rest.partition(LAST)
        given.draw.write_text(f"{before}{FIRST}{table}{LAST}{after}", "utf-8")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("results", type=Path, nargs="?")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--limit", type=float, default=60.0, help="CPU seconds")
    parser.add_argument("--draw", type=Path, help="the page that holds the table")
    parser.add_argument("--one", nargs=2, metavar=("WORK", "AMOUNT"), help="used by itself")
    return parser.parse_args()


def _read(path: Path) -> list[Row]:
    return (
        [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
    )


def _fill(
    path: Path, rows: list[Row], work: str, amounts: Iterable[float], threads: int, limit: float
) -> list[Row]:
    """The rows with what is missing of one curve, each written down as it comes."""
    curve = [row for row in rows if row["work"] == work and row["threads"] == threads]
    known = {row["amount"] for row in curve}
    for amount in amounts:
        if amount in known:
            continue
        if curve and _foresee(curve, amount) > limit:
            break
        row = {
            "work": work,
            "amount": amount,
            "threads": threads,
            **_in_process(work, amount, threads),
        }
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)
        curve.append(row)
        rows = [*rows, row]
    return rows


def _foresee(curve: Sequence[Row], amount: float) -> float:
    """In proportion to what was measured last."""
    last = curve[-1]
    return float(last["seconds"]) * amount / float(last["amount"])


def _in_process(work: str, amount: float, threads: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", work, str(amount), "--threads", str(threads)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def measure(work: str, amount: float, threads: int) -> dict[str, float]:
    """CPU seconds of the work at its best of one to five times, and this process's peak in MB."""
    import torch

    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as place:
        run = _training(int(amount), place) if work == TRAINING else WORKS[work](_picture(amount))
        seconds = []
        while not seconds or (sum(seconds) < ASIDE and len(seconds) < 2):
            start = time.process_time()
            run()
            seconds.append(time.process_time() - start)
    return {"seconds": round(min(seconds), 4), "megabytes": round(_peak())}


def _picture(megapixels: float) -> Any:
    import torch

    height = round(math.sqrt(megapixels * 1e6 * 3 / 4) / 8) * 8
    rng = torch.Generator().manual_seed(0)
    coarse = torch.rand((1, 3, 9, 12), generator=rng)
    size = (height, height * 4 // 3 // 8 * 8)
    return torch.nn.functional.interpolate(coarse, size=size, mode="bilinear")


def _training(batch: int, place: str) -> Callable[[], object]:
    from gan import make_task

    task = make_task("light", "relativistic", Path(place), batch=batch)
    steps = iter(range(1_000_000))
    task.step(next(steps), task.accelerator.backward)
    return lambda: task.step(next(steps), task.accelerator.backward)


def _peak() -> float:
    import resource

    if sys.platform == "linux":
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
        return int(next(one for one in lines if one.startswith("VmHWM")).split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def slope(curve: Sequence[Row], name: str) -> float:
    """Of the straight line in log-log through the points, by least squares."""
    x = [math.log(row["amount"]) for row in curve]
    y = [math.log(max(row[name], 1e-6)) for row in curve]
    middle_x, middle_y = sum(x) / len(x), sum(y) / len(y)
    above = sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y, strict=True))
    return above / max(sum((a - middle_x) ** 2 for a in x), 1e-9)


def curves_of(rows: Sequence[Row]) -> dict[tuple[str, int], list[Row]]:
    """(work, threads) → its rows by amount."""
    curves: dict[tuple[str, int], list[Row]] = {}
    for row in sorted(rows, key=lambda row: row["amount"]):
        curves.setdefault((row["work"], row["threads"]), []).append(row)
    return curves


def write_table(rows: Sequence[Row], limit: float) -> str:
    """Two tables in Markdown: over megapixels, and over batches."""
    curves = curves_of(rows)
    parts = []
    for amounts, unit, training in ((MEGAPIXELS, "Mpx", False), (BATCHES, "in a batch", True)):
        chosen = {key: curve for key, curve in curves.items() if (key[0] == TRAINING) == training}
        if not chosen:
            continue
        heads = ["", "threads", *(f"{amount:g} {unit}" for amount in amounts), "slopes"]
        lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        lines += [_line(*key, curve, amounts) for key, curve in sorted(chosen.items())]
        parts.append("\n".join(lines))
    note = (
        f"CPU seconds, peak MB; — where a measurement would have taken over {limit:g} CPU seconds."
    )
    bends = list_bends(curves)
    return "\n\n".join([*parts, note, *([bends] if bends else [])]) + "\n"


def list_bends(curves: Mapping[tuple[str, int], Sequence[Row]]) -> str:
    """One line that says where the seconds of which work bend, up or down."""
    found = []
    for (work, threads), curve in sorted(curves.items()):
        pairs = list(itertools.pairwise(curve))
        slopes = [round(slope(pair, "seconds"), 1) + 0.0 for pair in pairs]
        for place, (before, after) in enumerate(itertools.pairwise(slopes)):
            if abs(after - before) >= BEND:
                amount = pairs[place][1]["amount"]
                where = f"{amount:g}" if work == TRAINING else f"{amount:g} Mpx"
                found.append(
                    f"{work}, {threads} thread{'s' if threads > 1 else ''}, at {where} "
                    f"({before:.1f} → {after:.1f})"
                )
    return f"Bends of the seconds' slope: {'; '.join(found)}." if found else ""


def _line(work: str, threads: int, curve: Sequence[Row], amounts: Sequence[float]) -> str:
    by_amount = {row["amount"]: row for row in curve}
    cells = [
        f"{by_amount[one]['seconds']:.3g} s, {by_amount[one]['megabytes']:,} MB"
        if one in by_amount
        else "—"
        for one in amounts
    ]
    upper = curve[len(curve) // 2 :] if len(curve) > 3 else curve
    slopes = f"{slope(curve, 'seconds'):.2f}, {slope(upper, 'megabytes'):.2f}"
    return f"| {' | '.join([work, str(threads), *cells, slopes])} |"


COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b")
WIDTH, HEIGHT, LEFT, TOP = 400, 320, 60, 30
BETWEEN = 165  # from one name in the legend to the next
SECONDS, MEGABYTES = (0.01, 100.0), (100.0, 10_000.0)


@dataclass(frozen=True)
class Panel:
    """One plot in log-log.

    Args:
        name: of what is measured, as rows have it.
        span: of it, from the bottom to the top.
        amounts: along the other axis, in `unit`.
    """

    name: str
    title: str
    span: tuple[float, float]
    amounts: tuple[float, ...] = MEGAPIXELS
    unit: str = "megapixels"

    def x_of(self, amount: float) -> float:
        return 0.92 * WIDTH * _place(amount, self.amounts[0], self.amounts[-1])

    def y_of(self, value: float) -> float:
        low, high = self.span
        return TOP + HEIGHT * (1 - _place(min(max(value, low), high), low, high))


def _place(value: float, low: float, high: float) -> float:
    return math.log(value / low) / math.log(high / low)


PANELS = (
    Panel("seconds", "CPU seconds", SECONDS),
    Panel("megabytes", "peak MB", MEGABYTES),
    Panel("seconds", "CPU seconds of a training step", SECONDS, BATCHES, "pictures in a batch"),
)


def draw(rows: Sequence[Row]) -> str:
    """The plots in log-log, as SVG; lines are dashed where there are two threads."""
    curves = curves_of(rows)
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12" '
        f'viewBox="0 0 {len(PANELS) * (WIDTH + LEFT) + 20} {HEIGHT + 110}">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for index, panel in enumerate(PANELS):
        training = panel.amounts == BATCHES
        own = {key: curve for key, curve in curves.items() if (key[0] == TRAINING) == training}
        lines = "\n".join(_draw_panel(panel, own))
        parts.append(f'<g transform="translate({LEFT + index * (WIDTH + LEFT)})">{lines}</g>')
    for index, work in enumerate((*WORKS, TRAINING)):
        x, y = LEFT + index * BETWEEN, TOP + HEIGHT + 60
        parts.append(f'<rect x="{x}" y="{y - 9}" width="18" height="4" fill="{COLOURS[index]}"/>')
        parts.append(f'<text x="{x + 24}" y="{y}">{work}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _draw_panel(panel: Panel, curves: Mapping[tuple[str, int], Sequence[Row]]) -> Iterator[str]:
    yield f'<text x="0" y="{TOP - 10}" font-weight="bold">{panel.title}</text>'
    end, low, high = panel.x_of(panel.amounts[-1]), *panel.span
    for value in (
        10.0**power for power in range(round(math.log10(low)), round(math.log10(high)) + 1)
    ):
        y = panel.y_of(value)
        yield f'<line x1="0" x2="{end}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
    for amount in panel.amounts:
        x, y = panel.x_of(amount), TOP + HEIGHT
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{y}" stroke="#eee"/>'
        yield f'<text x="{x:.1f}" y="{y + 18}" text-anchor="middle">{amount:g}</text>'
    yield f'<text x="{end}" y="{TOP + HEIGHT + 34}" text-anchor="end">{panel.unit}</text>'
    for (work, threads), curve in curves.items():
        places = ((panel.x_of(row["amount"]), panel.y_of(row[panel.name])) for row in curve)
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        colour = COLOURS[(*WORKS, TRAINING).index(work)]
        dashes = ' stroke-dasharray="5 4"' if threads > 1 else ""
        line = f'fill="none" stroke="{colour}" stroke-width="2"{dashes}'
        yield f'<polyline points="{points}" {line}/>'


if __name__ == "__main__":
    sys.exit(main())
