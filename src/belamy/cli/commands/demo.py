"""`belamy demo`: the main jobs on the embedded network and on scenes that belamy draws itself."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from belamy.cli.films import save_film
from belamy.cli.outputs import require_folder, save_step
from belamy.cli.progress import show_steps
from belamy.engines.anystyle.api import any_style_steps
from belamy.engines.classify.api import classify
from belamy.engines.defog.api import defog_steps
from belamy.engines.defog.fog_api import fog_steps
from belamy.engines.dream.api import dream_steps
from belamy.engines.dream.atlas_api import atlas_steps
from belamy.engines.faststyle.api import apply_style_steps
from belamy.engines.film.api import dream_zoom_steps
from belamy.engines.gan.sample_api import gan_paint_steps
from belamy.engines.translate.api import translate_steps

if TYPE_CHECKING:
    from belamy.steps import Step

__all__ = ["app"]

app = typer.Typer()

_GENTLEMAN = 21  # the seed of his latents
_JOURNEY_RATE = 12.0  # frames a second
SIDE = 640  # long side of the scenes, in pixels


@dataclass(frozen=True)
class _Piece:
    """One picture of the demo: its file, what to say of it, how to make it again by hand.

    Args:
        film: whether its steps are the frames of a film.
    """

    file: str
    caption: str
    command: str
    steps: Callable[[Path], Iterator[Step]]
    film: bool = False


def _pieces() -> list[_Piece]:
    return [*_dreams(), *_dreams_in_another_way(), *_journeys(), *_paintings(), *_fog()]


def _dreams() -> list[_Piece]:
    return [
        _Piece(
            "dream-clouds.png",
            "The network looks at clouds, and the pixels follow what it sees.",
            "belamy dream demo/clouds.png -o dream.png",
            lambda folder: dream_steps(folder / "clouds.png"),
        ),
        _Piece(
            "dream-landscape.png",
            "The same in a landscape: ridges become roofs, and clouds dogs.",
            "belamy dream demo/landscape.png -o dream.png",
            lambda folder: dream_steps(folder / "landscape.png"),
        ),
        _Piece(
            "dream-iris.png",
            "The clouds as iris dreams them, the small network inside the package.",
            "belamy dream demo/clouds.png --model iris -o dream.png",
            lambda folder: dream_steps(folder / "clouds.png", model="iris"),
        ),
    ]


def _dreams_in_another_way() -> list[_Piece]:
    return [
        _Piece(
            "dream-colours.png",
            "Light and dark from the dream, colours from the landscape.",
            "belamy dream demo/landscape.png --keep-colors -o dream.png",
            lambda folder: dream_steps(folder / "landscape.png", keep_colors=True),
        ),
        _Piece(
            "ladybug.png",
            "What the network thinks a ladybug looks like, from noise.",
            "belamy dream --class ladybug --size 256 -o ladybug.png",
            lambda folder: dream_steps(class_="ladybug", size=256),
        ),
        _Piece(
            "atlas.png",
            "What each layer likes best: from edges to things.",
            "belamy models atlas iris -o atlas.png",
            lambda folder: atlas_steps("iris", size=128, steps=96),
        ),
    ]


def _journeys() -> list[_Piece]:
    return [
        _Piece(
            "journey.webp",
            "Six seconds into the clouds, round and round: each frame is dreamt on the last.",
            "belamy dream zoom demo/clouds.png --size 192 --seconds 6 --fps 12 --loop "
            "-o journey.webp",
            lambda folder: dream_zoom_steps(
                folder / "clouds.png", size=192, seconds=6, fps=12, loop=True
            ),
            film=True,
        )
    ]


def _paintings() -> list[_Piece]:
    return [
        _Piece(
            "night.png",
            "The landscape as a network paints it that has learned The Starry Night by heart.",
            "belamy style apply starry-night demo/landscape.png -o night.png",
            lambda folder: apply_style_steps(folder / "landscape.png", network="starry-night"),
        ),
        _Piece(
            "impressionist.png",
            "The landscape as an impressionist's, by a network that saw both, and no pair of them.",
            "belamy translate apply impressionism demo/landscape.png --size 384 -o picture.png",
            lambda folder: translate_steps(
                folder / "landscape.png", network="impressionism", size=384
            ),
        ),
        _Piece(
            "gentleman.png",
            "Nobody sat for him. The formula with which he was painted is his signature.",
            f"belamy gan paint -n 1 --seed {_GENTLEMAN} --upscale 10 --frame --sign -o him.png",
            lambda folder: gan_paint_steps(
                count=1, seed=_GENTLEMAN, upscale=10, frame=True, sign=True
            ),
        ),
        _Piece(
            "portraits.png",
            "Others of his kind.",
            "belamy gan paint -n 12 --seed 1 --upscale 3 -o portraits.png",
            lambda folder: gan_paint_steps(count=12, seed=1, upscale=3),
        ),
        _Piece(
            "painted.png",
            "The landscape in the manner of the clouds' dream, in one pass.",
            "belamy style demo/landscape.png demo/dream-clouds.png --fast -o painted.png",
            lambda folder: any_style_steps(folder / "landscape.png", [folder / "dream-clouds.png"]),
        ),
    ]


def _fog() -> list[_Piece]:
    return [
        _Piece(
            "foggy.png",
            "Fog, put in by the physics of it.",
            "belamy fog demo/landscape.png --amount 0.6 -o foggy.png",
            lambda folder: fog_steps(folder / "landscape.png", amount=0.6),
        ),
        _Piece(
            "defogged.png",
            "And taken out again, by a network that has never seen this landscape.",
            "belamy defog demo/foggy.png --compare -o defogged.png",
            lambda folder: defog_steps(folder / "foggy.png", compare=True),
        ),
    ]


@app.command()
def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to fill; made if it is not there.")
    ] = Path("demo"),
) -> None:
    """Make a small gallery: scenes drawn here, dreamt on and painted by the embedded networks."""
    require_folder(output)
    began = time.monotonic()
    scenes = _draw_scenes(output)
    pieces = _pieces()
    for piece in pieces:
        if piece.film:
            save_film(piece.steps(output), output / piece.file, piece.file, _JOURNEY_RATE)
            typer.echo(output / piece.file)
            continue
        step, stopped = show_steps(piece.steps(output), piece.file)
        save_step(step, output / piece.file)
        typer.echo(output / piece.file)
        if stopped:
            raise KeyboardInterrupt(f"what was made so far is in {output}")
    page = output / "index.html"
    _write_page(page, scenes, pieces)
    typer.echo(f"{page}  ({time.monotonic() - began:.0f} s)")


def _draw_scenes(folder: Path) -> dict[str, str]:
    """Draw what is dreamt on; file → what the network sees in it."""
    from belamy.pixels.images import save_image
    from belamy.pixels.scenes import clouds, landscape

    seen = {}
    for name, draw in (("clouds.png", clouds), ("landscape.png", landscape)):
        save_image(draw(SIDE * 5 // 8, SIDE, 1), folder / name)
        guess = classify(folder / name, top=1)[0]
        seen[name] = f"drawn by belamy; the network sees: {guess.name} ({guess.probability:.0%})"
        typer.echo(f"{folder / name}  {seen[name]}")
    return seen


def _write_page(path: Path, scenes: dict[str, str], pieces: list[_Piece]) -> None:
    from belamy.files import write_text

    figures = [_figure(file, caption, "") for file, caption in scenes.items()]
    figures += [_figure(piece.file, piece.caption, piece.command) for piece in pieces]
    write_text(path, _PAGE.format(figures="\n".join(figures)))


def _figure(file: str, caption: str, command: str) -> str:
    text, line = html.escape(caption), html.escape(command)
    code = f"<code>{line}</code>" if line else ""
    return f'<figure><img src="{file}" alt="{text}"><figcaption>{text}{code}</figcaption></figure>'


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>belamy: the demo</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  background: #f6f5f2; color: #333; }}
main {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 2rem; }}
figure {{ margin: 0; }}
img {{ width: 100%; display: block; }}
code {{ display: block; margin-top: .3rem; color: #777; overflow-wrap: anywhere; }}
</style>
<h1>belamy</h1>
<p>Made on this machine, by the networks that ship inside the package. Each picture carries its
recipe: <code>belamy recipe PICTURE</code> prints it, <code>belamy replay PICTURE -o NEW.png</code>
makes it again.</p>
<main>
{figures}
</main>
</html>
"""
