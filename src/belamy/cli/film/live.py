"""`belamy live`: a camera or a film, painted as it happens, on a page of this machine's own."""

from __future__ import annotations

import itertools
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from belamy.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

__all__ = ["app"]

app = typer.Typer()


@app.command()
def live(
    source: Annotated[
        str, typer.Argument(metavar="FILM|CAMERA", help="A film, or a camera by its number: 0.")
    ] = "0",
    networks: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NETWORK]...", help="As for `belamy style apply`: styles by key."),
    ] = None,
    size: Annotated[
        int, typer.Option(min=32, max=4096, help="Long side in pixels; smaller is faster.")
    ] = 320,
    steady: Annotated[
        float,
        typer.Option(min=0, max=1, help="How firmly frames are held; 0 is faster, and flickers."),
    ] = 0.0,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the page; 0 takes a free one.")
    ] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page.")] = True,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
) -> None:
    """Paint what a camera sees, or a film plays, while it does; the page's keys switch styles.

    1 to 9 choose a style, n takes the next; Ctrl-C ends. The page is this machine's alone.
    """
    if not source.isdecimal() and not Path(source).exists():
        raise OptionError(f"{source} is no film and no camera's number; name a file, or 0")
    from belamy.cli.film.live_page import LivePage  # which brings http.server
    from belamy.engines.film.live import Live, frames_of_camera, frames_of_film, newest
    from belamy.networks.registry import embedded_names

    inside = embedded_names("image-to-image")
    names = networks or [name for name, network in inside.items() if network == "johnson"]
    show = Live(names, steady, device)
    frames: Iterator[Tensor]
    if source.isdecimal():
        frames = frames_of_camera(int(source), size)
    else:
        frames = frames_of_film(Path(source), size)
    with newest(frames) as coming:
        first = next(coming)  # where there is no camera, no page opens
        with LivePage(show, port) as page:
            typer.echo(page.address)
            typer.echo(_hint(len(names)), err=True)
            if browser:
                webbrowser.open(page.address)
            show.run(itertools.chain([first], coming))


def _hint(styles: int) -> str:
    """What can be done while it runs."""
    keys = f"1 to {min(styles, 9)} choose a style, n takes the next; " if styles > 1 else ""
    return f"belamy: the page is this machine's alone; {keys}Ctrl-C ends"
