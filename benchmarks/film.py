"""How steady films are, and how a journey keeps its detail and its colours.

Flicker is the mean difference between a frame and the one before it, moved to where its things are
now, over what is seen in both; of the film held to itself over that of frames made one by one. Blur
would win it, so the energy of the gradients stands beside it. The film is drawn by formula, so that
its motion is exact; another one can be named, whose motion is estimated.

    python benchmarks/film.py [--quick] [FILM] [--only dream,…,breathing,passes,speed]

`breathing` is how far the level of what stands still goes up and down, once something bright passes
and once the exposure changes. `passes` paints the drawn film there and back and there again.

`speed` is the whole command `style apply starry-night` at 640×360 through OpenVINO, reading, motion
and writing included: frames for each second of one core, on one thread; and frames a second by the
clock, on as many threads as there are cores, beside how many of them other work left free: the bar
is three frames for each of these.
"""

from __future__ import annotations

import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from tools import Figure, report
from torch import Tensor

from belamy.engines.film.api import DreamZoomOptions
from belamy.engines.film.clearing import FilmDefogger
from belamy.engines.film.dreaming import FilmDreamer
from belamy.engines.film.film_options import (
    AnyStyleFilmOptions,
    ApplyStyleFilmOptions,
    DefogFilmOptions,
    DreamFilmOptions,
    StyleFilmOptions,
    TranslateFilmOptions,
)
from belamy.engines.film.films import open_repainted
from belamy.engines.film.frames import steps_of
from belamy.engines.film.journey import Zoom
from belamy.engines.film.one_pass import anystyle_film, faststyle_film, translate_film
from belamy.engines.film.painting import FilmStylist
from belamy.engines.film.repaint import FrameRenderer
from belamy.pixels.colors import color_moments
from belamy.pixels.film.reader import open_film
from belamy.pixels.film.writer import create_film
from belamy.pixels.motion.detail import gradient_energy
from belamy.pixels.motion.flow import Motion, estimate_motion, warp
from belamy.pixels.motion.rendered import RenderedFilm
from belamy.pixels.scenes import clouds

PICTURE_BAR, PASS_BAR, SHARP_BAR = 0.4, 0.6, 0.9
DETAIL_BARS, COLOUR_BAR = (0.85, 1.15), 6.0
BREATH_BAR = 1.0  # levels
RATE_BAR = 3.0  # frames that a core makes in a second: six on two
SECONDS_BAR = 0.35  # of a still's, that a dreamt frame takes
# Frames are handed to the engines one by one; the file that their recipes name is only hashed.
FILM = Path(tempfile.mkdtemp()) / "film.mp4"


def main() -> int:
    FILM.write_bytes(b"frames")
    words = sys.argv[1:]
    quick = "--quick" in words
    only = words[words.index("--only") + 1].split(",") if "--only" in words else ENGINES
    film = next((Path(word) for word in words if Path(word).is_file()), None)
    count = 5 if quick else 12
    figures: list[Figure] = []
    for name in only:
        if name == "journey":
            figures += journey(30 if quick else 300)
        elif name == "breathing":
            for one in ("faststyle", "anystyle", "translate"):
                figures += breathing(one, 6 if quick else 12)
        elif name == "passes":
            figures += passes(4 if quick else 8)
        elif name == "speed":
            figures += speed(8 if quick else 40)
        else:
            figures += flicker(name, *frames_of(film, count, hazy=name == "defog"))
    return report(figures)


def frames_of(film: Path | None, count: int, *, hazy: bool) -> tuple[list[Tensor], list[Motion]]:
    """The frames of a film, and the motion that flicker is measured by."""
    if film is None:
        grain = 2.0 if hazy else 0.0
        rendered = RenderedFilm(96, 160, haze=0.7 if hazy else 0.0, grain=grain)
        motions = [rendered.motion(index) for index in range(1, count)]
        return [rendered.frame(index) for index in range(count)], motions
    with open_film(film, size=256) as reader:
        frames = [frame.image for frame, _ in zip(reader, range(count), strict=False)]
    if hazy:
        frames = [haze(frame, index) for index, frame in enumerate(frames)]
    return frames, [estimate_motion(before, now) for before, now in pairwise(frames)]


def haze(frame: Tensor, index: int) -> Tensor:
    """A frame in fog, denser above, with a camera's grain."""
    rows = torch.linspace(0.25, 0.85, frame.shape[-2]).view(1, 1, -1, 1)
    noise = torch.randn(frame.shape, generator=torch.Generator().manual_seed(index))
    return (rows * frame + (1 - rows) * 0.85 + 2 / 255 * noise).clamp(0, 1)


RENDERERS: dict[str, Callable[[float], FrameRenderer]] = {
    "dream": lambda steady: FilmDreamer(DreamFilmOptions(FILM, model="iris", steady=steady)),
    "style": lambda steady: FilmStylist(
        StyleFilmOptions(
            FILM,
            clouds(96, 128, 3).roll(1, 1),
            model="iris",
            iterations="60,40",
            steady=steady,
        )
    ),
    "faststyle": lambda steady: faststyle_film(
        ApplyStyleFilmOptions(FILM, network="starry-night", steady=steady)
    ),
    "anystyle": lambda steady: anystyle_film(
        AnyStyleFilmOptions(FILM, clouds(96, 128, 3), size=160, steady=steady)
    ),
    "translate": lambda steady: translate_film(
        TranslateFilmOptions(FILM, network="impressionism", steady=steady)
    ),
    "defog": lambda steady: FilmDefogger(DefogFilmOptions(FILM, steady=steady)),
}
ENGINES = (*RENDERERS, "journey", "breathing", "passes", "speed")


def flicker(name: str, frames: Sequence[Tensor], motions: Sequence[Motion]) -> list[Figure]:
    """Flicker and sharpness of a film held to itself, over those of frames one by one."""
    found = {}
    for steady in (0.0, 1.0):
        images, seconds = make(RENDERERS[name](steady), frames)
        changes = [
            change(before, now, motion)
            for (before, now), motion in zip(pairwise(images), motions, strict=True)
        ]
        sharp = sum(map(gradient_energy, images[1:])) / len(images[1:])
        found[steady] = sum(changes) / len(changes), sharp, seconds
    (free, plain, still), (held, sharp, later) = found[0.0], found[1.0]
    bar = PICTURE_BAR if name in ("dream", "style") else PASS_BAR
    figures = [
        Figure(f"{name}: flicker ({255 * free:.1f} levels frame by frame)", held / free, bar),
        Figure(f"{name}: sharpness", sharp / plain, SHARP_BAR, at_most=False),
    ]
    if name == "dream":
        figures.append(
            Figure("dream: a frame's seconds over a still's", later / still, SECONDS_BAR)
        )
    return figures


def make(renderer: FrameRenderer, frames: Sequence[Tensor]) -> tuple[list[Tensor], float]:
    """The results, and the CPU seconds of a frame but for the first."""
    renderer.prepare(frames[0])
    painted = renderer.begin(frames[0])
    images = [painted.image]
    started = time.process_time()
    for before, now in pairwise(frames):
        motion = estimate_motion(before, now, renderer.motion_quality)
        painted = renderer.follow(now, before, painted.state, motion)
        images.append(painted.image)
    return images, (time.process_time() - started) / (len(frames) - 1)


def change(before: Tensor, now: Tensor, motion: Motion) -> float:
    """The mean difference that motion does not explain."""
    difference = (now - warp(before, motion.flow)).abs().mean(1, keepdim=True)
    return float((difference * motion.mask).sum() / motion.mask.sum())


def journey(count: int) -> list[Figure]:
    """A journey's detail and colours, the worst of all frames, over those of the first."""
    options = DreamZoomOptions(
        clouds(96, 160, 1),
        model="iris",
        size=160,
        seconds=count / 25,
        zoom=1.04,
        rotate=1.5,
        shift="2,0",
    )
    rows = [measure(frame.image) for frame in Zoom(options).frames(0, None)]
    first = rows[0]
    details = [(row[0] / first[0]) ** 0.5 for row in rows]
    drift = max(float((row[1] - first[1]).abs().max()) for row in rows) * 255
    return [
        Figure(
            f"journey of {count} frames: least detail", min(details), DETAIL_BARS[0], at_most=False
        ),
        Figure("journey: most detail", max(details), DETAIL_BARS[1]),
        Figure("journey: drift of the mean colour, in levels", drift, COLOUR_BAR),
    ]


def passes(count: int) -> list[Figure]:
    """Flicker, sharpness and time of a panned film painted in three passes, over those of one."""
    rendered = RenderedFilm(72, 120, shift=(4.0, 1.0))
    film = write_film(FILM.parent / "passes.mp4", [rendered.frame(i) for i in range(count)])
    found = []
    for number in (1, 3):
        options = StyleFilmOptions(
            film, clouds(96, 128, 3).roll(1, 1), model="iris", iterations="30,20", passes=number
        )
        work = open_repainted(options)
        started = time.process_time()
        images = [step.image for step in steps_of(work)]
        seconds = time.process_time() - started
        seen, fresh = (
            sum(
                change(before, now, seen_in(rendered, index))
                for index, (before, now) in enumerate(pairwise(images), start=1)
                if index > 1
            )
            for seen_in in (RenderedFilm.motion, motion_of_fresh)
        )
        found.append((seen, fresh, sum(map(gradient_energy, images)), seconds))
    ratios = [after / before for before, after in zip(*found, strict=True)]
    return [
        Figure("three passes: flicker, over one pass's", ratios[0], 0.9),
        Figure("three passes: that of what came to light just before", ratios[1], 0.9),
        Figure("three passes: sharpness", ratios[2], SHARP_BAR, at_most=False),
        Figure("three passes: time", ratios[3], 3.0),
    ]


def motion_of_fresh(rendered: RenderedFilm, index: int) -> Motion:
    """The motion to a frame, of what came to light in the one before it or came into that."""
    now, before = rendered.motion(index), rendered.motion(index - 1)
    return Motion(now.flow, now.mask * (1 - warp(before.mask, now.flow, sharp=False)).clamp(0, 1))


def breathing(name: str, count: int) -> list[Figure]:
    """How far the level of what does not change goes up and down, beyond what it does in the film.

    A bright ball crosses the lower half of a still scene, whose upper half is measured; or the
    exposure rises by a fifth and falls again.
    """
    still = RenderedFilm(96, 160).frame(0)
    rows = torch.arange(96.0).view(1, 1, -1, 1)
    columns = torch.arange(160.0).view(1, 1, 1, -1)
    ball, exposure = [], []
    for index in range(count):
        across = -20 + 200 * index / (count - 1)
        distance = ((rows - 74).square() + (columns - across).square()).sqrt()
        ball.append(torch.lerp(still, torch.ones(()), (20 - distance).clamp(0, 1)))
        exposure.append(still * (0.8 + 0.2 * math.sin(math.pi * index / (count - 1))))
    figures = []
    for what, frames in (("a passing ball", ball), ("exposure", exposure)):
        free, held = (wander(make(RENDERERS[name](steady), frames)[0]) for steady in (0.0, 1.0))
        given = wander(frames)
        title = f"{name}: breathing by {what} beyond the film's {given:.1f} levels"
        figures.append(Figure(f"{title} ({free:.1f} frame by frame)", held - given, BREATH_BAR))
    return figures


def wander(images: Sequence[Tensor]) -> float:
    """How far the mean of the upper third goes up and down, in levels, of the worst channel."""
    means = torch.stack([image[0, :, :32].mean((1, 2)) for image in images])
    return 255 * float((means.amax(0) - means.amin(0)).max())


def write_film(path: Path, frames: Sequence[Tensor]) -> Path:
    size = (frames[0].shape[-2], frames[0].shape[-1])
    with create_film(path, size=size, frame_rate=Fraction(25)) as writer:
        for index, frame in enumerate(frames):
            writer.write(frame, Fraction(index, 25), Fraction(1, 25))
    return path


def speed(count: int) -> list[Figure]:
    """What a frame costs once the network is loaded: a long film's time less a short one's."""
    rendered = RenderedFilm(360, 640, shift=(5.2, 1.6))
    frames = [rendered.frame(index) for index in range(8)]
    there_and_back = [*frames, *frames[-2:0:-1]]
    films = []
    for length in (2, 2 + count):
        shown = [there_and_back[index % len(there_and_back)] for index in range(length)]
        films.append(write_film(FILM.parent / f"{length}.mp4", shown))
    cores = os.cpu_count() or 1
    (short, long), (early, late) = ([spend(film, n) for film in films] for n in (1, cores))
    by_core = count / (long.seconds - short.seconds)
    gone = late.clock - early.clock  # of a busy machine it may be anything
    by_clock = count / gone if gone > 0 else 0.0
    free = cores - late.others
    title = f"style apply at 640×360: frames a second, {free:.1f} of {cores} cores free"
    return [
        Figure("style apply at 640×360: frames a core's second", by_core, RATE_BAR, at_most=False),
        Figure(title, by_clock, RATE_BAR * free, at_most=False),
    ]


@dataclass(frozen=True)
class Spent:
    """What a command took.

    Args:
        seconds: of the processor.
        clock: seconds that went by.
        others: cores that other work had meanwhile, in the mean.
    """

    seconds: float
    clock: float
    others: float


def spend(film: Path, threads: int) -> Spent:
    """What it takes to repaint a film."""
    words = ["style", "apply", "starry-night", str(film), "-o", str(film.with_name("new.mp4"))]
    words += ["--runtime", "openvino", "--overwrite"]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    before, busy, began = resource.getrusage(resource.RUSAGE_CHILDREN), busy_seconds(), time.time()
    subprocess.run([sys.executable, "-m", "belamy", *words], check=True, env=environment)
    clock, spent = time.time() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = spent.ru_utime + spent.ru_stime - before.ru_utime - before.ru_stime
    return Spent(seconds, clock, max(0.0, busy_seconds() - busy - seconds) / clock)


def busy_seconds() -> float:
    """What all cores have worked since the machine began; 0 where it is not Linux."""
    try:
        first = Path("/proc/stat").read_text().splitlines()[0].split()
    except OSError:
        return 0.0
    user, nice, system, _, _, *interrupts = map(int, first[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def measure(image: Tensor) -> tuple[float, Any]:
    return gradient_energy(image), color_moments(image)[0]


if __name__ == "__main__":
    sys.exit(main())
